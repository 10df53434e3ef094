"""What the query `view` answers (contract.md)."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from gamf.domain.block import BlockState
from gamf.domain.departure import DepartureState
from gamf.domain.effects import Owner
from gamf.domain.inbox import RefusedFact
from gamf.domain.model import Attribution, Enrolment, Entry
from gamf.domain.states import State


class AttributionView(BaseModel):
    """One attribution as anybody may see it: no name, no NAM."""

    model_config = ConfigDict(frozen=True)

    attribution_id: str
    state: State
    physician: str
    deadline: datetime | None
    waiting_for: Owner | None
    history: tuple[Entry, ...]
    refused_facts: tuple[RefusedFact, ...]
    refused_count: int
    passed: tuple[Entry, ...]
    sv: Enrolment | None
    mf: Enrolment | None
    confirmed_on: date | None
    sv_window: tuple[date, date] | None
    term: date | None
    attributed_at: datetime
    adopted_on: date | None
    ended_on: date | None
    policy: str


def attribution_view(a: Attribution, refused: tuple[RefusedFact, ...], count: int) -> AttributionView:
    """Return the view of an attribution; `refused` are the latest facts refused, of `count` in all."""
    window = (a.window_opens_on, a.sv_last_day) if a.window_opens_on and a.sv_last_day else None
    return AttributionView(
        attribution_id=a.start.attribution_id,
        state=a.state,
        physician=a.start.physician,
        deadline=a.next_deadline,
        waiting_for=a.waiting_for,
        history=a.history,
        refused_facts=refused,
        refused_count=count,
        passed=a.passed,
        sv=a.sv,
        mf=a.mf,
        confirmed_on=a.confirmed_on,
        sv_window=window,
        term=a.term,
        attributed_at=a.start.attributed_at,
        adopted_on=a.adopted_on,
        ended_on=a.ended_on,
        policy=a.start.policy.version,
    )


class BlockMember(BaseModel):
    """One patient of a block's list; the state is that of the attribution when it last reported to its block."""

    model_config = ConfigDict(frozen=True)

    patient_id: str
    attribution_id: str | None
    state: str
    priority: str
    vulnerable: bool
    replaces: str | None


class BlockView(BaseModel):
    """A block: its state, how many are in each state, and the list in the order of the draw."""

    model_config = ConfigDict(frozen=True)

    block_id: str
    state: BlockState
    physician: str
    rls: str
    size: int
    requested_by: str
    attributed_at: datetime | None
    deadline: datetime | None
    reason: str | None
    counts: dict[str, int]
    list: tuple[BlockMember, ...]
    refused_facts: tuple[RefusedFact, ...]
    refused_count: int
    policy: str


class DepartureView(BaseModel):
    """A physician's departure: its state, its day, and how many attributions it has reached."""

    model_config = ConfigDict(frozen=True)

    departure_id: str
    state: DepartureState
    physician: str
    rls: str | None
    on: date
    cause: str
    deadline: datetime | None
    announced_by: str
    announced_at: datetime | None
    reached: int
    remaining: int
    withdrawn_blocks: tuple[str, ...]
    reason: str | None
    refused_facts: tuple[RefusedFact, ...]
    refused_count: int
    policy: str
