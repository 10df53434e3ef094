"""`gamf access-log`: who looked at whom, when, and what they were shown (LRSSS, s. 103)."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gamf.client.cli import session
from gamf.client.cli.commands import as_json, command, group_that_acts, option, reads_data
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_json, print_table
from gamf.client.cli.paging import limited, print_list
from gamf.client.cli.values import Day, Month

if TYPE_CHECKING:
    from gamf.client.access_log import LookView, Summary
    from gamf.client.reading import Page
    from gamf.storage.connection import Connection


@group_that_acts(
    "access-log",
    words=Text(
        """Le journal des accès : chaque consultation d’une personne, la dernière d’abord (LRSSS, art. 103).

        Par exemple : gamf access-log --account mtremblay""",
        """The access log: every look at a person, the latest first (LRSSS, s. 103).

        For instance: gamf access-log --account mtremblay""",
    ),
)
@option(
    "--patient",
    shown=Text("PATIENT", "PATIENT"),
    fr="De ce patient, par son identifiant opaque ou son NAM.",
    en="Of that patient, by the opaque identifier or the NAM.",
)
@option("--account", shown=Text("COMPTE", "ACCOUNT"), fr="Par ce compte.", en="By that account.")
@option(
    "--since",
    type=Day(),
    shown=Text("DATE", "DATE"),
    fr="À partir de ce jour, au Québec.",
    en="From that day on, in Québec.",
)
@option(
    "--until",
    type=Day(),
    shown=Text("DATE", "DATE"),
    fr="Jusqu’à ce jour compris.",
    en="To that day included.",
)
@limited
@reads_data
@as_json
def access_log(
    ctx: click.Context,
    patient: str | None,
    account: str | None,
    since: date | None,
    until: date | None,
    limit: int | None,
    data: Path | None,
    *,
    json_wanted: bool,
) -> None:
    """List the looks, the latest first, at a patient or by an account; this one is in the log too."""
    if ctx.invoked_subcommand is not None:
        return
    from gamf.client import access_log as use_cases  # noqa: PLC0415 - keeps `--help` fast

    asked, seat = use_cases.LooksAsked(patient, account, since, until), session.seat()

    async def fetch(conn: "Connection", after: str | None, most: int) -> "Page[LookView]":
        return await use_cases.list_looks(conn, seat, asked, after=after, limit=most)

    headings = [
        say("Quand", "When"),
        say("Compte", "Account"),
        say("Par", "By way of"),
        say("D’où", "From"),
        say("Pour", "To"),
        say("Montré", "Shown"),
        say("Personnes", "People"),
    ]
    print_list(fetch, headings, _row, data=data, limit=limit, json_wanted=json_wanted)


def _row(view: "LookView") -> tuple[object, ...]:
    from gamf.domain.access import SHOWN_LABELS, Shown  # noqa: PLC0415 - keeps `--help` fast
    from gamf.domain.roles import LABELS, UseCase  # noqa: PLC0415 - the same

    kinds = ", ".join(str(Text(*SHOWN_LABELS[Shown(each)])) for each in view.shown)
    shown = say("refusé", "refused") if view.refused else kinds
    people = view.patients[0] if view.people == 1 else view.people
    use_case = str(Text(*LABELS[UseCase(view.use_case)]))
    return view.at, view.account, view.channel, view.address, use_case, shown, people


@command(
    "summary",
    fr="""Résumer un mois, compte par compte, et signaler ce qui sort de l’ordinaire.

    Chaque signalement dit ce qui a été compté et le seuil ; il n’accuse personne.""",
    group=access_log,
)
@option(
    "--month",
    required=True,
    type=Month(),
    shown=Text("MOIS", "MONTH"),
    fr="Le mois, AAAA-MM.",
    en="The month, YYYY-MM.",
)
@reads_data
@as_json
def summary(month: date, data: Path | None, *, json_wanted: bool) -> None:
    """Summarize a month, account by account, and point out what is out of the ordinary.

    Each finding says what was counted and the threshold; it accuses nobody.
    """
    from gamf.client import access_log as use_cases  # noqa: PLC0415 - keeps `--help` fast

    async def work(conn: "Connection") -> "Summary":
        return await use_cases.summarize(conn, session.seat(), month)

    found = session.read(data, work)
    if json_wanted:
        print_json(found)
    else:
        _print_summary(found)


def _print_summary(found: "Summary") -> None:
    headings = [
        say("Compte", "Account"),
        say("Consultations", "Looks"),
        say("D’une personne", "At one person"),
        say("La nuit", "At night"),
        say("Refusées", "Refused"),
        say("De la même", "At the same"),
    ]
    rows = [
        (each.account, each.looks, each.by_one, each.at_night, each.refused, each.most_of_one)
        for each in found.accounts
    ]
    print_table(headings, rows)
    click.echo()
    click.echo(say("Sort de l’ordinaire :", "Out of the ordinary:"))
    print_table(
        [say("Compte", "Account"), say("Ce qui est signalé", "What is pointed out")],
        [(each.account, say(each.fr, each.en)) for each in found.unusual],
    )
