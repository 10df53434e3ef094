"""What people correct about a person."""

import pytest

from gamf.domain.corrections import CORRECTABLE, Value, changes, check_correctable
from gamf.domain.refusal import RefusedByRuleError

BEFORE: dict[str, Value] = {
    "address": "1, rue Imaginaire",
    "city": "Québec",
    "postal_code": "G1A 1A1",
    "phone": None,
    "email": None,
    "language": "fr",
    "english_attested": False,
    "representative": None,
}


def test_a20_only_what_differs_is_corrected() -> None:
    given: dict[str, Value] = {"address": "2, rue Imaginaire", "city": "Québec"}
    assert changes(BEFORE, given) == {"address": "2, rue Imaginaire"}
    assert changes(BEFORE, {"city": "Québec"}) == {}
    assert set(BEFORE) == set(CORRECTABLE)


def test_a20_nothing_given_is_refused() -> None:
    with pytest.raises(RefusedByRuleError) as refused:
        changes(BEFORE, {})
    assert refused.value.reason.rule == "form"


def test_a22_english_needs_its_attestation_with_it_or_before_it() -> None:
    attested = changes(BEFORE, {"language": "en", "english_attested": True})
    assert attested == {"language": "en", "english_attested": True}
    assert changes({**BEFORE, "english_attested": True}, {"language": "en"}) == {"language": "en"}
    for before, given in (
        (BEFORE, {"language": "en"}),
        ({**BEFORE, "language": "en", "english_attested": True}, {"english_attested": False}),
    ):
        with pytest.raises(RefusedByRuleError) as refused:
            changes(before, given)
        assert refused.value.reason.rule == "A22"


@pytest.mark.parametrize("name", ["nam", "birth_date", "registered_on", "Ficelle"])
def test_a18_what_is_not_corrected_so_is_refused_without_repeating_it(name: str) -> None:
    with pytest.raises(RefusedByRuleError) as refused:
        check_correctable(name)
    assert f" {name}" not in refused.value.reason.en.partition(":")[0]
