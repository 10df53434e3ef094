"""What is on a screen, told when it changes: over HTTP, from a real PostgreSQL, to whom it concerns and no longer."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from time import monotonic
from typing import Final

import httpx
import pytest
from fastapi import FastAPI

from gamf.activities.transitions import carry_out
from gamf.client import accounts as use_cases
from gamf.client import live as screens
from gamf.client.console import live
from gamf.client.console.page import Console
from gamf.client.console.server import running_console
from gamf.domain import attribution as rules
from gamf.domain.model import Start
from gamf.domain.roles import Role, grant
from gamf.runtime.polling import until
from gamf.runtime.settings import HostPort, Settings
from gamf.storage import changes, records
from gamf.storage.access_log import LookFilter, looks
from gamf.storage.accounts import set_grants
from gamf.storage.connection import Connection, Pool
from tests.client.console.browser import Browser, another
from tests.client.console.conftest import AddAccount
from tests.client.console.work import a_task
from tests.client.seats import NOON, the_operator
from tests.system import a_start

_NUMBERS: Final = count(900_001)
_SHOWN: Final = re.compile(r'data-live-subject="([^"]+)" data-live-since="([^"]+)"')


class Told:
    """What a screen is told, as its script reads it."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines: AsyncIterator[str] = answer.aiter_lines()
        self.place: str = ""

    async def line(self, beginning: str) -> str:
        """Return the next line that begins so.

        Raises:
            EOFError: the stream has ended.
        """
        async for line in self._lines:
            if line.startswith("id: "):
                self.place = line.removeprefix("id: ")
            if line.startswith(beginning):
                return line
        raise EOFError

    async def news(self) -> str:
        """Return the name of the next event."""
        return (await self.line("event: ")).removeprefix("event: ")


def shown(browser: Browser) -> dict[str, str]:
    """Return what the page that is open asks to be told of."""
    found = _SHOWN.search(browser.page)
    assert found is not None
    return {"sujet": found[1], "depuis": found[2]}


@asynccontextmanager
async def told(browser: Browser, *, place: str | None = None, **asked: str) -> AsyncGenerator[Told]:
    """Open the stream of the page that is open, and wait until it has begun."""
    headers = {"Gamf-Live": "1"} | ({"Last-Event-ID": place} if place else {})
    wanted = asked or shown(browser)
    async with browser.client.stream("GET", live.PATH, params=wanted, headers=headers) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        stream = Told(answer)
        await stream.line("id: ")
        yield stream


@pytest.fixture
async def start(pool: Pool) -> Start:
    """Return an attribution that is written and that nobody carries further."""
    begun = await a_start(pool, NOON)
    made = begun.model_copy(update={"attribution_id": f"2026-{next(_NUMBERS)}"})
    await carry_out(pool, rules.begin(made).transition)
    return made


@pytest.fixture
async def coordinator(browser: Browser, add_account: AddAccount, start: Start) -> Browser:
    """Return the browser of the coordinator of its RLS, who looks at the list of attributions."""
    await add_account("ada", grant(Role.COORDINATOR, [start.rls]))
    await browser.sign_in("ada")
    await browser.get("/attributions")
    return browser


async def note(conn: Connection, start: Start) -> None:
    await records.append(conn, "attribution", start.attribution_id, "essai", NOON, by="test")


async def test_a_screen_is_told_that_it_changed_and_nothing_of_whom(
    coordinator: Browser, connection: Connection, start: Start
) -> None:
    async with told(coordinator) as stream:
        await note(connection, start)
        assert await stream.news() == "changed"
        assert await stream.line("data: ") == "data: "
        before = stream.place
    # What happens while nobody listens is told to whoever comes back, and what was told is not.
    async with told(coordinator, place=before) as stream:
        await note(connection, start)
        assert await stream.news() == "changed"
        last = stream.place
    await note(connection, start)
    async with told(coordinator, place=last) as stream:
        assert await stream.news() == "changed"


async def test_what_changes_between_the_page_and_its_stream_is_told(
    coordinator: Browser, connection: Connection, start: Start
) -> None:
    await note(connection, start)
    async with told(coordinator) as stream:
        assert await stream.news() == "changed"


async def test_my_tasks_are_told_of_tasks_and_a_block_of_its_own(
    pool: Pool, browser: Browser, add_account: AddAccount, start: Start, coordinator: Browser
) -> None:
    number = await a_task(pool, start.rls)
    await add_account("bob", grant(Role.GACO, [start.rls]))
    await add_account("eve", grant(Role.GACO, [start.rls]))
    async with another(str(browser.client.base_url)) as bob, another(str(browser.client.base_url)) as eve:
        for each, name in ((bob, "bob"), (eve, "eve")):
            await each.sign_in(name)
            await each.get("/")
        async with told(eve) as stream:
            assert (await bob.send(f"/taches/{number}/fermer")).status_code == 303
            assert await stream.news() == "changed"
        assert f"/taches/{number}/fermer" not in (await eve.get("/")).text
    # A block that is not there is nobody's, and another's attribution is refused as its page is.
    for subject in ("bloc:2026-0001", "attribution:2026-000000", "clients", "attribution"):
        answer = await coordinator.client.get(live.PATH, params={"sujet": subject, "depuis": "1"})
        assert answer.status_code in {403, 422}, subject


