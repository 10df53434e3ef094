"""Attributions made outside this system, taken in as sets: where their patients stand, and all that is written (R11).

The caller holds one transaction from `hold` to `write`: all of them are taken in, or none.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from gamf.domain.consequences import asked_at_once
from gamf.domain.draw import Applicant
from gamf.domain.model import Enrolment, Start, Subject
from gamf.domain.policy import Policy
from gamf.domain.retro import ADOPTED, Adopted, Holder
from gamf.domain.states import State
from gamf.storage import tasks
from gamf.storage.connection import Connection

# Below this, a table that has grown is still planned for well enough.
_WORTH_ANALYZING: Final = 1000


class Kept(NamedTuple):
    """What the record of an adoption keeps."""

    physician: str
    argument: dict[str, Any]


class Person(NamedTuple):
    """Somebody whom a file names: where they stand, their RLS, and what was taken in of them before."""

    holder: Holder
    rls: str
    refused: tuple[str, ...]
    """The physicians to whom they are never offered again (A8)."""
    adopted: tuple[Kept, ...]


class Office(NamedTuple):
    """A physician, with the time zone of their RLS (A23)."""

    applicant: Applicant
    time_zone: str


class Stamp(NamedTuple):
    """What each record says: when (an instant), by whom."""

    at: datetime
    by: str


class Unstarted(NamedTuple):
    """An attribution taken in that no workflow has moved: what it began as, from its record."""

    start: Start
    argument: dict[str, Any]
    at: datetime
    letters: tuple[str, ...]


async def hold(conn: Connection, nams: Sequence[str]) -> None:
    """Wait for other files of that kind, then hold these patients, in the order of a draw (A18)."""
    await conn.execute("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('import retro', 0))")
    await conn.execute(
        """
        SELECT FROM patients WHERE nam = ANY ($1::text[]) ORDER BY priority, registered_on, number FOR UPDATE
        """,
        nams,
    )


async def people(conn: Connection, nams: Sequence[str]) -> dict[str, Person]:
    """Return, by NAM, those of them who are in the register."""
    rows = await conn.fetch(
        """
        SELECT p.nam, p.patient_id, p.rls, p.place, p.priority, p.vulnerable, p.registered_on,
               (SELECT min(a.attribution_id) FROM attributions a
                WHERE a.patient_id = p.patient_id AND a.ended_on IS NULL) AS open_attribution,
               (SELECT max(upper(e.period)) FROM enrolments e
                WHERE e.patient_id = p.patient_id AND NOT e.voided) AS free_from,
               ARRAY(SELECT o.physician FROM not_offered o WHERE o.patient_id = p.patient_id) AS refused,
               (SELECT coalesce(jsonb_agg(jsonb_build_array(a.physician, r.argument)), '[]')
                FROM attributions a JOIN records r ON r.subject = 'attribution' AND r.subject_id = a.attribution_id
                                                  AND r.number = 0 AND r.event = $2
                WHERE a.patient_id = p.patient_id) AS adopted
        FROM patients p WHERE p.nam = ANY ($1::text[])
        """,
        nams,
        ADOPTED,
    )
    return {row["nam"]: _person(dict(row)) for row in rows}


def _person(row: dict[str, Any]) -> Person:
    holder = Holder(**{name: row[name] for name in row.keys() & Holder.model_fields.keys() - {"refused"}})
    return Person(holder, row["rls"], tuple(row["refused"]), tuple(Kept(*each) for each in row["adopted"]))


async def offices(conn: Connection, licences: Sequence[str]) -> dict[str, Office]:
    """Return, by licence, those of these physicians who are known."""
    rows = await conn.fetch(
        """
        SELECT d.licence, d.rls, d.status, d.leaves_on, n.time_zone
        FROM physicians d JOIN networks n USING (rls) WHERE d.licence = ANY ($1::text[])
        """,
        licences,
    )
    return {
        row["licence"]: Office(
            Applicant(
                licence=row["licence"], rls=row["rls"], status=row["status"], leaves_on=row["leaves_on"]
            ),
            row["time_zone"],
        )
        for row in rows
    }


async def write(
    conn: Connection, adopted: Sequence[Adopted], arguments: Sequence[dict[str, Any]], stamp: Stamp
) -> None:
    """Write all that an adoption is, at once: attribution, enrolments, place, letter and record number 0."""
    rows = [_row(each, argument, stamp) for each, argument in zip(adopted, arguments, strict=True)]
    await conn.execute(_TAKE_IN, rows, stamp.at, stamp.by, ADOPTED)
    asked = [
        (a.start.attribution_id, task)
        for a in (each.attribution for each in adopted)
        for task in asked_at_once(a, stamp.at)
    ]
    await tasks.open_many(conn, asked, 0, stamp.at)
    if len(rows) >= _WORTH_ANALYZING:
        await conn.execute("ANALYZE attributions; ANALYZE enrolments; ANALYZE records; ANALYZE patients")


_TAKE_IN: Final = """
    WITH given AS (
        SELECT * FROM jsonb_to_recordset($1) AS g (
            attribution_id text, patient_id text, physician text, rls text, time_zone text, priority text,
            vulnerable boolean, attributed_at timestamptz, policy text, state text, under_way boolean,
            deadline timestamptz, waiting_for text, ended_on date, confirmed_on date, place text,
            sv_start date, sv_until date, sv_voided boolean, mf_start date, letter_id text, dated date,
            argument jsonb, rules jsonb)
    ), attributed AS (
        INSERT INTO attributions (attribution_id, patient_id, physician, rls, time_zone, priority, vulnerable,
                                  attributed_at, policy, state, under_way, deadline, waiting_for, ended_on,
                                  confirmed_on, transition)
        SELECT attribution_id, patient_id, physician, rls, time_zone, priority, vulnerable, attributed_at, policy,
               state, under_way, deadline, waiting_for, ended_on, confirmed_on, 0
        FROM given
    ), moved AS (
        UPDATE patients p
        SET place = g.place, attribution_id = CASE WHEN g.under_way THEN g.attribution_id END
        FROM given g WHERE p.patient_id = g.patient_id AND p.place = 'waiting'
        RETURNING p.patient_id, p.number
    ), enrolled AS (
        INSERT INTO enrolments (patient_id, patient_number, physician, category, period, voided, attribution_id)
        SELECT g.patient_id, moved.number, g.physician, e.category, daterange(e.start, e.until), e.voided,
               g.attribution_id
        FROM given g JOIN moved USING (patient_id)
        CROSS JOIN LATERAL (VALUES ('SV', g.sv_start, g.sv_until, g.sv_voided), ('MF', g.mf_start, NULL, false))
                           AS e (category, start, until, voided)
        WHERE e.start IS NOT NULL
    ), told AS (
        INSERT INTO letters (letter_id, attribution_id, patient_id, kind, dated, queued_at)
        SELECT letter_id, attribution_id, patient_id, 'attribution', dated, $2 FROM given
        WHERE letter_id IS NOT NULL
    )
    INSERT INTO records (subject, subject_id, number, event, at, by, argument, after, rules, policy, outcome)
    SELECT 'attribution', attribution_id, 0, $4, $2, $3, argument, state,
           ARRAY(SELECT jsonb_array_elements_text(rules)), policy, '{}'
    FROM given
