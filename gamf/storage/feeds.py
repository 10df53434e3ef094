"""The journal of the feeds: what became of each line, in their order, so that one goes on where it stopped."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from gamf.storage.connection import Connection


class Settled(NamedTuple):
    """A line that has its outcome; `sha256` tells the line from another one."""

    line: int
    sha256: str
    outcome: dict[str, Any]


async def hold(conn: Connection, feed: str) -> bool:
    """Hold a feed until it is let go of or the connection ends; return False when another one holds it."""
    return bool(await conn.fetchval("SELECT pg_try_advisory_lock(hashtextextended('feed ' || $1, 0))", feed))


async def let_go(conn: Connection, feed: str) -> None:
    """Let go of a feed that this connection holds."""
    await conn.execute("SELECT pg_advisory_unlock(hashtextextended('feed ' || $1, 0))", feed)


async def begin(conn: Connection, feed: str, at: datetime, *, anew: bool) -> None:
    """Begin a feed, or go on with one that was stopped; one that was finished, or is wanted anew, begins again."""
    async with conn.transaction():
        await conn.execute(
            "DELETE FROM feeds WHERE feed = $1 AND (finished_at IS NOT NULL OR $2)", feed, anew
        )
        await conn.execute(
            "INSERT INTO feeds (feed, begun_at) VALUES ($1, $2) ON CONFLICT (feed) DO NOTHING", feed, at
        )


async def forget(conn: Connection, finished_before: datetime) -> None:
    """Remove the journals of the feeds finished before that instant."""
    await conn.execute("DELETE FROM feeds WHERE finished_at < $1", finished_before)


async def settled(conn: Connection, feed: str, after: int, limit: int) -> list[Settled]:
    """Return the lines after that one that have their outcome, in order."""
    rows = await conn.fetch(
        "SELECT line, sha256, outcome FROM feed_outcomes WHERE feed = $1 AND line > $2 ORDER BY line LIMIT $3",
        feed,
        after,
        limit,
    )
    return [Settled(**row) for row in rows]


async def keep(conn: Connection, feed: str, lines: Sequence[Settled]) -> None:
    """Keep what became of these lines, once."""
    await conn.execute(
        """
        INSERT INTO feed_outcomes (feed, line, sha256, outcome)
        SELECT $1, line, sha256, outcome
        FROM jsonb_to_recordset($2) AS s (line bigint, sha256 text, outcome jsonb)
        ON CONFLICT (feed, line) DO NOTHING
        """,
        feed,
        [line._asdict() for line in lines],
    )


async def finish(conn: Connection, feed: str, at: datetime) -> None:
    """Say that every line has its outcome."""
    await conn.execute("UPDATE feeds SET finished_at = $2 WHERE feed = $1", feed, at)
