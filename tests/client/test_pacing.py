"""The pace of bulk commands: slower when the servers are silent, faster as they answer, and an end to patience."""

import asyncio
from datetime import timedelta
from functools import partial

import asyncpg
import pytest

from gamf.client.errors import NotThereError
from gamf.client.pacing import Pace, for_each
from gamf.runtime.errors import ServiceUnreachable

NO_PATIENCE = timedelta(seconds=-1)


def silence(kind: type[ServiceUnreachable] = ServiceUnreachable) -> ServiceUnreachable:
    return kind("Temporal", fr="muet", en="silent")


class Server:
    """It fails so many times, then answers; it knows how many it served at a time."""

    def __init__(self, *faults: BaseException) -> None:
        self.faults: list[BaseException] = list(faults)
        self.now: int = 0
        self.most: int = 0
        self.served: list[int] = []

    async def serve(self, item: int) -> int:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0)
            if self.faults:
                raise self.faults.pop(0)
            self.served.append(item)
            return item
        finally:
            self.now -= 1


@pytest.mark.parametrize(
    "fault",
    [
        silence(),
        OSError("gone"),
        asyncpg.ConnectionDoesNotExistError("gone"),
        asyncpg.AdminShutdownError("gone"),
        asyncpg.CannotConnectNowError("starting"),
    ],
)
async def test_what_is_silent_is_asked_again_and_it_is_said(fault: BaseException) -> None:
    told: list[tuple[float, str]] = []
    pace = Pace(told=lambda seconds, why: told.append((seconds, why.service)))
    assert await pace.bear(partial(Server(fault).serve, 7)) == 7
    assert [seconds for seconds, _ in told] == [0.5]
    assert told[0][1] == ("Temporal" if isinstance(fault, ServiceUnreachable) else "PostgreSQL")


async def test_those_under_way_together_fail_together_and_half_as_many_go_on() -> None:
    told: list[float] = []
    pace = Pace(told=lambda seconds, _: told.append(seconds))
    before = pace.at_once
    server = Server(*(silence() for _ in range(int(before))))
    assert await for_each(range(40), server.serve, pace) == 40
    assert told == [0.5]
    assert sorted(server.served) == list(range(40))
    assert server.most <= before


async def test_it_grows_as_answers_come_and_never_past_the_most() -> None:
    pace, server = Pace(most=12), Server()
    assert await for_each(range(500), server.serve, pace) == 500
    assert pace.at_once == pytest.approx(12)
    assert server.most == 12


async def test_patience_has_an_end() -> None:
    pace = Pace(patience=NO_PATIENCE)
    with pytest.raises(ServiceUnreachable):
        await pace.bear(partial(Server(silence(), silence()).serve, 1))


async def test_one_that_is_not_there_is_no_reason_to_wait() -> None:
    told: list[float] = []
    pace = Pace(told=lambda seconds, _: told.append(seconds))
    with pytest.raises(NotThereError):
        await pace.bear(partial(Server(silence(NotThereError)).serve, 1))
    assert told == []


async def test_another_fault_ends_it_and_nothing_goes_on_behind() -> None:
    server = Server(ValueError("x"))
    with pytest.raises(ValueError, match="x"):
        await for_each(range(1_000), server.serve, Pace())
    served = len(server.served)
    await asyncio.sleep(0)
    assert (len(server.served), server.now) == (served, 0)
