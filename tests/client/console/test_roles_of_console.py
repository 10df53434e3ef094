"""Every use case for every role, asked of the console's own routes: what the one table says, and nothing else."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Final

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi.routing import APIRoute
from structlog.testing import capture_logs

from gamf.client import passwords
from gamf.client.acting import Desk
from gamf.client.console import forms, indicators
from gamf.client.console.app import SCREENS, make_app
from gamf.client.console.options import Limits, Options
from gamf.client.passwords import Passwords
from gamf.domain.profile import GROUPS
from gamf.domain.roles import READINGS, Role, UseCase
from gamf.storage import accounts
from tests.client.console.browser import PASSWORD, Browser, another, browsing
from tests.client.world import (
    LEAVES,
    OPERATORS_ONLY,
    REASON,
    TODAY,
    Ask,
    World,
    cases,
    make_world,
    may,
    name_of,
)
from tests.system import System

# Every route as every role is a minute; `tests/domain/test_roles.py` holds the table in `make test`.
pytestmark = pytest.mark.long

_ENROLMENT: Final = {"physician": "10000", "effective_on": str(LEAVES), "basis": "base inventée"}
_SHARES: Final = {
    f"{'v' if group.vulnerable else 'n'}-{group.ages}": "50" if group.ages == "70+" else "0"
    for group in GROUPS
}


def fact(name: str, **fields: str) -> Ask:
    """Return the report of a fact."""
    return Ask(UseCase(name), "/attributions/{attribution_id}/{fact}", fields, of={"fact": name})


def departure(rest: str, body: Mapping[str, str] | None = None, query: str = "") -> Ask:
    """Return a request about the departure of the physician who leaves."""
    route = f"/medecins/{{licence}}/depart{rest}"
    return Ask(UseCase.PHYSICIAN_DEPARTURE, route, body, query, {"licence": "{leaver}"})


ASKS: Final[Sequence[Ask]] = (
    Ask(UseCase.BLOCK_LIST, "/blocs"),
    Ask(UseCase.BLOCK_SHOW, "/blocs/{block_id}"),
    Ask(UseCase.BLOCK_REQUEST, "/blocs", {"permis": "{licence}", "nombre": "1"}),
    Ask(UseCase.APPROVED, "/blocs/{block_id}/approuver", {}),
    Ask(UseCase.WITHDRAWN, "/blocs/{block_id}/retirer", REASON),
    Ask(UseCase.LIST_ACCEPTED, "/blocs/{block_id}/reponse", {"reponse": "accepte"}),
    Ask(UseCase.LIST_REFUSED, "/blocs/{block_id}/reponse", {"reponse": "refuse", **REASON}),
    Ask(UseCase.PROFILE_SHOW, "/profils"),
    Ask(UseCase.PROFILE_SHOW, "/profils/{rls}"),
    Ask(UseCase.PROFILE_SET, "/profils/{rls}", _SHARES),
    Ask(UseCase.PROFILE_SET, "/profils/{rls}/liste-attente", {}),
    Ask(UseCase.ATTRIBUTION_LIST, "/attributions"),
    Ask(UseCase.ATTRIBUTION_LIST, "/medecins/{licence}/avisees", of={"licence": "{leaver}"}),
    Ask(UseCase.ATTRIBUTION_SHOW, "/attributions/{attribution_id}"),
    Ask(UseCase.LETTER_SHOW, "/attributions/{attribution_id}/lettres/{letter_id}"),
    Ask(UseCase.REGISTER_CORRECT, "/liste/{patient_id}/coordonnees"),
    Ask(UseCase.REGISTER_CORRECT, "/liste/{patient_id}/coordonnees", {"phone": "418 555-0199", **REASON}),
    Ask(UseCase.REGISTER_MOVE, "/liste/{patient_id}/demenagement", {"to": "?", "on": str(TODAY), **REASON}),
    Ask(UseCase.REGISTER_REINSTATE, "/liste/{patient_id}/retour", REASON),
    Ask(UseCase.CONDITION_SHOW, "/liste/{patient_id}/conditions"),
    Ask(UseCase.CONDITION_RECORD, "/liste/{patient_id}/conditions", {"code": "CHRONIQUE", "on": str(TODAY)}),
    Ask(UseCase.CONDITION_RECORD, "/liste/{patient_id}/conditions/{condition_id}/retirer", REASON),
    # To come, so that the attribution goes on and its clinic still has the patient.
    Ask(UseCase.PATIENT_LEFT, "/liste/{patient_id}/depart", {"on": str(LEAVES), "cause": "left_quebec"}),
    Ask(UseCase.ENROLLED_ELSEWHERE, "/liste/{patient_id}/inscription", _ENROLMENT),
    Ask(UseCase.ADVANCE, "/attributions/{attribution_id}/avancer", {}),
    fact("accepted"),
    fact("refused", **REASON),
    fact("cancelled", **REASON),
    fact("sv_entered"),
    Ask(UseCase.SV_ENTERED, "/blocs/{block_id}/inscrire", {"a-{attribution_id}": "1"}),
    fact("window_reopened", opens_on=str(TODAY), **REASON),
    fact("patient_refused", ground="motif inventé"),
    fact("mf_signed", signed_on=str(TODAY)),
    fact("enrolled_elsewhere", physician="10000", effective_on=str(TODAY), basis="base inventée"),
    fact("patient_left", on=str(TODAY), cause="left_quebec"),
    fact("physician_left", on=str(TODAY), cause="retired"),
    Ask(UseCase.TASK_LIST, "/"),
    Ask(UseCase.TASK_DONE, "/taches/{task_id}/fermer", {}),
    Ask(UseCase.REGISTER_LIST, "/liste"),
    Ask(UseCase.REGISTER_SHOW, "/liste/{patient_id}"),
    Ask(UseCase.PHYSICIAN_LIST, "/medecins"),
    Ask(UseCase.PHYSICIAN_SHOW, "/medecins/{licence}"),
    departure("", query=f"on={LEAVES}&cause=retired"),
    departure("", {"on": str(LEAVES), "cause": "retired"}),
    departure("/retrait", REASON),
    Ask(UseCase.PHYSICIAN_DEPARTURE, "/medecins/{licence}/retour", {"on": str(TODAY), **REASON}),
    Ask(UseCase.INDICATORS_SHOW, "/indicateurs"),
    Ask(UseCase.INDICATORS_SHOW, "/indicateurs/graphique.svg", query="de=2026-06&a=2026-06"),
    Ask(UseCase.RAMQ_LISTS_SHOW, "/ramq"),
    Ask(UseCase.RAMQ_LISTS_SHOW, "/ramq/blocs/{block_id}"),
    Ask(UseCase.RAMQ_LISTS_SHOW, "/ramq/blocs/{block_id}/fichiers/{number}"),
    Ask(UseCase.RAMQ_LISTS_SEND, "/ramq/blocs/{block_id}/fichiers/{number}/remise", {}),
    Ask(UseCase.OUTBOX_SHOW, "/ramq/lettres"),
    Ask(UseCase.OWN_ACCOUNT, "/compte"),
    Ask(UseCase.ACCESS_LOG_SHOW, "/journal"),
    Ask(UseCase.ACCESS_LOG_SHOW, "/journal/recherche", {"patient": "{patient_id}"}),
    Ask(UseCase.ACCESS_LOG_SHOW, "/journal/mois"),
)
OPEN: Final = frozenset(
    {
        ("POST", "/deconnexion"),
        ("GET", "/langue/{language}"),
        # One's own, whoever one is: tests/client/console/test_signing_in.py.
        ("POST", "/compte/mot-de-passe"),
        # It tells a page that something of it has changed, and never what.
        ("GET", "/direct"),
        # It only leads to a page that is asked above, or says that nobody of theirs is known so.
        ("POST", "/liste/recherche"),
    }
)
"""What is the same for every role."""
ELSEWHERE: Final[Mapping[UseCase, str]] = {
    **OPERATORS_ONLY,
    UseCase.NETWORK_LIST: "the RLS stand in the forms of the list and of the indicators, and have no page",
}
"""The use cases that have no route of the console, each with the reason."""


@pytest.fixture(scope="module")
async def world(system: System) -> World:
    return await make_world(system)


def _undrawn(*_: object) -> bytes:
    return b"<svg/>"


@pytest.fixture(scope="module")
async def browsers(world: World) -> AsyncGenerator[Mapping[Role, Browser]]:
    """Return a browser for each role, signed in, of one console."""
    options = Options(training=True, limits=Limits(per_second=10_000, burst=10_000))
    app = make_app(Desk(world.system.pool, world.system.client), options)
    with pytest.MonkeyPatch.context() as patch:
        # What is drawn is in test_lists.py; here it is asked who may have it drawn.
        patch.setattr(indicators, "_draw", _undrawn)
        patch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1))
        async with browsing(app) as first, AsyncExitStack() as stack:
            url = str(first.client.base_url)
            opened = {role: await stack.enter_async_context(another(url)) for role in Role}
            for role, browser in opened.items():
                await _sign_in(world, browser, role)
            yield opened


async def _sign_in(world: World, browser: Browser, role: Role) -> None:
    account, at = f"role-{role}-{world.values['licence']}", datetime.now(UTC)
    encoded = await Passwords().encode(PASSWORD)
    async with world.system.pool.acquire() as conn:
        await accounts.add(conn, account, encoded, at)
        await accounts.set_password(conn, account, encoded, at, must_change=False)
        await accounts.set_grants(conn, account, [world.grant(role)])
    assert (await browser.sign_in(account)).status_code == 303


async def send(browser: Browser, path: str, fields: Mapping[str, str] | None) -> httpx.Response:
    """Ask, with the seal of a page that this role has open."""
    if fields is None:
        return await browser.client.get(path)
    seal = forms.new_form(browser.client.cookies["gamf_session"])
    return await browser.client.post(path, data={forms.FIELD: seal, **fields})


def refused_by_role(answer: httpx.Response) -> bool:
    return answer.status_code == 403 or "Votre rôle n’a pas de tâches" in answer.text


@pytest.mark.parametrize(("ask", "role"), cases(ASKS), ids=name_of)
async def test_a_role_does_what_the_table_says(
    world: World, browsers: Mapping[Role, Browser], ask: Ask, role: Role
) -> None:
    fields = None if ask.body is None else world.filled(ask.body)
    before = await world.traces()
    with capture_logs() as logs:
        answer = await send(browsers[role], world.path(ask, role), fields)
    if may(ask, role):
        # Allowed, it is for the rules to say: what they refuse is refused by one of theirs.
        assert not refused_by_role(answer)
        assert answer.status_code in ({200, 303} if ask.use_case in READINGS else {200, 303, 409, 422})
        return
    assert refused_by_role(answer)
    assert await world.traces() == before
    # Who has no tasks is told so on the first screen, which is nobody's to refuse.
    logged = "a request was refused" in [each["event"] for each in logs]
    assert logged != (ask.use_case is UseCase.TASK_LIST)


def test_every_use_case_is_asked_or_has_a_reason_not_to_be() -> None:
    asked = {ask.use_case for ask in ASKS}
    assert asked | set(ELSEWHERE) == set(UseCase)
    assert asked.isdisjoint(ELSEWHERE)


def test_every_route_of_the_console_is_asked_or_is_everybodys() -> None:
    routes = [each for screen in SCREENS for each in screen.router.routes if isinstance(each, APIRoute)]
    found = {(method, route.path) for route in routes for method in route.methods or ()}
    asked = {(ask.verb, ask.route) for ask in ASKS}
    assert asked <= found
    # Before anybody is signed in, nobody has a role.
    assert {each for each in found - asked - OPEN if not each[1].startswith("/connexion")} == set()
