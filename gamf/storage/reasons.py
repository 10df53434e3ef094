"""The reasons for which a coordinator cancels an attribution: a table of ours (R5)."""

from gamf.domain.replacement import CancellationReason
from gamf.storage.connection import Connection

_COLUMNS = "code, label_fr, label_en, exceptional, active, ours"


async def find(conn: Connection, code: str) -> CancellationReason | None:
    """Return the reason of that code, offered or not, or None when it is none of ours."""
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM cancellation_reasons WHERE code = $1", code)  # noqa: S608 - our names
    return CancellationReason(**row) if row else None


async def lock(conn: Connection, code: str) -> CancellationReason | None:
    """Return the same, held until the end of the transaction."""
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM cancellation_reasons WHERE code = $1 FOR UPDATE",  # noqa: S608 - our names
        code,
    )
    return CancellationReason(**row) if row else None


async def all_of_them(conn: Connection) -> list[CancellationReason]:
    """Return every reason, those that bring another patient first."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM cancellation_reasons ORDER BY exceptional DESC, code"  # noqa: S608 - our names
    )
    return [CancellationReason(**row) for row in rows]


async def write(conn: Connection, reason: CancellationReason) -> None:
    """Write a new reason, or what an old one has become."""
    await conn.execute(
        """
        INSERT INTO cancellation_reasons (code, label_fr, label_en, exceptional, active, ours)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (code) DO UPDATE SET label_fr = excluded.label_fr, label_en = excluded.label_en,
                                         exceptional = excluded.exceptional, active = excluded.active
        """,
        reason.code,
        reason.label_fr,
        reason.label_en,
        reason.exceptional,
        reason.active,
        reason.ours,
    )
