"""What must hold of the repository itself: the locks, the containers, the libraries, the exceptions."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml

from gamf.runtime.errors import SettingsFault
from gamf.runtime.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock")
RUN_ONCE = {"temporal-schema", "temporal-namespace", "setup", "cli"}


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def project() -> dict[str, Any]:
    return tomllib.loads(read("pyproject.toml"))


def services() -> dict[str, dict[str, Any]]:
    return yaml.safe_load(read("docker-compose.yml"))["services"]  # type: ignore[no-any-return] # the file is ours


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=~!;\[ ]", line, maxsplit=1)[0] for line in requirements}


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", read(lock), re.MULTILINE))


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def files_of_the_project() -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = (ROOT / name for name in listing.split("\0") if name)
    return [path for path in paths if path.is_file()]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_registry_and_no_path(lock: str) -> None:
    assert re.findall(r"://|file:|index-url|find-links| @ |^/", read(lock), re.MULTILINE) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pinned_package_has_its_hashes(lock: str) -> None:
    entries = re.split(r"^(?=[a-z0-9-]+==)", read(lock), flags=re.MULTILINE)[1:]
    assert len(entries) == len(pins(lock)) > 0
    assert [entry.split("==")[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_locks_hold_what_the_project_asks_for() -> None:
    asked, asked_dev = (
        names(project()["project"]["dependencies"]),
        names(project()["dependency-groups"]["dev"]),
    )
    assert asked <= pins("requirements.lock").keys()
    assert asked_dev <= pins("requirements-dev.lock").keys()


def test_tests_run_with_the_versions_that_production_gets() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


def test_every_library_has_its_line_in_the_decisions() -> None:
    explained = set(re.findall(r"`([a-z0-9-]+)`", read("docs/decisions/libraries.md")))
    assert names(project()["project"]["dependencies"]) - explained == set()
    assert names(project()["dependency-groups"]["dev"]) - explained == set()


def test_every_library_that_is_imported_is_asked_for_by_name() -> None:
    trees = (ast.parse(path.read_bytes()) for path in (ROOT / "gamf").rglob("*.py"))
    imported = {name.partition(".")[0] for tree in trees for name in imports(tree)}
    others = imported - sys.stdlib_module_names - {"gamf"}
    made_by = packages_distributions()
    makers = {name: {maker.lower().replace("_", "-") for maker in made_by[name]} for name in others}
    asked = names(project()["project"]["dependencies"])
    assert makers
    assert [name for name, distributions in makers.items() if not asked & distributions] == []


def test_the_version_is_the_same_everywhere() -> None:
    version = project()["project"]["version"]
    assert re.findall(r"^## (\S+)", read("CHANGELOG.md"), re.MULTILINE)[0] == version
    assert services()["worker-1"]["image"] == f"gamf:{version}"


def test_only_pictures_are_binary() -> None:
    binary = [path for path in files_of_the_project() if b"\0" in path.read_bytes()]
    assert [str(path) for path in binary if path.suffix != ".png" or "docs" not in path.parts] == []


def test_a_business_date_is_never_the_one_of_the_machine() -> None:
    """In the evening of Québec a server in UTC is a day ahead: `local_date` and `tests.clock.today` know it."""
    machines = re.compile(r"\b(date\.today\(\)|astimezone\(\)\.date\(\)|now\((UTC)?\)\.date\(\))")
    faults = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in files_of_the_project()
        if path.suffix == ".py" and path != Path(__file__)
        for found in machines.finditer(path.read_text(encoding="utf-8"))
    ]
    assert faults == []


def test_every_exception_to_a_check_says_which_and_why() -> None:
    exception = re.compile(r"#\s*(noqa|type:\s*ignore|pyright:\s*ignore)(?P<rest>.*)")
    reasoned = re.compile(r"(:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*|\[[\w\-, ]+\])\s*(-|#|\()?\s*\w.{8,}")
    faults = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files_of_the_project()
        if path.suffix == ".py" and path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := exception.search(line)) and not reasoned.match(found["rest"])
    ]
    assert faults == []


def test_nothing_is_published_but_on_loopback() -> None:
    published = [port for service in services().values() for port in service.get("ports", [])]
    assert published
    assert [port for port in published if not str(port).startswith("127.0.0.1:")] == []
    assert [name for name, service in services().items() if service.get("network_mode") == "host"] == []


def test_every_image_is_pinned() -> None:
    bases = re.findall(r"^FROM (\S+)", read("Dockerfile"), re.MULTILINE)
    images = [*bases, *(service["image"] for service in services().values())]
    assert [image for image in images if not re.fullmatch(r"[\w./-]+:\d+\.\d+\S*", image)] == []


def test_every_lasting_service_restarts_and_has_a_health_check() -> None:
    lasting = {name: service for name, service in services().items() if name not in RUN_ONCE}
    assert [name for name, service in lasting.items() if service["restart"] != "unless-stopped"] == []
    assert [name for name, service in lasting.items() if "healthcheck" not in service] == []


def test_a_worker_is_killed_only_after_its_own_patience() -> None:
    for name in ("worker-1", "worker-2"):
        worker = services()[name]
        patience = int(worker["environment"]["GAMF_GRACEFUL_SHUTDOWN_SECONDS"])
        assert int(worker["stop_grace_period"].removesuffix("s")) >= patience + 10


def test_the_containers_are_given_what_the_example_names_and_nothing_else() -> None:
    named = set(re.findall(r"^(\w+)=", read("deploy/env.example"), re.MULTILINE))
    assert set(re.findall(r"\$\{(\w+)[:}]", read("docker-compose.yml"))) == named


def test_all_that_a_choice_of_the_example_asks_for_can_be_given_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = {"GAMF_CARRIER": "smtp", "GAMF_SMTP_USER": "compte", "GAMF_OIDC_ISSUER": "https://exemple.test"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsFault) as fault:
        Settings.load()
    asked = set(re.findall(r"(GAMF_\w+) \(", fault.value.fr))
    assert asked >= {"GAMF_SMTP_MAILBOX", "GAMF_OIDC_CLIENT_ID"}
    assert asked <= services()["console"]["environment"].keys()


def test_no_secret_is_in_the_repository() -> None:
    example = dict(re.findall(r"^(\w+)=(.*)$", read("deploy/env.example"), re.MULTILINE))
    secrets = {name: value for name, value in example.items() if "PASSWORD" in name}
    assert secrets
    assert not any(secrets.values())
    assert not re.search(r"PASSWORD:-?\s+[^$\s]|PASSWORD:-[^}]", read("docker-compose.yml"))


def test_ci_runs_every_check() -> None:
    assert re.findall(r"\bmake (\S+)$", read(".ci/run"), re.MULTILINE) == [
        "setup",
        "check",
        "test",
        "test-long",
    ]
