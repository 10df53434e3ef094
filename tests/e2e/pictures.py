"""The pictures in `docs/pictures`, of the Temporal UI and the console; `python -m tests.e2e.pictures` takes them."""

import asyncio
import tempfile
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, Page, expect

from gamf.domain.roles import Role
from gamf.domain.states import State
from gamf.runtime.embedded import EmbeddedPostgres
from tests.e2e.browser import chromium, in_quebec, quiet_page
from tests.e2e.console import Look, Site, seated, site
from tests.e2e.stage import Stage, stage
from tests.e2e.temporal_ui import WorkflowList, WorkflowPage

FOLDER: Final = Path(__file__).parents[2] / "docs" / "pictures"
_SHOWN: Final = ["AttributionState", "Deadline", "Physician", "Block", "Rls", "Vulnerable"]
_HIDDEN: Final = ["Run ID", "Type", "Start", "End"]
_LOW: Final = 560
_HIGH: Final = 860
_WIDE: Final = 1200


async def take_all(folder: Path) -> None:
    """Play the stage and take every picture."""
    with tempfile.TemporaryDirectory(prefix="gamf-pictures-") as name:
        server = EmbeddedPostgres(Path(name), durable=False)
        async with server as postgres, stage(await postgres.create_database("pictures")) as staged:
            await _take_each(staged, folder)


async def _take_each(staged: Stage, folder: Path) -> None:
    async with chromium() as browser:
        await _take_list(browser, staged, folder / "temporal-list.png")
        await _take_attribution(browser, staged, folder / "temporal-attribution.png")
        await _take_timeline(browser, staged, folder / "temporal-timeline.png")
        async with site(staged) as where:
            await _take_console(browser, where, folder)


async def _take_console(browser: Browser, where: Site, folder: Path) -> None:
    overdue = next(each for each, state in where.staged.states.items() if state is State.OVERDUE)
    screens = {
        "console-tasks": "/",
        "console-block": f"/blocs/{where.staged.block_id}",
        "console-attribution": f"/attributions/{overdue}",
    }
    async with seated(browser, where, Role.COORDINATOR, Look(width=_WIDE)) as page:
        for name, path in screens.items():
            await page.goto(path)
            await _take(page, folder / f"{name}.png")


async def _take_list(browser: Browser, staged: Stage, file: Path) -> None:
    async with in_quebec(browser, _LOW) as context, quiet_page(context) as page:
        listed = WorkflowList(page, staged.ui)
        await listed.open('AttributionState IN ("unanswered", "confirmed", "overdue")')
        await listed.show_columns(_SHOWN, _HIDDEN)
        await listed.shows(staged.those(State.UNANSWERED, State.CONFIRMED, State.OVERDUE))
        await _take(page, file)


async def _take_attribution(browser: Browser, staged: Stage, file: Path) -> None:
    async with in_quebec(browser, _HIGH) as context, quiet_page(context) as page:
        opened = WorkflowPage(page, staged.ui)
        await opened.open(staged.those(State.OVERDUE)[0])
        await opened.at_a_glance()
        await expect(opened.current_details.get_by_text("Qui doit agir")).to_be_visible()
        await _take(page, file)


async def _take_timeline(browser: Browser, staged: Stage, file: Path) -> None:
    async with in_quebec(browser, _HIGH) as context, quiet_page(context) as page:
        opened = WorkflowPage(page, staged.ui)
        await opened.open(staged.those(State.OVERDUE)[0])
        last = page.get_by_text("Fin des 72 heures pour répondre").first
        await expect(last).to_be_visible()
        await last.scroll_into_view_if_needed()
        await _take(page, file)


async def _take(page: Page, file: Path) -> None:
    # What the page fetches for later has come, and nothing moves.
    await page.wait_for_load_state("load")
    file.parent.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=file, animations="disabled", caret="hide")


if __name__ == "__main__":
    asyncio.run(take_all(FOLDER))
