"""A measure: its samples and its floor's, and what is made of them."""

from collections.abc import Sequence
from statistics import median

from pydantic import BaseModel, ConfigDict, computed_field


class Series(BaseModel):
    """Samples of one thing, in the order in which they were taken."""

    model_config = ConfigDict(frozen=True)

    samples: tuple[float, ...]

    @computed_field  # type: ignore[prop-decorator] # pydantic's documented form; mypy has no other for it
    @property
    def median(self) -> float:
        """Return the middle one."""
        return median(self.samples)

    @computed_field  # type: ignore[prop-decorator] # pydantic's documented form; mypy has no other for it
    @property
    def spread(self) -> tuple[float, float]:
        """Return the least and the most."""
        return min(self.samples), max(self.samples)


class Result(BaseModel):
    """One measure beside its floor, and beside a peer where one lives the same life."""

    model_config = ConfigDict(frozen=True)

    name: str
    unit: str
    ours: Series
    floor: Series
    meaning: str
    floor_meaning: str
    peer: Series | None = None
    peer_meaning: str | None = None

    @computed_field  # type: ignore[prop-decorator] # pydantic's documented form; mypy has no other for it
    @property
    def ratio(self) -> float:
        """Return ours over the floor's, round by round: the middle one, since a machine's load goes up and down."""
        rounds = zip(self.ours.samples, self.floor.samples, strict=True)
        return median(ours / floor for ours, floor in rounds)

    @computed_field  # type: ignore[prop-decorator] # pydantic's documented form; mypy has no other for it
    @property
    def peer_ratio(self) -> float | None:
        """Return ours over the peer's, round by round, the middle one; None without a peer."""
        if self.peer is None:
            return None
        rounds = zip(self.ours.samples, self.peer.samples, strict=True)
        return median(ours / peer for ours, peer in rounds)


class Report(BaseModel):
    """One run of the benchmarks."""

    model_config = ConfigDict(frozen=True)

    size: int
    rounds: int
    machine: dict[str, str]
    results: tuple[Result, ...]


class Pair:
    """Our samples and the floor's, while they are taken."""

    def __init__(self) -> None:
        """Begin with none."""
        self._ours: list[float] = []
        self._floor: list[float] = []

    def add(self, ours: float, floor: float) -> None:
        """Keep one round."""
        self._ours.append(ours)
        self._floor.append(floor)

    def result(
        self, name: str, unit: str, meaning: str, floor_meaning: str, peer: "Peer | None" = None
    ) -> Result:
        """Say what was measured."""
        return Result(
            peer=_series(peer.samples) if peer else None,
            peer_meaning=peer.meaning if peer else None,
            name=name,
            unit=unit,
            ours=_series(self._ours),
            floor=_series(self._floor),
            meaning=meaning,
            floor_meaning=floor_meaning,
        )


class Peer:
    """The samples of somebody else's way to do the same, one a round."""

    def __init__(self, meaning: str) -> None:
        """Begin with none."""
        self.meaning = meaning
        self.samples: list[float] = []


def _series(samples: Sequence[float]) -> Series:
    return Series(samples=tuple(samples))
