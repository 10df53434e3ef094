"""*Patient*: what is known of one person, and what the rules let one do about them now; each act says what follows."""

from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from gamf.client import deciding, looking, patients
from gamf.client.cli.language import Text
from gamf.client.console import person_words as words
from gamf.client.console.fields import cause_choices, day_of
from gamf.client.console.page import Page, PageVisit, Sent, SentVisit
from gamf.domain.corrections import CORRECTABLE
from gamf.domain.facts import EnrolledElsewhere, parse
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import UseCase, allowed

if TYPE_CHECKING:
    from gamf.client.patients import ContactView, Done, Foreseen
    from gamf.storage.connection import Connection

router = APIRouter()
_REFUSED: Final = 422
_PATHS: Final = {
    "demenagement": UseCase.REGISTER_MOVE,
    "retour": UseCase.REGISTER_REINSTATE,
    "depart": UseCase.PATIENT_LEFT,
    "inscription": UseCase.ENROLLED_ELSEWHERE,
}
_PATH_OF: Final = {use_case: path for path, use_case in _PATHS.items()}


@router.get("/liste/{patient_id}")
async def show(page: Page, patient_id: str) -> Response:
    """Show where somebody is, under their opaque identifier, by which way they came there, and what can be done."""
    return await _page(page, patient_id)


async def _page(
    page: PageVisit,
    patient_id: str,
    refusal: RefusedByRuleError | None = None,
    tried: UseCase | None = None,
    status: int = 200,
) -> Response:
    async with page.desk.pool.acquire() as conn:
        view = await looking.show_patient(conn, page.seat, patient_id)
        foreseen = await patients.foresee(conn, page.seat, view)
        others = await _others(conn, page, view.rls) if UseCase.REGISTER_MOVE in foreseen.acts else []
    return page.render(
        "patients/show.html",
        status,
        patient=view,
        foreseen=foreseen,
        acts=[_act(use_case, foreseen, others) for use_case in words.ACTS if use_case in foreseen.acts],
        corrects=UseCase.REGISTER_CORRECT in foreseen.acts,
        sees_conditions=allowed(page.seat.actor, UseCase.CONDITION_SHOW),
        refusal=refusal.reason if refusal else None,
        tried=_PATH_OF[tried] if tried else None,
        written=_written(page, tried is not None, words.first_written(foreseen.today)),
        first=words.first_written(foreseen.today),
        causes=dict(cause_choices("patient_left")),
    )


async def _others(conn: "Connection", page: PageVisit, rls: str) -> list[tuple[str, str]]:
    return [each for each in await patients.networks_to_move_to(conn, page.seat) if each[0] != rls]


def _act(use_case: UseCase, foreseen: "Foreseen", networks: list[tuple[str, str]]) -> tuple[Any, ...]:
    """Return an act as the template shows it: its path, its words, what follows, its fields."""
    follows = [words.FOLLOWS[each] for each in foreseen.acts[use_case]]
    return _PATH_OF[use_case], words.ACTS[use_case], follows, words.act_fields(use_case, networks)


def _written(page: PageVisit, tried: bool, otherwise: dict[str, str]) -> dict[str, str]:  # noqa: FBT001 - which of the two
    return dict(page.fields or {}) if tried and isinstance(page, SentVisit) else otherwise


def _raise_if_of_access(refusal: RefusedByRuleError) -> None:
    """Let rise what is not for whoever asks: there is no page to show it on."""
    if refusal.reason.rule == "access":
        raise refusal


# --- coordinates ----------------------------------------------------------------------------------------------------


@router.get("/liste/{patient_id}/coordonnees")
async def show_contact(page: Page, patient_id: str) -> Response:
    """Show what may be corrected, as it is now."""
    return await _contact_page(page, patient_id)


async def _contact_page(
    page: PageVisit, patient_id: str, refusal: RefusedByRuleError | None = None, status: int = 200
) -> Response:
    async with page.desk.pool.acquire() as conn:
        contact = await patients.read_contact(conn, page.seat, patient_id)
        view = await looking.show_patient(conn, page.seat, patient_id)
        foreseen = await patients.foresee(conn, page.seat, view)
    return page.render(
        "patients/contact.html",
        status,
        patient_id=patient_id,
        follows=[words.FOLLOWS[each] for each in foreseen.acts.get(UseCase.REGISTER_CORRECT, ())],
        asked=words.contact_fields(),
        written=_written(page, refusal is not None, _as_written(contact)),
        refusal=refusal.reason if refusal else None,
    )


def _as_written(contact: "ContactView") -> dict[str, str]:
    """Return the values as a form has them."""
    known = contact.model_dump()
    flag = "true" if contact.english_attested else "false"
    return {name: known[name] or "" for name in CORRECTABLE} | {"english_attested": flag}


@router.post("/liste/{patient_id}/coordonnees")
async def correct(page: Sent, patient_id: str) -> Response:
    """Take the corrections, or say what is refused beside the form."""
    given = {name: page.field(name) for name in CORRECTABLE if name in (page.fields or {})}
    try:
        async with page.desk.pool.acquire() as conn:
            done = await patients.correct(conn, page.seat, patient_id, given, page.field("reason"))
    except RefusedByRuleError as refusal:
        _raise_if_of_access(refusal)
        return await _contact_page(page, patient_id, refusal, _REFUSED)
    return page.go(f"/liste/{patient_id}", "corrected" if done.changed else "nothing_changed")


# --- conditions -----------------------------------------------------------------------------------------------------


