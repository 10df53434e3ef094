"""`gamf up`: everything on this machine, until Ctrl-C."""

import asyncio
import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from shlex import quote
from shutil import which
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gamf.client.cli import session
from gamf.client.cli.commands import Decorator, as_json, command, option
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_fields, print_json, progress

if TYPE_CHECKING:
    from gamf.client.sample import DemoAccount, Try
    from gamf.client.up import Running, Wanted
    from gamf.runtime.settings import Settings

Answer = TypeVar("Answer")
_PORT = click.IntRange(0, 65535)


def _port(name: str, default: int, fr: str, en: str) -> Decorator:
    return option(
        name, type=_PORT, default=default, show_default=True, fr=fr, en=en, shown=Text("PORT", "PORT")
    )


@command(
    "up",
    fr="""Tout démarrer sur ce poste : PostgreSQL, Temporal et son interface, un travailleur, la console.

    Les données restent dans --data d’une fois à l’autre. Ctrl-C ou SIGTERM arrête tout ce qui a été démarré.
    Avec GAMF_DATABASE_URL ou TEMPORAL_ADDRESS, seul ce qui manque est démarré.""",
)
@option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    shown=Text("DOSSIER", "DIR"),
    fr="Où garder les données (GAMF_DATA_DIR, sinon ./data).",
    en="Where to keep the data (GAMF_DATA_DIR, else ./data).",
)
@option(
    "--training",
    is_flag=True,
    fr="Formation : permettre « gamf advance », qui avance l’horloge d’une attribution.",
    en="Training: allow “gamf advance”, which moves an attribution's clock.",
)
@option(
    "--with-sample",
    is_flag=True,
    fr="Sur une base vide, 2 000 personnes inventées et un bloc en cours.",
    en="On an empty database, 2,000 invented people and a block under way.",
)
@_port("--temporal-port", 7233, "Port de Temporal (0 : un port libre).", "Port of Temporal (0: a free one).")
@_port(
    "--ui-port",
    8233,
    "Port de l’interface de Temporal (0 : un port libre).",
    "Port of Temporal's UI (0: a free one).",
)
@_port(
    "--console-port", 8080, "Port de la console (0 : un port libre).", "Port of the console (0: a free one)."
)
@as_json
def up(
    data: Path | None,
    temporal_port: int,
    ui_port: int,
    *,
    training: bool,
    with_sample: bool,
    json_wanted: bool,
    console_port: int,
) -> None:
    """Start everything on this machine: PostgreSQL, Temporal with its UI, a worker, the console.

    The data stays in --data from one time to the next. Ctrl-C or SIGTERM stops all that was started. With
    GAMF_DATABASE_URL or TEMPORAL_ADDRESS, only what is missing is started.
    """
    from gamf.client.up import Wanted  # noqa: PLC0415 - keeps `--help` fast
    from gamf.runtime.settings import Settings  # noqa: PLC0415 - the same

    settings = Settings.load()
    wanted = Wanted(data or settings.data_dir, training, temporal_port, ui_port, console_port)
    session.run(_up(settings, wanted, sample=with_sample, json_wanted=json_wanted))


async def _up(settings: "Settings", wanted: "Wanted", *, sample: bool, json_wanted: bool) -> None:
    from gamf.client.up import everything  # noqa: PLC0415 - keeps `--help` fast
    from gamf.runtime.telemetry import temporal_runtime  # noqa: PLC0415 - the same
    from gamf.workers.main import stop_on_signals  # noqa: PLC0415 - the same

    stop = asyncio.Event()
    stop_on_signals(stop)
    _log(settings)
    runtime = temporal_runtime(settings.metrics_address)
    async with AsyncExitStack() as stack:
        starting = stack.enter_async_context(everything(settings, wanted, runtime=runtime))
        running = await _unless(stop, starting)
        if running is None:
            return
        to_try = await _unless(stop, _sample(running)) if sample else []
        if to_try is None:
            return
        _print(running, json_wanted=json_wanted)
        if not json_wanted:
            print_to_try(to_try, wanted.data)
            if wanted.training and sample:
                print_accounts(await _accounts(running))
        failure = await _unless(stop, running.wait_failed())
        if failure is not None:
            raise failure
        if not json_wanted:
            click.echo(say("Arrêt…", "Stopping…"), err=True)


