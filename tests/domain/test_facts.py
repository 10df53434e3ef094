"""Facts as anybody may send them: what is well formed is read, all else is refused and never repeated."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gamf.domain.facts import FACTS, Accepted, AnyFact, MfSigned, parse
from gamf.domain.refusal import Reason, RefusedByRuleError

WHOLE: dict[str, dict[str, Any]] = {
    "accepted": {"by": "coordination", "at": "2026-06-02T10:00:00-04:00"},
    "refused": {"by": "coordination", "reason": "hors territoire", "at": "2026-06-02T10:00:00-04:00"},
    "cancelled": {"by": "coordination", "reason": "erreur", "at": "2026-06-02T14:00:00Z"},
    "sv_entered": {"by": "clinique", "on": "2026-06-02"},
    "window_reopened": {"by": "coordination", "opens_on": "2026-05-08", "reason": "R11"},
    "patient_refused": {"by": "gaco", "ground": "distance", "on": "2026-06-02"},
    "mf_signed": {"by": "clinique", "signed_on": "2026-06-02", "effective_on": "2026-06-03"},
    "enrolled_elsewhere": {
        "by": "ramq",
        "physician": "54321",
        "effective_on": "2026-06-02",
        "basis": "hors LE 321",
    },
    "patient_left": {"by": "ramq", "on": "2026-06-02", "cause": "deceased"},
    "physician_left": {"by": "ramq", "on": "2026-06-02", "cause": "non_participating"},
}
OPTIONAL = {
    "accepted": {"at"},
    "refused": {"at"},
    "cancelled": {"at"},
    "sv_entered": {"on"},
    "patient_refused": {"on"},
    "mf_signed": {"effective_on"},
}
SECRET = "Lucie Tremblay TREM04121925"


def why_not(name: str, argument: object) -> Reason:
    with pytest.raises(RefusedByRuleError) as refused:
        parse(name, argument)
    assert SECRET not in f"{refused.value} {refused.value.reason!r}"
    return refused.value.reason


def test_the_ten_facts_are_those_of_the_contract() -> None:
    assert set(FACTS) == set(WHOLE)


@pytest.mark.parametrize("name", FACTS)
def test_a_whole_fact_is_read_and_written_back_as_it_was_sent(name: str) -> None:
    read = parse(name, WHOLE[name])
    assert type(read) is FACTS[name]
    assert read.name == name
    assert read.argument() == WHOLE[name]
    assert parse(name, read.argument()) == read


@pytest.mark.parametrize(("name", "key"), [(name, key) for name, whole in WHOLE.items() for key in whole])
def test_a_key_may_be_left_out_when_the_contract_says_so_and_only_then(name: str, key: str) -> None:
    argument = {k: v for k, v in WHOLE[name].items() if k != key}
    if key in OPTIONAL.get(name, set()):
        assert key not in parse(name, argument).argument()
    else:
        reason = why_not(name, argument)
        assert reason.field == key
        assert "manque" in reason.fr
        assert "missing" in reason.en


@pytest.mark.parametrize(("name", "key"), [(name, key) for name, whole in WHOLE.items() for key in whole])
@pytest.mark.parametrize(
    "value",
    [
        SECRET * 20,
        "",
        "   ",
        "\x00",
        0,
        1.5,
        True,
        [],
        {},
        10**400,
        float("nan"),
        float("inf"),
        "\ud800",
    ],
)
def test_a_value_of_another_form_is_refused_by_its_field(name: str, key: str, value: object) -> None:
    reason = why_not(name, WHOLE[name] | {key: value})
    assert reason.rule in {"form", "A4", "R5"}
    assert reason.field in {key, None}
    assert reason.fr
    assert reason.en


def test_null_is_what_was_left_out_where_that_may_be() -> None:
    for name, keys in OPTIONAL.items():
        for key in WHOLE[name]:
            if key in keys:
                assert parse(name, WHOLE[name] | {key: None}).by == WHOLE[name]["by"]
            else:
                assert why_not(name, WHOLE[name] | {key: None}).field == key


@pytest.mark.parametrize("name", FACTS)
@pytest.mark.parametrize("key", [SECRET, "nom", "", "\x00", "__class__", "by "])
def test_an_unknown_key_is_refused_and_never_repeated(name: str, key: str) -> None:
    reason = why_not(name, WHOLE[name] | {key: "x"})
    assert (reason.rule, reason.field) == ("form", None)
    assert "Une clé inconnue" in reason.fr
    assert "An unknown key" in reason.en


@pytest.mark.parametrize("name", ["", "Accepted", "accepted ", "record", "__init__", SECRET])
def test_an_unknown_fact_is_refused_with_the_list_of_those_there_are(name: str) -> None:
    reason = why_not(name, {"by": "x"})
    assert reason.field == "fact"
    assert all(fact in reason.fr and fact in reason.en for fact in FACTS)


@pytest.mark.parametrize("argument", [None, [], "x", 1, True, [{"by": "x"}], json.dumps({"by": "x"})])
def test_what_is_not_an_object_is_refused(argument: object) -> None:
    assert why_not("accepted", argument).rule == "form"


def nested(depth: int) -> object:
    value: object = SECRET
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("depth", [100, 5_000, 100_000])
def test_a_deep_nest_is_refused(depth: int) -> None:
    assert why_not("accepted", {"by": nested(depth)}).rule == "form"


def test_what_contains_itself_is_refused() -> None:
    endless: dict[str, object] = {"by": "x"}
    endless["at"] = endless
    assert why_not("accepted", endless).rule == "form"


@pytest.mark.parametrize("value", [b"x", {1, 2}, object()])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    assert why_not("accepted", {"by": value}).rule == "form"


@pytest.mark.parametrize(
    "at",
    [
        "2026-06-02T10:00:00",
        "2026-06-02",
        "2026-06-02 10:00",
        "1780000000",
        "1780000000.5",
        1780000000,
        "tomorrow",
        "1899-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
    ],
)
def test_an_instant_has_an_offset(at: object) -> None:
    assert why_not("accepted", {"by": "x", "at": at}).field == "at"


@pytest.mark.parametrize(
    "on",
    [
        "2026-06-02T10:00:00Z",
        "02-06-2026",
        "2026-02-30",
        "2026-13-01",
        "2026-06",
        "20260602",
        "1780000000",
        20260602,
        "1899-12-31",
        "2200-01-01",
        "0001-01-01",
        "9999-12-31",
    ],
)
def test_a_day_is_a_date_that_exists(on: object) -> None:
    assert why_not("sv_entered", {"by": "x", "on": on}).field == "on"


@pytest.mark.parametrize("on", ["1900-01-01", "2028-02-29", "2199-12-31"])
def test_a_day_within_reach_is_taken(on: str) -> None:
    assert parse("sv_entered", {"by": "x", "on": on}).argument()["on"] == on


@pytest.mark.parametrize(
    "physician", ["1234", "123456", "1123456", "12 45", "\uff11\uff12\uff13\uff14\uff15", 12345]
)
def test_a_physician_is_a_licence_of_five_digits(physician: object) -> None:
    assert (
        why_not("enrolled_elsewhere", WHOLE["enrolled_elsewhere"] | {"physician": physician}).field
        == "physician"
    )


def test_text_is_kept_without_its_outer_spaces_and_with_its_accents() -> None:
    read = parse("refused", {"by": "  coordination ", "reason": " déjà suivi à l'hôpital 😀 "})
    assert read.argument() == {"by": "coordination", "reason": "déjà suivi à l'hôpital 😀"}


@pytest.mark.parametrize(("key", "longest"), [("by", 100), ("reason", 500)])
def test_text_has_a_longest_length(key: str, longest: int) -> None:
    assert parse("refused", WHOLE["refused"] | {key: "é" * longest}).argument()[key] == "é" * longest
    assert "trop long" in why_not("refused", WHOLE["refused"] | {key: "é" * (longest + 1)}).fr


def test_a4_r5_a_refusal_or_a_cancellation_without_its_reason_names_the_rule() -> None:
    assert why_not("refused", {"by": "x"}).rule == "A4"
    assert why_not("cancelled", {"by": "x"}).rule == "R5"


def test_r2_an_mf_takes_effect_on_the_day_of_the_signature_unless_said() -> None:
    assert isinstance(signed := parse("mf_signed", {"by": "x", "signed_on": "2026-06-02"}), MfSigned)
    assert signed.starts_on == signed.signed_on
    assert isinstance(later := parse("mf_signed", WHOLE["mf_signed"]), MfSigned)
    assert later.starts_on.isoformat() == "2026-06-03"


def test_a_fact_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        setattr(Accepted(by="x"), "by", "y")  # noqa: B010 - the type checkers refuse the plain assignment


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
keys = st.sampled_from(sorted({key for whole in WHOLE.values() for key in whole})) | st.text()


@given(st.sampled_from(sorted(FACTS)), st.dictionaries(keys, json_values))
@example("accepted", {"by": "x", "at": "2199-12-31T23:59:59.999999-23:59"})
@example("accepted", {"by": "x", "at": "0001-01-01T00:00:00+23:59"})
@example("sv_entered", {"by": "\ud800"})
def test_whatever_is_sent_is_read_or_refused(name: str, argument: dict[str, object]) -> None:
    try:
        read: AnyFact = parse(name, argument)
    except RefusedByRuleError:
        reason = why_not(name, argument)
        assert reason.rule in {"form", "A4", "R5"}
        assert reason.field in {None, *FACTS[name].model_fields}
    else:
        assert parse(name, read.argument()) == read
