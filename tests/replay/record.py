"""`python -m tests.replay.record RELEASE [NAME…]`: play every history, or those named, and save it for that release."""

import asyncio
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path

import asyncpg

from gamf.runtime.embedded import EmbeddedPostgres, EmbeddedTemporal
from gamf.storage.migrate import migrate
from tests.replay.histories import FOLDER, fetch
from tests.replay.plays import PLAYS
from tests.system import running


async def record(names: Collection[str]) -> dict[str, str]:
    """Play these histories on the real servers; return each by its name, as JSON."""
    with tempfile.TemporaryDirectory(prefix="gamf-record-") as name:
        postgres = EmbeddedPostgres(Path(name, "postgres"), durable=False)
        temporal = EmbeddedTemporal(Path(name, "temporal"), ui_port=None, durable=False, time_skipping=True)
        async with postgres, temporal:
            url = await postgres.create_database("record")
            connection = await asyncpg.connect(url)
            await migrate(connection)
            await connection.close()
            async with running(url, temporal.address, Path(name, "outbox")) as system:
                return {name: await fetch(system.client, await PLAYS[name](system)) for name in names}


def main(release: str, *names: str) -> None:
    """Save them for that release, in place of what is there; all of them unless some are named."""
    folder = FOLDER / release
    folder.mkdir(parents=True, exist_ok=True)
    for name, history in asyncio.run(record(names or PLAYS.keys())).items():
        (folder / f"{name}.json").write_text(history, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
