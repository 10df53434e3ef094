"""What attributions report to their block: nothing is lost, and what comes together goes together."""

import asyncio
from typing import Any, cast

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from gamf.activities.messenger import TemporalMessenger

Sent = dict[str, dict[str, str]]


class Blocks:
    """A client whose signals are written down; each waits until it is let through."""

    def __init__(self) -> None:
        self.signals: list[tuple[str, Sent]] = []
        self.open = asyncio.Event()
        self.failures: list[RPCError] = []

    def get_workflow_handle(self, workflow_id: str) -> "Blocks._Handle":
        return self._Handle(self, workflow_id)

    class _Handle:
        def __init__(self, blocks: "Blocks", workflow_id: str) -> None:
            self._blocks = blocks
            self._workflow_id = workflow_id

        async def signal(self, _name: str, argument: Any) -> None:  # noqa: ANN401 - a signal's argument may be anything
            await self._blocks.open.wait()
            if self._blocks.failures:
                raise self._blocks.failures.pop()
            self._blocks.signals.append((self._workflow_id, argument))


def messenger(blocks: Blocks) -> TemporalMessenger:
    return TemporalMessenger(cast("Client", cast("object", blocks)))


async def test_reports_that_come_while_one_is_on_its_way_go_together() -> None:
    blocks = Blocks()
    telling = messenger(blocks)
    reports = [
        asyncio.create_task(telling.tell_block("2026-0001", f"2026-{n:06d}", "confirmed")) for n in range(120)
    ]
    await asyncio.sleep(0)
    blocks.open.set()
    await asyncio.gather(*reports)
    told = [state for _, argument in blocks.signals for state in argument["states"].items()]
    assert sorted(told) == [(f"2026-{n:06d}", "confirmed") for n in range(120)]
    assert [len(argument["states"]) for _, argument in blocks.signals] == [1, 50, 50, 19]


async def test_each_block_hears_of_its_own() -> None:
    blocks = Blocks()
    blocks.open.set()
    telling = messenger(blocks)
    await asyncio.gather(*(telling.tell_block(f"2026-000{n}", f"2026-00000{n}", "refused") for n in (1, 2)))
    assert blocks.signals == [
        ("block-2026-0001", {"states": {"2026-000001": "refused"}}),
        ("block-2026-0002", {"states": {"2026-000002": "refused"}}),
    ]


async def test_a_signal_that_fails_fails_whoever_sent_it_and_the_others_go() -> None:
    blocks = Blocks()
    blocks.failures = [RPCError("away", RPCStatusCode.UNAVAILABLE, b"")]
    telling = messenger(blocks)
    reports = [
        asyncio.create_task(telling.tell_block("2026-0001", f"2026-00000{n}", "confirmed")) for n in range(3)
    ]
    await asyncio.sleep(0)
    blocks.open.set()
    answers = await asyncio.gather(*reports, return_exceptions=True)
    assert [type(answer) for answer in answers] == [RPCError, type(None), type(None)]
    assert [len(argument["states"]) for _, argument in blocks.signals] == [2]


async def test_a_block_that_is_closed_is_not_told() -> None:
    blocks = Blocks()
    blocks.open.set()
    blocks.failures = [RPCError("gone", RPCStatusCode.NOT_FOUND, b"")]
    await messenger(blocks).tell_block("2026-0001", "2026-000001", "confirmed")
    blocks.failures = [RPCError("away", RPCStatusCode.UNAVAILABLE, b"")]
    with pytest.raises(RPCError):
        await messenger(blocks).tell_block("2026-0001", "2026-000001", "confirmed")
