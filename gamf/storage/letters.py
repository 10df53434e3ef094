"""The letters: one row each, from the transaction that makes it due to the carrier that takes it (invariant 4)."""

from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from gamf.domain.correspondence import LetterKind, Standing
from gamf.storage.connection import Connection

LetterState = Literal["queued", "sending", "sent", "withheld"]


class Handed(NamedTuple):
    """What is kept of a letter that a carrier took."""

    at: datetime
    language: str
    sha256: str
    by: str
    """The account in whose name the task about it is closed."""


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


async def withhold_all(conn: Connection, patient_id: str) -> None:
    """Withhold every letter of somebody's that no carrier has been asked to take (A15)."""
    await conn.execute(
        "UPDATE letters SET state = 'withheld' WHERE patient_id = $1 AND state = 'queued'", patient_id
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
    # One statement, one round trip: it waits for whoever withholds the letter, and sees what they wrote.
    state: LetterState | None = await conn.fetchval(
        """
        UPDATE letters SET state = CASE state WHEN 'queued' THEN 'sending' ELSE state END
        WHERE letter_id = $1 RETURNING old.state
        """,
        letter_id,
    )
    return state


async def still_due(conn: Connection, letter_id: str) -> bool:
    """Tell whether the letter waits for a carrier, and its patient has not left (A15); hold it until the end."""
    return bool(
        await conn.fetchval(
            """
            SELECT l.state IN ('queued', 'sending') AND p.place <> 'left'
            FROM letters l JOIN patients p USING (patient_id) WHERE l.letter_id = $1 FOR UPDATE OF l
            """,
            letter_id,
        )
    )


async def sent(conn: Connection, letter_id: str, by: Handed, task: str) -> None:
    """Say that the carrier has taken it, and close the task of that kind which asked about it (invariant 4)."""
    await conn.execute(
        """
        WITH gone AS (
            UPDATE letters SET state = 'sent', sent_at = $2, language = $3, sha256 = $4
            WHERE letter_id = $1 AND state = 'sending'
        )
        UPDATE tasks SET closed_at = $2, closed_by = $5
        WHERE attribution_id || '-' || transition = $1 AND kind = $6 AND closed_at IS NULL
          AND attribution_id = (SELECT attribution_id FROM letters WHERE letter_id = $1)
        """,
        letter_id,
        *by,
        task,
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


class NotGone(NamedTuple):
    """Letters that are to be sent and have not gone: how many, since when, and how many somebody must see to."""

    number: int
    oldest: datetime | None
    refused: int


async def not_gone(conn: Connection) -> NotGone:
    """Count the letters that have not gone; it walks the index of those that wait."""
    row = await conn.fetchrow(
        """
        SELECT count(*) AS number, min(l.queued_at) AS oldest, count(t.attribution_id) AS refused
        FROM letters l
        LEFT JOIN tasks t ON t.attribution_id = l.attribution_id AND t.kind = 'letter_not_sent'
                         AND t.attribution_id || '-' || t.transition = l.letter_id AND t.closed_at IS NULL
        WHERE l.state IN ('queued', 'sending')
        """
    )
    assert row is not None  # noqa: S101 - a count always has its row
    return NotGone(**row)
