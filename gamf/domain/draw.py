"""Who is drawn for a block, and for whom (R3, R4, A8, A18, A21). The draw proposes; a coordinator approves."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from math import lcm
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from gamf.domain import words
from gamf.domain.profile import AGES, GROUPS, Group, NetworkProfile, Weights, group_of
from gamf.domain.refusal import RefusedByRuleError

LARGEST_BLOCK: Final = 1000
"""Patients. Blocks are of 500 to 850 (facts.md); a larger request is taken for a slip of the finger."""
_PARTS: Final = tuple(frozenset(group for group in GROUPS if part in group) for part in (True, False, *AGES))


class Candidate(BaseModel):
    """A waiting patient, as the draw sees them: nothing that tells who they are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    patient_id: str
    priority: str
    registered_on: date
    number: int
    vulnerable: bool
    birth_date: Annotated[date, Field(repr=False)]


class Drawn(BaseModel):
    """A patient who is drawn, and why: the first of so many in the group, in the order of the list (R4, A18)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidate: Candidate
    group: Group
    rank: int


class GroupSeats(BaseModel):
    """The seats of one group: what it weighs, how many it should have had, how many it has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vulnerable: bool
    ages: str
    weight: Decimal
    waiting: int
    wanted: int
    drawn: int


class Plan(BaseModel):
    """How the seats of a block were divided, and by which profile: kept with it, so that it can be told later (R4)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Literal["network", "waiting_list"]
    """A profile that a coordinator has set for the RLS, or the shares of its waiting list."""
    set_by: str | None
    set_at: datetime | None
    ages_on: date
    size: int
    groups: tuple[GroupSeats, ...]

    @property
    def seats(self) -> dict[Group, int]:
        """Return how many of each group are drawn."""
        return {Group(each.vulnerable, each.ages): each.drawn for each in self.groups}


class Applicant(BaseModel):
    """A physician who asks for a block, as the register of physicians has them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    licence: str
    rls: str
    status: str
    leaves_on: date | None = None


def check_size(size: int) -> None:
    """Refuse a block that is not of 1 to `LARGEST_BLOCK` patients (R4)."""
    if not 1 <= size <= LARGEST_BLOCK:
        raise RefusedByRuleError(
            "R4",
            f"Un bloc compte de 1 à {LARGEST_BLOCK} patients.",
            f"A block has 1 to {LARGEST_BLOCK} patients.",
            "size",
        )


def unknown_physician() -> RefusedByRuleError:
    """Return what is said of a licence that no physician has (R3)."""
    return RefusedByRuleError(
        "R3", "Aucun médecin n'a ce permis.", "No physician has this licence.", "physician"
    )


def participating(applicant: Applicant | None) -> Applicant:
    """Return a physician who is known and takes part in the plan; refuse any other (R3)."""
    if applicant is None:
        raise unknown_physician()
    if applicant.status != "participating":
        raise RefusedByRuleError(
            "R3",
            "Seul un médecin participant est sous l'entente.",
            "Only a participating physician is under the agreement.",
            "physician",
        )
    return applicant


def check_eligible(applicant: Applicant | None, rls: str) -> None:
    """Refuse a physician who is not a participating one of that RLS (R3), or who is leaving (A16)."""
    applicant = participating(applicant)
    if applicant.rls != rls:
        raise RefusedByRuleError(
            "R3",
            "Le médecin demande un bloc au coordonnateur de son propre RLS.",
            "A physician asks the coordinator of their own RLS.",
            "rls",
        )
    if applicant.leaves_on is not None:
        raise RefusedByRuleError(
            "A16",
            f"Le départ du médecin est annoncé pour le {words.fr(applicant.leaves_on)} : aucun nouveau bloc.",
            f"The physician's departure is announced for {words.en(applicant.leaves_on)}: no new block.",
            "physician",
        )


def list_order(candidate: Candidate) -> tuple[str, date, int]:
    """Return what orders the list: priority, initial registration date, registration number (A18)."""
    return candidate.priority, candidate.registered_on, candidate.number


# --- the seats of each group ------------------------------------------------------------------------------


