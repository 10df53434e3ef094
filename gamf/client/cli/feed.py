"""`gamf feed`: facts in bulk."""

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from gamf.client.cli import labels, session
from gamf.client.cli.commands import argument, as_json, command, option, reads_data
from gamf.client.cli.errors import REFUSED, Ending, report
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_json, private_output, progress
from gamf.client.cli.pacing import told
from gamf.client.cli.values import InputFile, OutputFile

if TYPE_CHECKING:
    from gamf.client.feed import Outcome

_STDIN: Final = Path("-")


class _Source(NamedTuple):
    """What is fed: its lines, under which name, and how many there are when that is known."""

    lines: Iterable[bytes]
    name: str | None
    total: int | None


@command(
    "feed",
    fr="""Consigner des faits en lot : un objet JSON par ligne, avec « attribution_id » et « fact ».

    Lit un fichier, ou l’entrée standard avec « - ». Écrit un résultat par ligne lue, dans le même ordre : prise,
    refusée (et par quelle règle), attribution inconnue. Va au rythme que supportent les serveurs, et les attend
    s’ils se taisent. Arrêtée de quelque façon que ce soit, la même commande reprend où elle en était et redonne
    d’abord les résultats déjà obtenus ; l’entrée standard a besoin pour cela d’un nom (--feed). Un fait repris
    tel quel ne compte qu’une fois.""",
)
@argument(
    "file",
    type=InputFile(or_stdin=True),
    fr="Fichier de lignes JSON, ou « - ».",
    en="File of JSON lines, or “-”.",
    shown=Text("FICHIER.ndjson", "FILE.ndjson"),
)
@option(
    "--feed",
    "name",
    shown=Text("NOM", "NAME"),
    fr="Nom sous lequel reprendre (l’empreinte du fichier, sinon).",
    en="Name under which to resume (else the file's fingerprint).",
)
@option(
    "--outcomes",
    type=OutputFile(),
    shown=Text("FICHIER.ndjson", "FILE.ndjson"),
    fr="Où écrire les résultats, en JSON (la sortie standard, sinon).",
    en="Where to write the outcomes, as JSON (else the standard output).",
)
@option(
    "--from-start",
    is_flag=True,
    fr="Tout reprendre du début, sans égard à un arrêt.",
    en="Begin again from the start, whatever was stopped.",
)
@reads_data
@as_json
def feed(
    file: Path,
    name: str | None,
    outcomes: Path | None,
    data: Path | None,
    *,
    from_start: bool,
    json_wanted: bool,
) -> None:
    """Record facts in bulk: one JSON object a line, with “attribution_id” and “fact”.

    Reads a file, or the standard input with “-”. Writes an outcome for each line read, in the same order: taken,
    refused (and by which rule), unknown attribution. Goes at the rate that the servers bear, and waits for them
    when they are silent. However it is stopped, the same command resumes where it was, and first gives again the
    outcomes that it had; for that, the standard input needs a name (--feed). A fact repeated to the letter counts
    once.
    """
    with _opened(file, name) as source, _written(outcomes, json_wanted=json_wanted) as put:
        counts = session.run(_feed(source, put, data, from_start=from_start))
    click.secho(_summary(counts), err=True)
    missed = counts.total() - counts["taken"]
    if missed:
        end = Ending(REFUSED, "feed", _not_all(counts["taken"], missed))
        click.get_current_context().exit(report(end, as_json=json_wanted))


@contextmanager
def _opened(file: Path, name: str | None) -> "Generator[_Source]":
    if file == _STDIN:
        yield _Source(sys.stdin.buffer, name, None)
        return
    with file.open("rb") as lines:
        fingerprint, total = hashlib.sha256(), 0
        for line in lines:
            fingerprint.update(line)
            total += bool(line.strip())
        lines.seek(0)
        yield _Source(lines, name or f"sha256:{fingerprint.hexdigest()}", total)


@contextmanager
def _written(outcomes: Path | None, *, json_wanted: bool) -> "Generator[Callable[[Outcome], None]]":
    if outcomes is None:
        yield _print_as_json if json_wanted else _print
        return
    with private_output(outcomes) as output:

        def put(outcome: "Outcome") -> None:
            text = json.dumps(outcome.model_dump(mode="json"), ensure_ascii=False)
            output.write(f"{text}\n".encode())

        yield put


async def _feed(
    source: _Source, put: "Callable[[Outcome], None]", data: Path | None, *, from_start: bool
) -> Counter[str]:
    from gamf.client import feed as feeding  # noqa: PLC0415 - keeps `--help` fast
    from gamf.client.acting import Desk  # noqa: PLC0415 - the same
    from gamf.client.pacing import Pace  # noqa: PLC0415 - the same

    counts: Counter[str] = Counter()
    async with session.both(data) as reach:
        reporter = feeding.Reporter(
            Desk(reach.pool, reach.temporal), session.account(), session.now, Pace(told=told), session.seat()
        )
        made = feeding.feed(reporter, source.lines, source.name, anew=from_start)
        with progress(say("Faits", "Facts"), source.total) as move:
            async with aclosing(made) as outcomes:
                async for outcome in outcomes:
                    put(outcome)
                    counts[outcome.outcome] += 1
                    move(counts.total(), source.total)
    return counts


def _print_as_json(outcome: "Outcome") -> None:
    print_json(outcome, on_one_line=True)


def _print(outcome: "Outcome") -> None:
    why = outcome.reason
    said = labels.state(outcome.state) if why is None else f"[{why.rule}] {say(why.fr, why.en)}"
    where = f"{outcome.attribution_id or '—'} {outcome.fact or '—'}"
    click.echo(say(f"Ligne {outcome.line}\u00a0: {where} : {said}", f"Line {outcome.line}: {where}: {said}"))


def _summary(counts: Counter[str]) -> str:
    return say(
        f"{counts.total()} ligne(s)\u00a0: {counts['taken']} prise(s), {counts['refused']} refusée(s), "
        f"{counts['not_found']} d’attribution inconnue, {counts['failed']} sans réponse.",
        f"{counts.total()} line(s): {counts['taken']} taken, {counts['refused']} refused, "
        f"{counts['not_found']} of an unknown attribution, {counts['failed']} without an answer.",
    )


def _not_all(taken: int, missed: int) -> Text:
    return Text(
        f"{taken} fait(s) pris, {missed} refusé(s). Corrigez les lignes refusées et reprenez le fichier : "
        "ce qui est pris ne compte qu’une fois.",
        f"{taken} fact(s) taken, {missed} refused. Mend the refused lines and feed the file again: "
        "what was taken counts once.",
    )
