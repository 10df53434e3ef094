"""What each role comes to in the console, by clicking: all that it has, in two clicks, and no refusal."""

from collections.abc import Sequence
from contextlib import aclosing
from typing import Final

import pytest
from playwright.async_api import Browser, Page

from gamf.client import acting
from gamf.domain.roles import Role
from gamf.domain.states import State
from tests.e2e.console import Site, seated
from tests.e2e.crawl import crawl
from tests.e2e.screens import Screen, away, screens

pytestmark = pytest.mark.long
_ROLES: Final = [role for role in Role if role is not Role.OPERATOR]
_BY_OTHER_WAYS: Final = {
    "/connexion",
    "/api/docs",
    "/medecins/{licence}/depart",
    "/medecins/{licence}/avisees",
}
"""What no link leads to: before signing in, software's, what a departure would bring, whom it reached if nobody."""
_OF_EVERYBODY: Final = {"/deconnexion", "/liste/recherche", "/journal/recherche", "/compte/mot-de-passe"}
"""What somebody who decides nothing may still send: to leave, to search, their own password."""


@pytest.fixture(scope="module")
async def every(where: Site) -> Sequence[Screen]:
    async with away(where) as gone:
        return [each for each in await screens(where, gone) if each.act is None and each.path.startswith("/")]


@pytest.mark.parametrize("role", _ROLES)
async def test_whatever_a_role_has_is_within_two_clicks_and_no_link_is_refused(
    browser: Browser, where: Site, every: Sequence[Screen], role: Role
) -> None:
    async with seated(browser, where, role) as page:
        async with aclosing(crawl(page, await _names(where, role))) as pages:
            reached = {each.route async for each in pages}
        theirs = {each.route for each in every if await _is_shown(page, each.path)}
    missing = theirs - reached - _BY_OTHER_WAYS
    assert not missing


async def _names(where: Site, role: Role) -> list[str]:
    """Return what somebody has in hand, and searches for: an attribution, its patient, a block."""
    attribution_id = where.staged.first(State.ENROLLED_SV)
    view = await acting.show_attribution(where.staged.desk, attribution_id)
    block = [] if role is Role.GACO else [where.staged.block_id]
    return [attribution_id, view["patient_id"], *block]


async def _is_shown(page: Page, path: str) -> bool:
    answer = await page.request.get(path, max_redirects=0)
    return answer.status == 200


async def test_an_auditor_finds_nothing_to_do_anywhere(browser: Browser, where: Site) -> None:
    offered: set[str] = set()
    names = await _names(where, Role.AUDITOR)
    async with seated(browser, where, Role.AUDITOR) as page, aclosing(crawl(page, names)) as pages:
        async for _ in pages:
            offered |= set(await _actions(page))
    assert offered == _OF_EVERYBODY


async def _actions(page: Page) -> list[str]:
    actions: list[str] = await page.locator("form[method=post]").evaluate_all(
        "all => all.map((each) => each.getAttribute('action'))"
    )
    return actions
