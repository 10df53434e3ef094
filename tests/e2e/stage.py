"""A block of invented patients, each left in another state, on servers with their UI."""

import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from temporalio.client import WorkflowHandle
from temporalio.testing import TimeSkipper

from gamf.client import acting, sample
from gamf.client.acting import Desk
from gamf.domain.names import attribution_workflow_id
from gamf.domain.states import State
from gamf.runtime.database import database_pool
from gamf.runtime.embedded import EmbeddedTemporal
from gamf.runtime.search_attributes import register_search_attributes
from gamf.runtime.settings import Settings
from gamf.runtime.temporal import connect
from gamf.storage.migrate import migrate
from gamf.workers.lifecycle import polling
from gamf.workers.registry import build
from gamf.workflows import visibility

_PEOPLE: Final = 400
_BY: Final = "coordination"
_CLINIC: Final = "clinique"
# One patient of the list for each; the clock of each attribution is its own.
PARTS: Final[tuple[State, ...]] = (
    State.PROPOSED,
    State.PROPOSED,
    State.UNANSWERED,
    State.CONFIRMED,
    State.CONFIRMED,
    State.CONFIRMED,
    State.OVERDUE,
    State.ENROLLED_SV,
    State.ENROLLED_SV,
    State.ENROLLED_MF,
    State.REFUSED,
)


@dataclass(frozen=True)
class Stage:
    """Where the UI is, and who is in which state."""

    ui: str
    desk: Desk
    block_id: str
    states: dict[str, State]

    def those(self, *states: State) -> list[str]:
        """Return the workflow ids of the attributions in those states, in the order of the draw."""
        return [attribution_workflow_id(each) for each, state in self.states.items() if state in states]

    def first(self, state: State) -> str:
        """Return the reference of the first attribution in that state."""
        return next(each for each, found in self.states.items() if found is state)

    async def view(self, workflow_id: str) -> dict[str, Any]:
        """Return what the query `view` answers."""
        answer: dict[str, Any] = await self.desk.temporal.get_workflow_handle(workflow_id).query("view")
        return answer


@asynccontextmanager
async def stage(database_url: str) -> AsyncGenerator[Stage]:
    """Start a Temporal server with its UI and a worker on an empty database, and play every part."""
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        settings = Settings(outbox_dir=Path(name, "outbox"), database_pool_max=10)
        server = EmbeddedTemporal(Path(name), ui_port=0, durable=False, time_skipping=True)
        async with server, database_pool(settings, url=database_url, application="test") as pool:
            async with pool.acquire() as conn:
                await migrate(conn)
            client = await connect(address=server.address)
            await register_search_attributes(client, visibility.ALL_KEYS)
            async with polling(pool, client, settings, build(pool, client, settings)):
                assert server.ui is not None
                yield await _play(server.ui, Desk(pool, client))


async def _play(ui: str, desk: Desk) -> Stage:
    now = datetime.now(UTC)
    licence, *_ = await sample.fill(desk, _PEOPLE, by=_BY, now=now)
    block = await acting.request_block(desk, licence, len(PARTS), by=_BY, now=now)
    approved = await acting.approve_block(desk, block["block_id"], by=_BY)
    ids = [each["attribution_id"] for each in approved["list"]]
    states: dict[str, State] = dict(zip(ids, PARTS, strict=True))
    for number, (attribution_id, state) in enumerate(states.items()):
        await _Part(desk, attribution_id).play(state, number)
    return Stage(ui, desk, block["block_id"], states)


@dataclass(frozen=True)
class _Part:
    """One attribution, brought to the state that it has on the stage."""

    desk: Desk
    attribution_id: str

    async def play(self, state: State, number: int) -> None:
        """Bring it there; its number makes it differ from the others by some hours."""
        if state is State.UNANSWERED:
            await self._skip(timedelta(hours=73))
        elif state is State.REFUSED:
            await self._record("refused", _BY, reason="absence prolongée")
        elif state is not State.PROPOSED:
            await self._accept(state, timedelta(hours=5 * number))

    async def _accept(self, state: State, after: timedelta) -> None:
        await self._skip(after)
        await self._record("accepted", _BY)
        if state is State.OVERDUE:
            await self._skip(timedelta(days=16))
        elif state in {State.ENROLLED_SV, State.ENROLLED_MF}:
            await self._skip(timedelta(days=3))
            view = await self._record("sv_entered", _CLINIC)
            if state is State.ENROLLED_MF:
                await self._record("mf_signed", _CLINIC, signed_on=view["sv"]["start"])

    async def _record(self, fact: str, by: str, **argument: str) -> dict[str, Any]:
        answer: dict[str, Any] = await self._handle.execute_update(
            "record", {"by": by, **argument, "fact": fact}
        )
        return answer

    async def _skip(self, duration: timedelta) -> None:
        await TimeSkipper(self.desk.temporal).fast_forward(self._handle, duration)

    @property
    def _handle(self) -> WorkflowHandle[Any, Any]:
        return self.desk.temporal.get_workflow_handle(attribution_workflow_id(self.attribution_id))
