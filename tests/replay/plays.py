"""How each state and each ending is reached on the real servers, for its history to be saved."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from temporalio.client import WorkflowHandle

from gamf.client import departing
from gamf.client.acting import Desk
from gamf.domain.calendar import local_date
from gamf.domain.facts import PhysicianLeft
from gamf.domain.names import TASK_QUEUE, attribution_workflow_id, departure_workflow_id
from gamf.runtime.polling import until
from tests.system import Life, System, morning_after

Play = Callable[[System], Awaitable[str]]
"""Brings a workflow to where its history is saved; returns its id."""
_ZONE: Final = "America/Toronto"


class Stage:
    """An attribution and the day on its own clock."""

    def __init__(self, life: Life) -> None:
        """Begin on the day of the attribution."""
        self.life = life
        self._now: datetime = life.start.attributed_at

    @property
    def today(self) -> date:
        """Return the day on the attribution's clock."""
        return local_date(self._now, _ZONE)

    async def days(self, number: float) -> None:
        """Let days pass."""
        self._now += timedelta(days=number)
        await self.life.skip(timedelta(days=number))

    async def months(self, number: int) -> None:
        """Let months pass, of 31 days each."""
        await self.days(31 * number)

    async def tell(self, fact: str, **argument: object) -> None:
        """Report a fact."""
        await self.life.record(fact, **argument)


async def _attributed(_: Stage) -> None:
    """Leave it as it begins."""


async def _accepted(stage: Stage) -> None:
    await stage.tell("accepted")


async def _enrolled_sv(stage: Stage) -> None:
    await _accepted(stage)
    await stage.tell("sv_entered")


async def _unanswered(stage: Stage) -> None:
    await stage.days(3.1)


async def _overdue(stage: Stage) -> None:
    await _accepted(stage)
    await stage.days(15)


async def _reopened(stage: Stage) -> None:
    await _overdue(stage)
    await stage.tell("window_reopened", opens_on=stage.today.isoformat(), reason="oubli")
    await stage.tell("sv_entered")


async def _expired(stage: Stage) -> None:
    await _enrolled_sv(stage)
    await stage.months(13)


async def _closed(stage: Stage) -> None:
    await _expired(stage)
    await stage.months(4)


async def _enrolled_mf(stage: Stage) -> None:
    await _enrolled_sv(stage)
    await stage.months(2)
    await stage.tell("mf_signed", signed_on=stage.today.isoformat())


async def _late_mf(stage: Stage) -> None:
    await _enrolled_sv(stage)
    signed = stage.today + timedelta(days=360)
    await stage.months(13)
    await stage.tell("mf_signed", signed_on=signed.isoformat())


async def _mf_without_sv(stage: Stage) -> None:
    await _accepted(stage)
    await stage.tell("mf_signed", signed_on=stage.today.isoformat())


async def _refused(stage: Stage) -> None:
    await stage.tell("refused", reason="pratique réduite")


async def _cancelled(stage: Stage) -> None:
    await _accepted(stage)
    await stage.tell("cancelled", reason="conflit")


async def _lapsed(stage: Stage) -> None:
    await stage.days(12)


async def _lapsed_overdue(stage: Stage) -> None:
    await _overdue(stage)
    await stage.days(15)


async def _patient_refused(stage: Stage) -> None:
    await _enrolled_sv(stage)
    await stage.tell("patient_refused", ground="discriminatory")


async def _elsewhere(stage: Stage) -> None:
    await _enrolled_sv(stage)
    await stage.days(10)
    effective = stage.today.isoformat()
    await stage.tell("enrolled_elsewhere", physician="98765", effective_on=effective, basis="hors LE 321")


async def _left(stage: Stage) -> None:
    await _enrolled_sv(stage)
    await stage.days(10)
    await stage.tell("patient_left", on=stage.today.isoformat(), cause="deceased")


