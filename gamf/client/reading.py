"""What is read out, as pydantic models whose JSON is that of contract.md; no patient's name or NAM is in it.

The words that a person reads are left to whoever shows them, but for what a task asks its owner to decide.
"""

from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from datetime import date, datetime
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from gamf.client.errors import NotFoundError
from gamf.domain.effects import TaskKind
from gamf.domain.facts import FACTS
from gamf.domain.identifiers import looks_like_nam, normal_nam
from gamf.domain.states import DeadlineName
from gamf.storage import lists
from gamf.storage.connection import Connection
from gamf.storage.lists import AttributionFilter, BlockFilter, RegisterFilter, Rows

Item = TypeVar("Item")

PAGE: Final = 50
"""How many a page shows unless more are asked for."""


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class Page(_View, Generic[Item]):
    """One page of a list; `after` asks for the next one, and is None on the last."""

    items: tuple[Item, ...]
    after: str | None


class EnrolmentView(_View):
    """An enrolment of a patient; `end` is the last day included, and None while it runs."""

    category: str
    physician: str
    start: date
    end: date | None
    voided: bool
    attribution_id: str | None
    basis: str | None


class LetterView(_View):
    """A letter, by what is known of it: not what it says, nor to whom."""

    letter_id: str
    attribution_id: str
    kind: str
    standing: str | None
    dated: date
    state: str
    language: str | None
    queued_at: datetime
    sent_at: datetime | None
    sha256: str | None


class PeriodView(_View):
    """An attribution's own enrolment; `end` is the last day included."""

    start: date
    end: date | None
    voided: bool


class EntryView(_View):
    """A fact that was taken, or a deadline that passed."""

    fact: str
    at: datetime
    policy: str | None
    state: str | None
    by: str | None
    argument: dict[str, Any]


class RefusedView(_View):
    """A fact that the rules refused, as it was sent."""

    fact: str
    at: datetime
    argument: Any
    rule: str
    reason: str


class AttributionView(_View):
    """An attribution as the database has it, with the keys of contract.md."""

    attribution_id: str
    patient_id: str
    block_id: str | None
    priority: str
    vulnerable: bool
    state: str
    physician: str
    rls: str
    deadline: datetime | None
    waiting_for: str | None
    history: tuple[EntryView, ...]
    refused_facts: tuple[RefusedView, ...]
    refused_count: int
    passed: tuple[EntryView, ...]
    sv: PeriodView | None
    mf: PeriodView | None
    attributed_at: datetime
    ended_on: date | None
    policy: str


class PatientView(_View):
    """Where a patient is, and by which way (contract.md, `gamf register show`)."""

    patient_id: str
    place: str
    registered_on: date
    rls: str
    priority: str
    vulnerable: bool
    attributions: tuple[AttributionView, ...]
    enrolments: tuple[EnrolmentView, ...]
    letters: tuple[LetterView, ...]


class RegisterEntry(_View):
    """One line of the list, in the order of A18."""

    patient_id: str
    number: int
    rls: str
    place: str
    priority: str
    registered_on: date
    vulnerable: bool


class PhysicianView(_View):
    """A physician, with the number of attributions under way."""

    licence: str
    last_name: str
    first_name: str
    rls: str
    status: str
    place: str
    address: str
    city: str
    postal_code: str
    email: str | None
    leaves_on: date | None
    leaves_cause: str | None
    under_way: int


class NetworkView(_View):
    """A local network (RLS)."""

    rls: str
    name: str
    region: str
    time_zone: str
    gaco_name: str
    gaco_phone: str
    coordinator: str


class MemberView(_View):
    """One patient of a block's list."""

    patient_id: str
    attribution_id: str | None
    state: str
    priority: str
    vulnerable: bool


class BlockView(_View):
    """A block as the database has it, with the keys of contract.md."""

    block_id: str
    state: str
    physician: str
    rls: str
    size: int
    requested_by: str
    requested_at: datetime
    attributed_at: datetime | None
    ended_at: datetime | None
    reason: str | None
    counts: dict[str, int]
    list: tuple[MemberView, ...]
    refused_facts: tuple[RefusedView, ...]
    refused_count: int
    policy: str


