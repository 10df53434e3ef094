"""What follows from a transition: the changes that one transaction makes together, in this order."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from gamf.domain.correspondence import Standing
from gamf.domain.policy import Policy


class _Effect(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WriteSv(_Effect):
    """Enrol the patient SV from that day on (R8)."""

    do: Literal["write_sv"] = "write_sv"
    start: date


class CloseSv(_Effect):
    """End the SV on that day, itself included (R12, R15)."""

    do: Literal["close_sv"] = "close_sv"
    end: date


class VoidSv(_Effect):
    """Void the SV, as if it never was (R9, A12)."""

    do: Literal["void_sv"] = "void_sv"


class WriteMf(_Effect):
    """Enrol the patient MF with our physician (R2), and take them off whatever else they are in (A11)."""

    do: Literal["write_mf"] = "write_mf"
    start: date


class WriteElsewhere(_Effect):
    """Keep another physician's enrolment (A14, A24), and take the patient off whatever they are in."""

    do: Literal["write_elsewhere"] = "write_elsewhere"
    physician: str
    start: date
    basis: str


class ReturnToList(_Effect):
    """Put the patient back on the list at the initial registration date (R9, R15, A18)."""

    do: Literal["return_to_list"] = "return_to_list"


class LeaveList(_Effect):
    """Take the patient off the list for good (A15)."""

    do: Literal["leave_list"] = "leave_list"
    on: date
    cause: str


class Replace(_Effect):
    """Attribute another patient of the same priority in this one's place, if the reason asks for it (R5, A17)."""

    do: Literal["replace"] = "replace"
    reason: str
    policy: Policy


class NotOfferedAgain(_Effect):
    """Never offer this patient to this physician again (A8)."""

    do: Literal["not_offered_again"] = "not_offered_again"


class NoNewBlock(_Effect):
    """Give this physician no new block (A16)."""

    do: Literal["no_new_block"] = "no_new_block"
    on: date
    cause: str


class ConfirmToRamq(_Effect):
    """Keep the day of the confirmation; RAMQ is told with the block's list, or at once when that has gone (R6)."""

    do: Literal["confirm_to_ramq"] = "confirm_to_ramq"
    on: date


class SendAttributionLetter(_Effect):
    """Queue the attribution letter (R7)."""

    do: Literal["send_attribution_letter"] = "send_attribution_letter"


class SendCorrectiveLetter(_Effect):
    """Withhold the attribution letter if it has not gone; if it has, queue the letter that corrects it (A6, A25)."""

    do: Literal["send_corrective_letter"] = "send_corrective_letter"
    standing: Standing
    told_outside: bool = False
    """The patient was told of the attribution outside this system: no letter of ours has gone, and this one is due."""


class WithholdLetters(_Effect):
    """Withhold the letters that have not gone (A15)."""

    do: Literal["withhold_letters"] = "withhold_letters"


class TaskKind(StrEnum):
    """What somebody has to decide."""

    ANSWER_OVERDUE = "answer_overdue"
    SV_OVERDUE = "sv_overdue"
    DISCRIMINATORY_GROUND = "discriminatory_ground"
    LETTER_NOT_SENT = "letter_not_sent"
    ANNOUNCED_FACT = "announced_fact"
    """A departure or an enrolment is dated ahead, and the attribution that knew of it has ended (A15, A24)."""
    NO_REPLACEMENT = "no_replacement"
    """A patient was cancelled for an exceptional reason, and nobody of the same priority can take the place (A17)."""
    DIFFERENCE = "difference"
    """The database and the workflow differ, and no rule says which is right."""
    SV_TO_ENTER = "sv_to_enter"
    """The clinic has until the last day of the window to enrol the patient (R8)."""
    MF_TERM_NEAR = "mf_term_near"
    """The term of the first visit is near, and no form 4096 has come (R14)."""


OF_STATE: Final = (
    TaskKind.ANSWER_OVERDUE,
    TaskKind.SV_TO_ENTER,
    TaskKind.SV_OVERDUE,
    TaskKind.MF_TERM_NEAR,
)
"""What is asked as long as the attribution is in one state."""
OF_ATTRIBUTION: Final = (*OF_STATE, TaskKind.LETTER_NOT_SENT)
"""What is asked as long as it holds the patient: afterwards, the letter that never went has nothing to announce."""
OF_WAITING: Final = (TaskKind.ANNOUNCED_FACT,)
"""What is asked as long as the patient waits, whichever attribution asked (A15, A24)."""
OF_PRESENCE: Final = (*OF_WAITING, TaskKind.LETTER_NOT_SENT)
"""What is asked as long as the patient is neither dead nor gone for good (A15)."""


class Owner(StrEnum):
    """Who is expected to act."""

    PHYSICIAN = "physician"
    COORDINATOR = "coordinator"
    CLINIC = "clinic"
    GACO = "gaco"


class OpenTask(_Effect):
    """Open a task, to be decided before that instant (A2, A6, A7, R8)."""

    do: Literal["open_task"] = "open_task"
    kind: TaskKind
    owner: Owner
    due: datetime


class CloseTasks(_Effect):
    """Close the attribution's tasks whose reason has gone."""

    do: Literal["close_tasks"] = "close_tasks"
    kinds: tuple[TaskKind, ...] = OF_ATTRIBUTION


class ClosePatientTasks(_Effect):
    """Close the tasks whose reason has gone, of whichever attribution of the patient, or of the patient (A15, A24)."""

    do: Literal["close_patient_tasks"] = "close_patient_tasks"
    kinds: tuple[TaskKind, ...] = OF_WAITING


Effect = Annotated[
    WriteSv
    | CloseSv
    | VoidSv
    | WriteMf
    | WriteElsewhere
    | ReturnToList
    | LeaveList
    | Replace
    | NotOfferedAgain
    | NoNewBlock
    | ConfirmToRamq
    | SendAttributionLetter
    | SendCorrectiveLetter
    | WithholdLetters
    | OpenTask
    | CloseTasks
    | ClosePatientTasks,
    Field(discriminator="do"),
]
