"""The population profile of an RLS over HTTP: read, put, refused by R4, taken away (R4)."""

from urllib.parse import quote

from gamf.domain.profile import GROUPS
from gamf.domain.roles import Role, grant
from tests.client.api.conftest import Login
from tests.system import System

OLD = [
    {"vulnerable": each.vulnerable, "ages": each.ages, "share": 50 if each.ages == "70+" else 0}
    for each in GROUPS
]


async def test_r4_a_profile_is_put_read_and_taken_away(system: System, login: Login) -> None:
    rls, _, _ = await system.people(2)
    client = await login(grant(Role.COORDINATOR, [rls]))
    path = f"/api/networks/{quote(rls)}/profile"
    before = (await client.get(path)).json()
    assert (before["source"], sum(each["waiting"] for each in before["groups"])) == ("waiting_list", 2)
    key = {"Idempotency-Key": f"profil-{rls[-5:]}"}
    put = await client.put(path, json={"groups": OLD}, headers=key)
    assert (put.status_code, put.json()["source"], put.json()["set_by"]) == (
        200,
        "network",
        client.headers["x-account"],
    )
    again = await client.put(path, json={"groups": OLD}, headers=key)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (put.json(), "true")
    assert (await client.delete(path)).json()["source"] == "waiting_list"
    rows = await system.rows("SELECT event FROM records WHERE subject_id = $1 ORDER BY record_id", rls)
    assert [row["event"] for row in rows][-2:] == ["profile_set", "profile_reset"]


async def test_r4_what_is_no_profile_is_refused(system: System, login: Login) -> None:
    rls, _, _ = await system.people(1)
    client = await login(grant(Role.COORDINATOR, [rls]))
    path = f"/api/networks/{quote(rls)}/profile"
    answer = await client.put(path, json={"groups": OLD[:-1]})
    assert (answer.status_code, answer.json()["rule"]) == (409, "R4")
    answer = await client.put(path, json={"groups": [*OLD[:-1], OLD[0]]})
    assert (answer.status_code, answer.json()["rule"]) == (409, "R4")
    wrong = [{**OLD[0], "share": 101}, *OLD[1:]]
    answer = await client.put(path, json={"groups": wrong})
    assert (answer.status_code, answer.json()["fields"]) == (422, ["groups.0.share"])
    elsewhere = await client.get("/api/networks/ailleurs/profile")
    assert (elsewhere.status_code, elsewhere.json()["rule"]) == (403, "access")
