"""Patients: the list, and where somebody is; named by the opaque identifier, or by a NAM in a body and never a path."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from gamf.client import deciding, looking, patients
from gamf.client.api.call import Called, Sent
from gamf.client.api.values import (
    PAGE_LIMIT,
    AfterPatient,
    ConditionInPath,
    Limit,
    PatientInPath,
    PlaceName,
    PriorityName,
    SortRegister,
    Word,
)
from gamf.client.patients import ContactView, Done
from gamf.client.reading import Page, PatientView, RegisterEntry
from gamf.client.registering import CodeView, ConditionView
from gamf.domain.calendar import PROVINCE, local_date
from gamf.domain.facts import Day, EnrolledElsewhere, Licence, Text
from gamf.domain.orders import Listing, order_of
from gamf.storage.lists import RegisterFilter

router = APIRouter(tags=["patients"])


class PatientSought(BaseModel):
    """Who is sought."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    nam: Annotated[Word, Field(min_length=12, examples=["TREM04001925"])]


class ReasonSent(BaseModel):
    """Why something recorded in error is undone (A15, A20), without name or health."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Text


class CorrectionSent(BaseModel):
    """New values, and why (A20); an empty one removes a telephone, an e-mail or a representative."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Text
    address: Word | None = None
    city: Word | None = None
    postal_code: Annotated[Word | None, Field(examples=["G1A 1A1"])] = None
    phone: Annotated[Word | None, Field(examples=["418 555-0102"])] = None
    email: Word | None = None
    language: Literal["fr", "en"] | None = None
    english_attested: Annotated[bool | None, Field(strict=True)] = None
    representative: Word | None = None

    def given(self) -> dict[str, str]:
        """Return what was given, written as a file has it; a null is an empty value."""
        sent = self.model_dump(exclude={"reason"}, exclude_unset=True)
        return {name: _written(value) for name, value in sent.items()}


class MoveSent(BaseModel):
    """A move to another RLS, since which day, and why (A18, A20)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    to: Word
    on: Day
    reason: Text


class DepartureSent(BaseModel):
    """A death or a departure for good, and since which day (A15)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: Day
    cause: Literal["deceased", "left_quebec", "not_eligible"]


class ConditionSent(BaseModel):
    """A vulnerability condition, by its code in the table, and the day on which it was noted (R13)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Annotated[Word, Field(examples=["CHRONIQUE"])]
    on: Day


class EnrolmentSent(BaseModel):
    """An enrolment outside LE 321 (A24): by which physician, from which day, on which basis."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    physician: Licence
    effective_on: Day
    basis: Text


def _written(value: str | bool | None) -> str:  # noqa: FBT001 - a value of a correction
    if isinstance(value, bool):
        return "true" if value else "false"
    return value or ""


@router.get("/register")
async def list_register(
    call: Called,
    rls: Word | None = None,
    place: PlaceName | None = None,
    priority: PriorityName | None = None,
    as_of: Annotated[
        Day | None, Query(description="waiting times as of that day; today's unless said")
    ] = None,
    sort: SortRegister = None,
    after: AfterPatient = None,
    limit: Limit = PAGE_LIMIT,
) -> Page[RegisterEntry]:
    """List patients, in the order of the list (A18) unless sorted, after the page that gave `after`."""
    on = as_of or local_date(call.now, PROVINCE)
    async with call.desk.pool.acquire() as conn:
        only = RegisterFilter(rls, place, priority)
        return await looking.list_register(
            conn, call.seat, only, as_of=on, order=order_of(Listing.REGISTER, sort), after=after, limit=limit
        )


@router.get("/patients/{patient_id}")
async def show_patient(call: Called, patient_id: PatientInPath) -> PatientView:
    """Give where a patient is, and by which way."""
    async with call.desk.pool.acquire() as conn:
        return await looking.show_patient(conn, call.seat, patient_id)


@router.post("/patients/search")
async def find_patient(call: Called, sought: PatientSought) -> PatientView:
    """Give where somebody is, by their NAM; it changes nothing."""
    async with call.desk.pool.acquire() as conn:
        return await looking.show_patient(conn, call.seat, sought.nam)


