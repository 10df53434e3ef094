"""`python -m tests.chaos.worker FOLDER SEED`: a real worker whose activities fail before and after their commit.

Each failure is a line of `FOLDER/failures`. Once `FOLDER/calm` exists nothing fails any more.
"""

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

from temporalio.client import Client

from gamf.runtime.ending import end_process
from gamf.runtime.settings import Settings
from gamf.workers import registry
from gamf.workers.main import main
from gamf.workers.registry import Registry

if TYPE_CHECKING:
    from gamf.runtime.database import Pool

ONE_IN: Final = 12
"""Of so many activities one fails before it begins, and another once all is written."""


@dataclass(frozen=True)
class Faulty:
    """Makes activities fail by chance."""

    folder: Path
    chance: Random

    def build(self, pool: "Pool", client: Client, settings: Settings) -> Registry:
        """Return what the worker registers, each activity failing by chance."""
        whole = registry.build(pool, client, settings)
        return Registry(whole.workflows, [self._failing(each) for each in whole.activities])

    def _failing(self, run: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(run)
        async def failing(*values: object) -> object:
            self._fail("before")
            answer = await run(*values)
            self._fail("after")
            return answer

        return failing

    def _fail(self, when: str) -> None:
        if self.chance.randrange(ONE_IN) or (self.folder / "calm").exists():
            return
        with (self.folder / "failures").open("a", encoding="utf-8") as stream:
            stream.write(f"{when}\n")
        raise ConnectionError(when)


if __name__ == "__main__":
    faulty = Faulty(Path(sys.argv[1]), Random(int(sys.argv[2])))  # noqa: S311 - repeatable on purpose
    end_process(main(faulty.build))
