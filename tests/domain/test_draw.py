"""Who is drawn for a block, and for whom (R3, R4, A16, A18)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gamf.domain.draw import (
    LARGEST_BLOCK,
    Applicant,
    Candidate,
    Drawn,
    allot,
    check_eligible,
    check_size,
    divide,
    draw,
    list_order,
    plan,
)
from gamf.domain.profile import AGES, GROUPS, Group, NetworkProfile, group_of
from gamf.domain.refusal import Reason, RefusedByRuleError

RLS = "1234"
ON = date(2026, 11, 26)
BORN = date(1980, 1, 2)
ADULTS = Group(vulnerable=False, ages="35-54")


def candidate(number: int, priority: str, registered_on: date, born: date = BORN) -> Candidate:
    return Candidate(
        patient_id=f"patient-{number}",
        priority=priority,
        registered_on=registered_on,
        number=number,
        vulnerable=False,
        birth_date=born,
    )


candidates = st.lists(
    st.builds(
        candidate,
        st.just(0),
        st.sampled_from("ABCDE"),
        st.dates(date(2020, 1, 1), date(2020, 1, 5)),
        st.dates(date(1930, 1, 1), ON),
    ),
    max_size=40,
)
lists = st.tuples(candidates, st.randoms(use_true_random=False)).map(
    lambda drawn: [
        each.model_copy(update={"number": number, "vulnerable": drawn[1].random() < 0.4})
        for number, each in enumerate(drawn[0], 1)
    ]
)
# Whole tables of weights: of a list, of a file, and the awkward ones, with few groups, alike, or very unlike.
weights = st.dictionaries(
    st.sampled_from(GROUPS),
    st.one_of(st.integers(0, 3), st.integers(0, 100_000), st.decimals(0, 100, places=2)),
).map(lambda table: {group: Fraction(weight) for group, weight in table.items()})
sizes = st.integers(0, LARGEST_BLOCK)


def parts(group: Group) -> tuple[Group | bool | str, ...]:
    """Return what a group counts towards: itself, its vulnerability, its age band."""
    return group, group.vulnerable, group.ages


def together(numbers: Mapping[Group, Fraction | int]) -> dict[Group | bool | str, Fraction]:
    """Return the numbers of the groups, of each vulnerability and of each age band."""
    whole: dict[Group | bool | str, Fraction] = {}
    for group, number in numbers.items():
        for part in parts(group):
            whole[part] = whole.get(part, Fraction(0)) + number
    return whole


def waiting_groups(waiting: Iterable[Candidate]) -> Counter[Group]:
    return Counter(
        group_of(vulnerable=each.vulnerable, birth_date=each.birth_date, on=ON) for each in waiting
    )


def drawn_of(waiting: list[Candidate], size: int) -> list[Drawn]:
    """Draw by the waiting list's own shares."""
    counts = waiting_groups(waiting)
    return draw(waiting, plan(size, ON, None, counts, counts).seats, ON)


def why_not(applicant: Applicant | None, rls: str = RLS) -> Reason:
    with pytest.raises(RefusedByRuleError) as refused:
        check_eligible(applicant, rls)
    return refused.value.reason


def test_r3_a_participating_physician_of_the_rls_may_ask() -> None:
    check_eligible(Applicant(licence="12345", rls=RLS, status="participating"), RLS)


@pytest.mark.parametrize("status", ["non_participating", "disengaged", "", "Participating"])
def test_r3_only_a_participating_physician_is_under_the_agreement(status: str) -> None:
    assert why_not(Applicant(licence="12345", rls=RLS, status=status)).rule == "R3"


def test_r3_a_physician_asks_the_coordinator_of_their_own_rls() -> None:
    reason = why_not(Applicant(licence="12345", rls=RLS, status="participating"), "9999")
    assert (reason.rule, reason.field) == ("R3", "rls")


def test_r3_an_unknown_physician_is_refused() -> None:
    reason = why_not(None)
    assert reason.rule == "R3"
    assert reason.fr == "Aucun médecin n'a ce permis."


def test_a16_a_physician_whose_departure_is_announced_gets_no_new_block() -> None:
    leaving = Applicant(licence="12345", rls=RLS, status="participating", leaves_on=date(2099, 1, 1))
    assert why_not(leaving).rule == "A16"