@router.get("/patients/{patient_id}/conditions")
async def list_conditions(call: Called, patient_id: PatientInPath) -> tuple[ConditionView, ...]:
    """List the vulnerability conditions recorded of somebody, withdrawn or not (R13)."""
    async with call.desk.pool.acquire() as conn:
        return await looking.read_conditions(conn, call.seat, patient_id)


@router.post("/patients/{patient_id}/conditions", response_model=tuple[ConditionView, ...])
async def record_condition(call: Sent, patient_id: PatientInPath, sent: ConditionSent) -> Response:
    """Record a vulnerability condition, from the first visit on (R13); give all that are recorded."""
    return await call.answer_on_connection(
        lambda conn: patients.record_condition(conn, call.seat, patient_id, sent.code, sent.on)
    )


@router.post("/conditions/{condition_id}/withdrawal", response_model=tuple[ConditionView, ...])
async def withdraw_condition(call: Sent, condition_id: ConditionInPath, sent: ReasonSent) -> Response:
    """Withdraw a condition recorded in error, with a reason (A20); give all that are recorded of that person."""
    return await call.answer_on_connection(
        lambda conn: patients.withdraw_condition(conn, call.seat, condition_id, sent.reason)
    )


@router.get("/condition-codes")
async def list_codes(call: Called) -> tuple[CodeView, ...]:
    """List the codes that a condition may have."""
    async with call.desk.pool.acquire() as conn:
        return await patients.list_codes(conn, call.seat)


@router.get("/patients/{patient_id}/contact")
async def read_contact(call: Called, patient_id: PatientInPath) -> ContactView:
    """Give what may be corrected of a patient, as it is now, to whoever may correct it."""
    async with call.desk.pool.acquire() as conn:
        return await patients.read_contact(conn, call.seat, patient_id)


@router.post("/patients/{patient_id}/corrections", response_model=Done)
async def correct(call: Sent, patient_id: PatientInPath, sent: CorrectionSent) -> Response:
    """Correct an address, a way to reach a patient, their language (A20, A22); give the fields that changed."""
    return await call.answer_on_connection(
        lambda conn: patients.correct(conn, call.seat, patient_id, sent.given(), sent.reason)
    )


@router.post("/patients/{patient_id}/moves", response_model=Done)
async def move(call: Sent, patient_id: PatientInPath, sent: MoveSent) -> Response:
    """Record a move to another RLS (A18); a GACO of the former one sees the patient no more."""
    return await call.answer_on_connection(
        lambda conn: patients.move(conn, call.seat, patient_id, sent.to, sent.on, sent.reason)
    )


@router.post("/patients/{patient_id}/departures", response_model=Done)
async def leave(call: Sent, patient_id: PatientInPath, sent: DepartureSent) -> Response:
    """Record a death or a departure for good, wherever the patient is (A15)."""
    return await call.answer(lambda: patients.leave(call.desk, call.seat, patient_id, sent.on, sent.cause))


@router.post("/patients/{patient_id}/reinstatements", response_model=Done)
async def reinstate(call: Sent, patient_id: PatientInPath, sent: ReasonSent) -> Response:
    """Undo a departure recorded in error: back on the list at the initial date (A15)."""
    return await call.answer_on_connection(
        lambda conn: patients.reinstate(conn, call.seat, patient_id, sent.reason)
    )


@router.post("/patients/{patient_id}/enrolments", response_model=PatientView)
async def register_enrolled(call: Sent, patient_id: PatientInPath, sent: EnrolmentSent) -> Response:
    """Register an enrolment outside LE 321 (A24); give where the patient is now."""

    async def work() -> PatientView:
        enrolment = EnrolledElsewhere(by=call.seat.by, **sent.model_dump())
        await deciding.register_enrolled(call.desk, call.seat, patient_id, enrolment)
        async with call.desk.pool.acquire() as conn:
            return await looking.show_patient(conn, call.seat, patient_id)

    return await call.answer(work)
