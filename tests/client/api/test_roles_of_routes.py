"""Every use case for every role, asked of the API's own routes: what the one table says, and nothing else."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final

import httpx
import pytest
from structlog.testing import capture_logs

from gamf.client.acting import Desk
from gamf.client.api.app import openapi
from gamf.client.console.app import make_app
from gamf.domain.profile import GROUPS
from gamf.domain.roles import READINGS, Role, UseCase
from gamf.runtime.settings import HostPort
from gamf.runtime.web import serving
from tests.client.api.conftest import MANY, new_account, new_token
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
_SHARES: Final = [
    {"vulnerable": each.vulnerable, "ages": each.ages, "share": 50 if each.ages == "70+" else 0}
    for each in GROUPS
]
_ATTRIBUTION: Final = "/api/attributions/{attribution_id}"
_BLOCK: Final = "/api/blocks/{block_id}"
_PATIENT: Final = "/api/patients/{patient_id}"
_PHYSICIAN: Final = "/api/physicians/{licence}"
_PROFILE: Final = "/api/networks/{rls}/profile"
_RAMQ: Final = "/api/ramq/blocks/{block_id}"
_LEAVER: Final = {"licence": "{leaver}"}


def fact(name: str, **argument: str) -> Ask:
    """Return the report of a fact."""
    return Ask(UseCase(name), f"{_ATTRIBUTION}/facts", {"fact": name, **argument})


def decision(name: str, **more: str) -> Ask:
    """Return what is decided on a list."""
    return Ask(UseCase(name), f"{_BLOCK}/decisions", {"decision": name, **more})


def departure(rest: str, body: Mapping[str, str] | None = None, query: str = "") -> Ask:
    """Return a request about the departure of the physician who leaves."""
    return Ask(UseCase.PHYSICIAN_DEPARTURE, f"{_PHYSICIAN}/{rest}", body, query, _LEAVER)


ASKS: Final[Sequence[Ask]] = (
    Ask(UseCase.BLOCK_LIST, "/api/blocks"),
    Ask(UseCase.BLOCK_SHOW, _BLOCK),
    Ask(UseCase.BLOCK_REQUEST, "/api/blocks", {"physician": "{licence}", "size": 1}),
    decision("approved"),
    decision("withdrawn", **REASON),
    decision("list_accepted"),
    decision("list_refused", **REASON),
    Ask(UseCase.PROFILE_SHOW, _PROFILE),
    Ask(UseCase.PROFILE_SET, _PROFILE, {"groups": _SHARES}, method="PUT"),
    Ask(UseCase.PROFILE_SET, _PROFILE, method="DELETE"),
    Ask(UseCase.ATTRIBUTION_LIST, "/api/attributions"),
    Ask(UseCase.ATTRIBUTION_LIST, f"{_PHYSICIAN}/departures/reached", of=_LEAVER),
    Ask(UseCase.ATTRIBUTION_SHOW, _ATTRIBUTION),
    Ask(UseCase.LETTER_SHOW, f"{_ATTRIBUTION}/letters"),
    Ask(UseCase.LETTER_SHOW, f"{_ATTRIBUTION}/letters/{{letter_id}}.pdf"),
    Ask(UseCase.REGISTER_LIST, "/api/register"),
    Ask(UseCase.REGISTER_SHOW, _PATIENT),
    Ask(UseCase.REGISTER_SHOW, "/api/patients/search", {"nam": "{nam}"}),
    Ask(UseCase.REGISTER_CORRECT, f"{_PATIENT}/contact"),
    Ask(UseCase.REGISTER_CORRECT, f"{_PATIENT}/corrections", {"phone": "418 555-0199", **REASON}),
    Ask(UseCase.REGISTER_MOVE, f"{_PATIENT}/moves", {"to": "?", "on": str(TODAY), **REASON}),
    Ask(UseCase.REGISTER_REINSTATE, f"{_PATIENT}/reinstatements", REASON),
    Ask(UseCase.CONDITION_SHOW, f"{_PATIENT}/conditions"),
    Ask(UseCase.CONDITION_SHOW, "/api/condition-codes"),
    Ask(UseCase.CONDITION_RECORD, f"{_PATIENT}/conditions", {"code": "CHRONIQUE", "on": str(TODAY)}),
    Ask(UseCase.CONDITION_RECORD, "/api/conditions/{condition_id}/withdrawal", REASON),
    # To come, so that the attribution goes on and its clinic still has the patient.
    Ask(UseCase.PATIENT_LEFT, f"{_PATIENT}/departures", {"on": str(LEAVES), "cause": "left_quebec"}),
    Ask(UseCase.ENROLLED_ELSEWHERE, f"{_PATIENT}/enrolments", _ENROLMENT),
    fact("accepted"),
    fact("refused", **REASON),
    fact("cancelled", **REASON),
    fact("sv_entered"),
    fact("window_reopened", opens_on=str(TODAY), **REASON),
    fact("patient_refused", ground="motif inventé"),
    fact("mf_signed", signed_on=str(TODAY)),
    fact("enrolled_elsewhere", physician="10000", effective_on=str(TODAY), basis="base inventée"),
    fact("patient_left", on=str(TODAY), cause="left_quebec"),
    fact("physician_left", on=str(TODAY), cause="retired"),
    Ask(UseCase.TASK_LIST, "/api/tasks"),
    Ask(UseCase.TASK_DONE, "/api/tasks/{task_id}/done", {}),
    Ask(UseCase.PHYSICIAN_LIST, "/api/physicians"),
    Ask(UseCase.PHYSICIAN_SHOW, _PHYSICIAN),
    departure("departures/foretold", query=f"on={LEAVES}&cause=retired"),
    departure("departures", {"on": str(LEAVES), "cause": "retired"}),
    departure("departures/withdrawn", REASON),
    departure("returns", {"on": str(TODAY), **REASON}),
    Ask(UseCase.NETWORK_LIST, "/api/networks"),
    Ask(UseCase.INDICATORS_SHOW, "/api/indicators", query="first=2026-06&last=2026-06"),
    Ask(UseCase.INDICATORS_SHOW, "/api/indicators.csv", query="first=2026-06&last=2026-06"),
    Ask(UseCase.RAMQ_LISTS_SHOW, "/api/ramq/files"),
    Ask(UseCase.RAMQ_LISTS_SHOW, _RAMQ),
    Ask(UseCase.RAMQ_LISTS_SHOW, f"{_RAMQ}/files/{{number}}.csv"),
    Ask(UseCase.RAMQ_LISTS_SEND, f"{_RAMQ}/files/{{number}}/sent", {}),
    Ask(UseCase.OUTBOX_SHOW, "/api/letters"),
    Ask(UseCase.OWN_ACCOUNT, "/api/me"),
    Ask(UseCase.ACCESS_LOG_SHOW, "/api/access-log"),
    Ask(UseCase.ACCESS_LOG_SHOW, "/api/access-log/summary", query="month=2026-06"),
)
OPEN: Final = frozenset(
    {
        # One's own attributions, nobody's else: test_changes.py.
        ("GET", "/api/changes"),
        ("GET", "/api/events"),
        # Each fact of many is answered for itself, by what one fact is: test_facts.py.
        ("POST", "/api/facts"),
    }
)
"""What is the same for every role."""
ELSEWHERE: Final[Mapping[UseCase, str]] = {
    **OPERATORS_ONLY,
    UseCase.ADVANCE: "a person's, in a training: software has no clock to move",
}
"""The use cases that have no route of the API, each with the reason."""


@pytest.fixture(scope="module")
async def world(system: System) -> World:
    return await make_world(system)


@pytest.fixture(scope="module")
async def callers(world: World) -> AsyncGenerator[Mapping[Role, httpx.AsyncClient]]:
    """Return a client with a token for each role, of one API."""
    pool = world.system.pool
    app = make_app(Desk(pool, world.system.client), MANY)
    async with serving(app, HostPort("127.0.0.1", 0), "test") as server, AsyncExitStack() as stack:
        opened: dict[Role, httpx.AsyncClient] = {}
        for role in Role:
            token = await new_token(pool, await new_account(pool, world.grant(role)))
            client = httpx.AsyncClient(
                base_url=server.url, timeout=60, headers={"Authorization": f"Bearer {token}"}
            )
            opened[role] = await stack.enter_async_context(client)
        yield opened


def refused_by_role(answer: httpx.Response) -> bool:
    return answer.status_code == 403 and answer.json()["rule"] == "access"


@pytest.mark.parametrize(("ask", "role"), cases(ASKS), ids=name_of)
async def test_a_role_does_what_the_table_says(
    world: World, callers: Mapping[Role, httpx.AsyncClient], ask: Ask, role: Role
) -> None:
    body: Any = None if ask.body is None else world.filled(ask.body)
    before = await world.traces()
    with capture_logs() as logs:
        answer = await callers[role].request(ask.verb, world.path(ask, role), json=body)
    if may(ask, role):
        # Allowed, it is for the rules to say: what they refuse is refused by one of theirs.
        assert not refused_by_role(answer)
        assert answer.status_code in ({200} if ask.use_case in READINGS else {200, 201, 409, 422})
        return
    assert refused_by_role(answer)
    assert await world.traces() == before
    assert "a request was refused" in [each["event"] for each in logs]


def test_every_use_case_is_asked_or_has_a_reason_not_to_be() -> None:
    asked = {ask.use_case for ask in ASKS}
    assert asked | set(ELSEWHERE) == set(UseCase)
    assert asked.isdisjoint(ELSEWHERE)


def test_every_route_of_the_api_is_asked_or_is_everybodys() -> None:
    found = {(verb.upper(), path) for path, verbs in openapi()["paths"].items() for verb in verbs}
    assert {(ask.verb, ask.route) for ask in ASKS} | OPEN == found
