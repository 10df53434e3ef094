"""The picture of a year: where everybody is, week by week, in stacked areas."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from matplotlib.colors import to_rgb
from matplotlib.image import imread

from gamf.client.plots import picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Places = Sequence[Mapping[str, int]]

_TITLE: Final = "Une année dans un RLS\u00a0: où est chacun, à la fin de chaque semaine"
_PLACES: Final[dict[str, tuple[str, str, str]]] = {
    "left": ("Partis (décès, hors Québec, non admissibles)", "#000000", ""),
    "enrolled": ("Inscrits ailleurs", "#cc79a7", "\\\\"),
    "enrolled_mf": ("Inscrits MF", "#009e73", ""),
    "enrolled_sv": ("Inscrits SV", "#e69f00", "//"),
    "attributed": ("Attribués, sans inscription", "#d55e00", ""),
    "proposed": ("Tirés, liste non approuvée", "#56b4e9", "xx"),
    "waiting_elsewhere": ("En attente dans un autre RLS", "#999999", ".."),
    "waiting": ("En attente dans le RLS", "#cfe2f3", ""),
}
"""Each place from the bottom up: its name, its colour, and its pattern for whoever sees no colours."""


def draw(path: Path, places: Places) -> None:
    """Draw everybody, and once more all but those who wait in the RLS, who hide the others."""
    with picture(path, _TITLE, panels=2) as axes:
        _stack(axes[0], places, list(_PLACES))
        axes[0].set_title("Tout le monde", loc="left", fontsize=10)
        _stack(axes[1], places, [name for name in _PLACES if name != "waiting"])
        axes[1].set_title("Sans ceux qui attendent dans le RLS", loc="left", fontsize=10)
        axes[1].set_xlabel("Semaine", fontsize=9)


def _stack(panel: "Axes", places: Places, names: Sequence[str]) -> None:
    weeks = range(1, len(places) + 1)
    panel.stackplot(
        weeks,
        [[week.get(name, 0) for week in places] for name in names],
        labels=[_PLACES[name][0] for name in names],
        colors=[_PLACES[name][1] for name in names],
        hatch=[_PLACES[name][2] for name in names],
    )
    panel.set_xlim(weeks[0], weeks[-1])
    panel.set_ylim(bottom=0)
    panel.legend(reverse=True, loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8, frameon=False)


def everybody_is_on_the_picture(path: Path, places: Places, people: int) -> None:
    """Check that every column is of everybody, that each place is named, and that its colour is to be seen."""
    assert all(week.keys() <= _PLACES.keys() and sum(week.values()) == people for week in places)
    pixels = {tuple(round(part * 255) for part in pixel[:3]) for row in imread(path) for pixel in row[::4]}
    for name in {name for week in places for name in week}:
        assert tuple(round(part * 255) for part in to_rgb(_PLACES[name][1])) in pixels, name
