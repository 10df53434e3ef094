"""A person who has a keyboard and nothing else."""

from datetime import date
from typing import Any, Final

from playwright.async_api import Locator, Page, expect

from tests.e2e.audits import ask

_LONG: Final = 400
"""More stops than any page has."""


async def travels(page: Page) -> list[str]:
    """Go through a page with Tab and back with Shift+Tab; return what is not reached, not seen, or does not let go."""
    await ask(page, "begin")
    there = await _round(page, "Tab")
    expected = int(await ask(page, "stops"))
    back = await _round(page, "Shift+Tab")
    found = [
        f"{each['name']}: {fault}"
        for each in there
        for fault, well in (("focus is not seen", each["shows"]), ("something lies over it", each["clear"]))
        if not well
    ]
    if len(there) != expected:
        found.append(f"{len(there)} stops, of {expected}")
    if [each["stop"] for each in back] != [each["stop"] for each in reversed(there)]:
        found.append("the way back is another")
    return found


async def _round(page: Page, key: str) -> list[dict[str, Any]]:
    """Press the key until one is out of the page; return the stops."""
    stops: list[dict[str, Any]] = []
    for _ in range(_LONG):
        await page.keyboard.press(key)
        at = await ask(page, "focus")
        if at is None or (len(stops) > 1 and at["stop"] == stops[0]["stop"]):
            break
        # A date has several stops of its own, which the browser draws.
        if not stops or at["stop"] != stops[-1]["stop"]:
            stops.append(at)
    return stops


class Keys:
    """The way of somebody through the console by the keyboard alone; each stop must show where it is."""

    def __init__(self, page: Page) -> None:
        self._page: Page = page

    async def to(self, wanted: Locator, key: str = "Tab") -> None:
        """Press Tab until that has the focus."""
        await expect(wanted).to_be_attached()
        before = ""
        for _ in range(_LONG):
            await self._page.keyboard.press(key)
            at = await ask(self._page, "focus")
            if at is None or at["stop"] == before:
                continue
            before = at["stop"]
            assert at["shows"], at
            assert at["clear"], at
            if await wanted.evaluate("each => each === document.activeElement"):
                return
        raise AssertionError(wanted)

    async def press(self, wanted: Locator, key: str = "Enter") -> None:
        """Go there and press a key on it."""
        await self.to(wanted)
        await self._page.keyboard.press(key)

    async def write(self, wanted: Locator, text: str) -> None:
        """Go to a field and type in it."""
        await self.to(wanted)
        await self._page.keyboard.type(text)

    async def follow(self, link: Locator, title: str) -> None:
        """Go to a link, press Enter, and wait for the page of that title."""
        await self.press(link)
        await expect(self._page.get_by_role("heading", level=1)).to_contain_text(title)

    async def write_day(self, wanted: Locator, day: date) -> None:
        """Go to a date and type it, in the order of the browser's own language, which is American English."""
        await self.to(wanted)
        await self._page.keyboard.type(f"{day:%m%d%Y}")
        await expect(wanted).to_have_value(day.isoformat())
