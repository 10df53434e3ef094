"""One task, asked from a seat: what waits for a decision about somebody, who is named by reference."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gamf.client import access, reading
from gamf.client.access import Seat
from gamf.client.reading import TaskView
from gamf.domain.access import Shown
from gamf.domain.effects import Owner
from gamf.domain.roles import Matter, UseCase, check_allowed

if TYPE_CHECKING:
    from gamf.storage.connection import Connection


async def show_task(conn: "Connection", seat: Seat, task_id: int) -> TaskView:
    """Return a task, open or closed.

    Raises:
        RefusedByRuleError: it is not for the actor.
        NotFoundError: there is no such task.
    """
    check_allowed(seat.actor, UseCase.TASK_LIST)
    view = await reading.show_task(conn, task_id)
    check_allowed(seat.actor, UseCase.TASK_LIST, Matter.of(view.rls, view.physician, Owner(view.owner)))
    await note_tasks(conn, seat, [view])
    return view


async def note_tasks(conn: "Connection", seat: Seat, tasks: Sequence[TaskView]) -> None:
    """Write in the log that the people whom these tasks are about are shown."""
    people = [task.patient_id for task in tasks if task.patient_id]
    people += await access.people_of(conn, [task.attribution_id for task in tasks if task.attribution_id])
    await access.note(conn, seat, UseCase.TASK_LIST, (Shown.STANDING,), people)
