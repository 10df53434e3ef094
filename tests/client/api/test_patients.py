"""One patient over HTTP: corrections, moves, departures and their undoing, conditions; for whom, once, and logged."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import httpx
import pytest

from gamf.domain.calendar import PROVINCE, local_date
from gamf.domain.roles import LIMITS, TABLE, Reach, Role, UseCase, grant
from tests.client.api.conftest import Login
from tests.system import System, add_network

_TODAY: Final = local_date(datetime.now(UTC), PROVINCE)
_CODE: Final = "CHRONIQUE"


class Place(NamedTuple):
    """An RLS with a physician who has somebody enrolled, and another RLS."""

    rls: str
    physician: str
    patient: str
    other: str

    def path(self, of_patient: str) -> str:
        """Return the address of something of the patient."""
        return f"/api/patients/{self.patient}/{of_patient}"


@pytest.fixture
async def place(system: System, login: Login) -> Place:
    rls, licence, (patient,) = await system.people(1)
    async with system.pool.acquire() as conn:
        found = Place(rls, licence, patient, await add_network(conn))
    ramq = await login(grant(Role.RAMQ))
    since = (_TODAY - timedelta(days=30)).isoformat()
    sent = {"physician": licence, "effective_on": since, "basis": "base inventée"}
    assert (await ramq.post(found.path("enrolments"), json=sent)).status_code == 200
    return found


async def as_role(login: Login, role: Role, place: Place) -> httpx.AsyncClient:
    limits = {Reach.OWN_RLS: [place.rls], Reach.OWN_PHYSICIANS: [place.physician], Reach.ALL: []}
    return await login(grant(role, limits[LIMITS[role]]))


def asked(place: Place) -> list[tuple[UseCase, str, str, dict[str, Any]]]:
    """Return each request about the patient; the rules refuse those that would change where the patient is."""
    to_come = (_TODAY + timedelta(days=2)).isoformat()
    today, reason = _TODAY.isoformat(), "motif inventé"
    return [
        (UseCase.REGISTER_CORRECT, "GET", place.path("contact"), {}),
        (UseCase.REGISTER_CORRECT, "POST", place.path("corrections"), {"reason": reason, "phone": ""}),
        (UseCase.REGISTER_MOVE, "POST", place.path("moves"), {"to": "9999", "on": today, "reason": reason}),
        (UseCase.REGISTER_REINSTATE, "POST", place.path("reinstatements"), {"reason": reason}),
        (UseCase.PATIENT_LEFT, "POST", place.path("departures"), {"on": to_come, "cause": "deceased"}),
        (UseCase.CONDITION_SHOW, "GET", place.path("conditions"), {}),
        (UseCase.CONDITION_SHOW, "GET", "/api/condition-codes", {}),
        (UseCase.CONDITION_RECORD, "POST", place.path("conditions"), {"code": _CODE, "on": to_come}),
    ]


@pytest.mark.parametrize("role", Role)
async def test_each_role_does_what_the_table_says(login: Login, place: Place, role: Role) -> None:
    client = await as_role(login, role, place)
    for use_case, method, path, sent in asked(place):
        answer = await client.request(method, path, json=sent or None)
        refused = answer.status_code == 403
        assert refused == (TABLE[use_case][role] is Reach.NONE), path
        assert answer.status_code < 500
        assert not refused or answer.json()["rule"] == "access"


async def test_elsewhere_a_role_reaches_nobody_and_it_is_written(
    system: System, login: Login, place: Place
) -> None:
    client = await login(grant(Role.GACO, [place.other]))
    for use_case, method, path, sent in asked(place):
        if use_case.value.startswith("condition") or method == "GET":
            continue
        assert (await client.request(method, path, json=sent)).json()["rule"] == "access", path
    sql = "SELECT use_case, refused FROM looks WHERE account = $1"
    rows = await system.rows(sql, client.headers["X-Account"])
    assert {(row["use_case"], row["refused"]) for row in rows} == {
        (each, True) for each in ("register_correct", "register_move", "register_reinstate", "patient_left")
    }


async def test_a20_a_correction_names_what_changed_and_counts_once(
    system: System, login: Login, place: Place
) -> None:
    client = await as_role(login, Role.GACO, place)
    sent = {"reason": "erreur de saisie", "address": "12, rue Inventée", "email": ""}
    key = {"Idempotency-Key": "une-correction"}
    answer = await client.post(place.path("corrections"), json=sent, headers=key)
    assert answer.json() == {"patient_id": place.patient, "changed": True, "fields": ["address", "email"]}
    again = await client.post(place.path("corrections"), json=sent, headers=key)
    assert (again.json(), again.headers["idempotent-replayed"]) == (answer.json(), "true")
    assert (await client.post(place.path("corrections"), json=sent)).json()["changed"] is False
    contact = (await client.get(place.path("contact"))).json()
    assert (contact["address"], contact["email"]) == ("12, rue Inventée", None)
    rows = await system.rows("SELECT by FROM corrections WHERE patient_id = $1", place.patient)
    assert [row["by"] for row in rows] == [client.headers["X-Account"]]
    refused = await client.post(place.path("corrections"), json={"reason": "x", "language": "en"})
    assert (refused.status_code, refused.json()["rule"]) == (409, "A22")
    refused = await client.post(place.path("corrections"), json={"reason": "x", "postal_code": "nulle part"})
    assert (refused.status_code, refused.json()["fields"]) == (422, ["postal_code"])


async def test_a15_a18_a_departure_is_undone_and_a_move_takes_the_patient_away(
    login: Login, place: Place
) -> None:
    client = await as_role(login, Role.GACO, place)
    left = {"on": _TODAY.isoformat(), "cause": "left_quebec"}
    for changed in (True, False):
        assert (await client.post(place.path("departures"), json=left)).json()["changed"] is changed
    assert (await client.get(f"/api/patients/{place.patient}")).json()["place"] == "left"
    undone = await client.post(place.path("reinstatements"), json={"reason": "homonyme"})
    assert undone.json()["changed"] is True
    refused = await client.post(place.path("reinstatements"), json={"reason": "autre motif"})
    assert (refused.status_code, refused.json()["rule"]) == (409, "A15")
    moved = {"to": place.other, "on": _TODAY.isoformat(), "reason": "déménagement inventé"}
    assert (await client.post(place.path("moves"), json=moved)).json()["changed"] is True
    assert (await client.get(f"/api/patients/{place.patient}")).status_code == 403
    there = await login(grant(Role.GACO, [place.other]))
    assert (await there.get(f"/api/patients/{place.patient}")).json()["place"] == "waiting"


async def test_the_access_log_is_an_auditor_s_and_reading_it_is_in_it(
    system: System, login: Login, place: Place
) -> None:
    path = f"/api/access-log?patient={place.patient}"
    for role in Role:
        client = await as_role(login, role, place)
        allowed = TABLE[UseCase.ACCESS_LOG_SHOW][role] is not Reach.NONE
        for each in (path, "/api/access-log/summary?month=2026-11"):
            assert (await client.get(each)).status_code == (200 if allowed else 403), (role, each)
    auditor = await as_role(login, Role.AUDITOR, place)
    first = (await auditor.get(f"{path}&limit=1&since=2000-01-01&until=2100-01-01")).json()
    assert first["items"][0]["use_case"] == "access_log_show"
    rest = (await auditor.get(f"{path}&after={first['after']}")).json()
    assert {each["use_case"] for each in rest["items"]} == {
        "enrolled_elsewhere",
        "register_show",
        "access_log_show",
    }
    assert (await auditor.get(f"{path}&until=1999-12-31")).json()["items"] == []
    for wrong in ("patient=ZEPX80010219", "since=hier", "after=0", "since=2026-02-01&until=2026-01-01"):
        assert (await auditor.get(f"/api/access-log?{wrong}")).status_code == 422, wrong
    sql = "SELECT count(*) FROM looks WHERE account = $1 AND shown = '{looks}'"
    (row,) = await system.rows(sql, auditor.headers["X-Account"])
    assert row["count"] == 3


async def test_r13_a_condition_is_recorded_from_the_first_visit_on_and_withdrawn(
    system: System, login: Login, place: Place
) -> None:
    client = await as_role(login, Role.CLINIC, place)
    codes = (await client.get("/api/condition-codes")).json()
    assert _CODE in {each["code"] for each in codes}
    before = (_TODAY - timedelta(days=31)).isoformat()
    refused = await client.post(place.path("conditions"), json={"code": _CODE, "on": before})
    assert (refused.status_code, refused.json()["rule"]) == (409, "R13")
    taken = await client.post(place.path("conditions"), json={"code": _CODE, "on": _TODAY.isoformat()})
    (condition,) = taken.json()
    path = f"/api/conditions/{condition['condition_id']}/withdrawal"
    (withdrawn,) = (await client.post(path, json={"reason": "erreur de code"})).json()
    assert withdrawn["withdrawn_for"] == "erreur de code"
    refused = await client.post(path, json={"reason": "autre motif"})
    assert (refused.status_code, refused.json()["rule"]) == (409, "A20")
    sql = "SELECT use_case, shown, refused FROM looks WHERE account = $1"
    rows = await system.rows(sql, client.headers["X-Account"])
    assert {(row["use_case"], tuple(row["shown"]), row["refused"]) for row in rows} == {
        ("condition_record", ("health",), False),
        ("condition_show", ("health",), False),
    }
    # A code is in its table and nowhere else.
    records = await system.rows("SELECT argument::text FROM records WHERE subject_id = $1", place.patient)
    assert records
    assert all(_CODE not in row["argument"] for row in records)