@router.get("/liste/{patient_id}/conditions")
async def show_conditions(page: Page, patient_id: str) -> Response:
    """Show the vulnerability conditions recorded, and the form for one more where the rules take one (R13)."""
    return await _conditions_page(page, patient_id)


async def _conditions_page(
    page: PageVisit, patient_id: str, refusal: RefusedByRuleError | None = None, tried: str = ""
) -> Response:
    async with page.desk.pool.acquire() as conn:
        found = await looking.read_conditions(conn, page.seat, patient_id)
        view = await looking.show_patient(conn, page.seat, patient_id)
        foreseen = await patients.foresee(conn, page.seat, view)
        codes = await patients.list_codes(conn, page.seat)
    follows = foreseen.acts.get(UseCase.CONDITION_RECORD)
    first = words.first_written(foreseen.today)
    return page.render(
        "patients/conditions.html",
        _REFUSED if refusal else 200,
        patient_id=patient_id,
        found=found,
        records=allowed(page.seat.actor, UseCase.CONDITION_RECORD),
        follows=None if follows is None else [words.FOLLOWS[each] for each in follows],
        asked=words.condition_fields([(each.code, Text(each.label_fr, each.label_en)) for each in codes]),
        withdrawal=words.withdrawal_field(),
        written=_written(page, refusal is not None, first),
        refusal=refusal.reason if refusal else None,
        tried=tried,
    )


@router.post("/liste/{patient_id}/conditions")
async def record_condition(page: Sent, patient_id: str) -> Response:
    """Record a condition, or say by which rule it is refused (R13)."""
    try:
        on = day_of(page.field("on"), "on")
        async with page.desk.pool.acquire() as conn:
            await patients.record_condition(conn, page.seat, patient_id, page.field("code"), on)
    except RefusedByRuleError as refusal:
        _raise_if_of_access(refusal)
        return await _conditions_page(page, patient_id, refusal, "new")
    return page.go(f"/liste/{patient_id}/conditions", "condition_recorded")


@router.post("/liste/{patient_id}/conditions/{condition_id}/retirer")
async def withdraw_condition(page: Sent, patient_id: str, condition_id: int) -> Response:
    """Withdraw a condition recorded in error, or say what is refused (A20)."""
    try:
        async with page.desk.pool.acquire() as conn:
            await patients.withdraw_condition(conn, page.seat, condition_id, page.field("reason"))
    except RefusedByRuleError as refusal:
        _raise_if_of_access(refusal)
        return await _conditions_page(page, patient_id, refusal, str(condition_id))
    return page.go(f"/liste/{patient_id}/conditions", "condition_withdrawn")


# --- where somebody is ----------------------------------------------------------------------------------------------


@router.post("/liste/{patient_id}/demenagement")
async def move(page: Sent, patient_id: str) -> Response:
    """Record a move to another RLS."""
    return await _report(page, patient_id, UseCase.REGISTER_MOVE)


@router.post("/liste/{patient_id}/retour")
async def reinstate(page: Sent, patient_id: str) -> Response:
    """Undo a departure recorded in error (A15)."""
    return await _report(page, patient_id, UseCase.REGISTER_REINSTATE)


@router.post("/liste/{patient_id}/depart")
async def leave(page: Sent, patient_id: str) -> Response:
    """Record a death or a departure for good (A15)."""
    return await _report(page, patient_id, UseCase.PATIENT_LEFT)


@router.post("/liste/{patient_id}/inscription")
async def enrol_outside(page: Sent, patient_id: str) -> Response:
    """Record an enrolment outside LE 321 (A24)."""
    return await _report(page, patient_id, UseCase.ENROLLED_ELSEWHERE)


async def _report(page: SentVisit, patient_id: str, use_case: UseCase) -> Response:
    try:
        done = await _do(page, patient_id, use_case)
    except RefusedByRuleError as refusal:
        _raise_if_of_access(refusal)
        return await _page(page, patient_id, refusal, use_case, _REFUSED)
    async with page.desk.pool.acquire() as conn:
        theirs = await patients.still_theirs(conn, page.seat, patient_id)
    if not theirs:
        # Whoever moved is another GACO's, whoever left no clinic's.
        return page.go("/", "no_longer_yours")
    changed = done is None or done.changed
    return page.go(f"/liste/{patient_id}", "person_reported" if changed else "nothing_changed")


async def _do(page: SentVisit, patient_id: str, use_case: UseCase) -> "Done | None":
    """Do one of the acts of the page; give what it changed, None where an attribution may do it later."""
    if use_case is UseCase.ENROLLED_ELSEWHERE:
        await deciding.register_enrolled(page.desk, page.seat, patient_id, _enrolment(page))
        return None
    if use_case is UseCase.PATIENT_LEFT:
        on, cause = day_of(page.field("on"), "on"), page.field("cause")
        return await patients.leave(page.desk, page.seat, patient_id, on, cause)
    async with page.desk.pool.acquire() as conn:
        if use_case is UseCase.REGISTER_REINSTATE:
            return await patients.reinstate(conn, page.seat, patient_id, page.field("reason"))
        on = day_of(page.field("on"), "on")
        return await patients.move(conn, page.seat, patient_id, page.field("to"), on, page.field("reason"))


def _enrolment(page: SentVisit) -> EnrolledElsewhere:
    given = {name: page.field(name) for name in ("physician", "effective_on", "basis")}
    fact = parse(EnrolledElsewhere.name, {"by": page.seat.by, **given})
    assert isinstance(fact, EnrolledElsewhere)  # noqa: S101 - that is its name
    return fact
