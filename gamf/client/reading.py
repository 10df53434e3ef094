"""What is read out, as pydantic models whose JSON is that of contract.md; no patient's name or NAM is in it.

The words that a person reads are left to whoever shows them, but for what a task asks its owner to decide.
"""

from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final, Generic, TypedDict, TypeVar, Unpack

from pydantic import BaseModel, ConfigDict

from gamf.client.drawing import BlockProfileView, block_profile
from gamf.client.errors import NotFoundError
from gamf.domain.effects import TaskKind
from gamf.domain.facts import FACTS
from gamf.domain.identifiers import looks_like_nam, normal_nam
from gamf.domain.orders import USUAL, Listing, Order
from gamf.domain.register import waiting_days
from gamf.domain.roles import TaskScope
from gamf.domain.states import DeadlineName
from gamf.storage import lists
from gamf.storage.connection import Connection
from gamf.storage.lists import (
    Asked,
    AttributionFilter,
    BlockFilter,
    PhysicianFilter,
    RegisterFilter,
    Rows,
    TaskFilter,
)

Item = TypeVar("Item")

EVERYBODY: Final = RegisterFilter()
_LINE: Final = "line"
PAGE: Final = 50
"""How many a page shows unless more are asked for."""


class Paging(TypedDict, total=False):
    """Which page of a list: what every list takes by keyword, and hands on."""

    order: Order | None
    """Another order than the usual one."""
    after: str | None
    """What the page before gave as its `after`."""
    limit: int
    """How many it shows, else `PAGE`."""


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
    time_zone: str
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
    left_on: date | None
    left_cause: str | None
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
    waiting_days: int | None
    """Civil days since the initial date, for who has no family doctor yet."""
    position: int | None
    """The place in the line of the RLS, from 1, for who waits; told in the order of the line only."""


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
    coordinator_email: str | None = None


class MemberView(_View):
    """One patient of a block's list, and why: the first so many of a group, by priority and initial date (R4, A18)."""

    patient_id: str
    attribution_id: str | None
    state: str
    priority: str
    vulnerable: bool
    replaces: str | None
    registered_on: date
    ages: str | None
    rank: int | None


class BlockSummary(_View):
    """A block without its list: how many of the list are in each state."""

    block_id: str
    state: str
    physician: str
    rls: str
    size: int
    requested_by: str
    requested_at: datetime
    attributed_at: datetime | None
    deadline: datetime | None
    ended_at: datetime | None
    reason: str | None
    counts: dict[str, int]
    policy: str


class BlockView(BlockSummary):
    """A block as the database has it, with the keys of contract.md."""

    profile: BlockProfileView | None
    list: tuple[MemberView, ...]
    refused_facts: tuple[RefusedView, ...]
    refused_count: int


class TaskView(_View):
    """A task: what is to be decided, until when, and the commands that decide it; open unless it has `closed_at`."""

    task_id: int
    attribution_id: str | None
    block_id: str | None
    patient_id: str | None
    kind: str
    owner: str
    due: datetime
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    physician: str | None
    rls: str
    time_zone: str
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
    rows = await lists.attributions_of_patient(conn, patient_id)
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
    conn: Connection, only: RegisterFilter = EVERYBODY, *, as_of: date, **paging: Unpack[Paging]
) -> Page[RegisterEntry]:
    """Return patients, in the order of the list (A18) unless another is asked for, after the page that gave `after`.

    Waiting times are in civil days as of that date; the place in the line is the one of now.
    """
    last, _, written = (paging.get("after") or "").partition(":")
    reached = int(written) if written.isdecimal() else 0
    asked = _asked(Listing.REGISTER, {**paging, "after": last or None})
    rows, after = _cut(await lists.register(conn, only, asked), asked)
    if asked.order.by != _LINE:
        return Page(items=tuple(_entry(row, as_of, None) for row in rows), after=after)
    step = -1 if asked.order.backwards else 1
    before = {only.rls: reached} if only.rls and reached else await _before(conn, rows, step)
    entries = _in_line(rows, before, as_of, step)
    positions = [entry.position for entry in entries if entry.position is not None]
    if after and only.rls and (positions or reached):
        # Within one RLS the next page counts on from here, however long the line.
        after = f"{after}:{positions[-1] if positions else reached}"
    return Page(items=entries, after=after)


