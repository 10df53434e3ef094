"""`gamf ramq`: what RAMQ was told of each block (R6)."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gamf.client.cli import labels, session
from gamf.client.cli.commands import argument, as_json, command, new_group, reads_data
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_fields, print_json, print_table
from gamf.client.cli.paging import limited, print_list, sorted_by
from gamf.client.cli.values import BLOCK
from gamf.domain.orders import Listing, Order

if TYPE_CHECKING:
    from gamf.client.ramq import RamqFileView, RamqView
    from gamf.client.reading import Page
    from gamf.storage.connection import Connection

ramq = new_group(
    "ramq", Text("Les listes confirmées remises à la RAMQ.", "The confirmed lists handed over to RAMQ.")
)


def _headings() -> list[str]:
    return [
        say("Fichier", "File"),
        say("Sorte", "Kind"),
        say("Bloc", "Block"),
        say("Noms", "Names"),
        say("Remis le", "Handed over at"),
        "SHA-256",
    ]


def _row(view: "RamqFileView") -> tuple[object, ...]:
    kind = labels.label(labels.RAMQ_KINDS, view.kind)
    return view.name, kind, view.block_id, view.names, view.handed_at, view.sha256


@command("list", fr="Lister les fichiers remis, les derniers d’abord.", group=ramq)
@sorted_by(Listing.RAMQ_FILES)
@limited
@reads_data
@as_json
def list_(sort: Order | None, limit: int | None, data: Path | None, *, json_wanted: bool) -> None:
    """List the files handed over, the latest first."""
    from gamf.client import looking  # noqa: PLC0415 - keeps `--help` fast

    async def fetch(conn: "Connection", after: str | None, most: int) -> "Page[RamqFileView]":
        return await looking.list_ramq_files(conn, session.seat(), order=sort, after=after, limit=most)

    print_list(fetch, _headings(), _row, data=data, limit=limit, json_wanted=json_wanted)


@command(
    "show",
    fr="Montrer ce que la RAMQ a reçu d’un bloc : les fichiers, et les attributions nommées dans chacun.",
    group=ramq,
)
@argument(
    "block_id",
    type=BLOCK,
    fr="Le bloc, comme 2026-0007.",
    en="The block, such as 2026-0007.",
    shown=Text("BLOC", "BLOCK"),
)
@reads_data
@as_json
def show(block_id: str, data: Path | None, *, json_wanted: bool) -> None:
    """Show what RAMQ was given of a block: the files, and the attributions named in each."""
    from gamf.client import looking_ramq  # noqa: PLC0415 - keeps `--help` fast

    async def work(conn: "Connection") -> "RamqView":
        return await looking_ramq.show_files(conn, session.seat(), block_id)

    view = session.read(data, work)
    if json_wanted:
        print_json(view)
    else:
        _print(view)


def _print(view: "RamqView") -> None:
    state = labels.label(labels.BLOCK_STATES, view.state)
    print_fields([(say("Bloc", "Block"), view.block_id), (say("État", "State"), state)])
    click.echo()
    print_table(_headings(), [_row(each) for each in view.files])
    if view.named:
        click.echo()
        headings = [
            say("Fichier", "File"),
            say("Attribution", "Attribution"),
            say("Confirmée le", "Confirmed on"),
            say("Remplace", "Replaces"),
        ]
        rows = [(each.number, each.attribution_id, each.confirmed_on, each.replaces) for each in view.named]
        print_table(headings, rows)
