"""What the database says of an attribution beside what its workflow says: whether they differ, and what may mend it.

The two are written one after the other, so a difference may be only the moment between: whoever compares looks twice.
A start that never happened, a workflow that was stopped and a row behind its workflow are mended, since the rules leave
one way to do so; a row ahead of its workflow, or one that the rules do not explain, is somebody's decision.
"""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from gamf.domain.states import State

_SAME_INSTANT: Final = timedelta(seconds=1)
"""Search attributes are kept to the millisecond or the second; no two deadlines of one attribution are that near."""


class Kept(BaseModel):
    """An attribution as the database has it. `records` counts its transitions in the record, the beginning included."""

    model_config = ConfigDict(frozen=True)

    attribution_id: str
    state: State
    transition: int
    deadline: datetime | None
    ended_on: date | None
    overtaken: bool
    """Another attribution's fact ended it, and its own workflow has not written so yet (A11, A15, A24)."""
    records: int
    sv: date | None
    """The first day of its SV that is not voided."""
    mf: date | None


class Life(StrEnum):
    """What Temporal has of an attribution's workflow."""

    NEVER = "never"
    """It was never started, or so long ago that Temporal has forgotten it."""
    RUNNING = "running"
    STOPPED = "stopped"
    """Terminated, timed out, cancelled or failed: nobody ended it by the rules."""
    COMPLETED = "completed"


class Lived(BaseModel):
    """An attribution as its workflow has it."""

    model_config = ConfigDict(frozen=True)

    life: Life
    state: State | None = None
    transitions: int = 0
    ended_on: date | None = None
    sv: date | None = None
    mf: date | None = None


class Difference(StrEnum):
    """How the database and the workflow differ."""

    NEVER_STARTED = "never_started"
    STOPPED = "stopped"
    ROW_MISSING = "row_missing"
    ROW_BEHIND = "row_behind"
    ROW_CHANGED = "row_changed"
    ROW_AHEAD = "row_ahead"
    RECORDS_MISSING = "records_missing"
    ENROLMENT_MISSING = "enrolment_missing"
    NOT_TOLD = "not_told"
    UNREADABLE = "unreadable"


class Mend(StrEnum):
    """What mends a difference."""

    START = "start"
    """Start the workflow where the record has it."""
    REVIVE = "revive"
    """Let the stopped workflow go on from where it was."""
    WRITE = "write"
    """Write the transitions, the row and the enrolments that the workflow has and the database has not."""
    TELL = "tell"
    """Tell the workflow what ended the attribution."""
    ASK = "ask"
    """Ask a coordinator: no rule says which of the two is right."""


_REQUESTED: Final = "requested"
_OPEN_WHOLES: Final = frozenset({"drawn", "attributed", "announced", "effective"})
"""The states of a block and of a departure in which a workflow should be following it."""
MENDS: Final[dict[Difference, Mend]] = {
    Difference.NEVER_STARTED: Mend.START,
    Difference.STOPPED: Mend.REVIVE,
    Difference.ROW_MISSING: Mend.WRITE,
    Difference.ROW_BEHIND: Mend.WRITE,
    Difference.ROW_CHANGED: Mend.WRITE,
    Difference.ROW_AHEAD: Mend.ASK,
    Difference.RECORDS_MISSING: Mend.WRITE,
    Difference.ENROLMENT_MISSING: Mend.WRITE,
    Difference.NOT_TOLD: Mend.TELL,
    Difference.UNREADABLE: Mend.ASK,
}
"""What mends each difference."""

