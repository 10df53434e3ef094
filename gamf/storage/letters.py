"""The letters: one row each, from the transaction that makes it due to the carrier that takes it (invariant 4)."""

from datetime import date, datetime
from typing import Any, Literal

from gamf.domain.correspondence import LetterKind, Standing
from gamf.storage.connection import Connection

LetterState = Literal["queued", "sending", "sent", "withheld"]


async def queue(
    conn: Connection,
    letter_id: str,
    attribution_id: str,
    patient_id: str,
    kind: LetterKind,
    dated: date,
    at: datetime,
    standing: Standing | None = None,
) -> None:
    """Make a letter due."""
    await conn.execute(
        """
        INSERT INTO letters (letter_id, attribution_id, patient_id, kind, dated, queued_at, standing)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (letter_id) DO NOTHING
        """,
        letter_id,
        attribution_id,
        patient_id,
        kind,
        dated,
        at,
        standing,
    )


async def withhold(conn: Connection, attribution_id: str) -> None:
    """Withhold the attribution's letters that no carrier has been asked to take (A15)."""
    await conn.execute(
        "UPDATE letters SET state = 'withheld' WHERE attribution_id = $1 AND state = 'queued'", attribution_id
    )


async def attribution_letter_has_gone(conn: Connection, attribution_id: str) -> bool:
    """Tell whether a carrier has, or may have, taken the attribution letter (A25)."""
    return bool(
        await conn.fetchval(
            """
            SELECT EXISTS (SELECT FROM letters
                           WHERE attribution_id = $1 AND kind = 'attribution' AND state IN ('sending', 'sent'))
            """,
            attribution_id,
        )
    )


async def claim(conn: Connection, letter_id: str) -> LetterState | None:
    """Say that a carrier is about to be asked; return the state before, or None for an unknown letter."""
    state: LetterState | None = await conn.fetchval(
        "SELECT state FROM letters WHERE letter_id = $1 FOR UPDATE", letter_id
    )
    if state == "queued":
        await conn.execute("UPDATE letters SET state = 'sending' WHERE letter_id = $1", letter_id)
    return state


async def sent(conn: Connection, letter_id: str, at: datetime, language: str, sha256: str) -> None:
    """Say that the carrier has taken it."""
    await conn.execute(
        """
        UPDATE letters SET state = 'sent', sent_at = $2, language = $3, sha256 = $4
        WHERE letter_id = $1 AND state = 'sending'
        """,
        letter_id,
        at,
        language,
        sha256,
    )


async def parts(conn: Connection, letter_id: str) -> dict[str, Any] | None:
    """Return all that a letter says, from the tables as they are now. It never leaves the process that asks."""
    row = await conn.fetchrow(
        """
        SELECT l.letter_id, l.attribution_id, l.kind, l.standing, l.dated,
               p.last_name, p.first_name, p.birth_date, p.address, p.city, p.postal_code, p.language,
               p.english_attested, p.representative, p.registered_on,
               d.last_name AS physician_last_name, d.first_name AS physician_first_name, d.place,
               d.address AS place_address, d.city AS place_city,
               n.gaco_name, n.gaco_phone
        FROM letters l
        JOIN patients p ON p.patient_id = l.patient_id
        JOIN attributions a ON a.attribution_id = l.attribution_id
        JOIN physicians d ON d.licence = a.physician
        JOIN networks n ON n.rls = a.rls
        WHERE l.letter_id = $1
        """,
        letter_id,
    )
    return dict(row) if row else None
