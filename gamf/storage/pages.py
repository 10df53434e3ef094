"""A page of a list: who is on it, by one walk of an index for each part of what somebody may see.

A page begins after the last row of the one before. What may change between two pages stands in the cursor beside the
reference; what never changes is read again by the reference alone. What has no value comes last, whichever way.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, NamedTuple

from gamf.domain.orders import Order
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import Scope
from gamf.storage.connection import Connection

Rows = list[dict[str, Any]]
Condition = tuple[str, object]
"""Words of SQL with `{}` where the value stands, and the value."""
EVERYTHING: Final = Scope(everything=True)
_CURSOR: Final = re.compile(r"([0-9A-Za-z._-]{1,100})(?:~([0-9A-Za-z_:.+-]{0,40}))?")
_LARGEST: Final = 2**63 - 1


class By(NamedTuple):
    """The columns of an order, the last of which tells equals apart.

    What is `carried` may change meanwhile: the first column's value, a text or an instant, is in the cursor.
    """

    columns: tuple[str, ...]
    carried: type[str] | type[datetime] | None = None
    nullable: bool = False


class Listed(NamedTuple):
    """A table that is listed: its reference, whether that is a number, and its orders by their names.

    Who is on a page is found by the `handle`: the reference, or what stands in the indexes in its place.
    """

    table: str
    reference: str
    query: str
    """The query of the rows, whose last word is their handle."""
    orders: Mapping[str, By]
    numbered: bool = False
    always: str | None = None
    """What is true of every row that is listed."""
    handle: str | None = None

    @property
    def found_by(self) -> str:
        """Return the column of the handle."""
        return self.handle or self.reference


class Part(NamedTuple):
    """A part of what somebody may see: the rows that have one of these combinations in these columns.

    The combinations are given, or are those of a `source`, a query.
    """

    columns: tuple[str, ...]
    values: Sequence[tuple[str, ...]] = ()
    source: str | None = None


EVERY_RLS: Final = Part(("t.rls",), source="(SELECT rls FROM networks)")
"""Everything, as a walk for each RLS: the index that one RLS is read by is enough for all of them."""


class Asked(NamedTuple):
    """Which page: in which order, after which one, of how many."""

    order: Order
    after: str | None
    limit: int


class _Picked(NamedTuple):
    """One that is on the page, and where the next page begins if it is the last one."""

    handle: str | int
    cursor: str


class _Place(NamedTuple):
    """Where a page begins: after that reference, which had that value; `told` when the cursor said it."""

    reference: str | int
    value: str | datetime | None
    told: bool


class _Half(Enum):
    """Of an order in which not all have a value: those who have one, then the others; else the whole."""

    WHOLE = ""
    VALUED = "NOT NULL"
    UNVALUED = "NULL"


class _Values:
    """The values of a query, by their numbers."""

    def __init__(self) -> None:
        self.given: list[object] = []

    def add(self, value: object) -> str:
        self.given.append(value)
        return f"${len(self.given)}"

    def words(self, conditions: Iterable[Condition]) -> list[str]:
        return [words.format(self.add(value)) for words, value in conditions]


def parts_of(scope: Scope, rls: str = "t.rls", physician: str = "t.physician") -> tuple[Part, ...] | None:
    """Return the parts of a scope; None when it is everything."""
    if scope.everything:
        return None
    found = (
        Part((rls,), [(each,) for each in sorted(scope.rls)]),
        Part((physician,), [(each,) for each in sorted(scope.physicians)]),
    )
    return tuple(part for part in found if part.values)


async def fetch(conn: Connection, query: str, *arguments: object) -> Rows:
    """Return all the rows of a query."""
    return [dict(row) for row in await conn.fetch(query, *arguments)]


async def fetch_one(conn: Connection, query: str, *arguments: object) -> dict[str, Any] | None:
    """Return the row of a query, or None."""
    row = await conn.fetchrow(query, *arguments)
    return dict(row) if row else None


def given(words: Sequence[str], values: Sequence[object]) -> list[Condition]:
    """Return the conditions of what is asked for: one that is not there leaves the planner the index of the others."""
    return [(each, value) for each, value in zip(words, values, strict=True) if value is not None]


async def page_of(
    conn: Connection,
    listed: Listed,
    conditions: Sequence[Condition],
    parts: Sequence[Part] | None,
    asked: Asked,
    *,
    sort: bool = False,
) -> Rows:
    """Return the rows of that page, in order: of these parts, or of all when there are none to tell.

    Each has the `cursor` of what comes after it.

    With `sort`, whoever answers the conditions is found first and sorted then: for conditions that go with the order,
    of which the planner knows nothing, and would walk an index past all that do not answer.

    Raises:
        RefusedByRuleError: what the page begins after is no such thing.
    """
    picked = await _pick(conn, listed, conditions, parts, asked, sort=sort)
    if not picked:
        return []
    found = await conn.fetch(f"{listed.query} = ANY ($1)", [each.handle for each in picked])
    rows = {row[listed.found_by]: dict(row) for row in found}
    return [rows[each.handle] | {"cursor": each.cursor} for each in picked if each.handle in rows]


async def _pick(
    conn: Connection,
    listed: Listed,
    conditions: Sequence[Condition],
    parts: Sequence[Part] | None,
    asked: Asked,
    *,
    sort: bool,
) -> list[_Picked]:
    """Return who is on that page, in order."""
    walk = _Walk(listed, listed.orders[asked.order.by], conditions, parts, asked.order.backwards, sort)
    place = _place(listed, walk.by, asked.after)
    found: list[_Picked] = []
    for half in (_Half.VALUED, _Half.UNVALUED) if walk.by.nullable else (_Half.WHOLE,):
        rest = asked.limit - len(found)
        if rest and not _is_passed(half, place) and (parts is None or parts):
            query, values = walk.query(half, place, rest)
            rows = await conn.fetch(query, *values)
            found += [_Picked(row["handle"], _cursor(row["handle"], row["k0"], walk.by)) for row in rows]
    return found


def _cursor(handle: object, value: object, by: By) -> str:
    if by.carried is None:
        return str(handle)
    written = "" if value is None else value.isoformat() if isinstance(value, datetime) else str(value)
    return f"{handle}~{written}"


def _place(listed: Listed, by: By, after: str | None) -> _Place | None:
    if after is None:
        return None
    found = _CURSOR.fullmatch(after)
    if found is None or (listed.numbered and not _is_number(found[1])):
        raise _no_place()
    reference: str | int = int(found[1]) if listed.numbered else found[1]
    if found[2] is None or by.carried is None:
        return _Place(reference, None, told=False)
    return _Place(reference, _instant(found[2]) if by.carried is datetime else found[2], told=True)


def _is_number(written: str) -> bool:
    return written.isdecimal() and int(written) <= _LARGEST


def _instant(written: str) -> datetime | None:
    """Return an instant as a cursor has it, in UTC, or None for what had none."""
    if not written:
        return None
    try:
        at = datetime.fromisoformat(written)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _no_place()


def _no_place() -> RefusedByRuleError:
    return RefusedByRuleError(
        "form",
        "La page demandée commence après quelque chose qui n’est pas de cette liste.",
        "The page asked for begins after something that is not of this list.",
        "after",
    )


def _is_passed(half: _Half, place: _Place | None) -> bool:
    """Tell whether the page begins after all who have a value."""
    return half is _Half.VALUED and place is not None and place.told and place.value is None


def _arrays(part: Part, values: "_Values") -> list[str]:
    columns = ([row[number] for row in part.values] for number in range(len(part.columns)))
    return [f"{values.add(column)}::text[]" for column in columns]


@dataclass(frozen=True)
class _Walk:
    """The query of a page: for each part of it one walk of an index, which stops at the size of the page."""

    listed: Listed
    by: By
    conditions: Sequence[Condition]
    parts: Sequence[Part] | None
    backwards: bool
    sort: bool

    def query(self, half: _Half, place: _Place | None, limit: int) -> tuple[str, list[object]]:
        """Return the query of one half of the order, with its values."""
        values = _Values()
        words = [*self._words(half, values), *self._beyond(half, place, values)]
        if self.parts is None:
            return f"{self._where(words)} {self._end(half, limit)}", values.given
        walks = [self._of(part, words, self._end(half, limit), values) for part in self.parts]
        return f"{' UNION '.join(walks)} {self._end(half, limit, merged=True)}", values.given

    def _rows(self) -> str:
        # The columns of the order are there, so that the parts are merged by them.
        columns = ", ".join(f"{column} AS k{number}" for number, column in enumerate(self.by.columns))
        return f"SELECT t.{self.listed.found_by} AS handle, {columns} FROM {self.listed.table} t"  # noqa: S608 - constants

    def _where(self, words: Sequence[str]) -> str:
        found = f"{self._rows()} WHERE {' AND '.join(words) or 'true'}"
        return f"SELECT * FROM ({found} OFFSET 0) AS found" if self.sort else found  # noqa: S608 - constants

    def _end(self, half: _Half, limit: int, *, merged: bool = False) -> str:
        way = " DESC" if self.backwards else ""
        named = merged or self.sort
        names = [f"k{number}" for number in range(len(self.by.columns))] if named else list(self.by.columns)
        order = ", ".join(f"{name}{way}" for name in names[half is _Half.UNVALUED :])
        return f"ORDER BY {order} LIMIT {limit:d}"

    def _words(self, half: _Half, values: "_Values") -> list[str]:
        always = [self.listed.always] if self.listed.always else []
        has = [] if half is _Half.WHOLE else [f"{self.by.columns[0]} IS {half.value}"]
        return [*always, *values.words(self.conditions), *has]

    def _of(self, part: Part, words: Sequence[str], end: str, values: "_Values") -> str:
        names = [f"v{number}" for number in range(len(part.columns))]
        own = [f"{column} = s.{name}" for column, name in zip(part.columns, names, strict=True)]
        source = part.source or f"unnest({', '.join(_arrays(part, values))})"
        rows = f"{self._where([*own, *words])} {end}"
        return f"SELECT p.* FROM {source} AS s ({', '.join(names)}), LATERAL ({rows}) AS p"  # noqa: S608 - constants

    def _beyond(self, half: _Half, place: _Place | None, values: "_Values") -> list[str]:
        """Return the condition of what comes after a place."""
        if place is None or (place.told and half is _Half.UNVALUED and place.value is not None):
            return []
        columns = self.by.columns[half is _Half.UNVALUED :]
        sign, left = "<" if self.backwards else ">", ", ".join(columns)
        if place.told:
            key = (place.value, place.reference)[half is _Half.UNVALUED :]
            return [f"({left}) {sign} ({', '.join(map(values.add, key))})"]
        row = f"FROM {self.listed.table} t WHERE t.{self.listed.reference} = {values.add(place.reference)}"
        after = f"({left}) {sign} (SELECT {left} {row})"
        if half is _Half.UNVALUED:
            return [f"({after} OR (SELECT {self.by.columns[0]} IS NOT NULL {row}))"]
        return [after]