@pytest.mark.parametrize("size", [1, 20, 850, LARGEST_BLOCK])
def test_r4_a_block_has_the_number_of_patients_asked_for(size: int) -> None:
    check_size(size)
    waiting = [candidate(number, "B", date(2020, 1, 1)) for number in range(1, LARGEST_BLOCK + 10)]
    assert len(drawn_of(waiting, size)) == size


@pytest.mark.parametrize("size", [-1, 0, LARGEST_BLOCK + 1])
def test_r4_a_block_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(RefusedByRuleError, match="R4"):
        check_size(size)


# --- the seats of each group ------------------------------------------------------------------------------


@given(sizes, weights)
@example(7, dict.fromkeys(GROUPS, Fraction(1)))
@example(850, {GROUPS[0]: Fraction(1)})
# The largest remainders alone would give the vulnerable three seats for 1.5, and the others none for 1.5.
@example(3, {group: Fraction(51 if group.vulnerable else 49) for group in GROUPS})
def test_r4_nobody_is_off_by_a_whole_seat(size: int, table: dict[Group, Fraction]) -> None:
    shares, whole = divide(size, table), sum(table.values())
    if not whole:
        assert not any(shares.values())
        return
    exact = together({group: size * table.get(group, Fraction(0)) / whole for group in GROUPS})
    assert sum(shares.values()) == size
    for part, number in together(shares).items():
        assert abs(number - exact[part]) < 1


