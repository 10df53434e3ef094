"""What follows from a decision, in words: before it is made, and so that whoever makes it knows."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from gamf.client.cli import labels
from gamf.client.cli.language import Text, say
from gamf.client.console.writing import day_words, deadline_words
from gamf.domain import effects

if TYPE_CHECKING:
    from gamf.domain.attribution import Transition

_WORDS: Final[dict[type, Callable[[Any], str]]] = {
    effects.WriteSv: lambda e: say(
        f"Le patient est inscrit SV à compter du {day_words(e.start)}.",
        f"The patient is enrolled SV from {day_words(e.start)} on.",
    ),
    effects.CloseSv: lambda e: say(
        f"L’inscription SV prend fin le {day_words(e.end)}.", f"The SV ends on {day_words(e.end)}."
    ),
    effects.VoidSv: lambda _: say("L’inscription SV est annulée.", "The SV is voided."),
    effects.WriteMf: lambda _: say(
        "Le patient est inscrit MF, à la date que vous donnez.",
        "The patient is enrolled MF, on the date you give.",
    ),
    effects.WriteElsewhere: lambda _: say(
        "L’inscription par l’autre médecin est consignée ; le patient quitte la liste.",
        "The other physician’s enrolment is kept; the patient leaves the list.",
    ),
    effects.ReturnToList: lambda _: say(
        "Le patient revient sur la liste, à sa date initiale.",
        "The patient is back on the list, at the initial date.",
    ),
    effects.LeaveList: lambda _: say(
        "Le patient quitte la liste pour de bon.", "The patient leaves the list for good."
    ),
    effects.NotOfferedAgain: lambda _: say(
        "Ce patient n’est plus jamais proposé à ce médecin.",
        "This patient is never offered to this physician again.",
    ),
    effects.NoNewBlock: lambda _: say(
        "Ce médecin ne reçoit plus de bloc.", "This physician is given no more blocks."
    ),
    effects.SendAttributionLetter: lambda _: say(
        "La lettre d’attribution part.", "The attribution letter goes out."
    ),
    effects.SendCorrectiveLetter: lambda _: say(
        "Une lettre corrige celle d’attribution, si elle est partie ; sinon, elle est retenue.",
        "A letter corrects that of attribution if it has gone; else it is withheld.",
    ),
    effects.WithholdLetters: lambda _: say(
        "Les lettres qui ne sont pas parties sont retenues.",
        "The letters that have not gone are withheld.",
    ),
    effects.Replace: lambda _: say(
        "Si le motif est exceptionnel, le premier de même priorité est attribué à sa place.",
        "If the reason is exceptional, the first of the same priority is attributed instead.",
    ),
    effects.ConfirmToRamq: lambda _: say(
        "Le nom confirmé va à la RAMQ avec la liste du bloc.",
        "The confirmed name goes to RAMQ with the block’s list.",
    ),
    effects.OpenTask: lambda e: say(
        f"Une tâche s’ouvre pour : {labels.label(labels.OWNERS, e.owner)}.",
        f"A task opens for: {labels.label(labels.OWNERS, e.owner)}.",
    ),
}


def follows(transition: "Transition") -> list[str]:
    """Return what a transition would bring, a sentence each: the state, what is done, the next deadline."""
    return list(_sentences(transition))


def _sentences(t: "Transition") -> Iterator[str]:
    state = labels.state(t.after)
    ended = say(" et se termine", " and ends") if t.ended_on else ""
    if t.after is not t.before or t.ended_on:
        yield say(f"L’attribution devient : {state}{ended}.", f"The attribution becomes: {state}{ended}.")
    for effect in t.effects:
        if words := _WORDS.get(type(effect)):
            yield words(effect)
    if t.deadline and t.after is not t.before:
        due = deadline_words(t.deadline, t.subject.time_zone)
        yield say(f"Prochaine échéance : {due}.", f"Next deadline: {due}.")


FACTS: Final = {
    "accepted": Text("Confirmer l’acceptation", "Confirm the acceptance"),
    "refused": Text("Consigner le refus du médecin", "Report the physician’s refusal"),
    "cancelled": Text("Annuler l’attribution", "Cancel the attribution"),
    "sv_entered": Text("Inscrire sans visite (SV)", "Enter the SV"),
    "window_reopened": Text("Rouvrir une fenêtre de 14 jours", "Reopen a window of 14 days"),
    "patient_refused": Text("Consigner le refus du patient", "Report the patient’s refusal"),
    "mf_signed": Text("Consigner le formulaire 4096 signé (MF)", "Report form 4096 signed (MF)"),
    "enrolled_elsewhere": Text("Inscrit par un autre médecin", "Enrolled by another physician"),
    "patient_left": Text("Décès ou départ du patient", "Patient’s death or departure"),
    "physician_left": Text("Départ du médecin", "Physician’s departure"),
}
"""Each fact as something to do."""
