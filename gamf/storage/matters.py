"""What something is about, as far as access goes: the RLS, the physicians, the task's owner, the patient."""

from typing import NamedTuple

from gamf.domain.effects import Owner
from gamf.domain.roles import Matter
from gamf.storage.connection import Connection


class Known(NamedTuple):
    """What something is about, and whom when it is one patient."""

    matter: Matter
    patient_id: str | None = None


async def attribution(conn: Connection, attribution_id: str) -> Known | None:
    """Return what an attribution is about, or None when there is none."""
    row = await conn.fetchrow(
        "SELECT rls, physician, patient_id FROM attributions WHERE attribution_id = $1", attribution_id
    )
    return Known(Matter.of(row["rls"], row["physician"]), row["patient_id"]) if row else None


async def block(conn: Connection, block_id: str) -> Known | None:
    """Return what a block is about, or None when there is none."""
    row = await conn.fetchrow("SELECT rls, physician FROM blocks WHERE block_id = $1", block_id)
    return Known(Matter.of(row["rls"], row["physician"])) if row else None


async def physician(conn: Connection, licence: str) -> Known | None:
    """Return what a physician is about, or None when there is none."""
    row = await conn.fetchrow("SELECT rls, licence FROM physicians WHERE licence = $1", licence)
    return Known(Matter.of(row["rls"], row["licence"])) if row else None


async def patient(conn: Connection, patient_id: str) -> Known | None:
    """Return what a patient is about, or None when there is none.

    Their own RLS and that of an attribution not ended; the physicians of those, and who has them enrolled.
    """
    row = await conn.fetchrow(
        """
        SELECT array_agg(DISTINCT f.rls) FILTER (WHERE f.rls IS NOT NULL) AS rls,
               array_agg(DISTINCT f.physician) FILTER (WHERE f.physician IS NOT NULL) AS physicians
        FROM patients p, LATERAL (
            SELECT p.rls, NULL AS physician
            UNION SELECT a.rls, a.physician FROM attributions a WHERE a.patient_id = p.patient_id AND a.ended_on IS NULL
            UNION SELECT NULL, e.physician FROM enrolments e
                  WHERE e.patient_id = p.patient_id AND NOT e.voided AND upper_inf(e.period)
        ) AS f
        WHERE p.patient_id = $1 GROUP BY p.patient_id
        """,
        patient_id,
    )
    if row is None:
        return None
    return Known(Matter(frozenset(row["rls"]), frozenset(row["physicians"] or ())), patient_id)


async def task(conn: Connection, task_id: int) -> Known | None:
    """Return what a task is about, with its owner, or None when there is none."""
    row = await conn.fetchrow("SELECT owner, rls, physician FROM tasks WHERE task_id = $1", task_id)
    return Known(Matter.of(row["rls"], row["physician"], Owner(row["owner"]))) if row else None