class TaskView(_View):
    """An open task: what is to be decided, until when, and the commands that decide it."""

    task_id: int
    attribution_id: str
    kind: str
    owner: str
    due: datetime | None
    opened_at: datetime
    physician: str
    rls: str
    decide_fr: str
    decide_en: str
    commands: tuple[str, ...]


# --- patients ---------------------------------------------------------------------------------------------


async def find_patient(conn: Connection, patient: str) -> str:
    """Return the opaque identifier of a patient named by it, or by a NAM.

    Raises:
        NotFoundError: nobody in the register is named so.
    """
    found = await _known_patient(conn, patient)
    return str(found["patient_id"])


async def show_patient(conn: Connection, patient: str) -> PatientView:
    """Return where a patient is, named by the opaque identifier or by a NAM.

    Raises:
        NotFoundError: nobody in the register is named so.
    """
    found = await _known_patient(conn, patient)
    patient_id = found["patient_id"]
    rows = await lists.attributions(conn, AttributionFilter(patient_id=patient_id), None, None)
    return PatientView(
        **found,
        attributions=await _attribution_views(conn, rows),
        enrolments=_views(EnrolmentView, await lists.enrolments_of(conn, patient_id)),
        letters=_views(LetterView, await lists.letters_of_patient(conn, patient_id)),
    )


async def _known_patient(conn: Connection, patient: str) -> dict[str, Any]:
    patient_id: str | None = patient.strip()
    if looks_like_nam(patient):
        patient_id = await lists.patient_of_nam(conn, normal_nam(patient))
    found = await lists.patient(conn, patient_id) if patient_id else None
    if found is None:
        raise NotFoundError(fr="Aucun patient n'est connu ainsi.", en="No patient is known so.")
    return found


async def list_register(
    conn: Connection,
    *,
    rls: str | None = None,
    place: str | None = None,
    after: str | None = None,
    limit: int = PAGE,
) -> Page[RegisterEntry]:
    """Return patients in the order of the list (A18), those after the patient `after`."""
    rows = await lists.register(conn, RegisterFilter(rls, place), after, limit + 1)
    return _page(_views(RegisterEntry, rows), limit, "patient_id")


async def export_register(
    conn: Connection,
    output: Callable[[bytes], Coroutine[Any, Any, None]],
    *,
    rls: str | None = None,
    place: str | None = None,
) -> int:
    """Write the register as the CSV that `gamf register import` takes; return how many patients it has.

    It holds everything about a person: `output` must lead where that may go.
    """
    return await lists.export(conn, RegisterFilter(rls, place), output)


# --- physicians and networks ------------------------------------------------------------------------------


async def show_physician(conn: Connection, licence: str) -> PhysicianView:
    """Return a physician.

    Raises:
        NotFoundError: no physician has that licence.
    """
    found = await lists.physician(conn, licence)
    if found is None:
        raise NotFoundError(fr="Aucun médecin n'a ce permis.", en="No physician has this licence.")
    return PhysicianView.model_validate(found)


async def list_networks(conn: Connection) -> tuple[NetworkView, ...]:
    """Return every local network (RLS)."""
    return _views(NetworkView, await lists.networks(conn))


# --- attributions -----------------------------------------------------------------------------------------


async def list_attributions(
    conn: Connection, only: AttributionFilter, *, after: str | None = None, limit: int = PAGE
) -> Page[AttributionView]:
    """Return attributions after that one: by deadline when a deadline is asked for, else by reference."""
    rows = await lists.attributions(conn, only, after, limit + 1)
    return _page(await _attribution_views(conn, rows), limit, "attribution_id")


async def show_stored_attribution(conn: Connection, attribution_id: str) -> AttributionView:
    """Return an attribution as the database has it.

    Raises:
        NotFoundError: there is no such attribution.
    """
    found = await lists.attribution(conn, attribution_id)
    if found is None:
        raise NotFoundError(
            fr=f"L'attribution {attribution_id} n'existe pas.",
            en=f"There is no attribution {attribution_id}.",
        )
    return (await _attribution_views(conn, [found]))[0]


