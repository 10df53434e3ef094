"""What is asked of every screen: each audit names what it finds on the page that is open."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Literal, cast

from axe_playwright_python.async_playwright import Axe
from PIL import Image
from playwright.async_api import Locator, Page

SCRIPT: Final = f"globalThis.audit = {Path(__file__).with_name('audit.js').read_text()}"
"""What each page is given at its beginning, so that it can be asked."""
_RULES: Final = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
"""All of axe's, and the size of what is clicked on (WCAG 2.2, 2.5.8), which it leaves out by default."""
_OF_TEXT: Final = 4.5
_OF_MARKS: Final = 3.0
_LEAST_SIZE: Final = 12
"""CSS pixels of the smallest text in a picture."""
_KNEE: Final = 0.04045
_SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("dark", "light")
Colour = tuple[int, int, int]


async def ask(page: Page, audit: str, *arguments: object) -> Any:  # noqa: ANN401 - each audit has an answer of its own
    """Return what one of the audits of `audit.js` says of the page."""
    return await page.evaluate("([name, given]) => audit[name](...given)", [audit, arguments])


async def axe(page: Page) -> list[str]:
    """Return what axe finds."""
    result = cast("dict[str, Any]", (await Axe().run(page, options=_RULES)).response)
    return [
        f"{each['id']}: {each['help']}: {', '.join(str(node['target']) for node in each['nodes'])}"
        for each in result["violations"]
    ]


async def faults(page: Page) -> list[str]:
    """Return the fields at fault that are not tied to the reason, and whether one is not taken to the first."""
    return cast("list[str]", await ask(page, "faults"))


async def fits(page: Page) -> list[str]:
    """Return what does not fit: at a phone's width, at 200 % of 1400, with text twice as large."""
    found: list[str] = []
    size = page.viewport_size
    assert size is not None
    for width in (320, 700):
        await page.set_viewport_size({"width": width, "height": 450})
        found += [f"{width}: {each}" for each in await ask(page, "cut")]
        found += [f"{width}: {each}" for each in await ask(page, "small", _LEAST_SIZE)]
    await page.set_viewport_size(size)
    await page.evaluate("() => { document.documentElement.style.fontSize = '200%'; }")
    found += [f"text twice as large: {each}" for each in await ask(page, "cut")]
    await page.evaluate("() => { document.documentElement.style.fontSize = ''; }")
    return found


async def pictures(page: Page) -> list[str]:
    """Return what cannot be told from what is behind it in a picture: light, dark, and in the user's own colours."""
    found: list[str] = []
    drawn = await page.locator("svg").all()
    for scheme in _SCHEMES if drawn else ():
        await page.emulate_media(color_scheme=scheme)
        for picture in drawn:
            found += [f"{scheme}: {each}" for each in await _pale(picture)]
            await page.emulate_media(forced_colors="active")
            found += [f"{scheme}, forced colours: {each}" for each in await _pale(picture)]
            await page.emulate_media(forced_colors="none")
    await page.emulate_media(color_scheme="light")
    return found


async def moves(page: Page) -> list[str]:
    """Return what moves for somebody who asked for less motion."""
    await page.emulate_media(reduced_motion="reduce")
    found: list[str] = await ask(page, "moving")
    await page.emulate_media(reduced_motion="no-preference")
    return found


async def _pale(picture: Locator) -> list[str]:
    """Return the parts of a picture, as it is drawn, whose strongest colour is too near to the one around it."""
    drawn = Image.open(io.BytesIO(await picture.screenshot(animations="disabled"))).convert("RGB")
    parts = await picture.evaluate("(picture) => audit.parts(picture)")
    found: list[str] = []
    for part in parts:
        least = _OF_TEXT if part["words"] else _OF_MARKS
        contrast = _strongest(drawn, part["box"])
        if contrast < least:
            found.append(f"{part['name']} {contrast:.1f} < {least}")
    return found


def _strongest(drawn: Image.Image, box: Iterable[float]) -> float:
    """Return the greatest contrast, within a box and two pixels around it, to the colour at its corner."""
    left, top, right, bottom = box
    around = (max(0, int(left) - 2), max(0, int(top) - 2), int(right) + 3, int(bottom) + 3)
    part = drawn.crop(around)
    behind = cast("Colour", part.getpixel((0, 0)))
    colours = cast("list[tuple[int, Colour]]", part.getcolors(part.width * part.height))
    return max(_contrast(each, behind) for _, each in colours)


def _contrast(one: Colour, other: Colour) -> float:
    """Return the contrast of two colours (WCAG 2.2)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (_linear(part / 255) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= _KNEE else ((part + 0.055) / 1.055) ** 2.4
