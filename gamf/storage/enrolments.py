"""The enrolments: half-open ranges of days, so that one closed on a day and one that starts the next do not overlap."""

from datetime import date, timedelta

from gamf.domain.conditions import FamilyEnrolment
from gamf.storage.connection import Connection


async def write(
    conn: Connection, attribution_id: str, patient_id: str, physician: str, category: str, start: date
) -> None:
    """Enrol the patient with our physician from that day on (R2, R8)."""
    await conn.execute(
        """
        INSERT INTO enrolments (patient_id, patient_number, physician, category, period, attribution_id)
        SELECT patient_id, number, $3, $4, daterange($5::date, NULL), $1 FROM patients WHERE patient_id = $2
        """,
        attribution_id,
        patient_id,
        physician,
        category,
        start,
    )


async def write_outside(conn: Connection, patient_id: str, physician: str, start: date, basis: str) -> None:
    """Keep an enrolment outside LE 321, unless it is there already (A14, A24)."""
    await conn.execute(
        """
        INSERT INTO enrolments (patient_id, patient_number, physician, category, period, basis)
        SELECT p.patient_id, p.number, $2, 'MF', daterange($3::date, NULL), $4 FROM patients p
        WHERE p.patient_id = $1 AND NOT EXISTS (
            SELECT FROM enrolments e WHERE e.patient_id = $1 AND NOT e.voided AND e.category = 'MF' AND e.physician = $2
                                       AND lower(e.period) = $3::date)
        """,
        patient_id,
        physician,
        start,
        basis,
    )


async def close_sv(conn: Connection, attribution_id: str, end: date) -> None:
    """End the attribution's SV on that day, itself included (R12, R15)."""
    await conn.execute(
        """
        UPDATE enrolments SET period = daterange(lower(period), $2::date)
        WHERE attribution_id = $1 AND category = 'SV' AND NOT voided
        """,
        attribution_id,
        end + timedelta(days=1),
    )


async def void_sv(conn: Connection, attribution_id: str) -> None:
    """Void the attribution's SV, as if it never was (R9, A12)."""
    await conn.execute(
        "UPDATE enrolments SET voided = true WHERE attribution_id = $1 AND category = 'SV' AND NOT voided",
        attribution_id,
    )


async def end_other_sv(conn: Connection, patient_id: str, attribution_id: str | None, start: date) -> None:
    """Make room from that day on: void what had not begun by then, close the rest the day before (A11, A14)."""
    await conn.execute(
        """
        UPDATE enrolments
        SET voided = lower(period) >= $3::date,
            period = CASE WHEN lower(period) >= $3::date THEN period ELSE daterange(lower(period), $3::date) END
        WHERE patient_id = $1 AND category = 'SV' AND NOT voided AND attribution_id IS DISTINCT FROM $2
          AND (lower(period) >= $3::date OR period @> $3::date)
        """,
        patient_id,
        attribution_id,
        start,
    )


async def end_all(conn: Connection, patient_id: str, last_day: date) -> None:
    """End every enrolment on that day, itself included; void what had not begun by then (A12, A15)."""
    await conn.execute(
        "UPDATE enrolments SET voided = true WHERE patient_id = $1 AND NOT voided AND lower(period) > $2::date",
        patient_id,
        last_day,
    )
    next_day = last_day + timedelta(days=1)
    await conn.execute(
        """
        UPDATE enrolments SET period = daterange(lower(period), $2::date)
        WHERE patient_id = $1 AND NOT voided AND period @> $2::date
        """,
        patient_id,
        next_day,
    )


async def family(conn: Connection, patient_id: str) -> list[FamilyEnrolment]:
    """Return the MF enrolments that are not voided, each with the date of its form 4096 if we have one (R13)."""
    rows = await conn.fetch(
        """
        SELECT lower(e.period) AS start, (
            SELECT min((r.argument ->> 'signed_on')::date) FROM records r
            WHERE r.subject = 'attribution' AND r.subject_id = e.attribution_id AND r.event = 'mf_signed'
              AND NOT r.refused) AS signed_on
        FROM enrolments e WHERE e.patient_id = $1 AND e.category = 'MF' AND NOT e.voided
        """,
        patient_id,
    )
    return [FamilyEnrolment(**row) for row in rows]
