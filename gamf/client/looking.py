"""The use cases that show something to somebody: only what their roles allow, and every look at a person in the log.

They are those of `reading` and `acting`, asked from a seat; the command line, the console and the API call these.
"""

from collections.abc import Callable, Coroutine, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final, Unpack

from gamf.client import access, acting, departing, ramq, reading, registering, stats
from gamf.client.access import Seat
from gamf.client.departing import DepartingView
from gamf.client.errors import NotFoundError
from gamf.client.looking_tasks import note_tasks
from gamf.client.ramq import RamqFileView
from gamf.client.reading import (
    AttributionView,
    BlockSummary,
    BlockView,
    LetterView,
    Page,
    Paging,
    PatientView,
    PhysicianView,
    RegisterEntry,
    TaskView,
)
from gamf.client.registering import ConditionView, Stamp
from gamf.domain.access import Shown
from gamf.domain.identifiers import looks_like_nam
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import Matter, Scope, UseCase, check_allowed, scope_of, task_scopes
from gamf.storage.lists import AttributionFilter, BlockFilter, PhysicianFilter, RegisterFilter

if TYPE_CHECKING:
    from gamf.client.acting import Desk
    from gamf.client.asking import View
    from gamf.domain.indicators import Published
    from gamf.storage.connection import Connection

Output = Callable[[bytes], Coroutine[Any, Any, None]]

STANDING: Final = (Shown.HEALTH, Shown.STANDING)
"""What a view of an attribution or a line of a list shows."""
_WHOLE: Final = (Shown.IDENTITY, Shown.CONTACT, Shown.HEALTH, Shown.STANDING)
_ON_PAPER: Final = (Shown.IDENTITY, Shown.CONTACT, Shown.LETTER)


# --- patients ---------------------------------------------------------------------------------------------


async def show_patient(conn: "Connection", seat: Seat, patient: str) -> PatientView:
    """Return where a patient is, named by the opaque identifier or by a NAM.

    Raises:
        RefusedByRuleError: it is not for the actor, which says the same of somebody who is not in the register.
        NotFoundError: nobody in the register is named so.
    """
    patient_id = await find_patient(conn, seat, patient, UseCase.REGISTER_SHOW)
    view = await reading.show_patient(conn, patient_id)
    by_nam = (Shown.IDENTITY,) if looks_like_nam(patient) else ()
    await access.note(conn, seat, UseCase.REGISTER_SHOW, (*by_nam, *STANDING), [patient_id])
    return view


async def find_patient(conn: "Connection", seat: Seat, patient: str, use_case: UseCase) -> str:
    """Return the opaque identifier of somebody about whom the actor may do that; otherwise as `show_patient`."""
    check_allowed(seat.actor, use_case)
    try:
        patient_id = await reading.find_patient(conn, patient)
    except NotFoundError:
        if scope_of(seat.actor, use_case).everything:
            raise
        raise nobody_of_theirs() from None
    known = await access.of_patient(conn, patient_id)
    try:
        await access.check(
            conn, seat, use_case, known.matter if known else Matter(), patient_ids=[patient_id]
        )
    except RefusedByRuleError:
        raise nobody_of_theirs() from None
    return patient_id


async def seek_patient(conn: "Connection", seat: Seat, patient: str) -> str:
    """Return the opaque identifier of somebody whom the actor may see; that a NAM is theirs is shown by it.

    Raises:
        RefusedByRuleError: it is not for the actor, which says the same of somebody who is not in the register.
        NotFoundError: nobody in the register is named so.
    """
    patient_id = await find_patient(conn, seat, patient, UseCase.REGISTER_SHOW)
    if looks_like_nam(patient):
        await access.note(conn, seat, UseCase.REGISTER_SHOW, (Shown.IDENTITY,), [patient_id])
    return patient_id


def nobody_of_theirs() -> RefusedByRuleError:
    """Return what is said of somebody elsewhere and of nobody alike: who is on the list is not to be found out."""
    return RefusedByRuleError(
        "access",
        "Personne n’est connu ainsi parmi vos patients ; la demande est au journal des accès.",
        "Nobody is known so among your patients; the request is in the access log.",
        "patient",
    )


