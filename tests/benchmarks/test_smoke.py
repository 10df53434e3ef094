"""The benchmarks run, at a size at which their numbers mean nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

_LISTS = (
    *(
        f"list: {name}, {who}"
        for name in ("attributions", "my tasks", "blocks")
        for who in ("coordinator", "five RLS", "clinic", "auditor")
    ),
    *(f"list: {name}, {who}" for name in ("the list", "RAMQ's files") for who in ("coordinator", "auditor")),
    "list: physicians, auditor",
    "list: letters, auditor",
    *(f"page: {name}" for name in ("my tasks", "attributions", "blocks", "the list")),
    "page: physicians, files and letters",
)
_MEASURED = {
    "whole lives": {"lives/s"},
    "history of a life": {"events", "bytes"},
    "actions of a life": {"actions"},
    "starts": {"starts/s"},
    "update to committed row, p50": {"ms"},
    "update to committed row, p99": {"ms"},
    "block start": {"s"},
    "block start, answered": {"s"},
    "replay of one that waits": {"ms"},
    "letters": {"letters/s"},
    "draw": {"ms"},
    "page of the list": {"ms"},
    "departure": {"s"},
    "memory of a cached workflow": {"bytes"},
    "bytes in Temporal": {"bytes"},
    "bytes in both servers": {"bytes"},
    **{f"{name}, {centile}": {"ms"} for name in _LISTS for centile in ("p50", "p99")},
}


def test_every_measure_is_taken_beside_its_floor(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "--size", "5", "--rounds", "1", "--json"]
    command += ["--plot", str(tmp_path / "ratios.svg"), "--page", str(tmp_path / "page.md")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    results = json.loads(done.stdout)["results"]
    measured: dict[str, set[str]] = {}
    for result in results:
        measured.setdefault(result["name"], set()).add(result["unit"])
        assert result["ours"]["median"] > 0
        assert result["floor"]["median"] > 0
        assert result["ratio"] == result["ours"]["median"] / result["floor"]["median"]
    assert measured == _MEASURED
    (events,) = (each for each in results if each["unit"] == "events")
    assert [result["name"] for result in results if result["peer_ratio"]] == ["whole lives"]
    page = (tmp_path / "page.md").read_text("utf-8")
    assert all(f"| {result['name']} | {result['unit']} |" in page for result in results)
    assert "whole lives (lives/s)" in (tmp_path / "ratios.svg").read_text("utf-8")
    # 3 timers, 3 signals and 3 activities, one after the other: several at once would leave fewer.
    assert events["floor"]["median"] >= 41
