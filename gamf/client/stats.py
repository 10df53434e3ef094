"""The indicators as a person asks for them: by RLS and month, as lines, as CSV, as a picture; small counts masked."""

import csv
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from gamf.client.errors import NotFoundError
from gamf.client.plots import COLOURS, MARKERS, picture
from gamf.domain import calendar
from gamf.domain import indicators as rules
from gamf.domain.digest import RETURNED
from gamf.domain.indicators import CAUSES, COLUMNS, MEDIAN, WAITING, Measured, Published
from gamf.domain.states import LABELS, UNDER_WAY, State
from gamf.storage import indicators
from gamf.storage.indicators import Span

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gamf.storage.connection import Connection

MASK: Final = "x"
"""A confidential value, as Québec's statistical institute writes it."""
MONTHS: Final = 12
"""How many months are shown unless others are asked for."""
HEADINGS: Final[dict[str, tuple[str, str]]] = {
    WAITING: ("En attente", "Waiting"),
    "attributed": ("Attribués", "Attributed"),
    "unanswered": ("Sans réponse", "Unanswered"),
    "enrolled_sv": ("Inscrits SV", "Enrolled SV"),
    "enrolled_mf": ("Inscrits MF", "Enrolled MF"),
    "returned": ("Revenus", "Returned"),
    **{f"returned_{state}": LABELS[state] for state in RETURNED},
    MEDIAN: ("Attente médiane (jours)", "Median wait (days)"),
}
"""Each column in French and in English."""
WHOLE: Final = ("Ensemble", "All")
_NAMES: Final = {"SV": "enrolled_sv", "MF": "enrolled_mf"}
_MOST_MONTHS: Final = 120


async def indicators_of(
    conn: "Connection", rls: Sequence[str], first: date | None, last: date | None, now: datetime
) -> tuple[Published, ...]:
    """Return the lines of these RLS, or of all and of the province, from one month to another.

    Unless said otherwise, the last month is that of now in Montréal, and there are twelve of them.

    Raises:
        NotFoundError: there is no such RLS.
    """
    last = last or calendar.local_date(now, calendar.PROVINCE)
    months = rules.months(first or calendar.add_months(last.replace(day=1), 1 - MONTHS), last)[-_MOST_MONTHS:]
    # One transaction, one snapshot: the columns of a line agree.
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        await indicators.unbounded(conn)
        zones = await indicators.zones(conn)
        for name in rls:
            if name not in zones:
                raise NotFoundError(fr=f"Il n’y a pas de RLS {name}.", en=f"There is no RLS {name}.")
        measured = await measure(conn, zones, months, now) if months else []
    return rules.publish(measured, rls)


async def measure(
    conn: "Connection", zones: dict[str, str], months: Sequence[date], now: datetime
) -> list[Measured]:
    """Count for each RLS (with its clock) and month, unmasked: for `publish` alone."""
    span = Span(months[0], calendar.add_months(months[-1], 1))
    lines = {(rls, month): dict.fromkeys(rules.COUNTS, 0) for rls in zones for month in months}
    moved = await indicators.moved(conn, span, (State.UNANSWERED,), RETURNED, tuple(UNDER_WAY))
    for count in (*await indicators.attributed(conn, span), *moved, *await indicators.enrolled(conn, span)):
        line = lines.get((count.rls, count.month))
        if line is None:
            continue
        name = f"returned_{count.name}" if count.name in RETURNED else _NAMES.get(count.name, count.name)
        line[name] += count.number
        line["returned"] += count.number if count.name in RETURNED else 0
    changes = await indicators.changes_of_waiting(conn, span, tuple(UNDER_WAY), now)
    for each in changes:
        for month in months:
            if each.month <= month:
                lines[each.rls, month][WAITING] += each.number
    medians = {(each.rls, each.month): each for each in await indicators.waits(conn, span)}
    made: list[Measured] = []
    for rls, month in (*lines, *((None, month) for month in months)):
        median = medians.get((rls, month))
        counts = lines[rls, month] if rls is not None else {}
        days, of = (median.days, median.of) if median else (None, 0)
        made.append(Measured(rls=rls, month=month, counts=counts, median=days, median_of=of))
    return made


# --- as CSV and as a picture --------------------------------------------------------------------------------------


def write_csv(stream: IO[str], lines: Iterable[Published]) -> None:
    """Write the lines with the names of JSON as columns; a masked value is `x`, the province has no RLS."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["rls", "month", *COLUMNS])
    for line in lines:
        writer.writerow([line.rls or "", line.month, *(shown(line, column) for column in COLUMNS)])


def shown(line: Published, column: str) -> str:
    """Return a value as it is read; a median is of whole or half days."""
    value = line.values[column]
    return MASK if value is None else f"{value:g}" if isinstance(value, float) else str(value)


_PANELS: Final = (
    (("Personnes en attente à la fin du mois", "People waiting at the end of the month"), (WAITING,)),
    (
        ("Chaque mois", "Each month"),
        ("attributed", "unanswered", "enrolled_sv", "enrolled_mf", "returned"),
    ),
    (("Revenus sur la liste, par cause", "Back on the list, by cause"), CAUSES),
    (("Attente médiane jusqu’à l’inscription, en jours", "Median wait until enrolment, in days"), (MEDIAN,)),
)
_TITLES: Final = ("Liste d’attente (GAMF) : {who}", "Waiting list (GAMF): {who}")
_NOTES: Final = (
    "Un point qui manque est confidentiel : moins de 5 personnes, ou un nombre qui les révélerait.",
    "A missing point is confidential: fewer than 5 people, or a count that would reveal them.",
)


def draw(path: Path, lines: Sequence[Published], language: int) -> None:
    """Draw the indicators of one RLS, or of the province when the lines are of several; masked values are left out.

    `language` is 0 for French, 1 for English.

    Raises:
        ValueError: the name of the file ends neither with .png nor with .svg.
    """
    names = {line.rls for line in lines}
    who = names.pop() if len(names) == 1 else None
    drawn = [line for line in lines if line.rls == who]
    title = _TITLES[language].format(who=f"RLS {who}" if who else WHOLE[language])
    with picture(path, title, panels=len(_PANELS)) as axes:
        for panel, (heading, columns) in zip(axes, _PANELS, strict=True):
            _draw_panel(panel, drawn, columns, language)
            panel.set_title(heading[language], loc="left", fontsize=10)
        axes[-1].set_xlabel(_NOTES[language], fontsize=8)


def _draw_panel(panel: "Axes", lines: Sequence[Published], columns: Sequence[str], language: int) -> None:
    months = [line.month for line in lines]
    places = range(len(months))
    for number, column in enumerate(columns):
        values = [
            float("nan") if line.values[column] is None else float(line.values[column] or 0) for line in lines
        ]
        panel.plot(
            places,
            values,
            label=HEADINGS[column][language],
            color=COLOURS[number],
            marker=MARKERS[number],
            markersize=5,
            linewidth=1.6,
        )
    panel.set_xticks(list(places), months, rotation=45 if len(months) > 8 else 0, fontsize=8)  # noqa: PLR2004 - as many fit
    panel.set_ylim(bottom=0)
    if len(columns) > 1:
        panel.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8, frameon=False)
