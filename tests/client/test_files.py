"""The files taken in: their form, and every fault by line and column (contract.md, *Files taken in*)."""

import csv
import io
import stat
import tempfile
import tracemalloc
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gamf.client.errors import FileRefusedError
from gamf.client.files import (
    NETWORKS,
    PHYSICIANS,
    REGISTER,
    Finding,
    Layout,
    Line,
    Source,
    Surroundings,
    faulty_path,
    write_faulty,
)

NOW = datetime(2026, 5, 8, 16, tzinfo=UTC)
AROUND = Surroundings.at(NOW, {"0311": "America/Toronto"})
PERSON = {
    "nam": "FICA85570418",
    "last_name": "Ficelle",
    "first_name": "Adèle",
    "birth_date": "1985-07-04",
    "sex": "F",
    "address": "12, rue des Érables, app. 3",
    "city": "Québec",
    "postal_code": "G1R 2B5",
    "language": "fr",
    "english_attested": "false",
    "email": "adele.ficelle@example.org",
    "phone": "418 555-0142",
    "rls": "0311",
    "registered_on": "2024-02-29",
    "priority": "C",
    "vulnerable": "true",
    "representative": "",
}
PHYSICIAN = {
    "licence": "90001",
    "last_name": "Inventé",
    "first_name": "Noé",
    "rls": "0311",
    "status": "participating",
    "place": "Clinique inventée",
    "address": "1, rue du Quai",
    "city": "Québec",
    "postal_code": "G1R 2B5",
    "email": "",
}
NETWORK = {
    "rls": "0311",
    "name": "RLS inventé",
    "region": "03",
    "time_zone": "America/Toronto",
    "gaco_name": "GACO inventé",
    "gaco_phone": "418 555-0101",
    "coordinator": "coordo",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def text_of(*rows: Mapping[str, str], delimiter: str = ",") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def stream_of(path: Path) -> io.StringIO:
    return io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")


def lines_of(folder: Path, content: str | bytes, layout: Layout = REGISTER) -> list[Line]:
    return list(source_of(folder, content, layout).lines(AROUND))


def source_of(folder: Path, content: str | bytes, layout: Layout = REGISTER) -> Source:
    path = folder / "file.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Source(path, layout)


def line_of(folder: Path, **changes: str) -> Line:
    (line,) = lines_of(folder, text_of(PERSON | changes))
    return line


def places(findings: Sequence[Finding]) -> list[tuple[int, str | None]]:
    return [(finding.line, finding.column) for finding in findings]


# --- the form of the file ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_good_line_is_taken_whatever_the_spreadsheet(
    folder: Path, mark: bytes, delimiter: str, end: str
) -> None:
    content = mark + text_of(PERSON, delimiter=delimiter).replace("\n", end).encode()
    assert lines_of(folder, content) == [Line(2, tuple(PERSON.values()), [], [])]


def test_the_columns_come_in_any_order(folder: Path) -> None:
    shuffled = {name: PERSON[name] for name in sorted(PERSON, reverse=True)}
    assert lines_of(folder, text_of(shuffled))[0].values == tuple(PERSON.values())


def test_a_semicolon_in_a_comma_file_is_a_semicolon(folder: Path) -> None:
    line = line_of(folder, address="12; rue A; B; C; D; E; F; G; H; I; J; K; L; M; N; O; P; Q; R; S")
    assert line.values is not None
    assert line.values[5].startswith("12; rue A; B")


def test_unknown_and_missing_columns_are_named(folder: Path) -> None:
    header = text_of({**PERSON, "surnom": "x"}).replace("postal_code", "code postal").replace("email,", "", 1)
    with pytest.raises(FileRefusedError) as refusal:
        source_of(folder, header)
    assert "« code postal », « surnom »" in refusal.value.fr
    assert "« postal_code », « email »" in refusal.value.en


def test_a_column_may_be_there_only_once(folder: Path) -> None:
    with pytest.raises(FileRefusedError, match="en double : « nam »"):
        source_of(
            folder, text_of(PERSON).replace("representative", "nam", 1).replace("email", "representative", 1)
        )


def test_a_file_without_header_does_not_get_its_people_repeated(folder: Path) -> None:
    with pytest.raises(FileRefusedError) as refusal:
        source_of(folder, text_of(PERSON).split("\n", 1)[1])
    assert "Ficelle" not in refusal.value.fr + refusal.value.en
    assert "nam, last_name" in refusal.value.fr


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n \r\n", b",,,\n"])
def test_an_empty_file_is_refused(folder: Path, content: bytes) -> None:
    with pytest.raises(FileRefusedError, match="vide"):
        source_of(folder, content)


