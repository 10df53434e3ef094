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
    replaces: str | None
    replaced_by: str | None


async def attribution(conn: Connection, attribution_id: str) -> Standing | None:
    """Return where an attribution stands, or None when there is none."""
    row = await conn.fetchrow(
        """
        SELECT attribution_id, block_id, patient_id, physician, rls, time_zone, priority, vulnerable,
               attributed_at, state, ended_on, replaces,
               (SELECT n.attribution_id FROM attributions n WHERE n.replaces = a.attribution_id) AS replaced_by
        FROM attributions a WHERE attribution_id = $1
        """,
        attribution_id,
    )
    if row is None:
        return None
    values = dict(row)
    rest = {name: values.pop(name) for name in ("state", "ended_on", "replaces", "replaced_by")}
    return Standing(Subject(**values), **rest)


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


class Member(NamedTuple):
    """An attribution of a block or of a physician, and where it is."""

    attribution_id: str
    state: str
    ended: bool


async def members(
    conn: Connection, *, block_id: str | None = None, physician: str | None = None
) -> list[Member]:
    """Return the attributions of that block, or of that physician, in the order of their references."""
    rows = await conn.fetch(
        """
        SELECT attribution_id, state, ended_on IS NOT NULL AS ended FROM attributions
        WHERE ($1::text IS NULL OR block_id = $1) AND ($2::text IS NULL OR physician = $2)
        ORDER BY attribution_id
        """,
        block_id,
        physician,
    )
    return [Member(**row) for row in rows]
