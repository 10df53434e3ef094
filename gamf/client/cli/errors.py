"""How a command ends when it cannot do what was asked: the status, and the words on stderr (contract.md)."""

import errno
import json
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

import click

from gamf.client.cli.language import Text
from gamf.domain.refusal import RefusedByRuleError
from gamf.runtime.errors import DataFolderInUse, Fault, PortInUse, ServerDidNotStart, ServiceUnreachable

UNFORESEEN: Final = 1
USAGE: Final = 2
REFUSED: Final = 3
NOT_FOUND: Final = 4
UNREACHABLE: Final = 5
INTERRUPTED: Final = 130


class Ending(NamedTuple):
    """How a command ends: its status, and what is said; `rule` is a row of rules.md or a kind of fault."""

    status: int
    rule: str
    words: Text
    field: str | None = None

    def as_json(self) -> str:
        """Return what a program reads."""
        error = {"rule": self.rule, "fr": self.words.fr, "en": self.words.en, "field": self.field}
        return json.dumps({"error": error}, ensure_ascii=False)


def ending(error: Exception) -> Ending | None:
    """Return how the command ends for an error that a person can mend, or None for one of the program's."""
    match error:
        case RefusedByRuleError():
            reason = error.reason
            # Of the wrong form, it never reached a rule: it was typed wrong.
            status = USAGE if reason.rule == "form" else REFUSED
            return Ending(status, reason.rule, Text(reason.fr, reason.en), reason.field)
        case Fault():
            return Ending(_status(error), _kind(error), Text(error.fr, error.en))
        case _:
            return _of_the_database(error) or _of_a_file(error)


def _of_the_database(error: Exception) -> Ending | None:
    if "asyncpg" not in sys.modules:
        return None
    import asyncpg  # noqa: PLC0415 - loaded already, or the error is none of its own

    if isinstance(error, asyncpg.UndefinedTableError):
        words = Text(
            "La base de données n’est pas prête : lancez « gamf setup ».",
            "The database is not ready: run “gamf setup”.",
        )
        return Ending(UNREACHABLE, "service", words)
    if isinstance(error, asyncpg.PostgresConnectionError | asyncpg.InterfaceError | ConnectionError):
        words = Text(
            "PostgreSQL ne répond plus ; rien n’a été pris à moitié. Relancez « gamf up », puis la commande.",
            "PostgreSQL no longer answers; nothing was half taken. Start “gamf up” again, then the command.",
        )
        return Ending(UNREACHABLE, "service", words)
    if isinstance(error, asyncpg.DataError) and isinstance(error.__cause__, UnicodeError | OverflowError):
        words = Text(
            "Une valeur donnée ne peut être cherchée : des octets qui ne sont pas de l’UTF-8, ou un nombre trop grand.",
            "A value given cannot be looked for: bytes that are not UTF-8, or a number too large.",
        )
        return Ending(USAGE, "usage", words)
    return None


def _of_a_file(error: Exception) -> Ending | None:
    """Say which file of the command line cannot be written or read; what comes of a connection is none."""
    if not isinstance(error, OSError) or error.errno is None:
        return None
    kind = type(error).__name__ if type(error) is not OSError else errno.errorcode.get(error.errno, "OSError")
    if isinstance(error.filename, str):
        fr, en = (
            f"Le fichier {error.filename} ne peut être lu ou écrit",
            f"The file {error.filename} cannot be used",
        )
    else:
        fr, en = "La sortie, ou un fichier, ne peut être écrite", "The output, or a file, cannot be written"
    words = Text(
        f"{fr} ({kind}). Ce qui était enregistré l’est toujours.",
        f"{en} ({kind}). What was recorded still is.",
    )
    return Ending(UNFORESEEN, "fault", words)


def _status(fault: Fault) -> int:
    match fault:
        case DataFolderInUse() | PortInUse():
            # Another folder or port, named on the command line, mends it.
            return USAGE
        case ServerDidNotStart():
            return UNREACHABLE
        case _:
            return fault.exit_status


def _kind(fault: Fault) -> str:
    if isinstance(fault, ServiceUnreachable):
        return "service"
    return {USAGE: "usage", NOT_FOUND: "not_found", UNREACHABLE: "service"}.get(_status(fault), "fault")


def report(end: Ending, *, as_json: bool) -> int:
    """Say on stderr how the command ends; return its status."""
    if as_json:
        click.echo(end.as_json(), err=True)
        return end.status
    shown = f"[{end.rule}] " if end.status == REFUSED else ""
    click.secho(f"{shown}{end.words}", err=True, fg="red")
    return end.status


def field_of(error: click.ClickException) -> str | None:
    """Return the name of the argument or option at fault, when there is one."""
    match error:
        case click.BadParameter(param=click.Parameter() as parameter):
            return parameter.name
        case click.NoSuchOption():
            return error.option_name
        case _:
            return None


def json_wanted(arguments: Sequence[str]) -> bool:
    """Tell whether `--json` stands anywhere: a usage error is said in JSON too."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in options
