"""Whether all that is stored agrees: the invariants of rules.md, as far as rows tell."""

from typing import Final, NamedTuple

from gamf.domain.states import UNDER_WAY
from gamf.storage.connection import Connection


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
    "waiting_counted_in": "patients",
    "waiting_counted": "patients",
    "attribution_agrees": "attributions",
    "enrolment_agrees": "enrolments",
    "enrolments_are_kept": "enrolments",
    "records_are_kept": "records",
    "conditions_are_kept": "conditions",
    "withdrawals_are_kept": "condition_withdrawals",
    "corrections_are_kept": "corrections",
    "reached_are_kept": "departure_reached",
    "records_are_not_truncated": "records",
    "account_records_are_kept": "account_records",
    "account_records_are_not_truncated": "account_records",
    "looks_are_kept": "looks",
    "looks_are_not_truncated": "looks",
    "looked_at_is_kept": "looked_at",
    "looked_at_is_not_truncated": "looked_at",
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
        "waiting, but not counted so",
        "network",
        """
        SELECT DISTINCT rls AS id FROM (
            SELECT rls, vulnerable, birth_year, priority, change FROM waiting_changes
            UNION ALL
            SELECT rls, vulnerable, extract(year FROM birth_date)::integer, priority, -1
            FROM patients WHERE place = 'waiting'
        ) AS both_ways
        GROUP BY rls, vulnerable, birth_year, priority HAVING sum(change) <> 0
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
          AND NOT EXISTS (
            SELECT FROM records r WHERE r.subject = 'attribution' AND r.subject_id = c.attribution_id
                                    AND r.number = 0 AND r.event = 'adopted')
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