async def read_conditions(conn: "Connection", seat: Seat, patient: str) -> tuple[ConditionView, ...]:
    """Return the vulnerability conditions recorded of somebody, withdrawn or not (R13); otherwise as `show_patient`."""
    patient_id = await find_patient(conn, seat, patient, UseCase.CONDITION_SHOW)
    found = await registering.read_conditions(conn, patient_id, Stamp(seat.by, seat.now))
    await access.note(conn, seat, UseCase.CONDITION_SHOW, (Shown.HEALTH,), [patient_id])
    return found


async def list_register(
    conn: "Connection", seat: Seat, only: RegisterFilter, *, as_of: date, **paging: Unpack[Paging]
) -> Page[RegisterEntry]:
    """Return patients in the order of the list (A18), or another; those after the page that gave `after`.

    Raises:
        RefusedByRuleError: it is not for the actor, or not in that RLS; whoever has several names one.
    """
    within = only._replace(rls=_own_rls(seat, UseCase.REGISTER_LIST, only.rls))
    page = await reading.list_register(conn, within, as_of=as_of, **paging)
    people = [each.patient_id for each in page.items]
    await access.note(conn, seat, UseCase.REGISTER_LIST, STANDING, people)
    return page


def _own_rls(seat: Seat, use_case: UseCase, rls: str | None) -> str | None:
    """Return the RLS asked for, else the actor's only one, else None for whoever may see them all."""
    scope = _scope(seat, use_case)
    chosen = next(iter(scope.rls)) if rls is None and len(scope.rls) == 1 and not scope.everything else rls
    check_allowed(seat.actor, use_case, Matter.of(rls=chosen))
    return chosen


async def export_register(
    conn: "Connection",
    seat: Seat,
    output: Output,
    *,
    rls: str | None = None,
    place: str | None = None,
) -> int:
    """Write the register as the CSV that `gamf register import` takes; return how many patients it has.

    Raises:
        RefusedByRuleError: it is not for the actor.
    """
    check_allowed(seat.actor, UseCase.REGISTER_EXPORT, Matter.of(rls=rls))
    # Whoever is in the file is in the log: both are of one snapshot, and the log is kept though the file breaks off.
    async with conn.transaction(isolation="repeatable_read"):
        await access.note_register(conn, seat, _WHOLE, rls=rls, place=place)
        return await reading.export_register(conn, output, rls=rls, place=place)


# --- attributions and letters -----------------------------------------------------------------------------


async def show_attribution(desk: "Desk", seat: Seat, attribution_id: str) -> "View":
    """Give the attribution's view with its patient, block, priority and vulnerability.

    Raises:
        RefusedByRuleError: it is not for the actor.
        NotFoundError: there is no such attribution.
        ServiceUnreachable: a service is silent.
    """
    async with desk.pool.acquire() as conn:
        patient_id = await _check_attribution(conn, seat, UseCase.ATTRIBUTION_SHOW, attribution_id)
    view = await acting.show_attribution(desk, attribution_id)
    async with desk.pool.acquire() as conn:
        await access.note(conn, seat, UseCase.ATTRIBUTION_SHOW, STANDING, [patient_id])
    return view


async def _check_attribution(conn: "Connection", seat: Seat, use_case: UseCase, attribution_id: str) -> str:
    """Return the patient of an attribution that the actor may see."""
    check_allowed(seat.actor, use_case)
    known = await access.of_attribution(conn, attribution_id)
    if known is None or known.patient_id is None:
        raise NotFoundError(
            fr=f"L’attribution {attribution_id} n’existe pas.",
            en=f"There is no attribution {attribution_id}.",
        )
    await access.check(conn, seat, use_case, known.matter, patient_ids=[known.patient_id])
    return known.patient_id


async def list_attributions(
    conn: "Connection", seat: Seat, only: AttributionFilter, **paging: Unpack[Paging]
) -> Page[AttributionView]:
    """Return the actor's attributions, after the page that gave `after`.

    Unless another order is asked for: by deadline when a deadline is, else by reference.

    Raises:
        RefusedByRuleError: it is not for the actor.
    """
    within = only._replace(scope=_scope(seat, UseCase.ATTRIBUTION_LIST))
    page = await reading.list_attributions(conn, within, **paging)
    people = [each.patient_id for each in page.items]
    await access.note(conn, seat, UseCase.ATTRIBUTION_LIST, STANDING, people)
    return page


