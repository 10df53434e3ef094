"""The reasons to cancel: read, added, edited, no longer offered, each change in the record (R5, A20)."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from gamf.client import reasons
from gamf.client.errors import NotFoundError
from gamf.client.reasons import Changes
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.replacement import new_reason
from gamf.storage.connection import Connection, Pool

NOW = datetime(2026, 6, 1, 16, tzinfo=UTC)
BY = "coordo"
NEW = new_reason("neighbour", "Voisin du médecin", "Neighbour of the physician", exceptional=True)


async def kept(conn: Connection) -> list[tuple[Any, ...]]:
    rows = await conn.fetch(
        "SELECT subject_id, event, by, after FROM records WHERE subject = 'reason' ORDER BY record_id"
    )
    return [tuple(row) for row in rows]


async def test_r5_the_table_that_comes_with_the_software_says_it_is_ours(connection: Connection) -> None:
    found = await reasons.list_reasons(connection)
    assert {each.exceptional for each in found} == {True, False}
    assert all(each.ours and each.active and each.label_fr != each.label_en for each in found)


async def test_r5_a_reason_is_added_once_and_recorded(pool: Pool) -> None:
    async def add() -> None:
        async with pool.acquire() as conn:
            assert await reasons.add_reason(conn, NEW, by=BY, now=NOW) == NEW

    await add()
    await asyncio.gather(*(add() for _ in range(4)))
    async with pool.acquire() as conn:
        assert NEW in await reasons.list_reasons(conn)
        assert await kept(conn) == [("neighbour", "added", BY, "offered")]


async def test_a20_a_code_does_not_change_its_meaning_by_being_added_again(connection: Connection) -> None:
    await reasons.add_reason(connection, NEW, by=BY, now=NOW)
    other = NEW.model_copy(update={"exceptional": False})
    with pytest.raises(RefusedByRuleError) as refused:
        await reasons.add_reason(connection, other, by=BY, now=NOW)
    assert (refused.value.reason.rule, refused.value.reason.field) == ("A20", "code")
    assert NEW in await reasons.list_reasons(connection)


async def test_r5_what_is_edited_is_recorded_and_what_is_retired_is_no_longer_offered(
    connection: Connection,
) -> None:
    await reasons.add_reason(connection, NEW, by=BY, now=NOW)
    edited = await reasons.edit_reason(
        connection, NEW.code, Changes(label_fr="Proche voisin", active=False), by=BY, now=NOW
    )
    assert (edited.label_fr, edited.label_en, edited.exceptional) == ("Proche voisin", NEW.label_en, True)
    again = await reasons.edit_reason(connection, NEW.code, Changes(active=False), by=BY, now=NOW)
    assert again == edited
    assert NEW.code not in {each.code for each in await reasons.list_reasons(connection)}
    assert edited in await reasons.list_reasons(connection, retired=True)
    assert [event for _, event, _, _ in await kept(connection)] == ["added", "edited"]
    back = await reasons.edit_reason(
        connection, NEW.code, Changes(active=True, exceptional=False), by=BY, now=NOW
    )
    assert back in await reasons.list_reasons(connection)


async def test_r5_what_cannot_be_edited_is_told_and_changes_nothing(connection: Connection) -> None:
    with pytest.raises(NotFoundError):
        await reasons.edit_reason(connection, "unheard_of", Changes(active=False), by=BY, now=NOW)
    with pytest.raises(RefusedByRuleError):
        await reasons.edit_reason(connection, "dispute", Changes(label_fr=" "), by=BY, now=NOW)
    assert await kept(connection) == []
