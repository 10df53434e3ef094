"""The numbers that people say on the telephone: a year and a counter (contract.md)."""

from typing import Literal

from gamf.storage.connection import Connection

Kind = Literal["attribution", "block"]


async def next_numbers(conn: Connection, kind: Kind, year: int, count: int) -> range:
    """Take that many numbers in a row for that year; a transaction that is undone gives them back."""
    last = await conn.fetchval(
        """
        INSERT INTO counters AS c (kind, year, last) VALUES ($1, $2, $3)
        ON CONFLICT (kind, year) DO UPDATE SET last = c.last + excluded.last
        RETURNING last
        """,
        kind,
        year,
        count,
    )
    return range(last - count + 1, last + 1)


async def next_number(conn: Connection, kind: Kind, year: int) -> int:
    """Take one number for that year."""
    return (await next_numbers(conn, kind, year, 1))[0]
