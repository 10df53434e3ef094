"""Pictures of figures, as PNG or SVG: one place for their colours, their size and how they are written.

The library takes a second to be imported, so it is only when something is drawn. Nothing is kept between two pictures
(no `pyplot`): several may be drawn in one process, a server's included.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUFFIXES: Final = (".png", ".svg")
"""The kinds of file that can be drawn, by the end of their name."""

COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Told apart by every kind of sight (Okabe and Ito); never the only difference between two lines."""

MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")
"""The mark of each line, beside its colour (WCAG 2.2, 1.4.1)."""

_WIDTH_INCHES: Final = 9.0
_PANEL_INCHES: Final = 3.4
_DOTS_PER_INCH: Final = 150


@contextmanager
def picture(path: Path, title: str, *, panels: int = 1) -> Generator[tuple["Axes", ...]]:
    """Give the panels of a picture, one above the other; it is written to `path` when the block ends well.

    Raises:
        ValueError: the name ends otherwise than those of `SUFFIXES`.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"a picture's name ends with one of {', '.join(SUFFIXES)}")
    import matplotlib as mpl  # noqa: PLC0415 - a second, and most commands draw nothing
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - the same
    from matplotlib.figure import Figure  # noqa: PLC0415 - the same

    # A text stays text in an SVG, and the same figures give the same file.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "gamf"}):
        figure = Figure(figsize=(_WIDTH_INCHES, _PANEL_INCHES * panels + 0.6), layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(title, fontweight="bold")
        axes = tuple(figure.subplots(panels, 1, squeeze=False)[:, 0])
        for panel in axes:
            panel.spines[["top", "right"]].set_visible(False)
            panel.grid(axis="y", alpha=0.3)
        yield axes
        # Without its date, or the same figures would give another file each time.
        undated = {"Date": None} if path.suffix.lower() == ".svg" else {}
        figure.savefig(path, dpi=_DOTS_PER_INCH, metadata=undated)
