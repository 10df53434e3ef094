"""What is read out: patients, attributions, blocks, tasks, letters; and whether all of it agrees.

Lists come from here and not from Temporal's visibility, which must not know whom they are about. A page
begins after the last row of the one before.
"""

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from gamf.domain.states import UNDER_WAY
from gamf.storage.connection import Connection
from gamf.storage.imports import PATIENTS

Rows = list[dict[str, Any]]

_REFUSED_SHOWN: Final = 100


async def _fetch(conn: Connection, query: str, *arguments: object) -> Rows:
    return [dict(row) for row in await conn.fetch(query, *arguments)]


async def _fetch_one(conn: Connection, query: str, *arguments: object) -> dict[str, Any] | None:
    row = await conn.fetchrow(query, *arguments)
    return dict(row) if row else None


# --- the register -----------------------------------------------------------------------------------------


class RegisterFilter(NamedTuple):
    """Which patients: of that RLS, in that place."""

    rls: str | None = None
    place: str | None = None


async def patient_of_nam(conn: Connection, nam: str) -> str | None:
    """Return the opaque identifier of whoever has that NAM, as the register writes it."""
    found: str | None = await conn.fetchval("SELECT patient_id FROM patients WHERE nam = $1", nam)
    return found


async def patient(conn: Connection, patient_id: str) -> dict[str, Any] | None:
    """Return where a patient is, or None."""
    return await _fetch_one(
        conn,
        """
        SELECT patient_id, place, registered_on, rls, priority, vulnerable FROM patients WHERE patient_id = $1
        """,
        patient_id,
    )


async def register(conn: Connection, only: RegisterFilter, after: str | None, limit: int) -> Rows:
    """Return the patients in the order of the list (A18), those after that patient."""
    return await _fetch(
        conn,
        """
        SELECT patient_id, number, rls, place, priority, registered_on, vulnerable FROM patients
        WHERE ($1::text IS NULL OR rls = $1) AND ($2::text IS NULL OR place = $2)
          AND ($3::text IS NULL OR (priority, registered_on, number) > (
              SELECT priority, registered_on, number FROM patients WHERE patient_id = $3))
        ORDER BY priority, registered_on, number LIMIT $4
        """,
        only.rls,
        only.place,
        after,
        limit,
    )


async def export(
    conn: Connection, only: RegisterFilter, output: Callable[[bytes], Coroutine[Any, Any, None]]
) -> int:
    """Write the register as CSV, with the columns of a file taken in; return how many patients it has.

    They come in the order of their number: a register made from it has its equals in the same order (A18).
    """
    columns = ", ".join(PATIENTS.columns)
    columns = columns.replace("english_attested", "english_attested::text").replace(
        "vulnerable", "vulnerable::text"
    )
    async with conn.transaction():
        await conn.execute("SET LOCAL statement_timeout = 0")
        done = await conn.copy_from_query(
            f"""
            SELECT {columns} FROM patients
            WHERE ($1::text IS NULL OR rls = $1) AND ($2::text IS NULL OR place = $2) ORDER BY number
            """,  # noqa: S608 - the names are those of a constant
            only.rls,
            only.place,
            output=output,
            format="csv",
            header=True,
        )
    return int(done.split()[-1])


async def enrolments_of(conn: Connection, patient_id: str) -> Rows:
    """Return a patient's enrolments, voided ones too, by their start; `end` is the last day included."""
    return await _fetch(
        conn,
        """
        SELECT category, physician, lower(period) AS start, upper(period) - 1 AS end, voided, attribution_id,
               basis
        FROM enrolments WHERE patient_id = $1 ORDER BY lower(period), enrolment_id
        """,
        patient_id,
    )


async def letters_of_patient(conn: Connection, patient_id: str) -> Rows:
    """Return a patient's letters, in the order in which they became due."""
    return await _fetch(conn, f"{_LETTERS} WHERE patient_id = $1 ORDER BY queued_at, letter_id", patient_id)


async def letters_of_attribution(conn: Connection, attribution_id: str) -> Rows:
    """Return an attribution's letters, in the order in which they became due."""
    return await _fetch(
        conn, f"{_LETTERS} WHERE attribution_id = $1 ORDER BY queued_at, letter_id", attribution_id
    )


_LETTERS: Final = """
    SELECT letter_id, attribution_id, kind, standing, dated, state, language, queued_at, sent_at, sha256
    FROM letters
"""


# --- physicians and networks ------------------------------------------------------------------------------


async def physician(conn: Connection, licence: str) -> dict[str, Any] | None:
    """Return a physician, with how many attributions they have under way, or None."""
    return await _fetch_one(
        conn,
        """
        SELECT d.*, (
            SELECT count(*) FROM attributions a WHERE a.physician = d.licence AND a.under_way) AS under_way
        FROM physicians d WHERE d.licence = $1
        """,
        licence,
    )


