"""The retroactive cohort: attributions made from 1 February to 8 May 2026 outside this system (R1, R11).

Each is taken in as it stands: with the SV or the MF that it has already, or else with the window of 8 to 22 May 2026.
`check` says what is wrong with one; `adopt` says what it becomes. From there on it lives by the table, as any other.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from gamf.domain import calendar, consequences, words
from gamf.domain.attribution import Step, Transition, begin
from gamf.domain.draw import Applicant, participating
from gamf.domain.facts import Day, Text
from gamf.domain.model import IN_FORCE, Attribution, Enrolment, Start
from gamf.domain.policy import Policy
from gamf.domain.refusal import Reason, RefusedByRuleError
from gamf.domain.reliving import NotRelivedError
from gamf.domain.states import State

ADOPTED: Final = "adopted"
"""The event under which such an attribution begins, in place of `proposed`; its record is number 0."""
LAST_ATTRIBUTED: Final = date(2026, 5, 8)
"""The last day of the cohort, on the RLS's clock (R11); the first is `IN_FORCE` (R1)."""
WINDOW_OPENS: Final = date(2026, 5, 8)
"""The first day on which the SV of those who had none may start (R11)."""
WINDOW_CLOSES: Final = date(2026, 5, 22)
"""The last one, itself included (R11)."""


class Declared(BaseModel):
    """An attribution as whoever kept it outside this system declares it; the days are those of the RLS."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attributed_on: Day
    vulnerable: bool | None = None
    """As it was at the attribution (A9); None: as the register has it."""
    sv_start: Day | None = None
    mf_signed_on: Day | None = None
    mf_effective_on: Day | None = None
    """None: the day of the signature (R2)."""

    @property
    def mf_start(self) -> date | None:
        """Return the first day of the MF, or None when there is none."""
        return self.mf_effective_on or self.mf_signed_on

    @property
    def enrolled(self) -> bool:
        """Tell whether an SV or an MF was there already (R11)."""
        return self.sv_start is not None or self.mf_start is not None


class DatedWindow(BaseModel):
    """A new window for those whose own is over, as a coordinator opens it (A6, R11)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    opens_on: Day
    reason: Text


