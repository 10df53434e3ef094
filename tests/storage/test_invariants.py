"""The invariants of rules.md, looked for in the whole database: each is broken once, and found."""

from datetime import UTC, datetime
from typing import Final

import pytest

from gamf.storage import imports
from gamf.storage.connection import Connection
from gamf.storage.imports import NETWORKS, PATIENTS, PHYSICIANS, Row, Stamp, Target
from gamf.storage.invariants import Violation, violations
from tests.client.test_files import NETWORK, PERSON, PHYSICIAN

NOW: Final = datetime(2026, 5, 8, 16, tzinfo=UTC)
TABLES: Final = ("patients", "attributions", "enrolments", "records", "letters", "blocks")


async def take(conn: Connection, target: Target, values: dict[str, str]) -> None:
    async with conn.transaction():
        await imports.begin(conn, target)
        await imports.stage(conn, target, [Row(2, tuple(values[column] for column in target.columns))])
        written = await imports.write(conn, target, 0, 2, Stamp(NOW, "commis", "essai"))
        await imports.end(conn, target, written)


@pytest.fixture
async def sound(connection: Connection) -> Connection:
    """A database with one patient attributed, in which all agrees."""
    for target, values in ((NETWORKS, NETWORK), (PHYSICIANS, PHYSICIAN), (PATIENTS, PERSON)):
        await take(connection, target, values)
    async with connection.transaction():
        await connection.execute(
            """
            INSERT INTO attributions
            SELECT '2026-000001', NULL, patient_id, '90001', rls, 'America/Toronto', 'C', true, $1, 'essai',
                   'proposed', true, $1::timestamptz + interval '72 hours', 'physician', NULL, 0, NULL
            FROM patients
            """,
            NOW,
        )
        await connection.execute("UPDATE patients SET place = 'attributed', attribution_id = '2026-000001'")
        await connection.execute(
            """
            INSERT INTO records (subject, subject_id, number, event, at, after, policy)
            VALUES ('attribution', '2026-000001', 0, 'proposed', $1, 'proposed', 'essai')
            """,
            NOW,
        )
    return connection


async def broken(conn: Connection, *statements: str) -> set[tuple[int, str, str]]:
    """Break something that the guards would have refused, put them back, and return what is found."""
    for table in TABLES:
        await conn.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    # These refuse nothing, and whoever waits is counted whatever is broken besides.
    for counting in ("waiting_counted", "waiting_counted_in"):
        await conn.execute(f"ALTER TABLE patients ENABLE TRIGGER {counting}")
    for statement in statements:
        await conn.execute(statement)
    for table in TABLES:
        await conn.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    return {found[:3] for found in await violations(conn)}


async def test_nothing_is_found_where_all_agrees(sound: Connection) -> None:
    assert await violations(sound) == []


async def test_nothing_is_found_in_an_empty_database(connection: Connection) -> None:
    assert await violations(connection) == []


