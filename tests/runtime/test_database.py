import asyncpg
import pytest
from pydantic import SecretStr

from gamf.runtime.database import database_pool, redacted
from gamf.runtime.embedded import EmbeddedPostgres
from gamf.runtime.errors import ServiceUnreachable, SettingsFault
from gamf.runtime.settings import Settings


async def test_a_session_is_in_utc_and_named(postgres: EmbeddedPostgres) -> None:
    async with database_pool(Settings(), url=postgres.url, application="gamf-test") as pool:
        assert await pool.fetchval("SHOW timezone") == "UTC"
        assert await pool.fetchval("SHOW application_name") == "gamf-test"


async def test_json_goes_in_and_out_as_values(postgres: EmbeddedPostgres) -> None:
    value = {"état": ["é", 1, None]}
    async with database_pool(Settings(), url=postgres.url) as pool:
        assert await pool.fetchval("SELECT $1::jsonb", value) == value
        assert await pool.fetchval("SELECT $1::json", value) == value


async def test_a_query_is_bounded_in_time(postgres: EmbeddedPostgres) -> None:
    async with database_pool(Settings(statement_timeout_seconds=0.05), url=postgres.url) as pool:
        with pytest.raises(asyncpg.QueryCanceledError):
            await pool.execute("SELECT pg_sleep(30)")


async def test_the_address_of_the_settings_is_used(postgres: EmbeddedPostgres) -> None:
    async with database_pool(Settings(database_url=SecretStr(postgres.url))) as pool:
        assert await pool.fetchval("SELECT current_database()") == "gamf"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://someone:hush@127.0.0.1:9/gamf",
        "postgresql://someone:hush@/gamf?host=/nowhere/at/all",
    ],
)
async def test_a_server_that_is_away_is_told_without_the_password(url: str) -> None:
    with pytest.raises(ServiceUnreachable) as caught:
        async with database_pool(Settings(), url=url):
            pass
    fault = caught.value
    assert fault.service == "PostgreSQL"
    assert fault.exit_status == 5
    assert "gamf up" in fault.fr
    assert redacted(url) in fault.fr
    assert not any(secret in fault.fr + fault.en for secret in ("hush", "someone"))


async def test_a_database_that_is_not_there_is_unreachable(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(ServiceUnreachable):
        async with database_pool(Settings(), url=postgres.url_of("nosuch")):
            pass


@pytest.mark.parametrize("url", ["mysql://u:hush@h/d", "postgresql://u:hush@h:port/d"])
async def test_what_is_no_address_is_a_faulty_setting(url: str) -> None:
    with pytest.raises(SettingsFault, match="GAMF_DATABASE_URL") as caught:
        async with database_pool(Settings(), url=url):
            pass
    assert "hush" not in caught.value.fr + caught.value.en


async def test_without_an_address_the_variable_is_asked_for() -> None:
    with pytest.raises(SettingsFault, match="GAMF_DATABASE_URL"):
        async with database_pool(Settings(database_url=None)):
            pass


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://u:hush@db.example:5433/gamf?sslmode=require", "db.example:5433/gamf"),
        ("postgresql://u:hush@/gamf?host=/run/pg&password=hush", "/run/pg/gamf"),
        ("postgresql://u:hush@h:port/d", "?"),
    ],
)
def test_a_redacted_address_says_where_and_not_who(url: str, place: str) -> None:
    assert redacted(url) == place
