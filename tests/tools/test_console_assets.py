"""Québec's design system: what is taken out of its archive, and that another archive is refused."""

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tools import console_assets
from tools.console_assets import UnexpectedError, checked, dark, install, main, npm

SHEET = "a{color:red}.qc-dark-theme,:root.qc-dark-theme{--qc-color-white:#121519}b{}"


def an_archive(files: dict[str, str]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content.encode()))
    return written.getvalue()


def test_the_style_sheet_and_the_fonts_are_taken_and_nothing_else(tmp_path: Path) -> None:
    archive = an_archive(
        {
            "package/dist/css/qc-sdg.min.css": SHEET,
            "package/dist/fonts/open-sans-v43-latin-regular.woff2": "f",
            "package/dist/fonts/../../../out.woff2": "f",
            "package/dist/img/QUEBEC_couleur.svg": "logo",
            "package/dist/js/qc-sdg.min.js": "script",
            "/etc/out": "out",
        }
    )
    folder = tmp_path / "share" / "sdg"
    for _ in range(2):
        install(archive, folder)
    taken = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert taken == [
        "share/sdg/css/qc-sdg-dark.css",
        "share/sdg/css/qc-sdg.min.css",
        "share/sdg/fonts/open-sans-v43-latin-regular.woff2",
    ]


def test_dark_colours_are_for_whoever_asks_for_them() -> None:
    assert dark(SHEET) == "@media (prefers-color-scheme: dark) { :root { --qc-color-white:#121519 } }\n"
    with pytest.raises(UnexpectedError):
        dark("a{}")


def test_another_archive_is_refused_and_what_was_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kept").write_text("kept", encoding="utf-8")
    monkeypatch.setattr(
        console_assets, "pack", lambda: an_archive({"package/dist/css/qc-sdg.min.css": SHEET})
    )
    assert main([str(tmp_path)]) == 1
    assert "another hash" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    with pytest.raises(UnexpectedError):
        checked(b"")


def test_without_npm_one_is_brought_for_the_time_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []

    def run(command: list[str], **_how: object) -> None:
        ran.append(command)

    found: list[str | None] = [None, "/usr/bin/npm"]

    def which(_name: str) -> str | None:
        return found.pop(0)

    monkeypatch.setattr(shutil, "which", which)
    monkeypatch.setattr(subprocess, "run", run)
    assert [Path(word).name for word in npm(tmp_path)] == ["node", "npm-cli.js"]
    assert {"--require-hashes", "--target", str(tmp_path / "node")} <= set(ran[0])
    assert npm(tmp_path) == ["/usr/bin/npm"]