ENROL: Final = """
    INSERT INTO enrolments (patient_id, patient_number, physician, category, period, attribution_id)
    SELECT patient_id, number, '90001', '{category}', daterange({period}), '2026-000001' FROM patients
"""
LETTER: Final = """
    INSERT INTO letters (letter_id, attribution_id, patient_id, kind, standing, dated, queued_at, state,
                         sent_at)
    SELECT '2026-000001-{n}', '2026-000001', patient_id, '{kind}', {standing}, '2026-05-08', now(), '{state}',
           {sent}
    FROM patients WHERE nam = 'FICA85570418'
"""
SECOND_ATTRIBUTION: Final = """
    INSERT INTO attributions (attribution_id, patient_id, physician, rls, time_zone, priority, vulnerable,
                              attributed_at, policy, state, under_way, transition)
    SELECT '2026-000002', patient_id, physician, rls, time_zone, priority, vulnerable, attributed_at, policy,
           state, under_way, 0 FROM attributions
"""
ACCEPTED: Final = """
    INSERT INTO records (subject, subject_id, event, at, policy)
    VALUES ('attribution', '2026-000001', 'accepted', now(), 'essai')
"""
BLOCK: Final = """
    INSERT INTO blocks (block_id, physician, rls, size, requested_by, requested_at, policy, state)
    VALUES ('2026-0001', '90001', '0311', 1, 'coordo', now(), 'essai', 'drawn')
"""
PLACE: Final = (1, "the place disagrees with what is under way or enrolled", "patient")
ANOTHER_PATIENT: Final = """
    INSERT INTO patients (nam, last_name, first_name, birth_date, sex, address, city, postal_code, language,
                          english_attested, rls, registered_on, priority, vulnerable)
    SELECT 'TREM04121925', last_name, first_name, birth_date, sex, address, city, postal_code, language,
           english_attested, rls, registered_on, priority, vulnerable FROM patients
"""


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["UPDATE patients SET place = 'waiting', attribution_id = NULL"], {PLACE}),
        (["UPDATE patients SET attribution_id = '2026-000009'"], {PLACE}),
        (
            ["UPDATE patients SET place = 'enrolled', attribution_id = NULL"],
            {PLACE},
        ),
        (
            ["UPDATE patients SET place = 'proposed', attribution_id = NULL, block_id = '2026-0001'"],
            {PLACE, (1, "proposed, but in no drawn list", "patient")},
        ),
        (
            [ENROL.format(category="MF", period="'2026-05-08', NULL")],
            {(1, "attributed, though enrolled MF", "patient")},
        ),
        (
            ["UPDATE attributions SET state = 'refused'"],
            {
                (1, "under way or not, against its state", "attribution"),
                (5, "the state is not the recorded one", "attribution"),
            },
        ),
        (
            [
                "DROP INDEX one_attribution_under_way",
                SECOND_ATTRIBUTION,
            ],
            {
                (2, "two attributions under way", "patient"),
                (5, "transitions without a record", "attribution"),
            },
        ),
        (
            [
                "ALTER TABLE enrolments DROP CONSTRAINT enrolments_never_overlap",
                ENROL.format(category="SV", period="'2026-05-08', NULL"),
                ENROL.format(category="MF", period="'2026-06-01', '2026-06-09'"),
            ],
            {(2, "enrolments that overlap", "patient")},
        ),
        (
            ["UPDATE patients SET registered_on = '2026-05-09'"],
            {
                (3, "the initial date is after the registration", "patient"),
                (3, "the initial date is after an attribution", "patient"),
            },
        ),
        (
            [
                LETTER.format(n=1, kind="attribution", standing="NULL", state="queued", sent="NULL"),
                LETTER.format(n=2, kind="attribution", standing="NULL", state="queued", sent="NULL"),
            ],
            {(4, "a letter of that kind twice", "attribution")},
        ),
        (
            [ACCEPTED],
            {(4, "accepted without a letter", "attribution")},
        ),
        (
            [LETTER.format(n=1, kind="corrective", standing="'lapsed'", state="queued", sent="NULL")],
            {(4, "corrected, though never told", "attribution")},
        ),
        (
            [LETTER.format(n=1, kind="attribution", standing="NULL", state="sent", sent="now()")],
            {(4, "sent, without what was sent", "attribution")},
        ),
        (
            [
                ANOTHER_PATIENT,
                LETTER.format(n=1, kind="attribution", standing="NULL", state="queued", sent="NULL"),
                "UPDATE letters SET patient_id = p.patient_id FROM patients p WHERE p.nam = 'TREM04121925'",
            ],
            {
                (4, "a letter to somebody else", "attribution"),
                (5, "nothing in the record", "patient"),
            },
        ),
        (
            ["UPDATE attributions SET transition = 3"],
            {(5, "transitions without a record", "attribution")},
        ),
        (
            ["UPDATE records SET after = 'confirmed' WHERE number = 0"],
            {(5, "the state is not the recorded one", "attribution")},
        ),
        (
            ["UPDATE records SET policy = NULL WHERE subject = 'network'"],
            {(5, "a record without a policy version", "record")},
        ),
        (
            ["DELETE FROM records WHERE subject <> 'attribution'"],
            {(5, "nothing in the record", subject) for subject in ("patient", "physician", "network")},
        ),
        (
            [BLOCK],
            {(5, "nothing in the record", "block")},
        ),
        (
            ["DELETE FROM waiting_changes WHERE change > 0"],
            {(1, "waiting, but not counted so", "network")},
        ),
        (
            ["DROP TRIGGER registration_is_kept ON patients"],
            {(5, "a guard is missing or off", "guard")},
        ),
    ],
)
async def test_what_an_invariant_forbids_is_found(
    sound: Connection, statements: list[str], expected: set[tuple[int, str, str]]
) -> None:
    assert await broken(sound, *statements) == expected


async def test_a_guard_that_is_off_is_named(sound: Connection) -> None:
    await sound.execute("ALTER TABLE records DISABLE TRIGGER records_are_kept")
    assert await violations(sound) == [Violation(5, "a guard is missing or off", "guard", "records_are_kept")]


async def test_what_is_found_names_the_row_and_nobody(sound: Connection) -> None:
    await broken(sound, "UPDATE patients SET place = 'waiting', attribution_id = NULL")
    patient_id = await sound.fetchval("SELECT patient_id FROM patients")
    (found,) = await violations(sound)
    assert (found.invariant, found.subject, found.subject_id) == (1, "patient", patient_id)
