"""What is killed, filled and kept waiting, one fault after another, by chance."""

import asyncio
import errno
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from aiosmtpd.smtp import SMTP

from tests.chaos.house import House

_PAUSE_SECONDS: Final = (0.5, 3.0)
_LASTS_SECONDS: Final = (0.5, 3.0)


@dataclass
class Storm:
    """The faults so far, and those that may come."""

    house: House
    chance: Random
    outbox: Path | None = None
    mailbox: "SlowMailbox | None" = None
    faults: Counter[str] = field(default_factory=Counter)

    async def rage(self, faults: int) -> None:
        """Do so many, one after another."""
        for _ in range(faults):
            await asyncio.sleep(self.chance.uniform(*_PAUSE_SECONDS))
            name, do = self.chance.choice(self._possible())
            self.faults[name] += 1
            await do()
            await self.house.mind_worker()

    def _possible(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        house = self.house
        faults: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("worker killed", house.kill_worker),
            ("PostgreSQL killed", house.kill_postgres),
            ("Temporal killed", house.kill_temporal),
            ("all three killed", house.kill_all),
        ]
        if self.outbox is not None:
            faults += [("disk full", self.fill_the_disk)] * 2
        if self.mailbox is not None:
            faults += [("mail server silent", self.silence_the_mail)] * 2
        return faults

    async def fill_the_disk(self) -> None:
        """Leave the outbox no byte for some seconds."""
        assert self.outbox is not None
        filler = self.outbox / "filler"
        await asyncio.to_thread(_fill, filler)
        await asyncio.sleep(self.chance.uniform(*_LASTS_SECONDS))
        filler.unlink()

    async def silence_the_mail(self) -> None:
        """Have the mail server answer nobody for some seconds."""
        assert self.mailbox is not None
        self.mailbox.open.clear()
        await asyncio.sleep(self.chance.uniform(*_LASTS_SECONDS))
        self.mailbox.open.set()


def _fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as stream:
        for size in (1 << 20, 1 << 12, 1):
            block = b"\0" * size
            try:
                while stream.write(block) == size:
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


@dataclass
class SlowMailbox:
    """A mail server that at times takes a message in and never says what became of it."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    messages: Counter[str] = field(default_factory=Counter)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: ANN401, N802 - aiosmtpd's names and types
        """Take a message, or keep whoever sends it waiting and then take nothing."""
        if not self.open.is_set():
            await self.open.wait()
            return "451 Try again later"
        headers = envelope.content.decode(errors="replace").split("\r\n\r\n", 1)[0]
        (subject,) = [line for line in headers.split("\r\n") if line.startswith("Subject: ")]
        self.messages[subject.removeprefix("Subject: ")] += 1
        return "250 OK"

    async def serve(self) -> asyncio.Server:
        """Listen on a free port of this machine."""
        self.open.set()
        return await asyncio.get_running_loop().create_server(
            lambda: SMTP(self, hostname="localhost"), "127.0.0.1", 0
        )
