"""Facts reported by clinic software: as its account, once, in bulk; a refusal names its rule in both languages."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from gamf.client.acting import Desk
from gamf.domain.roles import Role, grant
from gamf.storage import answers, lists
from gamf.storage.access_log import LookFilter, looks
from tests.client.api.conftest import Login, attributed
from tests.clock import today
from tests.system import Life, System, add_patients

TODAY = today()


@pytest.fixture
async def life(system: System) -> Life:
    return await attributed(system)


@pytest.fixture
async def clinic(login: Login, life: Life) -> httpx.AsyncClient:
    return await login(grant(Role.CLINIC, [life.start.physician]))


@pytest.fixture
async def coordinator(login: Login, life: Life) -> httpx.AsyncClient:
    return await login(grant(Role.COORDINATOR, [life.start.rls]))


def facts_of(life: Life) -> str:
    return f"/api/attributions/{life.start.attribution_id}/facts"


async def accepted(coordinator: httpx.AsyncClient, life: Life) -> None:
    answer = await coordinator.post(facts_of(life), json={"fact": "accepted"})
    assert (answer.status_code, answer.json()["state"]) == (200, "confirmed")


async def test_a_clinic_s_software_enters_sv_then_mf_under_its_account(
    clinic: httpx.AsyncClient, coordinator: httpx.AsyncClient, life: Life, desk: Desk
) -> None:
    await accepted(coordinator, life)
    answer = await clinic.post(facts_of(life), json={"fact": "sv_entered"})
    assert (answer.status_code, answer.json()["state"]) == (200, "enrolled_sv")
    answer = await clinic.post(facts_of(life), json={"fact": "mf_signed", "signed_on": TODAY.isoformat()})
    view = answer.json()
    assert (answer.status_code, view["state"], view["patient_id"]) == (
        200,
        "enrolled_mf",
        life.start.patient_id,
    )
    assert [each["by"] for each in view["history"]] == [
        coordinator.headers["x-account"],
        *[clinic.headers["x-account"]] * 2,
    ]
    shown = await clinic.get(f"/api/attributions/{life.start.attribution_id}")
    assert shown.json()["state"] == "enrolled_mf"
    async with desk.pool.acquire() as conn:
        seen = await looks(conn, LookFilter(account=clinic.headers["x-account"]), None, 10)
    assert [(each["channel"], each["use_case"], each["patients"]) for each in seen] == [
        ("api", "attribution_show", [life.start.patient_id]),
        ("api", "mf_signed", [life.start.patient_id]),
        ("api", "sv_entered", [life.start.patient_id]),
    ]
    assert all(each["address"] == "127.0.0.1" for each in seen)


async def test_a_refusal_names_its_rule_in_both_languages(clinic: httpx.AsyncClient, life: Life) -> None:
    for language, content_language in (("en-CA,en;q=0.9", "en"), ("fr-CA", "fr"), ("", "fr")):
        answer = await clinic.post(
            facts_of(life), json={"fact": "sv_entered"}, headers={"Accept-Language": language}
        )
        problem = answer.json()
        assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
        assert (problem["status"], answer.headers["content-language"]) == (409, content_language)
        assert problem["type"] == f"urn:gamf:rule:{problem['rule']}"
        assert problem["fr"] != problem["en"]
        assert problem["detail"] == problem[content_language]
        assert problem["rule"] == "R8"


@pytest.mark.parametrize(
    ("sent", "status", "rule", "fields"),
    [
        ({"fact": "sv_entered", "by": "un-autre"}, 403, "access", ["by"]),
        ({"fact": "accepted"}, 403, "access", []),
        ({"fact": "mf_signed"}, 422, "form", ["signed_on"]),
        ({"fact": "mf_signed", "signed_on": "hier"}, 422, "form", ["signed_on"]),
        ({"fact": "sv_entered", "Zéphyrin": 1}, 422, "form", []),
        ({"fact": "refused"}, 409, "A4", ["reason"]),
        ({"fact": "invented"}, 422, "form", ["fact"]),
        ({}, 422, "form", ["fact"]),
        ([], 422, "form", []),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_changes(
    clinic: httpx.AsyncClient, life: Life, sent: object, status: int, rule: str, fields: list[str]
) -> None:
    answer = await clinic.post(facts_of(life), json=sent)
    problem = answer.json()
    assert (answer.status_code, problem["rule"]) == (status, rule)
    assert problem["fields"] == fields
    assert "Zéphyrin" not in answer.text
    assert (await life.view())["history"] == []


async def test_what_is_not_json_is_malformed(clinic: httpx.AsyncClient, life: Life) -> None:
    for content in (b"", b"{", b"\xff", b'{"fact": "sv_entered", "on": "\\ud800"}', b"[" * 5_000):
        answer = await clinic.post(
            facts_of(life), content=content, headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), (
            content
        )


async def test_an_attribution_that_is_not_there_is_not_found(clinic: httpx.AsyncClient) -> None:
    answer = await clinic.get("/api/attributions/1999-000001")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    answer = await clinic.post("/api/attributions/1999-000001/facts", json={"fact": "sv_entered"})
    assert answer.status_code == 404


# --- once -------------------------------------------------------------------------------------------------


async def test_the_same_key_and_request_get_the_same_answer(
    clinic: httpx.AsyncClient, coordinator: httpx.AsyncClient, life: Life
) -> None:
    await accepted(coordinator, life)
    key = {"Idempotency-Key": "visite-1"}
    first = await clinic.post(facts_of(life), json={"fact": "sv_entered"}, headers=key)
    await clinic.post(facts_of(life), json={"fact": "mf_signed", "signed_on": TODAY.isoformat()})
    again = await clinic.post(facts_of(life), json={"fact": "sv_entered"}, headers=key)
    assert (again.status_code, again.content) == (200, first.content)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["state"] == "enrolled_sv"


async def test_a_refusal_is_answered_again_as_it_was(
    clinic: httpx.AsyncClient, coordinator: httpx.AsyncClient, life: Life
) -> None:
    key = {"Idempotency-Key": "trop-tôt".encode("ascii", "replace").decode()}
    first = await clinic.post(facts_of(life), json={"fact": "sv_entered"}, headers=key)
    await accepted(coordinator, life)
    again = await clinic.post(facts_of(life), json={"fact": "sv_entered"}, headers=key)
    assert (again.status_code, again.content) == (409, first.content)
    assert again.headers["content-type"] == "application/problem+json"
    fresh = await clinic.post(facts_of(life), json={"fact": "sv_entered"}, headers={"Idempotency-Key": "2"})
    assert fresh.status_code == 200


async def test_the_same_key_with_another_request_is_refused(
    clinic: httpx.AsyncClient, coordinator: httpx.AsyncClient, life: Life
) -> None:
    await accepted(coordinator, life)
    key = {"Idempotency-Key": "visite-1"}
    assert (await clinic.post(facts_of(life), json={"fact": "sv_entered"}, headers=key)).status_code == 200
    sent = {"fact": "mf_signed", "signed_on": TODAY.isoformat()}
    for path in (facts_of(life), "/api/facts"):
        body = (
            sent
            if path != "/api/facts"
            else {"facts": [{**sent, "attribution_id": life.start.attribution_id}]}
        )
        answer = await clinic.post(path, json=body, headers=key)
        assert (answer.status_code, answer.json()["rule"]) == (422, "idempotency-key")
    assert (await life.view())["state"] == "enrolled_sv"
    # Another account's key is another key.
    answer = await coordinator.post(facts_of(life), json={"fact": "cancelled", "reason": "x"}, headers=key)
    assert answer.json()["rule"] != "idempotency-key"


async def test_sent_many_times_at_once_it_is_done_once(
    coordinator: httpx.AsyncClient, life: Life, system: System
) -> None:
    headers = {"Idempotency-Key": "bloc"}
    async with system.pool.acquire() as conn:
        await add_patients(conn, life.start.rls, 8)
    asked = {"physician": life.start.physician, "size": 1}
    told = await asyncio.gather(
        *(coordinator.post("/api/blocks", json=asked, headers=headers) for _ in range(6))
    )
    assert {each.status_code for each in told} <= {201, 409}
    again = await coordinator.post("/api/blocks", json=asked, headers=headers)
    assert again.status_code == 201
    blocks = (await coordinator.get("/api/blocks")).json()["items"]
    assert [each["block_id"] for each in blocks] == [again.json()["block_id"]]
    assert blocks[0]["requested_by"] == coordinator.headers["x-account"]


async def test_the_list_of_blocks_counts_and_reads_nobody(
    coordinator: httpx.AsyncClient, life: Life, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with system.pool.acquire() as conn:
        (patient, *_) = await add_patients(conn, life.start.rls, 2)
    asked = {"physician": life.start.physician, "size": 2}
    drawn = (await coordinator.post("/api/blocks", json=asked)).json()

    async def members(*_arguments: object) -> None:
        raise AssertionError

    monkeypatch.setattr(lists, "members", members)
    (block,) = (await coordinator.get("/api/blocks")).json()["items"]
    assert (block["block_id"], block["state"], block["counts"]) == (drawn["block_id"], "drawn", {"drawn": 2})
    assert "list" not in block
    looks = "SELECT FROM looks WHERE use_case = 'block_list' AND account = $1"
    assert not await system.rows(looks, coordinator.headers["x-account"])
    assert patient not in str(block)


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é"])
async def test_a_key_has_its_form(clinic: httpx.AsyncClient, life: Life, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode())]
    answer = await clinic.post(facts_of(life), json={"fact": "sv_entered"}, headers=headers)
    assert answer.status_code == 422


async def test_a_key_is_kept_a_day_and_what_was_cut_off_is_taken_again(system: System, login: Login) -> None:
    account = (await login(grant(Role.AUDITOR))).headers["x-account"]
    key, request, other = bytes(32), b"r" * 32, b"o" * 32
    noon = datetime(2026, 6, 1, 16, tzinfo=UTC)
    day, minutes = timedelta(days=1), timedelta(minutes=2)

    async def begin(at: datetime, asked: bytes = request) -> answers.Answer | None:
        async with system.pool.acquire() as conn:
            return await answers.begin(conn, account, key, asked, at, at - day, at - minutes)

    second = timedelta(seconds=1)
    assert await begin(noon) is None
    assert await begin(noon + minutes - second) == answers.Answer(request, None, None, None)
    assert await begin(noon + minutes + second, other) == answers.Answer(request, None, None, None)
    taken = noon + minutes + second
    assert await begin(taken) is None
    async with system.pool.acquire() as conn:
        await answers.finish(conn, account, key, 200, "application/json", b"{}")
    assert await begin(taken + day) == answers.Answer(request, 200, "application/json", b"{}")
    assert await begin(taken + day + second) is None


# --- bulk -------------------------------------------------------------------------------------------------


async def test_facts_in_bulk_have_an_outcome_each_and_keep_their_order(
    system: System, life: Life, clinic: httpx.AsyncClient, coordinator: httpx.AsyncClient
) -> None:
    other = await attributed(system)
    await accepted(coordinator, life)
    mine, theirs = life.start.attribution_id, other.start.attribution_id
    facts = [
        {"attribution_id": mine, "fact": "sv_entered"},
        {"attribution_id": mine, "fact": "mf_signed", "signed_on": TODAY.isoformat()},
        {"attribution_id": theirs, "fact": "sv_entered"},
        {"attribution_id": "1999-000001", "fact": "sv_entered"},
        {"attribution_id": mine, "fact": "sv_entered", "on": "1999-01-01"},
        {"attribution_id": mine, "fact": "sv_entered"},
    ]
    answer = await clinic.post("/api/facts", json={"facts": facts})
    told = answer.json()
    assert answer.status_code == 200
    assert [each["item"] for each in told] == [0, 1, 2, 3, 4, 5]
    assert [(each["outcome"], each["state"]) for each in told] == [
        ("taken", "enrolled_sv"),
        ("taken", "enrolled_mf"),
        ("refused", None),
        ("not_found", None),
        ("refused", None),
        ("taken", "enrolled_mf"),
    ]
    assert told[2]["reason"]["rule"] == "access"
    assert told[4]["reason"]["fr"]
    assert (await other.view())["history"] == []


async def test_a_bulk_request_has_its_limits(clinic: httpx.AsyncClient) -> None:
    one = {"attribution_id": "1999-000001", "fact": "sv_entered"}
    for facts in ([], [one] * 501):
        assert (await clinic.post("/api/facts", json={"facts": facts})).status_code == 422
    large = {"facts": [{**one, "note": "x" * 300_000}]}
    answer = await clinic.post("/api/facts", json=large)
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