def _log(settings: "Settings") -> None:
    from gamf.runtime.telemetry import configure_logging  # noqa: PLC0415 - keeps `--help` fast

    # In a person's terminal, only what they must know; whoever sets the level gets what they asked for.
    level = settings.log_level if "log_level" in settings.model_fields_set else "warning"
    configure_logging(level, settings.log_format)


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, Answer]) -> Answer | None:
    """Do the work and give what it answers, or undo it and give None as soon as it is time to stop."""
    task, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait([task, stopped], return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if task.done():
        return task.result()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return None


async def _sample(running: "Running") -> "list[Try]":
    """Load the sample, and return the commands to try; none when there were patients already."""
    from gamf.client import sample  # noqa: PLC0415 - keeps `--help` fast
    from gamf.client.acting import Desk  # noqa: PLC0415 - the same

    now = session.now()
    with progress(say("Personnes inventées", "Invented people")) as move:
        made = await sample.load(
            Desk(running.pool, running.temporal), by=session.account(), now=now, tell=move
        )
    if made is not None:
        return sample.to_try(made, now)
    click.echo(
        say(
            "La base a déjà des patients\u00a0: rien n’est ajouté.",
            "There are patients already: nothing is added.",
        ),
        err=True,
    )
    return []


async def _accounts(running: "Running") -> "list[DemoAccount]":
    """Make an account of each role to try the console with; none when there were accounts already."""
    from gamf.client import sample  # noqa: PLC0415 - keeps `--help` fast

    async with running.pool.acquire() as conn:
        return await sample.make_accounts(conn, session.seat())


def print_accounts(accounts: "list[DemoAccount]") -> None:
    """Print the accounts that were made, with the password that each is to change; it is shown this once."""
    if not accounts:
        return
    click.echo(
        say(
            "Des comptes pour la console ; chaque mot de passe, montré cette seule fois, est à changer :\n",
            "Accounts for the console; each password, shown this once, is to be changed:\n",
        )
    )
    for each in accounts:
        click.echo(f"  {each.account:<16} {each.password}  # {say(each.fr, each.en)}")
    click.echo()


def print_to_try(commands: "list[Try]", data: Path) -> None:
    """Print the commands to try next, as they can be pasted in a second terminal."""
    if not commands:
        return
    program = _program()
    click.echo(say("\nÀ essayer dans un second terminal\u00a0:\n", "\nTo try in a second terminal:\n"))
    if data != Path("data"):
        click.echo(f"  export GAMF_DATA_DIR={quote(str(data))}")
    width = max(len(each.words) for each in commands)
    for each in commands:
        click.echo(f"  {program} {each.words:<{width}}  # {say(each.fr, each.en)}")
    click.echo()


def _program() -> str:
    """Return how this command was called, or a shorter way."""
    called = Path(sys.argv[0])
    found = which(called.name)
    if found is not None and Path(found).samefile(called):
        return called.name
    try:
        return str(called.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(called)


def _print(running: "Running", *, json_wanted: bool) -> None:
    from gamf.runtime.database import redacted  # noqa: PLC0415 - keeps `--help` fast

    where = running.addresses
    if json_wanted:
        print_json(where.printed(), on_one_line=True)
        return
    print_fields(
        [
            (say("Temporal", "Temporal"), f"{where.temporal} ({where.namespace})"),
            (say("Interface", "UI"), where.ui),
            (say("Console", "Console"), where.console),
            ("PostgreSQL", redacted(where.database)),
        ]
    )
    click.echo(say("Prêt. Ctrl-C arrête tout.", "Ready. Ctrl-C stops everything."))
