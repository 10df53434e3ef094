"""`gamf task`: what somebody has to decide."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gamf.client.cli import labels, session
from gamf.client.cli.commands import argument, as_json, command, new_group, option, reads_data
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_json
from gamf.client.cli.paging import limited, print_list

if TYPE_CHECKING:
    from gamf.client.reading import Page, TaskView
    from gamf.storage.connection import Connection

task = new_group("task", Text("Les tâches à faire.", "The tasks to do."))


@command(
    "list",
    fr="Lister les tâches ouvertes, les plus urgentes d’abord, et les commandes qui décident.",
    group=task,
)
@option(
    "--owner",
    type=click.Choice(["coordinator", "gaco", "clinic"]),
    fr="À qui elles reviennent.",
    en="Whose they are.",
)
@limited
@reads_data
@as_json
def list_(owner: str | None, limit: int | None, data: Path | None, *, json_wanted: bool) -> None:
    """List the open tasks, the most urgent first, and the commands that decide."""
    from gamf.client import reading  # noqa: PLC0415 - keeps `--help` fast

    async def fetch(conn: "Connection", after: str | None, most: int) -> "Page[TaskView]":
        return await reading.list_tasks(conn, owner=owner, after=after, limit=most)

    headings = [
        say("Tâche", "Task"),
        say("À", "For"),
        say("Attribution", "Attribution"),
        say("Objet", "About"),
        say("Échéance", "Due"),
        say("À décider", "To decide"),
    ]
    print_list(fetch, headings, _row, data=data, limit=limit, json_wanted=json_wanted)


def _row(view: "TaskView") -> tuple[object, ...]:
    owner, kind = labels.label(labels.OWNERS, view.owner), labels.label(labels.TASKS, view.kind)
    decide = "\n".join([say(view.decide_fr, view.decide_en), *view.commands])
    return view.task_id, owner, view.attribution_id, kind, view.due, decide


@command("done", fr="Fermer une tâche faite.", group=task)
@argument(
    "task_id", type=int, fr="Le numéro de la tâche.", en="The task's number.", shown=Text("TÂCHE", "TASK")
)
@reads_data
@as_json
def done(task_id: int, data: Path | None, *, json_wanted: bool) -> None:
    """Close a task that is done."""
    from gamf.client import acting  # noqa: PLC0415 - keeps `--help` fast

    async def work(conn: "Connection") -> bool:
        return await acting.finish_task(conn, task_id, by=session.account(), now=session.now())

    was_open = session.read(data, work)
    if json_wanted:
        print_json({"task_id": task_id, "was_open": was_open})
    elif was_open:
        click.echo(say(f"Tâche {task_id} fermée.", f"Task {task_id} closed."))
    else:
        click.echo(say(f"La tâche {task_id} était déjà fermée.", f"Task {task_id} was closed already."))
