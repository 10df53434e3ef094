"""Click's own words, in French.

Click passes every text of its own to `gettext`, whose catalogues are binary files chosen by variables that
the servers we start would inherit. So the function that its modules call is replaced: by one that looks here,
or leaves the text as it is when the language in use is English. A test holds this table to what click says.
"""

import gettext
import sys
from types import ModuleType
from typing import Final

from gamf.client.cli.language import current, typeset

CATALOGUE: Final[dict[str, str]] = {
    # Help
    "Usage:": "Utilisation :",
    "Options": "Options",
    "Commands": "Commandes",
    "Positional arguments": "Arguments",
    "Show this message and exit.": "Afficher cette aide et terminer.",
    "Show the version and exit.": "Afficher la version et terminer.",
    "%(prog)s, version %(version)s": "%(prog)s, version %(version)s",
    "required": "obligatoire",
    "default: {default}": "par défaut : {default}",
    "env var: {var}": "variable : {var}",
    "(dynamic)": "(calculé)",
    "deprecated": "désuet",
    # What a person typed wrong
    "Error: {message}": "Erreur : {message}",
    "Try '{command} {option}' for help.": "Pour de l’aide : « {command} {option} ».",
    "Missing command.": "Il manque une commande.",
    "Missing argument": "Il manque l’argument",
    "Missing option": "Il manque l’option",
    "Missing parameter": "Il manque le paramètre",
    "Missing {param_type}": "Il manque : {param_type}",
    "Missing parameter: {param_name}": "Il manque le paramètre : {param_name}",
    "No such option {name!r}.": "L’option « {name} » n’existe pas.",
    "No such command {name!r}.": "La commande « {name} » n’existe pas.",
    "Did you mean {possibility}?": "Vouliez-vous dire {possibility} ?",
    "(Did you mean one of: {possibilities}?)": "Vouliez-vous dire l’une de celles-ci : {possibilities} ?",
    "Got unexpected extra argument ({args})": "Argument en trop ({args}).",
    "Got unexpected extra arguments ({args})": "Arguments en trop ({args}).",
    "Invalid start character for option ({option})": "Ce n’est pas le début d’une option ({option}).",
    "Option {name!r} does not take a value.": "L’option « {name} » ne prend pas de valeur.",
    "Option {name!r} requires an argument.": "L’option « {name} » demande une valeur.",
    "Option {name!r} requires {nargs} arguments.": "L’option « {name} » demande {nargs} valeurs.",
    "Argument {name!r} takes {nargs} values.": "L’argument « {name} » prend {nargs} valeurs.",
    "Takes {nargs} values but 1 was given.": "Il faut {nargs} valeurs ; une seule est donnée.",
    "Takes {nargs} values but {len} were given.": "Il faut {nargs} valeurs ; {len} sont données.",
    "{len_type} values are required, but {len_value} was given.": (
        "Il faut {len_type} valeurs ; {len_value} est donnée."
    ),
    "{len_type} values are required, but {len_value} were given.": (
        "Il faut {len_type} valeurs ; {len_value} sont données."
    ),
    "Value must be an iterable.": "Il faut plusieurs valeurs.",
    "Invalid value: {message}": "Valeur refusée : {message}",
    "Invalid value for {param_hint}: {message}": "Valeur refusée pour {param_hint} : {message}",
    "Choose from:\n\t{choices}": "Au choix :\n\t{choices}",
    "Choice({choices})": "Choix ({choices})",
    "{value!r} is not {choice}.": "« {value} » n’est pas {choice}.",
    "{value!r} is not one of {choices}.": "« {value} » n’est pas l’un de {choices}.",
    "{value!r} is not a valid boolean. Recognized values: {states}": (
        "« {value} » n’est ni vrai ni faux. Valeurs reconnues : {states}"
    ),
    "{value!r} is not a valid {number_type}.": "« {value} » n’est pas un nombre de la forme attendue.",
    "{value} is not in the range {range}.": "{value} n’est pas dans l’intervalle {range}.",
    "{value!r} is not a valid UUID.": "« {value} » n’est pas un UUID.",
    "{value!r} does not match the format {format}.": "« {value} » n’a pas la forme {format}.",
    "{value!r} does not match the formats {formats}.": "« {value} » n’a aucune des formes {formats}.",
    # Files
    "file": "fichier",
    "directory": "dossier",
    "path": "chemin",
    "{name} {filename!r} does not exist.": "{name} « {filename} » n’existe pas.",
    "{name} {filename!r} is a file.": "{name} « {filename} » est un fichier.",
    "{name} {filename!r} is a directory.": "{name} « {filename} » est un dossier.",
    "{name} {filename!r} is not readable.": "{name} « {filename} » ne peut être lu.",
    "{name} {filename!r} is not writable.": "{name} « {filename} » ne peut être écrit.",
    "{name} {filename!r} is not executable.": "{name} « {filename} » ne peut être exécuté.",
    "Could not open file {filename!r}: {message}": "Impossible d’ouvrir « {filename} » : {message}",
    "unknown error": "erreur inconnue",
    # The rest
    "Aborted!": "Interrompu.",
    "d": "j",
    "Do you want to continue?": "Continuer ?",
    "Confirm the action without prompting.": "Confirmer sans poser de question.",
    "Press any key to continue...": "Appuyez sur une touche pour continuer…",
    "Repeat for confirmation": "Répétez pour confirmer",
    "Error: The two entered values do not match.": "Erreur : les deux valeurs diffèrent.",
    "Error: invalid input": "Erreur : saisie refusée",
    "{editor}: Editing failed": "{editor} : échec de l’édition",
    "{editor}: Editing failed: {e}": "{editor} : échec de l’édition : {e}",
    "Couldn't detect Bash version, shell completion is not supported.": (
        "La version de Bash est inconnue ; la complétion n’est pas offerte."
    ),
    "Shell completion is not supported for Bash versions older than 4.4.": (
        "La complétion n’est pas offerte avant la version 4.4 de Bash."
    ),
    "DeprecationWarning: The command {name!r} is deprecated.{extra_message}": (
        "La commande « {name} » est désuète.{extra_message}"
    ),
    "DeprecationWarning: The {param_type} {name!r} is deprecated.{extra_message}": (
        "« {name} » est désuet.{extra_message}"
    ),
}
"""What click says, and the French of it."""

