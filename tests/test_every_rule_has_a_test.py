"""docs/rules.md says where each rule is decided and which tests name it: both exist, and no rule is without one."""

import re
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
RULES = [f"R{number}" for number in range(1, 16)] + [f"A{number}" for number in range(1, 26)]
"""Those of the sources and our readings."""
_ROW = re.compile(r"^\| ([RA][0-9]+) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")
_TEST = re.compile(r"^(?:async )?def test_((?:[ra][0-9]+_)+)", re.MULTILINE)


class Row(NamedTuple):
    """One rule: what is made of it, the code that decides it, the test files that name it."""

    rule: str
    words: str
    code: list[str]
    tests: list[str]


def rows() -> list[Row]:
    text = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    return [
        Row(rule, words, _CODE.findall(code), _CODE.findall(tests))
        for rule, words, code, tests in _ROW.findall(text)
    ]


def named_in(path: Path) -> set[str]:
    """Return the rules that begin the names of a file's tests: `test_r6_a1_…` names two."""
    names = _TEST.findall(path.read_text(encoding="utf-8"))
    return {rule.upper() for name in names for rule in name.strip("_").split("_")}


def test_the_document_has_every_rule_once_and_in_order() -> None:
    assert [row.rule for row in rows()] == RULES


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.rule)
def test_what_decides_the_rule_exists(row: Row) -> None:
    assert row.code
    for name in row.code:
        module, _, attribute = name.partition(":")
        assert hasattr(import_module(module), attribute) if attribute else (ROOT / name).is_file(), name


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.rule)
def test_each_file_named_has_a_test_that_names_the_rule(row: Row) -> None:
    assert row.tests
    for name in row.tests:
        assert row.rule in named_in(ROOT / "tests" / name), f"no test of {name} begins with the rule"


def test_no_test_names_a_rule_that_does_not_exist() -> None:
    named = {rule for path in (ROOT / "tests").rglob("test_*.py") for rule in named_in(path)}
    assert named == set(RULES)
