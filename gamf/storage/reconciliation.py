"""The attributions as they are compared with their workflows, and what mends a row."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from gamf.domain.attribution import Transition
from gamf.domain.model import Subject
from gamf.domain.reconciliation import Kept
from gamf.domain.reliving import Remembered
from gamf.storage.connection import Connection

_NOT_TOLD: Final = """
    a.overtaken_by IS NOT NULL AND NOT EXISTS (
        SELECT FROM records r WHERE r.subject = 'attribution' AND r.subject_id = a.attribution_id
                                AND r.number = a.transition AND r.after = a.state)
"""


class Open(NamedTuple):
    """An attribution that a workflow should be following."""

    attribution_id: str
    state: str
    deadline: datetime | None
    sound: bool
    """Its record has every transition, and its enrolments are those of its state."""


async def open_attributions(conn: Connection, after: str, limit: int) -> list[Open]:
    """Return those that have not ended, or whose workflow was not told so, in the order of their references."""
    rows = await conn.fetch(
        f"""
        SELECT a.attribution_id, a.state, a.deadline, a.ended_on IS NULL
               AND (SELECT count(*) FROM records r WHERE r.subject = 'attribution'
                        AND r.subject_id = a.attribution_id AND r.number IS NOT NULL) > a.transition
               AND (a.state <> 'enrolled_sv' OR EXISTS (
                   SELECT FROM enrolments e WHERE e.attribution_id = a.attribution_id AND NOT e.voided)) AS sound
        FROM attributions a
        WHERE a.attribution_id > $1 AND (a.ended_on IS NULL OR ({_NOT_TOLD}))
        ORDER BY a.attribution_id LIMIT $2
        """,  # noqa: S608 - both parts are written above
        after,
        limit,
    )
    return [Open(**row) for row in rows]


async def kept(conn: Connection, attribution_id: str) -> Kept | None:
    """Return what the database has of an attribution, or None when it has no row."""
    row = await conn.fetchrow(
        f"""
        SELECT a.attribution_id, a.state, a.transition, a.deadline, a.ended_on, ({_NOT_TOLD}) AS overtaken,
               (SELECT count(*) FROM records r WHERE r.subject = 'attribution'
                    AND r.subject_id = a.attribution_id AND r.number IS NOT NULL) AS records,
               (SELECT lower(period) FROM enrolments e WHERE e.attribution_id = a.attribution_id
                    AND category = 'SV' AND NOT voided) AS sv,
               (SELECT lower(period) FROM enrolments e WHERE e.attribution_id = a.attribution_id
                    AND category = 'MF' AND NOT voided) AS mf
        FROM attributions a WHERE a.attribution_id = $1
        """,  # noqa: S608 - the part is written above
        attribution_id,
    )
    return Kept(**row) if row else None


async def remembered(conn: Connection, attribution_id: str) -> list[Remembered]:
    """Return the transitions of an attribution's record after its beginning, in their order."""
    rows = await conn.fetch(
        """
        SELECT event, at, argument, after FROM records
        WHERE subject = 'attribution' AND subject_id = $1 AND number > 0 ORDER BY number
        """,
        attribution_id,
    )
    return [Remembered(**row) for row in rows]


async def policy_of(conn: Connection, attribution_id: str) -> str | None:
    """Return the version of the policy that applies to an attribution."""
    version: str | None = await conn.fetchval(
        "SELECT policy FROM attributions WHERE attribution_id = $1", attribution_id
    )
    return version


async def refused_count(conn: Connection, subject: str, subject_id: str) -> int:
    """Count the refused facts in a record: the next one's number follows."""
    count: int = await conn.fetchval(
        "SELECT count(*) FROM records WHERE subject = $1 AND subject_id = $2 AND refused",
        subject,
        subject_id,
    )
    return count


async def letters_due(conn: Connection, attribution_id: str) -> list[str]:
    """Return the letters that no carrier has taken yet."""
    rows = await conn.fetch(
        """
        SELECT letter_id FROM letters WHERE attribution_id = $1 AND state IN ('queued', 'sending')
        ORDER BY queued_at, letter_id
        """,
        attribution_id,
    )
    return [row["letter_id"] for row in rows]


async def overtaken_by(conn: Connection, attribution_id: str) -> dict[str, Any] | None:
    """Return the fact of another attribution that ended this one, if one did."""
    fact: dict[str, Any] | None = await conn.fetchval(
        "SELECT overtaken_by FROM attributions WHERE attribution_id = $1", attribution_id
    )
    return fact


