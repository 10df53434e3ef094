"""What follows from each fact and each deadline: the functions that `TABLE` names, and nothing that knows the table.

Each is given the attribution as it is, the fact or deadline, and the instant; it refuses by a rule, or returns what
changes in the attribution and what must be carried out with it.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, Final

from gamf.domain import calendar, effects, tasks, words
from gamf.domain.correspondence import Standing
from gamf.domain.effects import Effect, Owner, TaskKind
from gamf.domain.facts import (
    Accepted,
    Cancelled,
    EnrolledElsewhere,
    MfSigned,
    PatientLeft,
    PatientRefused,
    PhysicianLeft,
    Refused,
    SvEntered,
    WindowReopened,
)
from gamf.domain.model import Attribution, Enrolment, Start
from gamf.domain.policy import Policy
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.states import DeadlineName, State

_CLOCKS_DIFFER: Final = timedelta(seconds=30)

Change = tuple[dict[str, Any], tuple[Effect, ...]]
"""The fields of the attribution that change, and what follows."""
Follow = Callable[[Attribution, Any, datetime], Change]


def accept(a: Attribution, fact: Accepted, now: datetime) -> Change:
    """Confirm the acceptance: the 14 days start on its local date, and the letter is due (R6, R7, A5)."""
    _check_grace(a)
    day = a.local(_reported_at(a, fact.at, now))
    opened = window(a.start, day, day + timedelta(days=a.start.policy.sv_days))
    told = (effects.ConfirmToRamq(on=day), effects.SendAttributionLetter())
    task = _enter_sv_before(opened["deadline"])
    return {"confirmed_on": day, **opened}, (effects.CloseTasks(), *told, task)


def refuse(a: Attribution, fact: Refused, now: datetime) -> Change:
    """Put the patient back, never to be offered to this physician again (A4, A8)."""
    _check_grace(a)
    _reported_at(a, fact.at, now)
    return {}, (effects.CloseTasks(), effects.ReturnToList(), *_not_offered_again(a))


def cancel(a: Attribution, fact: Cancelled, now: datetime) -> Change:
    """Put the patient back, told of it if they had been told of the attribution, and replace them (R5, A17, A25)."""
    _reported_at(a, fact.at, now)
    told = _tell(a, Standing.CANCELLED)
    return {}, (effects.CloseTasks(), effects.ReturnToList(), *told, *_replace(a, fact))


def enter_sv(a: Attribution, fact: SvEntered, now: datetime) -> Change:
    """Enrol the patient SV from a day of the window, and start the 12 or 36 months (R8, A5, R14)."""
    today = a.local(now)
    day = fact.on or today
    refuse_future(day, today, "R8", "on")
    assert a.window_opens_on is not None  # noqa: S101 - a confirmed attribution has a window
    assert a.confirmed_on is not None  # noqa: S101 - the same
    first_day = max(a.window_opens_on, a.confirmed_on)
    if day < first_day:
        raise RefusedByRuleError(
            "A5",
            f"La date de début ne peut précéder le {words.fr(first_day)}, premier jour de la fenêtre.",
            f"The start date cannot be before {words.en(first_day)}, the first day of the window.",
            "on",
        )
    return sv_begins(a.start, day), (effects.CloseTasks(kinds=effects.OF_STATE), effects.WriteSv(start=day))


def sv_begins(start: Start, day: date) -> dict[str, Any]:
    """Return what an SV that starts on that day changes: the 12 or 36 months run from it (R14, A9, A10)."""
    last_day = term(start.policy, day, vulnerable=start.vulnerable)
    return {
        "sv": Enrolment(start=day),
        "term": last_day,
        "deadline": calendar.end_of_day(last_day, start.time_zone),
    }


def term(policy: Policy, day: date, *, vulnerable: bool) -> date:
    """Return the last day of an SV that starts on that day (R14, A10)."""
    months = policy.mf_months_vulnerable if vulnerable else policy.mf_months
    return calendar.add_months(day, months)


def reopen(a: Attribution, fact: WindowReopened, now: datetime) -> Change:
    """Open another window of 14 days (A6, R11); whoever was taken in after theirs is only then told (R7)."""
    change = dated_window(a.start, fact.opens_on, a.local(now))
    letter = (effects.SendAttributionLetter(),) if a.taken_in_late else ()
    closed = effects.CloseTasks(kinds=effects.OF_STATE)
    return change, (closed, *letter, _enter_sv_before(change["deadline"]))


def dated_window(start: Start, opens_on: date, today: date) -> dict[str, Any]:
    """Return what a dated window of 14 days changes, or refuse one that is over or too far ahead (A6)."""
    policy = start.policy
    last_day = opens_on + timedelta(days=policy.window_days)
    latest = today + timedelta(days=policy.window_opens_within_days)
    if last_day < today or opens_on > latest:
        raise RefusedByRuleError(
            "A6",
            f"La fenêtre de {policy.window_days} jours doit s'ouvrir d'ici le {words.fr(latest)} et n'être pas finie.",
            f"The window of {policy.window_days} days must open by {words.en(latest)} and not be over already.",
            "opens_on",
        )
    return window(start, opens_on, last_day)


def window(start: Start, opens_on: date, last_day: date) -> dict[str, Any]:
    """Return what a window changes: the SV starts on one of its days, until 24:00 of the last (A5, R11)."""
    return {
        "window_opens_on": opens_on,
        "sv_last_day": last_day,
        "deadline": calendar.end_of_day(last_day, start.time_zone),
    }


def patient_refuses(a: Attribution, fact: PatientRefused, now: datetime) -> Change:
    """Void the SV and put the patient back; a ground may concern the GACO (R9, A7, A8)."""
    today = a.local(now)
    day = fact.on or today
    refuse_future(day, today, "A7", "on")
    if day < a.local(a.start.attributed_at):
        raise RefusedByRuleError(
            "A7",
            "Le refus ne peut précéder l'attribution.",
            "The refusal cannot be before the attribution.",
            "on",
        )
    change, undone = _void_sv(a)
    gaco = fact.ground in a.start.policy.grounds_for_gaco
    due = tasks.due(now, a.start.policy, a.start.time_zone)
    asked = effects.OpenTask(kind=TaskKind.DISCRIMINATORY_GROUND, owner=Owner.GACO, due=due)
    task = (asked,) if gaco else ()
    told = _tell(a, Standing.PATIENT_REFUSED)
    return change, (effects.CloseTasks(), *undone, *_return_to_list(a), *_not_offered_again(a), *told, *task)


def sign_mf(a: Attribution, fact: MfSigned, now: datetime) -> Change:
    """Enrol the patient MF and end the SV the day before (R2, R12, A12, A13)."""
    if a.sv is None and not a.start.policy.mf_without_sv:
        raise RefusedByRuleError("A13", "L'inscription SV doit précéder.", "The SV comes first.", None)
    _check_signature(a, fact, a.local(now))
    change, undone = end_sv(a, fact.starts_on - timedelta(days=1))
    written = effects.WriteMf(start=fact.starts_on)
    closed = (effects.CloseTasks(), effects.ClosePatientTasks())
    return {**change, "mf": Enrolment(start=fact.starts_on)}, (*closed, *undone, written)


def _check_signature(a: Attribution, fact: MfSigned, today: date) -> None:
    refuse_future(fact.signed_on, today, "R2", "signed_on")
    reception = timedelta(days=a.start.policy.mf_reception_days)
    if today - fact.signed_on > reception:
        raise RefusedByRuleError(
            "A11",
            f"Le formulaire 4096 est reçu plus de {reception.days} jours après sa signature.",
            f"Form 4096 was received more than {reception.days} days after its signature.",
            "signed_on",
        )
    if fact.signed_on < a.local(a.start.attributed_at):
        raise RefusedByRuleError(
            "A24",
            "Signé avant l'attribution : déclarez une inscription hors LE 321.",
            "Signed before the attribution: report an enrolment outside LE 321.",
            "signed_on",
        )
    if a.state is State.EXPIRED and a.term is not None and fact.signed_on > a.term:
        raise RefusedByRuleError(
            "A24",
            f"Signé après le terme ({words.fr(a.term)}) : déclarez une inscription hors LE 321.",
            f"Signed after the term ({words.en(a.term)}): report an enrolment outside LE 321.",
            "signed_on",
        )
    if a.departed_on is not None and fact.signed_on >= a.departed_on:
        raise RefusedByRuleError(
            "A16",
            f"Le médecin est parti le {words.fr(a.departed_on)}.",
            f"The physician left on {words.en(a.departed_on)}.",
            "signed_on",
        )
    if not fact.signed_on <= fact.starts_on <= fact.signed_on + reception:
        raise RefusedByRuleError(
            "R2",
            f"L'inscription MF prend effet à la signature ou dans les {reception.days} jours qui la suivent.",
            f"The MF takes effect at the signature or within {reception.days} days of it.",
            "effective_on",
        )
    leaving = a.leaving_on
    if leaving is not None and fact.starts_on >= leaving:
        raise RefusedByRuleError(
            "A16",
            f"L'inscription MF prendrait effet après le départ du médecin ({leaving}).",
            f"The MF would take effect after the physician's departure ({leaving}).",
            "effective_on",
        )


def enrolled_elsewhere(a: Attribution, fact: EnrolledElsewhere, _now: datetime) -> Change:
    """End the SV the day before another physician's enrolment (A14, A24)."""
    change, undone = end_sv(a, fact.effective_on - timedelta(days=1))
    written = effects.WriteElsewhere(physician=fact.physician, start=fact.effective_on, basis=fact.basis)
    closed = (effects.CloseTasks(), effects.ClosePatientTasks())
    return change, (*closed, *undone, written, *_tell(a, Standing.ENROLLED_ELSEWHERE))