async def list_letters(conn: "Connection", seat: Seat, attribution_id: str) -> tuple[LetterView, ...]:
    """Return what is known of an attribution's letters, not what they say.

    Raises:
        RefusedByRuleError: it is not for the actor.
        NotFoundError: there is no such attribution.
    """
    patient_id = await _check_attribution(conn, seat, UseCase.LETTER_SHOW, attribution_id)
    letters = await reading.list_letters(conn, attribution_id)
    await access.note(conn, seat, UseCase.LETTER_SHOW, (Shown.STANDING,), [patient_id])
    return letters


async def letter_pdf(
    conn: "Connection", seat: Seat, attribution_id: str, letter_id: str | None = None
) -> bytes:
    """Return a letter of an attribution as PDF, the last one unless one is named.

    Raises:
        RefusedByRuleError: it is not for the actor.
        NotFoundError: there is no such attribution, or it has no such letter.
    """
    from gamf.activities.letters import letter_content  # noqa: PLC0415 - a renderer is loaded when one is asked for
    from gamf.letters.render import LetterRenderer  # noqa: PLC0415 - the same

    patient_id = await _check_attribution(conn, seat, UseCase.LETTER_SHOW, attribution_id)
    letters = await reading.list_letters(conn, attribution_id)
    found = [each.letter_id for each in letters if letter_id in {None, each.letter_id}]
    if not found:
        raise NotFoundError(
            fr="Cette attribution n’a pas cette lettre ; une lettre naît de l’acceptation.",
            en="This attribution has no such letter; a letter comes with the acceptance.",
        )
    await access.note(conn, seat, UseCase.LETTER_SHOW, _ON_PAPER, [patient_id])
    return LetterRenderer().render(await letter_content(conn, found[-1]))


# --- blocks -----------------------------------------------------------------------------------------------


async def show_block(desk: "Desk", seat: Seat, block_id: str) -> "View":
    """Give the block's view, with its list.

    Raises:
        RefusedByRuleError: it is not for the actor.
        NotFoundError: there is no such block.
        ServiceUnreachable: a service is silent.
    """
    check_allowed(seat.actor, UseCase.BLOCK_SHOW)
    async with desk.pool.acquire() as conn:
        known = await access.of_block(conn, block_id)
        if known is not None:
            await access.check(conn, seat, UseCase.BLOCK_SHOW, known.matter)
    # One that is not in the database may be being drawn: only whoever sees everything may ask Temporal for it.
    if known is None and not scope_of(seat.actor, UseCase.BLOCK_SHOW).everything:
        raise NotFoundError(fr=f"Le bloc {block_id} n’existe pas.", en=f"There is no block {block_id}.")
    view = await acting.show_block(desk, block_id)
    await note_block(desk, seat, view)
    return view


async def note_block(desk: "Desk", seat: Seat, view: "View") -> None:
    """Write in the log that the people of a block's view are shown."""
    people = [each["patient_id"] for each in view["list"]]
    async with desk.pool.acquire() as conn:
        await access.note(conn, seat, UseCase.BLOCK_SHOW, STANDING, people)


async def list_blocks(
    conn: "Connection", seat: Seat, only: BlockFilter, **paging: Unpack[Paging]
) -> Page[BlockView]:
    """Return the actor's blocks, each with its list, the latest first or in another order.

    Raises:
        RefusedByRuleError: it is not for the actor.
    """
    within = only._replace(scope=_scope(seat, UseCase.BLOCK_LIST))
    page = await reading.list_blocks(conn, within, **paging)
    people = [each.patient_id for block in page.items for each in block.list]
    await access.note(conn, seat, UseCase.BLOCK_LIST, STANDING, people)
    return page


async def summarize_blocks(
    conn: "Connection", seat: Seat, only: BlockFilter, **paging: Unpack[Paging]
) -> Page[BlockSummary]:
    """Return the actor's blocks as `list_blocks` does, without their lists: counts, which are no look at anybody.

    Raises:
        RefusedByRuleError: it is not for the actor.
    """
    within = only._replace(scope=_scope(seat, UseCase.BLOCK_LIST))
    return await reading.summarize_blocks(conn, within, **paging)