async def restore(
    conn: Connection, subject: Subject, last: Transition, policy: str, confirmed_on: date | None = None
) -> bool:
    """Bring the row to where its last transition led, making it anew if it is gone; hold its patient if it should.

    Whom it replaces is found again in the record of the block's attributions (A17). Return False when somebody else
    holds the patient, and nothing is written.
    """
    if last.under_way and not await _hold(conn, subject):
        return False
    await conn.execute(
        """
        INSERT INTO attributions (attribution_id, block_id, patient_id, physician, rls, time_zone, priority, vulnerable,
                                  attributed_at, policy, state, under_way, deadline, waiting_for, ended_on, transition,
                                  confirmed_on, replaces)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, (
            SELECT r.subject_id FROM block_patients b
            JOIN records r ON r.subject = 'attribution' AND r.subject_id = b.attribution_id
            WHERE b.block_id = $2 AND r.outcome -> 'replacement' ->> 'attribution_id' = $1))
        ON CONFLICT (attribution_id) DO UPDATE SET
            state = $11, under_way = $12, deadline = $13, waiting_for = $14, ended_on = $15, transition = $16,
            confirmed_on = coalesce($17, attributions.confirmed_on)
        """,
        subject.attribution_id,
        subject.block_id,
        subject.patient_id,
        subject.physician,
        subject.rls,
        subject.time_zone,
        subject.priority,
        subject.vulnerable,
        subject.attributed_at,
        policy,
        last.after,
        last.under_way,
        last.deadline,
        last.waiting_for,
        last.ended_on,
        last.number,
        confirmed_on,
    )
    return True


async def _hold(conn: Connection, subject: Subject) -> bool:
    done = await conn.execute(
        """
        UPDATE patients SET place = 'attributed', block_id = NULL, attribution_id = $2
        WHERE patient_id = $1 AND (place = 'waiting' OR (place = 'attributed' AND attribution_id = $2))
        """,
        subject.patient_id,
        subject.attribution_id,
    )
    return done == "UPDATE 1"


class Listed(NamedTuple):
    """One line of a block's list, and how far its attribution is."""

    patient_id: str
    priority: str
    vulnerable: bool
    attribution_id: str | None
    replaces: str | None
    attributed_at: datetime | None
    state: str | None


async def block_list(conn: Connection, block_id: str) -> list[Listed]:
    """Return a block's list in the order of the draw; who was released from a drawn list is not on it any more."""
    rows = await conn.fetch(
        """
        SELECT b.patient_id, coalesce(a.priority, p.priority) AS priority,
               coalesce(a.vulnerable, p.vulnerable) AS vulnerable, b.attribution_id, a.replaces, a.attributed_at,
               a.state
        FROM block_patients b JOIN patients p ON p.patient_id = b.patient_id
        LEFT JOIN attributions a ON a.attribution_id = b.attribution_id
        WHERE b.block_id = $1 AND (b.attribution_id IS NOT NULL OR p.block_id = $1)
        ORDER BY b.position
        """,
        block_id,
    )
    return [Listed(**row) for row in rows]


async def block(conn: Connection, block_id: str) -> dict[str, Any] | None:
    """Return a block's row with the zone of its RLS, or None when there is none."""
    row = await conn.fetchrow(
        "SELECT b.*, n.time_zone FROM blocks b JOIN networks n USING (rls) WHERE block_id = $1", block_id
    )
    return dict(row) if row else None


async def departure(conn: Connection, departure_id: str) -> dict[str, Any] | None:
    """Return a departure's row, or None when there is none."""
    row = await conn.fetchrow("SELECT * FROM departures WHERE departure_id = $1", departure_id)
    return dict(row) if row else None


async def open_blocks(conn: Connection) -> list[str]:
    """Return the blocks that are drawn or wait for answers."""
    rows = await conn.fetch(
        "SELECT block_id AS id FROM blocks WHERE state IN ('drawn', 'attributed') ORDER BY block_id"
    )
    return [row["id"] for row in rows]


async def open_departures(conn: Connection) -> list[str]:
    """Return the departures that are announced or being carried out."""
    rows = await conn.fetch(
        "SELECT departure_id AS id FROM departures WHERE state IN ('announced', 'effective') ORDER BY 1"
    )
    return [row["id"] for row in rows]


async def block_questions(conn: Connection, kind: str) -> Sequence[str]:
    """Return the blocks about which a task of that kind is open."""
    rows = await conn.fetch(
        "SELECT block_id FROM tasks WHERE kind = $1 AND closed_at IS NULL AND block_id IS NOT NULL", kind
    )
    return [row["block_id"] for row in rows]


async def open_questions(conn: Connection, kind: str) -> Sequence[str]:
    """Return the attributions about which a task of that kind is open."""
    rows = await conn.fetch(
        "SELECT attribution_id FROM tasks WHERE kind = $1 AND closed_at IS NULL AND attribution_id IS NOT NULL",
        kind,
    )
    return [row["attribution_id"] for row in rows]