async def _before(conn: Connection, rows: Rows, step: int) -> dict[str, int]:
    """Return the place of whoever stands, that way, one step before the first of each RLS who waits."""
    before = await lists.waiting_before(conn, _first_waiting(rows), from_the_end=step < 0)
    return {rls: number if step > 0 else number + 2 for rls, number in before.items()}


def _first_waiting(rows: Rows) -> Rows:
    """Return the first of each RLS who waits."""
    firsts: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["place"] == "waiting":
            firsts.setdefault(row["rls"], row)
    return list(firsts.values())


def _in_line(rows: Rows, before: dict[str, int], as_of: date, step: int) -> tuple[RegisterEntry, ...]:
    """Give each row its waiting time and its place: those of one RLS who wait follow each other on a page."""
    counted = Counter(before)
    entries: list[RegisterEntry] = []
    for row in rows:
        waits = row["place"] == "waiting"
        counted[row["rls"]] += step * waits
        entries.append(_entry(row, as_of, counted[row["rls"]] if waits else None))
    return tuple(entries)


def _entry(row: dict[str, Any], as_of: date, position: int | None) -> RegisterEntry:
    days = waiting_days(row["place"], row["registered_on"], as_of)
    return RegisterEntry(**row, waiting_days=days, position=position)


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


async def list_physicians(
    conn: Connection, only: PhysicianFilter, **paging: Unpack[Paging]
) -> Page[PhysicianView]:
    """Return the physicians, by licence unless another order is asked for, after the page that gave `after`."""
    asked = _asked(Listing.PHYSICIANS, paging)
    rows, after = _cut(await lists.physicians(conn, only, asked), asked)
    return Page(items=_views(PhysicianView, rows), after=after)


async def list_networks(conn: Connection) -> tuple[NetworkView, ...]:
    """Return every local network (RLS)."""
    return _views(NetworkView, await lists.networks(conn))


# --- attributions -----------------------------------------------------------------------------------------


async def list_attributions(
    conn: Connection, only: AttributionFilter, **paging: Unpack[Paging]
) -> Page[AttributionView]:
    """Return attributions after the page that gave `after`.

    Unless another order is asked for: by deadline when a deadline is, else by reference.
    """
    usual = Order("deadline") if only.due_before else None
    asked = _asked(Listing.ATTRIBUTIONS, {**paging, "order": paging.get("order") or usual})
    rows, after = _cut(await lists.attributions(conn, only, asked), asked)
    return Page(items=await _attribution_views(conn, rows), after=after)


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


async def stored_attributions(conn: Connection, ids: Sequence[str]) -> tuple[AttributionView, ...]:
    """Return these attributions as the database has them, in the order of their references."""
    return await _attribution_views(conn, await lists.attributions_named(conn, ids))


async def list_letters(conn: Connection, attribution_id: str) -> tuple[LetterView, ...]:
    """Return an attribution's letters, in the order in which they became due.

    Raises:
        NotFoundError: there is no such attribution.
    """
    await show_stored_attribution(conn, attribution_id)
    return _views(LetterView, await lists.letters_of_attribution(conn, attribution_id))


async def list_outbox(
    conn: Connection, state: str | None, **paging: Unpack[Paging]
) -> tuple[Page[LetterView], list[str]]:
    """Return the letters, the latest first unless another order is asked for, and the patients they are to."""
    asked = _asked(Listing.LETTERS, paging)
    rows, after = _cut(await lists.outbox(conn, state, asked), asked)
    people = [str(row["patient_id"]) for row in rows]
    return Page(items=_views(LetterView, rows), after=after), people


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


async def list_blocks(conn: Connection, only: BlockFilter, **paging: Unpack[Paging]) -> Page[BlockView]:
    """Return blocks, each with its list, the latest first unless another order is asked for."""
    asked = _asked(Listing.BLOCKS, paging)
    rows, after = _cut(await lists.blocks(conn, only, asked), asked)
    return Page(items=await _block_views(conn, rows), after=after)


async def summarize_blocks(
    conn: Connection, only: BlockFilter, **paging: Unpack[Paging]
) -> Page[BlockSummary]:
    """Return blocks without their lists, in the same order."""
    asked = _asked(Listing.BLOCKS, paging)
    rows, after = _cut(await lists.blocks(conn, only, asked), asked)
    counts: dict[str, dict[str, int]] = {row["block_id"]: {} for row in rows}
    for row in await lists.counted(conn, list(counts)):
        counts[row["block_id"]][row["state"]] = row["number"]
    return Page(items=tuple(BlockSummary(**row, counts=counts[row["block_id"]]) for row in rows), after=after)


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
    profile = block_profile(records)
    return BlockView(**row, **_refused(records), counts=counts, profile=profile, list=tuple(members))


