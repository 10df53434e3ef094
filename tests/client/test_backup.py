"""The data folder as one file and back, with attributions that wait."""

import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gamf.client import acting, sample, training
from gamf.client.acting import Desk
from gamf.client.up import Wanted, everything
from gamf.runtime.backup import BackupFault, back_up, restore
from gamf.runtime.errors import DataFolderInUse
from gamf.runtime.settings import Settings
from gamf.storage.invariants import violations

BY = "coordination"


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    for name in ("GAMF_DATABASE_URL", "GAMF_DATA_DIR", "TEMPORAL_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        yield Path(name)


@asynccontextmanager
async def up(data: Path) -> AsyncGenerator[Desk]:
    wanted = Wanted(data, training=True, temporal_port=0, ui_port=None, own=True)
    async with everything(Settings(), wanted) as running:
        yield Desk(running.pool, running.temporal)


async def people_in_several_states(desk: Desk) -> list[str]:
    now = datetime.now(UTC)
    licence, *_ = await sample.fill(desk, 60, by=BY, now=now)
    block = await acting.request_block(desk, licence, 4, by=BY, now=now)
    approved = await acting.approve_block(desk, block["block_id"], by=BY)
    ids: list[str] = [member["attribution_id"] for member in approved["list"]]
    for attribution_id in ids[1:]:
        await acting.record_fact(desk, attribution_id, "accepted", {"by": BY}, now=now)
    await acting.record_fact(desk, ids[2], "sv_entered", {"by": BY}, now=now)
    await training.pass_deadline(desk, ids[3])
    return ids


async def views(desk: Desk, ids: list[str]) -> list[dict[str, Any]]:
    return [await acting.show_attribution(desk, attribution_id) for attribution_id in ids]


def unheard(_done: int, _whole: int) -> None:
    """Hear of no progress."""


@pytest.mark.long
async def test_what_waited_goes_on_from_a_backup(folder: Path) -> None:
    data, file, elsewhere = folder / "data", folder / "sauvegarde.tgz", folder / "elsewhere"
    async with up(data) as desk:
        ids = await people_in_several_states(desk)
        before = await views(desk, ids)
        with pytest.raises(DataFolderInUse):
            await back_up(data, file, at=datetime.now(UTC), tell=unheard)
    assert not file.exists()
    written = await back_up(data, file, at=datetime.now(UTC), tell=unheard)
    assert file.stat().st_mode & 0o777 == 0o600
    assert await restore(file, elsewhere, tell=unheard) == written
    async with up(elsewhere) as desk:
        assert await views(desk, ids) == before
        assert [each["state"] for each in before] == ["proposed", "confirmed", "enrolled_sv", "overdue"]
        await training.pass_deadline(desk, ids[0])
        assert (await acting.show_attribution(desk, ids[0]))["state"] == "unanswered"
        async with desk.pool.acquire() as conn:
            assert await violations(conn) == []
        with pytest.raises(BackupFault, match="vide"):
            await restore(file, elsewhere, tell=unheard)


async def test_nothing_is_written_over(folder: Path) -> None:
    file = folder / "sauvegarde.tgz"
    file.write_bytes(b"precious")
    (folder / "data" / "postgres").mkdir(parents=True)
    with pytest.raises(BackupFault, match="existe"):
        await back_up(folder / "data", file, at=datetime.now(UTC), tell=unheard)
    assert file.read_bytes() == b"precious"


async def test_a_folder_without_data_has_no_backup(folder: Path) -> None:
    with pytest.raises(BackupFault, match="pas de données"):
        await back_up(folder / "data", folder / "file", at=datetime.now(UTC), tell=unheard)


@pytest.mark.parametrize("keep", [0, 10, 200, -20])
async def test_a_damaged_backup_changes_nothing(folder: Path, keep: int) -> None:
    cluster = folder / "data" / "postgres"
    cluster.mkdir(parents=True)
    (cluster / "one").write_bytes(bytes(range(256)) * 40)
    file, elsewhere = folder / "whole.tgz", folder / "elsewhere"
    written = await back_up(folder / "data", file, at=datetime.now(UTC), tell=unheard)
    whole = file.read_bytes()
    file.write_bytes(whole[:keep] if keep else b"not at all")
    with pytest.raises(BackupFault, match="entière"):
        await restore(file, elsewhere, tell=unheard)
    assert [path.name for path in elsewhere.iterdir()] == ["data.lock"]
    file.write_bytes(whole)
    assert await restore(file, elsewhere, tell=unheard) == written


async def test_a_changed_byte_anywhere_is_seen(folder: Path) -> None:
    cluster, content = folder / "data" / "postgres", bytes(range(256)) * 40
    cluster.mkdir(parents=True)
    (cluster / "one").write_bytes(content)
    file = folder / "whole.tgz"
    await back_up(folder / "data", file, at=datetime.now(UTC), tell=unheard)
    whole, harmless = file.read_bytes(), 0
    # Gzip's own head (when, by what system, the file's first name) holds nothing of the data.
    places = range(whole.index(0, 10) + 1, len(whole), 17)
    for place in places:
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        elsewhere = folder / str(place)
        try:
            await restore(file, elsewhere, tell=unheard)
        except BackupFault:
            continue
        # A bit that no decompression reads: what was saved is there to the last byte.
        harmless += 1
        assert (elsewhere / "postgres" / "one").read_bytes() == content
    assert harmless <= len(places) // 10


async def test_what_a_killed_restore_left_is_not_in_the_way(folder: Path) -> None:
    cluster, elsewhere = folder / "data" / "postgres", folder / "elsewhere"
    cluster.mkdir(parents=True)
    (cluster / "one").write_bytes(b"1")
    file = folder / "whole.tgz"
    await back_up(folder / "data", file, at=datetime.now(UTC), tell=unheard)
    (elsewhere / "restoring" / "postgres").mkdir(parents=True)
    await restore(file, elsewhere, tell=unheard)
    assert (elsewhere / "postgres" / "one").read_bytes() == b"1"
    assert not (elsewhere / "restoring").exists()


async def test_a_disk_that_refuses_is_said_and_nothing_is_left(folder: Path) -> None:
    (folder / "data" / "postgres").mkdir(parents=True)
    with pytest.raises(BackupFault, match="le disque refuse"):
        await back_up(folder / "data", folder / "nowhere" / "file", at=datetime.now(UTC), tell=unheard)
    with pytest.raises(BackupFault, match="pas de fichier"):
        await restore(folder / "nothing", folder / "elsewhere", tell=unheard)
