"""Answers given once to a key: the same request sent again gets the same answer."""

from datetime import datetime
from typing import NamedTuple

from gamf.storage.connection import Connection


class Answer(NamedTuple):
    """What was answered to a key, with the fingerprint of its request; without a status, it is under way."""

    request: bytes
    status: int | None
    kind: str | None
    body: bytes | None


async def begin(
    conn: Connection,
    account: str,
    key: bytes,
    request: bytes,
    at: datetime,
    forget_before: datetime,
    abandoned_before: datetime,
) -> Answer | None:
    """Keep that a request is under way, and forget the old ones; return what there is of its key, None when it is new.

    The same request, begun so long ago without an answer, begins again.
    """
    await conn.execute("DELETE FROM api_answers WHERE began_at < $1", forget_before)
    begun = await conn.fetchval(
        """
        INSERT INTO api_answers AS a (account, key, request, began_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (account, key) DO UPDATE SET began_at = $4
        WHERE a.status IS NULL AND a.request = $3 AND a.began_at < $5
        RETURNING true
        """,
        account,
        key,
        request,
        at,
        abandoned_before,
    )
    if begun:
        return None
    row = await conn.fetchrow(
        "SELECT request, status, kind, body FROM api_answers WHERE account = $1 AND key = $2", account, key
    )
    # Let go between the two: whoever asked first is told that it could not be done, and this one may ask again.
    return Answer(**row) if row else Answer(request, None, None, None)


async def finish(conn: Connection, account: str, key: bytes, status: int, kind: str, body: bytes) -> None:
    """Keep what was answered."""
    await conn.execute(
        "UPDATE api_answers SET status = $3, kind = $4, body = $5 WHERE account = $1 AND key = $2",
        account,
        key,
        status,
        kind,
        body,
    )


async def release(conn: Connection, account: str, key: bytes) -> None:
    """Let a key be used again: what it asked was not done."""
    await conn.execute(
        "DELETE FROM api_answers WHERE account = $1 AND key = $2 AND status IS NULL", account, key
    )
