"""What a command takes besides plain words: each type says in both languages what it expected."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Final, cast

import click
from dateutil.relativedelta import relativedelta
from typing_extensions import override

from gamf.client.cli.language import Text, say

_DURATION: Final = re.compile(r"(?P<count>[1-9][0-9]{0,8})(?P<unit>mo|[smhdjy])")


class Matching(click.ParamType[str]):
    """A text of a given form."""

    def __init__(self, pattern: str, expected: Text) -> None:
        """Take the whole text's regular expression, and what it expects in words."""
        self.name: str = "text"
        self._pattern: re.Pattern[str] = re.compile(pattern)
        self._expected: Text = expected

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).strip()
        if not self._pattern.fullmatch(text):
            self.fail(str(self._expected), param, ctx)
        return text


ATTRIBUTION: Final = Matching(
    r"[0-9]{4}-[0-9]{6,}",
    Text("attendu : une attribution, comme 2026-000042.", "expected: an attribution, such as 2026-000042."),
)
BLOCK: Final = Matching(
    r"[0-9]{4}-[0-9]{4,}",
    Text("attendu : un bloc, comme 2026-0007.", "expected: a block, such as 2026-0007."),
)


class Attributions(click.ParamType[tuple[str, ...]]):
    """Several attributions, separated by commas."""

    name: str = "attributions"

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return cast("tuple[str, ...]", value)
        return tuple(ATTRIBUTION.convert(each, param, ctx) for each in str(value).split(","))


LICENCE: Final = Matching(
    r"[0-9]{5}", Text("attendu : un permis de 5 chiffres.", "expected: a licence of 5 digits.")
)


class _Civil(click.ParamType[date]):
    """A day of a calendar, which has no zone, in one way of writing it."""

    form: ClassVar[str]
    expected: ClassVar[Text]

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(str(value), self.form).date()  # noqa: DTZ007 - a civil date has no zone
        except ValueError:
            self.fail(str(self.expected), param, ctx)


class Day(_Civil):
    """A civil date."""

    name: str = "date"
    form = "%Y-%m-%d"
    expected = Text("attendu : une date AAAA-MM-JJ.", "expected: a date YYYY-MM-DD.")


class Month(_Civil):
    """A civil month, as its first day."""

    name: str = "month"
    form = "%Y-%m"
    expected = Text("attendu : un mois AAAA-MM.", "expected: a month YYYY-MM.")


class Duration(click.ParamType[relativedelta]):
    """A length of time: `90s`, `30m`, `72h`, `14d` (or `14j`), `36mo`, `1y`."""

    name: str = "duration"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> relativedelta:
        if isinstance(value, relativedelta):
            return value
        match = _DURATION.fullmatch(str(value).strip())
        if match is None:
            self.fail(
                say(
                    "attendu : une durée, comme 72h, 14d ou 36mo.",
                    "expected: a duration, such as 72h, 14d or 36mo.",
                ),
                param,
                ctx,
            )
        return _UNITS[match["unit"]](int(match["count"]))


_UNITS: Final[dict[str, Callable[[int], relativedelta]]] = {
    "s": lambda count: relativedelta(seconds=count),
    "m": lambda count: relativedelta(minutes=count),
    "h": lambda count: relativedelta(hours=count),
    "d": lambda count: relativedelta(days=count),
    "j": lambda count: relativedelta(days=count),
    "mo": lambda count: relativedelta(months=count),
    "y": lambda count: relativedelta(years=count),
}


def elapsed(length: relativedelta, since: datetime) -> timedelta:
    """Return the elapsed time of that length counted from an instant."""
    return since + length - since


class KeyValue(click.ParamType[tuple[str, str]]):
    """One `key=value`."""

    name: str = "key=value"

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        key, equals, text = str(value).partition("=")
        if not (key and equals):
            self.fail(say("attendu : clé=valeur.", "expected: key=value."), param, ctx)
        return key, text


class InputFile(click.Path):
    """A file that is there and can be read; or, with `or_stdin`, `-` for the standard input."""

    def __init__(self, *, or_stdin: bool = False) -> None:
        super().__init__(exists=True, dir_okay=False, readable=True, allow_dash=or_stdin, path_type=Path)

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        self.name: str = say("fichier", "file")
        return super().convert(value, param, ctx)


class OutputFile(click.Path):
    """A file to write."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, writable=True, path_type=Path)

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        self.name: str = say("fichier", "file")
        return super().convert(value, param, ctx)
