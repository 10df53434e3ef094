"""How a drawn block compares with the population profile that it follows (R4), as it was at the draw."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from gamf.domain.block import BlockState
from gamf.domain.draw import Plan
from gamf.domain.profile import AGES


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class SeatsView(_View):
    """The seats of a group, or of all of one vulnerability or age together, where the other is None."""

    vulnerable: bool | None
    ages: str | None
    share: float
    """Of the profile, in percent."""
    quota: float
    """The exact share of the block, which may not be a whole number of seats."""
    wanted: int
    """The seats by largest remainder."""
    drawn: int
    difference: int
    """Drawn less wanted: not 0 where the list has too few people to offer, or makes up for that elsewhere."""
    waiting: int
    """How many waited at the draw, those included whom this physician is not offered (A8)."""


class BlockProfileView(_View):
    """The profile that applied to a block, and the seats it gave."""

    source: Literal["network", "waiting_list"]
    set_by: str | None
    set_at: datetime | None
    ages_on: date
    """The local date on which everybody had their age."""
    groups: tuple[SeatsView, ...]
    totals: tuple[SeatsView, ...]


def block_profile(records: Sequence[dict[str, Any]]) -> BlockProfileView | None:
    """Return the profile of a block from its record, or None when nothing was drawn by one."""
    drawn = (record["argument"] for record in records if record["event"] == BlockState.DRAWN)
    found = next((argument["plan"] for argument in drawn if "plan" in argument), None)
    return _view(Plan.model_validate(found)) if found else None


def _view(plan: Plan) -> BlockProfileView:
    return BlockProfileView(
        source=plan.source,
        set_by=plan.set_by,
        set_at=plan.set_at,
        ages_on=plan.ages_on,
        groups=tuple(_seats(plan, each.vulnerable, each.ages) for each in plan.groups),
        totals=(
            *(_seats(plan, vulnerable, None) for vulnerable in (True, False)),
            *(_seats(plan, None, ages) for ages in AGES),
        ),
    )


def _seats(plan: Plan, vulnerable: bool | None, ages: str | None) -> SeatsView:  # noqa: FBT001 - half of a group
    groups = [
        each for each in plan.groups if vulnerable in {None, each.vulnerable} and ages in {None, each.ages}
    ]
    whole = sum(each.weight for each in plan.groups)
    share = sum(each.weight for each in groups) / whole if whole else Decimal(0)
    wanted, drawn = sum(each.wanted for each in groups), sum(each.drawn for each in groups)
    return SeatsView(
        vulnerable=vulnerable,
        ages=ages,
        share=round(float(100 * share), 4),
        quota=round(float(plan.size * share), 4),
        wanted=wanted,
        drawn=drawn,
        difference=drawn - wanted,
        waiting=sum(each.waiting for each in groups),
    )
