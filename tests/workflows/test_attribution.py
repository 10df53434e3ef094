"""The workflow `Attribution` on a real Temporal server and a real PostgreSQL: every wait, happy and timed out."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest
from pypdf import PdfReader
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.common import RawValue, SearchAttributePair
from temporalio.exceptions import ApplicationError

from gamf.domain import calendar
from gamf.domain.calendar import add_months, end_of_day
from gamf.domain.names import TASK_QUEUE
from tests.system import Life, System
from tests.workflows.resetting import reset_to_first_fact

TORONTO = "America/Toronto"


async def today(life: Life) -> date:
    """Return the date on the RLS's clock, as the attribution last saw it."""
    moments = [entry["at"] for entry in (await life.view())["history"]]
    instant = datetime.fromisoformat(max(moments)) if moments else datetime.now(UTC)
    return calendar.local_date(instant, life.start.time_zone)


async def skip_past_deadline(life: Life) -> dict[str, Any]:
    """Move the attribution's clock to a minute after its deadline, and return the view."""
    deadline = datetime.fromisoformat((await life.view())["deadline"])
    now = datetime.fromisoformat(str(await workflow_now(life)))
    await life.skip(deadline - now + timedelta(minutes=1))
    return await life.view()


async def workflow_now(life: Life) -> datetime:
    """Return the attribution's own clock: that of its last event."""
    history = await life.handle.fetch_history()
    return max(event.event_time.ToDatetime(tzinfo=UTC) for event in history.events)


def refusal(error: WorkflowUpdateFailedError) -> dict[str, Any]:
    """Return the reason that the caller of an update was given."""
    cause = error.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == "RefusedByRule"
    reason: dict[str, Any] = cause.details[0]
    return reason


async def search_attributes(life: Life) -> dict[str, Any]:
    """Return what the Temporal UI can filter by."""
    described = await life.handle.describe()
    pairs = cast("Iterable[SearchAttributePair[Any]]", described.typed_search_attributes)
    return {pair.key.name: pair.value for pair in pairs}


async def test_from_the_list_to_mf(system: System) -> None:
    life = await system.attribute()
    assert (await life.record("accepted"))["state"] == "confirmed"
    entered = await life.record("sv_entered")
    assert entered["state"] == "enrolled_sv"
    assert await life.place() == "attributed"
    signed = await life.record("mf_signed", signed_on=str(await today(life)))
    assert signed["state"] == "enrolled_mf"
    assert signed["sv"]["voided"]
    result = await life.handle.result()
    assert result == {"state": "enrolled_mf", "ended_on": str(await today(life))}
    assert await life.place() == "enrolled"


async def test_r7_the_letter_goes_once_and_says_what_it_must(system: System) -> None:
    life = await system.attribute()
    await life.record("accepted")
    await life.record("patient_refused", ground="autre")
    await life.handle.result()
    letters = sorted(path.name for path in system.outbox.glob(f"{life.start.attribution_id}-*.pdf"))
    gone = await system.rows(
        "SELECT letter_id, state FROM letters WHERE attribution_id = $1 ORDER BY 1", life.start.attribution_id
    )
    assert [f"{row['letter_id']}.pdf" for row in gone if row["state"] == "sent"] == letters
    manifest = (system.outbox / "manifest.csv").read_text("utf-8")
    assert [manifest.count(f"{name.removesuffix('.pdf')},") for name in letters] == [1] * len(letters)
    for name in letters:
        text = " ".join(
            "".join(page.extract_text() for page in PdfReader(system.outbox / name).pages).split()
        )
        assert life.start.attribution_id in text
        assert "418 555-0101" in text.replace("\xa0", " ")


async def test_a2_silence_is_never_acceptance(system: System) -> None:
    life = await system.attribute()
    unanswered = await skip_past_deadline(life)
    assert unanswered["state"] == "unanswered"
    assert unanswered["waiting_for"] == "coordinator"
    assert await life.place() == "attributed"
    tasks = await system.rows(
        "SELECT kind, owner, closed_at FROM tasks WHERE attribution_id = $1", life.start.attribution_id
    )
    assert [tuple(task) for task in tasks] == [("answer_overdue", "coordinator", None)]
    await skip_past_deadline(life)
    assert (await life.handle.result())["state"] == "lapsed"
    assert await life.place() == "waiting"


async def test_a3_an_answer_in_the_grace_is_taken(system: System) -> None:
    life = await system.attribute()
    await skip_past_deadline(life)
    assert (await life.record("accepted"))["state"] == "confirmed"


async def test_a6_an_overdue_sv_is_blocked_reopened_then_entered(system: System) -> None:
    life = await system.attribute()
    await life.record("accepted")
    overdue = await skip_past_deadline(life)
    assert overdue["state"] == "overdue"
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await life.record("sv_entered")
    assert refusal(refused.value)["rule"] == "A6"
    opens_on = calendar.local_date(await workflow_now(life), TORONTO)
    assert (await life.record("window_reopened", opens_on=str(opens_on), reason="oubli"))[
        "state"
    ] == "confirmed"
    assert (await life.record("sv_entered"))["state"] == "enrolled_sv"


