"""What physicians, clinics and patients do in the simulated year: drawn by chance, the same for the same seed."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any, Final


class Manner(StrEnum):
    """How a physician answers a list."""

    ACCEPTS = "accepts"
    MIXED = "mixed"
    REFUSES = "refuses"
    LATE = "late"
    SILENT = "silent"
    FORGOTTEN = "forgotten"
    """Nobody approves the list: it is withdrawn by itself (A21)."""
    CANCELLED_SOME = "cancelled_some"
    """The coordinator cancels a few before the answer, and others are drawn (A17)."""


_MANNERS: Final = (
    *(Manner.ACCEPTS,) * 18,
    *(Manner.MIXED,) * 8,
    *(Manner.CANCELLED_SOME,) * 4,
    *(Manner.LATE,) * 2,
    *(Manner.SILENT,) * 3,
    *(Manner.REFUSES,) * 3,
    *(Manner.FORGOTTEN,) * 2,
)


def manners(chance: Random, blocks: int) -> list[Manner]:
    """Return how each of so many physicians answers: each manner in its share, in an order of chance."""
    drawn = [_MANNERS[number % len(_MANNERS)] for number in range(blocks)]
    chance.shuffle(drawn)
    return drawn


@dataclass(frozen=True)
class Deed:
    """A fact to report, so many weeks after the attribution; dates are filled in on the day."""

    weeks: int
    fact: str
    argument: dict[str, Any]
    signed_weeks_before: int = 0
    """For a form that comes to us so long after it was signed (A11)."""


_LATEST_VISIT: Final = 45
_LATE_FORM: Final = 55
"""Past the term of 12 months, signed before it: taken within 90 days, though the patient waits again (A11)."""


def life(chance: Random) -> list[Deed]:
    """Return what happens to one patient who was accepted, in order."""
    return [*_beginning(chance), *_ending(chance)]


def _beginning(chance: Random) -> list[Deed]:
    """Enrol SV in time, nine times in ten; of those forgotten, some are mended by the coordinator (A6)."""
    roll = chance.random()
    if roll < 0.90:
        return [Deed(1, "sv_entered", {})]
    if roll < 0.94:
        return [Deed(3, "window_reopened", {"reason": "oubli de la clinique"}), Deed(4, "sv_entered", {})]
    if roll < 0.96:
        return [Deed(3, "cancelled", {"reason": "la clinique ne donne pas suite"})]
    return []


def _ending(chance: Random) -> list[Deed]:
    """Sign MF in time, or late, or twice; refuse, find another doctor, die; one time in three nothing at all."""
    week = chance.randint(2, _LATEST_VISIT)
    ground = chance.choice(("préfère attendre", "trop loin", "discriminatory"))
    cause = chance.choice(("deceased", "left_quebec"))
    signs = Deed(week, "mf_signed", {})
    endings: tuple[tuple[float, list[Deed]], ...] = (
        (0.45, [signs]),
        (0.49, [Deed(week, "patient_refused", {"ground": ground})]),
        (0.53, [Deed(week, "enrolled_elsewhere", {"basis": "hors LE 321"})]),
        (0.57, [Deed(week, "patient_left", {"cause": cause})]),
        # Sent twice, as people do.
        (0.60, [signs, Deed(week + 1, "mf_signed", {})]),
        (0.68, [Deed(_LATE_FORM, "mf_signed", {}, signed_weeks_before=4)]),
        (1.00, []),
    )
    roll = chance.random()
    return next(deeds for below, deeds in endings if roll < below)
