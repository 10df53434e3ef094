"""The fields of a fact as a form has them, and what was written in them as the fact takes it."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from typing import Final, NamedTuple

from gamf.client.cli import labels
from gamf.client.cli.language import Text
from gamf.domain.calendar import FIRST_DAY, LAST_DAY, zone
from gamf.domain.facts import FACTS, Cancelled
from gamf.domain.refusal import RefusedByRuleError


class Field(NamedTuple):
    """One field: its name in the fact, what it is called, how it is filled in, and the choices of a list."""

    name: str
    words: Text
    kind: str
    required: bool
    choices: tuple[tuple[str, Text], ...] = ()


_CAUSES: Final = {
    "patient_left": (
        ("deceased", Text("décès", "death")),
        ("left_quebec", Text("départ du Québec", "departure from Québec")),
        ("not_eligible", Text("perte d’admissibilité", "loss of eligibility")),
    ),
    "physician_left": tuple(labels.PHYSICIAN_CAUSES.items()),
}
_GROUNDS: Final = (
    ("distance", Text("trop loin", "too far")),
    ("has_a_physician", Text("a déjà un médecin", "has a physician already")),
    ("prefers_to_wait", Text("préfère attendre", "prefers to wait")),
    ("discriminatory", Text("motif discriminatoire", "discriminatory ground")),
    ("other", Text("autre motif", "another ground")),
)
_WORDS: Final = {
    "at": Text("Quand, si ce n’est maintenant", "When, if not now"),
    "on": Text("Jour", "Day"),
    "reason": Text("Motif, sans nom ni santé", "Reason, without name or health"),
    "opens_on": Text("Premier jour de la fenêtre", "First day of the window"),
    "ground": Text("Motif du patient", "The patient’s ground"),
    "signed_on": Text("Signé le", "Signed on"),
    "effective_on": Text("En vigueur le", "Effective on"),
    "physician": Text("Permis du médecin (5 chiffres)", "The physician’s licence (5 digits)"),
    "basis": Text("Fondement de l’inscription", "Basis of the enrolment"),
    "cause": Text("Cause", "Cause"),
}
_DAYS: Final = frozenset({"on", "opens_on", "signed_on", "effective_on"})


@cache
def fields_of(fact: str) -> tuple[Field, ...]:
    """Return the fields of a fact, without who reports it; the page offers the reasons to cancel (R5)."""
    model = FACTS[fact].model_fields
    return tuple(
        _field(fact, name, required=each.is_required()) for name, each in model.items() if name != "by"
    )


def cause_choices(fact: str) -> tuple[tuple[str, Text], ...]:
    """Return the causes that a departure may have, each in words."""
    return _CAUSES[fact]


def day_of(written: str, field: str) -> date:
    """Return a day as a form sends it.

    Raises:
        RefusedByRuleError: it is none, or is out of the calendar's range.
    """
    try:
        day = date.fromisoformat(written)
    except ValueError:
        day = None
    if day is None or not FIRST_DAY <= day <= LAST_DAY:
        raise RefusedByRuleError(
            "form", "La date n’a pas la forme attendue.", "The date has not the expected form.", field
        )
    return day


def _field(fact: str, name: str, *, required: bool) -> Field:
    if name == "reason" and fact == Cancelled.name:
        return Field(name, _WORDS[name], "offered", required)
    if name == "cause":
        return Field(name, _WORDS[name], "choice", required, _CAUSES[fact])
    if name == "ground":
        return Field(name, _WORDS[name], "choice", required, _GROUNDS)
    kind = "datetime-local" if name == "at" else "date" if name in _DAYS else "text"
    return Field(name, _WORDS[name], kind, required)


def argument_of(fact: str, written: Mapping[str, str], time_zone: str) -> dict[str, str]:
    """Return what was written, as the fact takes it: what was left empty is left out, an hour is the RLS's.

    Raises:
        RefusedByRuleError: an hour is none.
    """
    given = {each.name: written.get(each.name, "").strip() for each in fields_of(fact)}
    return {
        name: _instant(value, time_zone) if name == "at" else value for name, value in given.items() if value
    }


def _instant(value: str, time_zone: str) -> str:
    try:
        local = datetime.fromisoformat(value)
    except ValueError:
        raise RefusedByRuleError(
            "form", "L’heure n’a pas la forme attendue.", "The hour has not the expected form.", "at"
        ) from None
    return local.replace(tzinfo=zone(time_zone)).isoformat() if local.tzinfo is None else value
