"""`gamf feed`: facts in bulk."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gamf.client.cli import labels, session
from gamf.client.cli.commands import argument, as_json, command, reads_data
from gamf.client.cli.errors import REFUSED, Ending, report
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_json, progress
from gamf.client.cli.values import InputFile

if TYPE_CHECKING:
    from gamf.client.feed import Outcome


@command(
    "feed",
    fr="""Consigner des faits en lot : un objet JSON par ligne, avec « attribution_id » et « fact ».

    Écrit une ligne de résultat par ligne lue, dans le même ordre. Le même fichier repris ne compte
    qu’une fois.""",
)
@argument(
    "file",
    type=InputFile(),
    fr="Fichier de lignes JSON.",
    en="File of JSON lines.",
    shown=Text("FICHIER.ndjson", "FILE.ndjson"),
)
@reads_data
@as_json
def feed(file: Path, data: Path | None, *, json_wanted: bool) -> None:
    """Record facts in bulk: one JSON object a line, with “attribution_id” and “fact”.

    Writes a line of outcome for each line read, in the same order. The same file again counts once.
    """
    total = sum(1 for line in file.read_bytes().splitlines() if line.strip())
    with file.open(encoding="utf-8-sig", errors="replace") as lines:
        counts = session.run(_feed(lines, total, data, json_wanted=json_wanted))
    missed = counts.total() - counts["taken"]
    if missed:
        end = Ending(REFUSED, "feed", _not_all(counts["taken"], missed))
        click.get_current_context().exit(report(end, as_json=json_wanted))


async def _feed(lines: Iterable[str], total: int, data: Path | None, *, json_wanted: bool) -> Counter[str]:
    from gamf.client import feed as feeding  # noqa: PLC0415 - keeps `--help` fast
    from gamf.client.acting import Desk  # noqa: PLC0415 - the same

    counts: Counter[str] = Counter()
    async with session.both(data) as reach:
        desk = Desk(reach.pool, reach.temporal)
        with progress(say("Faits", "Facts"), total) as move:
            async for outcome in feeding.feed(desk, lines, by=session.account(), now=session.now):
                counts[outcome.outcome] += 1
                move(counts.total(), total)
                _print(outcome, json_wanted=json_wanted)
    return counts


def _print(outcome: "Outcome", *, json_wanted: bool) -> None:
    if json_wanted:
        print_json(outcome, on_one_line=True)
        return
    why = outcome.reason
    said = labels.state(outcome.state) if why is None else f"[{why.rule}] {say(why.fr, why.en)}"
    where = f"{outcome.attribution_id or '—'} {outcome.fact or '—'}"
    click.echo(say(f"Ligne {outcome.line}\u00a0: {where} : {said}", f"Line {outcome.line}: {where}: {said}"))


def _not_all(taken: int, missed: int) -> Text:
    return Text(
        f"{taken} fait(s) pris, {missed} refusé(s). Corrigez les lignes refusées et reprenez le fichier : "
        "ce qui est pris ne compte qu’une fois.",
        f"{taken} fact(s) taken, {missed} refused. Mend the refused lines and feed the file again: "
        "what was taken counts once.",
    )
