"""The CSV files taken in, and every fault in them by line and column (contract.md, *Files taken in*).

A file is read line by line and never held whole: one of a million lines costs no more memory than one of ten.
What is wrong is said in words of ours; what the file holds is never repeated, since it speaks of people.
"""

import csv
import io
import os
import re
import unicodedata
import zoneinfo
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final, Literal, NamedTuple, Protocol, Self, TextIO

from gamf.client.errors import FileRefusedError
from gamf.domain import calendar
from gamf.domain.identifiers import in_quebec, normal_nam, parse_licence, parse_nam, parse_postal_code
from gamf.domain.profile import AGES, TOTAL
from gamf.domain.refusal import RefusedByRuleError

WHY: Final = "why"
"""The column that a file of faulty lines has besides; a file that comes back with it is taken."""
BytesRead = Callable[[int, int], None]
"""Told how many bytes of how many are read."""
FileKind = Literal["register", "physicians", "networks", "profile", "retro"]

_ENCODING: Final = "utf-8-sig"
_LONGEST: Final = 300
_TOLD_EVERY: Final = 2000
_YOUNG_CHILD: Final = 3
_YOUNG_CHILD_PRIORITY: Final = "C"
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")
_PHONE: Final = re.compile(r"\+?[0-9 ().-]{10,20}( ?(x|ext\.?|poste) ?[0-9]{1,6})?")
_PHONE_DIGITS: Final = range(10, 16)
_SHARE: Final = re.compile(r"[0-9]{1,3}([.,][0-9]{1,6})?")
_RLS: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to say of a line: the number of its first physical line, and the column when there is one."""

    line: int
    column: str | None
    fr: str
    en: str

    def __str__(self) -> str:
        """Return it in both languages."""
        place = f"{self.column}: " if self.column else ""
        return f"{place}{self.fr} / {self.en}"


@dataclass(frozen=True)
class Surroundings:
    """What a line is checked against: the date that it is in each RLS known (A23), and the latest of them."""

    today: Mapping[str, date]
    latest: date

    @classmethod
    def at(cls, now: datetime, zones: Mapping[str, str]) -> Self:
        """Take the surroundings at that instant, from the time zone of each RLS."""
        today = {rls: calendar.local_date(now, zone) for rls, zone in zones.items()}
        return cls(today, max(today.values(), default=now.astimezone(UTC).date()))

    def date_in(self, rls: str | None) -> date:
        """Return the date in that RLS, or the latest anywhere when the RLS is unknown."""
        return self.today.get(rls or "", self.latest)


@dataclass
class _Notes:
    line: int
    faults: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    def fault(self, column: str | None, fr: str, en: str) -> None:
        self.faults.append(Finding(self.line, column, fr, en))

    def warn(self, column: str, fr: str, en: str) -> None:
        self.warnings.append(Finding(self.line, column, fr, en))


Values = dict[str, str]
"""The values of a line that are good, each in its one writing; an empty one is an empty string."""


class Column(NamedTuple):
    """A column: how its values are read into their one writing, and whether they may be empty."""

    name: str
    read: Callable[[str], str]
    optional: bool = False


@dataclass(frozen=True)
class Layout:
    """What one kind of file holds. `check` looks at the values together, whichever of them are good."""

    kind: FileKind
    columns: tuple[Column, ...]
    check: Callable[[Values, _Notes, Surroundings], None]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the columns, in the order of contract.md."""
        return tuple(column.name for column in self.columns)


class Line(NamedTuple):
    """A line as it was read. `values` are in the layout's order, or None when the line is faulty."""

    number: int
    values: tuple[str, ...] | None
    faults: Sequence[Finding] = ()
    warnings: Sequence[Finding] = ()


# --- one value --------------------------------------------------------------------------------------------


def _wrong(fr: str, en: str) -> RefusedByRuleError:
    return RefusedByRuleError("form", fr, en)


def _cleaned(cell: str) -> str:
    """Write a cell on one line, composed and without blanks around it."""
    value = " ".join(cell.split())
    if value.isascii() and value.isprintable() and len(value) <= _LONGEST:
        return value
    value = unicodedata.normalize("NFC", value)
    if not value.isprintable():
        raise _wrong("Contient un caractère invisible.", "Holds an invisible character.")
    if len(value) > _LONGEST:
        raise _wrong(f"Dépasse {_LONGEST} caractères.", f"Is over {_LONGEST} characters long.")
    return value