def test_a_header_alone_is_a_file_of_nobody(folder: Path) -> None:
    assert lines_of(folder, text_of(PERSON).split("\n", 1)[0]) == []


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_another_encoding_is_refused_by_line(folder: Path, encoding: str) -> None:
    plain = PERSON | {"first_name": "Adele", "address": "1", "city": "Laval"}
    content = text_of(plain, plain, PERSON).encode(encoding)
    with pytest.raises(
        FileRefusedError, match="Ligne 4 " if encoding == "latin-1" else "Ligne 1 "
    ) as refusal:
        lines_of(folder, content)
    assert "UTF-8" in refusal.value.fr


def test_a_quotation_mark_never_closed_is_refused_by_line(folder: Path) -> None:
    broken = PERSON | {"address": "@"}
    content = text_of(PERSON, broken, PERSON).replace("@", '"12, rue des Érables')
    with pytest.raises(FileRefusedError, match=r"Ligne 3 .*guillemets"):
        lines_of(folder, content)


def test_a_file_that_is_not_there_is_refused(folder: Path) -> None:
    with pytest.raises(FileRefusedError, match="FileNotFoundError"):
        Source(folder / "none.csv", REGISTER)


def test_a_value_on_two_lines_is_one_and_the_count_goes_on(folder: Path) -> None:
    lines = lines_of(folder, text_of(PERSON | {"address": "12, rue A\r\napp. 3"}, PERSON | {"sex": "?"}))
    assert lines[0].values is not None
    assert lines[0].values[5] == "12, rue A app. 3"
    assert places(lines[1].faults) == [(4, "sex")]


def test_lines_without_any_value_are_not_counted(folder: Path) -> None:
    lines = lines_of(
        folder, text_of(PERSON) + "\n" + "," * 16 + "\n" + text_of(PERSON).split("\n")[1] + "\n\n"
    )
    assert [line.number for line in lines] == [2, 5]


@pytest.mark.parametrize(
    ("cells", "said"), [("x,y", "compte 2 champs"), ("x," * 17 + "x", "compte 18 champs")]
)
def test_a_line_with_another_number_of_fields_is_faulty(folder: Path, cells: str, said: str) -> None:
    (_, line) = lines_of(folder, text_of(PERSON) + cells + "\n")
    assert (line.values, places(line.faults)) == (None, [(3, None)])
    assert said in line.faults[0].fr


@pytest.mark.long
def test_a_file_is_never_held_whole(folder: Path) -> None:
    head, row = text_of(PERSON).splitlines(keepends=True)
    size = len(row) * 20_000
    source = source_of(folder, head + row * 20_000)
    tracemalloc.start()
    try:
        assert sum(1 for line in source.lines(AROUND) if line.values) == 20_000
        assert tracemalloc.get_traced_memory()[1] < size / 4
    finally:
        tracemalloc.stop()


def test_the_reading_tells_how_far_it_is(folder: Path) -> None:
    head, row = text_of(PERSON).splitlines(keepends=True)
    told: list[tuple[int, int]] = []
    source = source_of(folder, head + row * 5_000)
    list(source.lines(AROUND, lambda done, total: told.append((done, total))))
    size = source.path.stat().st_size
    assert len(told) > 2
    assert told == sorted(told)
    assert told[-1] == (size, size)


@pytest.mark.parametrize("byte", ["\0", "x"])
def test_a_first_line_that_has_no_end_is_refused_by_what_it_should_be(folder: Path, byte: str) -> None:
    with pytest.raises(FileRefusedError, match="nommer les colonnes") as refusal:
        source_of(folder, byte * 200_000)
    assert byte * 9 not in refusal.value.fr + refusal.value.en


@settings(deadline=None)
@given(st.text(alphabet='nam,;"\n\r\0 é\u200bFX01-', max_size=60), st.booleans())
@example('"\0",', False)  # noqa: FBT003 - the two arguments of the test
def test_whatever_a_file_holds_is_read_or_refused(content: str, header: bool) -> None:  # noqa: FBT001 - a drawn value
    with tempfile.TemporaryDirectory() as name:
        try:
            lines = lines_of(Path(name), (text_of(PERSON) if header else "") + content)
        except FileRefusedError:
            return
    assert all((line.values is None) == bool(line.faults) for line in lines)


