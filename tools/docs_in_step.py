"""Hold the documents to the code: `python -m tools.docs_in_step` fails when they differ.

Some parts of the documents are made from the code and stand between two markers: `--write` makes them again.
The rest is written by hand, and only the commands it names are looked at: a `gamf` command, an option or a
`make` target that does not exist is a fault.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from gamf.client.cli.language import speaking
from gamf.client.cli.main import cli
from gamf.domain import roles
from gamf.domain.diagram import mermaid, table
from gamf.runtime.errors import Language
from gamf.runtime.settings import settings_table

ROOT = Path(__file__).resolve().parent.parent
HELP_WIDTH = 100

_FENCED = re.compile(r"^```[^\n]*\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(?P<code>[^`\n]+)`")
_INVOCATION = re.compile(r"^(?:\$ )?(?:\w+=\S+ )*(?:\.venv/bin/)?(?P<program>gamf|make) (?P<words>.+)$")
_TARGET = re.compile(r"^(?P<target>[a-z][a-z-]*):", re.MULTILINE)
_WORD = re.compile(r"-{1,2}[a-z][\w-]*(=.*)?|[a-z][\w-]*")


@dataclass(frozen=True)
class Part:
    """What stands in a document between the two markers of that name, and what makes it."""

    document: str
    name: str
    render: Callable[[], str]

    def expected(self, text: str) -> str:
        """Return the document with this part as the code gives it; raise `LookupError` without markers."""
        begin, end = f"<!-- made from the code: {self.name} -->\n", f"<!-- end: {self.name} -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise LookupError(f"{self.document}: the markers of '{self.name}' are missing")
        return f"{before}{begin}\n{self.render().strip()}\n\n{end}{after}"


def commands(language: Language) -> str:
    """Return what every command answers to `--help`."""
    with speaking(language):
        pages = [f"## `{path}`\n\n```text\n{text}\n```" for path, text in _help_pages(cli, None, "gamf")]
    return "\n\n".join(pages)


def _help_pages(command: click.Command, parent: click.Context | None, name: str) -> Iterator[tuple[str, str]]:
    context = click.Context(
        command, info_name=name, parent=parent, terminal_width=HELP_WIDTH, max_content_width=HELP_WIDTH
    )
    yield context.command_path, command.get_help(context).strip()
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            yield from _help_pages(command.commands[child], context, child)


def settings() -> str:
    """Return the table of the settings."""
    rows = (f"| `{row.variable}` | {_code(row.default)} | {row.description} |" for row in settings_table())
    return "\n".join(["| Variable | Default | |", "|---|---|---|", *rows])


def _code(value: str) -> str:
    return f"`{value}`" if value else ""


def states() -> str:
    """Return the diagram of the states."""
    return f"```mermaid\n{mermaid().strip()}\n```"


PARTS = (
    Part("docs/commands.md", "commands", partial(commands, "fr")),
    Part("docs/commands.en.md", "commands in English", partial(commands, "en")),
    Part("docs/operations.md", "settings", settings),
    Part("README.md", "states", states),
    Part("docs/states.md", "states", states),
    Part("docs/states.md", "table", table),
    Part("docs/roles.md", "roles", roles.table),
)


def made_from_the_code(*, write: bool) -> Iterator[str]:
    """Name the parts that are not what the code gives; with `write`, mend them instead."""
    for part in PARTS:
        path = ROOT / part.document
        text = path.read_text(encoding="utf-8")
        expected = part.expected(text)
        if text == expected:
            continue
        if write:
            path.write_text(expected, encoding="utf-8")
            print(f"written: {part.document}")
        else:
            yield f"{part.document}: '{part.name}' is not what the code gives (make format rewrites it)"


def named_by_hand() -> Iterator[str]:
    """Name the commands, options and targets that a document speaks of and that do not exist."""
    targets = set(_TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        text = path.read_text(encoding="utf-8")
        for program, words in invocations(text):
            fault = unknown_word(words) if program == "gamf" else unknown_target(words, targets)
            if fault:
                yield f"{path.relative_to(ROOT)}: there is no `{fault}`"


def invocations(text: str) -> Iterator[tuple[str, list[str]]]:
    """Find what a reader would type: the command lines of the code blocks and the code between backquotes."""
    lines = [line for block in _FENCED.finditer(text) for line in block["code"].splitlines()]
    lines += [span["code"] for span in _INLINE.finditer(_FENCED.sub("", text))]
    for line in lines:
        for piece in re.split(r" && | \| |; ", line.strip()):
            if match := _INVOCATION.match(piece.strip()):
                yield match["program"], match["words"].partition(" #")[0].split()


def unknown_word(words: Sequence[str]) -> str | None:
    """Follow the words down the tree of commands; return the first path or option that is not there."""
    command: click.Command = cli
    path = "gamf"
    takes_value = False
    for word in words:
        if takes_value or not _WORD.fullmatch(word):
            takes_value = False
        elif word.startswith("-"):
            option = _option(command, word.partition("=")[0])
            if option is None:
                return f"{path} {word}"
            takes_value = not (option.is_flag or option.count or "=" in word)
        elif isinstance(command, click.Group):
            if word not in command.commands:
                return f"{path} {word}"
            command, path = command.commands[word], f"{path} {word}"
    return None


def _option(command: click.Command, name: str) -> click.Option | None:
    options = command.get_params(click.Context(command))
    found = (each for each in options if name in (*each.opts, *each.secondary_opts))
    return next((each for each in found if isinstance(each, click.Option)), None)


def unknown_target(words: Sequence[str], targets: set[str]) -> str | None:
    """Return the first target of a `make` command line that the Makefile has not."""
    return next((f"make {word}" for word in words if word.isalpha() and word not in targets), None)


def main() -> int:
    """Print what is out of step; return 1 when something is."""
    parser = argparse.ArgumentParser(description="Hold the documents to the code.")
    parser.add_argument("--write", action="store_true", help="rewrite the parts that are made from the code")
    write: bool = parser.parse_args().write
    try:
        faults = [*made_from_the_code(write=write), *named_by_hand()]
    except (LookupError, FileNotFoundError) as error:
        faults = [str(error)]
    print("\n".join(faults) if faults else "Documents: in step with the code.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
