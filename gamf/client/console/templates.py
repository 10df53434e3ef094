"""Pages made of templates: everything is escaped, every word is in both languages, dates are as Québec writes them."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gamf.client.cli import labels
from gamf.client.cli.language import Text, current, say
from gamf.client.console.menu import entries
from gamf.client.console.writing import day_words, deadline_words, instant_words, number_words
from gamf.domain.refusal import Reason
from gamf.domain.roles import ROLE_LABELS, Actor, Role, UseCase, scope_of

FOLDER: Final = Path(__file__).parent / "templates"
SAID: Final[Mapping[str, Text]] = {
    "task_done": Text("La tâche est fermée.", "The task is closed."),
    "task_was_done": Text("La tâche était déjà fermée.", "The task was closed already."),
    "password_changed": Text(
        "Votre mot de passe est changé ; vos autres sessions sont fermées.",
        "Your password is changed; your other sessions are ended.",
    ),
    "session_over": Text(
        "Votre session était terminée ; rien n’a changé. Ouvrez-en une, puis recommencez.",
        "Your session was over; nothing has changed. Sign in, then start over.",
    ),
    "signed_out": Text("Votre session est fermée.", "You are signed out."),
    "signed_out_here": Text(
        "Votre session est fermée ici ; celle du fournisseur d’identité peut être encore ouverte.",
        "You are signed out here; at the identity provider you may still be signed in.",
    ),
    "reported": Text("Le fait est consigné.", "The fact is reported."),
    "requested": Text(
        "La liste est tirée ; elle attend l’approbation.", "The list is drawn; it awaits approval."
    ),
    "approved": Text(
        "La liste est approuvée : les 72 heures ont commencé.",
        "The list is approved: the 72 hours have begun.",
    ),
    "withdrawn": Text(
        "La liste est retirée : chacun attend de nouveau.", "The list is withdrawn: everybody waits again."
    ),
    "answered": Text("La réponse du médecin est consignée.", "The physician’s answer is reported."),
    "sv_entered": Text("Les inscriptions SV sont consignées.", "The SV enrolments are entered."),
    "nobody_chosen": Text(
        "Personne n’était coché ; rien n’a changé.", "Nobody was ticked; nothing has changed."
    ),
    "corrected": Text("La correction est consignée.", "The correction is recorded."),
    "nothing_changed": Text(
        "C’était déjà ainsi ; rien n’a changé.", "It was so already; nothing has changed."
    ),
    "person_reported": Text("C’est consigné.", "It is recorded."),
    "no_longer_yours": Text(
        "C’est consigné ; cette personne n’est plus de vos patients.",
        "It is recorded; this person is no longer among your patients.",
    ),
    "condition_recorded": Text("La condition est consignée.", "The condition is recorded."),
    "condition_withdrawn": Text(
        "La condition est retirée ; elle reste lisible, avec le motif.",
        "The condition is withdrawn; it stays legible, with the reason.",
    ),
    "departure_announced": Text(
        "Le départ est annoncé : ce médecin ne reçoit plus de bloc.",
        "The departure is announced: this physician is given no more blocks.",
    ),
    "departure_withdrawn": Text(
        "Le départ est retiré : le médecin reste.", "The departure is withdrawn: the physician stays."
    ),
    "physician_back": Text(
        "Le retour est consigné : ce médecin peut recevoir un bloc.",
        "The return is recorded: this physician may be given a block.",
    ),
    "profile_set": Text(
        "Le profil est fixé : les prochains blocs le suivent.",
        "The profile is set: the next blocks follow it.",
    ),
    "profile_reset": Text(
        "Les blocs suivent de nouveau la liste d’attente.", "The blocks follow the waiting list again."
    ),
    "handed_over": Text(
        "Le fichier est dans le dossier de remise à la RAMQ.", "The file is in the folder handed to RAMQ."
    ),
    "advanced": Text("L’horloge de cette attribution a avancé.", "The clock of this attribution has moved."),
}
"""What a page says of what was just done, by the word in its address."""


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names: dict[str, Any] = {
        "say": say,
        "labels": labels,
        "menu": entries,
        "role_words": role_words,
        "sees": sees,
        "to_day": date.fromisoformat,
        "number": number_words,
        "ruled": ruled,
    }
    for name, value in names.items():
        made.globals[name] = value
    made.filters.update(instant=instant_words, deadline=deadline_words, day=day_words)
    return made


def render(template: str, values: Mapping[str, Any]) -> str:
    """Return a page in the language in use; a value that a template lacks is an error."""
    said = SAID.get(str(values.get("said")))
    shown = {**values, "language": current(), "said": str(said) if said else None}
    return _environment().get_template(template).render(shown)


def role_words(role: str) -> str:
    """Return a role in the language in use."""
    return str(Text(*ROLE_LABELS[Role(role)]))


def ruled(refusal: Reason) -> str:
    """Return why something was refused, and by which rule; that a field is badly filled in is no rule."""
    said = say(refusal.fr, refusal.en)
    return said if refusal.rule == "form" else f"{said} {say('(règle %s)', '(rule %s)') % refusal.rule}"


def sees(actor: Actor, use_case: str) -> bool:
    """Tell whether somebody may do that at all: whether a page leads there."""
    return not scope_of(actor, UseCase(use_case)).is_empty()