async def networks(conn: Connection) -> Rows:
    """Return every RLS."""
    return await _fetch(conn, "SELECT * FROM networks ORDER BY rls")


# --- attributions -----------------------------------------------------------------------------------------


class AttributionFilter(NamedTuple):
    """Which attributions: in that state, of that physician, block or patient, due before that instant."""

    state: str | None = None
    physician: str | None = None
    block_id: str | None = None
    patient_id: str | None = None
    due_before: datetime | None = None


_ATTRIBUTIONS: Final = """
    SELECT a.attribution_id, a.block_id, a.patient_id, a.physician, a.rls, a.priority, a.vulnerable, a.state,
           a.deadline, a.waiting_for, a.attributed_at, a.ended_on, a.policy,
           lower(sv.period) AS sv_start, upper(sv.period) - 1 AS sv_end, sv.voided AS sv_voided,
           lower(mf.period) AS mf_start, upper(mf.period) - 1 AS mf_end, mf.voided AS mf_voided
    FROM attributions a
    LEFT JOIN enrolments sv ON sv.attribution_id = a.attribution_id AND sv.category = 'SV'
    LEFT JOIN enrolments mf ON mf.attribution_id = a.attribution_id AND mf.category = 'MF'
"""


async def attribution(conn: Connection, attribution_id: str) -> dict[str, Any] | None:
    """Return one attribution, or None."""
    return await _fetch_one(conn, f"{_ATTRIBUTIONS} WHERE a.attribution_id = $1", attribution_id)


async def attributions(
    conn: Connection, only: AttributionFilter, after: str | None, limit: int | None
) -> Rows:
    """Return the attributions after that one: by deadline when one is asked for, else by reference."""
    by_deadline = only.due_before is not None
    key = "a.deadline, a.attribution_id" if by_deadline else "a.attribution_id"
    return await _fetch(
        conn,
        f"""
        {_ATTRIBUTIONS}
        WHERE ($1::text IS NULL OR a.state = $1) AND ($2::text IS NULL OR a.physician = $2)
          AND ($3::text IS NULL OR a.block_id = $3) AND ($4::text IS NULL OR a.patient_id = $4)
          AND ($5::timestamptz IS NULL OR a.deadline < $5)
          AND ($6::text IS NULL OR ({key}) > (SELECT {key} FROM attributions a WHERE a.attribution_id = $6))
        ORDER BY {key} LIMIT $7
        """,  # noqa: S608 - the names are those of constants
        *only,
        after,
        limit,
    )


async def history(conn: Connection, subject: str, ids: Sequence[str]) -> Rows:
    """Return what was taken and refused of these, in order; of what was refused, the latest, of so many."""
    return await _fetch(
        conn,
        """
        SELECT subject_id, event, at, by, argument, after, policy, refused, rules, reason, of
        FROM (
            SELECT *, count(*) OVER kind AS of, row_number() OVER (kind ORDER BY record_id DESC) AS nth_latest
            FROM records WHERE subject = $1 AND subject_id = ANY ($2::text[])
            WINDOW kind AS (PARTITION BY subject_id, refused)
        ) AS r
        WHERE NOT refused OR nth_latest <= $3
        ORDER BY subject_id, record_id
        """,
        subject,
        list(ids),
        _REFUSED_SHOWN,
    )


# --- blocks -----------------------------------------------------------------------------------------------


class BlockFilter(NamedTuple):
    """Which blocks: of that physician, in that state."""

    physician: str | None = None
    state: str | None = None


_BLOCKS: Final = """
    SELECT b.block_id, b.state, b.physician, b.rls, b.size, b.requested_by, b.requested_at, b.attributed_at,
           b.ended_at, b.policy, w.argument ->> 'reason' AS reason
    FROM blocks b
    LEFT JOIN records w ON w.subject = 'block' AND w.subject_id = b.block_id AND w.event = 'withdrawn'
                       AND NOT w.refused
"""


async def block(conn: Connection, block_id: str) -> dict[str, Any] | None:
    """Return one block, or None."""
    return await _fetch_one(conn, f"{_BLOCKS} WHERE b.block_id = $1", block_id)


async def blocks(conn: Connection, only: BlockFilter, after: str | None, limit: int) -> Rows:
    """Return the blocks, the latest first, those before that one."""
    return await _fetch(
        conn,
        f"""
        {_BLOCKS}
        WHERE ($1::text IS NULL OR b.physician = $1) AND ($2::text IS NULL OR b.state = $2)
          AND ($3::text IS NULL OR (b.requested_at, b.block_id) < (
              SELECT requested_at, block_id FROM blocks WHERE block_id = $3))
        ORDER BY b.requested_at DESC, b.block_id DESC LIMIT $4
        """,  # noqa: S608 - the names are those of constants
        *only,
        after,
        limit,
    )