def patient_leaves(a: Attribution, fact: PatientLeft, _now: datetime) -> Change:
    """End the SV on that day and take the patient off the list for good (A15)."""
    change, undone = end_sv(a, fact.on)
    told = () if fact.cause == "deceased" else _tell(a, Standing.LEFT)
    left = effects.LeaveList(on=fact.on, cause=fact.cause)
    closed = (effects.CloseTasks(), effects.ClosePatientTasks(kinds=effects.OF_PRESENCE))
    return change, (*closed, *undone, left, effects.WithholdLetters(), *told)


def physician_leaves(a: Attribution, fact: PhysicianLeft, _now: datetime) -> Change:
    """End the SV the day before and put the patient back (A16)."""
    change, undone = end_sv(a, fact.on - timedelta(days=1))
    told = _tell(a, Standing.PHYSICIAN_LEFT)
    return change, (effects.CloseTasks(), *undone, effects.ReturnToList(), *told, *no_new_block(fact))


def note_departure(a: Attribution, fact: PhysicianLeft, _now: datetime) -> Change:
    """Note a departure that comes after the term: the patient is on the list already (A16, A11)."""
    # The patient is on the list already; a form signed before the departure may still come (A11).
    # What was announced before is corrected by what has happened (A20).
    announced = tuple(other for other in a.announced if not isinstance(other, PhysicianLeft))
    return {"departed_on": fact.on, "announced": announced}, no_new_block(fact)