@given(sizes, weights)
def test_r4_the_seats_left_go_by_largest_remainder(size: int, table: dict[Group, Fraction]) -> None:
    shares, whole = divide(size, table), sum(table.values())
    if not whole:
        return
    exact = {group: size * table.get(group, Fraction(0)) / whole for group in GROUPS}
    plain = largest_remainder(size, exact)
    off = together({group: plain[group] - exact[group] for group in GROUPS})
    if all(abs(each) < 1 for each in off.values()):
        assert shares == plain
    else:
        # Where that is unfair to the vulnerable, the others or an age as a whole, another rounding is taken.
        assert shares != plain
        assert {shares[group] - exact[group] // 1 for group in GROUPS} <= {0, 1}


def largest_remainder(size: int, exact: Mapping[Group, Fraction]) -> dict[Group, int]:
    floors = {group: int(exact[group]) for group in GROUPS}
    first = sorted(GROUPS, key=lambda group: floors[group] - exact[group])
    up = first[: size - sum(floors.values())]
    return {group: floors[group] + (group in up) for group in GROUPS}


def test_r4_between_equals_the_first_group_gets_the_seat() -> None:
    shares = divide(5, dict.fromkeys(GROUPS, 1))
    assert [group for group in GROUPS if shares[group]] == [
        *(Group(vulnerable=True, ages=ages) for ages in AGES[:3]),
        *(Group(vulnerable=False, ages=ages) for ages in AGES[3:5]),
    ]


def test_r4_three_seats_for_two_alike_halves_are_two_and_one() -> None:
    shares = divide(3, {group: 51 if group.vulnerable else 49 for group in GROUPS})
    assert together(shares)[True] in {1, 2}


@given(sizes, weights, st.dictionaries(st.sampled_from(GROUPS), st.integers(0, 200)))
def test_r4_a_group_too_small_leaves_its_seats_to_the_others(
    size: int, table: dict[Group, Fraction], available: dict[Group, int]
) -> None:
    seats, wanted = allot(size, table, available), divide(size, table)
    assert sum(seats.values()) == min(size, sum(available.values()))
    assert all(seats[group] <= available.get(group, 0) for group in GROUPS)
    if all(wanted[group] <= available.get(group, 0) for group in GROUPS) and sum(wanted.values()) == size:
        assert seats == wanted
    short = [group for group in GROUPS if wanted[group] > available.get(group, 0)]
    assert all(seats[group] == available.get(group, 0) for group in short)


def test_r4_the_seats_of_a_small_group_go_by_share() -> None:
    young, old = Group(vulnerable=True, ages="0-5"), Group(vulnerable=True, ages="70+")
    seats = allot(100, {young: 50, old: 30, ADULTS: 20}, {young: 10, old: 500, ADULTS: 500})
    assert {group: number for group, number in seats.items() if number} == {young: 10, old: 54, ADULTS: 36}


def test_r4_a_group_without_share_is_drawn_only_when_the_others_are_empty() -> None:
    old, young = Group(vulnerable=True, ages="70+"), Group(vulnerable=False, ages="0-5")
    profile, available = {old: Decimal(100)}, {old: 4, ADULTS: 30, young: 10}
    assert allot(4, profile, available)[ADULTS] == 0
    seats = allot(8, profile, available)
    assert (seats[old], seats[ADULTS], seats[young]) == (4, 3, 1)
    assert sum(allot(LARGEST_BLOCK, profile, available).values()) == 44


# --- who is drawn -----------------------------------------------------------------------------------------


def test_r4_a_list_too_short_gives_all_it_has() -> None:
    assert len(drawn_of([candidate(1, "E", date(2020, 1, 1))], 850)) == 1
    assert drawn_of([], 850) == []


def test_r4_the_groups_come_first_and_the_priority_inside_each() -> None:
    old = date(1950, 1, 1)
    waiting = [candidate(number, "A", date(2020, 1, 1)) for number in range(1, 11)]
    waiting += [candidate(number, "E", date(2020, 1, 1), old) for number in range(11, 21)]
    drawn = drawn_of(waiting, 4)
    assert [(each.candidate.number, each.group.ages, each.rank) for each in drawn] == [
        (1, "35-54", 1),
        (2, "35-54", 2),
        (11, "70+", 1),
        (12, "70+", 2),
    ]


def test_r4_the_profile_of_the_rls_is_followed_rather_than_its_list() -> None:
    old, set_at = Group(vulnerable=False, ages="70+"), datetime(2026, 6, 1, tzinfo=UTC)
    shares = dict.fromkeys(GROUPS, Decimal(0)) | {ADULTS: Decimal("12.5"), old: Decimal("87.5")}
    counts = {ADULTS: 900, old: 100}
    made = plan(80, ON, NetworkProfile(shares, "coordo", set_at), counts, counts)
    assert (made.source, made.set_by, made.set_at) == ("network", "coordo", set_at)
    assert (made.seats[ADULTS], made.seats[old]) == (10, 70)
    by_list = plan(80, ON, None, counts, counts)
    assert (by_list.source, by_list.seats[ADULTS], by_list.seats[old]) == ("waiting_list", 72, 8)


def test_r4_the_plan_says_what_was_wanted_and_what_the_list_allowed() -> None:
    old = Group(vulnerable=False, ages="70+")
    made = plan(20, ON, None, {ADULTS: 50, old: 50}, {ADULTS: 50, old: 3})
    (adults, elders) = (each for each in made.groups if each.waiting)
    assert (adults.wanted, adults.drawn, elders.wanted, elders.drawn) == (10, 17, 10, 3)
    assert type(made).model_validate_json(made.model_dump_json()) == made


def test_a18_the_order_is_priority_then_initial_date_then_number() -> None:
    drawn = drawn_of(
        [
            candidate(1, "B", date(2020, 1, 1)),
            candidate(4, "A", date(2022, 1, 1)),
            candidate(3, "A", date(2021, 1, 1)),
            candidate(2, "A", date(2022, 1, 1)),
        ],
        3,
    )
    assert [each.candidate.number for each in drawn] == [3, 2, 4]


@given(lists, st.integers(1, 30), st.randoms(use_true_random=False))
def test_a18_the_draw_does_not_depend_on_the_order_it_is_shown(
    waiting: list[Candidate],
    size: int,
    random: Random,
) -> None:
    shuffled = sorted(waiting, key=lambda _: random.random())
    assert drawn_of(shuffled, size) == drawn_of(waiting, size)


@given(lists, st.integers(1, 30))
def test_r4_a18_nobody_of_a_group_waits_before_somebody_of_it_who_is_drawn(
    waiting: list[Candidate], size: int
) -> None:
    drawn = drawn_of(waiting, size)
    assert len(drawn) == min(size, len(waiting))
    assert [each.candidate for each in drawn] == sorted((each.candidate for each in drawn), key=list_order)
    by_group: dict[Group, list[Drawn]] = {}
    for each in drawn:
        by_group.setdefault(each.group, []).append(each)
    for group, chosen in by_group.items():
        ordered = sorted((c for c in waiting if waiting_groups([c])[group]), key=list_order)
        assert [each.candidate for each in chosen] == ordered[: len(chosen)]
        assert [each.rank for each in chosen] == list(range(1, len(chosen) + 1))
        assert all(list_order(a.candidate) < list_order(b.candidate) for a, b in pairwise(chosen))
