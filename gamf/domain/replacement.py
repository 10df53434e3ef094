"""Who takes the place of a patient whose attribution is cancelled (R5, A17), and which cancellation asks for it."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from gamf.domain.attribution import Taken, begin
from gamf.domain.draw import Applicant, Candidate, check_eligible, list_order
from gamf.domain.identifiers import attribution_reference
from gamf.domain.model import Start, Subject
from gamf.domain.policy import Policy
from gamf.domain.refusal import RefusedByRuleError

RULES: Final = ("R5", "A17", "R6", "A1", "A21")
"""The rules behind the attribution of a replacement: the coordinator who cancels is the one who approves it."""
CODE: Final = r"[a-z][a-z0-9_]{1,39}"
_LABEL: Final = r"[^\x00-\x1f\x7f]{1,200}"


class CancellationReason(BaseModel):
    """A row of our table of reasons; `exceptional` says that another patient is drawn (R5)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    label_fr: str
    label_en: str
    exceptional: bool
    active: bool = True
    ours: bool = True
    """No list of official codes is published."""


def is_replaced(reason: CancellationReason | None) -> bool:
    """Tell whether a cancellation for that reason brings another patient (R5).

    A reason that no row of the table knows is a text of the coordinator's own: R5 speaks of any exceptional
    situation put to them, so another patient is drawn. A code keeps its meaning once it is no longer offered.
    """
    return reason is None or reason.exceptional


def may_receive(physician: Applicant | None, rls: str) -> bool:
    """Tell whether another patient may still be given to that physician (R3, A16)."""
    try:
        check_eligible(physician, rls)
    except RefusedByRuleError:
        return False
    return True


def choose(waiting: Iterable[Candidate], cancelled: Subject) -> Candidate | None:
    """Return the first of the list of the same priority, never the cancelled patient, or None (A17, A18)."""
    same = (
        each
        for each in waiting
        if each.priority == cancelled.priority and each.patient_id != cancelled.patient_id
    )
    return min(same, key=list_order, default=None)


def attribute(  # noqa: PLR0913, PLR0917 - the parts of one attribution, each of its own kind
    cancelled: Subject, chosen: Candidate, number: int, at: datetime, by: str | None, policy: Policy
) -> Taken:
    """Attribute the chosen patient in the cancelled one's place; the 72 hours from `at` are their own (A17, A1)."""
    start = Start(
        attribution_id=attribution_reference(at.year, number),
        block_id=cancelled.block_id,
        patient_id=chosen.patient_id,
        physician=cancelled.physician,
        rls=cancelled.rls,
        time_zone=cancelled.time_zone,
        priority=chosen.priority,
        vulnerable=chosen.vulnerable,
        attributed_at=at,
        policy=policy,
    )
    taken = begin(start)
    argument = {"replaces": cancelled.attribution_id}
    transition = taken.transition.model_copy(update={"by": by, "argument": argument, "rules": RULES})
    return Taken(taken.attribution, transition)


def new_reason(code: str, label_fr: str, label_en: str, *, exceptional: bool) -> CancellationReason:
    """Return a new reason of ours.

    Raises:
        RefusedByRuleError: rule `form`; the code or a label has not the form it should.
    """
    if not re.fullmatch(CODE, code):
        raise RefusedByRuleError(
            "form",
            "Un code de motif : de 2 à 40 lettres minuscules sans accent, chiffres ou « _ », une lettre d'abord.",
            "A reason's code: 2 to 40 lower-case letters, digits or “_”, a letter first.",
            "code",
        )
    return relabelled(
        CancellationReason(code=code, label_fr="?", label_en="?", exceptional=exceptional), label_fr, label_en
    )


def relabelled(reason: CancellationReason, label_fr: str, label_en: str) -> CancellationReason:
    """Return the reason under other words; raise `RefusedByRuleError` (`form`) when one is empty or too long."""
    labels = {"label_fr": label_fr.strip(), "label_en": label_en.strip()}
    for field, label in labels.items():
        if not re.fullmatch(_LABEL, label):
            raise RefusedByRuleError(
                "form",
                "Le libellé du motif : une ligne de 1 à 200 caractères.",
                "The reason's label: a line of 1 to 200 characters.",
                field,
            )
    return reason.model_copy(update=labels)