class Holder(BaseModel):
    """Where the patient stands, as the register has them: nothing that tells who they are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    patient_id: str
    place: str
    priority: str
    vulnerable: bool
    registered_on: date
    open_attribution: str | None = None
    """An attribution of theirs that has not ended, one that waits for a late MF included."""
    refused: bool = False
    """Never to be offered to this physician again (A8)."""
    free_from: date | None = None
    """The first day after every enrolment of theirs, or None when there is none."""


class Adopted(NamedTuple):
    """The attribution as it is taken in, whether the patient must be told of it, and the rules that say so."""

    attribution: Attribution
    rules: tuple[str, ...]
    letter_due: bool = False
    """Nobody has told who has neither SV nor MF that silence is consent (R7): the others enrolled knowingly."""


# --- what is wrong with one -----------------------------------------------------------------------------------------

Checks = tuple[Callable[[], None], ...]


def check(
    declared: Declared, holder: Holder | None, applicant: Applicant | None, policy: Policy, today: date
) -> tuple[Reason, ...]:
    """Return why an attribution cannot be taken in, every reason of it; `today` is on the clock of the RLS."""
    checks: Checks = (
        lambda: _check_cohort(declared, today),
        lambda: _check_sv(declared, today),
        lambda: _check_mf(declared, policy, today),
        lambda: _check_physician(applicant, today),
        lambda: _check_patient(declared, holder),
        lambda: _check_term(declared, holder, policy),
    )
    return tuple(_reasons(checks))


def _reasons(checks: Checks) -> Iterator[Reason]:
    for each in checks:
        try:
            each()
        except RefusedByRuleError as refused:
            yield refused.reason


def _check_cohort(declared: Declared, today: date) -> None:
    if declared.attributed_on < IN_FORCE:
        raise RefusedByRuleError(
            "R1",
            f"Les modalités sont en vigueur depuis le {words.fr(IN_FORCE)} ; une attribution d'avant n'en est pas.",
            f"The agreement is in force since {words.en(IN_FORCE)}; an attribution before is not under it.",
            "attributed_on",
        )
    if declared.attributed_on > LAST_ATTRIBUTED:
        raise RefusedByRuleError(
            "R11",
            f"La cohorte rétroactive finit le {words.fr(LAST_ATTRIBUTED)} ; depuis, on demande un bloc.",
            f"The retroactive cohort ends on {words.en(LAST_ATTRIBUTED)}; since then, ask for a block.",
            "attributed_on",
        )
    consequences.refuse_future(declared.attributed_on, today, "R11", "attributed_on")


def _check_sv(declared: Declared, today: date) -> None:
    if declared.sv_start is None:
        return
    consequences.refuse_future(declared.sv_start, today, "R8", "sv_start")
    if declared.sv_start < declared.attributed_on:
        raise RefusedByRuleError(
            "R8",
            "L'inscription SV ne peut précéder l'attribution.",
            "The SV cannot be before the attribution.",
            "sv_start",
        )
    if declared.sv_start > WINDOW_CLOSES:
        raise RefusedByRuleError(
            "R11",
            f"Une inscription SV de la cohorte commence au plus tard le {WINDOW_CLOSES}.",
            f"An SV of the cohort starts by {WINDOW_CLOSES}.",
            "sv_start",
        )


def _check_mf(declared: Declared, policy: Policy, today: date) -> None:
    if declared.mf_start is None:
        return
    signed = declared.mf_signed_on
    if signed is None:
        raise RefusedByRuleError(
            "R2",
            "Une inscription MF suppose le formulaire 4096 signé ; donnez la date de la signature.",
            "An MF needs form 4096 signed; give the day of the signature.",
            "mf_signed_on",
        )
    consequences.refuse_future(signed, today, "R2", "mf_signed_on")
    if signed < declared.attributed_on:
        raise RefusedByRuleError(
            "A24",
            "Signé avant l'attribution : déclarez une inscription hors LE 321.",
            "Signed before the attribution: report an enrolment outside LE 321.",
            "mf_signed_on",
        )
    if not signed <= declared.mf_start <= signed + timedelta(days=policy.mf_reception_days):
        raise RefusedByRuleError(
            "R2",
            f"L'inscription MF prend effet à la signature ou dans les {policy.mf_reception_days} jours suivants.",
            f"The MF takes effect at the signature or within {policy.mf_reception_days} days of it.",
            "mf_effective_on",
        )


def _check_physician(applicant: Applicant | None, today: date) -> None:
    applicant = participating(applicant)
    if applicant.leaves_on is not None and applicant.leaves_on <= today:
        raise RefusedByRuleError(
            "A16",
            f"Le médecin est parti le {words.fr(applicant.leaves_on)} : ses patients sont de nouveau sur la liste.",
            f"The physician left on {words.en(applicant.leaves_on)}: their patients are back on the list.",
            "physician",
        )


_ELSEWHERE: Final[dict[str, tuple[str, str, str]]] = {
    "proposed": (
        "invariant 1",
        "Le patient est dans une liste tirée ; retirez-la d'abord.",
        "The patient is in a drawn list; withdraw it first.",
    ),
    "enrolled": (
        "A24",
        "Le patient est inscrit ; il n'attend plus sur la liste.",
        "The patient is enrolled, and no longer waits on the list.",
    ),
    "left": (
        "A15",
        "Le patient a quitté la liste pour de bon.",
        "The patient has left the list for good.",
    ),
}


def _check_patient(declared: Declared, holder: Holder | None) -> None:
    if holder is None:
        raise RefusedByRuleError(
            "R4",
            "Ce NAM n'est pas au registre ; importez d'abord le patient.",
            "This NAM is not in the register; import the patient first.",
            "nam",
        )
    if holder.open_attribution is not None:
        raise RefusedByRuleError(
            "invariant 2",
            f"Le patient est déjà dans l'attribution {holder.open_attribution}, qui n'est pas terminée.",
            f"The patient is in attribution {holder.open_attribution} already, which has not ended.",
            "nam",
        )
    if holder.place in _ELSEWHERE:
        rule, fr, en = _ELSEWHERE[holder.place]
        raise RefusedByRuleError(rule, fr, en, "nam")
    _check_waiting(declared, holder)


def _check_waiting(declared: Declared, holder: Holder) -> None:
    if holder.registered_on > declared.attributed_on:
        raise RefusedByRuleError(
            "R4",
            "Le patient n'était pas encore inscrit sur la liste ce jour-là.",
            "The patient was not on the list yet on that day.",
            "attributed_on",
        )
    if holder.refused:
        raise RefusedByRuleError(
            "A8",
            "Après un refus, le patient n'est plus offert à ce médecin.",
            "After a refusal, the patient is not offered to this physician again.",
            "physician",
        )
    first = min(filter(None, (declared.sv_start, declared.mf_start)), default=None)
    if first is not None and holder.free_from is not None and first < holder.free_from:
        raise RefusedByRuleError(
            "invariant 2",
            f"Une autre inscription du patient court jusqu'au {words.fr(holder.free_from - timedelta(days=1))}.",
            f"Another enrolment of the patient runs to {words.en(holder.free_from - timedelta(days=1))}.",
            "sv_start" if declared.sv_start else "mf_effective_on",
        )


def _check_term(declared: Declared, holder: Holder | None, policy: Policy) -> None:
    if declared.sv_start is None or declared.mf_signed_on is None or holder is None:
        return
    vulnerable = holder.vulnerable if declared.vulnerable is None else declared.vulnerable
    term = consequences.term(policy, declared.sv_start, vulnerable=vulnerable)
    if declared.mf_signed_on > term:
        raise RefusedByRuleError(
            "A24",
            f"Signé après le terme ({words.fr(term)}) : déclarez une inscription hors LE 321.",
            f"Signed after the term ({words.en(term)}): report an enrolment outside LE 321.",
            "mf_signed_on",
        )


# --- what it becomes ------------------------------------------------------------------------------------------------


def attributed_at(declared: Declared, time_zone: str) -> datetime:
    """Return the instant that stands for the day of the attribution: its 00:00 on the clock of the RLS (A23)."""
    return calendar.start_of_day(declared.attributed_on, time_zone)


def adopt(start: Start, declared: Declared, dated: DatedWindow | None, now: datetime) -> Adopted:
    """Take in an attribution that `check` finds nothing wrong with, as it stands at that instant.

    An SV keeps its own term, and an MF ends it. For the others R11's window is open, or `dated` when it is over; one
    that is over with no other is overdue as soon as deadlines are passed, and its grace counts from now (A6).

    Raises:
        RefusedByRuleError: `dated` is asked for while R11's window is open, or is no window that A6 allows.
    """
    today = calendar.local_date(now, start.time_zone)
    begun = begin(start).attribution.model_copy(
        update={"state": State.CONFIRMED, "confirmed_on": declared.attributed_on, "adopted_on": today}
    )
    if declared.mf_start is not None:
        return _enrolled_mf(begun, declared, declared.mf_start)
    if declared.sv_start is not None:
        return Adopted(_enrolled_sv(begun, declared.sv_start), ("R1", "R11", "R14", "A9", "A10"))
    return _awaiting_sv(begun, dated, today)


def _enrolled_sv(begun: Attribution, day: date) -> Attribution:
    change = consequences.sv_begins(begun.start, day)
    return begun.model_copy(update={"state": State.ENROLLED_SV, **change})


def _enrolled_mf(begun: Attribution, declared: Declared, day: date) -> Adopted:
    a = begun if declared.sv_start is None else _enrolled_sv(begun, declared.sv_start)
    change, _ = consequences.end_sv(a, day - timedelta(days=1))
    ended = {
        "state": State.ENROLLED_MF,
        "mf": Enrolment(start=day),
        "deadline": None,
        "ended_on": declared.mf_signed_on,
    }
    return Adopted(a.model_copy(update={**change, **ended}), ("R1", "R2", "R12", "A12", "A13"))


def _awaiting_sv(begun: Attribution, dated: DatedWindow | None, today: date) -> Adopted:
    if dated is None:
        change = consequences.window(begun.start, WINDOW_OPENS, WINDOW_CLOSES)
    else:
        _check_own_window_over(today)
        change = consequences.dated_window(begun.start, dated.opens_on, today)
    a = begun.model_copy(update=change)
    rules = ("R1", "R7", "R11") if dated is None else ("R1", "R7", "R11", "A6")
    return Adopted(a, rules, letter_due=not a.taken_in_late)


def _check_own_window_over(today: date) -> None:
    if today <= WINDOW_CLOSES:
        raise RefusedByRuleError(
            "A6",
            f"La fenêtre du {WINDOW_OPENS} au {WINDOW_CLOSES} n'est pas finie ; n'en demandez pas d'autre.",
            f"The window of {WINDOW_OPENS} to {WINDOW_CLOSES} is not over; ask for no other.",
            "opens_on",
        )


# --- what is remembered of it ---------------------------------------------------------------------------------------


def argument(declared: Declared, dated: DatedWindow | None) -> dict[str, Any]:
    """Return what the record of an adoption keeps: all that `adopt_again` needs."""
    kept = declared.model_dump(mode="json", exclude_none=True)
    return kept if dated is None else {**kept, "window": dated.model_dump(mode="json")}


def adopt_again(start: Start, kept: dict[str, Any], at: datetime) -> Attribution:
    """Return the attribution as it was when it was taken in, from its record and the record's instant."""
    given = dict(kept)
    dated = given.pop("window", None)
    window = None if dated is None else DatedWindow.model_validate(dated)
    return adopt(start, Declared.model_validate(given), window, at).attribution


