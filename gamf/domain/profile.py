"""The population profile of an RLS: everybody is of one group, by vulnerability and age, and each has its share (R4).

A profile is a weight for each group: what a coordinator has set, or else how many of each group wait. Only the
proportions count.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from gamf.domain.policy import CURRENT
from gamf.domain.refusal import RefusedByRuleError

AGES_FROM: Final = CURRENT.draw_ages_from
"""Years: the first of each age band, in order."""
TOTAL: Final = Decimal(100)
TOLERANCE: Final = Decimal("0.5")
"""Points: what twelve shares rounded by a spreadsheet may miss of a hundred."""


class Group(NamedTuple):
    """Who is alike for the draw: vulnerable or not, and of which ages, such as `18-34`."""

    vulnerable: bool
    ages: str


Weights: TypeAlias = Mapping[Group, int | Decimal | Fraction]
"""What each group weighs; one that is not there weighs nothing."""


class NetworkProfile(NamedTuple):
    """The profile that a coordinator has set: shares in percent, by which account, at which instant."""

    shares: Mapping[Group, Decimal]
    by: str
    at: datetime


def _named(first: int, following: int | None) -> str:
    return f"{first}+" if following is None else f"{first}-{following - 1}"


AGES: Final = tuple(map(_named, AGES_FROM, (*AGES_FROM[1:], None)))
"""The age bands, the youngest first; the last has no end, and the first begins with age 0: everybody is in one."""
GROUPS: Final = tuple(Group(vulnerable, ages) for vulnerable in (True, False) for ages in AGES)
"""Every group, in the order that decides between equals: vulnerable first, then the youngest."""


@lru_cache(maxsize=64)
def turned(age: int, on: date) -> date:
    """Return the first date of birth of whoever has not had the birthday of that age by that day.

    Someone born on 29 February has it on 28 February in a common year, as for every other anniversary (A10).
    """
    tomorrow = on + timedelta(days=1)
    year = tomorrow.year - age
    try:
        return tomorrow.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def births(ages: str, on: date) -> tuple[date | None, date | None]:
    """Return the dates of birth of an age band on that day: the first, and the one after the last; None without end."""
    place = AGES.index(ages)
    first = turned(AGES_FROM[place + 1], on) if place + 1 < len(AGES) else None
    after = turned(AGES_FROM[place], on) if place else None
    return first, after


def group_of(*, vulnerable: bool, birth_date: date, on: date) -> Group:
    """Return the only group of a person on that day (R4); who is born after it is with the youngest."""
    older = sum(birth_date < turned(age, on) for age in AGES_FROM[1:])
    return Group(vulnerable, AGES[older])


def check_shares(shares: Mapping[Group, Decimal]) -> None:
    """Refuse a profile that does not give every group its share, in percent, or whose total is not a hundred (R4)."""
    missing = [group for group in GROUPS if group not in shares]
    if missing:
        raise RefusedByRuleError(
            "R4",
            f"Il manque au profil : {', '.join(_said(group, 'vulnérable', 'non vulnérable') for group in missing)}.",
            f"The profile lacks: {', '.join(_said(group, 'vulnerable', 'not vulnerable') for group in missing)}.",
            "ages",
        )
    total = sum(shares.values())
    if abs(total - TOTAL) > TOLERANCE:
        fr, near = (str(number).replace(".", ",") for number in (total, TOLERANCE))
        raise RefusedByRuleError(
            "R4",
            f"Les parts du profil font {fr} % ; elles doivent faire 100 %, à {near} point près.",
            f"The shares of the profile make {total}%; they must make 100%, within {TOLERANCE} of a point.",
            "share",
        )


def _said(group: Group, vulnerable: str, otherwise: str) -> str:
    return f"{group.ages} {vulnerable if group.vulnerable else otherwise}"
