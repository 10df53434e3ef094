"""A report as a page of Markdown, and as a picture."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.results import Report, Result, Series
from gamf.client import plots

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_THREE_DIGITS: Final = 1000
_RATES: Final = "/s"
_A_PANEL: Final = 8
"""Measures in one panel of the picture."""
_HEAD: Final = """# Benchmarks

One run, written by the command: `python -m benchmarks --page docs/benchmarks.md` (`make bench` prints the table).
Absolute figures belong to the machine and the minute; what is worth remembering is the ratio to the floor, the
least that the same servers would have to do, taken in alternation in the same run. Each figure is the median of
its rounds, with the least and the most. `--plot FILE` draws the ratios, a bar a measure, from a line at 1:
for what is counted by the second, to the right is faster than the floor; for the rest, to the left is less.

"""


def said(series: Series, between: str = "\n") -> str:
    """Return the median, and the least and the most."""
    least, most = series.spread
    return f"{_number(series.median)}{between}({_number(least)} – {_number(most)})"


def _number(value: float) -> str:
    return f"{value:.3g}" if value < _THREE_DIGITS else f"{value:,.0f}"


def markdown(report: Report) -> str:
    """Return the page `docs/benchmarks.md`."""
    machine = ", ".join(f"{name} {value}" for name, value in report.machine.items())
    rows = [
        f"A block of {report.size}, {report.rounds} rounds; {machine}.",
        "",
        "| measure | unit | ours | floor | ratio | peer | ratio |",
        "|---|---|---:|---:|---:|---:|---:|",
        *map(_row, report.results),
        "",
        "## What each is",
        "",
        *(_explained(result) for result in report.results),
    ]
    return _HEAD + "\n".join(rows) + "\n"


def _row(result: Result) -> str:
    peer = said(result.peer, " ") if result.peer else ""
    beside = f"{result.peer_ratio:.2f}" if result.peer_ratio else ""
    ours, floor = said(result.ours, " "), said(result.floor, " ")
    return (
        f"| {result.name} | {result.unit} | {ours} | {floor} | **{result.ratio:.2f}** | {peer} | {beside} |"
    )


def _explained(result: Result) -> str:
    peer = f" *Peer:* {result.peer_meaning}" if result.peer_meaning else ""
    return f"- **{result.name}, {result.unit}.** {result.meaning} *Floor:* {result.floor_meaning}{peer}"


def draw(report: Report, path: Path) -> None:
    """Draw the ratio of each measure to its floor, with the spread of its rounds.

    Raises:
        ValueError: the name of the file is not that of a picture.
    """
    results = report.results
    parts = [results[first : first + _A_PANEL] for first in range(0, len(results), _A_PANEL)]
    title = "Ours ÷ floor (blue: a rate, more is better; orange: less is better)"
    with plots.picture(path, title, panels=len(parts)) as panels:
        for panel, part in zip(panels, parts, strict=True):
            _draw_part(panel, part)


def _draw_part(panel: "Axes", results: tuple[Result, ...]) -> None:
    names = [f"{result.name} ({result.unit})" for result in results]
    colours = [plots.COLOURS[0 if result.unit.endswith(_RATES) else 1] for result in results]
    # From the line at 1, to the left or to the right, so that half and twice are as far.
    lengths = [result.ratio - 1 for result in results]
    panel.barh(names, lengths, left=1, color=colours, xerr=_errors(results))
    panel.set_xscale("log")
    panel.axvline(1.0, color=plots.COLOURS[-1], linewidth=1)
    panel.invert_yaxis()


def _errors(results: tuple[Result, ...]) -> tuple[list[float], list[float]]:
    """Return how far below and above its ratio each one went."""
    below, above = list[float](), list[float]()
    for result in results:
        each = [o / f for o, f in zip(result.ours.samples, result.floor.samples, strict=True)]
        below.append(result.ratio - min(each))
        above.append(max(each) - result.ratio)
    return below, above
