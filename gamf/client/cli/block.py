"""`gamf block`: a physician's request, the list drawn, its approval, the answers (R3-R6, A4, A21)."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from gamf.client.cli import labels, session
from gamf.client.cli.commands import argument, as_json, command, new_group, option, reads_data
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import Bar, print_fields, print_json, print_table, progress
from gamf.client.cli.paging import limited, print_list
from gamf.client.cli.values import BLOCK, LICENCE

if TYPE_CHECKING:
    from gamf.client.acting import Desk
    from gamf.client.asking import View
    from gamf.client.reading import BlockView, Page
    from gamf.storage.connection import Connection

_STATES: Final = ("drawn", "attributed", "closed", "withdrawn")
_LOOK_EVERY_SECONDS: Final = 0.3

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
_by_option = option(
    "--by",
    shown=Text("COMPTE", "ACCOUNT"),
    fr="Qui le rapporte (GAMF_ACCOUNT, sinon votre compte).",
    en="Who reports it (GAMF_ACCOUNT, else your account).",
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
@_by_option
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
@_by_option
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
@_by_option
@reads_data
@as_json
def withdraw(block_id: str, reason: str, by: str | None, data: Path | None, *, json_wanted: bool) -> None:
    """Withdraw a drawn list (A21): everybody on it waits again, at the initial date."""
    from gamf.client import acting  # noqa: PLC0415 - keeps `--help` fast

    async def act(desk: "Desk") -> "View":
        return await acting.withdraw_block(desk, block_id, by=by or session.account(), reason=reason)

    _act(act, data, json_wanted=json_wanted)


@command(
    "accept", fr="Confirmer que le médecin accepte tous les patients sans réponse (R6, A4).", group=block
)
@_block_argument
@_by_option
@reads_data
@as_json
def accept(block_id: str, by: str | None, data: Path | None, *, json_wanted: bool) -> None:
    """Confirm that the physician accepts all the patients without an answer (R6, A4)."""
    from gamf.client import acting  # noqa: PLC0415 - keeps `--help` fast

    async def act(desk: "Desk") -> "View":
        with progress(say("Réponses", "Answers")):
            return await acting.accept_block(desk, block_id, by=by or session.account())

    _act(act, data, json_wanted=json_wanted)


@command(
    "refuse",
    fr="Rapporter que le médecin refuse tous les patients sans réponse, avec son motif (A4).",
    group=block,
)
@_block_argument
@option(
    "--reason",
    required=True,
    shown=Text("MOTIF", "REASON"),
    fr="Le motif du médecin.",
    en="The physician's reason.",
)
@_by_option
@reads_data
@as_json
def refuse(block_id: str, reason: str, by: str | None, data: Path | None, *, json_wanted: bool) -> None:
    """Report that the physician refuses all the patients without an answer, with the reason (A4)."""
    from gamf.client import acting  # noqa: PLC0415 - keeps `--help` fast

    async def act(desk: "Desk") -> "View":
        with progress(say("Réponses", "Answers")):
            return await acting.refuse_block(desk, block_id, by=by or session.account(), reason=reason)

    _act(act, data, json_wanted=json_wanted)


@command("show", fr="Montrer un bloc : son état, les nombres par état, la liste.", group=block)
@_block_argument
@reads_data
@as_json
def show(block_id: str, data: Path | None, *, json_wanted: bool) -> None:
    """Show a block: its state, how many are in each state, the list."""
    from gamf.client import acting  # noqa: PLC0415 - keeps `--help` fast

    async def act(desk: "Desk") -> "View":
        return await acting.show_block(desk, block_id)

    _act(act, data, json_wanted=json_wanted)


@command("list", fr="Lister les blocs, les derniers d’abord.", group=block)
@option(
    "--physician", type=LICENCE, shown=Text("PERMIS", "LICENCE"), fr="De ce médecin.", en="Of that physician."
)
@option("--state", type=click.Choice(_STATES), fr="En cet état.", en="In that state.")
@limited
@reads_data
@as_json
def list_(
    physician: str | None, state: str | None, limit: int | None, data: Path | None, *, json_wanted: bool
) -> None:
    """List the blocks, the latest first."""
    from gamf.client import reading  # noqa: PLC0415 - keeps `--help` fast
    from gamf.storage.lists import BlockFilter  # noqa: PLC0415 - the same

    async def fetch(conn: "Connection", after: str | None, most: int) -> "Page[BlockView]":
        return await reading.list_blocks(conn, BlockFilter(physician, state), after=after, limit=most)

    headings = [
        say("Bloc", "Block"),
        say("Médecin", "Physician"),
        "RLS",
        say("Demandé le", "Requested at"),
        say("État", "State"),
        say("Patients", "Patients"),
    ]
    print_list(fetch, headings, _row, data=data, limit=limit, json_wanted=json_wanted)


def _row(view: "BlockView") -> tuple[object, ...]:
    state = labels.label(labels.BLOCK_STATES, view.state)
    return view.block_id, view.physician, view.rls, view.requested_at, state, len(view.list)


def _act(work: "Callable[[Desk], Awaitable[View]]", data: Path | None, *, json_wanted: bool) -> None:
    view = session.act(data, work)
    if json_wanted:
        print_json(view)
    else:
        print_block(view)


def print_block(view: "View") -> None:
    """Print a block: what it is, how many are where, and its list."""
    counts = view["counts"]
    print_fields(
        [
            (say("Bloc", "Block"), view["block_id"]),
            (say("État", "State"), labels.label(labels.BLOCK_STATES, view["state"])),
            (say("Médecin", "Physician"), view["physician"]),
            ("RLS", view["rls"]),
            (say("Demandé par", "Requested by"), view.get("requested_by")),
            (say("Attribué le", "Attributed at"), labels.instant(view.get("attributed_at"))),
            (say("Motif", "Reason"), view.get("reason")),
            (
                say("Patients", "Patients"),
                ", ".join(f"{labels.state(name)} : {n}" for name, n in sorted(counts.items())),
            ),
        ]
    )
    click.echo()
    headings = [
        say("Attribution", "Attribution"),
        "Patient",
        say("Priorité", "Priority"),
        say("Vulnérable", "Vulnerable"),
        say("État", "State"),
    ]
    rows = [
        (
            each["attribution_id"],
            each["patient_id"],
            each["priority"],
            each["vulnerable"],
            labels.state(each["state"]),
        )
        for each in view["list"]
    ]
    print_table(headings, rows)
