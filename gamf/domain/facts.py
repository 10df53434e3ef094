"""One model a fact: the ten things that people report about an attribution (contract.md, *Facts*).

Facts arrive as raw JSON from anybody who holds a Temporal client. `parse` makes a model of one or refuses it by the
name of the faulty field; it never echoes a value, since a value may speak of a person.
"""

import json
import re
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Final, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
)

from gamf.domain.calendar import FIRST_DAY, LAST_DAY
from gamf.domain.refusal import RefusedByRuleError

# PostgreSQL keeps no NUL character in a text: such a fact could never be written.
STORABLE: Final = r"^[^\x00]*$"
Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=STORABLE)
]
Account = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=STORABLE)
]
Licence = Annotated[str, StringConstraints(pattern=r"^[0-9]{5}$")]


def _in_range(day: date) -> date:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError("out of range")
    return day


def _instant_in_range(instant: datetime) -> datetime:
    _in_range(instant.date())
    return instant


def _written_out(value: object) -> object:
    # pydantic also reads a count of seconds, as a number or in digits; RFC 3339 knows none.
    if isinstance(value, str) and re.match(r"\d{4}-\d{2}-\d{2}[Tt ]", value):
        return datetime.fromisoformat(value)
    if not isinstance(value, datetime | None):
        raise ValueError("not RFC 3339")  # noqa: TRY004 - pydantic turns it into a fault of the field
    return value


Day = Annotated[date, AfterValidator(_in_range)]
Instant = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_instant_in_range)]


class Report(BaseModel):
    """What every fact has, about an attribution or a block: who reports it (an account name)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: ClassVar[str]
    by: Account

    def argument(self) -> dict[str, Any]:
        """Return the JSON object that was sent, without what was left out."""
        return self.model_dump(mode="json", exclude_unset=True)


Reported = TypeVar("Reported", bound=Report)


class Fact(Report):
    """A fact about an attribution."""


class Accepted(Fact):
    """The coordinator confirms the physician's acceptance (R6)."""

    name: ClassVar[str] = "accepted"
    at: Instant | None = None


class Refused(Fact):
    """The physician refuses this patient, with a reason (A4)."""

    name: ClassVar[str] = "refused"
    reason: Text
    at: Instant | None = None


class Cancelled(Fact):
    """The coordinator cancels in an exceptional situation (R5)."""

    name: ClassVar[str] = "cancelled"
    reason: Text
    at: Instant | None = None


class SvEntered(Fact):
    """The clinic enters the SV enrolment (R8)."""

    name: ClassVar[str] = "sv_entered"
    on: Day | None = None


class WindowReopened(Fact):
    """A new, dated window to enter the SV (A6, R11)."""

    name: ClassVar[str] = "window_reopened"
    opens_on: Day
    reason: Text


class PatientRefused(Fact):
    """The GACO reports the patient's refusal (R9, A7)."""

    name: ClassVar[str] = "patient_refused"
    ground: Text
    on: Day | None = None


class MfSigned(Fact):
    """Form 4096 signed by patient and physician (R2); effective that day unless said."""

    name: ClassVar[str] = "mf_signed"
    signed_on: Day
    effective_on: Day | None = None

    @property
    def starts_on(self) -> date:
        """Return the first day of the MF enrolment."""
        return self.effective_on or self.signed_on


class EnrolledElsewhere(Fact):
    """Another physician's enrolment (R10, A14, A24), with its legal basis."""

    name: ClassVar[str] = "enrolled_elsewhere"
    physician: Licence
    effective_on: Day
    basis: Text


class PatientLeft(Fact):
    """Death, departure from Québec or loss of eligibility (A15)."""

    name: ClassVar[str] = "patient_left"
    on: Day
    cause: Literal["deceased", "left_quebec", "not_eligible"]


class PhysicianLeft(Fact):
    """The physician leaves, dies or stops participating (A16)."""

    name: ClassVar[str] = "physician_left"
    on: Day
    cause: Literal["retired", "deceased", "non_participating", "disengaged", "moved"]


