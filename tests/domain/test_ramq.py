"""The file of confirmed names: whose, in which order, the same bytes for the same names (R6)."""

import csv
import io
from datetime import date

import pytest
from pydantic import ValidationError

from gamf.domain import ramq
from gamf.domain.ramq import COLUMNS, CONFIRMED, Kind, Name
from gamf.domain.states import State


def name(number: int, **more: object) -> Name:
    given = {
        "attribution_id": f"2026-{number:06d}",
        "replaces": None,
        "confirmed_on": date(2026, 6, 2),
        "physician": "12345",
        "physician_last_name": "Inventée",
        "physician_first_name": "Médecin",
        "rls": "0311",
        "nam": "ZEPX80510211",
        "last_name": "Zéphyrin, dite « Zéph »",
        "first_name": 'Élo"ïse',
        "birth_date": date(1980, 1, 2),
    }
    return Name.model_validate(given | more)


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


def test_r6_a_line_a_name_under_a_header_in_the_order_of_the_references() -> None:
    file = ramq.write("2026-0007", 1, [name(3), name(1), name(2, replaces="2026-000001")])
    rows = read(file.content)
    assert file.content.splitlines()[0].decode() == ",".join(COLUMNS)
    assert [row["attribution_id"] for row in rows] == ["2026-000001", "2026-000002", "2026-000003"]
    assert {(row["block_id"], row["file_number"], row["kind"]) for row in rows} == {
        ("2026-0007", "1", "list")
    }
    assert rows[1] | {"attribution_id": ""} == rows[0] | {"attribution_id": "", "replaces": "2026-000001"}
    assert (rows[0]["last_name"], rows[0]["first_name"]) == ("Zéphyrin, dite « Zéph »", 'Élo"ïse')
    assert (rows[0]["nam"], rows[0]["confirmed_on"], rows[0]["birth_date"]) == (
        "ZEPX80510211",
        "2026-06-02",
        "1980-01-02",
    )


def test_r6_the_same_names_make_the_same_bytes_in_any_order() -> None:
    one, other = (
        ramq.write("2026-0007", 1, [name(1), name(2)]),
        ramq.write("2026-0007", 1, [name(2), name(1)]),
    )
    assert (one.name, one.content, one.sha256) == (other.name, other.content, other.sha256)
    assert ramq.write("2026-0007", 1, [name(1)]).sha256 != one.sha256


def test_r6_the_first_file_is_the_list_and_the_later_ones_are_numbered_supplements() -> None:
    assert [ramq.kind(number) for number in (1, 2, 3)] == [Kind.LIST, Kind.SUPPLEMENT, Kind.SUPPLEMENT]
    assert ramq.file_name("2026-0007", 1) == "ramq-2026-0007-01.csv"
    assert ramq.file_name("2026-0007", 12) == "ramq-2026-0007-12.csv"
    assert read(ramq.write("2026-0007", 2, [name(9)]).content)[0]["kind"] == "supplement"


def test_r6_only_who_is_confirmed_and_stands_is_named() -> None:
    assert {State.CONFIRMED, State.OVERDUE, State.ENROLLED_SV, State.ENROLLED_MF} == CONFIRMED


def test_r6_a_faulty_name_is_not_repeated_by_the_error() -> None:
    with pytest.raises(ValidationError) as faulty:
        name(1, nam=None, last_name=["Zéphyrin"])
    assert "Zéphyrin" not in str(faulty.value)