async def stored_attribution(conn: Connection, attribution_id: str) -> dict[str, Any]:
    """Return an attribution as the database has it, as JSON.

    Raises:
        NotFoundError: there is no such attribution.
    """
    return (await show_stored_attribution(conn, attribution_id)).model_dump(mode="json")


async def list_letters(conn: Connection, attribution_id: str) -> tuple[LetterView, ...]:
    """Return an attribution's letters, in the order in which they became due.

    Raises:
        NotFoundError: there is no such attribution.
    """
    await show_stored_attribution(conn, attribution_id)
    return _views(LetterView, await lists.letters_of_attribution(conn, attribution_id))


async def _attribution_views(conn: Connection, rows: Rows) -> tuple[AttributionView, ...]:
    records = await _records(conn, "attribution", [row["attribution_id"] for row in rows])
    return tuple(_attribution_view(row, records.get(row["attribution_id"], [])) for row in rows)


def _attribution_view(row: dict[str, Any], records: Rows) -> AttributionView:
    history, passed = _what_happened(records)
    return AttributionView(
        **{name: row[name] for name in row.keys() & AttributionView.model_fields.keys()},
        **_refused(records),
        history=history,
        passed=passed,
        sv=_period(row, "sv"),
        mf=_period(row, "mf"),
    )


def _what_happened(records: Rows) -> tuple[tuple[EntryView, ...], tuple[EntryView, ...]]:
    """Part what was taken from what passed by itself: deadlines, and announced facts on their day."""
    history: list[EntryView] = []
    passed: list[EntryView] = []
    for record in records:
        if record["refused"] or record["event"] not in {*FACTS, *DeadlineName}:
            continue
        entry = EntryView(fact=record["event"], state=record["after"], **_common(record))
        known = any((entry.fact, entry.argument) == (other.fact, other.argument) for other in history)
        (history if entry.fact in FACTS and not known else passed).append(entry)
    return tuple(history), tuple(passed)


def _common(record: dict[str, Any]) -> dict[str, Any]:
    return {name: record[name] for name in ("at", "policy", "by", "argument")}


def _refused(records: Rows) -> dict[str, Any]:
    refused = [record for record in records if record["refused"]]
    facts = tuple(
        RefusedView(
            fact=record["event"],
            at=record["at"],
            argument=record["argument"],
            rule=next(iter(record["rules"]), "form"),
            reason=record["reason"] or "",
        )
        for record in refused
    )
    return {"refused_facts": facts, "refused_count": refused[0]["of"] if refused else 0}


def _period(row: dict[str, Any], category: str) -> PeriodView | None:
    if row[f"{category}_start"] is None:
        return None
    return PeriodView(
        start=row[f"{category}_start"], end=row[f"{category}_end"], voided=row[f"{category}_voided"]
    )


# --- blocks -----------------------------------------------------------------------------------------------


async def list_blocks(
    conn: Connection, only: BlockFilter, *, after: str | None = None, limit: int = PAGE
) -> Page[BlockView]:
    """Return blocks, each with its list, the latest first, those before that one."""
    rows = await lists.blocks(conn, only, after, limit + 1)
    return _page(await _block_views(conn, rows), limit, "block_id")


async def show_stored_block(conn: Connection, block_id: str) -> BlockView:
    """Return a block as the database has it.

    Raises:
        NotFoundError: there is no such block.
    """
    found = await lists.block(conn, block_id)
    if found is None:
        raise NotFoundError(fr=f"Le bloc {block_id} n'existe pas.", en=f"There is no block {block_id}.")
    return (await _block_views(conn, [found]))[0]


async def stored_block(conn: Connection, block_id: str) -> dict[str, Any]:
    """Return a block as the database has it, as JSON.

    Raises:
        NotFoundError: there is no such block.
    """
    return (await show_stored_block(conn, block_id)).model_dump(mode="json")


