"""`gamf demo`: a block of 20 to the end, in seconds, on servers of its own that are gone afterwards."""

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gamf.client.cli import labels, session
from gamf.client.cli.attribution import period
from gamf.client.cli.commands import as_json, command
from gamf.client.cli.language import say
from gamf.client.cli.output import print_json, print_table, progress

if TYPE_CHECKING:
    from gamf.client.demo import Fate, Played

_FAILED = 1
# PostgreSQL runs as a user of its own when we are root: it must pass through the folder, and no one reads it.
_PASSABLE = 0o711


@command(
    "demo",
    fr="""Montrer un bloc de 20 personnes inventées, de la demande à la fin, 36 mois en quelques secondes.

    Tout se passe sur de vrais serveurs, démarrés pour cela dans un dossier temporaire, puis effacés.""",
)
@as_json
@click.pass_context
def demo(ctx: click.Context, *, json_wanted: bool) -> None:
    """Show a block of 20 invented people from the request to the end, 36 months in seconds.

    It all happens on real servers, started for it in a temporary folder, and then erased.
    """
    with tempfile.TemporaryDirectory(prefix="gamf-demo-") as folder:
        Path(folder).chmod(_PASSABLE)
        played = session.run(_play(Path(folder)))
    if json_wanted:
        print_json(played)
    else:
        _print(played)
    if not played.as_expected:
        ctx.exit(_FAILED)


async def _play(folder: Path) -> "Played":
    from gamf.client import demo as playing  # noqa: PLC0415 - keeps `--help` fast
    from gamf.client.acting import Desk  # noqa: PLC0415 - the same
    from gamf.client.up import Wanted, everything  # noqa: PLC0415 - the same
    from gamf.runtime.settings import Settings  # noqa: PLC0415 - the same
    from gamf.runtime.telemetry import configure_logging  # noqa: PLC0415 - the same

    configure_logging("error")
    begun = time.monotonic()
    wanted = Wanted(folder, training=True, temporal_port=0, ui_port=None, durable=False, own=True)
    with progress(say("Démarrage", "Starting"), playing.SIZE) as move:
        async with everything(Settings.load(), wanted) as running:
            desk = Desk(running.pool, running.temporal)
            return await playing.play(
                desk, now=session.now(), elapsed=lambda: time.monotonic() - begun, tell=move
            )


def _print(played: "Played") -> None:
    headings = [
        say("Attribution", "Attribution"),
        say("Ce qui arrive", "What happens"),
        say("État", "State"),
        say("Lieu", "Place"),
        "SV",
        "MF",
        say("Lettres", "Letters"),
        "",
    ]
    print_table(
        headings, [_row(fate) for fate in played.patients], title=f"{say('Bloc', 'Block')} {played.block_id}"
    )
    sums = [f"{labels.label(labels.PLACES, place)} : {n}" for place, n in sorted(played.places.items())]
    total = sum(played.places.values())
    click.echo()
    click.echo(say(f"{total} personnes\u00a0: ", f"{total} people: ") + ", ".join(sums) + ".")
    for violation in played.violations:
        click.secho(violation, err=True, fg="red")
    if played.as_expected:
        said = say(
            f"Chacun est là où les règles le disent. {played.seconds} s.",
            f"Everybody is where the rules say. {played.seconds} s.",
        )
        click.echo(said)
    else:
        click.secho(
            say("Quelqu’un n’est pas là où les règles le disent.", "Somebody is not where the rules say."),
            err=True,
            fg="red",
        )


def _row(fate: "Fate") -> tuple[str, ...]:
    letters = ", ".join(labels.label(labels.LETTERS, kind) for kind in fate.letters)
    mark = "✓" if fate.as_expected else "✗"
    return (
        fate.attribution_id,
        say(fate.fr, fate.en),
        labels.state(fate.state),
        labels.label(labels.PLACES, fate.place),
        period(fate.sv),
        period(fate.mf),
        letters,
        mark,
    )
