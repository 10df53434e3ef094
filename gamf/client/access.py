"""Whether somebody may do something about something, and the log of who looked at whom (LRSSS, s. 103).

Every command, screen or call that shows a person goes through `gamf.client.looking`, or calls `note` itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from gamf.domain.access import Channel, Shown
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import Actor, Matter, UseCase, check_allowed
from gamf.storage import access_log, matters
from gamf.storage.access_log import Look

if TYPE_CHECKING:
    from gamf.storage.connection import Connection


@dataclass(frozen=True)
class Seat:
    """Who asks, by which way, when, and from where: an address on the network, or none on the machine itself."""

    actor: Actor
    channel: Channel
    now: datetime
    address: str | None = None

    @property
    def by(self) -> str:
        """Return the account, which stands as `by` on what is done."""
        return self.actor.account


async def note(
    conn: "Connection", seat: Seat, use_case: UseCase, shown: Sequence[Shown], patient_ids: Sequence[str]
) -> None:
    """Write in the log that these people are shown, and what of them; nobody shown, nothing written.

    Called before what it notes is given out, so that nothing is seen that was not written.
    """
    if patient_ids:
        await access_log.append(conn, _look(seat, use_case, shown), patient_ids)


async def people_of(
    conn: "Connection", attribution_ids: Sequence[str], task_ids: Sequence[int] = ()
) -> list[str]:
    """Return whom these attributions are of, and whom these tasks are about, to be noted."""
    if not attribution_ids and not task_ids:
        return []
    return await access_log.people_of(conn, attribution_ids, task_ids)


async def note_log(conn: "Connection", seat: Seat, patient_ids: Sequence[str]) -> None:
    """Write in the log that it is looked at itself: who looked at these people, or at nobody in particular."""
    await access_log.append(conn, _look(seat, UseCase.ACCESS_LOG_SHOW, (Shown.LOOKS,)), patient_ids)


def _look(seat: Seat, use_case: UseCase, shown: Sequence[Shown]) -> Look:
    kinds = [each.value for each in shown]
    return Look(seat.by, seat.now, seat.channel.value, seat.address, use_case.value, kinds)


async def note_register(
    conn: "Connection",
    seat: Seat,
    shown: Sequence[Shown],
    *,
    rls: str | None,
    place: str | None,
) -> None:
    """Write in the log that everybody of that RLS, in that place, is about to be exported."""
    await access_log.append_register(conn, _look(seat, UseCase.REGISTER_EXPORT, shown), rls, place)


async def check(
    conn: "Connection",
    seat: Seat,
    use_case: UseCase,
    matter: Matter,
    *,
    patient_ids: Sequence[str] = (),
) -> None:
    """Refuse what the roles do not allow; a refused look at a person is in the log too.

    Raises:
        RefusedByRuleError: they do not; nothing has changed and nothing is shown.
    """
    try:
        check_allowed(seat.actor, use_case, matter)
    except RefusedByRuleError:
        await note(conn, seat, use_case, (), patient_ids)
        raise


async def of_attribution(conn: "Connection", attribution_id: str) -> matters.Known | None:
    """Return what an attribution is about, and whom, or None when there is none."""
    return await matters.attribution(conn, attribution_id)


async def of_block(conn: "Connection", block_id: str) -> matters.Known | None:
    """Return what a block is about, or None when there is none."""
    return await matters.block(conn, block_id)


async def of_physician(conn: "Connection", licence: str) -> matters.Known | None:
    """Return what a physician is about, or None when there is none."""
    return await matters.physician(conn, licence)


async def of_patient(conn: "Connection", patient_id: str) -> matters.Known | None:
    """Return what a patient is about: their RLS, and those who have them or are enrolling them."""
    return await matters.patient(conn, patient_id)


async def of_task(conn: "Connection", task_id: int) -> matters.Known | None:
    """Return what a task is about, with its owner, or None when there is none."""
    return await matters.task(conn, task_id)