async def test_a6_nobody_decides_and_the_patient_is_told(system: System) -> None:
    life = await system.attribute()
    await life.record("accepted")
    await skip_past_deadline(life)
    await skip_past_deadline(life)
    assert (await life.handle.result())["state"] == "lapsed"
    assert await life.place() == "waiting"
    kinds = await system.rows(
        "SELECT kind, standing, state FROM letters WHERE attribution_id = $1 ORDER BY letter_id",
        life.start.attribution_id,
    )
    assert [tuple(kind) for kind in kinds] == [
        ("attribution", None, "sent"),
        ("corrective", "lapsed", "sent"),
    ]


@pytest.mark.parametrize(("vulnerable", "months"), [(True, 12), (False, 36)])
async def test_r15_at_the_term_the_patient_is_back_on_the_list(
    system: System, months: int, *, vulnerable: bool
) -> None:
    life = await system.attribute(vulnerable=vulnerable)
    await life.record("accepted")
    sv = (await life.record("sv_entered"))["sv"]
    term = add_months(date.fromisoformat(sv["start"]), months)
    assert datetime.fromisoformat((await life.view())["deadline"]) == end_of_day(term, TORONTO)
    expired = await skip_past_deadline(life)
    assert expired["state"] == "expired"
    assert expired["sv"]["end"] == str(term)
    assert await life.place() == "waiting"
    await skip_past_deadline(life)
    assert (await life.handle.result())["state"] == "expired"


async def test_a11_a_late_mf_signed_by_the_term_takes_the_patient_off_the_list(system: System) -> None:
    life = await system.attribute()
    await life.record("accepted")
    start = date.fromisoformat((await life.record("sv_entered"))["sv"]["start"])
    await skip_past_deadline(life)
    signed_on = add_months(start, 12)
    view = await life.record("mf_signed", signed_on=str(signed_on))
    assert view["state"] == "enrolled_mf"
    assert view["sv"]["end"] == str(signed_on - timedelta(days=1))
    assert await life.place() == "enrolled"


async def test_a11_a_late_mf_ends_the_new_attribution(system: System) -> None:
    life = await system.attribute()
    await life.record("accepted")
    start = date.fromisoformat((await life.record("sv_entered"))["sv"]["start"])
    await skip_past_deadline(life)
    patient = (life.start.rls, life.start.physician, life.start.patient_id)
    other = await system.attribute(patient=patient, attributed_at=datetime.now(UTC))
    await other.record("accepted")
    await life.record("mf_signed", signed_on=str(add_months(start, 12)))
    assert (await other.handle.result())["state"] == "enrolled_elsewhere"
    assert await life.place() == "enrolled"


async def test_a16_a_departure_takes_effect_on_its_date(system: System) -> None:
    life = await system.attribute()
    await life.record("accepted")
    await life.record("sv_entered")
    leaves_on = await today(life) + timedelta(days=40)
    noted = await life.record("physician_left", on=str(leaves_on), cause="retired")
    assert noted["state"] == "enrolled_sv"
    await skip_past_deadline(life)
    assert (await life.handle.result())["state"] == "physician_left"
    assert await life.place() == "waiting"
    (row,) = await system.rows(
        "SELECT upper(period) FROM enrolments WHERE attribution_id = $1", life.start.attribution_id
    )
    assert row["upper"] == leaves_on


async def test_an_update_sent_twice_is_answered_twice_and_taken_once(system: System) -> None:
    life = await system.attribute()
    first = await life.record("accepted")
    again = await life.record("accepted")
    assert again == first
    assert [entry["fact"] for entry in again["history"]] == ["accepted"]


async def test_a_signal_sent_twice_is_kept_as_refused(system: System) -> None:
    life = await system.attribute()
    await life.signal("accepted", {"by": "compte"})
    await life.signal("accepted", {"by": "compte"})
    kept = await life.refused(1)
    assert (await life.view())["state"] == "confirmed"
    assert [(refused["fact"], refused["rule"]) for refused in kept] == [("accepted", "A20")]


@pytest.mark.parametrize(
    "argument",
    [
        None,
        [],
        "accepted",
        12,
        {},
        {"by": ""},
        {"by": "a\0b"},
        {"by": "compte", "nom": "x"},
        {"by": "compte", "at": "hier"},
        {"by": "compte", "at": "2020-01-01T00:00:00Z"},
        RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b'{"by": "\\ud800"}')),
        RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b'{"by": ')),
        RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b'{"by": NaN}')),
        RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b"[" * 5_000)),
        RawValue(Payload(metadata={"encoding": b"binary/plain"}, data=b"\xff\x00\xfe")),
        RawValue(Payload(metadata={"encoding": b"unheard/of"}, data=b"x")),
        RawValue(Payload()),
        {"by": "x" * 5_000},
        {"by": {"by": {"by": []}}},
    ],
)
async def test_a_malformed_signal_is_kept_with_its_reason(system: System, argument: object) -> None:
    life = await system.attribute()
    await life.signal("accepted", argument)
    (kept,) = await life.refused(1)
    assert (await life.view())["state"] == "proposed"
    assert kept["fact"] == "accepted"
    assert kept["reason"]
    assert kept["reason_en"]
    assert (await life.record("cancelled", reason="fin de l'essai"))["state"] == "cancelled"
    rows = await system.rows(
        "SELECT event, reason FROM records WHERE subject_id = $1 AND refused", life.start.attribution_id
    )
    assert [tuple(row) for row in rows] == [("accepted", kept["reason"])]


