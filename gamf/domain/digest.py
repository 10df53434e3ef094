"""The daily digest: when it is due, what it looks back and ahead at, and what it says; references only, no person.

It is due at 07:00 of each working day on the clock of each RLS (A23). A digest that could not be made then is made when
it can, as long as it is the same day there; otherwise the next one says what is still so.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from gamf.domain import calendar
from gamf.domain.effects import TaskKind
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.states import State

HOUR: Final = time(7)
AHEAD_WORKING_DAYS: Final = 3
"""Working days, so that neither a week-end nor a holiday hides what is due before the next digest but one."""
ZONES: Final = ("America/Toronto", "America/Halifax", "America/Blanc-Sablon")
"""The clocks of Québec's RLS (A23)."""
RETURNED: Final = (
    State.REFUSED,
    State.PATIENT_REFUSED,
    State.CANCELLED,
    State.LAPSED,
    State.EXPIRED,
    State.PHYSICIAN_LEFT,
)
"""The states in which a patient who was held is back on the list (R5, R9, R15, A2, A4, A6, A16)."""
_ADDRESS: Final = re.compile(r"[^@\s<>,;:\"]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
ANSWER_DUE: Final = "answer_due"
"""The physician's answer, which is awaited for 72 hours (R6) and is nobody's task as long as they run."""


class Recipient(StrEnum):
    """Whom a digest is for."""

    COORDINATOR = "coordinator"
    CLINIC = "clinic"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Asked(_Part):
    """Something to do: a task's kind or `answer_due`, its reference, until when; `late` whatever its date says."""

    kind: str
    reference: str
    due: datetime
    late: bool = False


class Returned(_Part):
    """An attribution whose patient came back to the list, and why."""

    reference: str
    state: State


class Group(_Part):
    """What is of one kind and due at one instant; what came back has none."""

    kind: str
    due: datetime | None
    references: tuple[str, ...]


class Digest(_Part):
    """What one coordinator or one clinic is told on one day of theirs."""

    recipient: Recipient
    of: tuple[str, ...]
    """The RLS of a coordinator, the licences of a clinic's physicians."""
    on: date
    time_zone: str
    due: tuple[Group, ...]
    late: tuple[Group, ...]
    back: tuple[Group, ...]

    @property
    def says_something(self) -> bool:
        """Tell whether there is anything to say; if not, nothing is sent."""
        return bool(self.due or self.late or self.back)


def made_at(on: date, time_zone: str) -> datetime:
    """Return 07:00 of that local day, as an instant in UTC."""
    return datetime.combine(on, HOUR, calendar.zone(time_zone)).astimezone(UTC)


def due_on(time_zone: str, at: datetime, now: datetime) -> date | None:
    """Return the local day whose digest is due, asked for at that instant and carried out now; None when none is.

    It is due from 07:00 to 24:00 of a working day.
    """
    local = at.astimezone(calendar.zone(time_zone))
    same_day = calendar.local_date(now, time_zone) == local.date()
    on_time = calendar.is_working_day(local.date()) and local.time() >= HOUR
    return local.date() if on_time and same_day else None


def since(on: date, time_zone: str) -> datetime:
    """Return from when on a patient's return is told: 07:00 of the working day before."""
    day = on - timedelta(days=1)
    while not calendar.is_working_day(day):
        day -= timedelta(days=1)
    return made_at(day, time_zone)


def horizon(on: date, time_zone: str) -> datetime:
    """Return until when what is due is told: 24:00 of the third working day after that one."""
    return calendar.end_of_day(calendar.add_working_days(on, AHEAD_WORKING_DAYS), time_zone)


def strikes(zones: Iterable[str], year: int) -> tuple[time, ...]:
    """Return the times on the province's clock at which it is 07:00 in one of the zones, on some day of that year."""
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(366)]
    province = calendar.zone(calendar.PROVINCE)
    found = {made_at(day, name).astimezone(province).time() for name in {*zones, *ZONES} for day in days}
    return tuple(sorted(found))


def compose(  # noqa: PLR0913 - the parts of one digest, by name
    recipient: Recipient,
    of: Sequence[str],
    *,
    on: date,
    time_zone: str,
    asked: Iterable[Asked],
    returned: Iterable[Returned],
) -> Digest:
    """Part what is late from what is due within three working days, and add what came back."""
    at = made_at(on, time_zone)
    until = horizon(on, time_zone)
    late: list[Asked] = []
    due: list[Asked] = []
    for each in asked:
        if each.late or each.due <= at:
            late.append(each)
        elif each.due <= until:
            due.append(each)
    return Digest(
        recipient=recipient,
        of=tuple(sorted(of)),
        on=on,
        time_zone=time_zone,
        due=_grouped(due),
        late=_grouped(late),
        back=_back(returned),
    )


def _grouped(asked: Iterable[Asked]) -> tuple[Group, ...]:
    groups: dict[tuple[datetime, str], list[str]] = {}
    for each in asked:
        groups.setdefault((each.due, each.kind), []).append(each.reference)
    return tuple(
        Group(kind=kind, due=due, references=tuple(sorted(references)))
        for (due, kind), references in sorted(groups.items())
    )


def _back(returned: Iterable[Returned]) -> tuple[Group, ...]:
    groups: dict[str, list[str]] = {}
    for each in returned:
        groups.setdefault(each.state, []).append(each.reference)
    return tuple(
        Group(kind=kind, due=None, references=tuple(sorted(references)))
        for kind, references in sorted(groups.items())
    )


def check_address(email: str) -> None:
    """Refuse what is not an e-mail address."""
    if _ADDRESS.fullmatch(email) is None:
        raise RefusedByRuleError(
            "form", "N'est pas une adresse de courriel.", "Is not an e-mail address.", "email"
        )


LATE_FOR_CLINIC: Final = (TaskKind.ANSWER_OVERDUE, TaskKind.SV_OVERDUE)
"""What the coordinator has to decide because the clinic or its physician did not act in time (A2, A6)."""