def go_unanswered(a: Attribution, _deadline: DeadlineName, due: datetime) -> Change:
    """Ask the coordinator, for two working days (A2)."""
    day = calendar.add_working_days(a.local(due), a.start.policy.answer_grace_working_days)
    grace = calendar.end_of_day(day, a.start.time_zone)
    task = effects.OpenTask(kind=TaskKind.ANSWER_OVERDUE, owner=Owner.COORDINATOR, due=grace)
    return {"deadline": grace}, (task,)


def go_overdue(a: Attribution, _deadline: DeadlineName, _due: datetime) -> Change:
    """Ask the coordinator, for five working days: from when there was somebody to ask (A6, R11)."""
    assert a.sv_last_day is not None  # noqa: S101 - a confirmed attribution has a window
    since = max(a.sv_last_day, a.adopted_on or a.sv_last_day)
    day = calendar.add_working_days(since, a.start.policy.sv_grace_working_days)
    grace = calendar.end_of_day(day, a.start.time_zone)
    task = effects.OpenTask(kind=TaskKind.SV_OVERDUE, owner=Owner.COORDINATOR, due=grace)
    return {"deadline": grace}, (effects.CloseTasks(kinds=effects.OF_STATE), task)


def lapse(a: Attribution, _deadline: DeadlineName, _due: datetime) -> Change:
    """Put the patient back: nobody decided (A2, A6)."""
    return {}, (effects.CloseTasks(), effects.ReturnToList(), *_tell(a, Standing.LAPSED))


def expire(a: Attribution, _deadline: DeadlineName, _due: datetime) -> Change:
    """Close the SV at the term, put the patient back, and wait for a late MF (R15, A10, A11)."""
    assert a.term is not None  # noqa: S101 - an SV has a term
    change, closed = end_sv(a, a.term)
    late = a.term + timedelta(days=a.start.policy.late_mf_days)
    deadline = calendar.end_of_day(late, a.start.time_zone)
    told = _tell(a, Standing.EXPIRED)
    return {**change, "deadline": deadline}, (effects.CloseTasks(), *closed, effects.ReturnToList(), *told)


def close(_a: Attribution, _deadline: DeadlineName, _due: datetime) -> Change:
    """Change nothing more."""
    return {}, ()


def asked_at_once(a: Attribution, now: datetime) -> tuple[effects.OpenTask, ...]:
    """Return what is asked of whoever an attribution waits for, when it is taken in as it stands (R8, R11)."""
    return (
        (_enter_sv_before(a.deadline),)
        if a.state is State.CONFIRMED and a.deadline and a.deadline > now
        else ()
    )


