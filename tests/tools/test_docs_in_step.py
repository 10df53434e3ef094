"""The check of the documents sees what is out of step, and nothing else."""

import pytest

from tools.docs_in_step import PARTS, Part, invocations, unknown_target, unknown_word

PART = Part("docs/some.md", "table", lambda: "new")


@pytest.mark.parametrize(
    "line",
    [
        "block list",
        "block list --json",
        "block request --physician 12345 --size 20",
        "attribution record 2026-000042 mf_signed signed_on=2026-09-01",
        "register import FILE.csv",
        "up --data=DIR --training",
        "…",
    ],
)
def test_a_command_that_exists_is_not_a_fault(line: str) -> None:
    assert unknown_word(line.split()) is None


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("blok list", "gamf blok"),
        ("block lists", "gamf block lists"),
        ("block list --jsn", "gamf block list --jsn"),
        ("block request --physician 12345 --syze 20", "gamf block request --syze"),
    ],
)
def test_a_command_or_an_option_that_does_not_exist_is_named(line: str, fault: str) -> None:
    assert unknown_word(line.split()) == fault


def test_a_target_that_does_not_exist_is_named() -> None:
    assert unknown_target(["test", "chek"], {"test", "check"}) == "make chek"
    assert unknown_target(["test", "check"], {"test", "check"}) is None


def test_commands_are_found_where_a_reader_would_type_them() -> None:
    text = (
        "Say `gamf block list` and gamf is happy.\n\n"
        "```sh\n$ gamf up --training  # gamf starts\nmake test && .venv/bin/gamf task list | less\n```\n"
        "The role `gamf` and the folder `gamf/domain` are not commands.\n"
    )
    assert list(invocations(text)) == [
        ("gamf", ["up", "--training"]),
        ("make", ["test"]),
        ("gamf", ["task", "list"]),
        ("gamf", ["block", "list"]),
    ]


def test_a_part_is_replaced_and_the_rest_is_kept() -> None:
    text = "before\n<!-- made from the code: table -->\nold\n<!-- end: table -->\nafter\n"
    expected = "before\n<!-- made from the code: table -->\n\nnew\n\n<!-- end: table -->\nafter\n"
    assert PART.expected(text) == expected
    assert PART.expected(expected) == expected


def test_a_document_without_its_markers_is_a_fault() -> None:
    with pytest.raises(LookupError, match="markers of 'table' are missing"):
        PART.expected("before\nafter\n")


@pytest.mark.parametrize("part", PARTS, ids=[part.name for part in PARTS])
def test_every_part_can_be_made_and_says_something(part: Part) -> None:
    assert len(part.render()) > 500
