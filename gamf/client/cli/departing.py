"""`gamf physician …`: a physician leaves, stays after all, comes back; `gamf.client.departing` does it."""

from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gamf.client.cli import labels, session
from gamf.client.cli.commands import argument, as_json, command, option, reads_data
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_fields, print_json
from gamf.client.cli.paging import limited, print_list
from gamf.client.cli.values import LICENCE, Day
from gamf.domain import departure as rules

if TYPE_CHECKING:
    from gamf.client.acting import Desk
    from gamf.client.asking import View
    from gamf.client.departing import DepartingView, DepartureEntry, ReachedView
    from gamf.client.reading import Page
    from gamf.storage.connection import Connection

licence_argument = argument(
    "licence",
    type=LICENCE,
    fr="Le permis, de 5 chiffres.",
    en="The licence, of 5 digits.",
    shown=Text("PERMIS", "LICENCE"),
)
_reason_option = option(
    "--reason", required=True, shown=Text("MOTIF", "REASON"), fr="Pourquoi (A20).", en="Why (A20)."
)


def _effect(on: date | None, mailed_on: date | None, delay: int) -> date:
    """Return the day of effect, given as it is or by the day on which the notice was mailed."""
    if (on is None) == (mailed_on is None):
        raise click.UsageError(
            say("Donnez --on ou --mailed-on, l’un des deux.", "Give --on or --mailed-on, one of them.")
        )
    if on is not None:
        return on
    assert mailed_on is not None  # noqa: S101 - one of the two is given
    computed = {
        rules.NOTICE_DAYS: rules.effect_of_notice,
        rules.REENGAGEMENT_DAYS: rules.effect_of_reengagement,
    }
    return computed[delay](mailed_on)


@command(
    "leaves",
    fr="""Annoncer qu’un médecin part, décède ou cesse de participer (A16).

    Aucun nouveau bloc à partir de l’annonce. À la date, chaque attribution est avisée une fois : les inscriptions
    SV ferment la veille, les patients reviennent sur la liste à leur date initiale.""",
)
@licence_argument
@option("--on", type=Day(), shown=Text("DATE", "DATE"), fr="Prise d’effet.", en="Effective date.")
@option(
    "--mailed-on",
    type=Day(),
    shown=Text("DATE", "DATE"),
    fr="Mise à la poste de l’avis : prise d’effet le 30e jour qui suit.",
    en="Mailing of the notice: it takes effect on the 30th day after.",
)
@option("--cause", required=True, type=click.Choice(rules.CAUSES), fr="Pourquoi.", en="Why.")
@reads_data
@as_json
def leaves(
    licence: str, on: date | None, mailed_on: date | None, cause: str, data: Path | None, *, json_wanted: bool
) -> None:
    """Announce that a physician leaves, dies or stops participating (A16).

    No new block from the notice on. On the date each attribution is told once: SV enrolments close the day before,
    patients are back on the list at their initial date.
    """
    from gamf.client import deciding_departures  # noqa: PLC0415 - keeps `--help` fast

    day = _effect(on, mailed_on, rules.NOTICE_DAYS)

    async def act(desk: "Desk") -> "View":
        return await deciding_departures.announce(desk, session.seat(), licence, day, cause)

    _print(session.act(data, act), json_wanted=json_wanted)


@command("stays", fr="Retirer un départ annoncé, avant sa date : le médecin reste (A16, A20).")
@licence_argument
@_reason_option
@reads_data
@as_json
def stays(licence: str, reason: str, data: Path | None, *, json_wanted: bool) -> None:
    """Withdraw an announced departure before its date: the physician stays (A16, A20)."""
    from gamf.client import deciding_departures  # noqa: PLC0415 - keeps `--help` fast

    async def act(desk: "Desk") -> "View":
        return await deciding_departures.withdraw(desk, session.seat(), licence, reason)

    _print(session.act(data, act), json_wanted=json_wanted)


