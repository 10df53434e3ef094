"""What of a month of looks is out of the ordinary: each rule just below and at its threshold."""

from collections.abc import Mapping

import pytest

from gamf.domain import access
from gamf.domain.access import (
    A_WHOLE_LIST,
    AT_LEAST,
    NIGHT_LOOKS,
    REFUSED_LOOKS,
    SAME_PERSON,
    SHOWN_LABELS,
    AccountMonth,
    Finding,
    Shown,
    Unusual,
    findings,
)
from gamf.domain.roles import Role


def a_month(counts: Mapping[str, int], account: str = "compte", role: Role = Role.GACO) -> AccountMonth:
    zero = dict.fromkeys(("looks", "by_one", "at_night", "refused", "most_of_one", "largest"), 0)
    return AccountMonth.model_validate({"account": account, "roles": {role}, **zero, **counts})


@pytest.mark.parametrize(
    ("count", "threshold", "rule"),
    [
        ("at_night", NIGHT_LOOKS, Unusual.AT_NIGHT),
        ("refused", REFUSED_LOOKS, Unusual.OUTSIDE),
        ("most_of_one", SAME_PERSON, Unusual.ONE_PERSON),
        ("largest", A_WHOLE_LIST, Unusual.WHOLESALE),
    ],
)
def test_a_count_is_pointed_out_from_its_threshold_on(count: str, threshold: int, rule: Unusual) -> None:
    assert findings([a_month({count: threshold - 1})]) == []
    (found,) = findings([a_month({count: threshold})])
    assert found == Finding("compte", rule, threshold, threshold)
    for words in found.words():
        assert str(threshold) in words


@pytest.mark.parametrize(
    ("by_one", "peers", "threshold"),
    [
        (300, [100, 100], None),
        (301, [100, 100], 301),
        (301, [100, 10_000, 1], 301),
        (AT_LEAST - 1, [0, 0], None),
        (AT_LEAST, [0, 0], AT_LEAST),
        (10_000, [1], None),
        (10_000, [], None),
    ],
)
def test_an_account_is_compared_with_its_peers(by_one: int, peers: list[int], threshold: int | None) -> None:
    months = [
        a_month({"by_one": by_one}),
        *(a_month({"by_one": each}, f"pair-{n}") for n, each in enumerate(peers)),
    ]
    found = [each.threshold for each in findings(months) if each.account == "compte"]
    assert found == ([] if threshold is None else [threshold])


def test_another_role_is_no_peer() -> None:
    others = [a_month({"by_one": 1}, f"autre-{n}", Role.RAMQ) for n in range(5)]
    assert findings([a_month({"by_one": 10_000}), *others]) == []


def test_everything_has_its_words() -> None:
    assert SHOWN_LABELS.keys() == set(Shown)
    assert all(Finding("compte", rule, 7, 5).words() for rule in Unusual)
    assert access.NIGHT_UNTIL < access.NIGHT_FROM
