"""What every answer has: its headers, a problem where something is wrong, and a description of it all."""

import re

import httpx
import pytest

from gamf.client.acting import Desk
from gamf.client.api.app import SUBJECTS
from gamf.client.console.app import make_app
from gamf.client.console.options import Limits, Options
from gamf.domain.orders import Listing, written
from gamf.domain.roles import Role, grant
from gamf.runtime.errors import ServiceUnreachable
from gamf.runtime.settings import HostPort
from gamf.runtime.web import serving
from tests.client.api.conftest import Login, new_account, new_token

PROBLEM = "application/problem+json"


async def test_what_goes_wrong_is_a_problem(login: Login) -> None:
    client = await login(grant(Role.AUDITOR))
    for method, path, status in (
        ("GET", "/api", 404),
        ("GET", "/api/nulle-part", 404),
        ("DELETE", "/api/me", 405),
        ("GET", "/api/attributions/x", 422),
        ("GET", "/api/attributions?limit=0", 422),
        ("GET", "/api/attributions?due_before=2026-01-01", 422),
        ("GET", "/api/attributions?sort=deadline&after=2026-000001~hier", 422),
        ("GET", "/api/changes?after=x", 410),
        ("GET", "/api/physicians/00000", 404),
    ):
        answer = await client.request(method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), path
        assert answer.json()["status"] == status
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/me", "GET"),
        ("GET", "/api/facts", "POST"),
        ("PUT", "/api/blocks", "GET, POST"),
        ("PATCH", "/api/patients/00000000-0000-0000-0000-000000000000/conditions", "GET, POST"),
        ("POST", "/api/openapi.json", "GET"),
        ("GET", "/deconnexion", "POST"),
        ("DELETE", "/compte", "GET"),
        ("PUT", "/liste/x/coordonnees", "GET, POST"),
        ("POST", "/static/gamf/gamf.css", "GET, HEAD"),
    ],
)
async def test_what_is_not_asked_for_so_is_told_how(
    stranger: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await stranger.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


async def test_each_list_is_sorted_as_asked_and_another_order_is_refused_by_its_name(login: Login) -> None:
    client = await login(grant(Role.AUDITOR))
    for path, listing in (
        ("/api/attributions", Listing.ATTRIBUTIONS),
        ("/api/blocks", Listing.BLOCKS),
        ("/api/register", Listing.REGISTER),
        ("/api/tasks", Listing.TASKS),
    ):
        for order in written(listing):
            answer = await client.get(path, params={"sort": order, "limit": 2})
            assert answer.status_code == 200, (path, order)
            after = answer.json()["after"]
            assert (
                after is None
                or (await client.get(path, params={"sort": order, "after": after})).status_code == 200
            )
        answer = await client.get(path, params={"sort": "adresse"})
        assert (answer.status_code, answer.json()["fields"]) == (422, ["sort"])


async def test_a_service_that_is_away_is_named_with_what_was_kept(desk: Desk) -> None:
    app = make_app(desk)

    async def away() -> None:
        raise ServiceUnreachable("Temporal", fr="personne n’y répond.", en="nobody answers there.")

    async def wrong() -> None:
        raise ZeroDivisionError("Zéphyrin-Inventé")

    app.add_api_route("/api/temporal", away)
    app.add_api_route("/api/erreur", wrong)
    async with (
        serving(app, HostPort("127.0.0.1", 0), "test") as server,
        httpx.AsyncClient(base_url=server.url) as client,
    ):
        answer = await client.get("/api/temporal")
        assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)
        assert answer.headers["retry-after"]
        assert "Temporal" in answer.json()["title"]
        assert answer.json()["kept"]
        answer = await client.get("/api/erreur")
        assert (answer.status_code, answer.headers["content-type"]) == (500, PROBLEM)
        assert "Zéphyrin" not in answer.text


async def test_a_flood_is_told_to_wait(desk: Desk) -> None:
    app = make_app(desk, Options(limits=Limits(per_second=0.001, burst=2)))
    token = await new_token(desk.pool, await new_account(desk.pool, grant(Role.AUDITOR)))
    async with (
        serving(app, HostPort("127.0.0.1", 0), "test") as server,
        httpx.AsyncClient(base_url=server.url, headers={"Authorization": f"Bearer {token}"}) as client,
    ):
        answers = [await client.get("/api/me") for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert (answers[2].headers["content-type"], bool(answers[2].headers["retry-after"])) == (PROBLEM, True)


async def test_the_description_names_every_route_and_the_page_shows_it(stranger: httpx.AsyncClient) -> None:
    described = (await stranger.get("/api/openapi.json")).json()
    page = await stranger.get("/api/docs")
    assert page.status_code == 200
    routes = [route for subject in SUBJECTS for route in subject.router.routes]
    assert len(described["paths"]) >= len({getattr(route, "path", "") for route in routes})
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert f"{method.upper()} {path}" in page.text
            assert operation["security"] == [{"token": []}], path
            assert operation["responses"]["default"]["content"].keys() == {PROBLEM}
            assert operation["description"]
    # The one script is the console's own file; what stands in the page is none.
    assert re.findall(r"<script(?! src=\"/static/gamf/)", page.text) == []
    for forbidden in (" style=", "<style", "//cdn", "http://", "https://"):
        assert forbidden not in page.text
    assert "unsafe" not in page.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/connexion", "/nulle-part", "/apiculture"])
async def test_the_console_s_pages_stay_pages(stranger: httpx.AsyncClient, path: str) -> None:
    assert (await stranger.get(path)).headers["content-type"].startswith("text/html")
