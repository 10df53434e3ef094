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


def test_a_bare_life_is_the_life_that_was_agreed() -> None:
    """3 timers, 3 signals, 3 activities, one at a time: 41 events."""
    command = [
        sys.executable,
        "-m",
        "benchmarks",
        "--size",
        "1",
        "--rounds",
        "1",
        "--json",
        "--only",
        "lives",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (events,) = (each for each in json.loads(done.stdout)["results"] if each["unit"] == "events")
    assert events["floor"]["median"] == 41
