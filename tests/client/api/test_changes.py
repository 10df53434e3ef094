"""A clinic's own copy of its list: nothing is missed, whatever the order in which transactions end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import count
from random import Random
from typing import Any, Final

import httpx
import pytest

from gamf.activities.transitions import carry_out
from gamf.client import changes, tokens
from gamf.client.access import Seat
from gamf.client.acting import Desk
from gamf.client.api import feeds
from gamf.domain import attribution as rules
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import Role, grant
from gamf.runtime.polling import until
from gamf.storage import records
from gamf.storage.access_log import LookFilter, looks
from gamf.storage.accounts import set_grants
from gamf.storage.connection import Connection, Pool
from tests.client.api.conftest import Login, attributed
from tests.client.seats import NOON, a_seat, the_operator
from tests.system import System, a_start

_NUMBERS: Final = count(1)


async def begin(pool: Pool) -> tuple[str, Seat]:
    """Write an attribution, and return it with its clinic."""
    start = (await a_start(pool, NOON)).model_copy(update={"attribution_id": f"2026-{next(_NUMBERS):06d}"})
    await carry_out(pool, rules.begin(start).transition)
    return start.attribution_id, a_seat(Role.CLINIC, [start.physician])


async def note(conn: Connection, attribution_id: str, event: str) -> None:
    await records.append(conn, "attribution", attribution_id, event, NOON, by="test")


async def settled(conn: Connection) -> None:
    """Wait until every transaction of what was written is over, in the other databases of the server too."""

    async def over() -> bool:
        sql = "SELECT NOT EXISTS (SELECT FROM records WHERE transaction >= pg_snapshot_xmin(pg_current_snapshot()))"
        return bool(await conn.fetchval(sql))

    await until(over, within_seconds=20)


async def events_of(conn: Connection, seat: Seat, after: str | None) -> tuple[list[str], str | None]:
    page = await changes.read(conn, seat, after)
    return [each.event for each in page.changes], page.after


async def test_what_is_committed_late_is_not_missed(pool: Pool, connection: Connection) -> None:
    attribution_id, seat = await begin(pool)
    await settled(connection)
    _, after = await events_of(connection, seat, None)
    async with pool.acquire() as slow, pool.acquire() as fast:
        transaction = slow.transaction()
        await transaction.start()
        await note(slow, attribution_id, "late")
        await note(fast, attribution_id, "early")
        # The later number is there, and the earlier one is not: neither is given out.
        events, waiting = await events_of(connection, seat, after)
        assert (events, waiting) == ([], after)
        await transaction.commit()
    await settled(connection)
    events, after = await events_of(connection, seat, after)
    assert events == ["late", "early"]
    assert (await events_of(connection, seat, after)) == ([], after)


async def test_an_old_transaction_that_writes_last_comes_after_nothing_that_was_given(
    pool: Pool, connection: Connection
) -> None:
    attribution_id, seat = await begin(pool)
    await settled(connection)
    _, after = await events_of(connection, seat, None)
    async with pool.acquire() as old:
        transaction = old.transaction()
        await transaction.start()
        await old.fetchval("SELECT pg_current_xact_id()")
        await note(connection, attribution_id, "younger")
        assert (await events_of(connection, seat, after))[0] == []
        await note(old, attribution_id, "older")
        await transaction.commit()
    await settled(connection)
    assert (await events_of(connection, seat, after))[0] == ["older", "younger"]


async def test_with_many_writers_at_once_a_reader_gets_each_change_once(
    pool: Pool, connection: Connection
) -> None:
    random = Random(5)  # noqa: S311 - it chooses who waits
    attribution_id, seat = await begin(pool)
    await settled(connection)
    _, after = await events_of(connection, seat, None)

    async def write(first: int) -> None:
        for number in range(first, first + 20):
            async with pool.acquire() as conn, conn.transaction():
                await note(conn, attribution_id, f"e{number}")
                for _ in range(random.randrange(4)):
                    await conn.execute("SELECT 1")
                await note(conn, attribution_id, f"f{number}")

    writing = asyncio.gather(*(write(first) for first in range(0, 80, 20)))
    got: list[str] = []
    while not writing.done():
        page = await changes.read(connection, seat, after, limit=7)
        got += [each.event for each in page.changes]
        after = page.after
    await writing
    await settled(connection)
    while True:
        page = await changes.read(connection, seat, after, limit=7)
        got += [each.event for each in page.changes]
        after = page.after
        if not page.more:
            break
    assert len(got) == 160
    assert sorted(got) == sorted(f"{kind}{number}" for kind in "ef" for number in range(80))


async def test_pages_follow_each_other_and_show_how_each_is_now(pool: Pool, connection: Connection) -> None:
    attribution_id, seat = await begin(pool)
    for number in range(5):
        await note(connection, attribution_id, f"e{number}")
    await settled(connection)
    got, after, pages = list[str](), None, 0
    while True:
        page = await changes.read(connection, seat, after, limit=2)
        assert [each.attribution_id for each in page.attributions] == [attribution_id]
        got += [each.event for each in page.changes]
        after, pages = page.after, pages + 1
        if not page.more:
            break
    assert (got[1:], pages) == (["e0", "e1", "e2", "e3", "e4"], 3)
    written = await looks(connection, LookFilter(account=seat.by), None, 10)
    assert [each["people"] for each in written] == [1, 1, 1]


async def test_a_scope_sees_its_own_and_passes_over_the_rest_for_good(
    pool: Pool, connection: Connection
) -> None:
    mine, seat = await begin(pool)
    theirs, other = await begin(pool)
    await settled(connection)
    assert {each.attribution_id for each in (await changes.read(connection, seat)).changes} == {mine}
    assert {each.attribution_id for each in (await changes.read(connection, other)).changes} == {theirs}
    everything = await changes.read(connection, a_seat(Role.RAMQ, account="ramq"))
    assert {each.attribution_id for each in everything.changes} == {mine, theirs}
    await settled(connection)
    _, after = await events_of(connection, seat, None)
    await note(connection, theirs, "other")
    await settled(connection)
    events, passed = await events_of(connection, seat, after)
    assert (events, passed != after) == ([], True)
    written = await looks(connection, LookFilter(account=seat.by), None, 10)
    assert {each["people"] for each in written} == {1}


async def test_a_cursor_that_no_longer_holds_is_refused(pool: Pool, connection: Connection) -> None:
    attribution_id, seat = await begin(pool)
    await settled(connection)
    _, after = await events_of(connection, seat, None)
    assert after is not None
    number, _, stamp = after.partition("-")
    await note(connection, attribution_id, "next")
    forged = (
        "",
        "x",
        "-",
        f"{int(number) + 1}-{stamp}",
        f"{number}-{'0' * 16}",
        f"{2**63}-{stamp}",
        f"{number}-{stamp}0",
        f"٣-{stamp}",
    )
    for cursor in forged:
        with pytest.raises(RefusedByRuleError) as error:
            await changes.read(connection, seat, cursor)
        assert error.value.reason.rule == "cursor"
    # What the account may see has changed: what it was not shown lies before the cursor.
    for changed in (a_seat(Role.RAMQ), a_seat(Role.CLINIC, ["10001", "10002"])):
        with pytest.raises(RefusedByRuleError):
            await changes.read(connection, changed, after)


async def test_before_anything_happened_there_is_no_cursor(connection: Connection) -> None:
    page = await changes.read(connection, a_seat(Role.RAMQ))
    assert (page.changes, page.after, page.more) == ((), None, False)


# --- over HTTP --------------------------------------------------------------------------------------------


class Stream:
    """A stream of events as a client reads it: the events, and the last id."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines: AsyncIterator[str] = lines
        self.last_id: str | None = None

    async def event(self) -> dict[str, Any]:
        """Return the next event."""
        async for line in self._lines:
            name, _, value = line.partition(": ")
            if name == "id":
                self.last_id = value
            if name == "data":
                return json.loads(value)  # type: ignore[no-any-return] # an object
        raise EOFError

    async def begun(self) -> None:
        """Wait until the stream says from where it tells."""
        async for line in self._lines:
            if line.startswith("id: "):
                self.last_id = line.removeprefix("id: ")
                return