async def _physician_left(stage: Stage) -> None:
    await _enrolled_sv(stage)
    ahead = stage.today + timedelta(days=20)
    await stage.tell("physician_left", on=ahead.isoformat(), cause="retired")
    await stage.days(21)


async def _refused_facts(stage: Stage) -> None:
    await stage.life.signal("sv_entered", {"by": "clinique"})
    await stage.life.signal("accepted", ["pas un objet"])
    await stage.life.refused(2)
    await _enrolled_sv(stage)


_ATTRIBUTIONS: Final[Mapping[str, Callable[[Stage], Awaitable[None]]]] = {
    "proposed": _attributed,
    "unanswered": _unanswered,
    "confirmed": _accepted,
    "overdue": _overdue,
    "enrolled_sv": _enrolled_sv,
    "enrolled_sv-reopened": _reopened,
    "enrolled_sv-refused_facts": _refused_facts,
    "expired": _expired,
    "expired-closed": _closed,
    "enrolled_mf": _enrolled_mf,
    "enrolled_mf-late": _late_mf,
    "enrolled_mf-without_sv": _mf_without_sv,
    "refused": _refused,
    "cancelled": _cancelled,
    "lapsed": _lapsed,
    "lapsed-overdue": _lapsed_overdue,
    "patient_refused": _patient_refused,
    "enrolled_elsewhere": _elsewhere,
    "patient_left": _left,
    "physician_left": _physician_left,
}


def _attribution(play: Callable[[Stage], Awaitable[None]]) -> Play:
    async def played(system: System) -> str:
        life = await system.attribute()
        await life.reaches("proposed")
        await play(Stage(life))
        return attribution_workflow_id(life.start.attribution_id)

    return played


async def _block_drawn(system: System) -> str:
    return (await system.block(2)).id


async def _block_attributed(system: System) -> str:
    block = await system.block(2)
    await block.execute_update("record", {"fact": "approved", "by": "coordo"})
    return block.id


async def _block_closed(system: System) -> str:
    block = await system.block(3)
    view: dict[str, Any] = await block.execute_update("record", {"fact": "approved", "by": "coordo"})
    first = system.life(view["list"][0]["attribution_id"])
    await first.execute_update("record", {"fact": "refused", "by": "coordo", "reason": "lien familial"})
    await block.execute_update("record", {"fact": "list_accepted", "by": "coordo"})
    await block.result()
    return block.id


async def _block_withdrawn(system: System) -> str:
    block = await system.block(2)
    await block.execute_update("record", {"fact": "withdrawn", "by": "coordo", "reason": "erreur"})
    await block.result()
    return block.id


async def _block_withdrawn_by_deadline(system: System) -> str:
    block = await system.block(2)
    await system.skipper.fast_forward(block, timedelta(days=21))
    await block.result()
    return block.id


async def _departs(system: System, licence: str, days: int) -> "WorkflowHandle[Any, Any]":
    """Announce that a physician leaves in so many days; the announcement is written on return."""
    on = local_date(datetime.now(UTC), _ZONE) + timedelta(days=days)
    fact = PhysicianLeft(by="coordo", on=on, cause="retired")
    view = await departing.announce(Desk(system.pool, system.client), licence, fact, now=datetime.now(UTC))
    return system.client.get_workflow_handle(departure_workflow_id(view["departure_id"]))


async def _departure_announced(system: System) -> str:
    rls, licence, _ = await system.people(2)
    await system.request(rls, licence, 2)
    return (await _departs(system, licence, 30)).id


async def _departure_withdrawn(system: System) -> str:
    _, licence, _ = await system.people(1)
    departure = await _departs(system, licence, 30)
    await departure.signal("withdrawn", ["pas un objet"])
    await departure.execute_update("record", {"fact": "withdrawn", "by": "coordo", "reason": "reste"})
    await departure.result()
    return departure.id


