"""Where things stand, as whoever acts must know before acting."""

from datetime import date
from typing import NamedTuple

from gamf.domain.model import Subject
from gamf.storage.connection import Connection


class Standing(NamedTuple):
    """An attribution as its last transition left it."""

    subject: Subject
    state: str
    ended_on: date | None


async def attribution(conn: Connection, attribution_id: str) -> Standing | None:
    """Return where an attribution stands, or None when there is none."""
    row = await conn.fetchrow(
        """
        SELECT attribution_id, block_id, patient_id, physician, rls, time_zone, priority, vulnerable,
               attributed_at, state, ended_on
        FROM attributions WHERE attribution_id = $1
        """,
        attribution_id,
    )
    if row is None:
        return None
    values = dict(row)
    state, ended_on = values.pop("state"), values.pop("ended_on")
    return Standing(Subject(**values), state, ended_on)


async def open_attributions(conn: Connection, patient_id: str) -> list[str]:
    """Return the patient's attributions that have not ended; the one that holds the patient comes first."""
    rows = await conn.fetch(
        """
        SELECT attribution_id FROM attributions WHERE patient_id = $1 AND ended_on IS NULL
        ORDER BY under_way DESC, attribution_id
        """,
        patient_id,
    )
    return [row["attribution_id"] for row in rows]


async def time_zone(conn: Connection, patient_id: str) -> str | None:
    """Return the zone of the patient's RLS (A23), or None for an unknown patient."""
    name: str | None = await conn.fetchval(
        "SELECT n.time_zone FROM patients p JOIN networks n USING (rls) WHERE p.patient_id = $1", patient_id
    )
    return name


async def has_patients(conn: Connection) -> bool:
    """Tell whether anybody was ever registered."""
    return bool(await conn.fetchval("SELECT EXISTS (SELECT FROM patients)"))
