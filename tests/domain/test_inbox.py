"""What anybody sends is kept in a form that PostgreSQL and the workflow's history can hold."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gamf.domain.inbox import RefusedFact, Sent, illegible, refused, sent
from gamf.domain.refusal import Reason

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def nested(depth: int) -> object:
    value: object = "x"
    for _ in range(depth):
        value = [value]
    return value


@given(st.text(), json_values)
@example("accepted", {"by": "\\u0000"})
@example("accepted", {"by": "\\\x00"})
@example("accepted", {"\x00": "\\\\u0000\x00\x00"})
@example("accepted", {"by": "\ud800"})
@example("\ud800\x00", {"by": float("nan")})
@example("accepted", {"by": 10**5000})
@example("accepted", {"by": "é" * 5_000})
def test_whatever_is_sent_is_kept_and_survives_its_json(fact: str, argument: object) -> None:
    check_kept(fact, argument)


@pytest.mark.parametrize("depth", [19, 20, 21, 100, 250, 300, 900, 990, 1_000, 100_000])
def test_however_deep_it_is(depth: int) -> None:
    check_kept("accepted", nested(depth))


def check_kept(fact: str, argument: object) -> None:
    item = sent(fact, argument)
    text = item.model_dump_json()
    assert Sent.model_validate_json(text) == item
    assert not any("\x00" in each for each in strings([item.fact, item.argument]))
    assert len(text) < 20_000


def strings(value: object) -> list[str]:
    inner: list[object] = []
    if isinstance(value, dict):
        inner = [*value, *value.values()]
    elif isinstance(value, list):
        inner = [*value]
    return [value] if isinstance(value, str) else [text for each in inner for text in strings(each)]


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
        st.integers() | st.booleans(),
    )
)
@example({"by": "coordination", "reason": "déjà suivi \\u0000 😀"})
def test_what_is_legible_is_kept_to_the_letter(argument: dict[str, object]) -> None:
    item = sent("accepted", argument)
    kept = len(json.dumps(argument, ensure_ascii=False)) <= 2_000
    assert item.legible is kept
    assert not kept or item.argument == argument


@pytest.mark.parametrize(
    "argument", [{"by": "\x00"}, {"by": "\ud800"}, {"by": float("inf")}, nested(21), b"x"]
)
def test_what_had_to_be_changed_is_not_legible_as_a_fact(argument: object) -> None:
    assert not sent("accepted", argument).legible


def test_what_cannot_be_a_fact_is_kept_as_text() -> None:
    item = illegible("accepted", "a\x00b" + "x" * 5_000)
    assert not item.legible
    assert item.argument["illegible"].startswith("a�bx")
    assert len(item.argument["illegible"]) == 2_000


def test_a_refused_fact_says_what_it_was_and_why_in_both_languages() -> None:
    at = datetime(2026, 6, 2, 14, tzinfo=UTC)
    kept = refused(sent("accepted", {"by": "x"}), Reason(rule="R6", fr="Non.", en="No."), at)
    assert kept == RefusedFact(
        fact="accepted", at=at, argument={"by": "x"}, rule="R6", reason="Non.", reason_en="No."
    )