# --- tasks, physicians ------------------------------------------------------------------------------------


async def my_tasks(conn: "Connection", seat: Seat, **paging: Unpack[Paging]) -> Page[TaskView]:
    """Return the actor's open tasks, the most urgent first or in another order, after the page that gave `after`.

    A task says what waits for a decision about somebody, named by reference: a page of them is a look at them.

    Raises:
        RefusedByRuleError: it is not for the actor.
    """
    check_allowed(seat.actor, UseCase.TASK_LIST)
    scopes = task_scopes(seat.actor)
    page = await reading.list_tasks_within(conn, scopes, **paging)
    await note_tasks(conn, seat, page.items)
    return page


async def show_physician(conn: "Connection", seat: Seat, licence: str) -> DepartingView:
    """Return a physician, with how many attributions are in each state, and their departures.

    Raises:
        RefusedByRuleError: it is not for the actor.
        NotFoundError: no physician has that licence.
    """
    check_allowed(seat.actor, UseCase.PHYSICIAN_SHOW)
    view = await departing.show_physician(conn, licence)
    check_allowed(seat.actor, UseCase.PHYSICIAN_SHOW, Matter.of(view.rls, view.licence))
    return view


def sees(seat: Seat, *use_cases: UseCase) -> Sequence[UseCase]:
    """Return which of these the actor may do at all: what a menu shows."""
    return [each for each in use_cases if not scope_of(seat.actor, each).is_empty()]


async def list_physicians(
    conn: "Connection", seat: Seat, only: PhysicianFilter, **paging: Unpack[Paging]
) -> Page[PhysicianView]:
    """Return the actor's physicians, by licence or in another order, after the page that gave `after`.

    Raises:
        RefusedByRuleError: it is not for the actor.
    """
    within = only._replace(scope=_scope(seat, UseCase.PHYSICIAN_LIST))
    return await reading.list_physicians(conn, within, **paging)


async def list_rls(conn: "Connection", seat: Seat) -> Sequence[str]:
    """Return the RLS that there are.

    Raises:
        RefusedByRuleError: it is not for the actor.
    """
    check_allowed(seat.actor, UseCase.NETWORK_LIST)
    return [each.rls for each in await reading.list_networks(conn)]


# --- the whole --------------------------------------------------------------------------------------------


async def read_indicators(
    conn: "Connection", seat: Seat, rls: Sequence[str], first: date | None, last: date | None
) -> "tuple[Published, ...]":
    """Return the indicators of these RLS, else of all of the actor's; counts, which name nobody.

    Raises:
        RefusedByRuleError: it is not for the actor, or not of one of these RLS.
        NotFoundError: there is no such RLS.
    """
    scope = _scope(seat, UseCase.INDICATORS_SHOW)
    for each in rls:
        check_allowed(seat.actor, UseCase.INDICATORS_SHOW, Matter.of(rls=each))
    chosen = rls or ([] if scope.everything else sorted(scope.rls))
    return await stats.indicators_of(conn, chosen, first, last, seat.now)


async def list_ramq_files(conn: "Connection", seat: Seat, **paging: Unpack[Paging]) -> Page[RamqFileView]:
    """Return the files of confirmed names of the actor's RLS, the latest first; how many names, not whose.

    Raises:
        RefusedByRuleError: it is not for the actor.
    """
    return await ramq.list_files(conn, _scope(seat, UseCase.RAMQ_LISTS_SHOW), **paging)


async def list_outbox(
    conn: "Connection", seat: Seat, state: str | None, **paging: Unpack[Paging]
) -> Page[LetterView]:
    """Return the letters, the latest first, in that state or in all: what is known of them, not what they say.

    Raises:
        RefusedByRuleError: it is not for the actor.
    """
    check_allowed(seat.actor, UseCase.OUTBOX_SHOW)
    page, people = await reading.list_outbox(conn, state, **paging)
    await access.note(conn, seat, UseCase.OUTBOX_SHOW, (Shown.STANDING,), people)
    return page


# --- what they share --------------------------------------------------------------------------------------


def _scope(seat: Seat, use_case: UseCase) -> Scope:
    """Return within what the actor may do that; whoever may do it nowhere is refused."""
    check_allowed(seat.actor, use_case)
    return scope_of(seat.actor, use_case)
