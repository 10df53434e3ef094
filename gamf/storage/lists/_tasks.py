"""The tasks."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from gamf.domain.roles import TaskScope
from gamf.storage.connection import Connection
from gamf.storage.pages import Asked, By, Listed, Part, Rows, fetch_one, given, page_of


class TaskFilter(NamedTuple):
    """Which open tasks: of that owner, RLS or physician, due before that instant."""

    owner: str | None = None
    rls: str | None = None
    physician: str | None = None
    due_before: datetime | None = None


_TASKS: Final = """
    SELECT t.task_id, t.attribution_id, t.block_id, t.patient_id, t.kind, t.owner, t.due, t.opened_at, t.closed_at,
           t.closed_by, t.physician, t.rls, n.time_zone, coalesce(t.patient_id, a.patient_id) AS concerned
    FROM tasks t
    JOIN networks n ON n.rls = t.rls
    LEFT JOIN attributions a ON a.attribution_id = t.attribution_id
"""
_LISTED: Final = Listed(
    "tasks",
    "task_id",
    f"{_TASKS} WHERE t.task_id",
    {
        "due": By(("t.due", "t.task_id")),
        "kind": By(("t.kind", "t.due", "t.task_id")),
        "rls": By(("t.rls", "t.due", "t.task_id")),
    },
    numbered=True,
    always="t.closed_at IS NULL",
)
_CONDITIONS: Final = ("t.owner = {}", "t.rls = {}", "t.physician = {}", "t.due < {}")


async def open_tasks(conn: Connection, only: TaskFilter, asked: Asked) -> Rows:
    """Return a page of the open tasks."""
    return await page_of(conn, _LISTED, given(_CONDITIONS, only), None, asked)


async def tasks_within(conn: Connection, scopes: Iterable[TaskScope], asked: Asked) -> Rows:
    """Return a page of the open tasks of these owners, each within its scope."""
    return await page_of(conn, _LISTED, (), _parts(scopes), asked)


def _parts(scopes: Iterable[TaskScope]) -> Sequence[Part] | None:
    """Return a walk of an index for each owner and place; None for everybody's, everywhere."""
    by_place: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for owners, scope in scopes:
        if owners is None and scope.everything:
            return None
        for owner in owners or ():
            if scope.everything:
                by_place.setdefault(("t.owner",), set()).add((owner.value,))
            by_place.setdefault(("t.owner", "t.rls"), set()).update((owner.value, each) for each in scope.rls)
            own = ((owner.value, each) for each in scope.physicians)
            by_place.setdefault(("t.owner", "t.physician"), set()).update(own)
    return [Part(columns, sorted(values)) for columns, values in by_place.items() if values]


async def task(conn: Connection, task_id: int) -> dict[str, Any] | None:
    """Return one task, open or closed, or None."""
    return await fetch_one(conn, f"{_TASKS} WHERE t.task_id = $1", task_id)
