"""Taking in the attributions made outside this system, all or nothing, then starting their workflows (R1, R11).

The rules say of each line whether it may be taken in and what it becomes; one transaction writes them all. A start that
fails is made good by the same command, since only what no workflow has moved is started.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from pydantic import Field

from gamf.client import asking
from gamf.client.acting import Desk
from gamf.client.asking import ClosedError
from gamf.client.files import RETRO, Finding, Source, Surroundings, write_faulty
from gamf.client.importing import Findings, Import, ImportReport, Phase, Progress, disagreement
from gamf.client.pacing import Pace, for_each
from gamf.domain import calendar, retro
from gamf.domain.identifiers import attribution_reference
from gamf.domain.model import IN_FORCE, Start
from gamf.domain.names import attribution_workflow_id
from gamf.domain.policy import CURRENT
from gamf.domain.refusal import Reason, RefusedByRuleError
from gamf.domain.retro import Adopted, DatedWindow, Declared
from gamf.runtime.errors import ServiceUnreachable
from gamf.storage import imports, numbers
from gamf.storage import retro as rows
from gamf.storage.imports import Written
from gamf.storage.retro import Office, Person, Stamp, Unstarted
from gamf.workflows.starting import AttributionStarter

if TYPE_CHECKING:
    from gamf.storage.connection import Connection

_ANY_ZONE: Final = "America/Toronto"
"""Whose clock a line of an unknown physician is read by: it is faulty anyhow."""


class RetroReport(ImportReport):
    """What became of a file of the cohort: the attributions taken in by state, and the workflows started."""

    states: dict[str, int] = Field(default_factory=dict)
    started: int = 0


class _Entry(NamedTuple):
    """One line."""

    line: int
    nam: str
    physician: str
    declared: Declared


@dataclass
class _Cohort:
    """A file as it is being taken in, and what its lines are judged by."""

    findings: Findings = field(default_factory=Findings)
    entries: list[_Entry] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    offices: dict[str, Office] = field(default_factory=dict)
    new: list[_Entry] = field(default_factory=list)

    @property
    def nams(self) -> list[str]:
        """Return the NAM of every line that could be read."""
        return [entry.nam for entry in self.entries]

    def today(self, physician: str, now: datetime) -> date:
        """Return the date on the clock of the physician's RLS (A23)."""
        office = self.offices.get(physician)
        return calendar.local_date(now, office.time_zone if office else _ANY_ZONE)


async def import_cohort(
    desk: Desk, what: Import, dated: DatedWindow | None, pace: Pace, progress: Progress | None = None
) -> RetroReport:
    """Take in the cohort's attributions (R11), and start the workflow of each that is under way.

    `dated` is the window of those who have neither SV nor MF, when R11's own is over (A6).

    Raises:
        FileRefusedError: the file as a whole cannot be read as one of the cohort.
        RefusedByRuleError: that window is not one that A6 allows; nothing is taken.
        ServiceUnreachable: a service is silent; what is taken in stands, and the same command starts the rest.
    """
    source = Source(what.source, RETRO)
    cohort = _Cohort()
    adopted: list[Adopted] | None = None
    faulty_file = None
    async with desk.pool.acquire() as conn, conn.transaction():
        _read(source, cohort, Surroundings.at(what.at, await imports.zones(conn)), progress)
        await _judge(conn, cohort, what.at)
        if cohort.findings.faults and what.faulty_to is not None:
            write_faulty(source, cohort.findings.by_line(), what.faulty_to)
            faulty_file = what.faulty_to
        if faulty_file is not None or not cohort.findings.faults:
            adopted = await _write(conn, cohort, dated, what)
    if adopted is None:
        return RetroReport(**dict(cohort.findings.report("retro", None, None)))
    report = cohort.findings.report("retro", Written(len(adopted), 0), faulty_file)
    states = Counter(str(each.attribution.state) for each in adopted)
    return RetroReport(
        **dict(report), states=states, started=await _start(desk, cohort, adopted, pace, progress)
    )


# --- reading --------------------------------------------------------------------------------------------------------


def _read(source: Source, cohort: _Cohort, around: Surroundings, progress: Progress | None) -> None:
    told = None if progress is None else partial(progress, Phase.READING)
    for line in source.lines(around, told):
        cohort.findings.note(line)
        if line.values is not None:
            cohort.entries.append(_entry(line.number, line.values))
    cohort.entries = list(_without_repeats(cohort))


def _entry(number: int, values: Sequence[str]) -> _Entry:
    nam, physician, attributed_on, vulnerable, sv_start, signed, effective = values
    declared = Declared(
        attributed_on=date.fromisoformat(attributed_on),
        vulnerable=vulnerable == "true" if vulnerable else None,
        sv_start=_day(sv_start),
        mf_signed_on=_day(signed),
        mf_effective_on=_day(effective),
    )
    return _Entry(number, nam, physician, declared)


def _day(value: str) -> date | None:
    return date.fromisoformat(value) if value else None


def _without_repeats(cohort: _Cohort) -> Iterable[_Entry]:
    """Give each patient's line once, or not at all when two disagree."""
    lines: dict[str, list[_Entry]] = {}
    for entry in cohort.entries:
        lines.setdefault(entry.nam, []).append(entry)
    for first, *others in lines.values():
        if all(other[2:] == first[2:] for other in others):
            yield first
        else:
            cohort.findings.faults += disagreement("nam", first.line, [other.line for other in others])


# --- judging --------------------------------------------------------------------------------------------------------


