"""Every screen of the console in a real Chromium, in French and in English: seen, read and reached by everybody."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Final

import pytest
from playwright.async_api import Browser, Page

from gamf.runtime.errors import Language
from tests.e2e import audits, words
from tests.e2e.console import Look, Site, opened, seated
from tests.e2e.keyboard import travels
from tests.e2e.screens import Screen, away, routes, screens

# All screens are brought up once in each language, before the first test.
pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
Audit = Callable[[Page], Awaitable[list[str]]]
Found = Mapping[str, list[str]]

_SHOWN: Final = 200
_LOOKS: Final[Mapping[Language, Look]] = {"fr": Look(), "en": Look(scheme="dark", language="en")}
"""Axe looks at each screen once in each language, in one scheme; the colours of the other are asked for as well."""
_AUDITS: Final[Mapping[Language, Mapping[str, Audit]]] = {
    "fr": {
        "faults": audits.faults,
        "axe": audits.axe,
        "fits": audits.fits,
        "pictures": audits.pictures,
        "moves": audits.moves,
        "words": words.in_french,
        "keyboard": travels,
    },
    "en": {"axe": audits.axe, "fits": audits.fits, "words": words.in_english},
}


@pytest.fixture(scope="module")
async def every(where: Site) -> AsyncGenerator[list[Screen]]:
    async with away(where) as gone:
        yield list(await screens(where, gone))


@pytest.fixture(scope="module", params=["fr", "en"])
async def found(browser: Browser, where: Site, every: list[Screen], request: pytest.FixtureRequest) -> Found:
    """Return what each audit found on every screen, in one language."""
    language: Language = "en" if request.param == "en" else "fr"
    of_account: dict[str | None, list[Screen]] = defaultdict(list)
    for screen in every:
        of_account[screen.account].append(screen)
    said: dict[str, list[str]] = defaultdict(list)
    for account, theirs in of_account.items():
        expected = {each.status for each in theirs}
        look = _LOOKS[language]
        if account is None:
            async with opened(browser, where, look, expected=expected) as page:
                await _audit(page, theirs, language, said)
        else:
            async with seated(browser, where, account, look, expected=expected) as page:
                await _audit(page, theirs, language, said)
    return said


async def _audit(page: Page, theirs: list[Screen], language: Language, said: dict[str, list[str]]) -> None:
    for screen in theirs:
        await screen.bring(page)
        if screen.status == _SHOWN:
            said["titles"].append(f"{await page.title()} | {screen.route}")
        await audits.ask(page, "open")
        for name, audit in _AUDITS[language].items():
            said[name] += [f"{screen.name}: {each}" for each in await audit(page)]


def test_every_page_of_the_console_is_looked_at(every: list[Screen]) -> None:
    missing = routes() - {each.route for each in every}
    assert not missing, f"to be added in tests/e2e/screens.py: {sorted(missing)}"


def test_axe_finds_no_violation_light_or_dark(found: Found) -> None:
    assert not found["axe"], "\n".join(found["axe"])


def test_nothing_is_cut_off_on_a_phone_or_twice_as_large(found: Found) -> None:
    assert not found["fits"], "\n".join(found["fits"])


def test_each_screen_has_a_title_of_its_own(found: Found) -> None:
    of_title: dict[str, set[str]] = defaultdict(set)
    for each in found["titles"]:
        title, _, route = each.partition(" | ")
        of_title[title].add(route)
    assert not {title: shared for title, shared in of_title.items() if len(shared) > 1}


def test_pictures_are_read_light_dark_and_in_forced_colours(found: Found) -> None:
    assert not found["pictures"], "\n".join(found["pictures"])


def test_nothing_moves_for_whoever_asked_for_less(found: Found) -> None:
    assert not found["moves"], "\n".join(found["moves"])


def test_what_is_at_fault_is_told_beside_it_and_one_is_taken_there(found: Found) -> None:
    assert not found["faults"], "\n".join(found["faults"])


def test_each_language_is_complete_and_writes_dates_its_own_way(found: Found) -> None:
    assert not found["words"], "\n".join(found["words"])


def test_the_keyboard_comes_to_everything_is_seen_and_never_trapped(found: Found) -> None:
    assert not found["keyboard"], "\n".join(found["keyboard"])