async def members(conn: Connection, block_ids: Sequence[str]) -> Rows:
    """Return the lists of these blocks in the order of the draw; once approved, those who were attributed."""
    return await _fetch(
        conn,
        """
        SELECT bp.block_id, bp.patient_id, bp.attribution_id, coalesce(a.priority, p.priority) AS priority,
               coalesce(a.vulnerable, p.vulnerable) AS vulnerable,
               coalesce(a.state, CASE b.state WHEN 'withdrawn' THEN 'waiting' ELSE 'drawn' END) AS state
        FROM block_patients bp
        JOIN blocks b USING (block_id)
        JOIN patients p USING (patient_id)
        LEFT JOIN attributions a ON a.attribution_id = bp.attribution_id
        WHERE bp.block_id = ANY ($1::text[])
          AND (b.state IN ('drawn', 'withdrawn') OR bp.attribution_id IS NOT NULL)
        ORDER BY bp.block_id, bp.position
        """,
        list(block_ids),
    )


# --- tasks ------------------------------------------------------------------------------------------------


async def open_tasks(conn: Connection, owner: str | None, after: int | None, limit: int) -> Rows:
    """Return the open tasks, the most urgent first, those after that one."""
    return await _fetch(
        conn,
        """
        SELECT t.task_id, t.attribution_id, t.kind, t.owner, t.due, t.opened_at, a.physician, a.rls
        FROM tasks t JOIN attributions a USING (attribution_id)
        WHERE t.closed_at IS NULL AND ($1::text IS NULL OR t.owner = $1)
          AND ($2::bigint IS NULL OR (coalesce(t.due, 'infinity'), t.task_id) > (
              SELECT coalesce(due, 'infinity'), task_id FROM tasks WHERE task_id = $2))
        ORDER BY coalesce(t.due, 'infinity'), t.task_id LIMIT $3
        """,
        owner,
        after,
        limit,
    )


# --- the invariants of rules.md ---------------------------------------------------------------------------


class Violation(NamedTuple):
    """A row that an invariant of rules.md forbids."""

    invariant: int
    what: str
    subject: str
    subject_id: str


class _Check(NamedTuple):
    invariant: int
    what: str
    subject: str
    query: str
    """Gives the `id` of each row at fault."""


_GUARDS: Final = {
    "registration_is_kept": "patients",
    "patients_are_kept": "patients",
    "patient_in_one_place": "patients",
    "attribution_agrees": "attributions",
    "enrolment_agrees": "enrolments",
    "enrolments_are_kept": "enrolments",
    "records_are_kept": "records",
    "records_are_not_truncated": "records",
}
_STATES_UNDER_WAY: Final = ", ".join(f"'{state}'" for state in sorted(UNDER_WAY))


def _without_record(subject: str, table: str, key: str) -> _Check:
    return _Check(
        5,
        "nothing in the record",
        subject,
        f"""
        SELECT {key} AS id FROM {table} t
        WHERE NOT EXISTS (
            SELECT FROM records r WHERE r.subject = '{subject}' AND r.subject_id = t.{key} AND NOT r.refused)
        """,  # noqa: S608 - the names are those of constants
    )


