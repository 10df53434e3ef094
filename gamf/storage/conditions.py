"""The vulnerability conditions (R13). Their codes stay in these two tables: no record, fact or history has one."""

from datetime import date, datetime
from typing import Any, NamedTuple

from gamf.domain.conditions import Standing
from gamf.storage.connection import Connection


class Withdrawable(NamedTuple):
    """A condition of somebody's, and why it was withdrawn, if it was."""

    patient_id: str
    withdrawn_for: str | None


async def is_code(conn: Connection, code: str) -> bool:
    """Tell whether that code is in our table."""
    return bool(await conn.fetchval("SELECT EXISTS (SELECT FROM condition_codes WHERE code = $1)", code))


async def codes(conn: Connection) -> list[dict[str, Any]]:
    """Return every code with its labels."""
    rows = await conn.fetch("SELECT code, label_fr, label_en, origin FROM condition_codes ORDER BY code")
    return [dict(row) for row in rows]


async def standing(conn: Connection, patient_id: str, code: str) -> Standing | None:
    """Return the condition of that code that is recorded and not withdrawn."""
    row = await conn.fetchrow(
        """
        SELECT c.noted_on FROM conditions c LEFT JOIN condition_withdrawals w USING (condition_id)
        WHERE c.patient_id = $1 AND c.code = $2 AND w.condition_id IS NULL
        """,
        patient_id,
        code,
    )
    return Standing(**row) if row else None


async def add(conn: Connection, patient_id: str, code: str, on: date, *, by: str, at: datetime) -> int:
    """Record a condition; return its number."""
    number: int = await conn.fetchval(
        """
        INSERT INTO conditions (patient_id, code, noted_on, by, at) VALUES ($1, $2, $3, $4, $5)
        RETURNING condition_id
        """,
        patient_id,
        code,
        on,
        by,
        at,
    )
    return number


async def of_number(conn: Connection, condition_id: int) -> Withdrawable | None:
    """Hold a condition until the end of the transaction; return whose it is, or None when there is none."""
    row = await conn.fetchrow(
        """
        SELECT c.patient_id, w.reason AS withdrawn_for
        FROM conditions c LEFT JOIN condition_withdrawals w USING (condition_id)
        WHERE c.condition_id = $1 FOR UPDATE OF c
        """,
        condition_id,
    )
    return Withdrawable(**row) if row else None


async def withdraw(conn: Connection, condition_id: int, reason: str, *, by: str, at: datetime) -> None:
    """Record that a condition was withdrawn, and why (A20)."""
    await conn.execute(
        "INSERT INTO condition_withdrawals (condition_id, reason, by, at) VALUES ($1, $2, $3, $4)",
        condition_id,
        reason,
        by,
        at,
    )


async def of_patient(conn: Connection, patient_id: str) -> list[dict[str, Any]]:
    """Return all that was recorded of somebody, withdrawn or not, in the order in which it was."""
    rows = await conn.fetch(
        """
        SELECT c.condition_id, c.code, k.label_fr, k.label_en, c.noted_on, c.by, c.at,
               w.at AS withdrawn_at, w.by AS withdrawn_by, w.reason AS withdrawn_for
        FROM conditions c JOIN condition_codes k USING (code) LEFT JOIN condition_withdrawals w USING (condition_id)
        WHERE c.patient_id = $1 ORDER BY c.condition_id
        """,
        patient_id,
    )
    return [dict(row) for row in rows]
