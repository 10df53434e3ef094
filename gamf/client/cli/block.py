"""`gamf block`: a physician's request, the list drawn, its approval, the answers (R3-R6, A4, A21)."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gamf.client.cli import labels, session
from gamf.client.cli.commands import (
    Decorator,
    argument,
    as_json,
    command,
    new_group,
    option,
    reads_data,
    reported_by,
)
from gamf.client.cli.entering import enter, takes_many
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import Bar, print_fields, print_json, print_table, progress
from gamf.client.cli.paging import limited, print_list, sorted_by
from gamf.client.cli.values import BLOCK, LICENCE, Attributions
from gamf.domain.orders import Listing, Order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gamf.client.acting import Desk
    from gamf.client.asking import View
    from gamf.client.reading import BlockSummary, Page
    from gamf.storage.connection import Connection
    from gamf.storage.standing import Member

_STATES: Final = ("drawn", "attributed", "closed", "withdrawn")
_LOOK_EVERY_SECONDS: Final = 0.3
_WHY: Final = Text(
    "De chaque groupe, les premiers par priorité, date initiale et numéro (R4, A18) ; le rang est celui du groupe, "
    "sans les personnes que ce médecin ne se fait plus offrir (A8).",
    "Of each group, the first by priority, initial date and number (R4, A18); the rank is the one within the group, "
    "without those whom this physician is no longer offered (A8).",
)

_WHY_REPLACED: Final = Text(
    "Qui remplace une personne annulée est le premier de la même priorité (R5, A17).",
    "Whoever replaces a cancelled person is the first of the same priority (R5, A17).",
)

block = new_group(
    "block",
    Text(
        "Les blocs : une demande, la liste tirée, son approbation, les réponses.",
        "Blocks: a request, the list drawn, its approval, the answers.",
    ),
)
_block_argument = argument(
    "block_id",
    type=BLOCK,
    fr="Le bloc, comme 2026-0007.",
    en="The block, such as 2026-0007.",
    shown=Text("BLOC", "BLOCK"),
)


def _except_option(*, fr: str, en: str) -> Decorator:
    return option(
        "--except",
        "excepted",
        type=Attributions(),
        shown=Text("ATTRIBUTION,…", "ATTRIBUTION,…"),
        fr=fr,
        en=en,
    )


@command(
    "request",
    fr="Demander un bloc pour un médecin (R3) ; la liste est tirée, personne n’est encore attribué.",
    group=block,
)
@option(
    "--physician",
    required=True,
    type=LICENCE,
    shown=Text("PERMIS", "LICENCE"),
    fr="Permis du médecin (5 chiffres).",
    en="The physician's licence (5 digits).",
)
@option(
    "--size", required=True, type=int, shown=Text("N", "N"), fr="Nombre de patients.", en="How many patients."
)
@reported_by
@reads_data
@as_json
def request(physician: str, size: int, by: str | None, data: Path | None, *, json_wanted: bool) -> None:
    """Ask for a block for a physician (R3); the list is drawn, nobody is attributed yet."""
    from gamf.client import acting  # noqa: PLC0415 - keeps `--help` fast

    async def act(desk: "Desk") -> "View":
        with progress(say("Tirage", "Draw")):
            return await acting.request_block(
                desk, physician, size, by=by or session.account(), now=session.now()
            )

    _act(act, data, json_wanted=json_wanted)


@command(
    "approve",
    fr="Approuver la liste tirée (A21) : les patients sont attribués et les 72 heures commencent.",
    group=block,
)
@_block_argument
@reported_by
@reads_data
@as_json
def approve(block_id: str, by: str | None, data: Path | None, *, json_wanted: bool) -> None:
    """Approve the drawn list (A21): the patients are attributed and the 72 hours start."""
    from gamf.client import acting  # noqa: PLC0415 - keeps `--help` fast

    async def act(desk: "Desk") -> "View":
        with progress(say("Départ des attributions", "Starting attributions")) as move:
            watch = asyncio.create_task(_watch(desk, block_id, move))
            try:
                return await acting.approve_block(desk, block_id, by=by or session.account())
            finally:
                watch.cancel()

    _act(act, data, json_wanted=json_wanted)


async def _watch(desk: "Desk", block_id: str, move: Bar) -> None:
    """Show how many attributions have started, while the approval is being carried out."""
    from gamf.client import acting  # noqa: PLC0415 - keeps `--help` fast

    if not sys.stderr.isatty():
        return
    total = len((await acting.show_block(desk, block_id))["list"])
    while True:
        move(await acting.count_started(desk, block_id), total)
        await asyncio.sleep(_LOOK_EVERY_SECONDS)


@command(
    "withdraw",
    fr="Retirer une liste tirée (A21) : chacun attend de nouveau, à sa date initiale.",
    group=block,
)
@_block_argument
@option("--reason", required=True, shown=Text("MOTIF", "REASON"), fr="Le motif.", en="The reason.")
@reported_by
@reads_data
@as_json
def withdraw(block_id: str, reason: str, by: str | None, data: Path | None, *, json_wanted: bool) -> None:
    """Withdraw a drawn list (A21): everybody on it waits again, at the initial date."""
    from gamf.client import acting  # noqa: PLC0415 - keeps `--help` fast

    async def act(desk: "Desk") -> "View":
        return await acting.withdraw_block(desk, block_id, by=by or session.account(), reason=reason)

    _act(act, data, json_wanted=json_wanted)


@command(
    "accept",
    fr="""Confirmer que le médecin accepte tous les patients sans réponse (R6, A4).

    Avec --except, ceux-là sont refusés, pour le motif de --reason, et les autres acceptés.""",
    group=block,
)
@_block_argument
@_except_option(
    fr="Ceux que le médecin refuse ; demande --reason.",
    en="Those whom the physician refuses; needs --reason.",
)
@option(
    "--reason",
    shown=Text("MOTIF", "REASON"),
    fr="Pourquoi le médecin les refuse.",
    en="Why the physician refuses them.",
)
@reported_by
@reads_data
@as_json
def accept(
    block_id: str,
    excepted: tuple[str, ...] | None,
    reason: str | None,
    by: str | None,
    data: Path | None,
    *,
    json_wanted: bool,
) -> None:
    """Confirm that the physician accepts all the patients without an answer (R6, A4).

    With --except, those are refused, for the reason of --reason, and the others accepted.
    """
    from gamf.client import acting, answering  # noqa: PLC0415 - keeps `--help` fast

    if bool(excepted) is not bool(reason):
        raise click.UsageError(
            say("--except et --reason vont ensemble (A4).", "--except and --reason go together (A4).")
        )

    async def act(desk: "Desk") -> "View":
        reporter = by or session.account()
        with progress(say("Réponses", "Answers")):
            if not (excepted and reason):
                return await acting.accept_block(desk, block_id, by=reporter)
            answer = answering.Answer(excepted, reason, reporter, session.now())
            return await answering.accept_except(desk, block_id, answer)

    _act(act, data, json_wanted=json_wanted)


@command(
    "sv",
    fr="""Inscrire SV tous les patients d’un bloc (R8), sauf ceux que l’on nomme.

    Dit ce qu’il advient de chacun\u00a0; reprise, la commande n’inscrit que ceux qui manquent.""",
    group=block,
)
@_block_argument
@takes_many
def sv(
    block_id: str,
    on: date | None,
    but: tuple[str, ...],
    by: str | None,
    data: Path | None,
    *,
    json_wanted: bool,
) -> None:
    """Enter the SV of all the patients of a block (R8), but those that are named.

    Says what became of each; again, the command only enters those that are missing.
    """
    from gamf.client import entering  # noqa: PLC0415 - keeps `--help` fast

    async def find(desk: "Desk", but: "Sequence[str]") -> "list[Member]":
        return await entering.of_block(desk, block_id, but)

    enter(find, on, but, by, data, json_wanted=json_wanted)


@command(
    "refuse",
    fr="""Rapporter que le médecin refuse tous les patients sans réponse, avec son motif (A4).

    Avec --except, ceux-là sont acceptés et les autres refusés.""",
    group=block,
)
@_block_argument
@_except_option(fr="Ceux que le médecin accepte.", en="Those whom the physician accepts.")
@option(
    "--reason",
    required=True,
    shown=Text("MOTIF", "REASON"),
    fr="Le motif du médecin.",
    en="The physician's reason.",
)
@reported_by
@reads_data
@as_json
def refuse(
    block_id: str,
    excepted: tuple[str, ...] | None,
    reason: str,
    by: str | None,
    data: Path | None,
    *,
    json_wanted: bool,
) -> None:
    """Report that the physician refuses all the patients without an answer, with the reason (A4).

    With --except, those are accepted and the others refused.
    """
    from gamf.client import acting, answering  # noqa: PLC0415 - keeps `--help` fast

    async def act(desk: "Desk") -> "View":
        reporter = by or session.account()
        with progress(say("Réponses", "Answers")):
            if not excepted:
                return await acting.refuse_block(desk, block_id, by=reporter, reason=reason)
            answer = answering.Answer(excepted, reason, reporter, session.now())
            return await answering.refuse_except(desk, block_id, answer)

    _act(act, data, json_wanted=json_wanted)


@command(
    "show",
    fr="Montrer un bloc : son état, le profil qu’il suit, la liste et pourquoi chacun y est.",
    group=block,
)
@_block_argument
@reads_data
@as_json
def show(block_id: str, data: Path | None, *, json_wanted: bool) -> None:
    """Show a block: its state, the profile that it follows, the list and why each one is on it."""
    from gamf.client import looking  # noqa: PLC0415 - keeps `--help` fast

    async def act(desk: "Desk") -> "View":
        return await looking.show_block(desk, session.seat(), block_id)

    _print(session.act(data, act), json_wanted=json_wanted)


@command("list", fr="Lister les blocs, les derniers d’abord.", group=block)
@option(
    "--physician", type=LICENCE, shown=Text("PERMIS", "LICENCE"), fr="De ce médecin.", en="Of that physician."
)
@option("--state", type=click.Choice(_STATES), fr="En cet état.", en="In that state.")
@sorted_by(Listing.BLOCKS)
@limited
@reads_data
@as_json
def list_(
    physician: str | None,
    state: str | None,
    sort: Order | None,
    limit: int | None,
    data: Path | None,
    *,
    json_wanted: bool,
) -> None:
    """List the blocks, the latest first."""
    from gamf.client import looking  # noqa: PLC0415 - keeps `--help` fast
    from gamf.storage.lists import BlockFilter  # noqa: PLC0415 - the same

    only, seat = BlockFilter(physician, state), session.seat()

    # The table shows how many; only JSON has everybody's list (contract.md).
    read = looking.list_blocks if json_wanted else looking.summarize_blocks

    async def fetch(conn: "Connection", after: str | None, most: int) -> "Page[Any]":
        return await read(conn, seat, only, order=sort, after=after, limit=most)

    headings = [
        say("Bloc", "Block"),
        say("Médecin", "Physician"),
        "RLS",
        say("Demandé le", "Requested at"),
        say("État", "State"),
        say("Patients", "Patients"),
    ]
    print_list(fetch, headings, _row, data=data, limit=limit, json_wanted=json_wanted)


def _row(view: "BlockSummary") -> tuple[object, ...]:
    state = labels.label(labels.BLOCK_STATES, view.state)
    return view.block_id, view.physician, view.rls, view.requested_at, state, sum(view.counts.values())


def _act(work: "Callable[[Desk], Awaitable[View]]", data: Path | None, *, json_wanted: bool) -> None:
    from gamf.client import looking  # noqa: PLC0415 - keeps `--help` fast

    async def act(desk: "Desk") -> "View":
        view = await work(desk)
        await looking.note_block(desk, session.seat(), view)
        return view

    _print(session.act(data, act), json_wanted=json_wanted)


def _print(view: "View", *, json_wanted: bool) -> None:
    if json_wanted:
        print_json(view)
    else:
        print_block(view)


def print_block(view: "View") -> None:
    """Print a block: what it is, how many are where, how it compares with its profile, and its list."""
    counts = view["counts"]
    print_fields(
        [
            (say("Bloc", "Block"), view["block_id"]),
            (say("État", "State"), labels.label(labels.BLOCK_STATES, view["state"])),
            (say("Médecin", "Physician"), view["physician"]),
            ("RLS", view["rls"]),
            (say("Demandé par", "Requested by"), view.get("requested_by")),
            (say("Attribué le", "Attributed at"), labels.instant(view.get("attributed_at"))),
            (say("À approuver avant le", "To be approved before"), labels.instant(view.get("deadline"))),
            (say("Motif", "Reason"), view.get("reason")),
            *_profile_fields(view.get("profile")),
            (
                say("Patients", "Patients"),
                ", ".join(f"{labels.state(name)} : {n}" for name, n in sorted(counts.items())),
            ),
        ]
    )
    click.echo()
    if view.get("profile"):
        _print_profile(view["profile"])
        click.echo(str(_WHY))
        click.echo()
    if any(each["replaces"] for each in view["list"]):
        click.echo(str(_WHY_REPLACED))
    _print_list(view)


def _profile_fields(profile: "View | None") -> list[tuple[str, object]]:
    if not profile:
        return []
    source = labels.label(labels.PROFILES, profile["source"])
    by = say(f", fixé par {profile['set_by']}", f", set by {profile['set_by']}") if profile["set_by"] else ""
    return [
        (say("Profil suivi", "Profile followed"), source + by),
        (say("Âges au", "Ages on"), profile["ages_on"]),
    ]


def _print_profile(profile: "View") -> None:
    headings = [
        say("Vulnérable", "Vulnerable"),
        say("Âges", "Ages"),
        say("Part (%)", "Share (%)"),
        say("Places voulues", "Seats wanted"),
        say("Tirées", "Drawn"),
        say("Écart", "Difference"),
        say("En attente", "Waiting"),
    ]
    rows = [
        (
            each["vulnerable"],
            labels.ages(each["ages"]),
            f"{each['share']:.2f}",
            each["wanted"],
            each["drawn"],
            each["difference"],
            each["waiting"],
        )
        for each in (*profile["groups"], *profile["totals"])
    ]
    print_table(headings, rows)
    click.echo()


def _print_list(view: "View") -> None:
    headings = [
        say("Attribution", "Attribution"),
        "Patient",
        say("Priorité", "Priority"),
        say("Inscrit le", "Registered on"),
        say("Vulnérable", "Vulnerable"),
        say("Âges", "Ages"),
        say("Rang", "Rank"),
        say("État", "State"),
        say("Remplace", "Replaces"),
    ]
    rows = [
        (
            each["attribution_id"],
            each["patient_id"],
            each["priority"],
            each.get("registered_on"),
            each["vulnerable"],
            labels.ages(each.get("ages")),
            each.get("rank"),
            labels.state(each["state"]),
            each["replaces"],
        )
        for each in view["list"]
    ]
    print_table(headings, rows)
