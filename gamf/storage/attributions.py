"""The attributions as the lists see them: each row is as its workflow left it at its last transition."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from gamf.domain.attribution import Transition
from gamf.domain.facts import Overtaking
from gamf.domain.model import Subject
from gamf.storage import records
from gamf.storage.connection import Connection

_WRITE: Final = f"""
    WITH brought AS (
        UPDATE attributions
        SET state = $8, under_way = $12, deadline = $13, waiting_for = $14, ended_on = $15, transition = $2
        WHERE attribution_id = $1
    )
    {records.APPEND_TRANSITION}
"""  # noqa: S608 - both parts are written here


class Held(NamedTuple):
    """What a transition must know before it writes, true until the end of the transaction."""

    place: str | None
    """Where the patient is; None for an unknown patient."""
    state: str | None
    """The attribution's state as it is written; None when there is no row yet."""
    overtaken_by: dict[str, Any] | None
    event: str | None
    """What is in the record under the transition's number, with the next four; None when nothing is."""
    at: datetime | None
    argument: dict[str, Any] | None
    after: str | None
    outcome: dict[str, Any] | None
    open_tasks: list[str]
    """The kinds of the open tasks about the patient, or about any of their attributions."""


async def hold(conn: Connection, t: Transition) -> Held:
    """Hold the patient's row, then the attribution's, until the end of the transaction; return what they say."""
    row = await conn.fetchrow(
        "SELECT * FROM hold_for_transition($1, $2, $3)",
        t.subject.patient_id,
        t.subject.attribution_id,
        t.number,
    )
    assert row is not None  # noqa: S101 - a function that returns a row always does
    return Held(**row)


async def insert(
    conn: Connection, s: Subject, policy: str, deadline: datetime | None, *, replaces: str | None = None
) -> None:
    """Write a new attribution, proposed to its physician; it may take the place of another one (A17)."""
    await conn.execute(
        """
        INSERT INTO attributions (attribution_id, block_id, patient_id, physician, rls, time_zone, priority, vulnerable,
                                  attributed_at, policy, state, under_way, deadline, waiting_for, transition,
                                  replaces)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'proposed', true, $11, 'physician', 0, $12)
        """,
        s.attribution_id,
        s.block_id,
        s.patient_id,
        s.physician,
        s.rls,
        s.time_zone,
        s.priority,
        s.vulnerable,
        s.attributed_at,
        policy,
        deadline,
        replaces,
    )


async def write(conn: Connection, t: Transition, answered: dict[str, Any]) -> None:
    """Bring the row to where the transition leads, and append the transition to the record with what is answered."""
    await conn.execute(
        _WRITE, *records.of_transition(t, answered), t.under_way, t.deadline, t.waiting_for, t.ended_on
    )


async def overtake(
    conn: Connection, patient_id: str, attribution_id: str | None, ended_on: date, fact: Overtaking
) -> list[str]:
    """End the patient's other attribution under way, which is told afterwards; return the ones to tell (A11, A15, A24).

    One that waits for a late MF holds nobody: it is told and ends itself.
    """
    rows = await conn.fetch(
        """
        WITH ended AS (
            UPDATE attributions
            SET state = $4, under_way = false, deadline = NULL, waiting_for = NULL, ended_on = $3, overtaken_by = $5
            WHERE patient_id = $1 AND under_way AND attribution_id IS DISTINCT FROM $2
            RETURNING attribution_id
        )
        SELECT attribution_id FROM ended
        UNION
        SELECT attribution_id FROM attributions
        WHERE patient_id = $1 AND attribution_id IS DISTINCT FROM $2
          AND (overtaken_by = $5 OR (state = 'expired' AND ended_on IS NULL))
        ORDER BY attribution_id
        """,
        patient_id,
        attribution_id,
        ended_on,
        fact.name,
        told(fact),
    )
    return [row["attribution_id"] for row in rows]


def told(fact: Overtaking) -> dict[str, Any]:
    """Return a fact as the update `record` takes it: its object with one more key, `fact`."""
    return {**fact.argument(), "fact": fact.name}


async def insert_many(
    conn: Connection, block_id: str, attributed_at: datetime, deadline: datetime, ids: Mapping[str, str]
) -> None:
    """Attribute everybody of an approved list at once; `ids` gives each patient's attribution."""
    await conn.execute(
        """
        WITH list AS (
            SELECT patient_id, attribution_id FROM unnest($4::text[], $5::text[]) AS l (patient_id, attribution_id)
        ), numbered AS (
            UPDATE block_patients bp SET attribution_id = list.attribution_id
            FROM list WHERE bp.block_id = $1 AND bp.patient_id = list.patient_id
        ), moved AS (
            UPDATE patients p SET place = 'attributed', block_id = NULL, attribution_id = list.attribution_id
            FROM list WHERE p.patient_id = list.patient_id AND p.place = 'proposed' AND p.block_id = $1
            RETURNING p.patient_id, p.priority, p.vulnerable, p.attribution_id
        ), attributed AS (
            INSERT INTO attributions (attribution_id, block_id, patient_id, physician, rls, time_zone, priority,
                                      vulnerable, attributed_at, policy, state, under_way, deadline, waiting_for,
                                      transition)
            SELECT moved.attribution_id, b.block_id, moved.patient_id, b.physician, b.rls, n.time_zone,
                   moved.priority, moved.vulnerable, $2, b.policy, 'proposed', true, $3, 'physician', 0
            FROM moved CROSS JOIN blocks b JOIN networks n ON n.rls = b.rls
            WHERE b.block_id = $1
            RETURNING attribution_id, policy
        )
        INSERT INTO records (subject, subject_id, number, event, at, after, rules, policy, outcome)
        SELECT 'attribution', attribution_id, 0, 'proposed', $2, 'proposed', '{R4,R6,A1,A21}', policy, '{}'
        FROM attributed
        """,
        block_id,
        attributed_at,
        deadline,
        list(ids),
        list(ids.values()),
    )


async def of_block(conn: Connection, block_id: str) -> list[Subject]:
    """Return those whom an approved list attributed, in the order of the draw."""
    rows = await conn.fetch(
        """
        SELECT a.attribution_id, a.block_id, a.patient_id, a.physician, a.rls, a.time_zone, a.priority, a.vulnerable,
               a.attributed_at
        FROM block_patients bp JOIN attributions a USING (attribution_id)
        WHERE bp.block_id = $1 ORDER BY bp.position
        """,
        block_id,
    )
    return [Subject(**row) for row in rows]
