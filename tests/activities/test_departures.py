"""The activities of a departure, run twice or broken off: each attribution is told once (A16)."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from gamf.activities.blocks import BlockActivities, Decision, DrawRequest
from gamf.activities.departures import DepartureActivities, DepartureStep
from gamf.domain.block import BlockRequest
from gamf.domain.departure import DepartureRequest
from gamf.domain.policy import CURRENT
from gamf.storage.connection import Pool
from tests.recorder import Recorder
from tests.system import add_network, add_patients, add_physician

NOW = datetime(2026, 6, 1, 16, tzinfo=UTC)
SIZE = 100


class Herald:
    """Tells until its strength is spent, and finds nobody under some references."""

    def __init__(self, strength: int | None = None, absent: frozenset[str] = frozenset()) -> None:
        self.told: Counter[str] = Counter()
        self.keys: set[str] = set()
        self.withdrawn: list[str] = []
        self.strength = strength
        self.absent = absent

    async def tell_once(self, attribution_id: str, fact: str, argument: dict[str, Any], key: str) -> bool:
        """Tell, as the server does: once a key."""
        assert (fact, argument["cause"]) == ("physician_left", "retired")
        if attribution_id in self.absent:
            return False
        if self.strength == 0:
            raise ConnectionError("gone")
        if self.strength is not None:
            self.strength -= 1
        self.keys.add(f"{key}:{attribution_id}")
        self.told[attribution_id] += 1
        return True

    async def withdraw_list(self, block_id: str, argument: dict[str, Any]) -> bool:
        """Remember which list."""
        assert "A16" in argument["reason"]
        self.withdrawn.append(block_id)
        return True


@pytest.fixture
async def request_(pool: Pool) -> DepartureRequest:
    """Return the departure of a physician with a hundred attributions and a list that nobody has approved."""
    async with pool.acquire() as conn:
        rls = await add_network(conn)
        licence = await add_physician(conn, rls)
        await add_patients(conn, rls, SIZE + 5)
    recorder = Recorder()
    blocks = BlockActivities(pool, recorder, recorder)
    for number, size in ((1, SIZE), (2, 5)):
        block_id = f"2026-{number:04d}"
        asked = BlockRequest(
            block_id=block_id, physician=licence, rls=rls, size=size, requested_by="coordo", policy=CURRENT
        )
        await blocks.draw_list(DrawRequest(request=asked, at=NOW))
        if number == 1:
            decision = Decision(block_id=block_id, by="coordo", at=NOW, policy=CURRENT)
            await ActivityEnvironment().run(blocks.attribute_list, decision)
    return DepartureRequest(
        departure_id=f"{licence}-1",
        physician=licence,
        on=date(2026, 6, 1),
        cause="retired",
        by="coordo",
        policy=CURRENT,
    )


def step(request: DepartureRequest, **more: Any) -> DepartureStep:  # noqa: ANN401 - the fields of a step
    return DepartureStep(request=request, at=NOW, by="coordo", **more)


async def announced(pool: Pool, request: DepartureRequest) -> None:
    """Announce it, and let it take effect."""
    activities = DepartureActivities(pool, Herald())
    first = await activities.announce_departure(step(request))
    assert first == await activities.announce_departure(step(request))
    await activities.begin_departure(step(request))


async def reach(pool: Pool, herald: Herald, request: DepartureRequest) -> Any:  # noqa: ANN401 - what it answers
    return await ActivityEnvironment().run(
        DepartureActivities(pool, herald).reach_attributions, step(request)
    )


async def test_a16_a_turn_that_breaks_off_tells_the_rest_the_next_time(
    pool: Pool, request_: DepartureRequest
) -> None:
    await announced(pool, request_)
    with pytest.raises(ConnectionError):
        await reach(pool, Herald(strength=50), request_)
    kept = await pool.fetchval("SELECT count(*) FROM departure_reached")
    assert kept == 32
    herald = Herald()
    assert (await reach(pool, herald, request_)).model_dump() == {
        "reached": SIZE,
        "remaining": 0,
        "after": None,
    }
    assert (len(herald.told), set(herald.told.values())) == (SIZE - 32, {1})
    again = Herald()
    await reach(pool, again, request_)
    assert not again.told


async def test_a16_an_attribution_that_is_not_in_temporal_yet_is_told_later(
    pool: Pool, request_: DepartureRequest
) -> None:
    await announced(pool, request_)
    absent = await pool.fetchval("SELECT min(attribution_id) FROM attributions")
    activities = DepartureActivities(pool, Herald())
    assert (await reach(pool, Herald(absent=frozenset({absent})), request_)).remaining == 1
    assert not await activities.finish_departure(step(request_))
    herald = Herald()
    assert (await reach(pool, herald, request_)).remaining == 0
    assert list(herald.told) == [absent]
    assert [await activities.finish_departure(step(request_)) for _ in range(2)] == [True, True]
    rows = await pool.fetch(
        "SELECT event FROM records WHERE subject = 'physician' AND subject_id = $1 ORDER BY record_id",
        request_.physician,
    )
    assert [row["event"] for row in rows[1:]] == [
        "departure_announced",
        "departure_effective",
        "departure_done",
    ]


async def test_a16_lists_that_nobody_approved_are_withdrawn(pool: Pool, request_: DepartureRequest) -> None:
    herald = Herald()
    assert await DepartureActivities(pool, herald).withdraw_drawn_lists(step(request_)) == ("2026-0002",)
    assert herald.withdrawn == ["2026-0002"]


async def test_a16_a_draw_and_a_notice_at_once_leave_no_list_that_the_notice_has_not_seen(
    pool: Pool, request_: DepartureRequest
) -> None:
    recorder, herald = Recorder(), Herald()
    blocks = BlockActivities(pool, recorder, recorder)
    activities = DepartureActivities(pool, herald)
    rls = await pool.fetchval("SELECT rls FROM physicians WHERE licence = $1", request_.physician)
    async with pool.acquire() as conn:
        await add_patients(conn, rls, 20)
    asked = [
        BlockRequest(
            block_id=f"2026-{number:04d}",
            physician=request_.physician,
            rls=rls,
            size=2,
            requested_by="coordo",
            policy=CURRENT,
        )
        for number in range(10, 18)
    ]
    draws = [blocks.draw_list(DrawRequest(request=each, at=NOW)) for each in asked]
    drawing, notice = asyncio.gather(*draws), activities.announce_departure(step(request_))
    drawn, _ = await asyncio.gather(drawing, notice)
    seen = await activities.withdraw_drawn_lists(step(request_))
    taken = {each.block_id for each, one in zip(asked, drawn, strict=True) if one.refusal is None}
    assert set(seen) == taken | {"2026-0002"}
    assert {one.refusal.rule for one in drawn if one.refusal} <= {"A16"}


async def test_a16_a_departure_withdrawn_gives_blocks_again_and_once(
    pool: Pool, request_: DepartureRequest
) -> None:
    ahead = request_.model_copy(update={"on": NOW.date() + timedelta(days=30)})
    activities = DepartureActivities(pool, Herald())
    await activities.announce_departure(step(ahead))
    assert await pool.fetchval("SELECT leaves_on FROM physicians") == ahead.on
    for _ in range(2):
        await activities.withdraw_departure(step(ahead, reason="il reste"))
        assert await pool.fetchval("SELECT leaves_on FROM physicians") is None
    assert await pool.fetchval("SELECT count(*) FROM records WHERE event = 'departure_withdrawn'") == 1
