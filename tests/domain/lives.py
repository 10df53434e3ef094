"""One attribution led through its life in a few words: `life.at("2026-06-01 09:00").report("accepted")`."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Self

import pytest

from gamf.domain import calendar
from gamf.domain.attribution import Transition, begin, overtake, pass_deadlines, take
from gamf.domain.effects import Effect, OpenTask
from gamf.domain.facts import EnrolledElsewhere, PatientLeft, parse
from gamf.domain.model import Attribution, Start
from gamf.domain.policy import Policy
from gamf.domain.refusal import Reason, RefusedByRuleError
from gamf.domain.states import State

TORONTO: Final = "America/Toronto"
HALIFAX: Final = "America/Halifax"
BLANC_SABLON: Final = "America/Blanc-Sablon"
ZONES: Final = (TORONTO, HALIFAX, BLANC_SABLON)
PHYSICIAN: Final = "12345"
SECOND: Final = timedelta(seconds=1)


def instant(local: str, zone: str = TORONTO) -> datetime:
    """Read a local date and time, `2026-03-06 12:00`, as an instant in UTC."""
    return datetime.fromisoformat(local).replace(tzinfo=calendar.zone(zone)).astimezone(UTC)


def wall(moment: datetime | None, zone: str = TORONTO) -> str:
    """Return what a clock on the wall shows at that instant: `2026-03-06 12:00`, and the seconds if any."""
    assert moment is not None
    local = moment.astimezone(calendar.zone(zone)).replace(tzinfo=None)
    return local.isoformat(" ", "seconds" if local.second else "minutes")


def start(attributed: str = "2026-06-01 09:00", zone: str = TORONTO, **changes: Any) -> Start:  # noqa: ANN401 - any field
    """Make the argument of an attribution, whose patient and physician do not matter."""
    given = {
        "attribution_id": "2026-000042",
        "block_id": "2026-0007",
        "patient_id": "patient-1",
        "physician": PHYSICIAN,
        "rls": "1234",
        "time_zone": zone,
        "priority": "B",
        "vulnerable": False,
        "attributed_at": instant(attributed, zone),
        "policy": Policy(),
    }
    return Start.model_validate(given | changes)


class Life:
    """An attribution, the clock on its wall, and every transition so far."""

    def __init__(self, attributed: str = "2026-06-01 09:00", zone: str = TORONTO, **changes: Any) -> None:  # noqa: ANN401 - any field of `Start`
        taken = begin(start(attributed, zone, **changes))
        self.attribution: Attribution = taken.attribution
        self.transitions: list[Transition] = [taken.transition]
        self.zone: str = zone
        self.now: datetime = self.attribution.start.attributed_at

    def at(self, when: str | datetime) -> Self:
        """Let the time pass until then; what comes due is carried out."""
        self.now = instant(when, self.zone) if isinstance(when, str) else when
        self.attribution, passed = pass_deadlines(self.attribution, self.now)
        self.transitions.extend(passed)
        return self

    def report(self, fact: str, **argument: Any) -> Self:  # noqa: ANN401 - raw JSON, as it is sent
        """Report a fact that is taken."""
        taken = take(self.attribution, parse(fact, {"by": "someone"} | argument), self.now)
        self.attribution = taken.attribution
        self.transitions.append(taken.transition)
        return self

    def overtaken(self, fact: EnrolledElsewhere | PatientLeft) -> Self:
        """Be told what another attribution has made true."""
        taken = overtake(self.attribution, fact, self.now)
        self.attribution = taken.attribution
        self.transitions.append(taken.transition)
        return self

    def refuses(self, fact: str, **argument: Any) -> Reason:  # noqa: ANN401 - raw JSON, as it is sent
        """Report a fact that is refused; return why."""
        before = self.attribution
        with pytest.raises(RefusedByRuleError) as refused:
            self.report(fact, **argument)
        assert self.attribution is before
        return refused.value.reason

    @property
    def state(self) -> State:
        """Return where the attribution is."""
        return self.attribution.state

    @property
    def effects(self) -> tuple[Effect, ...]:
        """Return what followed from the last transition."""
        return self.transitions[-1].effects

    def effects_of(self, kind: type[Effect]) -> list[Effect]:
        """Return what of this kind followed, in the whole life."""
        return [effect for t in self.transitions for effect in t.effects if isinstance(effect, kind)]

    @property
    def opened(self) -> list[OpenTask]:
        """Return the tasks that were opened, in order."""
        return [effect for t in self.transitions for effect in t.effects if isinstance(effect, OpenTask)]

    @property
    def did(self) -> set[str]:
        """Return the names of what followed from the last transition."""
        return {effect.do for effect in self.effects}

    @property
    def deadline(self) -> str:
        """Return the next deadline on the wall's clock."""
        return wall(self.attribution.next_deadline, self.zone)


def confirmed(on: str = "2026-06-02 10:00", **changes: Any) -> Life:  # noqa: ANN401 - any field of `Start`
    """Return an attribution accepted at that local time, a day after it was made."""
    zone = changes.get("zone", TORONTO)
    made = (datetime.fromisoformat(on) - timedelta(days=1)).isoformat(" ")
    return Life(made, **changes).at(instant(on, zone)).report("accepted")


def enrolled(sv: date, **changes: Any) -> Life:  # noqa: ANN401 - any field of `Start`
    """Return an attribution whose SV starts on that day, the day of its acceptance."""
    return confirmed(f"{sv} 10:00", **changes).report("sv_entered")


def expired(sv: date, **changes: Any) -> Life:  # noqa: ANN401 - any field of `Start`
    """Return an attribution whose term has just passed: it is 00:00 of the next day."""
    life = enrolled(sv, **changes)
    assert life.attribution.deadline is not None
    return life.at(life.attribution.deadline)
