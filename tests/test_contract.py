"""The names that others rely on, written out: clinic software, the Temporal CLI and saved histories keep them.

Nothing here is taken from the code's own constants, so that a name that changes by one letter is seen.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
import pytest
from pydantic import BaseModel
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.client import ScheduleActionStartWorkflow
from temporalio.common import SearchAttributeKey, SearchAttributePair

from gamf.client import files, scheduling
from gamf.client.cli import errors
from gamf.client.cli.commands import rehearsing
from gamf.client.cli.main import cli, run
from gamf.client.errors import FileRefusedError, NotFoundError
from gamf.client.files import Layout
from gamf.domain import block, facts, names
from gamf.domain.attribution import begin
from gamf.domain.block import BlockRequest, BlockState
from gamf.domain.identifiers import attribution_reference, block_reference
from gamf.domain.model import Enrolment, Start
from gamf.domain.policy import CURRENT
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.states import WAITS, State
from gamf.runtime.errors import ServiceUnreachable, SettingsFault
from gamf.workers.registry import WORKFLOWS
from gamf.workflows import visibility
from gamf.workflows.carried import Result
from gamf.workflows.views import AttributionView, BlockView
from tools.docs_in_step import unknown_word

# A worker registers a class by what the decorators left there.
_DEFINITION: Final = "__temporal_workflow_definition"

FACTS: Final[dict[str, dict[str, bool]]] = {
    "accepted": {"by": True, "at": False},
    "refused": {"by": True, "reason": True, "at": False},
    "cancelled": {"by": True, "reason": True, "at": False},
    "sv_entered": {"by": True, "on": False},
    "window_reopened": {"by": True, "opens_on": True, "reason": True},
    "patient_refused": {"by": True, "ground": True, "on": False},
    "mf_signed": {"by": True, "signed_on": True, "effective_on": False},
    "enrolled_elsewhere": {"by": True, "physician": True, "effective_on": True, "basis": True},
    "patient_left": {"by": True, "on": True, "cause": True},
    "physician_left": {"by": True, "on": True, "cause": True},
}
"""Each fact with its keys, and whether the key is required."""
BLOCK_FACTS: Final[dict[str, dict[str, bool]]] = {
    "approved": {"by": True},
    "withdrawn": {"by": True, "reason": True},
    "list_accepted": {"by": True, "at": False},
    "list_refused": {"by": True, "reason": True, "at": False},
}

RECORDS: Final = (
    "up",
    "up --data DIR --training --temporal-port 0 --ui-port 0 --console-port 0",
    "register import FILE.csv",
    "register import FILE.csv --skip-faulty",
    "register show patient-1",
    "register list",
    "register list --rls R --place waiting",
    "register enrolled patient-1 --physician 12345 --on 2026-06-01 --basis B",
    "physician import FILE.csv",
    "physician import FILE.csv --skip-faulty",
    "physician show 12345",
    "network import FILE.csv",
    "network import FILE.csv --skip-faulty",
    "network list",
    "block request --physician 12345 --size 20",
    "block approve 2026-0007",
    "block accept 2026-0007",
    "block refuse 2026-0007 --reason congé",
    "block show 2026-0007",
    "block list",
    "attribution list",
    "attribution list --state proposed --physician 12345 --block 2026-0007 --due-before 2026-06-01",
    "attribution show 2026-000042",
    "attribution record 2026-000042 accepted",
    "attribution record 2026-000042 mf_signed signed_on=2026-09-01",
    "feed FILE.ndjson",
    "letter show 2026-000042",
    "letter show 2026-000042 --pdf FILE",
    "task list",
    "task done 1",
    "advance 2026-000042 72h",
)
"""The command lines that print a record, or more of them: each takes `--json`."""
OTHERS: Final = ("demo", "worker", "setup", "register export")


def keys(model: type[BaseModel]) -> dict[str, bool]:
    """Return the keys of a JSON object, and whether each is required."""
    return {name: field.is_required() for name, field in model.model_fields.items()}


def defined(workflow: type) -> Any:  # noqa: ANN401 - the SDK keeps its type to itself
    return vars(workflow)[_DEFINITION]


def a_start(*, vulnerable: bool = True, block_id: str | None = "2026-0007") -> Start:
    return Start(
        attribution_id="2026-000042",
        block_id=block_id,
        patient_id="patient-1",
        physician="12345",
        rls="1234",
        time_zone="America/Toronto",
        priority="B",
        vulnerable=vulnerable,
        attributed_at=datetime(2026, 6, 1, 13, tzinfo=UTC),
        policy=CURRENT,
    )


def shown(start: Start) -> Mapping[str, object]:
    """Return the search attributes of an attribution that starts, by name."""
    pairs: list[SearchAttributePair[Any]] = [*visibility.at_start(begin(start).attribution)]
    return {pair.key.name: pair.value for pair in pairs}


def test_a_reference_is_a_year_and_a_number() -> None:
    assert attribution_reference(2026, 42) == "2026-000042"
    assert block_reference(2026, 7) == "2026-0007"


def test_the_ids_of_the_workflows_and_their_task_queue() -> None:
    assert names.attribution_workflow_id("2026-000042") == "attribution-2026-000042"
    assert names.block_workflow_id("2026-0007") == "block-2026-0007"
    assert names.departure_workflow_id("12345-1") == "departure-12345-1"
    assert names.TASK_QUEUE == "gamf"


def test_the_schedule_of_the_digest() -> None:
    action = scheduling.digest_schedule(["America/Toronto"], 2026).action
    assert isinstance(action, ScheduleActionStartWorkflow)
    assert scheduling.DIGEST == "daily-digest"
    assert (action.workflow, action.task_queue) == ("DailyDigest", "gamf")


def test_the_types_of_the_workflows() -> None:
    assert {defined(each).name for each in WORKFLOWS} == {
        "Attribution",
        "Block",
        "DailyDigest",
        "PhysicianDeparture",
    }


@pytest.mark.parametrize("name", ["Attribution", "Block"])
def test_a_workflow_takes_facts_by_signal_and_update_and_shows_its_view(name: str) -> None:
    (workflow,) = [defined(each) for each in WORKFLOWS if defined(each).name == name]
    assert "record" in workflow.updates
    assert "view" in workflow.queries
    # A signal by any name is taken in, since one that the rules refuse is kept with its reason.
    assert set(workflow.signals) == {None}


def test_the_facts_and_their_keys() -> None:
    assert {name: keys(model) for name, model in facts.FACTS.items()} == FACTS
    assert {name: keys(model) for name, model in block.BLOCK_FACTS.items()} == BLOCK_FACTS


@pytest.mark.parametrize(
    ("fact", "causes"),
    [
        ("patient_left", ["deceased", "left_quebec", "not_eligible"]),
        ("physician_left", ["retired", "deceased", "non_participating", "disengaged", "moved"]),
    ],
)
def test_the_causes_of_a_departure(fact: str, causes: list[str]) -> None:
    schema = facts.FACTS[fact].model_json_schema()
    assert schema["properties"]["cause"]["enum"] == causes


def test_the_states_of_an_attribution_and_those_that_wait() -> None:
    waiting = ["proposed", "unanswered", "confirmed", "overdue", "enrolled_sv", "expired"]
    assert [state.value for state in WAITS] == waiting
    assert {state.value for state in State} - set(waiting) == {
        "enrolled_mf",
        "refused",
        "patient_refused",
        "cancelled",
        "lapsed",
        "enrolled_elsewhere",
        "patient_left",
        "physician_left",
    }


def test_the_states_of_a_block() -> None:
    # `requested` lasts as long as the draw: nobody is shown a block before its list.
    assert [state.value for state in BlockState] == [
        "requested",
        "drawn",
        "attributed",
        "closed",
        "withdrawn",
    ]


def test_the_arguments_of_the_workflows_and_the_result() -> None:
    assert set(Start.model_fields) == {
        "attribution_id",
        "block_id",
        "patient_id",
        "physician",
        "rls",
        "time_zone",
        "priority",
        "vulnerable",
        "attributed_at",
        "policy",
    }
    assert set(BlockRequest.model_fields) == {
        "block_id",
        "physician",
        "rls",
        "size",
        "requested_by",
        "policy",
    }
    assert list(Result.model_fields) == ["state", "ended_on"]


def test_what_the_views_show() -> None:
    # A view may say more, never less.
    assert set(AttributionView.model_fields) >= {
        "attribution_id",
        "state",
        "physician",
        "deadline",
        "waiting_for",
        "history",
        "refused_facts",
        "sv",
        "mf",
    }
    assert list(Enrolment.model_fields) == ["start", "end", "voided"]
    assert set(BlockView.model_fields) >= {"block_id", "state", "counts", "list"}


def test_the_search_attributes_and_their_types() -> None:
    types: dict[str, IndexedValueType.ValueType] = {key.name: kind(key) for key in visibility.ALL_KEYS}
    assert types == {
        "AttributionState": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
        "Deadline": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
        "Physician": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
        "Block": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
        "Rls": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
        "Vulnerable": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    }


def kind(key: SearchAttributeKey[Any]) -> IndexedValueType.ValueType:
    return IndexedValueType.ValueType(int(key.indexed_value_type))


def test_the_search_attributes_of_an_attribution_that_starts() -> None:
    assert shown(a_start()) == {
        "AttributionState": "proposed",
        "Deadline": datetime(2026, 6, 4, 13, tzinfo=UTC),
        "Physician": "12345",
        "Block": "2026-0007",
        "Rls": "1234",
        "Vulnerable": True,
    }
    assert shown(a_start(vulnerable=False))["Vulnerable"] is False
    assert "Block" not in shown(a_start(block_id=None))


def test_a_start_without_search_attributes_is_given_the_same() -> None:
    updates = visibility.at_start_updates(begin(a_start()).attribution)
    assert {each.key.name: each.value for each in updates} == shown(a_start())


@pytest.mark.parametrize(
    ("layout", "columns"),
    [
        (
            files.REGISTER,
            (
                "nam last_name first_name birth_date sex address city postal_code language english_attested email "
                "phone rls registered_on priority vulnerable representative"
            ),
        ),
        (
            files.PHYSICIANS,
            "licence last_name first_name rls status place address city postal_code email",
        ),
        (files.NETWORKS, "rls name region time_zone gaco_name gaco_phone coordinator"),
    ],
    ids=["register", "physicians", "networks"],
)
def test_the_columns_of_the_files(layout: Layout, columns: str) -> None:
    assert list(layout.names) == columns.split()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SettingsFault(fr="x", en="x"), 2),
        (FileRefusedError(fr="x", en="x"), 2),
        (RefusedByRuleError("form", "x", "x"), 2),
        (RefusedByRuleError("R6", "x", "x"), 3),
        (NotFoundError(fr="x", en="x"), 4),
        (ServiceUnreachable("Temporal", fr="x", en="x"), 5),
    ],
    ids=["setting", "file", "form", "rule", "not found", "unreachable"],
)
def test_the_exit_status_of_what_goes_wrong(error: Exception, status: int) -> None:
    end = errors.ending(error)
    assert end is not None
    assert end.status == status


@pytest.mark.parametrize(
    ("option", "port"), [("temporal_port", 7233), ("ui_port", 8233), ("console_port", 8080)]
)
def test_the_ports_of_everything_on_this_machine(option: str, port: int) -> None:
    up = cli.commands["up"]
    (found,) = [each for each in up.get_params(click.Context(up)) if each.name == option]
    assert (found.opts, found.default) == ([f"--{option.replace('_', '-')}"], port)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder to type in, with the files that the lines name."""
    monkeypatch.chdir(tmp_path)
    for name in ("FILE.csv", "FILE.ndjson"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("line", [*OTHERS, *RECORDS, *(f"{line} --json" for line in RECORDS)])
def test_a_command_line_is_understood(line: str) -> None:
    assert unknown_word(line.split()) is None
    # Its arguments and options are read, and what it asks for is not done.
    with rehearsing():
        assert run(line.split()) == 0


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "line",
    [
        "blok list",
        "block refuse 2026-0007",
        "block request --physician 12345",
        "register import",
        "task done",
    ],
)
def test_a_wrong_command_line_has_its_status(line: str) -> None:
    with rehearsing():
        assert run(line.split()) == 2
