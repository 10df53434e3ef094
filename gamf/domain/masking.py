"""No small count is published, nor can it be worked out from those that are.

A table has rows and columns; one column may be the sum of others, and one row the sum of all the others. The mark is
the same whatever the reason, so that a reader knows of a masked cell only what the sums say of it. They must say
little: in each sum whose total is shown, the masked parts are at least two and count `LEAST` persons together, as one
group would have to; and no masked cell has only one value that satisfies all the sums at once.

That last condition is one of graphs. Each cell is an edge between its row's sum and its column's; the cells that the
sums determine are the bridges of the graph of masked edges, those on no cycle.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

LEAST: Final = 5
"""Persons. A count of fewer is masked, zero too: it says as much of a small group as one does."""

Cell: TypeAlias = tuple[str, str]
"""A row and a column."""
Node: TypeAlias = tuple[str, str]
_NO_SUM: Final[Node] = ("", "")


class Sums(NamedTuple):
    """What adds up: the column `total` is the sum of `parts` in every row; the row `whole`, if any, of all others."""

    total: str
    parts: tuple[str, ...]
    whole: str | None


@dataclass(frozen=True)
class _Sum:
    total: Cell
    parts: tuple[Cell, ...]


def masked(counts: Mapping[Cell, int], sums: Sums) -> frozenset[Cell]:
    """Return the cells to mask; what is added to the small ones is the smallest that protects them."""
    hidden = {cell for cell, count in counts.items() if count < LEAST}
    lines = dict(_sums(counts, sums))
    while more := _to_protect(counts, sums, lines, hidden):
        hidden |= more
    return frozenset(hidden)


def _sums(counts: Mapping[Cell, int], sums: Sums) -> Iterator[tuple[Node, _Sum]]:
    rows = sorted({row for row, _ in counts})
    for row in rows:
        yield ("row", row), _Sum((row, sums.total), tuple((row, part) for part in sums.parts))
    if sums.whole is None:
        return
    for column in sorted({column for _, column in counts}):
        parts = tuple((row, column) for row in rows if row != sums.whole)
        yield ("column", column), _Sum((sums.whole, column), parts)


def _to_protect(
    counts: Mapping[Cell, int], sums: Sums, lines: Mapping[Node, _Sum], hidden: set[Cell]
) -> set[Cell]:
    """Return what must be masked besides, or nothing when all is well."""
    more: set[Cell] = set()
    for line in lines.values():
        within = [cell for cell in line.parts if cell in hidden]
        alone = len(within) == 1 or sum(counts[cell] for cell in within) < LEAST
        if within and alone and line.total not in hidden:
            more |= _smallest(counts, [line], hidden)
    if not more:
        for cell in _determined(hidden, sums, lines):
            more |= _smallest(
                counts, [lines[node] for node in _ends(cell, sums) if node in lines], hidden | more
            )
    return more


def _smallest(counts: Mapping[Cell, int], lines: Sequence[_Sum], hidden: set[Cell]) -> set[Cell]:
    shown = [cell for line in lines for cell in line.parts if cell not in hidden]
    totals = [line.total for line in lines if line.total not in hidden]
    candidates = shown or totals
    return {min(candidates, key=lambda cell: (counts[cell], cell))} if candidates else set()


def _ends(cell: Cell, sums: Sums) -> tuple[Node, Node]:
    row, column = cell
    summed = column == sums.total or column in sums.parts
    return ("row", row) if summed else _NO_SUM, ("column", column) if sums.whole is not None else _NO_SUM


def _determined(hidden: set[Cell], sums: Sums, lines: Mapping[Node, _Sum]) -> list[Cell]:
    """Return the masked cells that the sums determine: the bridges of the graph."""
    edges: dict[Node, list[tuple[Node, Cell]]] = defaultdict(list)
    for cell in sorted(hidden):
        one, other = _ends(cell, sums)
        if one != other:
            edges[one].append((other, cell))
            edges[other].append((one, cell))
    return _Bridges(edges).found if lines else []


class _Bridges:
    """Tarjan's bridges, without recursion: a graph of a province has more nodes than Python's stack has frames."""

    def __init__(self, edges: Mapping[Node, Sequence[tuple[Node, Cell]]]) -> None:
        self._edges: Mapping[Node, Sequence[tuple[Node, Cell]]] = edges
        self._order: dict[Node, int] = {}
        self._low: dict[Node, int] = {}
        self.found: list[Cell] = []
        for node in edges:
            if node not in self._order:
                self._walk(node)

    def _walk(self, root: Node) -> None:
        self._visit(root)
        path: list[tuple[Node, Cell | None, Iterator[tuple[Node, Cell]]]] = [
            (root, None, iter(self._edges[root]))
        ]
        while path:
            node, came_by, rest = path[-1]
            step = next(rest, None)
            if step is None:
                path.pop()
                self._leave(node, came_by, path[-1][0] if path else None)
            elif step[1] != came_by:
                self._follow(node, step, path)

    def _visit(self, node: Node) -> None:
        self._order[node] = self._low[node] = len(self._order)

    def _follow(
        self,
        node: Node,
        step: tuple[Node, Cell],
        path: list[tuple[Node, Cell | None, Iterator[tuple[Node, Cell]]]],
    ) -> None:
        other, cell = step
        if other in self._order:
            self._low[node] = min(self._low[node], self._order[other])
        else:
            self._visit(other)
            path.append((other, cell, iter(self._edges[other])))

    def _leave(self, node: Node, came_by: Cell | None, parent: Node | None) -> None:
        if parent is None or came_by is None:
            return
        self._low[parent] = min(self._low[parent], self._low[node])
        if self._low[node] > self._order[parent]:
            self.found.append(came_by)