async def opened(stack: AsyncExitStack, client: httpx.AsyncClient, **headers: str) -> Stream:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await stack.enter_async_context(client.stream("GET", "/api/events", headers=named))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    return Stream(answer.aiter_lines())


async def test_events_come_as_they_happen_and_go_on_where_they_stopped(system: System, login: Login) -> None:
    life = await attributed(system)
    clinic = await login(grant(Role.CLINIC, [life.start.physician]))
    async with AsyncExitStack() as stack:
        stream = await opened(stack, clinic)
        await stream.begun()
        await life.record("accepted")
        event = await stream.event()
        assert (event["attribution_id"], event["event"], event["after"]) == (
            life.start.attribution_id,
            "accepted",
            "confirmed",
        )
        last = stream.last_id
    assert last is not None
    await life.record("sv_entered")
    async with AsyncExitStack() as stack:
        stream = await opened(stack, clinic, Last_Event_ID=last)
        assert (await stream.event())["event"] == "sv_entered"
    page = (await clinic.get("/api/changes", params={"after": last})).json()
    assert [each["event"] for each in page["changes"]] == ["sv_entered"]
    assert [each["state"] for each in page["attributions"]] == ["enrolled_sv"]


async def test_a_stream_ends_with_its_token_or_with_what_it_may_tell(
    system: System, login: Login, desk: Desk
) -> None:
    life = await attributed(system)
    for ending in ("revoked", "another scope"):
        clinic = await login(grant(Role.CLINIC, [life.start.physician]))
        account = clinic.headers["x-account"]
        async with AsyncExitStack() as stack:
            stream = await opened(stack, clinic)
            await stream.begun()
            async with desk.pool.acquire() as conn:
                if ending == "revoked":
                    (token,) = (await tokens.list_tokens(conn, the_operator(), account)).items
                    await tokens.revoke(conn, the_operator(), token.token_id)
                else:
                    await set_grants(conn, account, [grant(Role.CLINIC, ["99999"])])
            with pytest.raises(EOFError):
                await stream.event()
        answer = await clinic.get("/api/events", headers={"Last-Event-ID": stream.last_id or ""})
        assert answer.status_code == (401 if ending == "revoked" else 410)


async def test_so_many_streams_and_no_more(
    login: Login, monkeypatch: pytest.MonkeyPatch, system: System
) -> None:
    life = await attributed(system)
    monkeypatch.setattr(feeds, "OF_ONE_ACCOUNT", 1)
    clinic = await login(grant(Role.CLINIC, [life.start.physician]))
    async with AsyncExitStack() as stack:
        stream = await opened(stack, clinic)
        await stream.begun()
        answer = await stack.enter_async_context(clinic.stream("GET", "/api/events"))
        assert answer.status_code == 429
        await answer.aread()
        assert (answer.status_code, answer.json()["rule"], "retry-after" in answer.headers) == (
            429,
            "streams",
            True,
        )