async def _records(conn: Connection, subject: str, ids: Sequence[str]) -> dict[str, Rows]:
    records: dict[str, Rows] = {}
    for record in await lists.history(conn, subject, ids):
        records.setdefault(record["subject_id"], []).append(record)
    return records


# --- tasks ------------------------------------------------------------------------------------------------

EVERY_TASK: Final = TaskFilter()
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
        (
            "gamf register left {concerned} --on AAAA-MM-JJ --cause …",
            "gamf register enrolled {concerned} --physician … --on AAAA-MM-JJ --basis …",
            _SHOW,
            _DONE,
        ),
    ),
    TaskKind.SV_TO_ENTER: (
        "Inscrire le patient sans visite (SV) avant la fin des 14 jours (R8).",
        "Enrol the patient without a visit (SV) before the end of the 14 days (R8).",
        ("gamf attribution record {attribution_id} sv_entered",),
    ),
    TaskKind.MF_TERM_NEAR: (
        "Tenir la première visite et transmettre le formulaire 4096 signé avant le terme (R14).",
        "Hold the first visit and send form 4096 signed before the term (R14).",
        ("gamf attribution record {attribution_id} mf_signed signed_on=AAAA-MM-JJ",),
    ),
    TaskKind.NO_REPLACEMENT: (
        "Personne de même priorité ne peut remplacer ce patient ; aviser le médecin que sa liste raccourcit (A17).",
        "Nobody of the same priority can replace this patient; tell the physician that the list is shorter (A17).",
        (_SHOW, "gamf register list --rls {rls} --place waiting", _DONE),
    ),
    TaskKind.DIFFERENCE: (
        "La base et le flux de travail diffèrent, et aucune règle ne tranche ; voir les deux, puis comparer encore.",
        "The database and the workflow differ, and no rule decides; look at both, then compare again.",
        (_SHOW, "gamf reconcile", _DONE),
    ),
}
"""For each kind of task, what is to be decided, in French and in English, and the commands that decide it."""


async def list_tasks(
    conn: Connection, only: TaskFilter = EVERY_TASK, **paging: Unpack[Paging]
) -> Page[TaskView]:
    """Return the open tasks, the most urgent first unless another order is asked for."""
    asked = _asked(Listing.TASKS, paging)
    return _task_page(await lists.open_tasks(conn, only, asked), asked)


async def list_tasks_within(
    conn: Connection, scopes: Iterable[TaskScope], **paging: Unpack[Paging]
) -> Page[TaskView]:
    """Return the open tasks of these owners, each within its scope, in the same order."""
    asked = _asked(Listing.TASKS, paging)
    return _task_page(await lists.tasks_within(conn, scopes, asked), asked)


def _task_page(rows: Rows, asked: Asked) -> Page[TaskView]:
    rows, after = _cut(rows, asked)
    return Page(items=tuple(_task_view(row) for row in rows), after=after)


async def show_task(conn: Connection, task_id: int) -> TaskView:
    """Return a task, open or closed.

    Raises:
        NotFoundError: there is no such task.
    """
    found = await lists.task(conn, task_id)
    if found is None:
        raise NotFoundError(fr=f"Il n'y a pas de tâche {task_id}.", en=f"There is no task {task_id}.")
    return _task_view(found)


def _task_view(row: dict[str, Any]) -> TaskView:
    decide_fr, decide_en, commands = DECISIONS[TaskKind(row["kind"])]
    named = tuple(command.format(**row) for command in commands)
    return TaskView(**row, decide_fr=decide_fr, decide_en=decide_en, commands=named)


# --- what they share --------------------------------------------------------------------------------------

View = TypeVar("View", bound=BaseModel)


def _views(model: type[View], rows: Rows) -> tuple[View, ...]:
    return tuple(model.model_validate(row) for row in rows)


def _asked(listing: Listing, paging: Paging) -> Asked:
    """Ask for one more than a page shows, which tells whether there is a next one."""
    order = paging.get("order") or USUAL[listing]
    return Asked(order, paging.get("after"), paging.get("limit", PAGE) + 1)


def _cut(rows: Rows, asked: Asked) -> tuple[Rows, str | None]:
    """Return the rows that the page shows, without the one more, and where the next page begins."""
    limit = asked.limit - 1
    return rows[:limit], rows[limit - 1]["cursor"] if len(rows) > limit else None
