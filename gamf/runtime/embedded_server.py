"""What the servers on this machine have in common: up within `async with`, and nothing of them left after it."""

from abc import ABC, abstractmethod
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from gamf.runtime.errors import ServerDidNotStart
from gamf.runtime.guarded import GuardedServer


class EmbeddedServer(ABC):
    """A server of our own, its data in `folder`, its log beside them."""

    _program: ClassVar[str]
    """Its name, as a person knows it."""

    def __init__(self, folder: Path, log: str) -> None:
        self._folder: Path = folder.resolve()
        self._log: Path = self._folder / log
        self._stack: AsyncExitStack = AsyncExitStack()
        self._server: GuardedServer | None = None

    async def wait_ended(self) -> None:
        """Return when the server has ended, whatever the reason."""
        if self._server is not None:
            await self._server.wait()

    async def __aenter__(self) -> Self:
        try:
            await self._start(self._stack)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @abstractmethod
    async def _start(self, stack: AsyncExitStack) -> None:
        """Start the server; what must end with it goes on the stack."""

    def _did_not_start(self) -> ServerDidNotStart:
        return ServerDidNotStart(
            fr=f"{self._program} n’a pas démarré; voyez {self._log}.",
            en=f"{self._program} did not start; see {self._log}.",
        )
