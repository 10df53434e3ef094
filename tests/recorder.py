"""What stands for Temporal where only the database is tried: it writes down what it was asked."""

from typing import Any

from gamf.domain.model import Start


class Recorder:
    """A messenger and a starter that remember."""

    def __init__(self) -> None:
        self.started: list[Start] = []
        self.told: list[tuple[str, str]] = []
        self.reported: list[tuple[str, str, str]] = []
        self.replacements: list[dict[str, Any]] = []

    async def start(self, start: Start) -> None:
        """Remember a start."""
        self.started.append(start)

    async def tell_attribution(self, attribution_id: str, fact: str, argument: dict[str, Any]) -> None:  # noqa: ARG002 - the protocol's
        """Remember a fact."""
        self.told.append((attribution_id, fact))

    async def tell_block(
        self, block_id: str, attribution_id: str, state: str, replacement: dict[str, Any] | None = None
    ) -> None:
        """Remember a report."""
        self.reported.append((block_id, attribution_id, state))
        self.replacements += [replacement] if replacement else []
