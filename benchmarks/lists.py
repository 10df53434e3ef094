"""The lists that people read, over a million attributions: the use cases from each one's seat, and the console's pages.

Each is read in every way that is offered, in turn: its first page and one in the middle, its filters, its orders.
"""

import hashlib
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import cycle, islice
from statistics import quantiles
from time import perf_counter
from typing import Any, Final, NamedTuple

import httpx

from benchmarks import province
from benchmarks.bench import Bench
from benchmarks.province import Province
from benchmarks.results import Pair, Result
from gamf.client import looking, reading
from gamf.client.access import Seat
from gamf.client.console.app import make_app
from gamf.client.console.options import Limits, Options
from gamf.domain.access import Channel
from gamf.domain.orders import Listing, Order, order_of, written
from gamf.domain.roles import Actor, Grant, Role, grant
from gamf.storage import accounts, sessions
from gamf.storage.connection import Connection, Pool
from gamf.storage.lists import AttributionFilter, BlockFilter, PhysicianFilter, RegisterFilter

_MEANING: Final = (
    "{}: {}; each in turn, {} reads a round, of 1,020,000 attributions and 1,224,000 people at full size."
)
_FLOOR: Final = "The references alone of a first page, by an index."
_READS: Final = 200
"""Reads of a measure in a round, at full size."""
_MILLISECONDS: Final = 1000
_COOKIE: Final = "gamf_session"
_MANY: Final = Options(limits=Limits(per_second=100_000, burst=100_000))

Read = Callable[[], Awaitable[object]]


class Measure(NamedTuple):
    """A list or a page as somebody reads it: how many ways, and the least that its rows take."""

    what: str
    reads: Mapping[str, Read]
    floor: tuple[str, tuple[object, ...]]


async def measure(bench: Bench) -> list[Result]:
    """Read each and its floor, in turn."""
    now = datetime.now(UTC)
    async with bench.desk.pool.acquire() as conn:
        began = perf_counter()
        place = await province.fill(conn, bench.scale.rows, now)
        print(f"  filled in {perf_counter() - began:.0f} s", file=sys.stderr)
    async with _browsers(bench, place, now) as browsers, bench.desk.pool.acquire() as conn:
        measures = {**await _use_cases(conn, place, now), **_pages(browsers, place)}
        results: list[Result] = []
        for name, each in measures.items():
            results += await _measured(conn, bench, name, each)
        return results


async def _measured(conn: Connection, bench: Bench, name: str, each: Measure) -> list[Result]:
    middle, end = Pair(), Pair()
    taken = dict[str, list[float]]()
    for _ in range(bench.scale.rounds):
        ours, floor = await _round(conn, each, min(_READS, bench.scale.size), taken)
        middle.add(_centile(ours, 50), _centile(floor, 50))
        end.add(_centile(ours, 99), _centile(floor, 99))
    for way, times in taken.items():
        print(
            f"  {name}, {way}: p50 {_centile(times, 50):.1f} ms, p99 {_centile(times, 99):.1f} ms",
            file=sys.stderr,
        )
    reads = min(_READS, bench.scale.size)
    meaning = _MEANING.format(each.what, ", ".join(each.reads), reads)
    return [
        middle.result(f"{name}, p50", "ms", meaning, _FLOOR),
        end.result(f"{name}, p99", "ms", meaning, _FLOOR),
    ]


async def _round(
    conn: Connection, each: Measure, reads: int, taken: dict[str, list[float]]
) -> tuple[list[float], list[float]]:
    """Read in each way in turn, and the floor after each; what a first one finds cold is left out."""
    for read in each.reads.values():
        await read()
    ours, floor = list[float](), list[float]()
    for way, read in islice(cycle(each.reads.items()), max(reads, len(each.reads))):
        ours.append(await _timed(read))
        taken.setdefault(way, []).append(ours[-1])
        floor.append(await _timed(partial(conn.fetch, each.floor[0], *each.floor[1])))
    return ours, floor


async def _timed(read: Read) -> float:
    began = perf_counter()
    await read()
    return (perf_counter() - began) * _MILLISECONDS


def _centile(times: list[float], centile: int) -> float:
    return quantiles(times, n=100, method="inclusive")[centile - 1] if len(times) > 1 else times[0]


# --- the use cases --------------------------------------------------------------------------------------------------


def _seats(place: Province, now: datetime) -> dict[str, Seat]:
    grants = {
        "coordinator": grant(Role.COORDINATOR, place.rls[:1]),
        "five RLS": grant(Role.COORDINATOR, place.rls[:5]),
        "clinic": grant(Role.CLINIC, place.physicians),
        "auditor": grant(Role.AUDITOR),
    }
    return {
        who: Seat(Actor(account="banc", grants=(each,)), Channel.API, now) for who, each in grants.items()
    }


