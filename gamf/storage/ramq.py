"""The files of confirmed names for RAMQ: made in one transaction, handed over, and what went (R6)."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final

from gamf.domain.ramq import Name, RamqFile
from gamf.domain.roles import Scope
from gamf.storage.connection import Connection
from gamf.storage.pages import EVERYTHING, Asked, By, Listed, Rows, page_of, parts_of


async def confirm(conn: Connection, attribution_id: str, on: date) -> bool:
    """Write the local day on which the physician's acceptance was confirmed; tell whether the block has closed.

    The block closes before or after this transaction, never meanwhile.
    """
    return bool(
        await conn.fetchval(
            """
            WITH block AS (
                SELECT b.state FROM attributions a JOIN blocks b USING (block_id) WHERE a.attribution_id = $1
                FOR SHARE OF b
            )
            UPDATE attributions SET confirmed_on = $2 WHERE attribution_id = $1
            RETURNING (SELECT state = 'closed' FROM block)
            """,
            attribution_id,
            on,
        )
    )


async def policy_of_closed(conn: Connection, block_id: str) -> str | None:
    """Hold a closed block until the end of the transaction and return its policy; None when it is not closed."""
    policy: str | None = await conn.fetchval(
        "SELECT policy FROM blocks WHERE block_id = $1 AND state = 'closed' FOR UPDATE", block_id
    )
    return policy


_NAMES = """
    SELECT a.attribution_id, a.replaces, a.confirmed_on, a.physician, d.last_name AS physician_last_name,
           d.first_name AS physician_first_name, a.rls, p.nam, p.last_name, p.first_name, p.birth_date
    FROM attributions a
    JOIN patients p USING (patient_id)
    JOIN physicians d ON d.licence = a.physician
"""


async def unnamed(conn: Connection, block_id: str, states: Iterable[str]) -> list[Name]:
    """Return the block's confirmed patients in these states whom no file has named. It never leaves the process."""
    rows = await conn.fetch(
        f"""
        {_NAMES}
        WHERE a.block_id = $1 AND a.confirmed_on IS NOT NULL AND a.state = ANY ($2::text[])
          AND NOT EXISTS (SELECT FROM ramq_names n WHERE n.attribution_id = a.attribution_id)
        ORDER BY a.attribution_id
        """,
        block_id,
        list(states),
    )
    return [Name(**row) for row in rows]


async def content(conn: Connection, block_id: str, number: int) -> tuple[str, bytes | None] | None:
    """Return the fingerprint of a file, and its content while it is not handed over; None when there is none."""
    row = await conn.fetchrow(
        "SELECT sha256, content FROM ramq_files WHERE block_id = $1 AND number = $2", block_id, number
    )
    return (row["sha256"], row["content"]) if row else None


async def names_of(conn: Connection, block_id: str, number: int) -> list[Name]:
    """Return whom a file named, as the register has them now. It never leaves the process but in the file."""
    rows = await conn.fetch(
        f"""
        {_NAMES} JOIN ramq_names m ON m.attribution_id = a.attribution_id
        WHERE m.block_id = $1 AND m.number = $2 ORDER BY a.attribution_id
        """,
        block_id,
        number,
    )
    return [Name(**row) for row in rows]


async def patients_of(conn: Connection, block_id: str, number: int | None = None) -> list[str]:
    """Return the patients whom a file of a block named, or all of its files."""
    rows = await conn.fetch(
        """
        SELECT a.patient_id FROM ramq_names n JOIN attributions a USING (attribution_id)
        WHERE n.block_id = $1 AND ($2::integer IS NULL OR n.number = $2) ORDER BY a.attribution_id
        """,
        block_id,
        number,
    )
    return [row["patient_id"] for row in rows]


async def next_number(conn: Connection, block_id: str) -> int:
    """Return the number of the block's next file, the block being held."""
    number: int = await conn.fetchval(
        "SELECT coalesce(max(number), 0) + 1 FROM ramq_files WHERE block_id = $1", block_id
    )
    return number


async def add(conn: Connection, file: RamqFile, attribution_ids: list[str], at: datetime) -> None:
    """Keep a file that is to be handed over, and whom it names."""
    await conn.execute(
        """
        INSERT INTO ramq_files (block_id, number, name, names, sha256, made_at, content)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        file.block_id,
        file.number,
        file.name,
        len(attribution_ids),
        file.sha256,
        at,
        file.content,
    )
    await conn.execute(
        "INSERT INTO ramq_names (attribution_id, block_id, number) SELECT id, $2, $3 FROM unnest($1::text[]) AS l (id)",
        attribution_ids,
        file.block_id,
        file.number,
    )


async def waiting(conn: Connection, block_id: str) -> list[RamqFile]:
    """Return the block's files that are made and not handed over, in order."""
    rows = await conn.fetch(
        "SELECT block_id, number, content FROM ramq_files WHERE block_id = $1 AND handed_at IS NULL ORDER BY number",
        block_id,
    )
    return [RamqFile(**row) for row in rows]


async def handed(conn: Connection, file: RamqFile, at: datetime) -> bool:
    """Say that a file was handed over, and keep its content no longer; tell whether that was news."""
    done = await conn.execute(
        """
        UPDATE ramq_files SET handed_at = $3, content = NULL
        WHERE block_id = $1 AND number = $2 AND handed_at IS NULL
        """,
        file.block_id,
        file.number,
        at,
    )
    return done == "UPDATE 1"


_FILES: Final = """
    SELECT f.block_id, f.number, f.name, f.names, f.sha256, f.made_at, f.handed_at, b.physician, b.rls
    FROM ramq_files f JOIN blocks b USING (block_id)
"""
_LISTED: Final = Listed(
    f"({_FILES})",
    "name",
    f"{_FILES} WHERE f.name",
    {
        "made": By(("t.made_at", "t.name")),
        "name": By(("t.name",)),
        "rls": By(("t.rls", "t.made_at", "t.name")),
        "physician": By(("t.physician", "t.made_at", "t.name")),
        "names": By(("t.names", "t.name")),
        "handed": By(("t.handed_at", "t.name"), carried=datetime, nullable=True),
    },
)


async def files(conn: Connection, asked: Asked, scope: Scope = EVERYTHING) -> Rows:
    """Return a page of the files, within that scope."""
    return await page_of(conn, _LISTED, (), parts_of(scope), asked)


async def files_of(conn: Connection, block_id: str) -> Rows:
    """Return the files of a block, in order."""
    rows = await conn.fetch(f"{_FILES} WHERE f.block_id = $1 ORDER BY f.number", block_id)
    return [dict(row) for row in rows]


async def named(conn: Connection, block_id: str) -> Rows:
    """Return whom the files of a block named, under their references only."""
    rows = await conn.fetch(
        """
        SELECT n.number, n.attribution_id, a.confirmed_on, a.replaces
        FROM ramq_names n JOIN attributions a USING (attribution_id)
        WHERE n.block_id = $1 ORDER BY n.number, n.attribution_id
        """,
        block_id,
    )
    return [dict(row) for row in rows]