@command("returns", fr="Consigner le retour d’un médecin qui était parti : il peut avoir des blocs (R3).")
@licence_argument
@option("--on", type=Day(), shown=Text("DATE", "DATE"), fr="Depuis ce jour.", en="Since that day.")
@option(
    "--mailed-on",
    type=Day(),
    shown=Text("DATE", "DATE"),
    fr="Mise à la poste du réengagement : effet le 8e jour qui suit.",
    en="Mailing of the re-engagement: it takes effect on the 8th day after.",
)
@_reason_option
@reads_data
@as_json
def returns(
    licence: str,
    on: date | None,
    mailed_on: date | None,
    reason: str,
    data: Path | None,
    *,
    json_wanted: bool,
) -> None:
    """Record that a physician who had left is back: they may have blocks (R3)."""
    from gamf.client import deciding_departures  # noqa: PLC0415 - keeps `--help` fast

    day = _effect(on, mailed_on, rules.REENGAGEMENT_DAYS)

    async def work(conn: "Connection") -> "DepartingView":
        return await deciding_departures.come_back(conn, session.seat(), licence, day, reason)

    view = session.read(data, work)
    if json_wanted:
        print_json(view)
    else:
        print_physician(view)


@command("reached", fr="Lister les attributions que le dernier départ d’un médecin a avisées.")
@licence_argument
@limited
@reads_data
@as_json
def reached(licence: str, limit: int | None, data: Path | None, *, json_wanted: bool) -> None:
    """List the attributions that a physician's latest departure has told."""
    from gamf.client import looking_physicians  # noqa: PLC0415 - keeps `--help` fast

    async def fetch(conn: "Connection", after: str | None, most: int) -> "Page[ReachedView]":
        return await looking_physicians.list_reached(conn, session.seat(), licence, after=after, limit=most)

    headings = [
        "Attribution",
        say("Bloc", "Block"),
        "Patient",
        say("Avisée le", "Told at"),
        say("État", "State"),
        say("Terminée le", "Ended on"),
    ]
    print_list(fetch, headings, _row, data=data, limit=limit, json_wanted=json_wanted)


def _row(view: "ReachedView") -> tuple[object, ...]:
    return (
        view.attribution_id,
        view.block_id,
        view.patient_id,
        view.at,
        labels.state(view.state),
        view.ended_on,
    )


@command("show", fr="Montrer un médecin, ses attributions en cours et ses départs.")
@licence_argument
@reads_data
@as_json
def show(licence: str, data: Path | None, *, json_wanted: bool) -> None:
    """Show a physician, how many attributions they have under way, and their departures."""
    from gamf.client import looking  # noqa: PLC0415 - keeps `--help` fast

    view = session.read(data, partial(looking.show_physician, seat=session.seat(), licence=licence))
    if json_wanted:
        print_json(view)
    else:
        print_physician(view)


def print_physician(view: "DepartingView") -> None:
    """Print a physician and their departures."""
    print_fields(
        [
            (say("Permis", "Licence"), view.licence),
            (say("Nom", "Name"), f"{view.first_name} {view.last_name}"),
            ("RLS", view.rls),
            (say("Statut", "Status"), labels.label(labels.STATUSES, view.status)),
            (say("Lieu", "Place"), view.place),
            (say("Adresse", "Address"), f"{view.address}, {view.city} {view.postal_code}"),
            (say("Courriel", "E-mail"), view.email),
            (say("Départ le", "Leaves on"), view.leaves_on),
            (say("Attributions en cours", "Attributions under way"), view.under_way),
            (say("Attributions par état", "Attributions by state"), labels.counts(view.by_state)),
        ]
    )
    for each in view.departures:
        click.echo()
        print_fields(_fields(_as_view(each)))


def _as_view(entry: "DepartureEntry") -> "View":
    return entry.model_dump(mode="json")


def _print(view: "View", *, json_wanted: bool) -> None:
    if json_wanted:
        print_json(view)
    else:
        print_fields(_fields(view))


def _fields(view: "View") -> list[tuple[str, Any]]:
    return [
        (say("Départ", "Departure"), view["departure_id"]),
        (say("État", "State"), labels.label(labels.DEPARTURES, view["state"])),
        (say("Motif", "Cause"), labels.label(labels.PHYSICIAN_CAUSES, view["cause"])),
        (say("Prise d’effet", "Effective on"), view["on"]),
        (say("Annoncé le", "Announced at"), labels.instant(view["announced_at"])),
        (say("Annoncé par", "Announced by"), view["announced_by"]),
        (say("Attributions avisées", "Attributions told"), view["reached"]),
        (say("À aviser", "To be told"), view["remaining"]),
        (say("Listes retirées", "Lists withdrawn"), ", ".join(view.get("withdrawn_blocks", ()))),
        (say("Retiré parce que", "Withdrawn because"), view["reason"]),
    ]