def _text(value: str) -> str:
    return value


def _one_of(*allowed: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in allowed:
            choices = ", ".join(allowed)
            raise _wrong(f"Les valeurs permises sont : {choices}.", f"The values allowed are: {choices}.")
        return value

    return read


def _flag(value: str) -> str:
    # A spreadsheet rewrites true as TRUE when it saves.
    return _one_of("true", "false")(value.lower())


def _date(value: str) -> str:
    try:
        day = date.fromisoformat(value) if _DATE.fullmatch(value) else None
    except ValueError:
        day = None
    if day is None or not calendar.FIRST_DAY <= day <= calendar.LAST_DAY:
        raise _wrong("N'est pas une date AAAA-MM-JJ.", "Is not a date YYYY-MM-DD.")
    return value


def _email(value: str) -> str:
    if _EMAIL.fullmatch(value) is None:
        raise _wrong("N'est pas une adresse de courriel.", "Is not an e-mail address.")
    return value


def _phone(value: str) -> str:
    main = re.split("[xep]", value, maxsplit=1)[0]
    if _PHONE.fullmatch(value) is None or sum(map(str.isdigit, main)) not in _PHONE_DIGITS:
        raise _wrong(
            "N'est pas un numéro de téléphone à 10 chiffres.", "Is not a telephone number of 10 digits."
        )
    return value


def _rls(value: str) -> str:
    if _RLS.fullmatch(value) is None:
        raise _wrong(
            "Un code de RLS n'a que des lettres, des chiffres, des points et des traits.",
            "The code of an RLS has only letters, digits, dots and dashes.",
        )
    return value


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _zone(value: str) -> str:
    if value not in _zones():
        raise _wrong(
            "N'est pas un fuseau horaire (par exemple America/Toronto).",
            "Is not a time zone (for instance America/Toronto).",
        )
    return value


def _share(value: str) -> str:
    # A spreadsheet in French writes a decimal comma, and a column of percentages with its mark.
    number = value.removesuffix("%").rstrip()
    if _SHARE.fullmatch(number) is None or Decimal(number.replace(",", ".")) > TOTAL:
        raise _wrong("N'est pas une part de 0 à 100 %.", "Is not a share of 0 to 100 %.")
    return number.replace(",", ".")


# --- the values of a line together ------------------------------------------------------------------------


def _check_register(values: Values, notes: _Notes, around: Surroundings) -> None:
    _check_rls(values, notes, around)
    today = around.date_in(values.get("rls"))
    _check_nam(values, notes, today)
    _check_dates(values, notes, today)
    _check_postal_code(values, notes)


def _check_physicians(values: Values, notes: _Notes, around: Surroundings) -> None:
    _check_rls(values, notes, around)
    _check_postal_code(values, notes)


def _check_nothing(_values: Values, _notes: _Notes, _around: Surroundings) -> None:
    """Find nothing: the values of such a line say nothing of each other."""


def _check_rls(values: Values, notes: _Notes, around: Surroundings) -> None:
    rls = values.get("rls")
    if rls is not None and rls not in around.today:
        notes.fault(
            "rls",
            "RLS inconnu ; importez-le d'abord (gamf network import).",
            "Unknown RLS; import it first (gamf network import).",
        )


def _check_nam(values: Values, notes: _Notes, today: date) -> None:
    if "nam" not in values:
        return
    try:
        nam = parse_nam(values["nam"], today)
    except RefusedByRuleError as refusal:
        notes.fault("nam", refusal.reason.fr, refusal.reason.en)
        return
    if not nam.check_digit_holds:
        notes.warn(
            "nam", "Le chiffre de contrôle du NAM ne concorde pas.", "The NAM's check digit does not agree."
        )
    if "birth_date" in values and date.fromisoformat(values["birth_date"]) not in nam.birth_dates:
        notes.warn("birth_date", "N'est pas la date que porte le NAM.", "Is not the date that the NAM shows.")
    if values.get("sex", "X") not in {nam.sex, "X"}:
        notes.warn("sex", "N'est pas le sexe que porte le NAM.", "Is not the sex that the NAM shows.")


def _check_dates(values: Values, notes: _Notes, today: date) -> None:
    born, registered = (_date_or_none(values.get(name)) for name in ("birth_date", "registered_on"))
    for column, day in (("birth_date", born), ("registered_on", registered)):
        if day is not None and day > today:
            notes.fault(column, "La date est dans le futur.", "The date is in the future.")
    if born is None:
        return
    if registered is not None and registered < born:
        notes.fault("registered_on", "La date précède la naissance.", "The date is before the birth.")
    if values.get("priority", "C") != _YOUNG_CHILD_PRIORITY and _is_young_child(born, today):
        notes.warn(
            "priority",
            "Un enfant de moins de 3 ans a la priorité C ; la ligne est prise telle quelle.",
            "A child under 3 has priority C; the line is taken as it is.",
        )


def _date_or_none(value: str | None) -> date | None:
    return date.fromisoformat(value) if value is not None else None


def _is_young_child(born: date, today: date) -> bool:
    return born <= today < calendar.add_months(born, 12 * _YOUNG_CHILD)


def _check_postal_code(values: Values, notes: _Notes) -> None:
    code = values.get("postal_code")
    if code is not None and not in_quebec(code):
        notes.warn("postal_code", "Le code postal est hors du Québec.", "The postal code is outside Québec.")


REGISTER: Final = Layout(
    "register",
    (
        Column("nam", normal_nam),
        Column("last_name", _text),
        Column("first_name", _text),
        Column("birth_date", _date),
        Column("sex", _one_of("F", "M", "X")),
        Column("address", _text),
        Column("city", _text),
        Column("postal_code", parse_postal_code),
        Column("language", _one_of("fr", "en")),
        Column("english_attested", _flag),
        Column("email", _email, optional=True),
        Column("phone", _phone, optional=True),
        Column("rls", _text),
        Column("registered_on", _date),
        Column("priority", _one_of("A", "B", "C", "D", "E")),
        Column("vulnerable", _flag),
        Column("representative", _text, optional=True),
    ),
    _check_register,
)
"""The patients who wait for a family doctor."""

PHYSICIANS: Final = Layout(
    "physicians",
    (
        Column("licence", parse_licence),
        Column("last_name", _text),
        Column("first_name", _text),
        Column("rls", _text),
        Column("status", _one_of("participating", "non_participating", "disengaged")),
        Column("place", _text),
        Column("address", _text),
        Column("city", _text),
        Column("postal_code", parse_postal_code),
        Column("email", _email, optional=True),
    ),
    _check_physicians,
)
"""The physicians, by licence."""

NETWORKS: Final = Layout(
    "networks",
    (
        Column("rls", _rls),
        Column("name", _text),
        Column("region", _text),
        Column("time_zone", _zone),
        Column("gaco_name", _text),
        Column("gaco_phone", _phone),
        Column("coordinator", _text),
    ),
    _check_nothing,
)
"""The local networks (RLS), each with its GACO and its time zone (A23)."""

PROFILE: Final = Layout(
    "profile",
    (Column("vulnerable", _flag), Column("ages", _one_of(*AGES)), Column("share", _share)),
    _check_nothing,
)
"""The population profile of an RLS (R4): the share of each group, in percent."""

RETRO: Final = Layout(
    "retro",
    (
        Column("nam", normal_nam),
        Column("physician", parse_licence),
        Column("attributed_on", _date),
        Column("vulnerable", _flag, optional=True),
        Column("sv_start", _date, optional=True),
        Column("mf_signed_on", _date, optional=True),
        Column("mf_effective_on", _date, optional=True),
    ),
    _check_nothing,
)
"""The attributions made outside this system from 1 February to 8 May 2026 (R11; docs/files.md)."""


_CALLED: Final = {
    "address": ("adresse", "address"),
    "city": ("ville", "city"),
    "email": ("courriel", "e-mail"),
    "english_attested": ("attestation pour l’anglais", "attestation for English"),
    "language": ("langue des lettres", "language of the letters"),
    "phone": ("téléphone", "telephone"),
    "postal_code": ("code postal", "postal code"),
    "representative": ("représentant", "representative"),
    "share": ("part", "share"),
}
"""What people call a column that is read alone, as a field is."""


def read_value(layout: Layout, name: str, text: str) -> str:
    """Read one value as a file's would be; an absent one is an empty string.

    Raises:
        RefusedByRuleError: rule `form`, with the field; the value is not repeated.
    """
    column = next(each for each in layout.columns if each.name == name)
    values: Values = {}
    notes = _Notes(0)
    _read_cell(column, text, values, notes)
    for fault in notes.faults:
        fr, en = _CALLED.get(name, (name, name))
        raise RefusedByRuleError(
            "form",
            f"Le champ « {fr} » ({name}) {_within(fault.fr)}",
            f"The field “{en}” ({name}) {_within(fault.en)}",
            name,
        )
    return values[name]


def _within(sentence: str) -> str:
    """Return a sentence without a subject, as it goes on from one."""
    return sentence[:1].lower() + sentence[1:]


# --- a whole file -----------------------------------------------------------------------------------------


class Source:
    """A CSV file of one kind, whose header has been found good. It can be read as often as needed.

    Raises:
        FileRefusedError: it is empty, is not UTF-8, or its header is not that of the layout.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path: Final = path
        self.layout: Final = layout
        names = _names(_first_line(path))
        self.delimiter: Final = max(names, key=lambda mark: len(names[mark]))
        self.header: Final = names[self.delimiter]
        _check_header(self.header, layout)

    def lines(self, around: Surroundings, told: BytesRead | None = None) -> Iterator[Line]:
        """Read every line, faulty or not; lines without any value are not counted.

        Raises:
            FileRefusedError: a byte is not UTF-8, or quotation marks do not match; the message says where.
        """
        places = [self.header.index(name) for name in self.layout.names]
        for number, cells in self.records(told):
            if len(cells) == len(self.header):
                yield _line(number, [cells[place] for place in places], self.layout, around)
            else:
                yield Line(number, None, (_wrong_count(number, len(cells), len(self.header)),))

    def records(self, told: BytesRead | None = None) -> Iterator[tuple[int, list[str]]]:
        """Read the cells of every line as they are, with the number of its first physical line."""
        with _opened(self.path) as (text, raw):
            size = os.fstat(raw.fileno()).st_size
            reader = csv.reader(text, delimiter=self.delimiter, strict=True)
            header_passed = False
            for count, (number, cells) in enumerate(_records(reader, self.path)):
                if told is not None and count % _TOLD_EVERY == 0:
                    told(raw.tell(), size)
                if not any(map(str.strip, cells)):
                    continue
                if header_passed:
                    yield number, cells
                header_passed = True
            if told is not None:
                told(size, size)


def _line(number: int, cells: Iterable[str], layout: Layout, around: Surroundings) -> Line:
    notes = _Notes(number)
    values: Values = {}
    for column, cell in zip(layout.columns, cells, strict=True):
        _read_cell(column, cell, values, notes)
    layout.check(values, notes, around)
    return Line(number, None if notes.faults else tuple(values.values()), notes.faults, notes.warnings)


def _read_cell(column: Column, cell: str, values: Values, notes: _Notes) -> None:
    try:
        value = _cleaned(cell)
        if value:
            values[column.name] = column.read(value)
        elif column.optional:
            values[column.name] = ""
        else:
            notes.fault(column.name, "Est vide.", "Is empty.")
    except RefusedByRuleError as refusal:
        notes.fault(column.name, refusal.reason.fr, refusal.reason.en)


def _wrong_count(number: int, cells: int, expected: int) -> Finding:
    return Finding(
        number,
        None,
        f"La ligne compte {cells} champs ; l'en-tête en annonce {expected}.",
        f"The line has {cells} fields; the header announces {expected}.",
    )


@contextmanager
def _opened(path: Path) -> Generator[tuple[TextIO, io.BufferedReader]]:
    """Open a file as text, and keep hold of its bytes to know how far the reading is."""
    raw = _open(path)
    with io.TextIOWrapper(raw, encoding=_ENCODING, newline="") as text:
        yield text, raw


def _open(path: Path) -> io.BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise FileRefusedError(
            fr=f"Le fichier ne s'ouvre pas ({type(error).__name__}).",
            en=f"The file cannot be opened ({type(error).__name__}).",
        ) from None


class _Reader(Protocol):
    @property
    def line_num(self) -> int: ...
    def __next__(self) -> list[str]: ...


def _records(reader: _Reader, path: Path) -> Iterator[tuple[int, list[str]]]:
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except UnicodeDecodeError:
            raise _not_utf8(path) from None
        except csv.Error:
            raise FileRefusedError(
                fr=f"Ligne {number} : des guillemets n'y concordent pas ; la suite n'est pas lisible.",
                en=f"Line {number}: its quotation marks do not match; the rest cannot be read.",
            ) from None
        yield number, cells


def _first_line(path: Path) -> str:
    """Return the first line that holds something."""
    with _opened(path) as (text, _):
        try:
            first = next((line for line in text if line.strip(" \t\r\n,;")), None)
        except UnicodeDecodeError:
            raise _not_utf8(path) from None
    if first is None:
        raise FileRefusedError(fr="Le fichier est vide.", en="The file is empty.")
    return first


def _names(first: str) -> dict[str, tuple[str, ...]]:
    """Return the names of the columns that the first line has with each delimiter."""
    try:
        return {
            mark: tuple(name.strip().lower() for name in next(csv.reader([first], delimiter=mark)))
            for mark in ",;"
        }
    except csv.Error:
        # What is no text at all may have one line, longer than any cell that can be read.
        raise FileRefusedError(
            fr="La première ligne ne se lit pas ; elle doit nommer les colonnes.",
            en="The first line cannot be read; it must name the columns.",
        ) from None


def _not_utf8(path: Path) -> FileRefusedError:
    with path.open("rb") as raw:
        number = next((n for n, line in enumerate(raw, start=1) if not _is_utf8(line)), 1)
    return FileRefusedError(
        fr=f"Ligne {number} : le fichier n'est pas en UTF-8 ; enregistrez-le en « CSV UTF-8 ».",
        en=f"Line {number}: the file is not in UTF-8; save it as “CSV UTF-8”.",
    )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _check_header(header: Sequence[str], layout: Layout) -> None:
    expected = ", ".join(layout.names)
    if not set(header) & set(layout.names):
        # Without a header, the first line is a person's: its words are not names of columns to repeat.
        raise FileRefusedError(
            fr=f"La première ligne doit nommer les colonnes : {expected}.",
            en=f"The first line must name the columns: {expected}.",
        )
    unknown = [name for name in header if name not in {*layout.names, WHY}]
    missing = [name for name in layout.names if name not in header]
    twice = [name for name in layout.names if header.count(name) > 1]
    faults = [
        _named("Colonnes inconnues", "Unknown columns", unknown),
        _named("Colonnes manquantes", "Missing columns", missing),
        _named("Colonnes en double", "Columns there twice", twice),
    ]
    if unknown or missing or twice:
        raise FileRefusedError(
            fr=" ".join(fr for fr, _ in filter(None, faults)),
            en=" ".join(en for _, en in filter(None, faults)),
        )


def _named(fr: str, en: str, names: Sequence[str]) -> tuple[str, str] | None:
    shown = ", ".join(f"« {name} »" for name in names)
    return (f"{fr} : {shown}.", f"{en}: {shown}.") if names else None


# --- the faulty lines -------------------------------------------------------------------------------------


def faulty_path(source: Path) -> Path:
    """Return a path beside the file, for its faulty lines, at which there is nothing yet."""
    first = source.with_name(f"{source.stem}-faulty.csv")
    others = (source.with_name(f"{source.stem}-faulty-{n}.csv") for n in range(2, 10_000))
    return next(path for path in (first, *others) if not path.exists())


def write_faulty(source: Source, faults: Mapping[int, Sequence[Finding]], target: Path) -> None:
    """Write the faulty lines to a file as they came, with why, readable by its owner alone.

    The cells that a line has beyond its header come after the reason, so that nothing of it is lost.
    """
    kept = [place for place, name in enumerate(source.header) if name != WHY]
    with os.fdopen(_private(source, target), "w", encoding=_ENCODING, newline="") as file:
        writer = csv.writer(file, delimiter=source.delimiter)
        writer.writerow([*(source.header[place] for place in kept), WHY])
        for number, cells in source.records():
            if number in faults:
                padded = [*cells, *[""] * (len(source.header) - len(cells))]
                why = " | ".join(map(str, faults[number]))
                writer.writerow([*(padded[place] for place in kept), why, *cells[len(source.header) :]])


def _private(source: Source, target: Path) -> int:
    if target.exists() and target.samefile(source.path):
        raise FileRefusedError(
            fr="Les lignes fautives vont dans un autre fichier que celui qu'on importe.",
            en="The faulty lines go to another file than the one that is imported.",
        )
    return os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
