"""The figures of a run: what the long tests survived and tried, printed together at its end."""

from collections import Counter
from dataclasses import dataclass, field

import pytest

FIGURE = "figure"
LINE = "figure line"


@dataclass
class Figures:
    """What one test has counted."""

    _into: list[tuple[str, object]] = field(repr=False)

    def add(self, **counts: int) -> None:
        """Add to what the whole run counts under these names."""
        self._into.extend((FIGURE, f"{number} {name}") for name, number in counts.items())

    def say(self, line: str) -> None:
        """Add a line of this test's own."""
        self._into.append((LINE, line))


def summary(reports: list[pytest.TestReport]) -> list[str]:
    """Return the lines to print: each test's own, then the sums."""
    totals: Counter[str] = Counter()
    lines: list[str] = []
    for report in reports:
        for kind, told in report.user_properties:
            if kind == LINE:
                lines.append(f"{report.nodeid.rpartition('::')[2]}: {told}")
            elif kind == FIGURE:
                number, _, name = str(told).partition(" ")
                totals[name] += int(number)
    sums = ", ".join(f"{number} {name}" for name, number in totals.items())
    return [*lines, f"in all: {sums}"] if sums else lines
