"""A real Chromium, and everything that a page complains of."""

from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    async_playwright,
)

CHROMIUM: Final = Path("/usr/bin/chromium")
WIDTH: Final = 1400
# No sandbox of its own: it has none for root. The others keep it from calling home.
_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Of its own fields, such as the order of a date; what pages are told is the context's.
    "--lang=en-US",
)
_FIRST_ERROR: Final = 400
_LET_GO: Final = "net::ERR_ABORTED"


class NoBrowserError(Exception):
    """There is no Chromium on this machine."""

    def __init__(self) -> None:
        super().__init__(f"{CHROMIUM} is missing: apt-get install chromium (as .ci/run does)")


@asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    """Start Debian's Chromium.

    Raises:
        NoBrowserError: it is not installed.
    """
    if not CHROMIUM.exists():
        raise NoBrowserError
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        yield browser
        await browser.close()


@asynccontextmanager
async def in_quebec(browser: Browser, height: int = 900) -> AsyncGenerator[BrowserContext]:
    """Return a context as a coordinator in Québec has it; its pages share what they fetched and were told."""
    context = await browser.new_context(
        viewport={"width": WIDTH, "height": height}, locale="fr-CA", timezone_id="America/Toronto"
    )
    yield context
    await context.close()


@asynccontextmanager
async def quiet_page(context: BrowserContext, *, expected: Collection[int] = ()) -> AsyncGenerator[Page]:
    """Open a page; at the end it must have complained of nothing, but of answers with an expected status."""
    page = await context.new_page()
    complaints: list[str] = []
    _listen(page, complaints, expected)
    yield page
    await page.close()
    assert not complaints, "\n".join(complaints)


def _listen(page: Page, complaints: list[str], expected: Collection[int]) -> None:
    def complain(url: str, text: str) -> None:
        # A query that fails shows in what the page then lacks; the SDK fails one at times on an ended workflow.
        if "/query/" not in url:
            complaints.append(f"{text} {url}")

    def on_console(message: ConsoleMessage) -> None:
        """Keep errors, which what a policy of the page refused is too."""
        announced = any(
            f"the server responded with a status of {status}" in message.text for status in expected
        )
        if message.type == "error" and not announced:
            complain(message.location["url"], message.text)

    def on_response(response: Response) -> None:
        if response.status >= _FIRST_ERROR and response.status not in expected:
            complain(response.url, str(response.status))

    def on_failed(request: Request) -> None:
        # What the browser itself lets go of when somebody leaves the page, or saves a file, is no failure.
        if request.failure != _LET_GO:
            complain(request.url, str(request.failure))

    page.on("console", on_console)
    page.on("response", on_response)
    page.on("requestfailed", on_failed)
    page.on("pageerror", lambda error: complaints.append(str(error)))
