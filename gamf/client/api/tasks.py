"""The account's tasks: what waits for it, until when."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from gamf.client import deciding, looking
from gamf.client.api.call import Called, Sent
from gamf.client.api.values import PAGE_LIMIT, AfterTask, Limit, SortTasks, TaskInPath
from gamf.client.reading import Page, TaskView
from gamf.domain.orders import Listing, order_of

router = APIRouter(tags=["tasks"])


class TaskClosed(BaseModel):
    """A task that is closed, and whether it was open until now."""

    model_config = ConfigDict(frozen=True)

    task_id: str
    was_open: bool


@router.get("/tasks")
async def list_tasks(
    call: Called, sort: SortTasks = None, after: AfterTask = None, limit: Limit = PAGE_LIMIT
) -> Page[TaskView]:
    """List the open tasks, the most urgent first unless sorted, after the page that gave `after`."""
    async with call.desk.pool.acquire() as conn:
        after_task = str(after) if after is not None else None
        return await looking.my_tasks(
            conn, call.seat, order=order_of(Listing.TASKS, sort), after=after_task, limit=limit
        )


@router.post("/tasks/{task_id}/done", response_model=TaskClosed)
async def finish_task(call: Sent, task_id: TaskInPath) -> Response:
    """Close a task by hand."""

    async def work() -> TaskClosed:
        was_open = await deciding.finish_task(call.desk, call.seat, task_id)
        return TaskClosed(task_id=str(task_id), was_open=was_open)

    return await call.answer(work)