def as_taken_in(a: Attribution) -> Attribution:
    """Return a workflow's first state as how it began, when the record of the adoption is gone.

    Raises:
        NotRelivedError: it has moved since, so that how it began is not known.
    """
    if a.transitions:
        raise NotRelivedError(ADOPTED)
    return a


def first_transition(a: Attribution, at: datetime) -> Transition:
    """Return the adoption as a transition, for whoever writes again a row or a record that is gone."""
    return Transition(
        subject=a.start.subject,
        policy=a.start.policy.version,
        number=0,
        step=Step.NOTE,
        event=ADOPTED,
        at=at,
        by=None,
        argument={"attributed_on": a.local(a.start.attributed_at).isoformat()},
        rules=("R1", "R11"),
        before=a.state,
        after=a.state,
        deadline=a.deadline,
        waiting_for=a.waiting_for,
        ended_on=a.ended_on,
        under_way=a.under_way,
        effects=(),
    )


def taken_before(declared: Declared, kept: Iterable[dict[str, Any]]) -> bool:
    """Tell whether one of the records of adoptions by the same physician is of the very same declaration.

    Raises:
        RefusedByRuleError: one is of the same day, with other values (A20).
    """
    for each in kept:
        if each["attributed_on"] != declared.attributed_on.isoformat():
            continue
        if argument(declared, None) == {name: value for name, value in each.items() if name != "window"}:
            return True
        raise RefusedByRuleError(
            "A20",
            "Déjà prise avec d'autres valeurs ; ce qui a changé se rapporte comme un fait.",
            "Taken in already with other values; report what has changed as a fact.",
            "attributed_on",
        )
    return False
