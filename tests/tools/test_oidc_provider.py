"""The identity provider of the tests: what is installed, and how."""

import subprocess
from pathlib import Path

import pytest

from tools.oidc_provider import LISTS, LOCK, lists, main


def test_the_lock_has_a_hash_for_every_package_and_names_no_registry() -> None:
    asked, locked = lists()
    packages = {name: each for name, each in locked["packages"].items() if name}
    assert asked == {"dependencies": {"oidc-provider": packages["node_modules/oidc-provider"]["version"]}}
    assert [name for name, each in packages.items() if not each["integrity"].startswith("sha512-")] == []
    assert "://" not in LOCK.read_text(encoding="utf-8")


def test_it_is_installed_without_scripts_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[list[str]] = []

    def run(command: list[str], *, cwd: Path, **_how: object) -> None:
        assert sorted(path.name for path in cwd.iterdir()) == sorted(LISTS)
        ran.append(command)
        if len(ran) > 1:
            raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(subprocess, "run", run)
    folder = tmp_path / "oidc-provider"
    assert main([str(folder)]) == 0
    assert {"ci", "--ignore-scripts"} <= set(ran[0])
    (folder / "kept").touch()
    assert main([str(folder)]) == 1
    assert (folder / "kept").exists()
    assert "cannot run here (CalledProcessError)" in capsys.readouterr().out