async def _use_cases(conn: Connection, place: Province, now: datetime) -> dict[str, Measure]:
    found = dict[str, Measure]()
    for who, seat in _seats(place, now).items():
        found[f"list: attributions, {who}"] = await _attributions(conn, seat, place, now)
        found[f"list: my tasks, {who}"] = await _tasks(conn, seat)
        found[f"list: blocks, {who}"] = await _blocks(conn, seat, place)
        if who in {"coordinator", "auditor"}:
            found[f"list: the list, {who}"] = await _register(conn, seat, place, now.date())
            found[f"list: RAMQ's files, {who}"] = await _files(conn, seat)
        if who == "auditor":
            found[f"list: physicians, {who}"] = await _physicians(conn, seat)
            found[f"list: letters, {who}"] = await _letters(conn, seat)
    return found


async def _ways(listing: Listing, ask: Callable[..., Awaitable[reading.Page[Any]]]) -> dict[str, Read]:
    """Return the first page in each order, and the tenth in the usual one."""
    ways: dict[str, Read] = {
        f"by {each}": partial(ask, order=order_of(listing, each)) for each in written(listing)
    }
    after: str | None = None
    for _ in range(9):
        after = (await ask(after=after)).after or after
    return {"first page": partial(ask), "tenth page": partial(ask, after=after), **ways}


async def _attributions(conn: Connection, seat: Seat, place: Province, now: datetime) -> Measure:
    def ask(only: AttributionFilter, order: Order | None = None, after: str | None = None) -> Awaitable[Any]:
        return looking.list_attributions(conn, seat, only, order=order, after=after)

    week = now + timedelta(days=7)
    ways = await _ways(Listing.ATTRIBUTIONS, partial(ask, AttributionFilter()))
    filters = {
        "overdue": AttributionFilter("overdue"),
        "enrolled": AttributionFilter("enrolled_mf"),
        "of a physician": AttributionFilter(physician=place.physicians[0]),
        "of a block": AttributionFilter(block_id=place.block_id),
        "due in a week": AttributionFilter(due_before=week),
    }
    ways |= {way: partial(ask, only) for way, only in filters.items()}
    ways["overdue by deadline"] = partial(ask, filters["overdue"], Order("deadline"))
    ways["due in a week by reference"] = partial(ask, filters["due in a week"], Order("reference"))
    return Measure(
        "`list_attributions`", ways, _floor(seat, "attributions", "attribution_id", "attribution_id")
    )


async def _tasks(conn: Connection, seat: Seat) -> Measure:
    ways = await _ways(Listing.TASKS, partial(looking.my_tasks, conn, seat))
    return Measure("`my_tasks`", ways, _floor(seat, "tasks", "task_id", "due", "closed_at IS NULL"))


async def _blocks(conn: Connection, seat: Seat, place: Province) -> Measure:
    ask = partial(looking.summarize_blocks, conn, seat)
    ways = await _ways(Listing.BLOCKS, partial(ask, BlockFilter()))
    ways["of a physician"] = partial(ask, BlockFilter(place.physicians[0]))
    ways["attributed"] = partial(ask, BlockFilter(state="attributed"))
    return Measure("`summarize_blocks`", ways, _floor(seat, "blocks", "block_id", "requested_at DESC"))


async def _register(conn: Connection, seat: Seat, place: Province, today: date) -> Measure:
    ask = partial(looking.list_register, conn, seat, as_of=today)
    own = place.rls[0] if seat.actor.grants[0].rls else None
    ways = await _ways(Listing.REGISTER, partial(ask, RegisterFilter(own, "waiting")))
    ways["everybody"] = partial(ask, RegisterFilter(own))
    ways["left"] = partial(ask, RegisterFilter(own, "left"))
    ways["of a priority"] = partial(ask, RegisterFilter(own, "waiting", "C"))
    order = "priority, registered_on, number" if own else "number"
    floor = _floor(seat, "patients", "number", order)
    return Measure("`list_register`", ways, floor)


async def _physicians(conn: Connection, seat: Seat) -> Measure:
    ask = partial(looking.list_physicians, conn, seat)
    ways = await _ways(Listing.PHYSICIANS, partial(ask, PhysicianFilter()))
    ways["by the beginning of a name"] = partial(ask, PhysicianFilter(name="inventé-a"))
    return Measure("`list_physicians`", ways, _floor(seat, "physicians", "licence", "licence"))


