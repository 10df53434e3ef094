"""A process of its own that hands letters over, and may die at a given call of the file system.

`python -m tests.letters.hand_over '{"folder": ..., "letters": [...], "dies_at": 3, "largest_file": 1000}'`
prints one line a letter: `done`, or the carrier's error with whether it is temporary.
"""

import asyncio
import os
import resource
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from gamf.domain.correspondence import Language, LetterKind
from gamf.letters.carriers import Carrier, CarrierError, Envelope, OutboxCarrier, SmtpCarrier, SmtpSettings

DIED = 70


class Orders(BaseModel):
    """What the process is to do."""

    model_config = ConfigDict(extra="forbid")

    folder: Path
    letters: list[str]
    size: int = 1000
    dies_at: int | None = None
    largest_file: int | None = None
    smtp: SmtpSettings | None = None


def pdf_of(letter_id: str, size: int = 1000) -> bytes:
    """Give bytes that stand for the letter's PDF."""
    return f"%PDF {letter_id} ".encode().ljust(size, b".")


ENVELOPE = Envelope(
    kind=LetterKind.ATTRIBUTION,
    language=Language.FRENCH,
    handed_at=datetime(2026, 5, 8, 14, 0, tzinfo=UTC),
)


def die_at(step: int) -> None:
    """End the process, as a crash does, just before its step-th change to a file; a write is cut in two."""
    calls = 0

    def deadly(call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def before(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - stands for any call of `os`
            nonlocal calls
            calls += 1
            if calls == step:
                if name == "write":
                    call(args[0], bytes(args[1])[: len(args[1]) // 2])
                os._exit(DIED)
            return call(*args, **options)

        return before

    for name in ("open", "write", "fsync", "replace", "ftruncate"):
        setattr(os, name, deadly(getattr(os, name), name))


async def hand_over(orders: Orders) -> None:
    """Hand every letter over, all at once."""
    folder = orders.folder
    carrier: Carrier = SmtpCarrier(orders.smtp, folder) if orders.smtp else OutboxCarrier(folder)
    letters = [carrier.hand_over(letter, pdf_of(letter, orders.size), ENVELOPE) for letter in orders.letters]
    for result in await asyncio.gather(*letters, return_exceptions=True):
        match result:
            case None:
                sys.stdout.write("done\n")
            case CarrierError():
                sys.stdout.write(f"{result} (temporary: {result.temporary})\n")
            case _:
                raise result


if __name__ == "__main__":
    given = Orders.model_validate_json(sys.argv[1])
    if given.largest_file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (given.largest_file, given.largest_file))
    if given.dies_at:
        die_at(given.dies_at)
    asyncio.run(hand_over(given))
