"""A carrier that a test can make fail: the rest of the time it is the outbox."""

from collections import defaultdict
from pathlib import Path

from gamf.letters.carriers import CarrierError, Envelope, OutboxCarrier


class FaultyCarrier:
    """Fails as many times as it was told to, for the letters it was told of."""

    def __init__(self, outbox: Path) -> None:
        self._outbox = OutboxCarrier(outbox)
        self.failures: dict[str, list[CarrierError]] = {}
        self.asked: defaultdict[str, int] = defaultdict(int)

    async def hand_over(self, letter_id: str, pdf: bytes, envelope: Envelope) -> None:
        """Fail if a failure is left for this letter; else put it in the outbox."""
        self.asked[letter_id] += 1
        if failures := self.failures.get(letter_id):
            raise failures.pop()
        await self._outbox.hand_over(letter_id, pdf, envelope)
