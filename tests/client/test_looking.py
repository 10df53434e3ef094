"""What is shown to whom, what is refused, and that every look is in the log: on a real PostgreSQL."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import asyncpg
import pytest

from gamf.activities.transitions import carry_out
from gamf.client import access_log, looking
from gamf.client.access import Seat
from gamf.client.access_log import LooksAsked
from gamf.client.errors import NotFoundError
from gamf.domain import attribution as rules
from gamf.domain.access import NIGHT_LOOKS, SAME_PERSON, Unusual
from gamf.domain.facts import parse
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import Role, UseCase, grant
from gamf.storage import access_log as stored
from gamf.storage import accounts
from gamf.storage.access_log import Look, LookFilter
from gamf.storage.connection import Connection, Pool
from gamf.storage.lists import AttributionFilter, RegisterFilter
from tests.client.seats import NOON, a_seat, the_operator
from tests.system import a_start, add_network, add_patients, add_physician

TODAY = date(2026, 6, 1)


class Place(NamedTuple):
    """An RLS with a physician, somebody attributed to them and enrolled, and somebody who waits."""

    rls: str
    physician: str
    attributed: str
    waiting: str
    attribution_id: str


@pytest.fixture
async def here(pool: Pool, connection: Connection) -> Place:
    start = await a_start(pool, NOON)
    taken = rules.begin(start)
    await carry_out(pool, taken.transition)
    for fact in ("accepted", "sv_entered"):
        taken = rules.take(taken.attribution, parse(fact, {"by": "compte"}), NOON + timedelta(hours=1))
        await carry_out(pool, taken.transition)
    (waiting,) = await add_patients(connection, start.rls)
    return Place(start.rls, start.physician, start.patient_id, waiting, start.attribution_id)


@pytest.fixture
async def elsewhere(connection: Connection) -> Place:
    """Return another RLS, with a physician and somebody who waits."""
    rls = await add_network(connection)
    physician = await add_physician(connection, rls)
    (waiting,) = await add_patients(connection, rls)
    return Place(rls, physician, waiting, waiting, "")


async def logged(conn: Connection, only: LookFilter | None = None) -> Sequence[dict[str, Any]]:
    return await stored.looks(conn, only or LookFilter(), None, 1_000)


def roles_here(here: Place) -> dict[Role, Seat]:
    return {
        Role.COORDINATOR: a_seat(Role.COORDINATOR, [here.rls]),
        Role.GACO: a_seat(Role.GACO, [here.rls]),
        Role.CLINIC: a_seat(Role.CLINIC, [here.physician]),
        Role.RAMQ: a_seat(Role.RAMQ),
        Role.AUDITOR: a_seat(Role.AUDITOR),
        Role.OPERATOR: the_operator(),
    }


async def test_each_role_sees_its_own_people_and_it_is_written(connection: Connection, here: Place) -> None:
    for role, seat in roles_here(here).items():
        view = await looking.show_patient(connection, seat, here.attributed)
        assert view.patient_id == here.attributed
        (latest, *_) = await logged(connection)
        assert (latest["account"], latest["patients"], latest["refused"]) == (
            seat.by,
            [here.attributed],
            False,
        ), role
        assert (latest["channel"], latest["address"]) == (seat.channel, seat.address)
        assert latest["shown"] == ["health", "standing"]


async def test_a_clinic_does_not_see_who_only_waits(connection: Connection, here: Place) -> None:
    with pytest.raises(RefusedByRuleError) as error:
        await looking.show_patient(connection, a_seat(Role.CLINIC, [here.physician]), here.waiting)
    assert error.value.reason.rule == "access"


async def test_somebody_elsewhere_and_nobody_are_refused_alike_and_the_first_is_written(
    connection: Connection, here: Place, elsewhere: Place
) -> None:
    nam = await connection.fetchval("SELECT nam FROM patients WHERE patient_id = $1", elsewhere.waiting)
    said = set[str]()
    local = (Role.COORDINATOR, Role.GACO, Role.CLINIC)
    for role in local:
        for patient in (elsewhere.waiting, nam, "ZEPX80010219", "personne"):
            with pytest.raises(RefusedByRuleError) as error:
                await looking.show_patient(connection, roles_here(here)[role], patient)
            said.add(str(error.value))
    assert len(said) == 1
    written = await logged(connection)
    assert [(each["patients"], each["refused"], each["shown"]) for each in written] == [
        ([elsewhere.waiting], True, [])
    ] * 2 * len(local)


async def test_whoever_sees_everybody_is_told_that_somebody_is_not_there(connection: Connection) -> None:
    with pytest.raises(NotFoundError):
        await looking.show_patient(connection, the_operator(), "personne")
    assert await logged(connection) == []


async def test_a_search_by_nam_shows_an_identity(connection: Connection, here: Place) -> None:
    nam = await connection.fetchval("SELECT nam FROM patients WHERE patient_id = $1", here.waiting)
    await looking.show_patient(connection, a_seat(Role.GACO, [here.rls]), nam)
    (look,) = await logged(connection)
    assert look["shown"] == ["identity", "health", "standing"]


async def test_a_list_is_one_look_at_all_who_are_on_the_page(connection: Connection, here: Place) -> None:
    seat = a_seat(Role.COORDINATOR, [here.rls])
    page = await looking.list_register(connection, seat, RegisterFilter(), as_of=TODAY)
    assert {each.patient_id for each in page.items} == {here.attributed, here.waiting}
    (look,) = await logged(connection)
    assert (look["people"], set(look["patients"])) == (2, {here.attributed, here.waiting})
    assert await logged(connection, LookFilter(patient_id=here.waiting)) == [look]
    await looking.list_register(connection, seat, RegisterFilter(place="left"), as_of=TODAY)
    assert len(await logged(connection)) == 1


async def test_a_list_elsewhere_is_refused(connection: Connection, here: Place, elsewhere: Place) -> None:
    for seat, rls in (
        (a_seat(Role.COORDINATOR, [here.rls]), elsewhere.rls),
        (a_seat(Role.COORDINATOR, [here.rls, elsewhere.rls]), None),
        (a_seat(Role.CLINIC, [here.physician]), here.rls),
    ):
        with pytest.raises(RefusedByRuleError):
            await looking.list_register(connection, seat, RegisterFilter(rls=rls), as_of=TODAY)
    both = a_seat(Role.COORDINATOR, [here.rls, elsewhere.rls])
    assert (
        await looking.list_register(connection, both, RegisterFilter(rls=elsewhere.rls), as_of=TODAY)
    ).items


async def test_attributions_are_listed_within_the_scope(
    connection: Connection, here: Place, elsewhere: Place
) -> None:
    for seat, found in (
        (a_seat(Role.COORDINATOR, [here.rls]), [here.attribution_id]),
        (a_seat(Role.COORDINATOR, [elsewhere.rls]), []),
        (a_seat(Role.CLINIC, [here.physician]), [here.attribution_id]),
        (a_seat(Role.CLINIC, [elsewhere.physician]), []),
        (a_seat(Role.RAMQ), [here.attribution_id]),
    ):
        page = await looking.list_attributions(connection, seat, AttributionFilter())
        assert [each.attribution_id for each in page.items] == found


async def test_a_letter_is_shown_to_whom_it_is_for_and_the_paper_is_written(
    connection: Connection, here: Place, elsewhere: Place
) -> None:
    clinic = a_seat(Role.CLINIC, [here.physician])
    assert len(await looking.list_letters(connection, clinic, here.attribution_id)) == 1
    pdf = await looking.letter_pdf(connection, clinic, here.attribution_id)
    assert pdf.startswith(b"%PDF")
    assert (await logged(connection))[0]["shown"] == ["identity", "contact", "letter"]
    with pytest.raises(NotFoundError):
        await looking.letter_pdf(connection, clinic, here.attribution_id, "autre")
    with pytest.raises(RefusedByRuleError):
        await looking.letter_pdf(connection, a_seat(Role.CLINIC, [elsewhere.physician]), here.attribution_id)
    assert (await logged(connection))[0]["refused"]


async def test_an_export_writes_everybody_who_is_in_it(
    connection: Connection, here: Place, elsewhere: Place
) -> None:
    written: list[bytes] = []

    async def output(block: bytes) -> None:
        written.append(block)

    for role in (Role.COORDINATOR, Role.AUDITOR, Role.RAMQ):
        with pytest.raises(RefusedByRuleError):
            await looking.export_register(connection, roles_here(here)[role], output)
    assert written == []
    assert await looking.export_register(connection, the_operator(), output, rls=here.rls) == 2
    (look,) = await logged(connection)
    assert (look["people"], set(look["patients"])) == (2, {here.attributed, here.waiting})
    assert look["shown"] == ["identity", "contact", "health", "standing"]
    assert await logged(connection, LookFilter(patient_id=elsewhere.waiting)) == []


async def test_the_log_is_append_only(connection: Connection, here: Place) -> None:
    await looking.show_patient(connection, the_operator(), here.waiting)
    for statement in (
        "UPDATE looks SET account = 'another'",
        "DELETE FROM looks",
        "TRUNCATE looks CASCADE",
        "UPDATE looked_at SET look_id = look_id",
        "DELETE FROM looked_at",
        "TRUNCATE looked_at",
    ):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await connection.execute(statement)


async def test_the_log_is_read_by_patient_or_account_a_page_at_a_time(
    connection: Connection, here: Place
) -> None:
    ada, bob = (a_seat(Role.GACO, [here.rls], account=name) for name in ("ada", "bob"))
    for seat, patient in ((ada, here.waiting), (bob, here.waiting), (ada, here.attributed)):
        await looking.show_patient(connection, seat, patient)
    auditor = a_seat(Role.AUDITOR)
    nam = await connection.fetchval("SELECT nam FROM patients WHERE patient_id = $1", here.waiting)
    of_patient = await access_log.list_looks(connection, auditor, LooksAsked(patient=nam))
    assert [each.account for each in of_patient.items] == ["bob", "ada"]
    of_ada = await access_log.list_looks(connection, auditor, LooksAsked(account="ada"), limit=1)
    assert [each.patients for each in of_ada.items] == [(here.attributed,)]
    rest = await access_log.list_looks(
        connection, auditor, LooksAsked(account="ada"), after=of_ada.after, limit=1
    )
    assert [each.patients for each in rest.items] == [(here.waiting,)]
    assert rest.after is None
    for seat in (ada, a_seat(Role.RAMQ)):
        with pytest.raises(RefusedByRuleError):
            await access_log.list_looks(connection, seat, LooksAsked())


async def looks(conn: Connection, account: str, patient: str, instants: Sequence[datetime]) -> None:
    for at in instants:
        look = Look(account, at, "console", None, UseCase.REGISTER_SHOW.value, ["standing"])
        await stored.append(conn, look, [patient])


async def test_a_month_is_summed_up_on_the_clock_of_the_rls_and_the_unusual_is_pointed_out(
    connection: Connection, here: Place
) -> None:
    # 22:00 and 05:59 in Québec, in June, then 21:59 and 06:00.
    night = [datetime(2026, 6, 3, 2, 0, tzinfo=UTC), datetime(2026, 6, 3, 9, 59, tzinfo=UTC)]
    day = [datetime(2026, 6, 3, 1, 59, tzinfo=UTC), datetime(2026, 6, 3, 10, 0, tzinfo=UTC)]
    await looks(connection, "ada", here.waiting, [*night, *day])
    await looks(connection, "bob", here.waiting, night[:1] * NIGHT_LOOKS)
    await looks(connection, "cid", here.waiting, day[:1] * SAME_PERSON)
    # The first and the last second of the month, and those beside it.
    edges = [datetime(2026, 6, 1, 4, tzinfo=UTC), datetime(2026, 7, 1, 3, 59, 59, tzinfo=UTC)]
    beside = [datetime(2026, 6, 1, 3, 59, 59, tzinfo=UTC), datetime(2026, 7, 1, 4, tzinfo=UTC)]
    await looks(connection, "eve", here.waiting, [*edges, *beside])
    # A list with one person on it, opened every day, is no look at that one person.
    tasks = Look("fay", NOON, "console", None, UseCase.TASK_LIST.value, ["standing"])
    for _ in range(SAME_PERSON):
        await stored.append(connection, tasks, [here.waiting])
    found = await access_log.summarize(connection, a_seat(Role.AUDITOR), date(2026, 6, 1))
    counts = {each.account: (each.looks, each.at_night, each.most_of_one) for each in found.accounts}
    assert counts == {
        "ada": (4, 2, 4),
        "bob": (NIGHT_LOOKS, NIGHT_LOOKS, NIGHT_LOOKS),
        "cid": (SAME_PERSON, 0, SAME_PERSON),
        "eve": (2, 2, 2),
        "fay": (SAME_PERSON, 0, 0),
    }
    pointed = [(each.account, each.rule) for each in found.unusual]
    assert pointed == [("bob", Unusual.AT_NIGHT), ("cid", Unusual.ONE_PERSON)]
    assert all(str(each.threshold) in each.fr and str(each.counted) in each.en for each in found.unusual)


async def test_the_night_is_that_of_the_accounts_own_rls(connection: Connection) -> None:
    rls = await add_network(connection, "America/Halifax")
    (patient,) = await add_patients(connection, rls)
    await accounts.add(connection, "ada", "x", NOON)
    await accounts.set_grants(connection, "ada", [grant(Role.GACO, [rls])])
    # 22:30 in the islands, 21:30 in Québec.
    await looks(connection, "ada", patient, [datetime(2026, 6, 3, 1, 30, tzinfo=UTC)])
    found = await access_log.summarize(connection, a_seat(Role.AUDITOR), date(2026, 6, 1))
    assert [each.at_night for each in found.accounts] == [1]


async def test_my_tasks_are_those_of_my_role_and_place_the_most_urgent_first(
    connection: Connection, here: Place, elsewhere: Place
) -> None:
    sql = """
        INSERT INTO tasks (patient_id, kind, owner, due, transition, opened_at)
        VALUES ($1, 'discriminatory_ground', $2, $3, $4, $5) RETURNING task_id
    """
    ids = [
        await connection.fetchval(sql, patient, owner, due, number, NOON)
        for number, (patient, owner, due) in enumerate(
            [
                (here.waiting, "coordinator", NOON + timedelta(days=9)),
                (here.waiting, "coordinator", NOON + timedelta(days=2)),
                (here.waiting, "gaco", NOON + timedelta(days=1)),
                (elsewhere.waiting, "coordinator", NOON),
            ]
        )
    ]
    last, second, gaco, other = ids

    async def mine(seat: Seat, after: str | None = None, limit: int = 50) -> list[int]:
        page = await looking.my_tasks(connection, seat, after=after, limit=limit)
        return [each.task_id for each in page.items]

    coordinator = a_seat(Role.COORDINATOR, [here.rls])
    assert await mine(coordinator) == [second, last]
    assert await mine(coordinator, limit=1) == [second]
    assert await mine(coordinator, after=str(second)) == [last]
    assert await mine(a_seat(Role.GACO, [here.rls])) == [gaco]
    assert await mine(a_seat(Role.CLINIC, [here.physician])) == []
    assert await mine(a_seat(Role.AUDITOR)) == [other, gaco, second, last]
    both = a_seat(Role.COORDINATOR, [elsewhere.rls])
    joined = Seat(
        both.actor.model_copy(
            update={"grants": (*both.actor.grants, *a_seat(Role.GACO, [here.rls]).actor.grants)}
        ),
        both.channel,
        NOON,
    )
    assert await mine(joined) == [other, gaco]
    with pytest.raises(RefusedByRuleError):
        await mine(a_seat(Role.RAMQ))
