"""What a route takes besides plain words: each with its form, as the description says it."""

import re
from typing import Annotated, Any, Final, Literal

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gamf.client.changes import MOST
from gamf.client.reading import PAGE
from gamf.domain.facts import FACTS, STORABLE, Licence
from gamf.domain.orders import ORDERS, Listing
from gamf.domain.profile import AGES

ATTRIBUTION: Final = r"^[0-9]{4}-[0-9]{6,12}$"
BLOCK: Final = r"^[0-9]{4}-[0-9]{4,12}$"
NAME: Final = r"^[0-9A-Za-z-]{1,64}$"
_LARGEST: Final = 2**63 - 1

AttributionReference = Annotated[str, StringConstraints(pattern=ATTRIBUTION)]
BlockReference = Annotated[str, StringConstraints(pattern=BLOCK)]
AttributionInPath = Annotated[str, Path(pattern=ATTRIBUTION, examples=["2026-000042"])]
BlockInPath = Annotated[str, Path(pattern=BLOCK, examples=["2026-0007"])]
RlsInPath = Annotated[str, Path(pattern=STORABLE, max_length=100, examples=["9901"])]
LicenceInPath = Annotated[Licence, Path(examples=["90002"])]
TaskInPath = Annotated[int, Path(ge=1, le=_LARGEST)]
# A NAM in an address would stand in the log of every proxy on the way; a `patient_id` has hyphens.
PatientInPath = Annotated[
    str, Path(pattern=r"^[0-9a-f-]{36}$", description="the opaque patient_id, never a NAM")
]
ConditionInPath = Annotated[int, Path(ge=1, le=_LARGEST)]
NameInPath = Annotated[str, Path(pattern=NAME)]

# What may change between two pages of a sorted list stands in `after` beside the reference.
AfterAttribution = Annotated[str | None, Query(pattern=r"^[0-9]{4}-[0-9]{6,12}(~[0-9A-Za-z_:.+-]{0,40})?$")]
AfterBlock = Annotated[str | None, Query(pattern=r"^[0-9]{4}-[0-9]{4,12}(~[0-9A-Za-z_:.+-]{0,40})?$")]
AfterPhysician = Annotated[str | None, Query(pattern=r"^[0-9]{5}(~[0-9A-Za-z_:.+-]{0,40})?$")]
AfterTask = Annotated[int | None, Query(ge=1, le=_LARGEST)]
AfterPatient = Annotated[str | None, Query(pattern=r"^[0-9a-f-]{36}(:[0-9]{1,9})?$")]
Cursor = Annotated[str | None, Query(pattern=STORABLE, max_length=100)]
Limit = Annotated[int, Query(ge=1, le=MOST)]
Word = Annotated[str, StringConstraints(pattern=STORABLE, max_length=100)]
PlaceName = Literal["waiting", "proposed", "attributed", "enrolled", "left"]
AgesName = Annotated[str, StringConstraints(pattern=f"^({'|'.join(map(re.escape, AGES))})$")]
StatusName = Literal["participating", "non_participating", "disengaged"]
PriorityName = Literal["A", "B", "C", "D", "E"]
PAGE_LIMIT: Final = PAGE

FactName = Literal[
    "accepted",
    "refused",
    "cancelled",
    "sv_entered",
    "window_reopened",
    "patient_refused",
    "mf_signed",
    "enrolled_elsewhere",
    "patient_left",
    "physician_left",
]
assert set(FACTS) == set(FactName.__args__)  # type: ignore[attr-defined] # noqa: S101 - the description names them all


def _sort(listing: Listing) -> Any:  # noqa: ANN401 - a parameter of FastAPI
    names = "|".join(ORDERS[listing])
    return Query(pattern=f"^-?({names})$", description="with `-` before it, backwards")


SortAttributions = Annotated[str | None, _sort(Listing.ATTRIBUTIONS)]
SortBlocks = Annotated[str | None, _sort(Listing.BLOCKS)]
SortRegister = Annotated[str | None, _sort(Listing.REGISTER)]
SortTasks = Annotated[str | None, _sort(Listing.TASKS)]


class FactSent(BaseModel):
    """A fact: its name, and beside it the keys of its argument (contract.md); `by` is the token's account."""

    model_config = ConfigDict(frozen=True, extra="allow")

    fact: Annotated[FactName, Field(examples=["sv_entered"])]

    def argument(self) -> dict[str, Any]:
        """Return what stands beside the name."""
        return dict(self.model_extra or {})


class FactOfOne(FactSent):
    """A fact, and which attribution it is about."""

    attribution_id: Annotated[AttributionReference, Field(examples=["2026-000042"])]


class FactsSent(BaseModel):
    """Facts in bulk: those of one attribution are taken in the order given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    facts: Annotated[tuple[FactOfOne, ...], Field(min_length=1, max_length=MOST)]
