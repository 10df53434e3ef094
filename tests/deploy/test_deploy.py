import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from gamf.runtime.embedded import EmbeddedPostgres
from gamf.workers.gauges import MEANINGS, PREFIX
from tests.deploy.page import metric_names

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
ALERTS: Final = DEPLOY / "prometheus" / "alerts.yml"
TRIED: Final = DEPLOY / "prometheus" / "alerts.test.yml"
ONLY_WHEN_IT_FAILS: Final = {
    "temporal_workflow_task_execution_failed_total",
    "temporal_activity_execution_failed_total",
}
"""Counters of the SDK that a healthy worker does not show; the metrics' own test makes a worker fail for them."""


def rules() -> list[dict[str, Any]]:
    return [
        rule
        for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    ]


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    dashboard = json.loads((DEPLOY / "grafana" / "gamf.json").read_text(encoding="utf-8"))
    yield from (target["expr"] for panel in dashboard["panels"] for target in panel["targets"])


def asked_for() -> set[str]:
    return {name for text in expressions() for name in re.findall(r"\b(?:temporal|gamf)_\w+", text)}


def test_each_alert_says_what_happened_and_what_to_do_in_both_languages() -> None:
    for rule in rules():
        assert " / " in rule["annotations"]["summary"], rule["alert"]
        assert rule["annotations"]["action"], rule["alert"]
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_each_alert_is_tried() -> None:
    tests = yaml.safe_load(TRIED.read_text(encoding="utf-8"))["tests"]
    tried = {
        case["alertname"] for test in tests for case in test.get("alert_rule_test", ()) if case["exp_alerts"]
    }
    assert tried == {rule["alert"] for rule in rules()}


async def test_a_real_worker_shows_every_metric_that_is_asked_for(postgres: EmbeddedPostgres) -> None:
    shown = await metric_names(postgres)
    missing = {name for name in asked_for() if name not in shown} - ONLY_WHEN_IT_FAILS
    assert missing == set()
    assert {f"{PREFIX}{name}" for name in MEANINGS} <= shown


@pytest.mark.long
def test_the_alerts_do_what_they_say() -> None:
    run([tool("promtool", "prometheus"), "test", "rules", str(TRIED)])


@pytest.mark.long
def test_an_alert_that_changed_fails_its_trial(tmp_path: Path) -> None:
    promtool = tool("promtool", "prometheus")
    text = ALERTS.read_text(encoding="utf-8")
    (tmp_path / TRIED.name).write_text(TRIED.read_text(encoding="utf-8"), encoding="utf-8")
    for before, after in (("> 900", "> 9000"), ("> 3600", "> 36"), ("< 1 or absent", "< -1 or absent")):
        assert before in text
        (tmp_path / ALERTS.name).write_text(text.replace(before, after), encoding="utf-8")
        command = [promtool, "test", "rules", str(tmp_path / TRIED.name)]
        assert subprocess.run(command, capture_output=True, check=False).returncode != 0


@pytest.mark.long
def test_the_compose_file_is_one(tmp_path: Path) -> None:
    example = (DEPLOY / "env.example").read_text(encoding="utf-8")
    filled = tmp_path / "env"
    filled.write_text(re.sub(r"(?m)^(\w+)=$", r"\1=x", example), encoding="utf-8")
    compose = DEPLOY.parent / "docker-compose.yml"
    command = [
        tool("docker-compose", "docker-compose"),
        "--env-file",
        str(filled),
        "--file",
        str(compose),
        "config",
    ]
    run([*command, "--quiet"])


def tool(name: str, package: str) -> str:
    path = shutil.which(name)
    assert path, f"{name} is missing: apt-get install {package}"
    return path


def run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
