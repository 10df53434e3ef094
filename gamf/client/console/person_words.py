"""What may be done about one person, in words: each act, what follows from it, the fields that it asks for."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from gamf.client.cli.language import Text
from gamf.client.console.fields import Field, cause_choices
from gamf.domain.corrections import CORRECTABLE
from gamf.domain.person import Consequence
from gamf.domain.roles import UseCase

ACTS: Final = {
    UseCase.REGISTER_MOVE: Text(
        "Consigner un déménagement dans un autre RLS", "Record a move to another RLS"
    ),
    UseCase.REGISTER_REINSTATE: Text(
        "Défaire un départ consigné par erreur", "Undo a departure recorded in error"
    ),
    UseCase.PATIENT_LEFT: Text("Consigner un décès ou un départ", "Record a death or a departure"),
    UseCase.ENROLLED_ELSEWHERE: Text(
        "Consigner une inscription par un autre médecin", "Record an enrolment by another physician"
    ),
}
"""Each act that has its form on the person's page."""

FOLLOWS: Final = {
    Consequence.NEXT_LETTERS: Text(
        "Les lettres qui ne sont pas encore faites prennent les nouvelles valeurs.",
        "Letters not yet made use the new values.",
    ),
    Consequence.OLD_VALUES_KEPT: Text(
        "Les anciennes valeurs sont conservées, avec le motif, pour une vérification.",
        "The old values are kept, with the reason, for an audit.",
    ),
    Consequence.WAITS_THERE: Text(
        "La personne attend dans l’autre RLS, à sa date initiale.",
        "The person waits in the other RLS, at the initial date.",
    ),
    Consequence.OUT_OF_DRAWN_LIST: Text(
        "La personne sort de la liste tirée où elle était.", "The person is taken out of the drawn list."
    ),
    Consequence.ATTRIBUTION_GOES_ON: Text(
        "L’attribution suit son cours avec le même médecin.",
        "The attribution follows its course with the same physician.",
    ),
    Consequence.ENROLMENT_GOES_ON: Text(
        "L’inscription auprès du médecin ne change pas.", "The enrolment with the physician does not change."
    ),
    Consequence.BACK_ON_LIST: Text(
        "La personne attend de nouveau, à sa date initiale.",
        "The person waits again, at the initial date.",
    ),
    Consequence.ENDED_STAYS: Text(
        "Ce que le départ a terminé le reste : une inscription se consigne de nouveau.",
        "What the departure ended stays so: an enrolment is recorded anew.",
    ),
    Consequence.LEAVES_FOR_GOOD: Text(
        "La personne quitte la liste pour de bon.", "The person leaves the list for good."
    ),
    Consequence.ENROLMENTS_END: Text(
        "Ses inscriptions prennent fin ce jour-là.", "Their enrolments end on that day."
    ),
    Consequence.LETTERS_WITHHELD: Text(
        "Les lettres qui ne sont pas parties sont retenues.",
        "The letters that have not gone are withheld.",
    ),
    Consequence.ENROLLED_OUTSIDE: Text(
        "L’inscription par l’autre médecin est consignée ; la personne quitte la liste.",
        "The other physician’s enrolment is kept; the person leaves the list.",
    ),
    Consequence.CONDITION_KEPT: Text(
        "La condition reste dans la base de données : aucune lettre, aucune liste et aucun flux de travail ne l’a.",
        "The condition stays in the database: no letter, no list and no workflow has it.",
    ),
    Consequence.TERM_UNCHANGED: Text(
        "Le délai de la première visite ne change pas : il tient à la vulnérabilité au jour de l’attribution.",
        "The first-visit term does not change: it rests on the vulnerability on the day of the attribution.",
    ),
}
"""Each consequence, a sentence."""

_REASON: Final = Field(
    "reason", Text("Motif, sans nom ni santé", "Reason, without name or health"), "text", required=True
)
_CONTACT: Final = {
    "address": Text("Adresse", "Address"),
    "city": Text("Ville", "City"),
    "postal_code": Text("Code postal", "Postal code"),
    "phone": Text("Téléphone", "Telephone"),
    "email": Text("Courriel", "E-mail"),
    "language": Text("Langue des lettres", "Language of the letters"),
    "english_attested": Text("Attestation pour l’anglais", "Attestation for English"),
    "representative": Text("Représentant", "Representative"),
}
_OPTIONAL: Final = frozenset({"phone", "email", "representative"})
_CONTACT_CHOICES: Final = {
    "language": (("fr", Text("français", "French")), ("en", Text("anglais", "English"))),
    "english_attested": (("false", Text("non", "no")), ("true", Text("oui", "yes"))),
}


def act_fields(use_case: UseCase, networks: Sequence[tuple[str, str]]) -> list[Field]:
    """Return what an act asks for; a move is offered these RLS."""
    match use_case:
        case UseCase.REGISTER_MOVE:
            offered = tuple((rls, Text(f"{rls}, {name}", f"{rls}, {name}")) for rls, name in networks)
            to = Field("to", Text("Nouveau RLS", "New RLS"), "choice", required=True, choices=offered)
            return [to, _day(Text("Depuis le", "Since")), _REASON]
        case UseCase.REGISTER_REINSTATE:
            return [_REASON]
        case UseCase.PATIENT_LEFT:
            cause = Field(
                "cause",
                Text("Cause", "Cause"),
                "choice",
                required=True,
                choices=cause_choices("patient_left"),
            )
            return [_day(Text("Jour", "Day")), cause]
        case UseCase.ENROLLED_ELSEWHERE:
            licence = Text("Permis du médecin (5 chiffres)", "The physician’s licence (5 digits)")
            basis = Text("Fondement de l’inscription", "Basis of the enrolment")
            return [
                Field("physician", licence, "text", required=True),
                Field("effective_on", Text("En vigueur le", "Effective on"), "date", required=True),
                Field("basis", basis, "text", required=True),
            ]
        case _:
            raise ValueError(use_case)


def _day(words: Text) -> Field:
    return Field("on", words, "date", required=True)


def contact_fields() -> list[Field]:
    """Return what may be corrected, and why."""
    return [*(_contact(name) for name in CORRECTABLE), _REASON]


def _contact(name: str) -> Field:
    choices = _CONTACT_CHOICES.get(name, ())
    kind = "choice" if choices else "text"
    return Field(name, _CONTACT[name], kind, required=name not in _OPTIONAL, choices=choices)


def condition_fields(codes: Sequence[tuple[str, Text]]) -> list[Field]:
    """Return what a condition asks for: one of these codes, and its day."""
    return [
        Field("code", Text("Condition", "Condition"), "choice", required=True, choices=tuple(codes)),
        _day(Text("Constatée le", "Noted on")),
    ]


def withdrawal_field() -> Field:
    """Return what a withdrawal asks for."""
    return _REASON


def first_written(today: date) -> dict[str, str]:
    """Return what stands in the fields before anything is written: days are today's."""
    return {"on": today.isoformat(), "effective_on": today.isoformat()}