async def _departure_done(system: System) -> str:
    life = await system.attribute()
    await life.reaches("proposed")
    departure = await _departs(system, life.start.physician, 2)
    await system.skipper.fast_forward(departure, timedelta(days=3))
    await departure.result()
    return departure.id


async def _digest_sent(system: System) -> str:
    life = await system.attribute()
    await system.pool.execute("UPDATE networks SET coordinator_email = 'coordo@exemple.test'")
    await life.record("refused", reason="pratique réduite")
    return await _digest(system, morning_after(datetime.now(UTC)))


async def _digest_of_nobody(system: System) -> str:
    # A Sunday: nothing is due anywhere.
    return await _digest(system, datetime(2026, 6, 7, 12, tzinfo=UTC))


async def _digest(system: System, at: datetime) -> str:
    workflow_id = f"daily-digest-{at.isoformat()}"
    await system.client.execute_workflow(
        "DailyDigest", {"at": at.isoformat()}, id=workflow_id, task_queue=TASK_QUEUE
    )
    return workflow_id


async def _block_replaced(system: System) -> str:
    block = await system.block(2, waiting=3)
    view: dict[str, Any] = await block.execute_update("record", {"fact": "approved", "by": "coordo"})
    first = system.life(view["list"][0]["attribution_id"])
    await first.execute_update("record", {"fact": "cancelled", "by": "coordo", "reason": "dispute"})
    await _replaced(block)
    await block.execute_update("record", {"fact": "list_accepted", "by": "coordo"})
    await block.result()
    return block.id


async def _replaced(block: "WorkflowHandle[Any, Any]") -> str:
    """Wait until the block has heard of a replacement; return its reference."""
    found: list[str] = []

    async def there() -> bool:
        listed = (await block.query("view"))["list"]
        found[:] = [member["attribution_id"] for member in listed if member["replaces"]]
        return bool(found)

    await until(there, within_seconds=20)
    return found[0]


async def _attribution_with_a_supplement(system: System) -> str:
    block = await system.block(1, waiting=2)
    (member,) = (await block.execute_update("record", {"fact": "approved", "by": "coordo"}))["list"]
    await block.execute_update("record", {"fact": "list_accepted", "by": "coordo"})
    await block.result()
    cancelled = {"fact": "cancelled", "by": "coordo", "reason": "dispute"}
    await system.life(member["attribution_id"]).execute_update("record", cancelled)
    (row,) = await system.rows(
        "SELECT attribution_id FROM attributions WHERE replaces = $1", member["attribution_id"]
    )
    new = system.life(row["attribution_id"])
    await new.execute_update("record", {"fact": "accepted", "by": "coordo"})
    await new.execute_update("record", {"fact": "sv_entered", "by": "clinique"})

    async def sent() -> bool:
        files = await system.rows(
            "SELECT FROM ramq_files JOIN ramq_names USING (block_id, number) "
            "WHERE attribution_id = $1 AND handed_at IS NOT NULL",
            row["attribution_id"],
        )
        return bool(files)

    await until(sent, within_seconds=20)
    return new.id


PLAYS: Final[Mapping[str, Play]] = {
    **{f"attribution-{name}": _attribution(play) for name, play in _ATTRIBUTIONS.items()},
    "block-drawn": _block_drawn,
    "block-attributed": _block_attributed,
    "attribution-enrolled_sv-supplement": _attribution_with_a_supplement,
    "block-closed": _block_closed,
    "block-closed-replacement": _block_replaced,
    "block-withdrawn": _block_withdrawn,
    "departure-announced": _departure_announced,
    "departure-withdrawn": _departure_withdrawn,
    "departure-done": _departure_done,
    "digest-sent": _digest_sent,
    "digest-of_nobody": _digest_of_nobody,
    "block-withdrawn-by-deadline": _block_withdrawn_by_deadline,
}
"""Every history that is saved, by its name: the workflow, the state it is left in, and what is particular to it."""
