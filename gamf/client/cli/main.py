"""The command `gamf`: which commands there are, and how each ends. A command is imported when called."""

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from gamf.client.cli import errors
from gamf.client.cli.commands import Group, LazyCommands, option, rehearsing
from gamf.client.cli.language import Text, say, speaking, wanted
from gamf.client.cli.ways import with_way
from gamf.runtime.ending import end_process
from gamf.runtime.errors import Language

_SUMMARIES = {
    "up": Text("Tout démarrer sur ce poste", "Start everything on this machine"),
    "demo": Text("Montrer un bloc entier, en quelques secondes", "Show a whole block, in seconds"),
    "worker": Text("Faire tourner un travailleur", "Run one worker"),
    "console": Text("Servir la console Web", "Serve the web console"),
    "setup": Text("Préparer la base de données et Temporal", "Prepare the database and Temporal"),
    "network": Text("Les réseaux locaux (RLS)", "Local networks (RLS)"),
    "physician": Text("Les médecins", "Physicians"),
    "register": Text("Les patients de la liste", "The patients on the list"),
    "block": Text("Les blocs de patients", "Blocks of patients"),
    "attribution": Text("Les attributions", "Attributions"),
    "reason": Text("Les motifs d’annulation", "The reasons to cancel"),
    "ramq": Text("Les listes remises à la RAMQ", "The lists handed over to RAMQ"),
    "feed": Text("Consigner des faits en lot", "Record facts in bulk"),
    "retro": Text("La cohorte rétroactive (R11)", "The retroactive cohort (R11)"),
    "letter": Text("Les lettres", "Letters"),
    "task": Text("Les tâches à faire", "The tasks to do"),
    "digest": Text("Le résumé du jour", "The daily digest"),
    "stats": Text("Les indicateurs par RLS et par mois", "The indicators by RLS and month"),
    "advance": Text(
        "Formation : avancer l’horloge d’une attribution", "Training: move an attribution's clock"
    ),
    "account": Text("Les comptes de la console et de l’API", "Accounts of the console and the API"),
    "access-log": Text("Qui a consulté qui", "Who looked at whom"),
    "backup": Text("Sauvegarder les données de « gamf up »", "Back up the data of “gamf up”"),
    "restore": Text("Restaurer une sauvegarde", "Restore a backup"),
    "reconcile": Text("Comparer les flux de travail et la base", "Compare the workflows with the database"),
    "people": Text("Des personnes inventées", "Invented people"),
    "completion": Text("La complétion pour votre interpréteur", "Completion for your shell"),
}
_PLACES = {name: f"gamf.client.cli.{name}:{name}" for name in _SUMMARIES} | {
    "restore": "gamf.client.cli.backup:restore",
    "access-log": "gamf.client.cli.access_log:access_log",
}


def _nothing() -> None:
    """Do nothing: the group only leads to its commands."""


def _root() -> Group:
    words = Text(
        "Attribution des patients du GAMF aux médecins de famille (Lettre d’entente 321).\n\n"
        "Pour commencer : « gamf up » dans un terminal, les autres commandes dans un second.",
        "Attribution of the GAMF's patients to family physicians (Lettre d'entente 321).\n\n"
        "To begin: “gamf up” in one terminal, the other commands in a second one.",
    )
    lang = option(
        "--lang",
        type=click.Choice(["fr", "en"]),
        expose_value=False,
        fr="Langue des messages (GAMF_LANG, sinon fr).",
        en="Language of the messages (GAMF_LANG, else fr).",
    )
    made = click.group("gamf", cls=Group, words=words, summaries=_SUMMARIES)(lang(_nothing))
    made.commands = LazyCommands(_PLACES)
    return made


cli = _root()


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command line and exit with its status (contract.md: 0, 2, 3, 4 or 5)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _let_nobody_listen()
    with speaking(wanted(words, os.environ)):
        status = run(words)
    end_process(status)


def _let_nobody_listen() -> None:
    """Give the process an output where it was closed before it began, so that whatever asks about it is answered."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open as long as the process
            setattr(sys, name, nowhere)


def run(arguments: Sequence[str]) -> int:
    """Run one command line in the language in use; return its status."""
    as_json = errors.json_wanted(arguments)
    try:
        return _status(cli.main(list(arguments), prog_name="gamf", standalone_mode=False))
    except click.ClickException as error:
        return _report_usage(error, arguments, as_json=as_json)
    except click.Abort:
        click.echo(say("Interrompu.", "Interrupted."), err=True)
        return errors.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - its text may hold what must not be shown
        end = errors.ending(error) or _unforeseen(error)
        words = with_way(end.words, arguments, end.rule, end.field)
        return errors.report(end._replace(words=words), as_json=as_json)


def _unforeseen(error: Exception) -> errors.Ending:
    """Log what nobody foresaw, without what its text may hold of a person."""
    from gamf.runtime.telemetry import configure_logging  # noqa: PLC0415 - slow to import

    configure_logging("error")
    logging.getLogger("gamf").error("the command failed", exc_info=error)
    words = Text(
        "Erreur imprévue du programme ; la ligne ci-dessus dit où. Ce qui était enregistré l’est toujours.",
        "Unforeseen error of the program; the line above says where. What was recorded still is.",
    )
    return errors.Ending(errors.UNFORESEEN, "fault", words)


def _status(answer: object) -> int:
    return answer if isinstance(answer, int) else 0


def _report_usage(error: click.ClickException, arguments: Sequence[str], *, as_json: bool) -> int:
    if not as_json:
        error.show()
        return errors.USAGE
    words = Text(_said(error, arguments, "fr"), _said(error, arguments, "en"))
    return errors.report(errors.Ending(errors.USAGE, "usage", words, errors.field_of(error)), as_json=True)


def _said(error: click.ClickException, arguments: Sequence[str], language: Language) -> str:
    """Return the same error in that language: click words it as it reads the line, which is read again."""
    with speaking(language), rehearsing():
        try:
            cli.main(list(arguments), prog_name="gamf", standalone_mode=False)
        except click.ClickException as again:
            return again.format_message()
    return error.format_message()
