"""Headings that sort: each is a link to the same list, filtered the same, in another order; no script is needed."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from gamf.domain.orders import ORDERS, USUAL, Listing, Order, order_of

FIELD = "tri"
"""The field of an address that says the order."""


class Heading(NamedTuple):
    """Where a heading leads, and how the list is sorted by it now: as `aria-sort` says it, or not at all."""

    href: str
    aria_sort: str | None


class Sorting(NamedTuple):
    """The order a list is read in, and the addresses of the others."""

    listing: Listing
    path: str
    wanted: Mapping[str, str]
    """The filters, by the names of their fields."""
    asked: Order | None
    order: Order

    def heading(self, by: str) -> Heading:
        """Return the heading of an order: the one in use leads the other way, another one to its usual way."""
        if by not in ORDERS[self.listing]:
            raise KeyError(by)
        if self.order.by == by:
            way = "descending" if self.order.backwards else "ascending"
            return Heading(self._address(self.order.turned()), way)
        usual = USUAL[self.listing]
        return Heading(self._address(usual if usual.by == by else Order(by)), None)

    def next_page(self, after: str) -> str:
        """Return the address of the page that begins there."""
        return self._address(self.asked, after)

    @property
    def written(self) -> str:
        """Return the order that was asked for, so that a filter keeps it; nothing for the usual one."""
        return str(self.asked or "")

    def _address(self, order: Order | None, after: str | None = None) -> str:
        given = {**self.wanted, FIELD: str(order or ""), "apres": after or ""}
        query = urlencode({name: value for name, value in given.items() if value})
        return f"{self.path}?{query}" if query else self.path


def sorting(
    listing: Listing, path: str, wanted: Mapping[str, str], written: str, usual: Order | None = None
) -> Sorting:
    """Return how a list is sorted: as it is written in the address, else as usual.

    Raises:
        RefusedByRuleError: it is not sorted so.
    """
    asked = order_of(listing, written, FIELD)
    return Sorting(listing, path, wanted, asked, asked or usual or USUAL[listing])
