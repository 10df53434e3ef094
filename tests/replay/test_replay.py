"""What was begun under an older release is still read by the code of today: no command moved, nothing forgotten."""

from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory

from gamf.domain.block import BlockState
from gamf.domain.departure import DepartureState
from gamf.domain.states import State
from gamf.workers.registry import WORKFLOWS
from tests.replay.histories import read, releases, replayer
from tests.replay.plays import PLAYS
from tests.replay.reordered import PatchedAttribution, ReorderedAttribution

ALL = sorted(file for folder in releases() for file in folder.glob("*.json"))


@pytest.mark.parametrize("file", ALL, ids=lambda file: f"{file.parent.name}/{file.stem}")
async def test_a_saved_history_replays(file: Path) -> None:
    await replayer().replay_workflow(read(file))


@pytest.mark.parametrize("release", releases(), ids=lambda folder: folder.name)
def test_a_release_has_a_history_of_every_state_and_ending(release: Path) -> None:
    saved = {file.stem for file in release.glob("*.json")}
    states = {f"attribution-{state}" for state in State}
    blocks = {f"block-{state}" for state in BlockState if state is not BlockState.REQUESTED}
    # A departure is effective only while a turn lasts: the history of one that is done has it.
    passing = {DepartureState.REQUESTED, DepartureState.EFFECTIVE}
    departures = {f"departure-{state}" for state in DepartureState if state not in passing}
    assert (states | blocks | departures) - saved == set()


def test_every_play_is_saved_for_the_latest_release() -> None:
    assert {file.stem for file in releases()[-1].glob("*.json")} == set(PLAYS)


def test_every_workflow_has_a_saved_history() -> None:
    assert {each.__name__.removesuffix("Workflow") for each in WORKFLOWS} == {
        _type(read(file)) for file in ALL
    }


async def unreadable(workflow_type: type) -> set[str]:
    """Return the names of the latest release's histories that this version of `Attribution` cannot read."""
    names: set[str] = set()
    for file in sorted(releases()[-1].glob("attribution-*.json")):
        try:
            await replayer([workflow_type]).replay_workflow(read(file))
        except workflow.NondeterminismError:
            names.add(file.stem)
    return names


async def test_two_commands_that_changed_places_fail_the_replay_by_name() -> None:
    broken = await unreadable(ReorderedAttribution)
    assert {"attribution-confirmed", "attribution-enrolled_mf", "attribution-expired"} <= broken
    # Where no letter ever went, nothing moved.
    assert "attribution-proposed" not in broken


async def test_the_same_edit_behind_a_patch_passes() -> None:
    assert await unreadable(PatchedAttribution) == set()


def _type(history: WorkflowHistory) -> str:
    return history.events[0].workflow_execution_started_event_attributes.workflow_type.name
