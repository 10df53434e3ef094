"""Taking a file in, all or nothing: register, physicians, networks (contract.md, *Files taken in*)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from gamf.client.files import (
    NETWORKS,
    PHYSICIANS,
    REGISTER,
    FileKind,
    Finding,
    Line,
    Source,
    Surroundings,
    write_faulty,
)
from gamf.domain.policy import CURRENT
from gamf.storage import imports
from gamf.storage.connection import Connection
from gamf.storage.imports import Repeat, Row, Stamp, Target, Written

_LINES_WRITTEN_AT_ONCE: Final = 20_000


class Phase(StrEnum):
    """What an import is doing, with what its progress counts."""

    READING = "reading"
    """Bytes of the file."""
    WRITING = "writing"
    """Lines of the file."""


Progress = Callable[[Phase, int, int], None]
"""Told the phase, and how much of how much of it is done."""


class ImportReport(BaseModel):
    """What became of a file. The lines add up: added, changed, unchanged and faulty are all of them."""

    model_config = ConfigDict(frozen=True)

    kind: FileKind
    taken: bool
    """Whether anything may have been written; a faulty line prevents it unless faulty lines are skipped."""
    lines: int
    added: int
    changed: int
    unchanged: int
    faulty: int
    """Lines with a fault."""
    warnings: int
    """Lines with a warning, taken all the same."""
    faults: tuple[Finding, ...]
    cautions: tuple[Finding, ...]
    faulty_file: Path | None = None


@dataclass(frozen=True)
class Import:
    """What to take in: the file, when (an instant, which says what is in the future), by whom (an account).

    With `faulty_to`, faulty lines are written there and the others taken; else one faulty line stops it all.
    """

    source: Path
    at: datetime
    by: str
    faulty_to: Path | None = None


@dataclass
class Findings:
    """What is to say of a file's lines, as they are read."""

    lines: int = 0
    faults: list[Finding] = field(default_factory=list)
    cautions: list[Finding] = field(default_factory=list)

    def note(self, line: Line) -> None:
        """Count a line, and keep what is to say of it."""
        self.lines += 1
        self.faults += line.faults
        self.cautions += line.warnings

    def by_line(self) -> dict[int, list[Finding]]:
        """Return the faults of each faulty line."""
        lines: dict[int, list[Finding]] = {}
        for fault in self.faults:
            lines.setdefault(fault.line, []).append(fault)
        return lines

    def report(self, kind: FileKind, written: Written | None, faulty_file: Path | None) -> ImportReport:
        """Say what became of the file: with nothing written, it was not taken."""
        added, changed = written or (0, 0)
        faulty, warned = _count_lines(self.faults), _count_lines(self.cautions)
        return ImportReport(
            kind=kind,
            taken=written is not None,
            lines=self.lines,
            added=added,
            changed=changed,
            unchanged=self.lines - added - changed - faulty if written else 0,
            faulty=faulty,
            warnings=warned,
            faults=_in_order(self.faults),
            cautions=_in_order(self.cautions),
            faulty_file=faulty_file,
        )


async def import_register(conn: Connection, what: Import, progress: Progress | None = None) -> ImportReport:
    """Take patients onto the list; one who is there keeps the place, the number and the initial date (A18).

    Raises:
        FileRefusedError: the file as a whole cannot be read as a register.
    """
    return await _take(conn, Source(what.source, REGISTER), imports.PATIENTS, what, progress)


async def import_physicians(conn: Connection, what: Import, progress: Progress | None = None) -> ImportReport:
    """Take physicians in, known by their licence.

    Raises:
        FileRefusedError: the file as a whole cannot be read as one of physicians.
    """
    return await _take(conn, Source(what.source, PHYSICIANS), imports.PHYSICIANS, what, progress)


async def import_networks(conn: Connection, what: Import, progress: Progress | None = None) -> ImportReport:
    """Take local networks (RLS) in, known by their code.

    Raises:
        FileRefusedError: the file as a whole cannot be read as one of networks.
    """
    return await _take(conn, Source(what.source, NETWORKS), imports.NETWORKS, what, progress)


async def _take(
    conn: Connection, source: Source, target: Target, what: Import, progress: Progress | None
) -> ImportReport:
    findings = Findings()
    written, faulty_file = None, None
    async with conn.transaction():
        await imports.begin(conn, target)
        around = Surroundings.at(what.at, await imports.zones(conn))
        await imports.stage(conn, target, _good(source, around, findings, progress))
        await _look_across(conn, target, findings)
        if findings.faults and what.faulty_to is not None:
            write_faulty(source, findings.by_line(), what.faulty_to)
            faulty_file = what.faulty_to
        if faulty_file is not None or not findings.faults:
            written = await _write(conn, target, what, progress)
        await imports.end(conn, target, written or Written(0, 0))
    return findings.report(source.layout.kind, written, faulty_file)


def _good(
    source: Source, around: Surroundings, findings: Findings, progress: Progress | None
) -> Iterator[Row]:
    """Note what is to say of every line, and give the good ones."""
    told = None if progress is None else partial(progress, Phase.READING)
    for line in source.lines(around, told):
        findings.note(line)
        if line.values is not None:
            yield Row(line.number, line.values)


async def _look_across(conn: Connection, target: Target, findings: Findings) -> None:
    """Find what no line shows alone: the same key twice, and another initial date than the one kept."""
    groups: dict[int, list[Repeat]] = {}
    for repeat in await imports.repeats(conn, target):
        groups.setdefault(repeat.first_line, []).append(repeat)
    for first, others in groups.items():
        if not all(other.identical for other in others):
            findings.faults += disagreement(target.key, first, [other.line for other in others])
    if target is imports.PATIENTS:
        findings.cautions += map(_kept_date, await imports.other_dates(conn))
    repeated = {other.line for others in groups.values() for other in others}
    await imports.put_aside(conn, repeated | findings.by_line().keys())


def disagreement(key: str, first: int, others: Sequence[int]) -> Iterator[Finding]:
    """Say of each of these lines that another one has the same key with other values."""
    for line, other in [(first, others[0]), *((line, first) for line in others)]:
        yield Finding(
            line,
            key,
            f"Figure aussi à la ligne {other}, avec d'autres valeurs.",
            f"Is also on line {other}, with other values.",
        )


def _kept_date(line: int) -> Finding:
    return Finding(
        line,
        "registered_on",
        "Le patient est déjà inscrit à une autre date ; sa date initiale est conservée.",
        "The patient is registered at another date already; the initial date is kept.",
    )


async def _write(conn: Connection, target: Target, what: Import, progress: Progress | None) -> Written:
    stamp = Stamp(what.at, what.by, CURRENT.version)
    await imports.hold(conn, target)
    last = await imports.last_line(conn)
    added, changed = 0, 0
    for after in range(0, last, _LINES_WRITTEN_AT_ONCE):
        until = min(after + _LINES_WRITTEN_AT_ONCE, last)
        some = await imports.write(conn, target, after, until, stamp)
        added, changed = added + some.added, changed + some.changed
        if progress is not None:
            progress(Phase.WRITING, until, last)
    return Written(added, changed)


def _count_lines(findings: Iterable[Finding]) -> int:
    return len({finding.line for finding in findings})


def _in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: (finding.line, finding.column or "")))
