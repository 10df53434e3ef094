"""Commands and options whose help is in both languages, and groups that import a command when called."""

import inspect
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click
from click.shell_completion import CompletionItem
from typing_extensions import override

from gamf.client.cli.click_french import install, translated
from gamf.client.cli.language import Text, say

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
Clicks = Any
"""What is handed on to click as it is."""

install()
_rehearsal: ContextVar[bool] = ContextVar("rehearsal", default=False)


@contextmanager
def rehearsing() -> Generator[None]:
    """Read command lines within the block without doing what they ask."""
    token = _rehearsal.set(True)
    try:
        yield
    finally:
        _rehearsal.reset(token)


class Option(click.Option):
    """An option with its help, and its metavariable if it has one, in both languages."""

    def __init__(self, *names: Clicks, words: Text, shown: Text | None = None, **attributes: Clicks) -> None:
        super().__init__(*names, **attributes)
        self.words: Text = words
        self.shown: Text | None = shown

    def speak(self) -> None:
        """Put on the words of the language in use."""
        self.help = str(self.words)
        self.metavar = str(self.shown) if self.shown else self.metavar


class Argument(click.Argument):
    """An argument with its help and its metavariable in both languages."""

    def __init__(self, *names: Clicks, words: Text, shown: Text, **attributes: Clicks) -> None:
        super().__init__(*names, **attributes)
        self.words: Text = words
        self.shown: Text = shown

    def speak(self) -> None:
        """Put on the words of the language in use."""
        self.help = str(self.words)
        bare = str(self.shown) if self.nargs == 1 else f"{self.shown}…"
        self.metavar = bare if self.required else f"[{bare}]"


class Command(click.Command):
    """A command whose help is in both languages: the docstring of its function in English, `fr` beside it."""

    def __init__(self, *names: Clicks, words: Text, **attributes: Clicks) -> None:
        super().__init__(*names, **attributes)
        self.words: Text = words

    @override
    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        params = super().get_params(ctx)
        for each in params:
            if isinstance(each, Option | Argument):
                each.speak()
        return params

    @override
    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            # Click makes it once, in the language of that moment.
            option.help = translated("Show this message and exit.")
        return option

    @override
    def invoke(self, ctx: click.Context) -> Any:
        leads_on = isinstance(self, click.Group)
        return None if _rehearsal.get() and not leads_on else super().invoke(ctx)

    def complete_options(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Complete the name of an option."""
        return click.Command.shell_complete(self, ctx, incomplete)

    @override
    def get_short_help_str(self, limit: int = 45) -> str:
        return str(self.words).partition("\n")[0].removesuffix(".")

    @override
    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.help = str(self.words)
        super().format_help_text(ctx, formatter)


_NOT_YET: Final = click.Command(None)


class LazyCommands(dict[str, click.Command]):
    """The commands of a group by name, each imported when it is first looked at."""

    def __init__(self, places: dict[str, str]) -> None:
        """Take for each name where its command is, as `module:attribute`."""
        super().__init__(dict.fromkeys(places, _NOT_YET))
        self._places: dict[str, str] = places

    @override
    def __getitem__(self, name: str) -> click.Command:
        if name in self._places:
            module, _, attribute = self._places.pop(name).partition(":")
            self[name] = getattr(import_module(module), attribute)
        return super().__getitem__(name)

    @override
    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self else default  # noqa: SIM401 - the dict's own gives what is not imported


class Group(Command, click.Group):  # pyright: ignore[reportUnsafeMultipleInheritance] - all of click's
    """A group of commands, listed in the order given; `summaries` say what each does without importing it."""

    def __init__(
        self, *names: Clicks, summaries: dict[str, Text] | None = None, **attributes: Clicks
    ) -> None:
        super().__init__(*names, **attributes)
        self.summaries: dict[str, Text] = summaries or {}

    @override
    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        command = say("COMMANDE …", "COMMAND …")
        shown = f"[{command}]" if self.invoke_without_command else command
        return [*super().collect_usage_pieces(ctx)[:-1], shown]

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, self._summary(name)) for name in self.commands]
        with formatter.section(translated("Commands")):
            formatter.write_dl(rows)

    @override
    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Complete a command's name without importing the commands."""
        names = [name for name in self.commands if name.startswith(incomplete)]
        return [
            *(CompletionItem(name, help=self._summary(name)) for name in names),
            *self.complete_options(ctx, incomplete),
        ]

    def _summary(self, name: str) -> str:
        words = self.summaries.get(name)
        return str(words) if words else self.commands[name].get_short_help_str()


def option(*names: str, fr: str, en: str, shown: Text | None = None, **attributes: Clicks) -> Decorator:
    """Add an option to a command."""
    return click.option(*names, cls=Option, words=Text(fr, en), shown=shown, **attributes)


def argument(name: str, *, fr: str, en: str, shown: Text, **attributes: Clicks) -> Decorator:
    """Add an argument to a command."""
    return click.argument(name, cls=Argument, words=Text(fr, en), shown=shown, **attributes)


def together(*decorators: Decorator) -> Decorator:
    """Return one decorator for several; the first adds what the help lists first."""

    def decorator(function: Callable[..., Any]) -> Callable[..., Any]:
        for each in reversed(decorators):
            function = each(function)
        return function

    return decorator


def command(name: str, *, fr: str, group: Group | None = None) -> Callable[[Callable[..., None]], Command]:
    """Make a command of a function: its docstring is the help in English, `fr` the one in French."""

    def decorator(function: Callable[..., None]) -> Command:
        words = Text(fr, inspect.cleandoc(function.__doc__ or ""))
        made = click.command(name, cls=Command, words=words)(_lang(function))
        if group is not None:
            group.add_command(made)
        return made

    return decorator


def new_group(name: str, words: Text) -> Group:
    """Make a group of commands."""
    return click.group(name, cls=Group, words=words)(_lang(_nothing))


def group_that_acts(name: str, *, words: Text) -> Callable[[Callable[..., None]], Group]:
    """Make a group of commands of a function, which is called when no command of it is.

    The function takes the context first, whose `invoked_subcommand` names the command that follows, if one does.
    """

    def decorator(function: Callable[..., None]) -> Group:
        acting = click.pass_context(_lang(function))
        return click.group(name, cls=Group, words=words, invoke_without_command=True)(acting)

    return decorator


def _nothing() -> None:
    """Do nothing: a group only leads to its commands."""


def as_json(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--json`, given to the function as `json_wanted`."""
    return option(
        "--json",
        "json_wanted",
        is_flag=True,
        fr="Écrire du JSON, et les erreurs aussi.",
        en="Write JSON, and errors too.",
    )(function)


def reported_by(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--by`, the account of whoever reports it, given to the function as `by`."""
    return option(
        "--by",
        shown=Text("COMPTE", "ACCOUNT"),
        fr="Qui le rapporte (GAMF_ACCOUNT, sinon votre compte).",
        en="Who reports it (GAMF_ACCOUNT, else your account).",
    )(function)


def reads_data(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--data`, where `gamf up` of this folder wrote its addresses."""
    return option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        shown=Text("DOSSIER", "DIR"),
        fr="Dossier de données de « gamf up » (GAMF_DATA_DIR, sinon ./data).",
        en="Data folder of “gamf up” (GAMF_DATA_DIR, else ./data).",
    )(function)


def _lang(function: Callable[..., Any]) -> Callable[..., Any]:
    # It was read before anything was parsed (language.wanted); here it is only checked.
    return option(
        "--lang",
        type=click.Choice(["fr", "en"]),
        expose_value=False,
        hidden=True,
        fr="Langue des messages.",
        en="Language of the messages.",
    )(function)
