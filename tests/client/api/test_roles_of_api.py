"""Elsewhere than among its own, a role sees and does nothing, over HTTP; among its own: test_roles_of_routes.py."""

from typing import Any, Final

import httpx
import pytest

from gamf.domain.facts import FACTS
from gamf.domain.roles import LIMITS, Reach, Role, grant
from tests.client.api.conftest import Login, attributed
from tests.clock import today
from tests.system import Life, System

_TODAY: Final = today().isoformat()
_ARGUMENTS: Final[dict[str, dict[str, Any]]] = {
    "refused": {"reason": "motif inventé"},
    "cancelled": {"reason": "motif inventé"},
    "window_reopened": {"opens_on": _TODAY, "reason": "motif inventé"},
    "patient_refused": {"ground": "motif inventé"},
    "mf_signed": {"signed_on": _TODAY},
    "enrolled_elsewhere": {"physician": "10000", "effective_on": _TODAY, "basis": "base inventée"},
    "patient_left": {"on": _TODAY, "cause": "left_quebec"},
    "physician_left": {"on": _TODAY, "cause": "retired"},
}


async def as_role(login: Login, role: Role, life: Life) -> httpx.AsyncClient:
    limits = {Reach.OWN_RLS: [life.start.rls], Reach.OWN_PHYSICIANS: [life.start.physician], Reach.ALL: []}
    return await login(grant(role, limits[LIMITS[role]]))


def refused_by_role(answer: httpx.Response) -> bool:
    return answer.status_code == 403 and answer.json()["rule"] == "access"


@pytest.mark.parametrize("role", [role for role in Role if LIMITS[role] is not Reach.ALL])
async def test_elsewhere_a_role_sees_and_does_nothing(system: System, login: Login, role: Role) -> None:
    life, other = await attributed(system), await attributed(system)
    client = await as_role(login, role, life)
    reference = other.start.attribution_id
    for path in (
        f"/api/attributions/{reference}",
        f"/api/attributions/{reference}/letters",
        f"/api/patients/{other.start.patient_id}",
        f"/api/physicians/{other.start.physician}",
        f"/api/register?rls={other.start.rls}",
        f"/api/networks/{other.start.rls}/profile",
        f"/api/indicators?rls={other.start.rls}",
        f"/api/physicians/{other.start.physician}/departures/reached",
        f"/api/physicians/{other.start.physician}/departures/foretold?on={_TODAY}&cause=retired",
    ):
        assert refused_by_role(await client.get(path)), path
    for fact in FACTS:
        sent = {"fact": fact, **_ARGUMENTS.get(fact, {})}
        assert refused_by_role(await client.post(f"/api/attributions/{reference}/facts", json=sent)), fact
    assert refused_by_role(
        await client.post("/api/blocks", json={"physician": other.start.physician, "size": 1})
    )
    for path in ("/api/attributions", "/api/blocks", "/api/tasks"):
        assert reference not in (await client.get(path)).text
    assert (await other.view())["history"] == []


async def test_who_is_sought_by_nam_is_found_and_written(system: System, login: Login) -> None:
    life = await attributed(system)
    client = await as_role(login, Role.GACO, life)
    async with system.pool.acquire() as conn:
        nam = await conn.fetchval("SELECT nam FROM patients WHERE patient_id = $1", life.start.patient_id)
    answer = await client.post("/api/patients/search", json={"nam": nam})
    assert answer.json()["patient_id"] == life.start.patient_id
    assert nam not in answer.text
    answer = await client.get(f"/api/patients/{nam}")
    assert (answer.status_code, nam in answer.text) == (422, False)
