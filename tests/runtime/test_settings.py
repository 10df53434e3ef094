import os
from pathlib import Path

import pytest

from gamf.runtime.errors import SettingsFault
from gamf.runtime.settings import HostPort, Settings, settings_table


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GAMF_")]:
        monkeypatch.delenv(name)


def faulty() -> SettingsFault:
    with pytest.raises(SettingsFault) as caught:
        Settings.load()
    return caught.value


def test_everything_has_a_default() -> None:
    settings = Settings.load()
    assert settings.database_url is None
    assert not settings.sandbox
    assert settings.outbox == Path("data/outbox")


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMF_DATA_DIR", "elsewhere")
    monkeypatch.setenv("GAMF_SANDBOX", "true")
    monkeypatch.setenv("GAMF_GRACEFUL_SHUTDOWN_SECONDS", "1.5")
    settings = Settings.load()
    assert settings.outbox == Path("elsewhere/outbox")
    assert settings.sandbox
    assert settings.graceful_shutdown_seconds == 1.5


def test_an_empty_variable_is_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMF_SMTP_PORT", "")
    assert Settings.load().smtp_port == 587


def test_an_unknown_variable_is_named_and_its_value_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMF_DATABASE_ULR", "postgresql://u:hush@h/d")
    fault = faulty()
    assert "GAMF_DATABASE_ULR (variable inconnue)" in fault.fr
    assert "GAMF_DATABASE_ULR (unknown variable)" in fault.text("en")
    assert "hush" not in fault.fr + fault.en
    assert fault.exit_status == 2


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SMTP_PORT", "x-y-z", "un nombre entier"),
        ("SMTP_PORT", "70000", "au plus 65535"),
        ("SMTP_PORT", "0", "au moins 1"),
        ("MAX_CONCURRENT_ACTIVITIES", "0", "plus de 0"),
        ("GRACEFUL_SHUTDOWN_SECONDS", "x-y-z", "un nombre"),
        ("SANDBOX", "x-y-z", "true ou false"),
        ("CARRIER", "x-y-z", "'outbox', 'smtp'"),
        ("HEALTH_ADDRESS", "x-y-z", "hôte:port"),
        ("BUILD_ID", "é x-y-z", "de 1 à 64 lettres sans accent, chiffres ou . _ -"),
    ],
)
def test_a_bad_value_names_its_variable_and_what_it_should_be(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(f"GAMF_{name}", value)
    fault = faulty()
    assert f"GAMF_{name} (attendu\u00a0: {expected})" in fault.fr
    assert "x-y-z" not in fault.fr + fault.en


def test_every_fault_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SMTP_PORT", "LOG_LEVEL", "NOSUCH"):
        monkeypatch.setenv(f"GAMF_{name}", "x-y-z")
    text = faulty().fr
    assert all(f"GAMF_{name} (" in text for name in ("SMTP_PORT", "LOG_LEVEL", "NOSUCH"))


def test_smtp_asks_for_its_server_its_sender_and_its_mailbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMF_CARRIER", "smtp")
    monkeypatch.setenv("GAMF_SMTP_HOST", "mail.example")
    text = faulty().fr
    assert "GAMF_SMTP_FROM (obligatoire avec GAMF_CARRIER=smtp)" in text
    assert "GAMF_SMTP_MAILBOX (obligatoire avec GAMF_CARRIER=smtp)" in text
    assert not any(name in text for name in ("GAMF_SMTP_HOST", "GAMF_SMTP_USER", "GAMF_SMTP_PASSWORD"))


@pytest.mark.parametrize(("given", "missing"), [("USER", "PASSWORD"), ("PASSWORD", "USER")])
def test_an_account_and_its_password_go_together(
    monkeypatch: pytest.MonkeyPatch, given: str, missing: str
) -> None:
    for name in ("HOST", "FROM", "MAILBOX", given):
        monkeypatch.setenv(f"GAMF_SMTP_{name}", "x")
    monkeypatch.setenv("GAMF_CARRIER", "smtp")
    assert f"GAMF_SMTP_{missing} (obligatoire" in faulty().fr


OPENID = {
    "OIDC_ISSUER": "https://connexion.exemple.test/realms/gamf",
    "OIDC_CLIENT_ID": "gamf",
    "OIDC_CLIENT_SECRET": "hush",
    "CONSOLE_URL": "https://gamf.exemple.test/",
}


def test_a_provider_is_off_unless_it_is_named_and_then_asks_for_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Settings.load().oidc_issuer is None
    monkeypatch.setenv("GAMF_OIDC_ISSUER", OPENID["OIDC_ISSUER"])
    text = faulty().fr
    assert all(
        f"GAMF_{name} (obligatoire avec GAMF_OIDC_ISSUER)" in text for name in OPENID if name != "OIDC_ISSUER"
    )
    for name, value in OPENID.items():
        monkeypatch.setenv(f"GAMF_{name}", value)
    monkeypatch.setenv("GAMF_PASSWORD_SIGN_IN", "false")
    settings = Settings.load()
    assert (settings.console_url, settings.oidc_scopes) == ("https://gamf.exemple.test", "openid")


@pytest.mark.parametrize(
    ("name", "value"),
    [("OIDC_CLIENT_ID", "x"), ("OIDC_CLIENT_SECRET", "x"), ("PASSWORD_SIGN_IN", "false")],
)
def test_what_means_nothing_without_a_provider_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"GAMF_{name}", value)
    assert f"GAMF_{name} (seulement avec GAMF_OIDC_ISSUER)" in faulty().fr


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("OIDC_ISSUER", "http://x-y-z.example", "https://hôte"),
        ("OIDC_ISSUER", "https://x-y-z.example?a=b", "https://hôte"),
        ("OIDC_ISSUER", "https://u:x-y-z@h.example", "https://hôte"),
        ("OIDC_ISSUER", "x-y-z", "https://hôte"),
        ("CONSOLE_URL", "https://x-y-z.example/console", "https://hôte"),
        ("OIDC_SCOPES", "x-y-z", "openid et d’autres portées"),
        ("OIDC_ACCOUNT_CLAIM", "email", "que les personnes n’écrivent pas elles-mêmes"),
        ("OIDC_TIMEOUT_SECONDS", "0", "plus de 0"),
    ],
)
def test_a_provider_is_spoken_to_over_tls_and_named_as_it_names_itself(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    for each, given in (OPENID | {name: value}).items():
        monkeypatch.setenv(f"GAMF_{each}", given)
    fault = faulty()
    assert f"GAMF_{name} (attendu\u00a0: " in fault.fr
    assert expected in fault.fr
    assert "x-y-z" not in fault.fr + fault.en


def test_a_secret_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in OPENID.items():
        monkeypatch.setenv(f"GAMF_{name}", value)
    monkeypatch.setenv("GAMF_DATABASE_URL", "postgresql://u:hush@h/d")
    monkeypatch.setenv("GAMF_SMTP_PASSWORD", "hush")
    assert "hush" not in repr(Settings.load())


def test_the_table_describes_every_setting() -> None:
    table = settings_table()
    assert [row.variable for row in table] == [f"GAMF_{name.upper()}" for name in Settings.model_fields]
    assert all(row.description.endswith(".") for row in table)
    assert {row.variable: row.default for row in table}["GAMF_SMTP_PORT"] == "587"


@pytest.mark.parametrize(
    ("text", "parsed"),
    [("127.0.0.1:80", ("127.0.0.1", 80)), ("localhost:0", ("localhost", 0)), ("[::1]:8081", ("::1", 8081))],
)
def test_an_address_is_read(text: str, parsed: tuple[str, int]) -> None:
    assert HostPort.parse(text) == parsed


@pytest.mark.parametrize("text", ["", "localhost", ":80", "h:99999", "h:8o", "a b:80", "::1:80"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        HostPort.parse(text)
