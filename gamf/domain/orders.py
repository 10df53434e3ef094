"""In which orders each list may be read: one table for the command line, the console and the API.

An order is written as its name, and backwards with a hyphen before it: `deadline`, `-deadline`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from gamf.domain.refusal import RefusedByRuleError


class Listing(StrEnum):
    """The lists that people read a page at a time."""

    ATTRIBUTIONS = "attributions"
    BLOCKS = "blocks"
    TASKS = "tasks"
    REGISTER = "register"
    PHYSICIANS = "physicians"
    LETTERS = "letters"
    RAMQ_FILES = "ramq_files"


class Order(NamedTuple):
    """By what a list is ordered, and whether backwards; what is equal follows its reference, the same way."""

    by: str
    backwards: bool = False

    def __str__(self) -> str:
        """Return it as it is written in an address or on the command line."""
        return f"-{self.by}" if self.backwards else self.by

    def turned(self) -> "Order":
        """Return the same one the other way."""
        return Order(self.by, not self.backwards)


ORDERS: Final[Mapping[Listing, tuple[str, ...]]] = {
    Listing.ATTRIBUTIONS: ("reference", "deadline", "state"),
    Listing.BLOCKS: ("requested", "reference", "state", "physician", "rls"),
    Listing.TASKS: ("due", "kind", "rls"),
    # A18: the order of the list is by priority, then by the initial date, then by the number.
    Listing.REGISTER: ("line", "registered"),
    Listing.PHYSICIANS: ("licence", "name", "rls", "status"),
    Listing.LETTERS: ("queued",),
    Listing.RAMQ_FILES: ("made", "name", "rls", "physician", "names", "handed"),
}
"""By what each list may be ordered; there is an index for each, or few rows."""
USUAL: Final[Mapping[Listing, Order]] = {
    Listing.ATTRIBUTIONS: Order("reference"),
    Listing.BLOCKS: Order("requested", backwards=True),
    Listing.TASKS: Order("due"),
    Listing.REGISTER: Order("line"),
    Listing.PHYSICIANS: Order("licence"),
    Listing.LETTERS: Order("queued", backwards=True),
    Listing.RAMQ_FILES: Order("made", backwards=True),
}
"""The order of each list when none is asked for."""


def order_of(listing: Listing, written: str | None, field: str = "sort") -> Order | None:
    """Return the order that is written so, or None for the usual one; `field` is what a refusal names.

    Raises:
        RefusedByRuleError: the list is not read in that order.
    """
    if not written:
        return None
    order = Order(written.removeprefix("-"), written.startswith("-"))
    if order.by in ORDERS[listing]:
        return order
    offered = ", ".join(ORDERS[listing])
    raise RefusedByRuleError(
        "form",
        f"Cette liste ne se trie pas ainsi ; elle se trie par : {offered} (avec « - » devant, à rebours).",
        f"This list is not sorted so; it is sorted by: {offered} (with “-” before it, backwards).",
        field,
    )


def written(listing: Listing) -> tuple[str, ...]:
    """Return every order of a list, both ways, as they are written."""
    return tuple(str(order) for by in ORDERS[listing] for order in (Order(by), Order(by, backwards=True)))
