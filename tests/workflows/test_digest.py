"""The daily digest on the real servers: the Schedule fires, each reader gets one, and nobody is named."""

import email
import email.policy
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import (
    ScheduleActionExecutionStartWorkflow,
    ScheduleBackfill,
    ScheduleOverlapPolicy,
)
from temporalio.testing import ActivityEnvironment

from gamf.activities.digests import Batch, DigestActivities, DigestOrder
from gamf.client.scheduling import CATCH_UP, DIGEST, ensure_digest_schedule
from gamf.domain.names import TASK_QUEUE
from gamf.letters.carriers import CarrierError
from gamf.letters.digests import DigestMail
from gamf.runtime.polling import until
from tests.system import FAMILY, NAM_PREFIX, Life, System, morning_after

TORONTO = "America/Toronto"


async def reached_at(system: System, life: Life) -> str:
    """Give the RLS and the physician of an attribution addresses; return the coordinator's."""
    address = f"coordo-{uuid4().hex}@exemple.test"
    await system.pool.execute(
        "UPDATE networks SET coordinator_email = $2 WHERE rls = $1", life.start.rls, address
    )
    await system.pool.execute(
        "UPDATE physicians SET email = $2 WHERE licence = $1", life.start.physician, f"clinique-{address}"
    )
    return address


async def digest_at(system: System, at: datetime) -> dict[str, Any]:
    """Have the digests of that instant sent, by hand."""
    answer: dict[str, Any] = await system.client.execute_workflow(
        "DailyDigest", {"at": at.isoformat()}, id=f"digest-{uuid4().hex}", task_queue=TASK_QUEUE
    )
    return answer


def received(system: System, address: str) -> list[EmailMessage]:
    """Return what that reader got."""
    found: list[EmailMessage] = []
    for path in sorted((system.outbox / "digests").glob("*.eml")):
        message = email.message_from_bytes(
            path.read_bytes(), _class=EmailMessage, policy=email.policy.default
        )
        if message["To"] == address:
            found.append(message)
    return found


async def test_each_reader_gets_one_e_mail_a_day_and_nobody_is_named_in_it(system: System) -> None:
    life = await system.attribute()
    address = await reached_at(system, life)
    await life.record("accepted")
    # The clinic has fourteen days: three working days before the end it is told.
    deadline = datetime.fromisoformat((await life.view())["deadline"])
    morning = morning_after(deadline - timedelta(days=4))
    done = await digest_at(system, morning)
    assert TORONTO in done["zones"]
    assert (done["refused"], done["unsent"]) == (0, 0)
    assert received(system, address) == []
    (told,) = received(system, f"clinique-{address}")
    body = told.get_content()
    assert life.start.attribution_id in body
    assert "Inscription SV à saisir" in body
    assert f"gamf task list --physician {life.start.physician}" in body
    assert not [name for name in (FAMILY, NAM_PREFIX, life.start.patient_id) if name in str(told) + body]
    # Again, at the same time and later the same day: nothing more.
    again = [await digest_at(system, morning + later) for later in (timedelta(0), timedelta(hours=5))]
    assert [each["sent"] for each in again] == [0, 0]
    assert len(received(system, f"clinique-{address}")) == 1


async def test_a_coordinator_is_told_what_came_back_since_the_last_working_day(system: System) -> None:
    life = await system.attribute()
    address = await reached_at(system, life)
    await life.record("refused", reason="pratique réduite")
    (record,) = await system.rows(
        "SELECT at FROM records WHERE subject_id = $1 AND event = 'refused'", life.start.attribution_id
    )
    await digest_at(system, morning_after(record["at"]))
    (told,) = received(system, address)
    assert "refusée par le médecin (1)" in told.get_content()
    assert life.start.attribution_id in told.get_content()


