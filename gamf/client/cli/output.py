"""How things are printed: tables that fit the terminal, plain text elsewhere, JSON; progress on stderr."""

import json
import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast
from zoneinfo import ZoneInfo

import click
from pydantic import BaseModel

from gamf.client.cli.language import say

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

# Wide enough that nothing is cut or folded when a program reads the table.
_UNBOUNDED = 10_000
# A reference, a date or an instant stays in one piece.
_NEVER_FOLDED = 22


Value = Any
"""A value as the use cases give it: a model, several, or what JSON holds."""


def plain(value: Value) -> Value:
    """Return what JSON can hold of a model, of models or of a plain value."""
    match value:
        case BaseModel():
            return value.model_dump(mode="json")
        case list() | tuple():
            return [plain(each) for each in cast("Sequence[Value]", value)]
        case _:
            return value


def print_json(value: Value, *, on_one_line: bool = False) -> None:
    """Print a value as JSON, in UTF-8."""
    click.echo(json.dumps(plain(value), ensure_ascii=False, indent=None if on_one_line else 2))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str = "") -> None:
    """Print a table that fits the terminal; in a pipe or a file, plain columns, nothing cut."""
    from rich import box  # noqa: PLC0415 - slow to import, and most commands print no table
    from rich.table import Table  # noqa: PLC0415 - the same

    terminal = sys.stdout.isatty()
    table = Table(
        title=title or None,
        title_justify="left",
        box=box.SIMPLE_HEAD if terminal else None,
        pad_edge=terminal,
        padding=(0, 1) if terminal else (0, 2, 0, 0),
    )
    cells = [[shown(each) for each in row] for row in rows]
    for place, heading in enumerate(headings):
        short = all(len(row[place]) <= _NEVER_FOLDED for row in cells)
        table.add_column(heading, overflow="fold", no_wrap=short)
    for row in cells:
        table.add_row(*row)
    if rows or terminal:
        _print(_console(terminal=terminal), table)
    if not rows:
        click.echo(say("(rien)", "(nothing)"))


def _console(*, terminal: bool) -> "Console":
    from rich.console import Console  # noqa: PLC0415 - slow to import

    return Console(
        width=None if terminal else _UNBOUNDED,
        markup=False,
        highlight=False,
        emoji=False,
        soft_wrap=not terminal,
    )


def _print(console: "Console", table: "Table") -> None:
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        click.echo(line.rstrip())


def print_fields(fields: Sequence[tuple[str, Any]]) -> None:
    """Print a record, one field a line; a field without a value is left out."""
    present = [(name, shown(value)) for name, value in fields if value not in (None, "", [], {}, ())]
    width = max((len(name) for name, _ in present), default=0)
    for name, value in present:
        click.echo(f"{name:<{width}}  {value}")


def shown(value: Value) -> str:
    """Return a value as a person reads it: an instant on its RLS's clock (A23), else this machine's, and its offset."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return say("oui", "yes") if value else say("non", "no")
    if isinstance(value, datetime):
        local = value if isinstance(value.tzinfo, ZoneInfo) else value.astimezone()
        return f"{local:%Y-%m-%d %H:%M %z}"
    return str(value)


class Bar(Protocol):
    """Shows how far something went."""

    def __call__(self, done: int, total: int | None = None) -> None:
        """Say that `done` are done, of `total` when that is known."""


@contextmanager
def progress(label: str, total: int | None = None) -> Generator[Bar]:
    """Show a progress bar on stderr while the block runs; nothing when stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield _silent
        return
    from rich import progress as bars  # noqa: PLC0415 - slow to import
    from rich.console import Console  # noqa: PLC0415 - the same

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TimeElapsedColumn(),
    )
    with bars.Progress(*columns, console=Console(stderr=True), transient=True) as shown_progress:
        task = shown_progress.add_task(label, total=total)

        def move(done: int, total: int | None = None) -> None:
            shown_progress.update(task, completed=done, total=total)

        yield move


def _silent(done: int, total: int | None = None) -> None:
    """Show nothing."""


@contextmanager
def private_output(target: Path | None) -> Generator[BinaryIO]:
    """Open a file that only its owner can read, or the standard output when there is none."""
    if target is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file
