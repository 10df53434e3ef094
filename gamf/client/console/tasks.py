"""*My tasks*, the first screen: what waits for me, the most urgent first."""

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from gamf.client import deciding, looking, reasons
from gamf.client.cli.language import Text
from gamf.client.console import following, live
from gamf.client.console.fields import Field, fields_of
from gamf.client.console.page import Page, PageVisit, Sent
from gamf.client.console.sorting import sorting
from gamf.client.reading import TaskView
from gamf.domain.orders import Listing
from gamf.domain.roles import UseCase, allowed

router = APIRouter()
_REPORT: Final = "gamf attribution record"
_FACT: Final = 4
"""Which word of that command is the fact."""


@router.get("/")
async def show(page: Page, tri: str = "", apres: str | None = None) -> Response:
    """Show a page of the tasks, the most urgent first unless sorted."""
    if not allowed(page.seat.actor, UseCase.TASK_LIST):
        return page.render("tasks/none.html")
    order = sorting(Listing.TASKS, "/", {}, tri)
    async with page.desk.pool.acquire() as conn:
        kept = await live.of(page, conn, "taches")
        tasks = await looking.my_tasks(conn, page.seat, order=order.asked, after=apres)
        offered = await reasons.list_reasons(conn)
    return page.render(
        "tasks/list.html",
        tasks=tasks,
        sorting=order,
        reasons=offered,
        by_hand={task.task_id for task in tasks.items if closes(page, task)},
        decisions={task.task_id: decisions(page, task) for task in tasks.items},
        now=page.now,
        live=kept,
    )


def decisions(page: PageVisit, task: TaskView) -> list[tuple[str, Text, tuple[Field, ...]]]:
    """Return the facts that decide a task and that the actor may report: each with its words and its fields."""
    words = (command.split() for command in task.commands if command.startswith(_REPORT))
    facts = [each[_FACT] for each in words]
    return [
        (fact, following.FACTS[fact], fields_of(fact))
        for fact in facts
        if allowed(page.seat.actor, UseCase(fact))
    ]


def closes(page: PageVisit, task: TaskView) -> bool:
    """Tell whether one may close a task by hand; some close themselves with the decision only."""
    may_close = allowed(page.seat.actor, UseCase.TASK_DONE)
    return may_close and any(command.startswith("gamf task done") for command in task.commands)


@router.post("/taches/{task_id}/fermer")
async def close(page: Sent, task_id: int) -> Response:
    """Close a task that is done."""
    was_open = await deciding.finish_task(page.desk, page.seat, task_id)
    return page.go("/", "task_done" if was_open else "task_was_done")
