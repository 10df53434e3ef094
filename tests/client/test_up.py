"""Everything on one machine: what is started and what is not, where it is written that others find it."""

import json
import os
import socket
import tempfile
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from httpx import AsyncClient
from temporalio.service import RPCError

from gamf.client import acting, addresses, sample
from gamf.client.acting import Desk
from gamf.client.addresses import Addresses
from gamf.client.cli import session
from gamf.client.up import Wanted, everything
from gamf.runtime.database import database_pool
from gamf.runtime.embedded import EmbeddedPostgres, EmbeddedTemporal
from gamf.runtime.errors import ServiceUnreachable
from gamf.runtime.polling import until
from gamf.runtime.settings import Settings
from gamf.runtime.telemetry import temporal_runtime
from tests.client.console.browser import another
from tests.client.seats import the_operator
from tests.runtime.processes import servers_on

RUNNING = Addresses(
    temporal="127.0.0.1:7233",
    namespace="default",
    ui=None,
    console=None,
    database="postgresql://gamf:secret@/gamf",
    training=True,
)


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        return int(free.getsockname()[1])


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """Return an empty folder that another user may enter, with nothing in the environment."""
    for name in ("GAMF_DATABASE_URL", "GAMF_DATA_DIR", "TEMPORAL_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        yield Path(name)


def test_the_addresses_are_for_their_owner_alone(folder: Path) -> None:
    old_mask = os.umask(0)
    try:
        RUNNING.write(folder)
        RUNNING.write(folder)
    finally:
        os.umask(old_mask)
    assert (folder / addresses.FILE).stat().st_mode & 0o777 == 0o600
    assert Addresses.read(folder) == RUNNING
    addresses.remove(folder)
    addresses.remove(folder)
    assert (Addresses.read(folder), list(folder.iterdir())) == (None, [])


@pytest.mark.parametrize("left", ["", "{", "{}", '{"temporal": 1}'])
def test_a_file_that_is_none_of_ours_is_as_none(folder: Path, left: str) -> None:
    (folder / addresses.FILE).write_text(left, encoding="utf-8")
    assert Addresses.read(folder) is None


def test_what_is_printed_is_what_the_contract_names() -> None:
    assert list(RUNNING.printed()) == ["temporal", "namespace", "ui", "console", "database"]


def test_without_settings_the_running_one_is_found(folder: Path) -> None:
    RUNNING.write(folder)
    settings = Settings(data_dir=folder)
    assert addresses.database_address(settings, None) == RUNNING.database
    assert addresses.temporal_address(settings, None, {}) == RUNNING.temporal
    assert addresses.in_training(settings, None)
    assert not addresses.in_training(Settings(), folder / "elsewhere")


def test_the_environment_comes_first(folder: Path) -> None:
    RUNNING.write(folder)
    settings = Settings.model_validate({"data_dir": folder, "database_url": "postgresql://other/gamf"})
    assert addresses.database_address(settings, None) is None
    assert addresses.temporal_address(settings, None, {"TEMPORAL_ADDRESS": "other:7233"}) is None


def test_data_says_which_of_two(folder: Path) -> None:
    RUNNING.write(folder)
    assert addresses.temporal_address(Settings(data_dir=Path("elsewhere")), folder, {}) == RUNNING.temporal


def test_when_nothing_runs_each_service_is_named(folder: Path) -> None:
    with pytest.raises(ServiceUnreachable) as database:
        addresses.database_address(Settings(data_dir=folder), None)
    with pytest.raises(ServiceUnreachable) as temporal:
        addresses.temporal_address(Settings(data_dir=folder), None, {})
    assert (database.value.service, temporal.value.service) == ("PostgreSQL", "Temporal")
    assert str(folder) in database.value.fr


async def test_with_both_servers_named_only_a_worker_is_started(
    folder: Path, postgres: EmbeddedPostgres, temporal: EmbeddedTemporal, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await postgres.create_database(f"up_{uuid4().hex}")
    monkeypatch.setenv("GAMF_DATABASE_URL", url)
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.address)
    async with everything(Settings.load(), Wanted(folder, training=True)) as running:
        assert servers_on(folder) == []
        assert (running.addresses.temporal, running.addresses.database) == (temporal.address, url)
        # Whether that server skips time is for whoever started it to say.
        assert not running.addresses.training
        assert not await acting.has_patients(Desk(running.pool, running.temporal))
    assert Addresses.read(folder) is None


async def test_its_worker_tells_its_health_and_what_waits(
    folder: Path, postgres: EmbeddedPostgres, temporal: EmbeddedTemporal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAMF_DATABASE_URL", await postgres.create_database(f"up_{uuid4().hex}"))
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.address)
    health, metrics = (f"127.0.0.1:{free_port()}" for _ in range(2))
    monkeypatch.setenv("GAMF_HEALTH_ADDRESS", health)
    monkeypatch.setenv("GAMF_METRICS_ADDRESS", metrics)
    settings = Settings.load()
    async with everything(settings, Wanted(folder), runtime=temporal_runtime(metrics)), AsyncClient() as http:

        async def told() -> bool:
            ready = await http.get(f"http://{health}/ready")
            page = await http.get(f"http://{metrics}/metrics")
            return ready.is_success and "gamf_letters_waiting" in page.text

        await until(told, within_seconds=20)


async def test_what_the_environment_does_not_name_is_started(
    folder: Path, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await postgres.create_database(f"up_{uuid4().hex}")
    monkeypatch.setenv("GAMF_DATABASE_URL", url)
    wanted = Wanted(folder, temporal_port=0, ui_port=None, console_port=0, durable=False)
    async with everything(Settings.load(), wanted) as running:
        assert servers_on(folder)
        assert running.addresses.database == url
        desk = Desk(running.pool, running.temporal)
        made = await sample.load(desk, by="test", now=session.now())
        assert made is not None
        assert len(made.attribution_ids) == sample.BLOCK_SIZE
        assert await running.pool.fetchval("SELECT count(*) FROM patients") == sample.PEOPLE
        assert await sample.load(desk, by="test", now=session.now()) is None
        assert await running.pool.fetchval("SELECT count(*) FROM blocks") == 1
        async with running.pool.acquire() as conn:
            accounts = await sample.make_accounts(conn, the_operator())
            assert await sample.make_accounts(conn, the_operator()) == []
        assert running.addresses.console is not None
        for each in accounts:
            async with another(running.addresses.console) as browser:
                await browser.sign_in(each.account, each.password)
                assert (await browser.get("/compte")).status_code == 200
    assert servers_on(folder) == []


async def test_what_does_not_start_leaves_nothing_behind(
    folder: Path, temporal: EmbeddedTemporal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    with pytest.raises((ServiceUnreachable, RPCError)):
        async with everything(Settings.load(), Wanted(folder, durable=False)):
            pass
    assert servers_on(folder) == []
    assert Addresses.read(folder) is None
    del temporal


async def test_the_way_to_the_database_that_was_written_opens_it(
    folder: Path, temporal: EmbeddedTemporal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.address)
    async with everything(Settings.load(), Wanted(folder, durable=False)):
        written = json.loads((folder / addresses.FILE).read_text(encoding="utf-8"))["database"]
        async with database_pool(Settings(), url=written) as pool:
            assert await pool.fetchval("SELECT count(*) FROM schema_migration") >= 1
