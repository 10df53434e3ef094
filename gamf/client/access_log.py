"""The use cases of the access log: who looked at whom, and what of a month is out of the ordinary (LRSSS, s. 103)."""

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from gamf.client import access, reading
from gamf.client.access import Seat
from gamf.client.reading import PAGE, Page
from gamf.domain import access as rules
from gamf.domain.access import AccountMonth, Shown
from gamf.domain.calendar import add_months
from gamf.domain.identifiers import looks_like_nam
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import UseCase, check_allowed
from gamf.storage import access_log, accounts
from gamf.storage.access_log import LookFilter

if TYPE_CHECKING:
    from gamf.storage.connection import Connection

_LISTS: Final = sorted(each.value for each in rules.LISTS)
_ZONE: Final = "America/Toronto"
"""The clock of months, and of accounts without an RLS."""


class LookView(BaseModel):
    """A look: by whom, when, by which way and from where, what was shown; of many people, the first hundred."""

    model_config = ConfigDict(frozen=True)

    look_id: int
    account: str
    at: datetime
    channel: str
    address: str | None
    use_case: str
    shown: tuple[str, ...]
    refused: bool
    people: int
    patients: tuple[str, ...]


class FindingView(BaseModel):
    """Something pointed out, with what was counted and from how many on it is."""

    model_config = ConfigDict(frozen=True)

    account: str
    rule: str
    counted: int
    threshold: int
    fr: str
    en: str


class Summary(BaseModel):
    """A month of the access log: each account's counts, and what is out of the ordinary."""

    model_config = ConfigDict(frozen=True)

    month: str
    accounts: tuple[AccountMonth, ...]
    unusual: tuple[FindingView, ...]


class LooksAsked(NamedTuple):
    """Which looks are asked for: at that patient, by that account, from a first day to a last, on Québec's clock."""

    patient: str | None = None
    account: str | None = None
    first: date | None = None
    last: date | None = None


async def find_patient(conn: "Connection", seat: Seat, patient: str) -> str:
    """Return the opaque identifier of somebody named by it or by a NAM, to ask for the looks at them.

    Raises:
        RefusedByRuleError: it is not for the actor.
        NotFoundError: nobody in the register is named so.
    """
    check_allowed(seat.actor, UseCase.ACCESS_LOG_SHOW)
    patient_id = await reading.find_patient(conn, patient)
    if looks_like_nam(patient):
        await access.note(conn, seat, UseCase.ACCESS_LOG_SHOW, (Shown.IDENTITY,), [patient_id])
    return patient_id


async def list_looks(
    conn: "Connection",
    seat: Seat,
    asked: LooksAsked,
    *,
    after: str | None = None,
    limit: int = PAGE,
) -> Page[LookView]:
    """Return the looks at a patient, named by it or by a NAM, by an account, of a period; the latest first.

    Reading the log is a look at the people of its lines, and is in it.

    Raises:
        RefusedByRuleError: it is not for the actor, or the period ends before it begins.
        NotFoundError: nobody in the register is named so.
    """
    check_allowed(seat.actor, UseCase.ACCESS_LOG_SHOW)
    if asked.first and asked.last and asked.last < asked.first:
        raise RefusedByRuleError(
            "form", "La période finit avant de commencer.", "The period ends before it begins.", "last"
        )
    patient_id = None if asked.patient is None else await reading.find_patient(conn, asked.patient)
    since = _midnight(asked.first) if asked.first else None
    until = _midnight(asked.last + timedelta(days=1)) if asked.last else None
    only = LookFilter(patient_id, asked.account, since, until)
    rows = await access_log.looks(conn, only, int(after) if after else None, limit + 1)
    views = tuple(LookView.model_validate(row) for row in rows[:limit])
    people = {each for view in views for each in view.patients}
    await access.note_log(conn, seat, sorted(people | ({patient_id} if patient_id else set())))
    return Page(items=views, after=str(views[-1].look_id) if len(rows) > limit else None)


async def summarize(conn: "Connection", seat: Seat, first_day: date) -> Summary:
    """Return the month that begins on that day, on the clock of Québec, with what is out of the ordinary.

    It counts, and names accounts; that it was read is in the log as well.

    Raises:
        RefusedByRuleError: it is not for the actor.
    """
    check_allowed(seat.actor, UseCase.ACCESS_LOG_SHOW)
    since, until = (_midnight(day) for day in (first_day, add_months(first_day, 1)))
    rows = await access_log.month(conn, since, until, rules.NIGHT_FROM, rules.NIGHT_UNTIL, _ZONE, _LISTS)
    await access.note_log(conn, seat, [])
    granted = await accounts.grants(conn, [row["account"] for row in rows])
    months = tuple(
        AccountMonth(**row, roles=frozenset(each.role for each in granted.get(row["account"], ())))
        for row in rows
    )
    found = tuple(_finding(each) for each in rules.findings(months))
    return Summary(month=f"{first_day:%Y-%m}", accounts=months, unusual=found)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(_ZONE))


def _finding(found: rules.Finding) -> FindingView:
    fr, en = found.words()
    return FindingView(
        account=found.account, rule=found.rule, counted=found.counted, threshold=found.threshold, fr=fr, en=en
    )
