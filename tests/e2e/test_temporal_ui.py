"""The Temporal UI in a real Chromium: what an operator reads there."""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import BrowserContext, Page, expect
from temporalio.service import RPCError, RPCStatusCode

from gamf.domain.names import block_workflow_id
from gamf.domain.states import AWAITED, DEADLINE_LABELS, LABELS, WAITS, State
from gamf.runtime.embedded import EmbeddedPostgres
from tests.e2e.browser import chromium, in_quebec, quiet_page
from tests.e2e.stage import Stage, stage
from tests.e2e.temporal_ui import WorkflowList, WorkflowPage

# They need Debian's Chromium, which `.ci/run` installs; `make test` needs nothing but Python.
pytestmark = pytest.mark.long

_TORONTO: Final = ZoneInfo("America/Toronto")
_MONTHS: Final = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
_WAITING: Final = (
    State.PROPOSED,
    State.UNANSWERED,
    State.CONFIRMED,
    State.OVERDUE,
    State.ENROLLED_SV,
)


@pytest.fixture(scope="module")
async def staged(postgres: EmbeddedPostgres) -> AsyncGenerator[Stage]:
    url = await postgres.create_database(f"ui_{uuid4().hex}")
    async with stage(url) as played:
        yield played


@pytest.fixture(scope="module")
async def context() -> AsyncGenerator[BrowserContext]:
    async with chromium() as browser, in_quebec(browser) as opened:
        yield opened


@pytest.fixture
async def page(context: BrowserContext) -> AsyncGenerator[Page]:
    async with quiet_page(context) as opened:
        yield opened


async def test_the_list_is_filtered_by_the_state_of_the_attribution(staged: Stage, page: Page) -> None:
    listed = WorkflowList(page, staged.ui)
    await listed.open('AttributionState="confirmed"')
    await listed.shows(staged.those(State.CONFIRMED))
    await listed.open('AttributionState IN ("unanswered", "overdue")')
    await listed.shows(staged.those(State.UNANSWERED, State.OVERDUE))


async def test_the_list_shows_the_state_and_the_deadline_but_temporal_does_not_sort(
    staged: Stage, page: Page
) -> None:
    """Temporal on SQLite or PostgreSQL takes no ORDER BY: lists in the order of the deadline are our own."""
    overdue = staged.those(State.OVERDUE)[0]
    view = await staged.view(overdue)
    listed = WorkflowList(page, staged.ui)
    await listed.open('WorkflowType="Attribution"')
    await listed.show_columns(["AttributionState", "Deadline", "Physician"], ["Run ID", "End"])
    for text in ("overdue", f"{_local(view['deadline']).day} ", view["physician"]):
        await expect(listed.row(overdue)).to_contain_text(text)
    await expect(listed.heading("Deadline").get_by_role("button")).to_have_count(0)
    with pytest.raises(RPCError, match="'ORDER BY' clause") as refused:
        await anext(staged.desk.temporal.list_workflows('AttributionState="confirmed" ORDER BY Deadline'))
    assert refused.value.status is RPCStatusCode.INVALID_ARGUMENT


async def test_the_list_is_narrowed_by_deadline(staged: Stage, page: Page) -> None:
    waiting = staged.those(*_WAITING)
    due = {each: datetime.fromisoformat((await staged.view(each))["deadline"]) for each in waiting}
    limit = sorted(due.values())[len(due) // 2]
    listed = WorkflowList(page, staged.ui)
    await listed.open(f'Deadline < "{limit.isoformat().replace("+00:00", "Z")}"')
    await listed.shows([each for each in waiting if due[each] < limit])


@pytest.mark.parametrize("state", _WAITING)
async def test_an_attribution_is_read_at_a_glance(staged: Stage, page: Page, state: State) -> None:
    workflow_id = staged.those(state)[0]
    view = await staged.view(workflow_id)
    opened = WorkflowPage(page, staged.ui)
    await opened.open(workflow_id)
    await opened.at_a_glance()
    details = opened.current_details.locator("body")
    await expect(details).to_contain_text(_typeset(LABELS[state][0]), ignore_case=True)
    await expect(details).to_contain_text(_typeset(AWAITED[state][0]), ignore_case=True)
    await expect(details).to_contain_text(_typeset(DEADLINE_LABELS[WAITS[state]][0]))
    await expect(details).to_contain_text(_said(_local(view["deadline"])))
    await expect(opened.summary.locator("body")).to_contain_text(f"médecin {view['physician']}")


async def test_an_attribution_that_has_ended_says_so(staged: Stage, page: Page) -> None:
    opened = WorkflowPage(page, staged.ui)
    await opened.open(staged.those(State.ENROLLED_MF)[0])
    await opened.at_a_glance()
    details = opened.current_details.locator("body")
    await expect(details).to_contain_text("Inscrit en médecine familiale (MF)")
    await expect(details).to_contain_text(_typeset("Personne : l'attribution est terminée"))


async def test_a_block_is_read_at_a_glance(staged: Stage, page: Page) -> None:
    opened = WorkflowPage(page, staged.ui)
    await opened.open(block_workflow_id(staged.block_id))
    await opened.at_a_glance()
    details = opened.current_details.locator("body")
    await expect(details).to_contain_text("Le médecin : accepter ou refuser dans les 72 heures")
    await expect(details).to_contain_text("Proposée au médecin")


async def test_timers_and_activities_have_names_that_a_coordinator_understands(
    staged: Stage, page: Page
) -> None:
    opened = WorkflowPage(page, staged.ui)
    await opened.open(staged.those(State.OVERDUE)[0])
    understood = [
        "Fin des 72 heures pour répondre",
        "Remettre la lettre au transporteur",
        "Fin des 14 jours pour inscrire SV",
        "Fin du délai de grâce SV : l'attribution devient caduque",
    ]
    # The UI names a local activity by its type alone: what it did is told by the current details.
    local = ["confirm_acceptance", "open_task"]
    for words in (*understood, *local):
        await expect(page.get_by_text(words).first).to_be_visible()
    await opened.history()
    for words in (*understood, *local):
        await expect(page.get_by_text(words).first).to_be_visible()


async def test_what_has_happened_is_told_in_words(staged: Stage, page: Page) -> None:
    opened = WorkflowPage(page, staged.ui)
    await opened.open(staged.those(State.OVERDUE)[0])
    await opened.at_a_glance()
    details = opened.current_details.locator("body")
    for words in (
        "Patient attribué, proposé au médecin",
        "Acceptation du médecin confirmée",
        "Fin des 14 jours pour inscrire SV",
    ):
        await expect(details).to_contain_text(words)


def _local(instant: str) -> datetime:
    return datetime.fromisoformat(instant).astimezone(_TORONTO)


def _said(due: datetime) -> str:
    """Say the day and the hour as the rules do: midnight is 24:00 of the day before."""
    midnight = due.hour == due.minute == 0
    day = due - timedelta(days=1) if midnight else due
    first = "1er" if day.day == 1 else str(day.day)
    hour = "24 h 00" if midnight else f"{due.hour} h {due.minute:02}"
    return f"{first} {_MONTHS[day.month - 1]} {day.year}, {hour}"


def _typeset(words: str) -> str:
    """Return the words as the UI's Markdown sets them: with a typographic apostrophe."""
    return words.replace("'", "’")