async def _letters(conn: Connection, seat: Seat) -> Measure:
    def ask(state: str | None, order: Order | None = None, after: str | None = None) -> Awaitable[Any]:
        return looking.list_outbox(conn, seat, state, order=order, after=after)

    ways = await _ways(Listing.LETTERS, partial(ask, None))
    ways |= {state: partial(ask, state) for state in ("queued", "sending", "sent", "withheld")}
    return Measure("`list_outbox`", ways, _floor(seat, "letters", "letter_id", "queued_at DESC"))


async def _files(conn: Connection, seat: Seat) -> Measure:
    ways = await _ways(Listing.RAMQ_FILES, partial(looking.list_ramq_files, conn, seat))
    return Measure("`list_ramq_files`", ways, _floor(seat, "blocks", "block_id", "requested_at DESC"))


def _floor(
    seat: Seat, table: str, reference: str, order: str, where: str = "true"
) -> tuple[str, tuple[object, ...]]:
    """Return the least that a first page takes: of an RLS or a physician of theirs, else of everybody."""
    (given,) = seat.actor.grants
    own = sorted(given.rls or given.physicians)[:1]
    column = "rls" if given.rls else "physician"
    mine = f"AND {column} = $1" if own else ""
    query = f"SELECT {reference} FROM {table} WHERE {where} {mine} ORDER BY {order} LIMIT {reading.PAGE}"  # noqa: S608 - ours
    return query, tuple(own)


# --- the pages ------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _browsers(
    bench: Bench, place: Province, now: datetime
) -> AsyncGenerator[Mapping[str, httpx.AsyncClient]]:
    """Sign in a coordinator and an auditor to a console of this process."""
    app = make_app(bench.desk, _MANY)
    seats = _seats(place, now)
    opened = dict[str, httpx.AsyncClient]()
    for who in ("coordinator", "five RLS", "auditor"):
        token = await _signed_in(bench.desk.pool, f"banc-{len(opened)}", seats[who].actor.grants, now)
        transport = httpx.ASGITransport(app)
        client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", cookies={_COOKIE: token})
        opened[who] = client
    try:
        yield opened
    finally:
        for client in opened.values():
            await client.aclose()


async def _signed_in(pool: Pool, account: str, grants: tuple[Grant, ...], now: datetime) -> str:
    token = f"{account}-{now.isoformat()}"
    async with pool.acquire() as conn:
        await accounts.add(conn, account, "aucun", now)
        await accounts.set_password(conn, account, "aucun", now, must_change=False)
        await accounts.set_grants(conn, account, grants)
        fingerprint = hashlib.sha256(token.encode()).digest()
        await sessions.begin(conn, fingerprint, account, now, now + timedelta(hours=9), "127.0.0.1")
    return token


def _pages(browsers: Mapping[str, httpx.AsyncClient], place: Province) -> dict[str, Measure]:
    tasks = _floor_of_rls(place, "tasks", "task_id", "due", "closed_at IS NULL AND owner = 'coordinator'")
    attributions = _floor_of_rls(place, "attributions", "attribution_id", "attribution_id")
    blocks = _floor_of_rls(place, "blocks", "block_id", "requested_at DESC")
    people = _floor_of_rls(place, "patients", "number", "priority, registered_on, number")
    rls = place.rls[0]
    found = {
        "page: my tasks": (("/", "/?tri=kind", "/?tri=-due"), tasks),
        "page: attributions": (
            ("/attributions", "/attributions?etat=overdue", "/attributions?tri=deadline"),
            attributions,
        ),
        "page: blocks": (("/blocs", "/blocs?etat=closed&tri=physician"), blocks),
        "page: the list": ((f"/liste?rls={rls}", f"/liste?rls={rls}&place=&tri=registered"), people),
    }
    measures = {
        name: Measure(
            "The page as the console answers it, in one process",
            {
                f"{path} ({who})": partial(_shown, browser, path)
                for who, browser in browsers.items()
                for path in paths
            },
            floor,
        )
        for name, (paths, floor) in found.items()
    }
    auditor = browsers["auditor"]
    others = ("/medecins", "/medecins?tri=name", "/ramq", "/ramq?tri=-handed", "/ramq/lettres?etat=queued")
    measures["page: physicians, files and letters"] = Measure(
        "The page as the console answers it, in one process",
        {path: partial(_shown, auditor, path) for path in others},
        ("SELECT licence FROM physicians ORDER BY licence LIMIT 50", ()),
    )
    return measures


def _floor_of_rls(
    place: Province, table: str, reference: str, order: str, where: str = "true"
) -> tuple[str, tuple[object, ...]]:
    query = (
        f"SELECT {reference} FROM {table} WHERE {where} AND rls = $1 ORDER BY {order} LIMIT {reading.PAGE}"  # noqa: S608 - ours
    )
    return query, (place.rls[0],)


async def _shown(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    answer.raise_for_status()