async def test_r14_a_clinic_is_reminded_once_of_a_term_that_is_near(system: System) -> None:
    life = await system.attribute()
    await reached_at(system, life)
    await life.record("accepted")
    view = await life.record("sv_entered")
    term = datetime.fromisoformat(view["deadline"])
    far, near = (morning_after(term - timedelta(days=days)) for days in (75, 50))
    assert await opened(system, life) == []
    await digest_at(system, far)
    assert await opened(system, life) == []
    for _ in range(2):
        await digest_at(system, near)
    assert await opened(system, life) == [("mf_term_near", "clinic", term, None)]
    await life.record("mf_signed", signed_on=view["sv"]["start"])
    ((_, _, _, closed_at),) = await opened(system, life)
    assert closed_at is not None


async def opened(system: System, life: Life) -> list[tuple[Any, ...]]:
    rows = await system.rows(
        "SELECT kind, owner, due, closed_at FROM tasks WHERE attribution_id = $1 AND kind = 'mf_term_near'",
        life.start.attribution_id,
    )
    return [tuple(row) for row in rows]


async def test_the_schedule_fires_and_knows_for_when(system: System) -> None:
    client = system.client
    now = datetime.now(UTC)
    assert await ensure_digest_schedule(client, [], now) in {"created", "unchanged"}
    assert await ensure_digest_schedule(client, [], now) == "unchanged"
    handle = client.get_schedule_handle(DIGEST)
    try:
        described = (await handle.describe()).schedule
        assert described.policy.overlap is ScheduleOverlapPolicy.ALLOW_ALL
        assert described.policy.catchup_window == CATCH_UP
        # As it would have fired on a day long past: it is too late, nobody is written to.
        past = datetime(2026, 6, 1, 10, 30, tzinfo=UTC)
        await handle.backfill(
            ScheduleBackfill(
                start_at=past, end_at=past + timedelta(hours=1), overlap=ScheduleOverlapPolicy.ALLOW_ALL
            )
        )

        async def fired() -> bool:
            return len((await handle.describe()).info.recent_actions) >= 1

        await until(fired, within_seconds=20)
        action = (await handle.describe()).info.recent_actions[-1].action
        assert isinstance(action, ScheduleActionExecutionStartWorkflow)
        run = client.get_workflow_handle(action.workflow_id)
        assert (await run.result())["zones"] == []
        # Nobody undoes what an operator decided.
        await handle.pause(note="congé")
        assert await ensure_digest_schedule(client, ["America/St_Johns"], now) == "updated"
        described = (await handle.describe()).schedule
        assert (described.state.paused, len(described.spec.calendars)) == (True, 3)
    finally:
        await handle.delete()


class Moody:
    """A carrier that fails as it is told, then takes."""

    def __init__(self, *failures: CarrierError) -> None:
        self.failures = list(failures)
        self.taken: list[DigestMail] = []

    async def hand_over(self, mail: DigestMail) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append(mail)


@pytest.mark.parametrize("temporary", [True, False])
async def test_a_reader_who_cannot_be_reached_keeps_nobody_else_waiting(
    system: System,
    temporary: bool,  # noqa: FBT001 - a parameter
) -> None:
    lives = [await system.attribute() for _ in range(2)]
    for life in lives:
        await reached_at(system, life)
        await life.record("refused", reason="x")
    morning = morning_after(datetime.now(UTC))
    carrier = Moody(CarrierError("no", temporary=temporary))
    activities = DigestActivities(system.pool, carrier)
    order = DigestOrder(at=morning, now=morning)
    made = await ActivityEnvironment().run(activities.make_digests, order)
    again = await ActivityEnvironment().run(activities.make_digests, order)
    assert made.digest_ids == again.digest_ids
    assert len(made.digest_ids) == 2 * len(lives)
    batch = Batch(digest_ids=made.digest_ids, at=morning)
    if temporary:
        with pytest.raises(Exception, match="could not be handed over yet"):
            await ActivityEnvironment().run(activities.send_digests, batch)
    refused = await ActivityEnvironment().run(activities.send_digests, batch)
    assert refused == (0 if temporary else 1)
    sent = [mail.digest_id for mail in carrier.taken]
    assert sorted(sent) == sorted(set(sent))
    assert len(sent) == len(made.digest_ids) - refused
