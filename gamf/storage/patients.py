"""Where each patient is: the `place` of the table `patients`, and who was never to be offered again."""

from datetime import date

from gamf.domain.register import Whereabouts
from gamf.storage.connection import Connection


async def lock(conn: Connection, patient_id: str) -> str | None:
    """Hold the patient's row until the end of the transaction; return the place, or None for an unknown patient."""
    place: str | None = await conn.fetchval(
        "SELECT place FROM patients WHERE patient_id = $1 FOR UPDATE", patient_id
    )
    return place


async def whereabouts(conn: Connection, patient_id: str) -> Whereabouts | None:
    """Hold the patient's row until the end of the transaction; return where they are, or None for an unknown one."""
    row = await conn.fetchrow(
        "SELECT place, rls, left_on, left_cause FROM patients WHERE patient_id = $1 FOR UPDATE", patient_id
    )
    return Whereabouts(**row) if row else None


async def attribute(conn: Connection, patient_id: str, attribution_id: str) -> bool:
    """Move a waiting patient to this attribution; return False when they do not wait."""
    done = await conn.execute(
        "UPDATE patients SET place = 'attributed', attribution_id = $2 WHERE patient_id = $1 AND place = 'waiting'",
        patient_id,
        attribution_id,
    )
    return done == "UPDATE 1"


async def return_to_list(conn: Connection, patient_id: str, attribution_id: str) -> None:
    """Put back on the list whoever this attribution holds; the initial date was never touched (A18)."""
    await conn.execute(
        """
        UPDATE patients SET place = 'waiting', attribution_id = NULL
        WHERE patient_id = $1 AND place = 'attributed' AND attribution_id = $2
        """,
        patient_id,
        attribution_id,
    )


async def enrol(conn: Connection, patient_id: str) -> None:
    """Take the patient off the list, a drawn list or an attribution: they are enrolled."""
    await conn.execute(
        """
        UPDATE patients SET place = 'enrolled', attribution_id = NULL, block_id = NULL, left_on = NULL,
                            left_cause = NULL
        WHERE patient_id = $1
        """,
        patient_id,
    )


async def leave(conn: Connection, patient_id: str, on: date, cause: str) -> None:
    """Take the patient off the list for good (A15)."""
    await conn.execute(
        """
        UPDATE patients SET place = 'left', attribution_id = NULL, block_id = NULL, left_on = $2, left_cause = $3
        WHERE patient_id = $1
        """,
        patient_id,
        on,
        cause,
    )


async def reinstate(conn: Connection, patient_id: str) -> bool:
    """Put back on the list somebody whose departure was noted in error, at the initial date (A15)."""
    done = await conn.execute(
        """
        UPDATE patients SET place = 'waiting', left_on = NULL, left_cause = NULL
        WHERE patient_id = $1 AND place = 'left'
        """,
        patient_id,
    )
    return done == "UPDATE 1"


async def move(conn: Connection, patient_id: str, rls: str, place: str) -> None:
    """Write the patient's new RLS, and the place that a drawn list may have to give back (A18, A23)."""
    await conn.execute(
        """
        UPDATE patients SET rls = $2, place = $3, block_id = CASE WHEN $3 = 'proposed' THEN block_id END
        WHERE patient_id = $1
        """,
        patient_id,
        rls,
        place,
    )


async def never_offer_again(conn: Connection, patient_id: str, physician: str, attribution_id: str) -> None:
    """Remember that this patient is not to be offered to this physician (A8)."""
    await conn.execute(
        """
        INSERT INTO not_offered (patient_id, patient_number, physician, attribution_id)
        SELECT patient_id, number, $2, $3 FROM patients WHERE patient_id = $1
        ON CONFLICT (patient_id, physician) DO NOTHING
        """,
        patient_id,
        physician,
        attribution_id,
    )