LABELS: Final[dict[Difference, tuple[str, str]]] = {
    Difference.NEVER_STARTED: (
        "ouverte dans la base, sans flux de travail",
        "open in the database, without a workflow",
    ),
    Difference.STOPPED: (
        "flux de travail arrêté sans que les règles l'aient fini",
        "workflow stopped without the rules having ended it",
    ),
    Difference.ROW_MISSING: ("absente de la base", "missing from the database"),
    Difference.ROW_BEHIND: ("ligne en retard sur le flux de travail", "row behind the workflow"),
    Difference.ROW_CHANGED: ("ligne changée à la main", "row changed by hand"),
    Difference.ROW_AHEAD: ("ligne en avance sur le flux de travail", "row ahead of the workflow"),
    Difference.RECORDS_MISSING: ("registre incomplet", "record incomplete"),
    Difference.ENROLMENT_MISSING: ("inscription absente de la base", "enrolment missing from the database"),
    Difference.NOT_TOLD: (
        "finie par une autre attribution, sans que son flux le sache",
        "ended by another attribution, unknown to its workflow",
    ),
    Difference.UNREADABLE: ("flux de travail qui ne peut répondre", "workflow that cannot answer"),
}
"""Each difference in French and in English."""

MEND_LABELS: Final[dict[Mend, tuple[str, str]]] = {
    Mend.START: (
        "démarrer le flux de travail là où le registre en est",
        "start the workflow where the record is",
    ),
    Mend.REVIVE: ("faire reprendre le flux de travail", "let the workflow go on"),
    Mend.WRITE: ("écrire ce qui manque dans la base", "write what the database lacks"),
    Mend.TELL: ("aviser le flux de travail", "tell the workflow"),
    Mend.ASK: ("demander à un coordonnateur", "ask a coordinator"),
}
"""What each mend does, in French and in English."""


def looks_alike(state: State, deadline: datetime | None, seen: str | None, due: datetime | None) -> bool:
    """Tell whether the lists of both sides show an open attribution alike, so that nobody need ask its workflow."""
    if state != seen or (deadline is None) is not (due is None):
        return False
    return deadline is None or due is None or abs(deadline - due) <= _SAME_INSTANT


def compare(kept: Kept | None, lived: Lived) -> Difference | None:
    """Return how the two sides of one attribution differ, or None when they agree."""
    if kept is None:
        return Difference.ROW_MISSING if lived.life is Life.RUNNING else None
    if lived.life in {Life.NEVER, Life.STOPPED}:
        return _without_workflow(kept, lived.life)
    if kept.overtaken:
        return Difference.NOT_TOLD if lived.life is Life.RUNNING and lived.ended_on is None else None
    if lived.transitions != kept.transition:
        return Difference.ROW_BEHIND if lived.transitions > kept.transition else Difference.ROW_AHEAD
    return _at_the_same_transition(kept, lived)


def _at_the_same_transition(kept: Kept, lived: Lived) -> Difference | None:
    if lived.state != kept.state or lived.ended_on != kept.ended_on:
        return Difference.ROW_CHANGED
    if kept.records <= kept.transition:
        return Difference.RECORDS_MISSING
    return Difference.ENROLMENT_MISSING if (kept.sv, kept.mf) != (lived.sv, lived.mf) else None


def compare_whole(kept: str | None, life: Life, lived: str | None) -> Difference | None:
    """Return how the two sides of a block or of a departure differ; `kept` is None for one that is not written yet.

    What is requested is yet to be written by its own workflow.
    """
    if kept in _OPEN_WHOLES and life in {Life.NEVER, Life.STOPPED}:
        return Difference.STOPPED if life is Life.STOPPED else Difference.NEVER_STARTED
    if life in {Life.NEVER, Life.STOPPED} or (kept is None and lived == _REQUESTED):
        return None
    if kept is None:
        return Difference.ROW_MISSING
    return None if kept == lived else Difference.ROW_CHANGED


def mend_of_whole(difference: Difference) -> Mend:
    """Return what mends a difference of a block or of a departure: a workflow goes on, a row is somebody's decision."""
    mend = MENDS[difference]
    return mend if mend in {Mend.START, Mend.REVIVE} else Mend.ASK


def _without_workflow(kept: Kept, life: Life) -> Difference | None:
    if kept.ended_on is not None and not kept.overtaken:
        return None
    return Difference.STOPPED if life is Life.STOPPED else Difference.NEVER_STARTED
