import asyncio
import json
import signal
import socket
import urllib.error
import urllib.request
from contextlib import closing

import pytest

from gamf.runtime.errors import PortInUse
from gamf.runtime.health import Probes, health_server


async def well() -> bool:
    return True


async def ill() -> bool:
    raise ConnectionError("Ozanne")


async def hung() -> bool:
    await asyncio.Event().wait()
    return True


def fetch(url: str) -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own process's page
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


async def ask(probes: Probes, page: str) -> tuple[int, dict[str, object]]:
    async with health_server("127.0.0.1:0", probes) as where:
        return await asyncio.to_thread(fetch, f"http://{where.host}:{where.port}{page}")


async def test_all_well() -> None:
    probes = Probes(live=lambda: True, ready={"PostgreSQL": well, "Temporal": well})
    assert await ask(probes, "/live") == (200, {"status": "ok", "away": []})
    assert await ask(probes, "/ready") == (200, {"status": "ok", "away": []})


async def test_what_is_away_is_named_and_nothing_else_is_said() -> None:
    probes = Probes(live=lambda: True, ready={"PostgreSQL": ill, "Temporal": well})
    assert await ask(probes, "/ready") == (503, {"status": "away", "away": ["PostgreSQL"]})
    assert (await ask(probes, "/live"))[0] == 200


async def test_what_does_not_answer_in_time_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gamf.runtime.health._PROBE_SECONDS", 0.05)
    probes = Probes(live=lambda: True, ready={"PostgreSQL": hung, "Temporal": hung, "worker": well})
    assert await ask(probes, "/ready") == (503, {"status": "away", "away": ["PostgreSQL", "Temporal"]})


async def test_a_failed_worker_is_not_alive() -> None:
    assert (await ask(Probes(live=lambda: False, ready={}), "/live"))[0] == 503


async def test_another_page_is_not_there() -> None:
    async with health_server("127.0.0.1:0", Probes(live=lambda: True, ready={})) as where:
        with pytest.raises(urllib.error.HTTPError, match="404") as caught:
            await asyncio.to_thread(urllib.request.urlopen, f"http://{where.host}:{where.port}/x")
        caught.value.close()


async def test_the_signals_stay_with_the_process() -> None:
    before = signal.getsignal(signal.SIGTERM)
    async with health_server("127.0.0.1:0", Probes(live=lambda: True, ready={})):
        assert signal.getsignal(signal.SIGTERM) is before


async def test_a_taken_port_names_its_variable() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(PortInUse, match="GAMF_HEALTH_ADDRESS"):
            async with health_server(address, Probes(live=lambda: True, ready={})):
                pass
