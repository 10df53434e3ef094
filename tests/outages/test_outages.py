"""A server away: the page says which and what was kept; back, it works again, and nothing was started again."""

import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from time import monotonic
from typing import Any, Final

import asyncpg
import httpx
import pytest

from gamf.client.console import live
from gamf.runtime.polling import until
from tests.client.console.browser import Browser
from tests.outages.place import COORDINATOR, Place, place

# Each server is killed and started again, several times.
pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

SOON: Final = 12
"""Seconds within which a page says that a server is away: some, and no minute."""
REASON: Final = "absence prolongée"


@pytest.fixture(scope="module")
async def where() -> AsyncGenerator[Place]:
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        async with place(Path(name)) as served:
            yield served


async def rows(where: Place, sql: str, *values: object) -> list[Any]:
    connection = await asyncpg.connect(where.postgres.url)
    try:
        return list(await connection.fetch(sql, *values))
    finally:
        await connection.close()


async def facts(where: Place, reference: str) -> list[str]:
    sql = "SELECT event FROM records WHERE subject_id = $1 AND by IS NOT NULL AND NOT refused ORDER BY record_id"
    return [row["event"] for row in await rows(where, sql, reference)]


async def timely(asked: Any) -> httpx.Response:  # noqa: ANN401 - a request under way
    began = monotonic()
    answer: httpx.Response = await asked
    assert monotonic() - began < SOON
    return answer


def says_away(answer: httpx.Response, service: str) -> None:
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert f"{service} ne répond pas" in answer.text
    assert "Rien de ce qui était consigné n’est perdu" in answer.text


async def opened(browser: Browser, path: str) -> None:
    """Open a page, which works again once the server is back."""

    async def works() -> bool:
        return (await browser.get(path)).status_code == 200

    await until(works, within_seconds=60)


@pytest.mark.parametrize("how", ["killed", "hanging"])
async def test_temporal_away_what_needs_it_not_works_and_a_decision_is_kept_to_be_sent_again(
    where: Place, how: str
) -> None:
    reference = await where.attribute()
    path = f"/attributions/{reference}"
    async with where.coordinator() as browser:
        await browser.get(path)
        form = {**browser.form(f"{path}/refused"), "reason": REASON, "at": ""}
        if how == "killed":
            async with where.without_temporal():
                await _without_temporal(browser, path, form)
        else:
            with where.temporal_hangs():
                await _without_temporal(browser, path, form)
        assert await facts(where, reference) == []
        # The page that said so sends it again: its number was let go.
        await opened(browser, path)
        answer = await browser.post(f"{path}/refused", form)
        assert answer.status_code == 303, answer.text
    assert await facts(where, reference) == ["refused"]


async def _without_temporal(browser: Browser, path: str, form: dict[str, str]) -> None:
    for works in ("/", "/attributions", "/blocs", "/compte", "/liste"):
        assert (await timely(browser.get(works))).status_code == 200, works
    says_away(await timely(browser.get(path)), "Temporal")
    for _ in range(2):
        says_away(await timely(browser.post(f"{path}/refused", form)), "Temporal")
        assert "Ce que vous aviez écrit est gardé" in browser.page
        assert browser.form(f"{path}/refused") == form


async def test_postgresql_away_nobody_signs_in_and_a_decision_is_kept_to_be_sent_again(where: Place) -> None:
    reference = await where.attribute()
    path = f"/attributions/{reference}"
    async with where.coordinator() as browser, where.coordinator() as stranger:
        stranger.client.cookies.clear()
        await stranger.get("/connexion")
        entering = {**stranger.form("/connexion"), "account": COORDINATOR, "password": "trois petits chats"}
        await browser.get(path)
        form = {**browser.form(f"{path}/refused"), "reason": REASON, "at": ""}
        async with where.without_postgresql():
            for away in ("/", "/attributions", path):
                says_away(await timely(browser.get(away)), "PostgreSQL")
            says_away(await timely(browser.post(f"{path}/refused", form)), "PostgreSQL")
            assert browser.form(f"{path}/refused") == form
            says_away(await timely(stranger.post("/connexion", entering)), "PostgreSQL")
            assert "trois petits chats" not in stranger.page
            assert (await stranger.get("/connexion")).status_code == 200
        await opened(browser, path)
        assert (await browser.post(f"{path}/refused", form)).status_code == 303
        assert (await stranger.post("/connexion", entering)).headers["location"] == "/"
    assert await facts(where, reference) == ["refused"]


@pytest.mark.parametrize("service", ["Temporal", "PostgreSQL"])
async def test_other_software_is_told_to_come_back_and_its_key_is_worth_as_much_then(
    where: Place, service: str
) -> None:
    reference = await where.attribute()
    path = f"/api/attributions/{reference}/facts"
    key = {"Idempotency-Key": f"{service}-{reference}"}
    without = where.without_temporal if service == "Temporal" else where.without_postgresql
    async with where.software() as client:
        async with without():
            for _ in range(2):
                answer = await timely(client.post(path, json={"fact": "accepted"}, headers=key))
                assert answer.headers["content-type"] == "application/problem+json"
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
                assert service in answer.json()["title"]
                assert answer.json()["kept"]

        answers: list[httpx.Response] = []

        async def taken() -> bool:
            answers.append(await client.post(path, json={"fact": "accepted"}, headers=key))
            return answers[-1].status_code == 200

        await until(taken, within_seconds=60)
        assert "idempotent-replayed" not in answers[-1].headers
        assert answers[-1].json()["state"] == "confirmed"
    assert await facts(where, reference) == ["accepted"]


async def test_a_screen_outlives_postgresql_and_is_told_what_changed(where: Place) -> None:
    reference = await where.attribute()
    path = f"/attributions/{reference}"
    async with where.coordinator() as browser, where.software() as client:
        await browser.get(path)
        since = browser.page.partition('data-live-since="')[2].partition('"')[0]
        asked = {"sujet": f"attribution:{reference}", "depuis": since}
        async with browser.client.stream("GET", live.PATH, params=asked) as stream:
            lines = stream.aiter_lines()
            assert (await anext(lines)).startswith("id: ")
            async with where.without_postgresql():
                says_away(await timely(browser.client.get(path)), "PostgreSQL")

            async def taken() -> bool:
                sent = await client.post(f"/api{path}/facts", json={"fact": "accepted"})
                return sent.status_code == 200

            await until(taken, within_seconds=60)
            async for line in lines:
                if line == "event: changed":
                    break
            else:
                pytest.fail("the stream ended")
        assert "confirmée" in (await browser.get(path)).text
