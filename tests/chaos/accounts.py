"""When it is calm again: everybody is somewhere, every letter went once, every fact has its answer."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from gamf.client.acting import Desk
from gamf.domain.names import attribution_workflow_id, block_workflow_id
from gamf.runtime.polling import until
from gamf.storage.invariants import violations
from tests.chaos.lives import StormyLife, insist

_PLACES: Final = {
    "enrolled_mf": "enrolled",
    "enrolled_elsewhere": "enrolled",
    "patient_left": "left",
}
"""Where the end of an attribution leaves its patient; on the list otherwise."""


async def registered(desk: Desk) -> Mapping[str, date]:
    """Return when each person was registered."""
    rows = await desk.pool.fetch("SELECT patient_id, registered_on FROM patients")
    return {row["patient_id"]: row["registered_on"] for row in rows}


async def nobody_is_lost(desk: Desk, before: Mapping[str, date]) -> None:
    """Ask the whole database for its invariants, and each patient's place for the reason that it is one."""
    assert await registered(desk) == before
    async with desk.pool.acquire() as conn:
        assert await violations(conn) == []
    rows = await desk.pool.fetch(
        """
        SELECT p.patient_id, p.place, a.state, a.ended_on FROM patients p
        LEFT JOIN LATERAL (
            SELECT state, ended_on FROM attributions a WHERE a.patient_id = p.patient_id
            ORDER BY attributed_at DESC LIMIT 1) a ON true
        """
    )
    assert len(rows) == len(before)
    wrong = [dict(row) for row in rows if row["place"] != _PLACES.get(row["state"], "waiting")]
    assert not wrong, wrong[:5]
    assert [row["patient_id"] for row in rows if row["state"] and row["ended_on"] is None] == []


async def temporal_says_the_same(desk: Desk) -> Counter[str]:
    """Ask each workflow how it ended; return how many ended how.

    A block tells RAMQ after its row is closed (R6), which a storm may have put off: its end is waited for as well.
    """
    rows = await desk.pool.fetch("SELECT attribution_id, state FROM attributions")
    for row in rows:
        handle = desk.temporal.get_workflow_handle(attribution_workflow_id(row["attribution_id"]))
        assert (await handle.result())["state"] == row["state"], row["attribution_id"]
    for row in await desk.pool.fetch("SELECT block_id FROM blocks"):
        block = desk.temporal.get_workflow_handle(block_workflow_id(row["block_id"]))
        assert (await block.result())["state"] == "closed", row["block_id"]
    return Counter(row["state"] for row in rows)


async def each_letter_went_once(desk: Desk, handed: Sequence[str]) -> int:
    """Compare what the carrier handed on with the database; return how many letters went."""

    async def all_gone() -> bool:
        sql = "SELECT count(*) FROM letters WHERE state IN ('queued', 'sending')"
        return bool(await insist(lambda: desk.pool.fetchval(sql)) == 0)

    await until(all_gone, within_seconds=60)
    sent = await desk.pool.fetch("SELECT letter_id FROM letters WHERE state = 'sent'")
    assert sorted(handed) == sorted(row["letter_id"] for row in sent)
    return len(handed)


def in_the_outbox(outbox: Path) -> list[str]:
    """Return the letters of the outbox's list, each of which must be there as a file."""
    with (outbox / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        letters = [row["letter_id"] for row in csv.DictReader(stream)]
    assert {f"{letter}.pdf" for letter in letters} <= {path.name for path in outbox.iterdir()}
    return letters


async def each_fact_has_its_answer(desk: Desk, lives: Iterable[StormyLife]) -> Counter[str]:
    """Count what was taken and what was refused with its reason; nothing that was acknowledged is missing."""
    wrong: list[tuple[str, int, Any]] = []
    for life in lives:
        answers = life.stands.answers
        if not life.told.acknowledged <= answers <= life.told.attempted:
            wrong.append((life.attribution_id, answers, life.told))
    assert not wrong, wrong[:5]
    bare = await desk.pool.fetchval(
        "SELECT count(*) FROM records WHERE refused AND coalesce(reason, '') = ''"
    )
    assert bare == 0
    rows = await desk.pool.fetch(
        "SELECT refused, count(*) AS number FROM records WHERE subject = 'attribution' GROUP BY refused"
    )
    return Counter({"refused" if row["refused"] else "taken": row["number"] for row in rows})
