"""`gamf reason`: why an attribution may be cancelled, and which reasons bring another patient (R5, A17)."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gamf.client.cli import session
from gamf.client.cli.commands import argument, as_json, command, new_group, option, reads_data
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_fields, print_json, print_table

if TYPE_CHECKING:
    from gamf.domain.replacement import CancellationReason
    from gamf.storage.connection import Connection

reason = new_group(
    "reason",
    Text(
        "Les motifs d’annulation : une table qui est la nôtre (R5).",
        "The reasons to cancel: a table of ours (R5).",
    ),
)
_code = argument(
    "code",
    fr="Le code, comme personal_tie.",
    en="The code, such as personal_tie.",
    shown=Text("CODE", "CODE"),
)
_by_option = option(
    "--by",
    shown=Text("COMPTE", "ACCOUNT"),
    fr="Qui le décide (GAMF_ACCOUNT, sinon votre compte).",
    en="Who decides it (GAMF_ACCOUNT, else your account).",
)


@command(
    "list",
    fr="Lister les motifs offerts ; n’importe quel texte est pris aussi, et le patient est alors remplacé.",
    group=reason,
)
@option(
    "--all",
    "retired",
    is_flag=True,
    fr="Ceux qui ne sont plus offerts aussi.",
    en="Those no longer offered too.",
)
@reads_data
@as_json
def list_(data: Path | None, *, retired: bool, json_wanted: bool) -> None:
    """List the reasons offered; any text is taken too, and the patient is then replaced."""
    from gamf.client import reasons  # noqa: PLC0415 - keeps `--help` fast

    async def work(conn: "Connection") -> "tuple[CancellationReason, ...]":
        return await reasons.list_reasons(conn, retired=retired)

    found = session.read(data, work)
    if json_wanted:
        print_json(found)
        return
    headings = [
        say("Code", "Code"),
        say("Motif", "Reason"),
        say("Remplacé", "Replaced"),
        say("Offert", "Offered"),
    ]
    rows = [(each.code, say(each.label_fr, each.label_en), each.exceptional, each.active) for each in found]
    print_table(headings, rows)


@command("add", fr="Offrir un motif de plus.", group=reason)
@_code
@option("--fr", "label_fr", required=True, shown=Text("LIBELLÉ", "LABEL"), fr="En français.", en="In French.")
@option("--en", "label_en", required=True, shown=Text("LIBELLÉ", "LABEL"), fr="En anglais.", en="In English.")
@option(
    "--exceptional/--ordinary",
    required=True,
    fr="Exceptionnel : un autre patient est tiré ; ordinaire : personne.",
    en="Exceptional: another patient is drawn; ordinary: nobody.",
)
@_by_option
@reads_data
@as_json
def add(
    code: str,
    label_fr: str,
    label_en: str,
    by: str | None,
    data: Path | None,
    *,
    exceptional: bool,
    json_wanted: bool,
) -> None:
    """Offer one more reason."""
    from gamf.client import reasons  # noqa: PLC0415 - keeps `--help` fast
    from gamf.domain.replacement import new_reason  # noqa: PLC0415 - the same

    new = new_reason(code, label_fr, label_en, exceptional=exceptional)

    async def work(conn: "Connection") -> "CancellationReason":
        return await reasons.add_reason(conn, new, by=by or session.account(), now=session.now())

    _show(data, work, json_wanted=json_wanted)


@command(
    "edit",
    fr="Modifier un motif : ses mots, s’il est exceptionnel, s’il est offert.",
    group=reason,
)
@_code
@option("--fr", "label_fr", shown=Text("LIBELLÉ", "LABEL"), fr="En français.", en="In French.")
@option("--en", "label_en", shown=Text("LIBELLÉ", "LABEL"), fr="En anglais.", en="In English.")
@option(
    "--exceptional/--ordinary",
    default=None,
    fr="Exceptionnel : un autre patient est tiré ; ordinaire : personne.",
    en="Exceptional: another patient is drawn; ordinary: nobody.",
)
@option(
    "--offered/--retired",
    "active",
    default=None,
    fr="Offert ou non ; un code retiré garde son sens.",
    en="Offered or not; a retired code keeps its meaning.",
)
@_by_option
@reads_data
@as_json
def edit(code: str, by: str | None, data: Path | None, *, json_wanted: bool, **asked: Any) -> None:  # noqa: ANN401 - click's
    """Change a reason: its words, whether it is exceptional, whether it is offered."""
    from gamf.client import reasons  # noqa: PLC0415 - keeps `--help` fast

    changes = reasons.Changes(**asked)

    async def work(conn: "Connection") -> "CancellationReason":
        return await reasons.edit_reason(conn, code, changes, by=by or session.account(), now=session.now())

    _show(data, work, json_wanted=json_wanted)


def _show(
    data: Path | None, work: "Callable[[Connection], Awaitable[CancellationReason]]", *, json_wanted: bool
) -> None:
    found = session.read(data, work)
    if json_wanted:
        print_json(found)
        return
    print_fields(
        [
            (say("Code", "Code"), found.code),
            (say("En français", "In French"), found.label_fr),
            (say("En anglais", "In English"), found.label_en),
            (say("Le patient est remplacé", "The patient is replaced"), found.exceptional),
            (say("Offert", "Offered"), found.active),
        ]
    )
    click.echo(say("Table qui est la nôtre, non officielle.", "A table of ours, not an official one."))
