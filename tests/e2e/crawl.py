"""What somebody comes to by clicking, and in how many clicks from *My tasks*."""

from collections.abc import AsyncGenerator, Sequence
from typing import Final, NamedTuple

from playwright.async_api import Page

from tests.e2e.console import TWO, Clicks
from tests.e2e.screens import route_of, routes

_ALIKE: Final = 3
"""Pages that one route makes which are opened, at each number of clicks."""


class Reached(NamedTuple):
    """A page that is open: its route, where, and after how many clicks."""

    route: str
    path: str
    clicks: int


async def crawl(page: Page, names: Sequence[str]) -> AsyncGenerator[Reached]:
    """Open what two clicks lead to, from the first screen: by its links, and by a search for each of these names."""
    seen: set[str] = set()
    wave = ["/"]
    for clicks in range(TWO + 1):
        following: list[str] = await _found(page, names) if clicks == 0 else []
        alike: dict[str, int] = {}
        for path in wave:
            route = route_of(path)
            if route not in routes() or path in seen or alike.get(route, 0) == _ALIKE:
                continue
            alike[route] = alike.get(route, 0) + 1
            seen.add(path)
            await page.goto(path)
            yield Reached(route, path, clicks)
            following += await _links(page)
        wave = following


async def _found(page: Page, names: Sequence[str]) -> list[str]:
    """Search for each name; return where one is led."""
    found: list[str] = []
    for name in names:
        await Clicks(page).find(name)
        found.append(page.url.partition("//")[2].partition("/")[2])
    return [f"/{each}" for each in found]


async def _links(page: Page) -> list[str]:
    hrefs: list[str] = await page.locator("a[href^='/']").evaluate_all(
        "all => all.map((each) => each.getAttribute('href'))"
    )
    return hrefs
