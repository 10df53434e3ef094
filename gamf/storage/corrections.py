"""Corrections of what is known of a person: the register has the new values, this table the old ones too (A20)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from gamf.domain.corrections import CORRECTABLE, Value
from gamf.storage.connection import Connection

_COLUMNS: Final = ", ".join(CORRECTABLE)


async def current(conn: Connection, patient_id: str) -> dict[str, Value] | None:
    """Hold the patient's row and return what may be corrected of it, or None for an unknown patient."""
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM patients WHERE patient_id = $1 FOR UPDATE",  # noqa: S608 - the names are a constant's
        patient_id,
    )
    return dict(row) if row else None


async def known(conn: Connection, patient_id: str) -> dict[str, Value] | None:
    """Return what may be corrected of a patient, or None for an unknown one; nothing is held."""
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM patients WHERE patient_id = $1",  # noqa: S608 - the names are a constant's
        patient_id,
    )
    return dict(row) if row else None


async def write(
    conn: Connection,
    patient_id: str,
    before: Mapping[str, Value],
    changed: Mapping[str, Value],
    *,
    by: str,
    reason: str,
    at: datetime,
) -> None:
    """Write the new values, and keep the old ones beside them."""
    after = {**before, **changed}
    values = ", ".join(f"{name} = ${number}" for number, name in enumerate(CORRECTABLE, start=2))
    await conn.execute(
        f"UPDATE patients SET {values} WHERE patient_id = $1",  # noqa: S608 - the names are a constant's
        patient_id,
        *(after[name] for name in CORRECTABLE),
    )
    await conn.execute(
        """
        INSERT INTO corrections (patient_id, reason, before, after, by, at) VALUES ($1, $2, $3, $4, $5, $6)
        """,
        patient_id,
        reason,
        {name: before[name] for name in changed},
        dict(changed),
        by,
        at,
    )
