"""The pages of the Temporal UI, by what an operator does there."""

from typing import Final
from urllib.parse import quote

from playwright.async_api import FrameLocator, Locator, Page, expect

NAMESPACE: Final = "/namespaces/default/workflows"
_CONFIGURE: Final = "workflows-summary-table-configuration-button"
# A loaded machine takes its time to show a page, and a worker to answer its queries.
expect.set_options(timeout=30_000)


class WorkflowList:
    """The list of workflows."""

    def __init__(self, page: Page, ui: str) -> None:
        self.page = page
        self._address = ui + NAMESPACE

    async def open(self, query: str = "") -> None:
        """Open the list with that filter, as a bookmark does."""
        await self.page.goto(f"{self._address}?query={quote(query)}")
        await expect(self.heading("Workflow ID")).to_be_visible()

    def heading(self, column: str) -> Locator:
        """Return the heading of that column."""
        return self.page.get_by_test_id(f"workflows-summary-table-header-cell-{column}")

    def row(self, workflow_id: str) -> Locator:
        """Return the row of that workflow."""
        rows = self.page.get_by_test_id("workflows-summary-configurable-table-row")
        return rows.filter(has=self.page.get_by_role("link", name=workflow_id, exact=True))

    async def shows(self, workflow_ids: list[str]) -> None:
        """Wait until these are listed, and nothing else."""
        for workflow_id in workflow_ids:
            await expect(self.row(workflow_id)).to_be_visible()
        rows = self.page.get_by_test_id("workflows-summary-configurable-table-row")
        await expect(rows).to_have_count(len(workflow_ids))

    async def show_columns(self, added: list[str], removed: list[str]) -> None:
        """Choose the columns, as one does once: the browser remembers."""
        await self.page.get_by_test_id(_CONFIGURE).click()
        for column in removed:
            await self.page.get_by_test_id(f"orderable-list-item-{column}-remove-button").click()
        for column in added:
            await self.page.get_by_test_id(f"orderable-list-item-{column}-add-button").click()
        await self.page.get_by_test_id("drawer-close-button").first.click()


class WorkflowPage:
    """The pages of one workflow."""

    def __init__(self, page: Page, ui: str) -> None:
        self.page = page
        self._address = ui + NAMESPACE

    async def open(self, workflow_id: str) -> None:
        """Open the workflow, which shows its timeline."""
        await self.page.goto(f"{self._address}/{workflow_id}")
        await expect(self.page.get_by_text("User Metadata")).to_be_visible()

    async def at_a_glance(self) -> None:
        """Turn to the page of the summary and the current details."""
        await self.page.get_by_text("User Metadata").click()
        await expect(self.page.get_by_text("Current Details")).to_be_visible()

    @property
    def summary(self) -> FrameLocator:
        """Return the frame of the summary."""
        return self.page.frame_locator("iframe").nth(0)

    @property
    def current_details(self) -> FrameLocator:
        """Return the frame of the current details."""
        return self.page.frame_locator("iframe").last

    async def history(self) -> None:
        """Turn to the event history."""
        await self.page.get_by_text("Event History").first.click()
        await expect(self.page.get_by_text("Event Type")).to_be_visible()
