"""The append-only record: who, when, what, under which policy version (invariant 5)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from gamf.domain.attribution import Transition
from gamf.storage.connection import Connection


class Refusal(NamedTuple):
    """A fact that the rules refused, as it was sent; `key` makes it one row however often it is written."""

    key: str
    event: str
    at: datetime
    argument: Any
    rule: str
    reason: str


async def outcome(conn: Connection, subject: str, subject_id: str, number: int) -> dict[str, Any] | None:
    """Return what the transaction of that number answered, or None when it was never done."""
    row = await conn.fetchrow(
        "SELECT outcome FROM records WHERE subject = $1 AND subject_id = $2 AND number = $3",
        subject,
        subject_id,
        number,
    )
    return row["outcome"] if row else None


APPEND_TRANSITION: Final = """
    INSERT INTO records (subject, subject_id, number, event, at, by, argument, before, after, rules, policy, outcome)
    VALUES ('attribution', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
"""Takes what `of_transition` returns."""


def of_transition(t: Transition, answered: dict[str, Any]) -> tuple[object, ...]:
    """Return what the record keeps of a transition, with what its transaction answers."""
    return (
        t.subject.attribution_id,
        t.number,
        t.event,
        t.at,
        t.by,
        t.argument,
        t.before,
        t.after,
        list(t.rules),
        t.policy,
        answered,
    )


async def append_transition(conn: Connection, t: Transition, answered: dict[str, Any]) -> None:
    """Write the transition of an attribution, with what its transaction answers."""
    await conn.execute(APPEND_TRANSITION, *of_transition(t, answered))


async def append(
    conn: Connection,
    subject: str,
    subject_id: str,
    event: str,
    at: datetime,
    *,
    by: str | None = None,
    argument: dict[str, Any] | None = None,
    after: str | None = None,
    rules: Sequence[str] = (),
    policy: str | None = None,
    number: int | None = None,
    answered: dict[str, Any] | None = None,
) -> None:
    """Write any other change."""
    await conn.execute(
        """
        INSERT INTO records (subject, subject_id, event, at, by, argument, after, rules, policy, number, outcome)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """,
        subject,
        subject_id,
        event,
        at,
        by,
        argument or {},
        after,
        list(rules),
        policy,
        number,
        answered,
    )


async def append_refusals(
    conn: Connection, subject: str, subject_id: str, policy: str, refusals: Sequence[Refusal]
) -> None:
    """Keep what was refused, with its reason; what is there already stays as it is."""
    await conn.execute(
        """
        INSERT INTO records (subject, subject_id, policy, refused, dedupe_key, event, at, argument, rules, reason)
        SELECT $1, $2, $3, true, key, event, at, coalesce(argument, 'null'), ARRAY[rule], reason
        FROM jsonb_to_recordset($4)
             AS r (key text, event text, at timestamptz, argument jsonb, rule text, reason text)
        ON CONFLICT DO NOTHING
        """,
        subject,
        subject_id,
        policy,
        [refusal._asdict() | {"at": refusal.at.isoformat()} for refusal in refusals],
    )