# --- the values of a patient ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("nam", "FICA8557041"),
        ("nam", "FICA85573218"),
        ("nam", "FICA85023010"),
        ("nam", ""),
        ("last_name", ""),
        ("last_name", "  \t "),
        ("first_name", "Ad\u0007le"),
        ("first_name", "Ad\u200bèle"),
        ("last_name", "x" * 301),
        ("birth_date", "85-07-04"),
        ("birth_date", "1985-02-30"),
        ("birth_date", "19850704"),
        ("birth_date", "1899-12-31"),
        ("birth_date", "2026-05-09"),
        ("birth_date", "04/07/1985"),
        ("sex", "femme"),
        ("sex", "f"),
        ("address", ""),
        ("city", ""),
        ("postal_code", "G1R 2O5"),
        ("language", "es"),
        ("english_attested", "oui"),
        ("english_attested", ""),
        ("email", "adele"),
        ("email", "adele@exemple"),
        ("email", "a b@example.org"),
        ("phone", "555-0142"),
        ("phone", "appelez-moi"),
        ("rls", "9999"),
        ("rls", ""),
        ("registered_on", "2026-05-09"),
        ("registered_on", "1985-07-03"),
        ("registered_on", "2026-W01-1"),
        ("priority", "F"),
        ("priority", "AB"),
        ("vulnerable", "1"),
    ],
)
def test_a_faulty_value_is_said_by_line_and_column_and_never_repeated(
    folder: Path, column: str, value: str
) -> None:
    line = line_of(folder, **{column: value})
    assert line.values is None
    assert (2, column) in places(line.faults)
    said = " ".join(f"{finding.fr} {finding.en}" for finding in line.faults)
    assert len(value.strip()) < 3 or value not in said


def test_every_fault_of_every_line_is_listed(folder: Path) -> None:
    content = text_of(
        PERSON | {"nam": "x", "sex": "?", "rls": "9999", "phone": "1"},
        PERSON,
        PERSON | {"email": "x", "priority": "Z"},
    )
    faults = [fault for line in lines_of(folder, content) for fault in line.faults]
    assert places(faults) == [(2, "sex"), (2, "phone"), (2, "rls"), (2, "nam"), (4, "email"), (4, "priority")]


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"nam": "FICA85570419"}, "nam"),
        ({"birth_date": "1985-07-05"}, "birth_date"),
        ({"sex": "M"}, "sex"),
        ({"postal_code": "K1A 0B1"}, "postal_code"),
        ({"postal_code": "05401"}, "postal_code"),
        ({"nam": "ESSA23590818", "birth_date": "2023-09-08", "priority": "A"}, "priority"),
    ],
)
def test_a_warning_does_not_keep_a_line_out(folder: Path, changes: dict[str, str], column: str) -> None:
    line = line_of(folder, **changes)
    assert line.values is not None
    assert column in [warned for _, warned in places(line.warnings)]


def test_a_child_under_three_has_priority_c(folder: Path) -> None:
    def warned(born: str, priority: str) -> bool:
        warnings = line_of(folder, birth_date=born, registered_on="2026-01-01", priority=priority).warnings
        return "priority" in [column for _, column in places(warnings)]

    assert warned("2023-05-09", "B")
    assert not warned("2023-05-09", "C")
    assert not warned("2023-05-08", "B")


@pytest.mark.parametrize(
    "changes",
    [
        {"sex": "X"},
        {"email": "", "phone": "", "representative": ""},
        {"phone": "+1 (418) 555-0142 poste 12"},
        {"phone": "418.555.0142"},
        {"english_attested": "FALSE", "vulnerable": "True"},
        {"registered_on": "2026-05-08"},
        {"nam": "fica 8557 0418"},
        {"last_name": "  d'Avignon-Élie  "},
    ],
)
def test_what_is_unusual_but_good_gets_no_remark(folder: Path, changes: dict[str, str]) -> None:
    line = line_of(folder, **changes)
    assert line.values is not None
    assert (line.faults, line.warnings) == ([], [])


def test_a_value_has_one_writing(folder: Path) -> None:
    line = line_of(
        folder,
        nam=" fica 8557 0418",
        first_name="Ade\u0300le",
        postal_code="g1r2b5",
        vulnerable="TRUE",
        city="Trois\u00a0 Rivières",
    )
    assert line.values is not None
    values = dict(zip(REGISTER.names, line.values, strict=True))
    assert values["nam"] == "FICA85570418"
    assert values["first_name"] == "Adèle"
    assert values["postal_code"] == "G1R 2B5"
    assert values["vulnerable"] == "true"
    assert values["city"] == "Trois Rivières"


