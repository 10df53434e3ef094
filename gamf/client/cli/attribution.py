"""`gamf attribution`: the attributions and the facts reported about them."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gamf.client.cli import labels, session
from gamf.client.cli.commands import argument, as_json, command, new_group, option, reads_data
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_fields, print_json, print_table
from gamf.client.cli.values import ATTRIBUTION, BLOCK, LICENCE, Day, KeyValue
from gamf.domain.facts import FACTS
from gamf.domain.states import State

if TYPE_CHECKING:
    from gamf.client.acting import Desk
    from gamf.client.asking import View

attribution = new_group("attribution", Text("Les attributions.", "Attributions."))
attribution_argument = argument(
    "attribution_id",
    type=ATTRIBUTION,
    fr="L’attribution, comme 2026-000042.",
    en="The attribution, such as 2026-000042.",
    shown=Text("ATTRIBUTION", "ATTRIBUTION"),
)


@command("show", fr="Montrer une attribution : son état, son échéance, ce qui a été rapporté.", group=attribution)
@attribution_argument
@reads_data
@as_json
def show(attribution_id: str, data: Path | None, *, json_wanted: bool) -> None:
    """Show an attribution: its state, its deadline, what was reported."""
    from gamf.client import acting  # noqa: PLC0415 - keeps `--help` fast

    async def act(desk: "Desk") -> "View":
        return await acting.show_attribution(desk, attribution_id)

    _print(session.act(data, act), json_wanted=json_wanted)


@command(
    "record",
    fr="""Consigner un fait au sujet d’une attribution, par des mots clé=valeur.

    Par exemple : gamf attribution record 2026-000042 mf_signed signed_on=2026-09-01

    Le même fait redonné tel quel ne compte qu’une fois. « by » est GAMF_ACCOUNT, sinon votre compte.""",
    group=attribution,
)
@attribution_argument
@argument("fact", type=click.Choice(list(FACTS)), fr="Le fait : " + ", ".join(FACTS) + ".", en="The fact: " + ", ".join(FACTS) + ".", shown=Text("FAIT", "FACT"))
@argument("values", nargs=-1, type=KeyValue(), fr="Ce que le fait demande : on, reason, signed_on…", en="What the fact asks for: on, reason, signed_on…", shown=Text("clé=valeur", "key=value"))
@reads_data
@as_json
def record(attribution_id: str, fact: str, values: tuple[tuple[str, str], ...], data: Path | None, *, json_wanted: bool) -> None:
    """Record a fact about an attribution, by words key=value.

    For instance: gamf attribution record 2026-000042 mf_signed signed_on=2026-09-01

    The same fact given again as it was counts once. “by” is GAMF_ACCOUNT, else your account.
    """
    from gamf.client import acting  # noqa: PLC0415 - keeps `--help` fast
    from gamf.domain import facts  # noqa: PLC0415 - the same

    given = {"by": session.account(), **dict(values)}
    facts.parse(fact, given)

    async def act(desk: "Desk") -> "View":
        return await acting.record_fact(desk, attribution_id, fact, given, now=session.now())

    _print(session.act(data, act), json_wanted=json_wanted)


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
            (say("Échéance", "Deadline"), labels.instant(view["deadline"])),
            (say("On attend", "Waiting for"), labels.label(labels.OWNERS, view["waiting_for"])),
            (say("Terminée le", "Ended on"), view.get("ended_on")),
            (say("Médecin", "Physician"), view["physician"]),
            ("Patient", view["patient_id"]),
            (say("Bloc", "Block"), view["block_id"]),
            (say("Priorité", "Priority"), view["priority"]),
            (say("Vulnérable", "Vulnerable"), view["vulnerable"]),
            (say("Inscription SV", "SV enrolment"), _period(view["sv"])),
            (say("Inscription MF", "MF enrolment"), _period(view["mf"])),
        ]
    )
    _print_history(view)
    _print_refused(view)


def _period(enrolment: dict[str, Any] | None) -> str:
    if enrolment is None:
        return ""
    voided = say(" (annulée)", " (voided)") if enrolment["voided"] else ""
    return f"{enrolment['start']} – {enrolment['end'] or ''}{voided}".strip(" –")


def _print_history(view: "View") -> None:
    entries = sorted([*view["history"], *view.get("passed", [])], key=lambda entry: str(entry["at"]))
    if not entries:
        return
    click.echo()
    headings = [say("Quand", "When"), say("Fait", "Fact"), say("Par", "By"), say("État", "State"), say("Politique", "Policy")]
    rows = [
        (labels.instant(e["at"]), labels.label(labels.FACTS, e["fact"]), e.get("by"), labels.state(e["state"]), e["policy"])
        for e in entries
    ]
    print_table(headings, rows)


def _print_refused(view: "View") -> None:
    if not view["refused_facts"]:
        return
    click.echo()
    headings = [say("Refusé le", "Refused at"), say("Fait", "Fact"), say("Règle", "Rule"), say("Pourquoi", "Why")]
    rows = [
        (labels.instant(e["at"]), e["fact"], e["rule"], say(e["reason"], e.get("reason_en", e["reason"])))
        for e in view["refused_facts"]
    ]
    print_table(headings, rows)
