"""Letters in the life of an attribution: retried, withheld, and a task when one never goes (invariant 4, R7, A25)."""

import pytest

from gamf.letters.carriers import CarrierError
from gamf.runtime.polling import until
from tests.system import Life, System


async def state_of(life: Life, number: int = 1) -> str:
    rows = await life.system.rows(
        "SELECT state FROM letters WHERE letter_id = $1", f"{life.start.attribution_id}-{number}"
    )
    return str(rows[0]["state"]) if rows else "none"


async def reaches(life: Life, state: str, number: int = 1) -> None:
    async def there() -> bool:
        return await state_of(life, number) == state

    await until(there, within_seconds=30)


async def tasks(life: Life) -> list[tuple[str, str]]:
    rows = await life.system.rows(
        "SELECT kind, owner FROM tasks WHERE attribution_id = $1 AND owner = 'coordinator'",
        life.start.attribution_id,
    )
    return [tuple(row) for row in rows]


@pytest.mark.long
async def test_a_carrier_that_fails_is_asked_again(system: System) -> None:
    life = await system.attribute()
    letter_id = f"{life.start.attribution_id}-1"
    system.carrier.failures[letter_id] = [CarrierError("the disk is full", temporary=True)]
    await life.record("accepted")
    await reaches(life, "sent")
    assert system.carrier.asked[letter_id] == 2
    assert await tasks(life) == []


@pytest.mark.long
async def test_people_do_not_wait_for_a_letter(system: System) -> None:
    life = await system.attribute()
    letter_id = f"{life.start.attribution_id}-1"
    system.carrier.failures[letter_id] = [CarrierError("the disk is full", temporary=True)]
    await life.record("accepted")
    view = await life.record("sv_entered")
    assert view["state"] == "enrolled_sv"
    await reaches(life, "sent")


async def test_a_letter_that_will_never_go_is_a_task(system: System) -> None:
    life = await system.attribute()
    system.carrier.failures[f"{life.start.attribution_id}-1"] = [
        CarrierError("no such mailbox", temporary=False)
    ]
    await life.record("accepted")

    async def asked() -> bool:
        return bool(await tasks(life))

    await until(asked, within_seconds=30)
    assert await tasks(life) == [("letter_not_sent", "coordinator")]
    assert await state_of(life) == "sending"
    # The attribution goes on, and ends.
    await life.record("cancelled", reason="essai")
    assert (await life.handle.result())["state"] == "cancelled"


async def test_a25_both_letters_go_and_each_once(system: System) -> None:
    life = await system.attribute()
    await life.record("accepted")
    await reaches(life, "sent")
    await life.record("cancelled", reason="essai")
    await life.handle.result()
    assert await state_of(life, 2) == "sent"
    asked = [system.carrier.asked[f"{life.start.attribution_id}-{number}"] for number in (1, 2)]
    assert asked == [1, 1]