def divide(seats: int, weights: Weights) -> dict[Group, int]:
    """Divide that many seats by weight, by largest remainder (R4); nobody gets any when nothing weighs.

    Each group gets its exact share, rounded down or up. So do the vulnerable as a whole, the others, and each age band:
    of the roundings that hold this, which always exist (they are those of a table with two entries), the one whose
    groups rounded up have the largest remainders; between equals, the first in the order of `GROUPS`.
    """
    whole = _in_whole_numbers(weights)
    total = sum(whole.values())
    if not total:
        return dict.fromkeys(GROUPS, 0)
    exact = {group: divmod(seats * whole[group], total) for group in GROUPS}
    remainders = {group: remainder for group, (_, remainder) in exact.items()}
    left = seats - sum(floor for floor, _ in exact.values())
    up = _rounded_up(left, remainders, total)
    return {group: floor + (group in up) for group, (floor, _) in exact.items()}


def _in_whole_numbers(weights: Weights) -> dict[Group, int]:
    given = {group: Fraction(weights.get(group, 0)) for group in GROUPS}
    scale = lcm(*(weight.denominator for weight in given.values()))
    return {group: int(weight * scale) for group, weight in given.items()}


def _rounded_up(left: int, remainders: Mapping[Group, int], one: int) -> frozenset[Group]:
    """Choose who gets one of the seats left, when a whole seat is worth `one`."""
    eligible = [group for group in GROUPS if remainders[group]]
    exact = [(part, sum(remainders[group] for group in part)) for part in _PARTS]

    def balanced(up: frozenset[Group]) -> bool:
        return all(abs(one * len(part & up) - remainder) < one for part, remainder in exact)

    largest = frozenset(sorted(eligible, key=lambda group: -remainders[group])[:left])
    if balanced(largest):
        return largest
    choices = filter(balanced, map(frozenset, combinations(eligible, left)))
    return max(choices, key=lambda up: sum(remainders[group] for group in up))


def allot(size: int, weights: Weights, available: Mapping[Group, int]) -> dict[Group, int]:
    """Return how many of each group are drawn, when that many may be: as many as were asked for, or all (R4).

    A group that is too small is drawn whole, and its other seats are divided anew among those that are not, by their
    own weights. Seats that no group of the profile can fill go to the others, by how many wait there.
    """
    given: dict[Group, int] = {}
    while True:
        shares = divide(size - sum(given.values()), _without(weights, given))
        short = {
            group: available.get(group, 0) for group in GROUPS if shares[group] > available.get(group, 0)
        }
        if not short:
            break
        given |= short
    drawn = shares | given
    rest = {group: available.get(group, 0) - drawn[group] for group in GROUPS}
    more = divide(min(size - sum(drawn.values()), sum(rest.values())), rest)
    return {group: drawn[group] + more[group] for group in GROUPS}


def _without(weights: Weights, given: Collection[Group]) -> Weights:
    return {group: weight for group, weight in weights.items() if group not in given}


def plan(
    size: int,
    on: date,
    profile: NetworkProfile | None,
    waiting: Mapping[Group, int],
    available: Mapping[Group, int],
) -> Plan:
    """Divide the seats of a block by the profile of its RLS, else by the shares of its waiting list (R4).

    `waiting` are all who wait there; of those, no more are drawn than `available`, since a physician is not offered
    everybody (A8). `on` is the local date of the request, on which everybody has their age.
    """
    weights: Mapping[Group, int | Decimal] = profile.shares if profile else waiting
    wanted, drawn = divide(size, weights), allot(size, weights, available)
    groups = tuple(
        GroupSeats(
            vulnerable=group.vulnerable,
            ages=group.ages,
            weight=Decimal(weights.get(group, 0)),
            waiting=waiting.get(group, 0),
            wanted=wanted[group],
            drawn=drawn[group],
        )
        for group in GROUPS
    )
    return Plan(
        source="network" if profile else "waiting_list",
        set_by=profile.by if profile else None,
        set_at=profile.at if profile else None,
        ages_on=on,
        size=size,
        groups=groups,
    )


# --- who is drawn -----------------------------------------------------------------------------------------


def draw(candidates: Iterable[Candidate], seats: Mapping[Group, int], on: date) -> list[Drawn]:
    """Draw the first of each group, as many as it has seats, in the order of the list (R4, A18; R5: nobody selects)."""
    drawn: list[Drawn] = []
    places: Counter[Group] = Counter()
    for candidate in sorted(candidates, key=list_order):
        group = group_of(vulnerable=candidate.vulnerable, birth_date=candidate.birth_date, on=on)
        if places[group] < seats.get(group, 0):
            places[group] += 1
            drawn.append(Drawn(candidate=candidate, group=group, rank=places[group]))
    return drawn
