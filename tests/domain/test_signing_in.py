"""Passwords, sessions and attempts: their limits, at the second."""

from datetime import UTC, datetime, timedelta

import pytest

from gamf.domain import signing_in
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.signing_in import (
    ATTEMPTS_BY_ADDRESS,
    ATTEMPTS_BY_NAME,
    IDLE,
    LONGEST,
    check_account,
    check_password,
    expires_at,
    may_try,
)

NOON = datetime(2026, 6, 1, 16, tzinfo=UTC)


@pytest.mark.parametrize("account", ["mt", "m.tremblay", "gaco-1234", "a" * 63])
def test_an_account_is_named_in_lower_case(account: str) -> None:
    check_account(account)


@pytest.mark.parametrize(
    "account", ["", "m", "M.Tremblay", "1er", "é.tremblay", "m tremblay", "m\x00", "a" * 64, "m\n"]
)
def test_any_other_name_is_refused(account: str) -> None:
    with pytest.raises(RefusedByRuleError) as refused:
        check_account(account)
    assert refused.value.reason.field == "account"


@pytest.mark.parametrize(
    "password", ["trois petits chats", "x7!kfq-92mzp", "é" * 6 + "abcdfg", "ab cde" * 21]
)
def test_a_long_password_is_enough(password: str) -> None:
    check_password("mtremblay", password)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "x7!kfq-92mz",
        "ab cde" * 21 + "xyz",
        "mon nom est MTremblay",
        "aaaaaaaaaaaaaaaa",
        "abababababababab",
        "motdepasse123456",
        "Password-123456",
    ],
)
def test_what_is_soon_guessed_is_refused(password: str) -> None:
    with pytest.raises(RefusedByRuleError) as refused:
        check_password("mtremblay", password)
    assert (refused.value.reason.rule, refused.value.reason.field) == ("password", "password")
    assert not password or password not in str(refused.value)


def test_a_session_ends_when_idle_and_at_the_latest_after_a_day_of_work() -> None:
    assert expires_at(NOON, NOON) == NOON + IDLE
    assert expires_at(NOON, NOON + timedelta(hours=2)) == NOON + timedelta(hours=2) + IDLE
    assert expires_at(NOON, NOON + LONGEST - timedelta(minutes=1)) == NOON + LONGEST


@pytest.mark.parametrize(
    ("of_name", "of_address", "may"),
    [
        (0, 0, True),
        (ATTEMPTS_BY_NAME - 1, 0, True),
        (ATTEMPTS_BY_NAME, 0, False),
        (0, ATTEMPTS_BY_ADDRESS - 1, True),
        (0, ATTEMPTS_BY_ADDRESS, False),
    ],
)
def test_there_are_so_many_attempts_and_no_more(of_name: int, of_address: int, *, may: bool) -> None:
    assert may_try(of_name, of_address) == may


def test_what_is_said_does_not_tell_which_accounts_there_are() -> None:
    for refusal in (signing_in.wrong_credentials(), signing_in.too_many_attempts()):
        assert refusal.reason.rule == "sign-in"
        assert refusal.reason.field is None