def _enter_sv_before(deadline: datetime) -> effects.OpenTask:
    return effects.OpenTask(kind=TaskKind.SV_TO_ENTER, owner=Owner.CLINIC, due=deadline)


def _check_grace(a: Attribution) -> None:
    if a.state is State.UNANSWERED and not a.start.policy.answer_in_grace:
        raise RefusedByRuleError("A3", "Le délai de 72 heures est passé.", "The 72 hours are over.", "at")


def _reported_at(a: Attribution, at: datetime | None, now: datetime) -> datetime:
    # Whoever stamped it, a block's workflow for one, may run on a clock that is a little ahead of ours.
    at = now if at is None or now < at <= now + _CLOCKS_DIFFER else at
    if not a.start.attributed_at <= at <= now:
        raise RefusedByRuleError(
            "R6",
            "L'instant doit être entre l'attribution et maintenant.",
            "The instant must lie between the attribution and now.",
            "at",
        )
    return at


def refuse_future(day: date, today: date, rule: str, field: str) -> None:
    """Refuse a day that has not come yet on the RLS's clock."""
    if day > today:
        raise RefusedByRuleError(
            rule,
            f"Le {words.fr(day)} est dans le futur.",
            f"{words.en(day)} is in the future.",
            field,
        )


def end_sv(a: Attribution, last_day: date) -> Change:
    """Close the SV on that day, or void it when it had not begun by then (R12, A12, A14)."""
    if a.sv is None or a.sv.voided:
        return {}, ()
    if last_day < a.sv.start:
        return _void_sv(a)
    end = min(filter(None, (last_day, a.sv.end, a.term)))
    if end == a.sv.end:
        return {}, ()
    return {"sv": a.sv.model_copy(update={"end": end})}, (effects.CloseSv(end=end),)


def _void_sv(a: Attribution) -> Change:
    if a.sv is None or a.sv.voided:
        return {}, ()
    return {"sv": a.sv.model_copy(update={"voided": True})}, (effects.VoidSv(),)


def _replace(a: Attribution, fact: Cancelled) -> tuple[Effect, ...]:
    """Have the block draw another patient; whoever was attributed alone is on no list to be replaced on (R5, A17)."""
    if a.start.block_id is None:
        return ()
    return (effects.Replace(reason=fact.reason, policy=a.start.policy),)


def _return_to_list(a: Attribution) -> tuple[Effect, ...]:
    return (effects.ReturnToList(),) if a.under_way else ()


def _not_offered_again(a: Attribution) -> tuple[Effect, ...]:
    return (effects.NotOfferedAgain(),) if a.start.policy.not_offered_again else ()


def no_new_block(fact: PhysicianLeft) -> tuple[Effect, ...]:
    """Give the physician no new block from the notice on (A16)."""
    return (effects.NoNewBlock(on=fact.on, cause=fact.cause),)


def _tell(a: Attribution, standing: Standing) -> tuple[Effect, ...]:
    """Give the physician no new block from the notice on (A16)."""
    """Change nothing more."""
    """Close the SV at the term, put the patient back, and wait for a late MF (R15, A10, A11)."""
    """Put the patient back: nobody decided (A2, A6)."""
    """Ask the coordinator, for five working days (A6)."""
    """Ask the coordinator, for two working days (A2)."""
    """Note a departure that comes after the term: the patient is on the list already (A16, A11)."""
    """End the SV the day before and put the patient back (A16)."""
    """End the SV on that day and take the patient off the list for good (A15)."""
    """End the SV the day before another physician's enrolment (A14, A24)."""
    """Enrol the patient MF and end the SV the day before (R2, R12, A12, A13)."""
    """Void the SV and put the patient back; a ground may concern the GACO (R9, A7, A8)."""
    """Open another window of 14 days (A6, R11)."""
    """Enrol the patient SV from a day of the window, and start the 12 or 36 months (R8, A5, R14)."""
    """Put the patient back, told of it if they had been told of the attribution (R5, A25)."""
    """Put the patient back, never to be offered to this physician again (A4, A8)."""
    _check_grace(a)
    """Confirm the acceptance: the 14 days start on its local date, and the letter is due (R6, R7, A5)."""
    """Tell who got the attribution letter; once expired, they have been told already (A25)."""
    told = a.confirmed_on is not None and a.under_way and a.start.policy.tell_the_patient
    letter = effects.SendCorrectiveLetter(standing=standing, told_outside=a.told_outside)
    return (letter,) if told else ()
