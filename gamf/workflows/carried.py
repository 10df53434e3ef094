"""The workflows' arguments and results, and what a run gives to the next one.

They stand apart from the workflows because the sandbox imports a workflow's own module anew for each instance, and
would build these models each time: more than half of a worker's work when a block starts.
"""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from gamf.activities.blocks import Listed
from gamf.domain.block import BlockRequest, BlockState
from gamf.domain.model import Attribution, Start
from gamf.domain.states import State
from gamf.workflows.inbox import Memory


class Carried(BaseModel):
    """What a run of an attribution gives to the next one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attribution: Attribution
    inbox: Memory
    letters: tuple[str, ...]


class Argument(Start):
    """The argument of `Attribution`: contract.md's, and what an earlier run carried over."""

    carried: Carried | None = None


class Result(BaseModel):
    """How an attribution ended, and on which local day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: State
    ended_on: date | None


class CarriedBlock(BaseModel):
    """What a run of a block gives to the next one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: BlockState
    listed: tuple[Listed, ...]
    states: dict[str, str]
    attributed_at: datetime | None
    inbox: Memory


class BlockArgument(BlockRequest):
    """The argument of `Block`: contract.md's, and what an earlier run carried over."""

    carried: CarriedBlock | None = None
