"""*My tasks* with the decision on the line itself: two clicks from the first screen."""

import asyncio
from datetime import timedelta

import pytest

from gamf.client.acting import Desk
from gamf.domain.roles import Role, grant
from gamf.runtime.polling import until
from gamf.storage.connection import Pool
from tests.client.console.browser import Browser, another
from tests.client.console.conftest import AddAccount
from tests.system import System


@pytest.fixture
def pool(system: System) -> Pool:
    """Return the database of the whole system at work."""
    return system.pool


@pytest.fixture
def desk(system: System) -> Desk:
    return Desk(system.pool, system.client)


async def test_the_clinic_enters_the_sv_from_its_line_and_the_coordinator_sees_no_such_line(
    browser: Browser, system: System, add_account: AddAccount
) -> None:
    life = await system.attribute()
    reference = life.start.attribution_id
    await add_account(f"clinique-{reference}", grant(Role.CLINIC, [life.start.physician]))
    await add_account(f"coordo-{reference}", grant(Role.COORDINATOR, [life.start.rls]))
    await life.record("accepted")

    async def asked() -> bool:
        rows = await system.rows(
            "SELECT FROM tasks WHERE attribution_id = $1 AND kind = 'sv_to_enter'", reference
        )
        return len(rows) == 1

    await until(asked, within_seconds=20)
    action = f"/attributions/{reference}/sv_entered"
    await browser.sign_in(f"coordo-{reference}")
    assert action not in (await browser.get("/")).text
    async with another(str(browser.client.base_url)) as clinic:
        await clinic.sign_in(f"clinique-{reference}")
        assert f'href="/attributions/{reference}"' in (await clinic.get("/")).text
        answer = await clinic.send(action)
        assert answer.headers["location"] == "/?dit=reported"
        page = (await clinic.get("/?dit=reported")).text
        assert "Le fait est consigné." in page
        assert action not in page
    assert (await life.view())["state"] == "enrolled_sv"


async def test_of_two_coordinators_who_decide_a_task_at_once_one_is_told_what_the_other_did(
    browser: Browser, system: System, add_account: AddAccount
) -> None:
    life = await system.attribute()
    reference, rls = life.start.attribution_id, life.start.rls
    await life.reaches("proposed")
    await system.skipper.fast_forward(life.handle, timedelta(hours=73))
    await life.reaches("unanswered")
    names = [f"une-{reference}", f"autre-{reference}"]
    for name in names:
        await add_account(name, grant(Role.COORDINATOR, [rls]))
    async with another(str(browser.client.base_url)) as second:
        for each, name in zip((browser, second), names, strict=True):
            await each.sign_in(name)

            async def offered(each: Browser = each) -> bool:
                return f"/attributions/{reference}/refused" in (await each.get("/")).text

            await until(offered, within_seconds=20)
        where = f"/attributions/{reference}"
        sent = (
            browser.send(f"{where}/accepted"),
            second.send(f"{where}/refused", reason="absence prolongée"),
        )
        answers = await asyncio.gather(*sent)
    assert sorted(each.status_code for each in answers) == [303, 422]
    won = next(n for n, each in enumerate(answers) if each.status_code == 303)
    assert answers[won].headers["location"] == "/?dit=reported"
    lost = answers[1 - won].text.replace("\u00a0", " ")
    state = ("confirmée", "refusée")[won]
    assert f"Rien n’a changé. L’attribution est maintenant : {state}" in lost
    assert f"par {names[won]}" in lost
    facts = [each["fact"] for each in (await life.view())["history"] if each.get("by")]
    assert facts == [("accepted", "refused")[won]]
