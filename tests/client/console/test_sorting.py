"""Headings that sort: links that keep the filters, say which way, and lead through every page."""

import re
from html import unescape

import pytest

from gamf.client.console.sorting import sorting
from gamf.domain.orders import ORDERS, USUAL, Listing, Order, order_of, written
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import Role, grant
from gamf.storage.connection import Pool
from tests.client.console.browser import Browser
from tests.client.console.conftest import AddAccount
from tests.system import add_network, add_patients, add_physician

PATHS = {
    "/": Listing.TASKS,
    "/attributions": Listing.ATTRIBUTIONS,
    "/blocs": Listing.BLOCKS,
    "/liste": Listing.REGISTER,
    "/medecins": Listing.PHYSICIANS,
    "/ramq": Listing.RAMQ_FILES,
    "/ramq/lettres": Listing.LETTERS,
}
_SHOWN = re.compile(r'<th scope="row"><a href="/medecins/(\d{5})">')


def link(page: str, words: str) -> str:
    """Return where the link that begins with these words leads."""
    found = re.search(rf'<a [^>]*href="([^"]+)"[^>]*>{words}', page)
    assert found, words
    return unescape(found[1])


@pytest.fixture
async def licences(pool: Pool, add_account: AddAccount, browser: Browser) -> list[str]:
    """Return sixty physicians, more than a page; an auditor is signed in."""
    async with pool.acquire() as conn:
        rls = await add_network(conn)
        made = [await add_physician(conn, rls) for _ in range(60)]
    await add_account("eve", grant(Role.AUDITOR))
    await browser.sign_in("eve")
    return made


async def test_a_heading_sorts_turns_and_keeps_the_filters_over_the_pages(
    browser: Browser, licences: list[str]
) -> None:
    page = (await browser.get("/medecins?statut=participating")).text
    assert page.count("aria-sort=") == 1
    assert _SHOWN.findall(page) == licences[:50]
    page = (await browser.get(link(page, "Permis"))).text
    assert 'aria-sort="descending"' in page
    assert _SHOWN.findall(page) == licences[::-1][:50]
    assert '<input type="hidden" name="tri" value="-licence">' in page
    page = (await browser.get(link(page, "Les suivants"))).text
    assert (_SHOWN.findall(page), "Les suivants" in page) == (licences[::-1][50:], False)
    assert 'value="participating" selected' in page
    page = (await browser.get(link(page, "Nom"))).text
    assert (page.count('aria-sort="ascending"'), page.count("aria-sort=")) == (1, 1)
    assert "Aucun médecin" in (await browser.get("/medecins?statut=disengaged&tri=name")).text


async def test_every_order_of_every_list_is_offered_and_another_is_refused(
    browser: Browser, pool: Pool, licences: list[str]
) -> None:
    async with pool.acquire() as conn:
        rls = await conn.fetchval("SELECT rls FROM physicians WHERE licence = $1", licences[0])
        await add_patients(conn, rls, 2)
    for path, listing in PATHS.items():
        for order in written(listing):
            assert (await browser.get(f"{path}?tri={order}")).status_code == 200, (path, order)
        answer = await browser.get(f"{path}?tri=adresse")
        assert answer.status_code == 422
        assert ", ".join(ORDERS[listing]) in unescape(answer.text)
    for path in (
        "/?apres=x",
        "/attributions?apres=%00",
        "/liste?apres=x:y",
        "/attributions?tri=deadline&apres=x~y",
    ):
        assert (await browser.get(path)).status_code in {200, 422}, path


def test_the_heading_in_use_leads_the_other_way_and_another_its_usual_way() -> None:
    wanted = {"etat": "drawn", "medecin": ""}
    usual = sorting(Listing.BLOCKS, "/blocs", wanted, "")
    assert usual.order == USUAL[Listing.BLOCKS]
    assert usual.heading("requested") == ("/blocs?etat=drawn&tri=requested", "descending")
    assert usual.heading("rls") == ("/blocs?etat=drawn&tri=rls", None)
    assert usual.next_page("2026-0001") == "/blocs?etat=drawn&apres=2026-0001"
    turned = sorting(Listing.BLOCKS, "/blocs", wanted, "-rls")
    assert turned.heading("rls") == ("/blocs?etat=drawn&tri=rls", "descending")
    assert turned.heading("requested") == ("/blocs?etat=drawn&tri=-requested", None)
    assert turned.next_page("2026-0001") == "/blocs?etat=drawn&tri=-rls&apres=2026-0001"


@pytest.mark.parametrize("listing", Listing)
def test_an_order_is_read_as_it_is_written(listing: Listing) -> None:
    orders = [Order(by, way) for by in ORDERS[listing] for way in (False, True)]
    assert [order_of(listing, each) for each in written(listing)] == orders
    assert order_of(listing, "") is None
    for wrong in ("--deadline", "deadline desc", "reference;", "-"):
        with pytest.raises(RefusedByRuleError) as error:
            order_of(listing, wrong, "tri")
        assert error.value.reason.field == "tri"
