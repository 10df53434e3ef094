"""Files as sets of rows: what PostgreSQL does with them, and what two files at once do to each other."""

import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest

from gamf.storage import imports
from gamf.storage.connection import Connection, Pool
from gamf.storage.imports import NETWORKS, Repeat, Row, Stamp, Written

STAMP = Stamp(datetime(2026, 5, 8, 16, tzinfo=UTC), "commis", "essai")
FIRST = ("0311", "RLS A", "03", "America/Toronto", "GACO A", "418 555-0101", "coordo")
SECOND = ("1102", "RLS B", "11", "America/Halifax", "GACO B", "418 555-0102", "coordo")


async def take(conn: Connection, *rows: Row) -> Written:
    async with conn.transaction():
        await imports.begin(conn, NETWORKS)
        await imports.stage(conn, NETWORKS, rows)
        written = await imports.write(conn, NETWORKS, 0, await imports.last_line(conn), STAMP)
        await imports.end(conn, NETWORKS, written)
    return written


async def test_rows_are_added_then_changed_then_left_alone(connection: Connection) -> None:
    assert await take(connection, Row(2, FIRST), Row(3, SECOND)) == (2, 0)
    assert await take(connection, Row(2, FIRST), Row(3, (*SECOND[:-1], "autre"))) == (0, 1)
    assert await take(connection, Row(2, FIRST)) == (0, 0)


async def test_the_zone_of_each_rls_is_read_back(connection: Connection) -> None:
    await take(connection, Row(2, FIRST), Row(3, SECOND))
    assert await imports.zones(connection) == {"0311": "America/Toronto", "1102": "America/Halifax"}


async def test_only_the_lines_asked_for_are_written(connection: Connection) -> None:
    async with connection.transaction():
        await imports.begin(connection, NETWORKS)
        await imports.stage(connection, NETWORKS, [Row(2, FIRST), Row(3, SECOND)])
        assert await imports.last_line(connection) == 3
        assert await imports.write(connection, NETWORKS, 0, 2, STAMP) == (1, 0)
        assert await imports.write(connection, NETWORKS, 2, 3, STAMP) == (1, 0)


async def test_lines_of_the_same_key_are_found(connection: Connection) -> None:
    async with connection.transaction():
        await imports.begin(connection, NETWORKS)
        other = (*FIRST[:-1], "autre")
        await imports.stage(
            connection, NETWORKS, [Row(2, FIRST), Row(3, SECOND), Row(7, FIRST), Row(9, other)]
        )
        assert await imports.repeats(connection, NETWORKS) == [
            Repeat(7, 2, identical=True),
            Repeat(9, 2, identical=False),
        ]
        await imports.put_aside(connection, [7, 9])
        assert await imports.repeats(connection, NETWORKS) == []


async def test_a_file_of_nothing_is_taken(connection: Connection) -> None:
    assert await take(connection) == (0, 0)


async def test_a_broken_transaction_leaves_room_for_the_next(connection: Connection) -> None:
    with pytest.raises(asyncpg.PostgresError):
        await take(connection, Row(2, FIRST), Row(3, ("x",)))
    assert await take(connection, Row(2, FIRST)) == (1, 0)


async def test_no_record_holds_a_value_of_the_file(connection: Connection) -> None:
    await take(connection, Row(2, FIRST))
    await take(connection, Row(2, (*FIRST[:-1], "autre")))
    rows = await connection.fetch("SELECT event, by, policy, argument FROM records ORDER BY record_id")
    assert [tuple(row) for row in rows] == [
        ("registered", "commis", "essai", {}),
        ("changed", "commis", "essai", {"columns": ["coordinator"]}),
    ]


async def test_two_files_at_once_are_taken_one_after_the_other(pool: Pool) -> None:
    async def one(*rows: Row) -> Written:
        async with pool.acquire() as conn:
            return await take(conn, *rows)

    first, second = await asyncio.gather(
        one(Row(2, FIRST), Row(3, SECOND)), one(Row(2, SECOND), Row(3, FIRST))
    )
    assert sorted((first, second)) == [(0, 0), (2, 0)]
