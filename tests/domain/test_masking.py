"""Small counts: none is shown, and none can be worked out; tried against linear algebra."""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from gamf.domain.indicators import CAUSES, COLUMNS, COUNTS, MEDIAN, Measured, months, publish
from gamf.domain.masking import LEAST, Cell, Sums, masked

PARTS = ("a", "b", "c")
MONTH = date(2026, 5, 1)


@st.composite
def tables(draw: st.DrawFn) -> tuple[dict[Cell, int], Sums]:
    """Draw a table whose sums hold: rows, parts, another column, with or without a row of all."""
    rows = [f"r{number}" for number in range(draw(st.integers(1, 5)))]
    few = st.one_of(st.integers(0, 6), st.integers(0, 60))
    counts: dict[Cell, int] = {(row, part): draw(few) for row in rows for part in (*PARTS, "other")}
    counts |= {(row, "sum"): sum(counts[row, part] for part in PARTS) for row in rows}
    whole = "all" if draw(st.booleans()) else None
    if whole is not None:
        columns = (*PARTS, "other", "sum")
        counts |= {(whole, column): sum(counts[row, column] for row in rows) for column in columns}
    return counts, Sums("sum", PARTS, whole)


def equations(counts: Mapping[Cell, int], sums: Sums) -> list[tuple[Cell, list[Cell]]]:
    """Return every sum of the table: its total, its parts."""
    rows = sorted({row for row, _ in counts})
    found = [((row, sums.total), [(row, part) for part in sums.parts]) for row in rows]
    if sums.whole is not None:
        columns = sorted({column for _, column in counts})
        others = [row for row in rows if row != sums.whole]
        found += [((sums.whole, column), [(row, column) for row in others]) for column in columns]
    return found


def determined(counts: Mapping[Cell, int], sums: Sums, hidden: frozenset[Cell]) -> set[Cell]:
    """Return the hidden cells that have one value only in all solutions of the sums, by elimination."""
    names = sorted(hidden)
    matrix: list[list[Fraction]] = []
    for total, parts in equations(counts, sums):
        signs = {total: Fraction(-1)} | dict.fromkeys(parts, Fraction(1))
        matrix.append([signs.get(name, Fraction(0)) for name in names])
    pivots: list[int] = []
    for column in range(len(names)):
        rank = len(pivots)
        row = next((i for i in range(rank, len(matrix)) if matrix[i][column]), None)
        if row is None:
            continue
        matrix[rank], matrix[row] = matrix[row], matrix[rank]
        matrix[rank] = [value / matrix[rank][column] for value in matrix[rank]]
        for other in range(len(matrix)):
            if other != rank and matrix[other][column]:
                factor = matrix[other][column]
                pairs = zip(matrix[other], matrix[rank], strict=True)
                matrix[other] = [mine - factor * its for mine, its in pairs]
        pivots.append(column)
    return {names[column] for i, column in enumerate(pivots) if sum(map(bool, matrix[i])) == 1}


@given(tables())
def test_no_small_count_is_shown_nor_can_be_worked_out(table: tuple[dict[Cell, int], Sums]) -> None:
    counts, sums = table
    hidden = masked(counts, sums)
    assert {cell for cell, count in counts.items() if count < LEAST} <= hidden
    assert determined(counts, sums, hidden) == set()


@given(tables())
def test_the_masked_parts_of_a_sum_that_is_shown_are_themselves_a_group_large_enough(
    table: tuple[dict[Cell, int], Sums],
) -> None:
    counts, sums = table
    hidden = masked(counts, sums)
    for total, parts in equations(counts, sums):
        within = [cell for cell in parts if cell in hidden]
        if within and total not in hidden:
            assert len(within) > 1
            assert sum(counts[cell] for cell in within) >= LEAST


@given(tables())
def test_where_no_count_is_small_nothing_is_masked(table: tuple[dict[Cell, int], Sums]) -> None:
    counts, _ = table
    large = {
        cell: count + 5 for cell, count in counts.items() if cell[1] in {*PARTS, "other"} and cell[0] != "all"
    }
    assert masked(large, Sums("none", (), None)) == frozenset()


def test_two_that_are_four_each_are_not_given_away_by_their_sum() -> None:
    counts = {("r", "a"): 1, ("r", "b"): 20, ("r", "c"): 8, ("r", "sum"): 29}
    assert masked(counts, Sums("sum", PARTS, None)) == {("r", "a"), ("r", "c")}


# --- what is published --------------------------------------------------------------------------------------------


def measured(rls: str | None, median_of: int = 50, **counts: int) -> Measured:
    causes = dict.fromkeys(CAUSES, 0) | {f"returned_{name}": count for name, count in counts.items()}
    given = dict.fromkeys(COUNTS, 100) | causes | {"returned": sum(causes.values())}
    return Measured(rls=rls, month=MONTH, counts=given, median=30.5, median_of=median_of)


def test_a_median_of_fewer_than_five_people_is_masked() -> None:
    four, five = (publish([measured("1", median_of=number)], ["1"])[0] for number in (4, 5))
    assert (four.values[MEDIAN], MEDIAN in four.masked) == (None, True)
    assert five.values[MEDIAN] == 30.5


def test_the_province_is_the_sum_of_its_rls() -> None:
    lines = publish(
        [measured("1", lapsed=40, refused=20), measured("2", lapsed=50, refused=30), measured(None)], []
    )
    assert [line.rls for line in lines] == ["1", "2", None]
    whole = lines[-1]
    assert (whole.month, whole.values["attributed"], whole.values["returned"]) == ("2026-05", 200, 140)


def test_asking_for_one_rls_shows_what_the_whole_table_shows_of_it() -> None:
    table = [measured(str(number), lapsed=number, refused=30 + number, expired=7) for number in range(9)]
    whole = publish(table, [])
    for number in range(9):
        assert publish(table, [str(number)]) == tuple(line for line in whole if line.rls == str(number))


def test_what_is_masked_is_named() -> None:
    for line in publish([measured("1", lapsed=3, refused=9), measured("2", lapsed=30, refused=9)], []):
        assert set(line.masked) == {name for name in COLUMNS if line.values[name] is None}


def test_months_are_whole_and_both_ends_count() -> None:
    assert months(date(2025, 12, 31), date(2026, 2, 1)) == (
        date(2025, 12, 1),
        date(2026, 1, 1),
        date(2026, 2, 1),
    )
    assert months(date(2026, 2, 1), date(2026, 1, 1)) == ()
