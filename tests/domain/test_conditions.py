"""R13: a vulnerability condition is recorded from the first visit on, and refused before it."""

from datetime import date, timedelta

import pytest

from gamf.domain import conditions
from gamf.domain.conditions import FamilyEnrolment, Standing
from gamf.domain.refusal import RefusedByRuleError

VISIT = date(2026, 6, 1)
TODAY = date(2026, 6, 30)
DAY = timedelta(days=1)


def test_r13_the_first_visit_is_the_signature_of_form_4096() -> None:
    ours = FamilyEnrolment(start=VISIT + 10 * DAY, signed_on=VISIT)
    elsewhere = FamilyEnrolment(start=VISIT + 5 * DAY)
    assert conditions.first_visit([elsewhere, ours]) == VISIT
    assert conditions.first_visit([elsewhere]) == VISIT + 5 * DAY
    assert conditions.first_visit([]) is None


def test_r13_from_the_day_of_the_visit_to_today() -> None:
    for on in (VISIT, VISIT + DAY, TODAY):
        conditions.check_noted(on, VISIT, TODAY)


@pytest.mark.parametrize(
    ("on", "visit", "left_on", "rule"),
    [
        (VISIT - DAY, VISIT, None, "R13"),
        (TODAY + DAY, VISIT, None, "R13"),
        (TODAY, None, None, "R13"),
        (VISIT + 2 * DAY, VISIT, VISIT + DAY, "A15"),
    ],
)
def test_r13_before_the_visit_or_to_come_is_refused(
    on: date, visit: date | None, left_on: date | None, rule: str
) -> None:
    with pytest.raises(RefusedByRuleError) as refused:
        conditions.check_noted(on, visit, TODAY, left_on)
    assert refused.value.reason.rule == rule


def test_r13_a_code_that_is_not_in_the_table_is_refused_and_not_repeated() -> None:
    conditions.check_code(known=True)
    with pytest.raises(RefusedByRuleError) as refused:
        conditions.check_code(known=False)
    assert (refused.value.reason.rule, refused.value.reason.field) == ("R13", "code")


def test_a20_a_condition_is_corrected_by_withdrawing_it() -> None:
    assert conditions.adds(None, VISIT)
    assert not conditions.adds(Standing(noted_on=VISIT), VISIT)
    with pytest.raises(RefusedByRuleError) as refused:
        conditions.adds(Standing(noted_on=VISIT), VISIT + DAY)
    assert refused.value.reason.rule == "A20"
    assert conditions.withdraws(None, "erreur de dossier")
    assert not conditions.withdraws("erreur de dossier", "erreur de dossier")
    with pytest.raises(RefusedByRuleError) as refused:
        conditions.withdraws("erreur de dossier", "autre motif")
    assert refused.value.reason.rule == "A20"
