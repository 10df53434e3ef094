import os
from pathlib import Path

import asyncpg
import psutil
import pytest

from gamf.runtime.embedded import EmbeddedPostgres
from gamf.runtime.errors import DataFolderInUse, ServerDidNotStart
from gamf.runtime.lock import FolderLock
from tests.runtime.processes import is_running

# Servers and processes begin and end in each: together they take longer than `make test` may.
pytestmark = pytest.mark.long

NAME = "Ozanne Thibaudeau-Fictif"
INSERTED = "INSERT INTO person VALUES ('Ozanne Thibaudeau-Fictif')"


async def run(server: EmbeddedPostgres, statement: str) -> object:
    connection = await asyncpg.connect(server.url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def postmaster(folder: Path) -> psutil.Process:
    return psutil.Process(int((folder / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0]))


async def test_what_was_written_is_there_at_the_next_start(folder: Path) -> None:
    async with EmbeddedPostgres(folder) as server:
        await run(server, "CREATE TABLE kept AS SELECT 1 AS one")
    async with EmbeddedPostgres(folder) as server:
        assert await run(server, "SELECT one FROM kept") == 1
        assert await run(server, "SHOW fsync") == "on"


async def test_it_is_eighteen_and_knows_accents(postgres: EmbeddedPostgres) -> None:
    assert str(await run(postgres, "SHOW server_version")).startswith("18.")
    assert await run(postgres, "SELECT upper('é')") == "É"
    assert await run(postgres, "SHOW max_connections") == "100"


async def test_its_role_owns_its_database_and_is_no_superuser(postgres: EmbeddedPostgres) -> None:
    assert await run(postgres, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    assert await run(postgres, "CREATE SCHEMA mine") is None


async def test_it_does_not_listen_on_the_network(folder: Path) -> None:
    async with EmbeddedPostgres(folder, durable=False) as server:
        assert await run(server, "SHOW listen_addresses") == ""
        assert (folder / "postgres").stat().st_mode & 0o077 == 0


async def test_a_database_is_made_copied_and_removed(postgres: EmbeddedPostgres) -> None:
    url = await postgres.create_database("first")
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE thing AS SELECT 7 AS seven")
    await connection.close()
    connection = await asyncpg.connect(await postgres.create_database("second", template="first"))
    assert await connection.fetchval("SELECT seven FROM thing") == 7
    for name in ("first", "second"):
        await postgres.drop_database(name)
    assert await run(postgres, "SELECT count(*) FROM pg_database WHERE datname IN ('first', 'second')") == 0


async def test_two_side_by_side_never_meet(folder: Path) -> None:
    async with (
        EmbeddedPostgres(folder / "a", durable=False) as first,
        EmbeddedPostgres(folder / "b", durable=False) as second,
    ):
        await run(first, "CREATE TABLE only_here ()")
        assert await run(second, "SELECT to_regclass('only_here')") is None


async def test_a_second_on_the_same_folder_is_refused(folder: Path) -> None:
    async with EmbeddedPostgres(folder, durable=False) as server:
        with pytest.raises(DataFolderInUse, match="est déjà utilisé"):
            await EmbeddedPostgres(folder, durable=False).__aenter__()
        assert await run(server, "SELECT 1") == 1


async def test_a_killed_server_recovers(folder: Path) -> None:
    async with EmbeddedPostgres(folder) as server:
        await run(server, "CREATE TABLE kept AS SELECT 1 AS one")
        postmaster(folder).kill()
        await server.wait_ended()
    assert (folder / "postgres" / "postmaster.pid").exists()
    async with EmbeddedPostgres(folder) as server:
        assert await run(server, "SELECT one FROM kept") == 1


async def test_the_number_of_a_dead_server_may_be_anothers_by_now(folder: Path) -> None:
    async with EmbeddedPostgres(folder, durable=False):
        trace = (folder / "postgres" / "postmaster.pid").read_text().splitlines()
    trace[0] = str(os.getppid())
    (folder / "postgres" / "postmaster.pid").write_text("\n".join(trace))
    async with EmbeddedPostgres(folder, durable=False) as server:
        assert await run(server, "SELECT 1") == 1


async def test_it_ends_when_its_guardian_is_killed(folder: Path) -> None:
    async with EmbeddedPostgres(folder, durable=False) as server:
        alive = postmaster(folder)
        guardian = alive.parent()
        assert guardian is not None
        guardian.kill()
        await server.wait_ended()
    # The lock is held until the last of the server's own processes has ended.
    async with FolderLock(folder, "postgres"):
        assert not is_running(alive)


def begun_cluster(folder: Path) -> Path:
    begun = folder / "postgres.new"
    begun.mkdir()
    (begun / "PG_VERSION").write_text("18\n")
    return begun


async def test_a_half_made_cluster_is_made_anew(folder: Path) -> None:
    half_made = begun_cluster(folder)
    async with EmbeddedPostgres(folder, durable=False) as server:
        assert await run(server, "SELECT 1") == 1
    assert not half_made.exists()


async def test_a_folder_with_a_long_name_has_its_socket_elsewhere(folder: Path) -> None:
    async with EmbeddedPostgres(folder / ("é" * 60), durable=False) as server:
        assert await run(server, "SELECT 1") == 1
        assert socket_exists(server)
    assert not socket_exists(server)


def socket_exists(server: EmbeddedPostgres) -> bool:
    return Path(server.url.split("host=", 1)[1], ".s.PGSQL.5432").exists()


async def test_a_cluster_that_cannot_start_is_told_and_let_go(folder: Path) -> None:
    async with EmbeddedPostgres(folder, durable=False):
        pass
    (folder / "postgres" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(ServerDidNotStart, match=r"postgres\.log"):
        await EmbeddedPostgres(folder, durable=False).__aenter__()
    (folder / "postgres" / "PG_VERSION").write_text("18\n")
    async with EmbeddedPostgres(folder, durable=False) as server:
        assert await run(server, "SELECT 1") == 1


async def test_a_refused_row_is_not_in_its_log(folder: Path) -> None:
    async with EmbeddedPostgres(folder, durable=False) as server:
        await run(server, "CREATE TABLE person (name text PRIMARY KEY)")
        await run(server, INSERTED)
        with pytest.raises(asyncpg.UniqueViolationError):
            await run(server, INSERTED)
        with pytest.raises(asyncpg.InvalidDatetimeFormatError):
            await run(server, "SELECT name::date FROM person")
    log = (folder / "postgres.log").read_text()
    assert "ready to accept connections" in log
    assert NAME not in log
