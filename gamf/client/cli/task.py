"""`gamf task`: what somebody has to decide."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gamf.client.cli import labels, session
from gamf.client.cli.commands import argument, as_json, command, new_group, option, reads_data
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_fields, print_json
from gamf.client.cli.paging import limited, print_list, sorted_by
from gamf.client.cli.values import LICENCE, Day
from gamf.domain.orders import Listing, Order

if TYPE_CHECKING:
    from gamf.client.reading import Page, TaskView
    from gamf.storage.connection import Connection

task = new_group("task", Text("Les tâches à faire.", "The tasks to do."))
task_argument = argument(
    "task_id", type=int, fr="Le numéro de la tâche.", en="The task's number.", shown=Text("TÂCHE", "TASK")
)


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
@option("--rls", shown=Text("RLS", "RLS"), fr="De ce RLS.", en="Of that RLS.")
@option(
    "--physician", type=LICENCE, shown=Text("PERMIS", "LICENCE"), fr="De ce médecin.", en="Of that physician."
)
@option(
    "--due-before",
    type=Day(),
    shown=Text("DATE", "DATE"),
    fr="À faire avant ce jour, au RLS (à Montréal si plusieurs).",
    en="Due before that day, in the RLS (in Montréal if there are several).",
)
@sorted_by(Listing.TASKS)
@limited
@reads_data
@as_json
def list_(
    owner: str | None,
    rls: str | None,
    physician: str | None,
    due_before: date | None,
    sort: Order | None,
    limit: int | None,
    data: Path | None,
    *,
    json_wanted: bool,
) -> None:
    """List the open tasks, the most urgent first, and the commands that decide."""
    from gamf.client import looking_tasks, reading  # noqa: PLC0415 - keeps `--help` fast
    from gamf.client.tasks import chosen  # noqa: PLC0415 - the same
    from gamf.storage.lists import TaskFilter  # noqa: PLC0415 - the same

    seat = session.seat()

    async def fetch(conn: "Connection", after: str | None, most: int) -> "Page[TaskView]":
        only = await chosen(conn, TaskFilter(owner, rls, physician), due_before)
        page = await reading.list_tasks(conn, only, order=sort, after=after, limit=most)
        await looking_tasks.note_tasks(conn, seat, page.items)
        return page

    headings = [
        say("Tâche", "Task"),
        say("À", "For"),
        "RLS",
        say("Médecin", "Physician"),
        say("Au sujet de", "About"),
        say("Objet", "Subject"),
        say("Échéance", "Due"),
        say("À décider", "To decide"),
    ]
    print_list(fetch, headings, _row, data=data, limit=limit, json_wanted=json_wanted)


def _row(view: "TaskView") -> tuple[object, ...]:
    owner, kind = labels.label(labels.OWNERS, view.owner), labels.label(labels.TASKS, view.kind)
    due = labels.until(view.due, view.time_zone)
    return view.task_id, owner, view.rls, view.physician, _about(view), kind, due, _decide(view)


def _about(view: "TaskView") -> str | None:
    return view.attribution_id or view.block_id or view.patient_id


def _decide(view: "TaskView") -> str:
    return "\n".join([say(view.decide_fr, view.decide_en), *view.commands])


@command("show", fr="Montrer une tâche, ouverte ou fermée.", group=task)
@task_argument
@reads_data
@as_json
def show(task_id: int, data: Path | None, *, json_wanted: bool) -> None:
    """Show a task, open or closed."""
    from gamf.client import looking_tasks  # noqa: PLC0415 - keeps `--help` fast

    async def work(conn: "Connection") -> "TaskView":
        return await looking_tasks.show_task(conn, session.seat(), task_id)

    view = session.read(data, work)
    if json_wanted:
        print_json(view)
        return

    def local(at: datetime | None) -> datetime | None:
        return labels.instant(at, view.time_zone)

    print_fields(
        [
            (say("Tâche", "Task"), view.task_id),
            (say("À", "For"), labels.label(labels.OWNERS, view.owner)),
            ("RLS", view.rls),
            (say("Médecin", "Physician"), view.physician),
            (say("Au sujet de", "About"), _about(view)),
            (say("Objet", "Subject"), labels.label(labels.TASKS, view.kind)),
            (say("Échéance", "Due"), labels.until(view.due, view.time_zone)),
            (say("Ouverte le", "Opened at"), local(view.opened_at)),
            (say("Fermée le", "Closed at"), local(view.closed_at)),
            (say("Fermée par", "Closed by"), view.closed_by),
            (say("À décider", "To decide"), say(view.decide_fr, view.decide_en)),
            *((say("Commande", "Command"), each) for each in view.commands),
        ]
    )


@command("done", fr="Fermer une tâche faite.", group=task)
@task_argument
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