_CHECKS: Final = (
    _Check(
        1,
        "the place disagrees with what is under way or enrolled",
        "patient",
        "SELECT patient_id AS id FROM patients p WHERE place_disagrees(p)",
    ),
    _Check(
        1,
        "proposed, but in no drawn list",
        "patient",
        """
        SELECT p.patient_id AS id FROM patients p
        WHERE p.place = 'proposed' AND NOT EXISTS (
            SELECT FROM block_patients bp JOIN blocks b USING (block_id)
            WHERE bp.block_id = p.block_id AND bp.patient_id = p.patient_id AND b.state = 'drawn')
        """,
    ),
    _Check(
        1,
        "attributed, though enrolled MF",
        "patient",
        """
        SELECT p.patient_id AS id FROM patients p
        WHERE p.place = 'attributed' AND EXISTS (
            SELECT FROM enrolments e
            WHERE e.patient_id = p.patient_id AND e.category = 'MF' AND NOT e.voided AND upper_inf(e.period))
        """,
    ),
    _Check(
        1,
        "under way or not, against its state",
        "attribution",
        f"""
        SELECT attribution_id AS id FROM attributions
        WHERE under_way <> (ended_on IS NULL AND state IN ({_STATES_UNDER_WAY}))
        """,  # noqa: S608 - the states are those of the rules
    ),
    _Check(
        2,
        "two attributions under way",
        "patient",
        "SELECT patient_id AS id FROM attributions WHERE under_way GROUP BY 1 HAVING count(*) > 1",
    ),
    _Check(
        2,
        "enrolments that overlap",
        "patient",
        """
        SELECT DISTINCT e.patient_id AS id FROM enrolments e JOIN enrolments o USING (patient_id)
        WHERE e.enrolment_id < o.enrolment_id AND NOT e.voided AND NOT o.voided AND e.period && o.period
        """,
    ),
    _Check(
        3,
        "the initial date is after the registration",
        "patient",
        """
        SELECT p.patient_id AS id
        FROM patients p JOIN networks n USING (rls)
        JOIN records r ON r.subject = 'patient' AND r.subject_id = p.patient_id AND r.event = 'registered'
        WHERE p.registered_on > (r.at AT TIME ZONE n.time_zone)::date
        """,
    ),
    _Check(
        3,
        "the initial date is after an attribution",
        "patient",
        """
        SELECT DISTINCT p.patient_id AS id FROM patients p JOIN attributions a USING (patient_id)
        WHERE p.registered_on > (a.attributed_at AT TIME ZONE a.time_zone)::date
        """,
    ),
    _Check(
        4,
        "a letter of that kind twice",
        "attribution",
        """
        SELECT DISTINCT attribution_id AS id FROM letters WHERE state <> 'withheld'
        GROUP BY attribution_id, kind HAVING count(*) > 1
        """,
    ),
    _Check(
        4,
        "accepted without a letter",
        "attribution",
        """
        SELECT r.subject_id AS id FROM records r
        WHERE r.subject = 'attribution' AND r.event = 'accepted' AND NOT r.refused AND NOT EXISTS (
            SELECT FROM letters l WHERE l.attribution_id = r.subject_id AND l.kind = 'attribution')
        """,
    ),
    _Check(
        4,
        "corrected, though never told",
        "attribution",
        """
        SELECT c.attribution_id AS id FROM letters c
        WHERE c.kind = 'corrective' AND c.state <> 'withheld' AND NOT EXISTS (
            SELECT FROM letters l WHERE l.attribution_id = c.attribution_id AND l.kind = 'attribution'
                                    AND l.state <> 'withheld')
        """,
    ),
    _Check(
        4,
        "sent, without what was sent",
        "attribution",
        """
        SELECT attribution_id AS id FROM letters
        WHERE state = 'sent' AND (language IS NULL OR sha256 IS NULL)
        """,
    ),
    _Check(
        4,
        "a letter to somebody else",
        "attribution",
        """
        SELECT l.attribution_id AS id FROM letters l JOIN attributions a USING (attribution_id)
        WHERE l.patient_id <> a.patient_id
        """,
    ),
    _Check(
        5,
        "transitions without a record",
        "attribution",
        """
        SELECT a.attribution_id AS id FROM attributions a
        LEFT JOIN records r ON r.subject = 'attribution' AND r.subject_id = a.attribution_id
                           AND r.number IS NOT NULL
        GROUP BY a.attribution_id, a.transition
        HAVING count(r.number) <> a.transition + 1 OR max(r.number) <> a.transition
        """,
    ),
    _Check(
        5,
        "the state is not the recorded one",
        "attribution",
        """
        SELECT a.attribution_id AS id FROM attributions a
        JOIN records r ON r.subject = 'attribution' AND r.subject_id = a.attribution_id
                      AND r.number = a.transition
        WHERE r.after IS DISTINCT FROM a.state AND a.overtaken_by IS NULL
        """,
    ),
    _Check(
        5,
        "a record without a policy version",
        "record",
        "SELECT record_id::text AS id FROM records WHERE policy IS NULL",
    ),
    _without_record("patient", "patients", "patient_id"),
    _without_record("physician", "physicians", "licence"),
    _without_record("network", "networks", "rls"),
    _without_record("block", "blocks", "block_id"),
)


async def violations(conn: Connection) -> list[Violation]:
    """Return all that the invariants 1 to 5 of rules.md forbid in the whole database, as far as rows tell."""
    found = [Violation(5, "a guard is missing or off", "guard", name) for name in await _missing_guards(conn)]
    for check in _CHECKS:
        rows = await conn.fetch(check.query)
        found += [Violation(check.invariant, check.what, check.subject, row["id"]) for row in rows]
    return found


async def _missing_guards(conn: Connection) -> list[str]:
    # That a row was changed or removed leaves no trace in the rows: what would have refused it must be there.
    rows = await conn.fetch(
        """
        SELECT g.name FROM unnest($1::text[], $2::text[]) AS g (name, "table")
        WHERE NOT EXISTS (
            SELECT FROM pg_trigger t
            WHERE t.tgname = g.name AND t.tgrelid = to_regclass(g."table") AND t.tgenabled IN ('O', 'A'))
        ORDER BY g.name
        """,
        list(_GUARDS),
        list(_GUARDS.values()),
    )
    return [row["name"] for row in rows]
