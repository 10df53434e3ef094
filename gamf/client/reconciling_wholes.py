"""Reconciliation of what holds many attributions together: the blocks, and the departures of physicians."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy

from gamf.activities.blocks import Listed
from gamf.client import asking, comparing, mending
from gamf.client.acting import Desk
from gamf.domain import tasks as deciding
from gamf.domain.block import BlockRequest, BlockState
from gamf.domain.calendar import PROVINCE
from gamf.domain.departure import DepartureRequest, effective_at
from gamf.domain.effects import Owner, TaskKind
from gamf.domain.names import TASK_QUEUE, block_workflow_id, departure_workflow_id
from gamf.domain.policy import CURRENT
from gamf.domain.reconciliation import Difference, Life, compare_whole
from gamf.domain.reliving import NotRelivedError
from gamf.runtime.errors import Fault, ServiceUnreachable
from gamf.storage import reconciliation, tasks
from gamf.storage.connection import Connection
from gamf.workflows import visibility
from gamf.workflows.carried import BlockArgument, CarriedBlock
from gamf.workflows.inbox import Memory

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """Blocks, or departures: where both sides of one are found, and how its workflow begins where the database is."""

    subject: Literal["block", "departure"]
    workflow_type: str
    workflow_id: Callable[[str], str]
    open: Callable[[Connection], Awaitable[list[str]]]
    row: Callable[[Connection, str], Awaitable[dict[str, Any] | None]]
    start: Callable[[Desk, Row], Awaitable[None]]


async def suspects(desk: Desk, kind: Kind) -> Sequence[str]:
    """Return, in order, all that is open on either side.

    Raises:
        ServiceUnreachable: a service is silent.
    """
    running = await comparing.running_ids(desk.temporal, kind.workflow_type, kind.workflow_id(""))
    async with desk.pool.acquire() as conn:
        kept = await kind.open(conn)
    return sorted(running | set(kept))


async def look(desk: Desk, kind: Kind, reference: str) -> tuple[Difference | None, str | None]:
    """Compare the two sides as they are now; return how they differ, and the state that the workflow says.

    Raises:
        ServiceUnreachable: a service is silent.
    """
    workflow_id = kind.workflow_id(reference)
    life = comparing.life_of(await comparing.describe(desk.temporal, workflow_id))
    try:
        view = await asking.view(desk.temporal, workflow_id) if life in {Life.RUNNING, Life.COMPLETED} else {}
    except ServiceUnreachable:
        raise
    except Fault:
        return Difference.UNREADABLE, None
    async with desk.pool.acquire() as conn:
        row = await kind.row(conn, reference)
    lived = view.get("state")
    return compare_whole(row["state"] if row else None, life, lived), lived


async def mend(desk: Desk, kind: Kind, reference: str) -> None:
    """Let the workflow go on from its last whole task, or begin where the database is.

    Raises:
        NotRelivedError: it began under a policy of another version.
    """
    if await mending.go_on(desk, kind.workflow_id(reference)):
        return
    async with desk.pool.acquire() as conn:
        row = await kind.row(conn, reference)
    if row is None or row["policy"] != CURRENT.version:
        raise NotRelivedError("policy")
    await kind.start(desk, row)


async def ask(desk: Desk, kind: Kind, reference: str, now: datetime) -> bool:
    """Open a task about a block; return False for a departure, or a block without a row, which no task can be about."""
    if kind is not BLOCKS:
        return False
    async with desk.pool.acquire() as conn, conn.transaction():
        if await kind.row(conn, reference) is None:
            return False
        due = deciding.due(now, CURRENT, PROVINCE)
        asked, owner = TaskKind.DIFFERENCE, Owner.COORDINATOR
        await tasks.open_about_block(conn, reference, asked, owner, 0, now, due)
    return True


async def _start_block(desk: Desk, row: Row) -> None:
    block_id = row["block_id"]
    async with desk.pool.acquire() as conn:
        lines = await reconciliation.block_list(conn, block_id)
        refused = await reconciliation.refused_count(conn, "block", block_id)
    request = BlockRequest(
        block_id=block_id,
        physician=row["physician"],
        rls=row["rls"],
        size=row["size"],
        requested_by=row["requested_by"],
        policy=CURRENT,
    )
    carried = CarriedBlock(
        state=BlockState(row["state"]),
        listed=tuple(_listed(line) for line in lines),
        states={line.attribution_id: line.state for line in lines if line.attribution_id and line.state},
        attributed_at=row["attributed_at"],
        deadline=row["deadline"],
        time_zone=row["time_zone"],
        inbox=Memory(total=refused),
    )
    await _start(
        desk,
        BLOCKS,
        block_id,
        BlockArgument(**request.model_dump(), carried=carried),
        visibility.block_summary(request),
        TypedSearchAttributes(
            (
                SearchAttributePair(visibility.BLOCK, block_id),
                SearchAttributePair(visibility.PHYSICIAN, request.physician),
                SearchAttributePair(visibility.RLS, request.rls),
            )
        ),
    )


def _listed(line: reconciliation.Listed) -> Listed:
    return Listed(
        patient_id=line.patient_id,
        priority=line.priority,
        vulnerable=line.vulnerable,
        attribution_id=line.attribution_id,
        replaces=line.replaces,
        # Whoever was attributed with the list needs no instant of their own.
        attributed_at=line.attributed_at if line.replaces else None,
    )


async def _start_departure(desk: Desk, row: Row) -> None:
    request = DepartureRequest(
        departure_id=row["departure_id"],
        physician=row["physician"],
        on=row["leaves_on"],
        cause=row["cause"],
        by=row["announced_by"],
        policy=CURRENT,
    )
    shown = visibility.departure_pairs(request, row["rls"], effective_at(request.on, row["time_zone"]))
    summary = visibility.departure_summary(request)
    await _start(desk, DEPARTURES, request.departure_id, request, summary, shown)


async def _start(  # noqa: PLR0913, PLR0917 - the parts of one start
    desk: Desk, kind: Kind, reference: str, argument: object, summary: str, shown: TypedSearchAttributes
) -> None:
    async with asking.answering(desk.temporal):
        await desk.temporal.start_workflow(
            kind.workflow_type,
            argument,
            id=kind.workflow_id(reference),
            task_queue=TASK_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            search_attributes=shown,
            static_summary=summary,
            rpc_timeout=asking.PATIENCE,
        )


BLOCKS: Final = Kind(
    "block", "Block", block_workflow_id, reconciliation.open_blocks, reconciliation.block, _start_block
)
DEPARTURES: Final = Kind(
    "departure",
    "PhysicianDeparture",
    departure_workflow_id,
    reconciliation.open_departures,
    reconciliation.departure,
    _start_departure,
)
