"""Whatever the description allows, and much that it does not: no request makes the API fail."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy
from schemathesis import GenerationMode
from schemathesis.openapi import from_dict

from gamf.client.api.app import openapi
from gamf.domain.roles import Role, grant
from tests.client.api.conftest import Login, attributed
from tests.system import System

EXAMPLES: Final = 20
"""Requests of each route, of each kind: as described and not, about something that is there and about anything."""
SEED: Final = 321
Send = Callable[[Any], None]
_WITHOUT_END: Final = "/api/events"
_SLOWLY: Final = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)


def requests(known: dict[str, Any]) -> Iterator[SearchStrategy[Any]]:
    """Yield what makes the requests of each route and kind."""
    described: Any = from_dict(openapi())
    for found in described.get_all_operations():
        operation = found.ok()
        if operation.path == _WITHOUT_END:
            continue
        named = {name: value for name, value in known.items() if f"{{{name}}}" in operation.path}
        for mode in GenerationMode:
            yield operation.as_strategy(generation_mode=mode)
            if named:
                yield operation.as_strategy(generation_mode=mode, path_parameters=named)


def send_all(known: dict[str, Any], send: Send) -> None:
    """Send them."""
    for strategy in requests(known):
        limits = settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=_SLOWLY,
        )

        def once(case: Any) -> None:  # noqa: ANN401 - schemathesis leaves its type open
            send(case)

        seed(SEED)(limits(given(case=strategy)(once)))()


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_no_request_makes_it_fail(
    system: System, login: Login, capsys: pytest.CaptureFixture[str]
) -> None:
    life = await attributed(system)
    client = await login(grant(Role.OPERATOR))
    headers = {"Authorization": client.headers["authorization"]}
    known = {
        "attribution_id": life.start.attribution_id,
        "patient_id": life.start.patient_id,
        "licence": life.start.physician,
    }
    answered: Counter[int] = Counter()
    failures: list[str] = []

    def send(case: Any) -> None:  # noqa: ANN401 - the same
        answer = case.call(base_url=str(client.base_url).rstrip("/"), headers=headers)
        answered[answer.status_code] += 1
        kind = answer.headers.get("content-type", ["?"])[0]
        if answer.status_code >= 500 or (answer.status_code >= 400 and kind != "application/problem+json"):
            failures.append(f"{answer.status_code} {kind} {case.as_curl_command()}")

    await asyncio.to_thread(send_all, known, send)
    with capsys.disabled():
        print(f"\n{answered.total()} requests: {dict(sorted(answered.items()))}")  # noqa: T201 - the figure is asked for
    assert failures == []
    assert answered[200] > 100
    assert answered.total() > 1_000