"""


def _row(adopted: Adopted, argument: dict[str, Any], stamp: Stamp) -> dict[str, Any]:
    a = adopted.attribution
    letter = f"{a.start.attribution_id}-0" if adopted.letter_due else None
    return {
        **a.start.subject.model_dump(mode="json", exclude={"block_id"}),
        "policy": a.start.policy.version,
        "state": a.state,
        "under_way": a.under_way,
        "deadline": a.deadline and a.deadline.isoformat(),
        "waiting_for": a.waiting_for,
        "ended_on": None if a.ended_on is None else a.ended_on.isoformat(),
        "confirmed_on": None if a.confirmed_on is None else a.confirmed_on.isoformat(),
        "place": "enrolled" if a.state is State.ENROLLED_MF else "attributed",
        **_sv(a.sv),
        "mf_start": None if a.mf is None else a.mf.start.isoformat(),
        "letter_id": letter,
        "dated": a.local(stamp.at).isoformat(),
        "argument": argument,
        "rules": list(adopted.rules),
    }


def _sv(sv: Enrolment | None) -> dict[str, Any]:
    if sv is None:
        return {"sv_start": None}
    until = None if sv.end is None else (sv.end + timedelta(days=1)).isoformat()
    return {"sv_start": sv.start.isoformat(), "sv_until": until, "sv_voided": sv.voided}


class Adoption(NamedTuple):
    """The record of an adoption: what was declared, and when."""

    argument: dict[str, Any]
    at: datetime


async def adoption(conn: Connection, attribution_id: str) -> Adoption | None:
    """Return how an attribution was taken in, or None when this system made it."""
    row = await conn.fetchrow(
        """
        SELECT argument, at FROM records
        WHERE subject = 'attribution' AND subject_id = $1 AND number = 0 AND event = $2
        """,
        attribution_id,
        ADOPTED,
    )
    return Adoption(**row) if row else None


async def unstarted(conn: Connection, nams: Sequence[str], policy: Policy) -> list[Unstarted]:
    """Return the attributions taken in of these people that no workflow has moved, under that policy."""
    rows = await conn.fetch(
        """
        SELECT a.attribution_id, a.patient_id, a.physician, a.rls, a.time_zone, a.priority, a.vulnerable,
               a.attributed_at, r.argument, r.at,
               ARRAY(SELECT letter_id FROM letters l
                     WHERE l.attribution_id = a.attribution_id AND l.state IN ('queued', 'sending')) AS letters
        FROM patients p
        JOIN attributions a USING (patient_id)
        JOIN records r ON r.subject = 'attribution' AND r.subject_id = a.attribution_id AND r.number = 0
                      AND r.event = $2
        WHERE p.nam = ANY ($1::text[]) AND a.ended_on IS NULL AND a.transition = 0
        ORDER BY a.attribution_id
        """,
        nams,
        ADOPTED,
    )
    return [
        Unstarted(
            Start(**{name: row[name] for name in Subject.model_fields if name in row.keys()}, policy=policy),  # noqa: SIM118 - a row's own `in` looks at its values
            row["argument"],
            row["at"],
            tuple(row["letters"]),
        )
        for row in rows
    ]
