"""The invented people: like the attached population (facts.md), credible, unique, the same every time."""

import io
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from math import sqrt
from pathlib import Path

import pytest

from gamf.client.files import NETWORKS, PHYSICIANS, REGISTER, Layout, Source, Surroundings
from gamf.client.people import (
    AGES,
    RLS,
    VULNERABLE,
    WOMEN,
    make_people,
    make_physicians,
    networks,
    write,
    write_sample,
)
from gamf.domain.identifiers import in_quebec, parse_nam

TODAY = date(2026, 5, 8)
NOON = datetime(2026, 5, 8, 16, tzinfo=UTC)
MANY = 20_000

Person = dict[str, str]


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return [dict(zip(REGISTER.names, row, strict=True)) for row in make_people(MANY, TODAY)]


def age(person: Person, on: date = TODAY) -> int:
    born = date.fromisoformat(person["birth_date"])
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def agrees(found: int, share: float, total: int) -> bool:
    """Five standard deviations of a binomial: beyond, chance is to blame less than once in a million."""
    return abs(found - share * total) < 5 * sqrt(total * share * (1 - share))


def test_the_ages_are_those_of_the_attached_population(people: list[Person]) -> None:
    ages = Counter(age(person) for person in people)
    for (low, high), share in AGES:
        assert agrees(sum(ages[years] for years in range(low, high + 1)), share, MANY), (low, high)
    assert sum(share for _, share in AGES) == pytest.approx(1)
    assert min(ages) == 1
    assert max(ages) <= 99


def test_the_share_of_women_is_that_of_the_attached_population(people: list[Person]) -> None:
    assert agrees(sum(person["sex"] == "F" for person in people), WOMEN, MANY)


def test_the_share_of_vulnerable_people_is_that_of_the_attached_population(people: list[Person]) -> None:
    assert agrees(sum(person["vulnerable"] == "true" for person in people), VULNERABLE, MANY)


def test_the_shares_are_the_ones_of_the_facts() -> None:
    assert (WOMEN, VULNERABLE) == (0.521, 0.431)
    assert [share for _, share in AGES] == [0.050, 0.096, 0.200, 0.285, 0.218, 0.151]


def test_every_nam_is_valid_and_of_one_person(people: list[Person]) -> None:
    assert len({person["nam"] for person in people}) == MANY
    for person in people:
        nam = parse_nam(person["nam"], TODAY)
        assert nam.check_digit_holds
        assert date.fromisoformat(person["birth_date"]) == nam.birth_dates[0]
        assert person["sex"] in {nam.sex, "X"}


def test_people_of_the_same_letters_and_birth_have_another_sequence(people: list[Person]) -> None:
    shared = Counter(person["nam"][:10] for person in people)
    assert max(shared.values()) > 1


def test_children_under_three_have_priority_c_and_others_any(people: list[Person]) -> None:
    assert {person["priority"] for person in people if age(person) < 3} == {"C"}
    assert {person["priority"] for person in people if age(person) >= 3} == set("ABCDE")


def test_there_is_one_of_every_case(people: list[Person]) -> None:
    def some(test: Callable[[Person], bool]) -> bool:
        return 0 < sum(map(test, people)) < MANY

    assert some(lambda p: p["language"] == "en" and p["english_attested"] == "true")
    assert some(lambda p: p["language"] == "en" and p["english_attested"] == "false")
    assert some(lambda p: age(p) < 14 and p["representative"] != "")
    assert some(lambda p: age(p) < 14 and p["representative"] == "")
    assert some(lambda p: p["sex"] == "X")
    assert some(lambda p: p["email"] == "")
    assert some(lambda p: p["phone"] == "")
    assert some(lambda p: not (p["last_name"] + p["first_name"]).isascii())
    assert not some(lambda p: age(p) >= 14 and p["representative"] != "")
    assert {p["rls"] for p in people} == set(RLS)


def test_nobody_was_registered_before_the_birth_nor_after_yesterday(people: list[Person]) -> None:
    registered = [date.fromisoformat(person["registered_on"]) for person in people]
    assert all(
        day >= date.fromisoformat(person["birth_date"])
        for day, person in zip(registered, people, strict=True)
    )
    assert max(registered) == TODAY - timedelta(days=1)
    assert {day.year for day in registered} == {2022, 2023, 2024, 2025, 2026}


def test_nothing_leads_to_anybody(people: list[Person]) -> None:
    assert {person["phone"][4:10] for person in people} == {"", "555-01"}
    assert {person["email"].partition("@")[2] for person in people} == {"", "example.org"}
    assert all(in_quebec(person["postal_code"]) for person in people)


def test_the_same_seed_gives_the_same_people_in_another_process() -> None:
    script = """
import sys
from datetime import date
from gamf.client.people import make_people
for row in make_people(300, date(2026, 5, 8)):
    sys.stdout.buffer.write("|".join(row).encode() + b"\\n")
"""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script], check=True, capture_output=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    here = "".join("|".join(row) + "\n" for row in make_people(300, TODAY)).encode()
    assert outputs == {here}


def test_another_seed_gives_other_people_and_more_begin_with_the_same() -> None:
    few, more = list(make_people(50, TODAY)), list(make_people(80, TODAY))
    assert more[:50] == few
    assert list(make_people(50, TODAY, seed=1)) != few


def test_the_networks_lie_in_the_three_zones_of_quebec() -> None:
    rows = [dict(zip(NETWORKS.names, row, strict=True)) for row in networks()]
    assert {row["time_zone"] for row in rows} == {
        "America/Toronto",
        "America/Halifax",
        "America/Blanc-Sablon",
    }
    assert len({row["rls"] for row in rows}) == len(rows) >= 3
    assert all(row["gaco_phone"][4:10] == "555-01" for row in rows)


def test_the_first_physician_takes_part_in_the_first_network() -> None:
    rows = [dict(zip(PHYSICIANS.names, row, strict=True)) for row in make_physicians(400)]
    assert (rows[0]["rls"], rows[0]["status"]) == (RLS[0], "participating")
    assert {row["status"] for row in rows} == {"participating", "non_participating", "disengaged"}
    assert len({row["licence"] for row in rows}) == 400


def test_there_are_only_so_many_licences() -> None:
    assert len(list(make_physicians(9_999))) == 9_999
    with pytest.raises(ValueError, match="9999"):
        make_physicians(10_000)


@pytest.mark.parametrize("read_at", [NOON, NOON - timedelta(hours=15), NOON + timedelta(days=800)])
def test_what_is_written_is_read_back_without_a_remark(tmp_path: Path, read_at: datetime) -> None:
    files = write_sample(tmp_path, people=2_000, physicians=40, today=TODAY)
    around = Surroundings.at(read_at, {row[0]: row[3] for row in networks()})
    layouts: tuple[tuple[Path, Layout, int], ...] = (
        (files.networks, NETWORKS, len(RLS)),
        (files.physicians, PHYSICIANS, 40),
        (files.register, REGISTER, 2_000),
    )
    for path, layout, count in layouts:
        lines = list(Source(path, layout).lines(around))
        assert [(line.faults, line.warnings) for line in lines] == [([], [])] * count
        text = io.StringIO(newline="")
        write(text, layout, (line.values for line in lines if line.values))
        assert text.getvalue().encode() == path.read_bytes()
