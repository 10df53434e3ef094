"""Where the saved histories are, how one is saved, and how one is replayed."""

import json
from pathlib import Path
from typing import Final, TypeAlias

from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer

from gamf.runtime.settings import Settings
from gamf.runtime.temporal import data_converter
from gamf.workers.lifecycle import workflow_runner
from gamf.workers.registry import WORKFLOWS

FOLDER: Final = Path(__file__).parents[1] / "histories"
"""A folder a release: what was begun under it must be readable by every later one."""
Json: TypeAlias = "bool | float | str | list[Json] | dict[str, Json] | None"
_WORKER: Final = "worker"
# What names the machine and the process that recorded it; a replay does not look at them.
_OF_A_MACHINE: Final = frozenset({"identity", "binaryChecksum", "buildId"})


def releases() -> list[Path]:
    """Return the folders, the oldest first."""
    return sorted((path for path in FOLDER.iterdir() if path.is_dir()), key=_version)


def _version(path: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in path.name.split("."))


async def fetch(client: Client, workflow_id: str) -> str:
    """Return the history of a workflow's latest run as JSON, without the names of this machine."""
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    return json.dumps(_of_no_machine(history.to_json_dict()), indent=1, ensure_ascii=False) + "\n"


def _of_no_machine(value: Json) -> Json:
    match value:
        case dict():
            kept = {key: _of_no_machine(each) for key, each in value.items()}
            return kept | dict.fromkeys(_OF_A_MACHINE & kept.keys(), _WORKER) | _ordinary_queue(kept)
        case list():
            return [_of_no_machine(each) for each in value]
        case _:
            return value


def _ordinary_queue(value: dict[str, Json]) -> dict[str, Json]:
    """Write a sticky task queue, which has the name of its worker's machine, as the ordinary one."""
    if value.get("kind") != "TASK_QUEUE_KIND_STICKY":
        return {}
    return {"name": value["normalName"], "kind": "TASK_QUEUE_KIND_NORMAL"}


def replayer(workflows: list[type] | None = None) -> Replayer:
    """Return a replayer that runs the workflows as the worker does, and in the sandbox, which is stricter."""
    return Replayer(
        workflows=workflows or list(WORKFLOWS),
        data_converter=data_converter(),
        workflow_runner=workflow_runner(Settings(sandbox=True)),
    )


def read(file: Path) -> WorkflowHistory:
    """Read a saved history."""
    return WorkflowHistory.from_json(file.stem, file.read_text(encoding="utf-8"))
