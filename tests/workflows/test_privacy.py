"""Invariant 6: nothing about a person in a history, an id or a search attribute."""

from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from gamf.runtime.polling import until
from tests.system import EMAIL, FAMILY, NAM_PREFIX, PHONE, STREET, System

PERSONAL = (FAMILY, STREET, EMAIL, PHONE, NAM_PREFIX, "Prénom", "1980-01-02", "G1A 1A1")


def found_in(data: bytes) -> list[str]:
    """Return which personal words are in the bytes, however JSON or Python may have written them."""
    forms = ((word, form) for word in PERSONAL for form in _forms(word))
    return sorted({word for word, form in forms if form in data})


def _forms(word: str) -> set[bytes]:
    escaped = word.encode("ascii", "backslashreplace")
    return {word.encode(), word.upper().encode(), escaped, escaped.replace(b"\\xe9", b"\\u00e9")}


async def history(system: System, workflow_id: str) -> bytes:
    """Return a whole history as the server gives it, byte for byte."""
    events = (await system.client.get_workflow_handle(workflow_id).fetch_history()).events
    return b"".join(event.SerializeToString() for event in events)


async def test_invariant_6_a_block_from_its_draw_to_mf(system: System) -> None:
    rls, licence, _ = await system.people(4)
    block = await system.request(rls, licence, 4)
    listed = (await block.execute_update("record", {"fact": "approved", "by": "coordo"}))["list"]
    await block.execute_update("record", {"fact": "list_accepted", "by": "coordo"})
    lives = [system.life(member["attribution_id"]) for member in listed]
    for life in lives:
        await life.signal("accepted", {"illisible": True})
        await life.execute_update("record", {"fact": "sv_entered", "by": "clinique"})
        await life.execute_update(
            "record", {"fact": "patient_refused", "by": "gaco", "ground": "discriminatory"}
        )
        await life.result()
    await block.result()
    for workflow_id in (block.id, *(life.id for life in lives)):
        data = await history(system, workflow_id)
        assert len(data) > 1_000
        assert found_in(data) == []


async def test_invariant_6_a_replacement_and_the_names_that_go_to_ramq(system: System) -> None:
    rls, licence, _ = await system.people(4)
    block = await system.request(rls, licence, 2)
    first, second = (await block.execute_update("record", {"fact": "approved", "by": "coordo"}))["list"]
    cancelled = {"fact": "cancelled", "by": "coordo", "reason": "dispute"}
    await system.life(first["attribution_id"]).execute_update("record", cancelled)

    async def replaced() -> bool:
        return len((await block.query("view"))["list"]) == 3

    await until(replaced, within_seconds=20)
    await block.execute_update("record", {"fact": "list_accepted", "by": "coordo"})
    closed = await block.result()
    await system.life(second["attribution_id"]).execute_update("record", cancelled)
    (row,) = await system.rows(
        "SELECT attribution_id FROM attributions WHERE replaces = $1", second["attribution_id"]
    )
    await system.life(row["attribution_id"]).execute_update("record", {"fact": "accepted", "by": "coordo"})

    async def told() -> bool:
        sql = "SELECT FROM ramq_files WHERE block_id = $1 AND handed_at IS NOT NULL"
        return len(await system.rows(sql, closed["block_id"])) == 2

    await until(told, within_seconds=20)
    files = [path.read_bytes() for path in (system.outbox / "ramq").glob(f"ramq-{closed['block_id']}-*.csv")]
    assert {word for data in files for word in found_in(data)} >= {FAMILY, NAM_PREFIX}
    ids = [each["attribution_id"] for each in closed["list"]]
    for workflow_id in (block.id, *(system.life(i).id for i in (*ids, row["attribution_id"]))):
        assert found_in(await history(system, workflow_id)) == []
    assert found_in((system.outbox / "ramq" / "manifest.csv").read_bytes()) == []


async def test_invariant_6_an_error_of_postgresql_says_nothing_of_the_row(system: System) -> None:
    life = await system.attribute()
    await life.record("accepted")
    async with system.pool.acquire() as conn:
        # The next write fails, and PostgreSQL's own message would quote the row.
        await conn.execute(
            f"""
            CREATE FUNCTION indiscreet() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'row of %, {NAM_PREFIX}', '{FAMILY}'; END $$;
            CREATE TRIGGER indiscreet BEFORE INSERT ON enrolments FOR EACH ROW
            WHEN (NEW.attribution_id = '{life.start.attribution_id}') EXECUTE FUNCTION indiscreet()
            """
        )
    await life.signal("sv_entered", {"by": "clinique"})
    failed = await _failing(life.handle)
    async with system.pool.acquire() as conn:
        await conn.execute("DROP TRIGGER indiscreet ON enrolments; DROP FUNCTION indiscreet")
    await life.reaches("enrolled_sv")
    assert found_in(failed) == []
    assert found_in(await history(system, life.handle.id)) == []


async def _failing(handle: "WorkflowHandle[Any, Any]") -> bytes:
    """Wait until an activity has failed; return its failure as the server keeps it."""
    seen: list[bytes] = []

    async def fails() -> bool:
        pending = (await handle.describe()).raw_description.pending_activities
        seen[:] = [one.last_failure.SerializeToString() for one in pending if one.HasField("last_failure")]
        return bool(seen)

    await until(fails, within_seconds=20)
    return b"".join(seen)


def test_the_check_itself_finds_what_it_looks_for() -> None:
    assert found_in(f"x{FAMILY}y".encode()) == [FAMILY]
    assert found_in(b'{"n": "Z\\u00e9phyrin-Invent\\u00e9"}') == [FAMILY]
    with pytest.raises(AssertionError):
        assert found_in(EMAIL.encode()) == []