async def _judge(conn: "Connection", cohort: _Cohort, now: datetime) -> None:
    """Ask the rules about every line; those that may be taken in and are not yet are `new`."""
    await rows.hold(conn, cohort.nams)
    cohort.people = await rows.people(conn, cohort.nams)
    cohort.offices = await rows.offices(conn, list({entry.physician for entry in cohort.entries}))
    for entry in cohort.entries:
        person = cohort.people.get(entry.nam)
        try:
            if person is not None and _taken_before(entry, person):
                continue
            reasons = _against(cohort, entry, person, cohort.today(entry.physician, now))
        except RefusedByRuleError as refused:
            reasons = (refused.reason,)
        cohort.findings.faults += [_fault(entry.line, reason) for reason in reasons]
        if not reasons:
            cohort.new.append(entry)
            cohort.findings.cautions += _other_rls(cohort, entry)


def _taken_before(entry: _Entry, person: Person) -> bool:
    same = [each.argument for each in person.adopted if each.physician == entry.physician]
    return retro.taken_before(entry.declared, same)


def _against(cohort: _Cohort, entry: _Entry, person: Person | None, today: date) -> tuple[Reason, ...]:
    office = cohort.offices.get(entry.physician)
    holder = None
    if person is not None:
        holder = person.holder.model_copy(update={"refused": entry.physician in person.refused})
    return retro.check(entry.declared, holder, office.applicant if office else None, CURRENT, today)


def _fault(line: int, reason: Reason) -> Finding:
    return Finding(line, reason.field, f"[{reason.rule}] {reason.fr}", f"[{reason.rule}] {reason.en}")


def _other_rls(cohort: _Cohort, entry: _Entry) -> Iterable[Finding]:
    if cohort.people[entry.nam].rls != cohort.offices[entry.physician].applicant.rls:
        yield Finding(
            entry.line,
            "physician",
            "Le patient est inscrit dans un autre RLS que celui du médecin, qui est celui de l'attribution.",
            "The patient is registered in another RLS than the physician's, which is that of the attribution.",
        )


# --- writing, starting ----------------------------------------------------------------------------------------------


async def _write(
    conn: "Connection", cohort: _Cohort, dated: DatedWindow | None, what: Import
) -> list[Adopted]:
    """Write every new attribution as the rules adopt it, each under the next number of the year."""
    if not cohort.new:
        return []
    # Every day of the cohort is of that one year.
    year = IN_FORCE.year
    taken = await numbers.next_numbers(conn, "attribution", year, len(cohort.new))
    starts = [
        _begun(cohort, entry, attribution_reference(year, n))
        for entry, n in zip(cohort.new, taken, strict=True)
    ]
    asked = [None if entry.declared.enrolled else dated for entry in cohort.new]
    adopted = [
        retro.adopt(start, entry.declared, window, what.at)
        for start, entry, window in zip(starts, cohort.new, asked, strict=True)
    ]
    kept = [retro.argument(entry.declared, window) for entry, window in zip(cohort.new, asked, strict=True)]
    await rows.write(conn, adopted, kept, Stamp(what.at, what.by))
    return adopted


def _begun(cohort: _Cohort, entry: _Entry, attribution_id: str) -> Start:
    holder, office = cohort.people[entry.nam].holder, cohort.offices[entry.physician]
    declared = entry.declared
    return Start(
        attribution_id=attribution_id,
        patient_id=holder.patient_id,
        physician=entry.physician,
        rls=office.applicant.rls,
        time_zone=office.time_zone,
        priority=holder.priority,
        vulnerable=holder.vulnerable if declared.vulnerable is None else declared.vulnerable,
        attributed_at=retro.attributed_at(declared, office.time_zone),
        policy=CURRENT,
    )


async def _start(
    desk: Desk, cohort: _Cohort, adopted: Sequence[Adopted], pace: Pace, progress: Progress | None
) -> int:
    """Start the workflow of each that no workflow has moved, those of an earlier try included; return how many."""
    async with desk.pool.acquire() as conn:
        waiting = await rows.unstarted(conn, cohort.nams, CURRENT)
    fresh = {each.attribution.start.attribution_id for each in adopted}
    starter = AttributionStarter(desk.temporal)
    seen, started = 0, 0

    async def start(one: Unstarted) -> None:
        nonlocal seen, started
        attribution_id = one.start.attribution_id
        if attribution_id in fresh or not await _is_there(desk, attribution_id):
            async with asking.answering(desk.temporal):
                await starter.resume(retro.adopt_again(one.start, one.argument, one.at), letters=one.letters)
            started += 1
        seen += 1
        if progress is not None:
            progress(Phase.WRITING, seen, len(waiting))

    try:
        await for_each(waiting, start, pace)
    except ServiceUnreachable as silent:
        raise _left_to_start(silent, len(waiting) - seen) from silent
    return started


async def _is_there(desk: Desk, attribution_id: str) -> bool:
    handle = desk.temporal.get_workflow_handle(attribution_workflow_id(attribution_id))
    try:
        async with asking.answering(desk.temporal):
            await handle.describe(rpc_timeout=asking.PATIENCE)
    except ClosedError:
        return False
    return True


def _left_to_start(silent: ServiceUnreachable, left: int) -> ServiceUnreachable:
    return ServiceUnreachable(
        silent.service,
        fr=f"tout est pris, mais {left} attribution(s) n’ont pas encore leur flux de travail. "
        "Redonnez la même commande\u00a0: elle ne fera que les démarrer.",
        en=f"everything is taken in, but {left} attribution(s) have no workflow yet. "
        "Give the same command again: it will only start them.",
    )
