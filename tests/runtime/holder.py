"""A process that starts both embedded servers, says where they are, and waits to be killed."""

import asyncio
import sys
from pathlib import Path

from gamf.runtime.embedded import embedded_servers


async def main() -> None:
    async with embedded_servers(Path(sys.argv[1]), 0, None) as servers:
        sys.stdout.write(f"{servers.temporal} {servers.database}\n")
        sys.stdout.flush()
        await servers.wait_ended()


if __name__ == "__main__":
    asyncio.run(main())
