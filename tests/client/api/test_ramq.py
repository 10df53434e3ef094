"""What goes to RAMQ, the letters' outbox and the indicators over HTTP: whose, to the byte, in the access log."""

import csv
import io

import httpx

from gamf.domain.access import Shown
from gamf.domain.roles import Role, grant
from gamf.storage.access_log import LookFilter, looks
from tests.client.api.conftest import Login, attributed
from tests.system import FAMILY, System
from tests.workflows.test_ramq import folder, listed, told
from tests.workflows.test_replacement import ACCEPTED, Case
from tests.workflows.test_replacement import attributed as attributed_block


async def handed_over(system: System) -> Case:
    """Return a block whose list was handed over."""
    case = await attributed_block(system, 2)
    await case.block.execute_update("record", ACCEPTED)
    await case.block.result()
    await told(system, case, 1)
    return case


async def shown_to(system: System, client: httpx.AsyncClient) -> list[tuple[str, list[str], int]]:
    async with system.pool.acquire() as conn:
        found = await looks(conn, LookFilter(account=client.headers["x-account"]), None, 50)
    return [(each["use_case"], each["shown"], each["people"]) for each in found]


async def test_r6_a_list_is_read_to_the_byte_as_it_went_and_that_is_in_the_access_log(
    system: System, login: Login
) -> None:
    case = await handed_over(system)
    client = await login(grant(Role.COORDINATOR, [case.rls]))
    (file,) = (await client.get("/api/ramq/files")).json()["items"]
    assert (file["block_id"], file["kind"], file["names"]) == (case.block_id, "list", 2)
    view = (await client.get(f"/api/ramq/blocks/{case.block_id}")).json()
    assert [each["number"] for each in view["named"]] == [1, 1]
    path = f"/api/ramq/blocks/{case.block_id}/files/1.csv"
    answer = await client.get(path)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content == (folder(system) / file["name"]).read_bytes()
    assert ("ramq_lists_show", [Shown.IDENTITY, Shown.STANDING], 2) in await shown_to(system, client)
    assert (await client.get(path.replace("1.csv", "2.csv"))).status_code == 404
    gaco = await login(grant(Role.GACO, [case.rls]))
    assert (await gaco.get(path)).status_code == 403
    await system.rows("UPDATE patients SET first_name = 'Corrigé' WHERE rls = $1", case.rls)
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["rule"], FAMILY in answer.text) == (409, "R6", False)


async def test_r6_a_file_that_was_taken_away_is_handed_over_again_by_whoever_asks(
    system: System, login: Login
) -> None:
    case = await handed_over(system)
    client = await login(grant(Role.COORDINATOR, [case.rls]))
    (path,) = folder(system).glob(f"ramq-{case.block_id}-*.csv")
    content = path.read_bytes()
    path.unlink()
    sent = f"/api/ramq/blocks/{case.block_id}/files/1/sent"
    answer = await client.post(sent, headers={"Idempotency-Key": f"remise-{case.block_id}"})
    assert (answer.status_code, path.read_bytes()) == (200, content)
    assert len(listed(system, case.block_id)) == 2
    (kept,) = await system.rows(
        "SELECT by FROM records WHERE subject_id = $1 AND event = 'confirmed_to_ramq_again'", case.block_id
    )
    assert kept["by"] == client.headers["x-account"]
    assert (await client.post(sent.replace("/1/", "/2/"))).status_code == 404
    await system.rows("UPDATE patients SET first_name = 'Corrigé' WHERE rls = $1", case.rls)
    answer = await client.post(sent)
    assert (answer.status_code, answer.json()["rule"]) == (409, "R6")
    assert len(listed(system, case.block_id)) == 2


async def test_the_outbox_is_listed_by_state(system: System, login: Login) -> None:
    await handed_over(system)
    client = await login(grant(Role.RAMQ))
    page = (await client.get("/api/letters?limit=1")).json()
    assert len(page["items"]) == 1
    rest = (await client.get(f"/api/letters?state=withheld&after={page['after']}")).json()
    assert {each["state"] for each in rest["items"]} <= {"withheld"}
    assert (await client.get("/api/letters?state=partie")).status_code == 422


async def test_the_indicators_are_given_as_json_and_as_csv_masked_alike(system: System, login: Login) -> None:
    life = await attributed(system)
    client = await login(grant(Role.COORDINATOR, [life.start.rls]))
    lines = (await client.get("/api/indicators?first=2026-05&last=2026-06")).json()
    assert [(each["rls"], each["month"]) for each in lines] == [
        (life.start.rls, "2026-05"),
        (life.start.rls, "2026-06"),
    ]
    # One person is fewer than five.
    assert all("waiting" in each["masked"] and each["values"]["waiting"] is None for each in lines)
    answer = await client.get("/api/indicators.csv?first=2026-05&last=2026-06")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["month"], row["waiting"]) for row in rows] == [("2026-05", "x"), ("2026-06", "x")]
    assert (await client.get("/api/indicators?first=2026-13")).status_code == 422
    assert (await client.get("/api/indicators?rls=ailleurs")).status_code == 403


async def test_a4_a_mixed_answer_is_given_in_one_request(system: System, login: Login) -> None:
    case = await attributed_block(system, 3)
    first, second, third = [each["attribution_id"] for each in await case.listed()]
    client = await login(grant(Role.COORDINATOR, [case.rls]))
    path = f"/api/blocks/{case.block_id}/decisions"
    answer = await client.post(path, json={"decision": "list_accepted", "except": [second]})
    assert (answer.status_code, answer.json()["rule"]) == (409, "A4")
    answer = await client.post(path, json={"decision": "approved", "except": [second]})
    assert (answer.status_code, answer.json()["fields"]) == (422, ["except"])
    mixed = {"decision": "list_accepted", "except": [second], "reason": "hors champ"}
    answer = await client.post(path, json=mixed)
    assert answer.status_code == 200
    states = {each["attribution_id"]: each["state"] for each in answer.json()["list"]}
    assert states == {first: "confirmed", second: "refused", third: "confirmed"}
