"""The benchmarks run, at a size at which their numbers mean nothing."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.long

_MEASURED = {
    "draw": {"ms"},
    "block start": {"s"},
    "block start, answered": {"s"},
    "whole lives": {"lives/s"},
    "history of a life": {"events", "bytes"},
}


def test_every_measure_is_taken_beside_its_floor() -> None:
    command = [sys.executable, "-m", "benchmarks", "--size", "5", "--rounds", "1", "--json"]
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
    # 3 timers, 3 signals and 3 activities, one after the other: several at once would leave fewer.
    assert events["floor"]["median"] >= 41
