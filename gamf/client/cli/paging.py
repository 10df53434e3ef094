"""Lists, whole: a page at a time is read and printed, however many there are."""

import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from pydantic import BaseModel

from gamf.client.cli import session
from gamf.client.cli.commands import option
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_table
from gamf.domain.orders import Listing, Order, order_of, written

if TYPE_CHECKING:
    from gamf.client.reading import Page
    from gamf.storage.connection import Connection

Item = TypeVar("Item", bound=BaseModel)
_AT_ONCE: Final = 500
_IN_A_TERMINAL: Final = 50


def limited(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--limit` to a command that lists."""
    return option(
        "--limit",
        type=click.IntRange(1),
        shown=Text("N", "N"),
        fr="Au plus N (50 dans un terminal, tous ailleurs).",
        en="At most N (50 in a terminal, all elsewhere).",
    )(function)


def sorted_by(listing: Listing) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add `--sort` to a command that lists; which is given the order."""

    def read(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Order | None:
        return order_of(listing, value)

    return option(
        "--sort",
        "sort",
        type=click.Choice(written(listing)),
        callback=read,
        shown=Text("ORDRE", "ORDER"),
        fr="Trier ainsi ; avec - devant, à rebours.",
        en="Sort so; with - before it, backwards.",
    )


def print_list(
    fetch: "Callable[[Connection, str | None, int], Awaitable[Page[Item]]]",
    headings: Sequence[str],
    row: Callable[[Item], Sequence[Any]],
    *,
    data: Path | None,
    limit: int | None,
    json_wanted: bool,
) -> None:
    """Print what `fetch` gives, page after page; it takes a connection, where to go on, how many at most."""
    most = limit or (_IN_A_TERMINAL if sys.stdout.isatty() and not json_wanted else None)

    async def work(conn: "Connection") -> None:
        if json_wanted:
            await _print_json(conn, fetch, most)
        else:
            await _print_rows(conn, fetch, most, headings, row)

    session.read(data, work)


async def _print_json(
    conn: "Connection",
    fetch: "Callable[[Connection, str | None, int], Awaitable[Page[Item]]]",
    most: int | None,
) -> None:
    count, after = 0, None
    click.echo("[", nl=False)
    while True:
        page = await fetch(conn, after, _next(count, most))
        for item in page.items:
            text = json.dumps(item.model_dump(mode="json"), ensure_ascii=False)
            click.echo(("," if count else "") + "\n  " + text, nl=False)
            count += 1
        after = page.after
        if after is None or count == most:
            break
    click.echo("\n]" if count else "]")


async def _print_rows(
    conn: "Connection",
    fetch: "Callable[[Connection, str | None, int], Awaitable[Page[Item]]]",
    most: int | None,
    headings: Sequence[str],
    row: Callable[[Item], Sequence[Any]],
) -> None:
    rows: list[Sequence[Any]] = []
    after = None
    while True:
        page = await fetch(conn, after, _next(len(rows), most))
        rows += map(row, page.items)
        after = page.after
        if after is None or len(rows) == most:
            break
    print_table(headings, rows)
    if after is not None:
        click.echo(
            say(
                f"Les {len(rows)} premiers\u00a0; --limit en montre plus.",
                f"The first {len(rows)}; --limit shows more.",
            )
        )


def _next(count: int, most: int | None) -> int:
    return _AT_ONCE if most is None else min(_AT_ONCE, most - count)
