"""Replacements: who may take a cancelled patient's place, and their line on the block's list (R5, A17)."""

from gamf.domain.draw import Candidate
from gamf.domain.model import Subject
from gamf.storage.connection import Connection


async def first_waiting(conn: Connection, cancelled: Subject) -> list[Candidate]:
    """Return, and hold, the first of the same priority who waits there and may be offered to this physician (A8).

    Whoever is on the block's list already had their turn in it: the cancelled patient is, like all before them.
    """
    rows = await conn.fetch(
        """
        SELECT p.patient_id, p.priority, p.registered_on, p.number, p.vulnerable, p.birth_date FROM patients p
        WHERE p.rls = $1 AND p.place = 'waiting' AND p.priority = $2
          AND NOT EXISTS (SELECT FROM not_offered o WHERE o.patient_id = p.patient_id AND o.physician = $3)
          AND NOT EXISTS (SELECT FROM block_patients b WHERE b.block_id = $4 AND b.patient_id = p.patient_id)
        ORDER BY p.registered_on, p.number
        LIMIT 1
        FOR UPDATE OF p
        """,
        cancelled.rls,
        cancelled.priority,
        cancelled.physician,
        cancelled.block_id,
    )
    return [Candidate(**row) for row in rows]


async def put_on_list(conn: Connection, new: Subject) -> None:
    """Add a patient at the end of the block's list; draws of the same RLS are kept out meanwhile."""
    await conn.execute(
        """
        INSERT INTO block_patients (block_id, position, patient_id, attribution_id)
        SELECT $1, max(position) + 1, $2, $3 FROM block_patients WHERE block_id = $1
        """,
        new.block_id,
        new.patient_id,
        new.attribution_id,
    )
