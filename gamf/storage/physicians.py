"""The physicians, as far as blocks and departures need them."""

from datetime import date

from gamf.domain.draw import Applicant
from gamf.storage.connection import Connection


async def applicant(conn: Connection, licence: str) -> Applicant | None:
    """Return what R3 asks of a physician, or None for an unknown licence."""
    row = await conn.fetchrow(
        "SELECT licence, rls, status, leaves_on FROM physicians WHERE licence = $1", licence
    )
    return Applicant(**row) if row else None


async def departs(conn: Connection, licence: str, on: date, cause: str) -> None:
    """Note a departure: no new block from the notice on (A16). The earliest date stands."""
    await conn.execute(
        """
        UPDATE physicians SET leaves_on = $2, leaves_cause = $3
        WHERE licence = $1 AND (leaves_on IS NULL OR leaves_on > $2)
        """,
        licence,
        on,
        cause,
    )
