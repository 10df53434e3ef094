"""The demonstration, played whole by the command on servers of its own; and that it would tell a fault."""

import tempfile
from collections import Counter
from collections.abc import Generator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gamf.client import demo
from gamf.client.cli import session
from gamf.client.cli.main import run
from tests.client.command import Ran, Terminal


@pytest.fixture(scope="module")
def shown() -> Generator[tuple[Ran, Path]]:
    """Return what the command printed, and the folder in which it could leave something."""
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        # As root, PostgreSQL runs as another user, which must pass through.
        Path(name).chmod(0o711)
        ran = Terminal(Path(name), {"TMPDIR": name, "TZ": "America/Toronto"}).process("demo", "--json")
        yield ran, Path(name)


@pytest.fixture(scope="module")
def played(shown: tuple[Ran, Path]) -> dict[str, Any]:
    whole: dict[str, Any] = shown[0].json()
    return whole


def of(played: dict[str, Any], story: str) -> dict[str, Any]:
    (fate,) = [each for each in played["patients"] if each["story"] == story]
    return dict(fate)


def test_everybody_is_where_the_rules_say(shown: tuple[Ran, Path], played: dict[str, Any]) -> None:
    assert shown[0].status == 0
    assert played["as_expected"]
    assert [each for each in played["patients"] if not each["as_expected"]] == []
    assert (played["violations"], played["block_state"]) == ([], "closed")


def test_twenty_people_add_up(played: dict[str, Any]) -> None:
    assert len({each["patient_id"] for each in played["patients"]}) == 20
    assert played["places"] == {"enrolled": 15, "waiting": 4, "left": 1}
    assert all(each["initial_date_kept"] for each in played["patients"])


def test_nothing_is_left_on_the_machine(shown: tuple[Ran, Path]) -> None:
    assert list(shown[1].iterdir()) == []
    assert shown[0].err == ""


@pytest.mark.parametrize(
    ("story", "state", "place", "letters"),
    [
        ("physician_refuses", "refused", "waiting", []),
        ("silent", "lapsed", "waiting", []),
        ("patient_refuses", "patient_refused", "waiting", ["attribution", "corrective"]),
        ("forgotten", "enrolled_mf", "enrolled", ["attribution"]),
        ("dies", "patient_left", "left", ["attribution"]),
        ("elsewhere", "enrolled_elsewhere", "enrolled", ["attribution", "corrective"]),
        ("late_mf", "enrolled_mf", "enrolled", ["attribution", "corrective"]),
        ("never_seen", "expired", "waiting", ["attribution", "corrective"]),
    ],
)
def test_each_story_ends_as_written(
    played: dict[str, Any], story: str, state: str, place: str, letters: list[str]
) -> None:
    fate = of(played, story)
    assert (fate["state"], fate["place"], fate["letters"]) == (state, place, letters)


def test_r14_the_longest_story_lasts_36_months(played: dict[str, Any]) -> None:
    sv = of(played, "never_seen")["sv"]
    start, end = date.fromisoformat(sv["start"]), date.fromisoformat(sv["end"])
    assert end.year - start.year == 3
    assert not sv["voided"]


def test_r12_a_late_mf_closes_the_sv_the_day_before(played: dict[str, Any]) -> None:
    fate = of(played, "late_mf")
    assert (date.fromisoformat(fate["mf"]["start"]) - date.fromisoformat(fate["sv"]["end"])).days == 1


def test_the_others_are_seen_and_enrolled_mf(played: dict[str, Any]) -> None:
    seen = [each for each in played["patients"] if each["story"] == "seen"]
    assert Counter((each["state"], each["mf"] is not None) for each in seen) == {("enrolled_mf", True): 12}


@pytest.mark.parametrize(("as_expected", "status"), [(True, 0), (False, 1)])
def test_a_fault_would_be_told(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    played: dict[str, Any],
    *,
    as_expected: bool,
    status: int,
) -> None:
    whole = demo.Played.model_validate({**played, "as_expected": as_expected, "violations": ["2: overlap"]})

    def instead(work: Any) -> demo.Played:  # noqa: ANN401 - the coroutine that is not run
        work.close()
        return whole

    monkeypatch.setattr(session, "run", instead)
    assert run(["demo"]) == status
    printed = capsys.readouterr()
    assert played["block_id"] in printed.out
    assert "20 personnes" in printed.out
    assert "2: overlap" in printed.err
