"""`temporal workflow signal` from the command line: correct, malformed, late and repeated; what `view` shows then."""

import asyncio
import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from gamf.runtime.embedded import EmbeddedTemporal
from tests.system import Life, System

TEMPORAL = str(Path(sys.executable).with_name("temporal"))


class Operator:
    """Somebody with the Temporal CLI and an attribution's reference."""

    def __init__(self, address: str, life: Life) -> None:
        self.address = address
        self.life = life

    async def run(self, *arguments: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            TEMPORAL,
            "workflow",
            *arguments,
            "--workflow-id",
            self.life.handle.id,
            "--address",
            self.address,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return process.returncode or 0, output.decode()

    async def signal(self, fact: str, text: str) -> int:
        status, _ = await self.run("signal", "--name", fact, "--input", text)
        return status

    async def view(self) -> dict[str, Any]:
        status, output = await self.run("query", "--type", "view", "--output", "json")
        assert status == 0, output
        (answer,) = json.loads(output)["queryResult"]
        view: dict[str, Any] = answer
        return view


async def test_correct_malformed_late_and_repeated(system: System, temporal: EmbeddedTemporal) -> None:
    life = await system.attribute()
    operator = Operator(temporal.address, life)

    assert await operator.signal("accepted", '{"by": "coordo"}') == 0
    await life.reaches("confirmed")
    assert (await operator.view())["history"][0]["fact"] == "accepted"

    assert await operator.signal("accepted", '{"by": "coordo"}') == 0
    await life.refused(1)

    assert await operator.signal("sv_entered", '{"by": "clinique", "le": "2026-06-01"}') == 0
    await life.refused(2)
    # The CLI itself refuses what is not JSON; as text, it is JSON and no object.
    assert await operator.signal("sv_entered", "{by: clinique}") != 0
    assert await operator.signal("sv_entered", '"clinique"') == 0
    await life.refused(3)

    deadline = datetime.fromisoformat((await operator.view())["deadline"])
    await life.skip(deadline - life.start.attributed_at + timedelta(minutes=5))
    assert await operator.signal("sv_entered", '{"by": "clinique"}') == 0
    await life.refused(4)

    view = await operator.view()
    assert view["state"] == "overdue"
    assert [(kept["fact"], kept["rule"]) for kept in view["refused_facts"]] == [
        ("accepted", "A20"),
        ("sv_entered", "form"),
        ("sv_entered", "form"),
        ("sv_entered", "A6"),
    ]
    assert all(kept["reason"] and kept["reason_en"] for kept in view["refused_facts"])
    assert [entry["fact"] for entry in view["history"]] == ["accepted"]


async def test_an_update_from_the_command_line_is_answered_or_refused(
    system: System, temporal: EmbeddedTemporal
) -> None:
    life = await system.attribute()
    operator = Operator(temporal.address, life)
    taken = '{"fact": "accepted", "by": "coordo"}'
    status, output = await operator.run("update", "execute", "--name", "record", "--input", taken)
    assert status == 0, output
    refused = '{"fact": "cancelled", "by": "coordo"}'
    status, output = await operator.run("update", "execute", "--name", "record", "--input", refused)
    assert status != 0
    assert "Le champ « motif » (reason) manque." in output
    assert (await operator.view())["state"] == "confirmed"
