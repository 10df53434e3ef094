"""The walks of docs/coordinators.md, as typed, on a fresh `gamf up` (R5, R6, A4, A17)."""

import re
import tempfile
from collections.abc import Generator
from pathlib import Path
from shlex import split

import pytest

from tests.client.command import Terminal, up

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "coordinators.md"
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def lines(section: str) -> list[str]:
    """Return the commands of a section, in order, without their remarks."""
    _, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(f"\n## {section}\n")
    text = rest.partition("\n## ")[0]
    typed = (line.partition("  #")[0].strip() for part in _BLOCK.findall(text) for line in part.splitlines())
    return [line for line in typed if line]


@pytest.fixture(scope="module")
def terminal() -> Generator[Terminal]:
    """Return a second terminal, beside a `gamf up` as `make run` starts it."""
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        # As root, PostgreSQL runs as another user, which must pass through.
        Path(name).chmod(0o711)
        terminal = Terminal(Path(name), {"GAMF_ACCOUNT": "coordination"})
        with up(terminal, "--training", "--with-sample"):
            yield terminal


@pytest.mark.long
def test_r5_r6_a4_a17_the_walks_of_refusal_replacement_and_ramq(terminal: Terminal) -> None:
    year = terminal.json("block", "list")[0]["block_id"].partition("-")[0]
    for section in ("Refusal", "Replacement", "RAMQ"):
        typed = [line.replace("2026-", f"{year}-") for line in lines(section)]
        assert typed
        for line in typed:
            program, *words = split(line)
            ran = terminal.run(*words)
            assert (program, ran.status) == ("gamf", 0), f"{line}\n{ran.err}"
    shown = terminal.json("block", "show", f"{year}-0001")
    assert shown["counts"] == {"refused": 3, "cancelled": 1, "confirmed": 17}
    assert (shown["list"][-1]["attribution_id"], shown["list"][-1]["replaces"]) == (
        f"{year}-000021",
        f"{year}-000020",
    )
    told = terminal.json("ramq", "show", f"{year}-0001")
    assert [(file["kind"], file["names"]) for file in told["files"]] == [("list", 17), ("supplement", 1)]
    names = {path.name for path in (terminal.folder / "data" / "outbox" / "ramq").glob("*.csv")}
    assert names == {*(file["name"] for file in told["files"]), "manifest.csv"}


@pytest.mark.long
def test_r5_the_reasons_are_a_table_that_a_coordinator_edits(terminal: Terminal) -> None:
    new = ("neighbour", "--fr", "Voisin du médecin", "--en", "Neighbour of the physician", "--ordinary")
    added = terminal.json("reason", "add", *new)
    assert (added["exceptional"], added["active"], added["ours"]) == (False, True, True)
    assert terminal.json("reason", "add", *new) == added
    status, error = terminal.error("reason", "add", *new[:-1], "--exceptional")
    assert (status, error["rule"]) == (3, "A20")
    edited = terminal.json("reason", "edit", "neighbour", "--exceptional", "--retired")
    assert (edited["exceptional"], edited["active"]) == (True, False)
    offered = terminal.json("reason", "list")
    assert edited not in offered
    assert len(terminal.json("reason", "list", "--all")) == len(offered) + 1
    assert "Voisin du médecin" in terminal.run("reason", "list", "--all").out
    assert terminal.error("reason", "edit", "unheard_of", "--retired")[0] == 4
    assert terminal.error("reason", "add", "É", "--fr", "x", "--en", "x", "--ordinary")[0] == 2
    assert terminal.error("block", "accept", "2026-0001", "--except", "2026-000001")[0] == 2
    assert terminal.error("block", "accept", "2026-0001", "--except", "2026-01", "--reason", "x")[0] == 2
    assert terminal.error("ramq", "show", "2020-9999")[0] == 4
