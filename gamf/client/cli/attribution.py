"""`gamf attribution`: the attributions and the facts reported about them."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gamf.client.cli import labels, session
from gamf.client.cli.commands import argument, as_json, command, new_group, option, reads_data
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_fields, print_json, print_table
from gamf.client.cli.paging import limited, print_list, sorted_by
from gamf.client.cli.values import ATTRIBUTION, BLOCK, LICENCE, Day, KeyValue
from gamf.domain.calendar import PROVINCE, start_of_day
from gamf.domain.facts import FACTS
from gamf.domain.orders import Listing, Order
from gamf.domain.states import State

if TYPE_CHECKING:
    from gamf.client.acting import Desk
    from gamf.client.asking import View
    from gamf.client.reading import AttributionView, Page
    from gamf.storage.connection import Connection

attribution = new_group("attribution", Text("Les attributions.", "Attributions."))
attribution_argument = argument(
    "attribution_id",
    type=ATTRIBUTION,
    fr="L’attribution, comme 2026-000042.",
    en="The attribution, such as 2026-000042.",
    shown=Text("ATTRIBUTION", "ATTRIBUTION"),
)


@command(
    "show", fr="Montrer une attribution : son état, son échéance, ce qui a été rapporté.", group=attribution
)
@attribution_argument
@reads_data
@as_json
def show(attribution_id: str, data: Path | None, *, json_wanted: bool) -> None:
    """Show an attribution: its state, its deadline, what was reported."""
    from gamf.client import looking  # noqa: PLC0415 - keeps `--help` fast

    async def act(desk: "Desk") -> "View":
        return await looking.show_attribution(desk, session.seat(), attribution_id)

    _print(session.act(data, act), json_wanted=json_wanted)


@command(
    "record",
    fr="""Consigner un fait au sujet d’une attribution, par des mots clé=valeur.

    Par exemple : gamf attribution record 2026-000042 mf_signed signed_on=2026-09-01

    Le même fait redonné tel quel ne compte qu’une fois. « by » est GAMF_ACCOUNT, sinon votre compte.""",
    group=attribution,
)
@attribution_argument
@argument(
    "fact",
    type=click.Choice(list(FACTS)),
    fr="Le fait : " + ", ".join(FACTS) + ".",
    en="The fact: " + ", ".join(FACTS) + ".",
    shown=Text("FAIT", "FACT"),
)
@argument(
    "values",
    nargs=-1,
    type=KeyValue(),
    fr="Ce que le fait demande : on, reason, signed_on…",
    en="What the fact asks for: on, reason, signed_on…",
    shown=Text("clé=valeur", "key=value"),
)
@reads_data
@as_json
def record(
    attribution_id: str,
    fact: str,
    values: tuple[tuple[str, str], ...],
    data: Path | None,
    *,
    json_wanted: bool,
) -> None:
    """Record a fact about an attribution, by words key=value.

    For instance: gamf attribution record 2026-000042 mf_signed signed_on=2026-09-01

    The same fact given again as it was counts once. “by” is GAMF_ACCOUNT, else your account.
    """
    from gamf.client import deciding  # noqa: PLC0415 - keeps `--help` fast
    from gamf.domain import facts  # noqa: PLC0415 - the same

    given = {"by": session.account(), **dict(values)}
    facts.parse(fact, given)

    async def act(desk: "Desk") -> "View":
        return await deciding.record_fact(desk, session.seat(), attribution_id, fact, given)

    _print(session.act(data, act), json_wanted=json_wanted)


@command("list", fr="Lister les attributions ; avec --due-before, par échéance.", group=attribution)
@option(
    "--state", type=click.Choice([state.value for state in State]), fr="En cet état.", en="In that state."
)
@option(
    "--physician", type=LICENCE, shown=Text("PERMIS", "LICENCE"), fr="De ce médecin.", en="Of that physician."
)
@option("--block", "block_id", type=BLOCK, shown=Text("BLOC", "BLOCK"), fr="De ce bloc.", en="Of that block.")
@option(
    "--due-before",
    type=Day(),
    shown=Text("DATE", "DATE"),
    fr="À échéance avant ce jour.",
    en="Due before that day.",
)
@sorted_by(Listing.ATTRIBUTIONS)
@limited
@reads_data
@as_json
def list_(
    state: State | None,
    physician: str | None,
    block_id: str | None,
    due_before: date | None,
    sort: Order | None,
    limit: int | None,
    data: Path | None,
    *,
    json_wanted: bool,
) -> None:
    """List the attributions; with --due-before, by deadline."""
    from gamf.client import looking  # noqa: PLC0415 - keeps `--help` fast
    from gamf.storage.lists import AttributionFilter  # noqa: PLC0415 - the same

    # The list may be of several RLS: a day begins when it does in most of them, wherever this machine is.
    due = start_of_day(due_before, PROVINCE) if due_before else None
    only, seat = AttributionFilter(state, physician, block_id, None, due), session.seat()

    async def fetch(conn: "Connection", after: str | None, most: int) -> "Page[AttributionView]":
        return await looking.list_attributions(conn, seat, only, order=sort, after=after, limit=most)

    headings = [
        say("Attribution", "Attribution"),
        say("Bloc", "Block"),
        say("Médecin", "Physician"),
        say("Priorité", "Priority"),
        say("Vulnérable", "Vulnerable"),
        say("État", "State"),
        say("Échéance", "Deadline"),
        say("On attend", "Waiting for"),
    ]
    print_list(fetch, headings, _row, data=data, limit=limit, json_wanted=json_wanted)


def _row(view: "AttributionView") -> tuple[object, ...]:
    owner = labels.label(labels.OWNERS, view.waiting_for)
    state = labels.state(view.state)
    return (
        view.attribution_id,
        view.block_id,
        view.physician,
        view.priority,
        view.vulnerable,
        state,
        view.deadline and labels.until(view.deadline, view.time_zone),
        owner,
    )


def _print(view: "View", *, json_wanted: bool) -> None:
    if json_wanted:
        print_json(view)
    else:
        print_attribution(view)


def print_attribution(view: "View") -> None:
    """Print an attribution: where it is, what is awaited, and its history."""
    print_fields(
        [
            (say("Attribution", "Attribution"), view["attribution_id"]),
            (say("État", "State"), labels.state(view["state"])),
            (say("Échéance", "Deadline"), _deadline(view)),
            (say("On attend", "Waiting for"), labels.label(labels.OWNERS, view["waiting_for"])),
            (say("Terminée le", "Ended on"), view.get("ended_on")),
            (say("Médecin", "Physician"), view["physician"]),
            ("Patient", view["patient_id"]),
            (say("Bloc", "Block"), view["block_id"]),
            (
                say("Attribuée hors système, prise le", "Attributed outside, taken in on"),
                view.get("adopted_on"),
            ),
            (say("Remplace", "Replaces"), view.get("replaces")),
            (say("Remplacée par", "Replaced by"), view.get("replaced_by")),
            (say("Priorité", "Priority"), view["priority"]),
            (say("Vulnérable", "Vulnerable"), view["vulnerable"]),
            (say("Inscription SV", "SV enrolment"), period(view["sv"])),
            (say("Inscription MF", "MF enrolment"), period(view["mf"])),
        ]
    )
    _print_history(view)
    _print_refused(view)


def _deadline(view: "View") -> str | None:
    at = labels.instant(view["deadline"])
    return labels.until(at, view["time_zone"]) if at else None


def period(enrolment: dict[str, Any] | None) -> str:
    """Return the dates of an enrolment, as a person reads them."""
    if enrolment is None:
        return ""
    voided = say(" (annulée)", " (voided)") if enrolment["voided"] else ""
    end = f" – {enrolment['end']}" if enrolment["end"] else ""
    return f"{enrolment['start']}{end}{voided}"


def _print_history(view: "View") -> None:
    entries = sorted([*view["history"], *view.get("passed", [])], key=lambda entry: str(entry["at"]))
    if not entries:
        return
    click.echo()
    headings = [
        say("Quand", "When"),
        say("Fait", "Fact"),
        say("Par", "By"),
        say("État", "State"),
        say("Politique", "Policy"),
    ]
    rows = [
        (
            labels.instant(e["at"], view["time_zone"]),
            labels.label(labels.FACTS, e["fact"]),
            e.get("by"),
            labels.state(e["state"]),
            e["policy"],
        )
        for e in entries
    ]
    print_table(headings, rows)


def _print_refused(view: "View") -> None:
    if not view["refused_facts"]:
        return
    click.echo()
    headings = [
        say("Refusé le", "Refused at"),
        say("Fait", "Fact"),
        say("Règle", "Rule"),
        say("Pourquoi", "Why"),
    ]
    rows = [
        (
            labels.instant(e["at"], view["time_zone"]),
            e["fact"],
            e["rule"],
            say(e["reason"], e.get("reason_en", e["reason"])),
        )
        for e in view["refused_facts"]
    ]
    print_table(headings, rows)
