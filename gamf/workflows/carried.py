"""The workflows' arguments and results, and what a run gives to the next one.

They stand apart from the workflows because the sandbox imports a workflow's own module anew for each instance, and
would build these models each time: more than half of a worker's work when a block starts.
"""

from datetime import date, datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict

from gamf.activities.blocks import Listed
from gamf.domain.block import BlockRequest, BlockState
from gamf.domain.departure import DepartureRequest, DepartureState
from gamf.domain.model import Attribution, Start
from gamf.domain.states import State
from gamf.workflows.inbox import Memory


class Carried(BaseModel):
    """What a run of an attribution gives to the next one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attribution: Attribution
    inbox: Memory
    letters: tuple[str, ...]
    ramq: bool = False


class Argument(Start):
    """The argument of `Attribution`: contract.md's, and what an earlier run carried over."""

    carried: Carried | None = None


class Result(BaseModel):
    """How an attribution ended, and on which local day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: State
    ended_on: date | None


class DigestArgument(BaseModel):
    """The argument of `DailyDigest`: an instant, when somebody asks for the digest of another day by hand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: AwareDatetime | None = None


class DigestResult(BaseModel):
    """What one run did: for which clocks, how many clinics' reminders, how many digests and with what luck."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zones: tuple[str, ...] = ()
    reminders: int = 0
    sent: int = 0
    refused: int = 0
    unsent: int = 0
    """Those of batches in which a mail server took not all of them in time."""


class CarriedBlock(BaseModel):
    """What a run of a block gives to the next one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: BlockState
    listed: tuple[Listed, ...]
    states: dict[str, str]
    attributed_at: datetime | None
    deadline: datetime | None = None
    time_zone: str | None = None
    inbox: Memory


class BlockArgument(BlockRequest):
    """The argument of `Block`: contract.md's, and what an earlier run carried over."""

    carried: CarriedBlock | None = None


class Progress(BaseModel):
    """Where a departure is: its day's instant, what it has reached, and why it was withdrawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: DepartureState = DepartureState.REQUESTED
    rls: str | None = None
    time_zone: str | None = None
    deadline: datetime | None = None
    announced_at: datetime | None = None
    reached: int = 0
    remaining: int = 0
    after: str | None = None
    withdrawn_blocks: tuple[str, ...] = ()
    reason: str | None = None


class CarriedDeparture(BaseModel):
    """What a run of a departure gives to the next one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    progress: Progress
    inbox: Memory


class DepartureArgument(DepartureRequest):
    """The argument of `PhysicianDeparture`, and what an earlier run carried over."""

    carried: CarriedDeparture | None = None