async def test_a_signal_without_argument_or_with_two_is_kept(system: System) -> None:
    life = await system.attribute()
    await life.handle.signal("accepted")
    await life.handle.signal("accepted", args=[{"by": "a"}, {"by": "b"}])
    await life.handle.signal("unheard_of", {"by": "a"})
    everything = await life.refused(3)
    assert (await life.view())["state"] == "proposed"
    assert [kept["fact"] for kept in everything] == ["accepted", "accepted", "unheard_of"]


@pytest.mark.parametrize(
    "sent", [None, [], "x", {}, {"fact": "accepted"}, {"fact": 3, "by": "a"}, {"by": "a"}]
)
async def test_a_malformed_update_is_refused_and_changes_nothing(system: System, sent: object) -> None:
    life = await system.attribute()
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await life.handle.execute_update("record", sent)
    assert refusal(refused.value)["rule"] == "form"
    assert (await life.view())["state"] == "proposed"


async def test_a_refused_update_leaves_no_event(system: System) -> None:
    life = await system.attribute()
    await life.signal("unheard_of", {})
    await life.refused(1)
    before = len((await life.handle.fetch_history()).events)
    with pytest.raises(WorkflowUpdateFailedError):
        await life.record("mf_signed", signed_on="2026-02-02")
    kinds = [event.event_type for event in (await life.handle.fetch_history()).events]
    assert len(kinds) == before


async def test_facts_told_again_after_a_reset_are_taken_in_their_order(system: System) -> None:
    life = await system.attribute()
    await life.signal("accepted", {"by": "compte"})
    await life.reaches("confirmed")
    before = await life.record("sv_entered")
    await reset_to_first_fact(system.client, life.handle)
    assert await life.reaches("enrolled_sv") == before


async def test_cancelling_the_workflow_does_not_end_the_attribution(system: System) -> None:
    life = await system.attribute()
    await life.handle.cancel()
    await life.handle.cancel()
    view = await life.record("accepted")
    assert view["state"] == "confirmed"
    assert {kept["fact"] for kept in view["refused_facts"]} == {"cancel"}


@pytest.mark.parametrize(
    "argument",
    [
        None,
        {},
        {"attribution_id": "2026-000001"},
        [1],
        "x",
    ],
)
async def test_an_argument_that_cannot_be_read_fails_at_once(system: System, argument: object) -> None:
    handle = await system.client.start_workflow(
        "Attribution", argument, id=f"attribution-bad-{argument!r}", task_queue=TASK_QUEUE
    )
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "BadArgument"


async def test_a_nam_is_not_an_opaque_identifier(system: System) -> None:
    life = await system.attribute()
    argument = life.start.model_dump(mode="json") | {
        "patient_id": "TREM04121925",
        "attribution_id": "2026-999998",
    }
    handle = await system.client.start_workflow(
        "Attribution", argument, id="attribution-2026-999998", task_queue=TASK_QUEUE
    )
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert "TREM" not in str(failed.value.cause)


async def test_somebody_who_does_not_wait_is_not_attributed(system: System) -> None:
    life = await system.attribute()
    await life.record("accepted")
    start = life.start.model_copy(update={"attribution_id": "2026-999999"})
    handle = await system.client.start_workflow(
        "Attribution", start, id="attribution-2026-999999", task_queue=TASK_QUEUE
    )
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "NotAttributable"
    assert await life.place() == "attributed"


async def test_search_attributes_are_kept_true(system: System) -> None:
    life = await system.attribute(vulnerable=False)
    await life.record("accepted")
    known = await search_attributes(life)
    view = await life.view()
    assert known["AttributionState"] == "confirmed"
    assert known["Deadline"] == datetime.fromisoformat(view["deadline"])
    assert known["Physician"] == life.start.physician
    assert known["Rls"] == life.start.rls
    assert known["Vulnerable"] is False
    await life.record("cancelled", reason="x")
    await life.handle.result()
    known = await search_attributes(life)
    assert known["AttributionState"] == "cancelled"
    assert "Deadline" not in known


async def test_a23_the_dates_are_those_of_the_rls(system: System) -> None:
    life = await system.attribute(time_zone="America/Halifax")
    view = await life.record("accepted")
    last_day = date.fromisoformat(view["confirmed_on"]) + timedelta(days=14)
    assert datetime.fromisoformat(view["deadline"]) == end_of_day(last_day, "America/Halifax")
