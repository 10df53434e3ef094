"""Lines of a file or of a pipe, read beside the event loop, a few ahead: who writes them may be slow, or never end."""

import asyncio
import hashlib
import threading
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Final, NamedTuple

_AHEAD: Final = 100
_MARK: Final = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """A line: its number in the file, and its bytes without the end of line."""

    number: int
    content: bytes

    @property
    def sha256(self) -> str:
        """Return what tells it from another line."""
        return hashlib.sha256(self.content).hexdigest()


async def read(source: Iterable[bytes]) -> AsyncGenerator[Line]:
    """Read the lines that hold something; blank ones count in the numbers."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Line | Exception | None] = asyncio.Queue()
    room = threading.Semaphore(_AHEAD)
    wanted = threading.Event()
    wanted.set()

    def put(value: Line | Exception | None) -> None:
        room.acquire()
        if wanted.is_set():
            loop.call_soon_threadsafe(queue.put_nowait, value)

    # A daemon, since a read from a terminal or a pipe ends only when its writer ends it.
    threading.Thread(target=_pump, args=(source, put, wanted), name="lines", daemon=True).start()
    try:
        while (value := await queue.get()) is not None:
            room.release()
            if isinstance(value, Exception):
                raise value
            yield value
    finally:
        wanted.clear()
        room.release()


def _pump(
    source: Iterable[bytes], put: Callable[[Line | Exception | None], None], wanted: threading.Event
) -> None:
    try:
        for number, content in enumerate(source, start=1):
            bare = content.removeprefix(_MARK if number == 1 else b"").rstrip(b"\r\n")
            if bare.strip():
                put(Line(number, bare))
            if not wanted.is_set():
                return
        put(None)
    except Exception as error:  # noqa: BLE001 - whoever reads the lines is to know
        put(error)
