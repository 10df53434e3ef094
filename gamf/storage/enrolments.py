"""The enrolments: half-open ranges of days, so that one closed on a day and one that starts the next do not overlap."""

from datetime import date, timedelta

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
        UPDATE enrolments SET voided = true
        WHERE patient_id = $1 AND category = 'SV' AND NOT voided AND lower(period) >= $3::date
          AND attribution_id IS DISTINCT FROM $2
        """,
        patient_id,
        attribution_id,
        start,
    )
    await conn.execute(
        """
        UPDATE enrolments SET period = daterange(lower(period), $3::date)
        WHERE patient_id = $1 AND category = 'SV' AND NOT voided AND period @> $3::date
          AND attribution_id IS DISTINCT FROM $2
        """,
        patient_id,
        attribution_id,
        start,
    )
