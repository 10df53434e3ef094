"""What follows from a transition: the changes that one transaction makes together, in this order."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gamf.domain.correspondence import Standing


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


class NotOfferedAgain(_Effect):
    """Never offer this patient to this physician again (A8)."""

    do: Literal["not_offered_again"] = "not_offered_again"


class NoNewBlock(_Effect):
    """Give this physician no new block (A16)."""

    do: Literal["no_new_block"] = "no_new_block"
    on: date
    cause: str


class SendAttributionLetter(_Effect):
    """Queue the attribution letter (R7)."""

    do: Literal["send_attribution_letter"] = "send_attribution_letter"


class SendCorrectiveLetter(_Effect):
    """Withhold the attribution letter if it has not gone; if it has, queue the letter that corrects it (A6, A25)."""

    do: Literal["send_corrective_letter"] = "send_corrective_letter"
    standing: Standing


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


class Owner(StrEnum):
    """Who is expected to act."""

    PHYSICIAN = "physician"
    COORDINATOR = "coordinator"
    CLINIC = "clinic"
    GACO = "gaco"


class OpenTask(_Effect):
    """Open a task, due at that instant if there is a deadline (A2, A6, A7)."""

    do: Literal["open_task"] = "open_task"
    kind: TaskKind
    owner: Owner
    due: datetime | None = None


class CloseTasks(_Effect):
    """Close the tasks whose reason has gone."""

    do: Literal["close_tasks"] = "close_tasks"
    kinds: tuple[TaskKind, ...] = (TaskKind.ANSWER_OVERDUE, TaskKind.SV_OVERDUE)


Effect = Annotated[
    WriteSv
    | CloseSv
    | VoidSv
    | WriteMf
    | WriteElsewhere
    | ReturnToList
    | LeaveList
    | NotOfferedAgain
    | NoNewBlock
    | SendAttributionLetter
    | SendCorrectiveLetter
    | WithholdLetters
    | OpenTask
    | CloseTasks,
    Field(discriminator="do"),
]
