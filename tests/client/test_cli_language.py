"""French is complete and English is there: every command's help, click's own words, usage errors."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import click
import pytest

from gamf.client.cli.click_french import CATALOGUE, NOT_FOR_USERS, translated, translated_count
from gamf.client.cli.language import Text, current, say, speaking, typeset, wanted
from gamf.client.cli.main import cli, run

ENGLISH = {
    "the",
    "of",
    "and",
    "to",
    "show",
    "error",
    "usage",
    "default",
    "file",
    "missing",
    "this",
    "exit",
    "for",
    "with",
    "try",
    "invalid",
    "value",
    "such",
    "is",
    "not",
    "help",
    "command",
    "required",
    "an",
    "by",
    "from",
    "what",
    "which",
    "its",
    "that",
    "are",
    "where",
    "how",
    "when",
    "use",
    "write",
    "take",
    "list",
}
"""Words that no French text has, but for those that are typed."""
FRENCH = {
    "le",
    "la",
    "les",
    "des",
    "du",
    "une",
    "et",
    "est",
    "pour",
    "avec",
    "sans",
    "erreur",
    "il",
    "faut",
    "manque",
    "aide",
    "obligatoire",
    "défaut",
    "où",
    "que",
    "qui",
}
TYPED = re.compile(
    r"LE 321|--[\w-]+|gamf( [a-z]+)*|\[[^\]]*\]|\w+\|[\w|]+|['“«][^'”»]*['”»]|\w+_\w+|\w+[=.]\w+|/\S+|\"[^\"]*\""
)

BAD_LINES = (
    ["blok"],
    ["--foo"],
    ["block"],
    ["block", "request"],
    ["block", "request", "--size"],
    ["block", "request", "--physician", "1", "--size", "3"],
    ["block", "request", "--physician", "10001", "--size", "trois"],
    ["block", "show"],
    ["block", "show", "2026-0001", "2026-0002"],
    ["block", "show", "--json=1", "2026-0001"],
    ["attribution", "record", "2026-000001", "foo"],
    ["attribution", "record", "2026-000001", "accepted", "x"],
    ["attribution", "list", "--due-before", "demain"],
    ["advance", "2026-000001", "12x"],
    ["feed", "/nowhere/at/all.ndjson"],
    ["feed", "/"],
    ["up", "--temporal-port", "99999"],
    ["completion", "tcsh"],
    ["--lang", "de", "network", "list"],
)


def pages(command: click.Command, parent: click.Context | None = None) -> Iterator[tuple[str, str]]:
    """Give the help of every command, by its path."""
    context = click.Context(command, info_name=command.name, parent=parent, terminal_width=100)
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            yield from pages(command.commands[name], context)


def words(text: str) -> set[str]:
    """Return the words of a text, without those that a person types as they are."""
    lines = [line for line in text.splitlines() if not re.match(r"\s+[a-z]+  ", line)]
    return set(re.findall(r"[^\W\d_]+", TYPED.sub(" ", "\n".join(lines)).lower()))


def said_by_click() -> Iterator[tuple[str, ...]]:
    """Give every text that click passes to gettext: one, or a singular and a plural."""
    for path in Path(str(click.__file__)).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"_", "ngettext"}:
                yield tuple(str(arg.value) for arg in node.args if isinstance(arg, ast.Constant))


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


@pytest.mark.parametrize("path", [path for path, _ in pages(cli)])
def test_no_english_is_left_in_the_help_in_french(path: str) -> None:
    assert not words(dict(pages(cli))[path]) & ENGLISH


@pytest.mark.parametrize("path", [path for path, _ in pages(cli)])
def test_no_french_is_left_in_the_help_in_english(path: str) -> None:
    with speaking("en"):
        help_page = dict(pages(cli))[path]
    assert not words(help_page) & FRENCH


def test_the_words_looked_for_would_be_found() -> None:
    assert words("Erreur : the file") & ENGLISH
    assert words("Error: le fichier") & FRENCH


@pytest.mark.parametrize("line", BAD_LINES, ids=" ".join)
def test_what_was_typed_wrong_is_said_in_french(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(line) == 2
    said = capsys.readouterr().err
    assert said
    assert not words(said) & ENGLISH


@pytest.mark.parametrize("line", BAD_LINES, ids=" ".join)
def test_what_was_typed_wrong_is_said_in_english_on_request(
    line: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with speaking("en"):
        assert run(line) == 2
    said = capsys.readouterr().err
    assert said
    assert not words(said) & FRENCH


def test_everything_that_click_says_has_its_french() -> None:
    said = {text for texts in said_by_click() for text in texts}
    assert said == (CATALOGUE.keys() - {"required"}) | NOT_FOR_USERS
    assert translated("required") == "obligatoire"


@pytest.mark.parametrize("text", CATALOGUE)
def test_the_french_is_filled_in_with_what_the_english_is(text: str) -> None:
    assert fields(CATALOGUE[text]) <= fields(text)


def test_a_count_of_zero_or_one_is_singular_in_french() -> None:
    singular, plural = "Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})"
    assert [translated_count(singular, plural, count)[:9] for count in (0, 1, 2)] == [
        "Argument ",
        "Argument ",
        "Arguments",
    ]
    with speaking("en"):
        assert translated_count(singular, plural, 2) == plural


def test_french_is_the_default_and_english_is_for_the_block_only() -> None:
    assert (current(), say("oui", "yes"), str(Text("non", "no"))) == ("fr", "oui", "non")
    with speaking("en"):
        assert (current(), say("oui", "yes"), str(Text("non", "no"))) == ("en", "yes", "no")
    assert current() == "fr"


def test_no_line_can_begin_with_a_mark() -> None:
    assert (
        typeset("Où ? « Ici » : là ; voilà !") == "Où\u00a0? «\u00a0Ici\u00a0»\u00a0: là\u00a0; voilà\u00a0!"
    )


@pytest.mark.parametrize(
    ("arguments", "variables", "language"),
    [
        ([], {}, "fr"),
        ([], {"GAMF_LANG": "en"}, "en"),
        ([], {"GAMF_LANG": "de"}, "fr"),
        (["--lang", "en", "block"], {}, "en"),
        (["block", "--lang=en"], {}, "en"),
        (["--lang", "fr", "block"], {"GAMF_LANG": "en"}, "fr"),
        (["attribution", "--", "--lang", "en"], {}, "fr"),
        (["--lang"], {}, "fr"),
    ],
)
def test_the_language_asked_for_last_is_spoken(
    arguments: list[str], variables: dict[str, str], language: str
) -> None:
    assert wanted(arguments, variables) == language