@pytest.mark.long
async def test_nobody_is_told_of_others(
    coordinator: Browser, pool: Pool, connection: Connection, start: Start, add_account: AddAccount
) -> None:
    other = await a_start(pool, NOON)
    elsewhere = other.model_copy(update={"attribution_id": f"2026-{next(_NUMBERS)}"})
    await carry_out(pool, rules.begin(elsewhere).transition)
    await add_account("zoe", grant(Role.COORDINATOR, [elsewhere.rls]))
    async with another(str(coordinator.client.base_url)) as zoe:
        await zoe.sign_in("zoe")
        await zoe.get("/attributions")
        async with told(coordinator) as hers, told(zoe) as theirs:
            await note(connection, elsewhere)
            assert await theirs.news() == "changed"
            await note(connection, start)
            assert await hers.news() == "changed"
            # Had the other RLS's been told to her, this place would be the first one's.
            assert int(hers.place) > int(theirs.place)
        answer = await zoe.client.get(
            live.PATH, params={"sujet": f"attribution:{start.attribution_id}", "depuis": "1"}
        )
        assert answer.status_code == 403
    refused = await looks(connection, LookFilter(account="zoe"), None, 10)
    assert [(each["use_case"], each["shown"]) for each in refused][:1] == [("attribution_show", [])]


@pytest.mark.long
@pytest.mark.parametrize("ending", ["signed out", "expired", "disabled", "another role"])
async def test_a_stream_ends_with_its_session_or_with_what_it_may_tell(
    coordinator: Browser, connection: Connection, ending: str
) -> None:
    async with told(coordinator) as stream:
        match ending:
            case "signed out":
                async with another(str(coordinator.client.base_url)) as same:
                    same.client.cookies = coordinator.client.cookies
                    await same.get("/attributions")
                    await same.send("/deconnexion")
            case "expired":
                await connection.execute("UPDATE sessions SET expires_at = now()")
            case "disabled":
                await use_cases.disable(connection, the_operator(), "ada")
            case _:
                await set_grants(connection, "ada", [])
        assert await stream.news() == ("gone" if ending == "another role" else "over")
        with pytest.raises(EOFError):
            await stream.news()
    answer = await coordinator.client.get(live.PATH, params=shown(coordinator))
    assert answer.status_code == (403 if ending == "another role" else 303)


@pytest.mark.long
async def test_a_screen_that_nobody_uses_does_not_keep_the_session_and_each_page_of_it_is_a_look(
    coordinator: Browser, connection: Connection
) -> None:
    await connection.execute("UPDATE sessions SET seen_at = seen_at - interval '20 minutes'")
    at = await connection.fetchval("SELECT seen_at FROM sessions")
    before = len(await looks(connection, LookFilter(account="ada"), None, 100))
    answer = await coordinator.client.get("/attributions", headers={"Gamf-Live": "1"})
    assert answer.status_code == 200
    assert await connection.fetchval("SELECT seen_at FROM sessions") == at
    assert len(await looks(connection, LookFilter(account="ada"), None, 100)) == before + 1
    async with told(coordinator):
        assert await connection.fetchval("SELECT seen_at FROM sessions") == at
    await coordinator.get("/attributions")
    assert await connection.fetchval("SELECT seen_at FROM sessions") > at


@pytest.mark.long
async def test_so_many_screens_of_an_account_and_no_more(
    coordinator: Browser, monkeypatch: pytest.MonkeyPatch, app: FastAPI
) -> None:
    monkeypatch.setattr(screens, "OF_ONE_ACCOUNT", 1)
    async with told(coordinator):
        answer = await coordinator.client.get(live.PATH, params=shown(coordinator))
        assert (answer.status_code, "retry-after" in answer.headers) == (429, True)
    console: Console = app.state.console

    async def let_go() -> bool:
        return console.lookout.screens == 0

    await until(let_go, within_seconds=10)
    async with told(coordinator):
        assert console.lookout.screens == 1


async def test_one_look_at_postgresql_is_for_all_the_screens(
    coordinator: Browser, monkeypatch: pytest.MonkeyPatch, connection: Connection, start: Start
) -> None:
    asked: list[int] = []
    touched = changes.touched

    async def counted(conn: Connection, since: int, until: int, limit: int) -> list[changes.Touched]:
        asked.append(since)
        return await touched(conn, since, until, limit)

    monkeypatch.setattr(changes, "touched", counted)
    async with told(coordinator) as first, told(coordinator) as second, told(coordinator) as third:
        opened = len(asked)
        assert opened <= 5
        await note(connection, start)
        began = monotonic()
        assert [await each.news() for each in (first, second, third)] == ["changed"] * 3
        # One a second at most, however many screens there are.
        assert len(asked) - opened <= monotonic() - began + 2


@pytest.mark.long
async def test_a_quiet_stream_says_that_it_is_there(
    coordinator: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "BEATS_EVERY", screens.LOOKS_EVERY / 10)
    async with told(coordinator) as stream:
        assert await stream.line(": ") == ": "


@pytest.mark.long
async def test_a_server_that_stops_waits_for_no_stream(
    database_url: str, app: FastAPI, add_account: AddAccount, start: Start
) -> None:
    await add_account("ada", grant(Role.COORDINATOR, [start.rls]))
    temporal = app.state.console.desk.temporal
    served = running_console(Settings(), temporal, HostPort("127.0.0.1", 0), database_url=database_url)
    server = await served.__aenter__()
    async with another(server.url) as browser:
        await browser.sign_in("ada")
        await browser.get("/attributions")
        async with told(browser) as stream:
            stopping = asyncio.create_task(served.__aexit__(None, None, None))
            with pytest.raises(EOFError):
                await stream.news()
            began = monotonic()
            await stopping
    # A stream that had to be cut would have taken uvicorn's own patience, 5 seconds.
    assert monotonic() - began < 4
