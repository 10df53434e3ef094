"""Pictures: written whole, the same for the same figures, and nothing of them stays behind."""

import subprocess
import sys
from pathlib import Path

import pytest

from gamf.client.plots import COLOURS, MARKERS, SUFFIXES, picture


def draw(path: Path) -> bytes:
    with picture(path, "Où chacun se trouve", panels=2) as (above, below):
        above.plot([1, 2, 3], [3, 1, 2], color=COLOURS[0], marker=MARKERS[0], label="en attente")
        below.bar(["févr.", "mars"], [5, 8], color=COLOURS[1])
    return path.read_bytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_figures_give_the_same_file(tmp_path: Path, suffix: str) -> None:
    first = draw(tmp_path / f"one{suffix}")
    assert first == draw(tmp_path / f"two{suffix}")
    assert first.startswith(b"\x89PNG" if suffix == ".png" else b"<?xml")


def test_a_text_stays_text_in_an_svg(tmp_path: Path) -> None:
    assert "Où chacun se trouve" in draw(tmp_path / "one.svg").decode()


def test_a_picture_of_another_kind_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.png, \.svg"):
        draw(tmp_path / "one.gif")
    assert list(tmp_path.iterdir()) == []


def test_a_drawing_that_fails_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "one.png"
    with pytest.raises(ZeroDivisionError), picture(path, "Rien"):
        _ = 1 / 0
    assert not path.exists()


def test_a_command_that_draws_nothing_does_not_wait_for_the_library() -> None:
    loaded = "import sys, gamf.client.plots; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loaded], check=False).returncode == 0