Overtaking = EnrolledElsewhere | PatientLeft
"""The facts that end whatever attribution the patient is in, and not only the one that they were reported to."""
AnyFact = (
    Accepted
    | Refused
    | Cancelled
    | SvEntered
    | WindowReopened
    | PatientRefused
    | MfSigned
    | EnrolledElsewhere
    | PatientLeft
    | PhysicianLeft
)
FACTS: Final[dict[str, type[AnyFact]]] = {
    model.name: model
    for model in (
        Accepted,
        Refused,
        Cancelled,
        SvEntered,
        WindowReopened,
        PatientRefused,
        MfSigned,
        EnrolledElsewhere,
        PatientLeft,
        PhysicianLeft,
    )
}


def parse(name: str, argument: object) -> AnyFact:
    """Make the fact of that name from its JSON object.

    Raises:
        RefusedByRuleError: rule `form`, with the first faulty field; values are never repeated.
    """
    model = FACTS.get(name)
    if model is None:
        known = ", ".join(FACTS)
        raise RefusedByRuleError(
            "form",
            f"Fait inconnu. Les faits sont : {known}.",
            f"Unknown fact. The facts are: {known}.",
            "fact",
        )
    if not isinstance(argument, dict):
        raise RefusedByRuleError(
            "form", f"« {name} » demande un objet JSON.", f"“{name}” takes one JSON object.", None
        )
    return read(model, argument)


def read(model: type[Reported], argument: Any) -> Reported:  # noqa: ANN401 - JSON that somebody sent
    """Make a fact of its JSON object.

    Raises:
        RefusedByRuleError: rule `form`, with the first faulty field; values are never repeated.
    """
    try:
        return model.model_validate_json(json.dumps(argument))
    except ValidationError as error:
        raise _form_refusal(model, error) from None
    except (TypeError, ValueError, RecursionError):
        raise RefusedByRuleError(
            "form", "Le JSON n'est pas lisible.", "The JSON cannot be read.", None
        ) from None


_FORMS: Final[dict[str, tuple[str, str]]] = {
    "missing": ("manque", "is missing"),
    "extra_forbidden": ("n'existe pas pour ce fait", "does not exist for this fact"),
    "string_too_short": ("est vide", "is empty"),
    "string_too_long": ("est trop long", "is too long"),
    "timezone_aware": ("doit porter un décalage horaire (RFC 3339)", "needs a UTC offset (RFC 3339)"),
    "literal_error": ("n'est pas une des valeurs permises", "is not one of the values allowed"),
}


_FIELDS: Final[dict[str, str]] = {
    "at": "instant",
    "basis": "fondement",
    "by": "auteur",
    "effective_on": "entrée en vigueur",
    "ground": "motif du patient",
    "on": "jour",
    "opens_on": "premier jour",
    "physician": "médecin",
    "reason": "motif",
    "signed_on": "signature",
}
"""Fields in French, where the name sent is not French too."""


_REASONED: Final[dict[type[BaseModel], str]] = {Refused: "A4", Cancelled: "R5"}
"""The rule by which a fact has a reason."""


def _form_refusal(model: type[BaseModel], error: ValidationError) -> RefusedByRuleError:
    """Say what is wrong with the first faulty field of a fact, without repeating any value."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    # An unknown key is a word of the sender's, which may be a name; a known field is ours.
    field = str(first["loc"][0]) if first["loc"] else ""
    known = field in model.model_fields
    fr, en = _FORMS.get(first["type"], ("n'a pas la forme attendue", "does not have the expected form"))
    rule = _REASONED.get(model, "form") if field == "reason" else "form"
    if not known:
        return RefusedByRuleError(rule, f"Une clé inconnue {fr}.", f"An unknown key {en}.", None)
    named = f"« {_FIELDS[field]} » ({field})" if field in _FIELDS else f"« {field} »"
    return RefusedByRuleError(rule, f"Le champ {named} {fr}.", f"The field “{field}” {en}.", field)
