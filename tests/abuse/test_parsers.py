import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from tests.abuse.targets import TARGETS, examples
from tests.figures import Figures

RUNS: Final = 4_000
EXAMPLES: Final = 500
_UNHURRIED: Final = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
_DONE: Final = re.compile(r"Done (\d+) runs in (\d+) second")


@pytest.mark.long
@pytest.mark.timeout(200)
@pytest.mark.parametrize("target", TARGETS)
def test_no_input_that_reaches_new_lines_escapes_a_parser(target: str, seed: int, figures: Figures) -> None:
    with tempfile.TemporaryDirectory(prefix="gamf-abuse-") as folder:
        command = [sys.executable, "-m", "tests.abuse.coverage_guided", target, str(RUNS), str(seed), folder]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd=Path(__file__).parents[2],
        )
    assert done.returncode == 0, done.stderr[-3000:]
    found = _DONE.search(done.stderr)
    assert found, done.stderr[-1000:]
    assert int(found[1]) >= RUNS
    figures.add(inputs=int(found[1]))


def spoilt(example: bytes) -> st.SearchStrategy[bytes]:
    """Draw what a good example becomes when parts of it are cut, doubled or replaced by anything."""
    place = st.integers(0, len(example))
    part = st.one_of(
        st.binary(max_size=30),
        st.text(max_size=12).map(lambda text: text.encode("utf-8", "replace")),
        st.sampled_from(
            [b"\0", b"\xef\xbb\xbf", b'"', b"\r", b"\n", b",", b";", b"null", b"1e999", b"-0", b"\\ud800"]
        ),
    )
    return st.tuples(place, place, part).map(
        lambda drawn: example[: min(drawn[:2])] + drawn[2] + example[max(drawn[:2]) - len(drawn[2]) % 3 :]
    )


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS)
def test_no_spoilt_example_escapes_a_parser(target: str, seed: int, figures: Figures) -> None:
    tried = 0

    @seeded(seed)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=_UNHURRIED)
    @given(st.one_of(*(spoilt(each) for each in examples()[target])))
    def read(data: bytes) -> None:
        nonlocal tried
        tried += 1
        TARGETS[target](data)

    read()
    figures.add(inputs=tried)


@pytest.mark.parametrize("target", TARGETS)
def test_what_the_fuzzing_starts_from_is_read(target: str) -> None:
    for example in examples()[target]:
        TARGETS[target](example)