NOT_FOR_USERS: Final = frozenset(
    {
        "Could not determine name for option with declarations {decls!r}",
        (
            "No options defined but a name was passed ({name}). Did you mean to declare an argument instead? "
            "Did you mean to pass '--{name}'?"
        ),
        "Arguments take exactly one parameter declaration, got {length}: {decls}.",
        "Name '{name}' defined twice",
        "Boolean option {decl!r} cannot use the same flag for true/false.",
        "Unknown color {colour!r}",
        "Unknown standard stream '{name}'",
        "Windows error: {error}",
    }
)
"""What click says to the programmer, or on systems that we are not made for."""


def translated(message: str) -> str:
    """Return click's message in the language in use."""
    if current() == "en":
        return gettext.gettext(message)
    return typeset(CATALOGUE.get(message, message))


def translated_count(singular: str, plural: str, count: int) -> str:
    """Return click's message for that count, in the language in use (in French, zero is singular)."""
    if current() == "en":
        return gettext.ngettext(singular, plural, count)
    return translated(singular if count < 2 else plural)  # noqa: PLR2004 - French grammar, not a setting


def install() -> None:
    """Make every module of click that is loaded ask `translated`."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "click":
            _replace(module, "_", gettext.gettext, translated)
            _replace(module, "ngettext", gettext.ngettext, translated_count)


def _replace(module: ModuleType, name: str, original: object, ours: object) -> None:
    if vars(module).get(name) is original:
        setattr(module, name, ours)