async def _block_views(conn: Connection, rows: Rows) -> tuple[BlockView, ...]:
    ids = [row["block_id"] for row in rows]
    records = await _records(conn, "block", ids)
    members: dict[str, list[MemberView]] = {}
    for row in await lists.members(conn, ids):
        members.setdefault(row["block_id"], []).append(MemberView.model_validate(row))
    return tuple(
        _block_view(row, members.get(row["block_id"], []), records.get(row["block_id"], [])) for row in rows
    )


def _block_view(row: dict[str, Any], members: Sequence[MemberView], records: Rows) -> BlockView:
    counts = dict(Counter(member.state for member in members))
    return BlockView(**row, **_refused(records), counts=counts, list=tuple(members))


async def _records(conn: Connection, subject: str, ids: Sequence[str]) -> dict[str, Rows]:
    records: dict[str, Rows] = {}
    for record in await lists.history(conn, subject, ids):
        records.setdefault(record["subject_id"], []).append(record)
    return records


# --- tasks ------------------------------------------------------------------------------------------------

_CANCEL: Final = "gamf attribution record {attribution_id} cancelled reason=…"
_DONE: Final = "gamf task done {task_id}"
_SHOW: Final = "gamf attribution show {attribution_id}"

DECISIONS: Final[dict[TaskKind, tuple[str, str, tuple[str, ...]]]] = {
    TaskKind.ANSWER_OVERDUE: (
        "Obtenir la réponse du médecin, ou annuler ; sans décision, l'attribution devient caduque (A2).",
        "Get the physician's answer, or cancel; without a decision the attribution lapses (A2).",
        (
            "gamf attribution record {attribution_id} accepted",
            "gamf attribution record {attribution_id} refused reason=…",
            _CANCEL,
        ),
    ),
    TaskKind.SV_OVERDUE: (
        "Rouvrir une fenêtre de 14 jours, ou annuler ; sans décision, l'attribution devient caduque (A6).",
        "Reopen a window of 14 days, or cancel; without a decision the attribution lapses (A6).",
        ("gamf attribution record {attribution_id} window_reopened opens_on=AAAA-MM-JJ reason=…", _CANCEL),
    ),
    TaskKind.DISCRIMINATORY_GROUND: (
        "Examiner le motif rapporté par le patient ; rien n'est décidé de soi-même (A7).",
        "Look into the ground that the patient gave; nothing is decided by itself (A7).",
        (_SHOW, _DONE),
    ),
    TaskKind.LETTER_NOT_SENT: (
        "Trouver pourquoi aucun transporteur n'a pris la lettre ; aviser le patient autrement au besoin.",
        "Find why no carrier took the letter, and tell the patient otherwise if need be.",
        ("gamf letter show {attribution_id}", _DONE),
    ),
    TaskKind.ANNOUNCED_FACT: (
        "Un départ ou une inscription était annoncé ; l'attribution est finie, décider de la suite.",
        "A departure or an enrolment was announced; the attribution has ended, decide what becomes of it.",
        (_SHOW, _DONE),
    ),
}
"""For each kind of task, what is to be decided, in French and in English, and the commands that decide it."""


async def list_tasks(
    conn: Connection, *, owner: str | None = None, after: str | None = None, limit: int = PAGE
) -> Page[TaskView]:
    """Return the open tasks, the most urgent first, those after that one."""
    rows = await lists.open_tasks(conn, owner, int(after) if after else None, limit + 1)
    return _page(tuple(_task_view(row) for row in rows), limit, "task_id")


def _task_view(row: dict[str, Any]) -> TaskView:
    decide_fr, decide_en, commands = DECISIONS[TaskKind(row["kind"])]
    named = tuple(command.format(**row) for command in commands)
    return TaskView(**row, decide_fr=decide_fr, decide_en=decide_en, commands=named)


# --- what they share --------------------------------------------------------------------------------------

View = TypeVar("View", bound=BaseModel)


def _views(model: type[View], rows: Rows) -> tuple[View, ...]:
    return tuple(model.model_validate(row) for row in rows)


def _page(items: tuple[View, ...], limit: int, key: str) -> Page[View]:
    """Make a page of what was found with one more than it shows."""
    shown = items[:limit]
    after = str(getattr(shown[-1], key)) if shown and len(items) > limit else None
    return Page(items=shown, after=after)