def test_today_is_the_date_of_the_rls(folder: Path) -> None:
    just_past_midnight = datetime(2026, 5, 8, 3, 30, tzinfo=UTC)
    around = Surroundings.at(just_past_midnight, {"0311": "America/Toronto", "1102": "America/Halifax"})
    assert (around.date_in("0311"), around.date_in("1102")) == (date(2026, 5, 7), date(2026, 5, 8))
    assert around.date_in(None) == date(2026, 5, 8)
    content = text_of(*(PERSON | {"rls": rls, "registered_on": "2026-05-08"} for rls in ("0311", "1102")))
    lines = list(source_of(folder, content).lines(around))
    assert [places(line.faults) for line in lines] == [[(2, "registered_on")], []]


# --- physicians and networks ------------------------------------------------------------------------------


def test_a_good_physician_and_a_good_network_are_taken(folder: Path) -> None:
    assert lines_of(folder, text_of(PHYSICIAN), PHYSICIANS)[0] == Line(2, tuple(PHYSICIAN.values()), [], [])
    assert lines_of(folder, text_of(NETWORK), NETWORKS)[0] == Line(2, tuple(NETWORK.values()), [], [])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("licence", "1900017"),
        ("licence", ""),
        ("rls", "9999"),
        ("status", "retraité"),
        ("email", "x"),
        ("place", ""),
    ],
)
def test_a_faulty_physician_is_said_by_column(folder: Path, column: str, value: str) -> None:
    (line,) = lines_of(folder, text_of(PHYSICIAN | {column: value}), PHYSICIANS)
    assert (line.values, places(line.faults)) == (None, [(2, column)])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("time_zone", "America/Chibougamau"),
        ("time_zone", "../etc/passwd"),
        ("time_zone", "America"),
        ("gaco_phone", "x"),
        ("rls", "a b"),
        ("name", ""),
        ("coordinator", ""),
    ],
)
def test_a_faulty_network_is_said_by_column(folder: Path, column: str, value: str) -> None:
    (line,) = lines_of(folder, text_of(NETWORK | {column: value}), NETWORKS)
    assert (line.values, places(line.faults)) == (None, [(2, column)])


@pytest.mark.parametrize("zone", ["America/Toronto", "America/Halifax", "America/Blanc-Sablon"])
def test_the_zones_of_quebec_are_known(folder: Path, zone: str) -> None:
    assert lines_of(folder, text_of(NETWORK | {"time_zone": zone}), NETWORKS)[0].faults == []


# --- the faulty lines -------------------------------------------------------------------------------------


def test_faulty_lines_are_written_as_they_came_with_why(folder: Path) -> None:
    broken = PERSON | {"sex": "?", "address": "12; rue A\nbas"}
    content = text_of(PERSON, broken, PERSON, delimiter=";") + "trop;court\n" + "x;" * 18 + "y\n"
    source = source_of(folder, content)
    faults = {line.number: line.faults for line in source.lines(AROUND) if line.faults}
    target = faulty_path(source.path)
    write_faulty(source, faults, target)
    rows = list(csv.reader(stream_of(target), delimiter=";"))
    assert rows[0] == [*PERSON, "why"]
    assert rows[1][:17] == list(broken.values())
    assert rows[1][17].startswith("sex: Les valeurs permises sont : F, M, X.")
    assert rows[2][:17] == ["trop", "court", *[""] * 15]
    assert rows[3][18:] == ["x", "y"]
    assert len(rows) == 4
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_file_of_faulty_lines_is_taken_once_mended(folder: Path) -> None:
    source = source_of(folder, text_of(PERSON | {"sex": "?"}))
    target = folder / "mended.csv"
    write_faulty(source, {line.number: line.faults for line in source.lines(AROUND)}, target)
    target.write_text(target.read_text("utf-8").replace("?", "F"), "utf-8")
    (line,) = Source(target, REGISTER).lines(AROUND)
    assert line.values == tuple(PERSON.values())


def test_the_reason_of_an_earlier_time_is_replaced(folder: Path) -> None:
    source = source_of(folder, text_of({"why": "avant", **PERSON, "sex": "?"}))
    target = folder / "again.csv"
    write_faulty(source, {line.number: line.faults for line in source.lines(AROUND)}, target)
    rows = list(csv.DictReader(stream_of(target)))
    assert "avant" not in rows[0]["why"]
    assert rows[0]["nam"] == PERSON["nam"]


def test_faulty_lines_never_overwrite_the_file_itself(folder: Path) -> None:
    source = source_of(folder, text_of(PERSON))
    with pytest.raises(FileRefusedError):
        write_faulty(source, {}, source.path)
    assert source.path.read_text() == text_of(PERSON)


def test_the_path_of_faulty_lines_is_free(folder: Path) -> None:
    assert faulty_path(folder / "a.csv") == folder / "a-faulty.csv"
    (folder / "a-faulty.csv").touch()
    assert faulty_path(folder / "a.csv") == folder / "a-faulty-2.csv"
