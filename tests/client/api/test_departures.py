"""A physician's departure over HTTP: foretold, announced once to a key, withdrawn, reached, undone by a return."""

from datetime import UTC, date, datetime, timedelta

from gamf.domain.calendar import PROVINCE, local_date
from gamf.domain.roles import Role, grant
from gamf.runtime.polling import until
from tests.client.api.conftest import Login, attributed
from tests.system import System


def day(days: int) -> date:
    return local_date(datetime.now(UTC), PROVINCE) + timedelta(days=days)


async def test_a16_a_departure_is_foretold_announced_once_and_withdrawn(system: System, login: Login) -> None:
    life = await attributed(system)
    client = await login(grant(Role.COORDINATOR, [life.start.rls]))
    path = f"/api/physicians/{life.start.physician}"
    asked = {"cause": "disengaged", "mailed_on": str(day(0))}
    foretold = (await client.get(f"{path}/departures/foretold", params=asked)).json()
    assert (foretold["on"], foretold["sv_end_on"]) == (str(day(30)), str(day(29)))
    assert (foretold["told"], foretold["returned"], foretold["at_once"]) == ({"proposed": 1}, 1, False)
    key = {"Idempotency-Key": f"depart-{life.start.physician}"}
    answer = await client.post(f"{path}/departures", json=asked, headers=key)
    assert (answer.status_code, answer.json()["state"], answer.json()["on"]) == (
        200,
        "announced",
        str(day(30)),
    )
    again = await client.post(f"{path}/departures", json=asked, headers=key)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (answer.json(), "true")
    answer = await client.post(f"{path}/departures", json={"cause": "retired", "on": str(day(9))})
    assert (answer.status_code, answer.json()["rule"]) == (409, "A20")
    answer = await client.get(f"{path}/departures/foretold", params={"cause": "retired", "on": str(day(9))})
    assert answer.json()["rule"] == "A20"
    answer = await client.post(f"{path}/departures/withdrawn", json={"reason": "elle reste"})
    assert (answer.status_code, answer.json()["state"]) == (200, "withdrawn")
    shown = (await client.get(path)).json()
    assert [each["reason"] for each in shown["departures"]] == ["elle reste"]
    assert shown["by_state"] == {"proposed": 1}
    assert (await life.view())["state"] == "proposed"


async def test_a16_whom_a_departure_told_is_listed_and_the_physician_comes_back(
    system: System, login: Login
) -> None:
    life = await attributed(system)
    client = await login(grant(Role.RAMQ))
    path = f"/api/physicians/{life.start.physician}"
    assert (await client.get(f"{path}/departures/reached")).status_code == 404
    for wrong in ({"cause": "retired"}, {"cause": "retired", "on": str(day(0)), "mailed_on": str(day(0))}):
        answer = await client.post(f"{path}/departures", json=wrong)
        assert (answer.status_code, answer.json()["fields"]) == (422, ["on"])
    await client.post(f"{path}/departures", json={"cause": "retired", "on": str(day(-1))})

    async def done() -> bool:
        (latest,) = (await client.get(path)).json()["departures"]
        return bool(latest["state"] == "done")

    await until(done, within_seconds=20)
    page = (await client.get(f"{path}/departures/reached")).json()
    assert [(each["attribution_id"], each["state"]) for each in page["items"]] == [
        (life.start.attribution_id, "physician_left")
    ]
    answer = await client.post(f"{path}/returns", json={"on": str(day(0)), "reason": "réengagé"})
    assert (answer.status_code, answer.json()["leaves_on"]) == (200, None)


async def test_physicians_are_listed_by_page_within_ones_scope(system: System, login: Login) -> None:
    life, other = await attributed(system), await attributed(system)
    both = sorted({life.start.physician, other.start.physician})
    client = await login(grant(Role.CLINIC, both))
    page = (await client.get("/api/physicians?limit=1&name=inv")).json()
    rest = (await client.get(f"/api/physicians?after={page['after']}")).json()
    assert [each["licence"] for each in (*page["items"], *rest["items"])] == both
    assert (await client.get("/api/physicians?status=disengaged")).json()["items"] == []
