"""The outbox folder: each letter once, whatever happens."""

import asyncio
import csv
import fcntl
import hashlib
import io
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gamf.letters.carriers import CarrierError, Envelope, OutboxCarrier
from tests.letters.hand_over import DIED, ENVELOPE, Orders, pdf_of

LETTER = "2026-000042-1"
OTHER = "2026-000043-1"
HEADER = "letter_id,kind,language,sha256,handed_at\n"
ROOT = Path(__file__).parents[2]


def line_of(letter_id: str) -> str:
    digest = hashlib.sha256(pdf_of(letter_id)).hexdigest()
    return f"{letter_id},attribution,fr,{digest},2026-05-08T14:00:00+00:00\n"


def manifest_of(folder: Path) -> str:
    return (folder / "manifest.csv").read_text()


def listed(folder: Path) -> list[str]:
    return sorted(row["letter_id"] for row in csv.DictReader(io.StringIO(manifest_of(folder))))


def pdfs(folder: Path) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in folder.glob("*.pdf")}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def lay_out(folder: Path, manifest: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # A file put in place of another, as a restored backup is.
    (folder / "new").write_text(manifest)
    (folder / "new").replace(folder / "manifest.csv")


def open_to_others(folder: Path) -> list[Path]:
    return [path for path in [folder, *folder.iterdir()] if path.stat().st_mode & 0o007]


def unfinished(folder: Path) -> list[Path]:
    return list(folder.glob("*.tmp"))


def in_another_process(folder: Path, *letters: str, **orders: Any) -> subprocess.Popen[str]:  # noqa: ANN401 - of Orders
    given = Orders(folder=folder, letters=list(letters), **orders)
    command = [sys.executable, "-m", "tests.letters.hand_over", given.model_dump_json()]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    told, _ = process.communicate()
    return process.returncode, told


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "outbox" / "letters"


@pytest.fixture
def carrier(folder: Path) -> OutboxCarrier:
    return OutboxCarrier(folder)


async def test_a_letter_is_its_pdf_and_a_line(folder: Path, carrier: OutboxCarrier) -> None:
    await carrier.hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
    assert pdfs(folder) == {LETTER: pdf_of(LETTER)}
    assert manifest_of(folder) == HEADER + line_of(LETTER)
    assert names(folder) == [".manifest.lock", f"{LETTER}.pdf", "manifest.csv"]


async def test_nobody_else_on_the_machine_reads_the_letters(folder: Path, carrier: OutboxCarrier) -> None:
    await carrier.hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
    assert open_to_others(folder) == []


async def test_a_letter_handed_over_twice_goes_once(folder: Path, carrier: OutboxCarrier) -> None:
    later = Envelope(
        kind=ENVELOPE.kind, language=ENVELOPE.language, handed_at=datetime(2026, 5, 9, tzinfo=UTC)
    )
    await carrier.hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
    await carrier.hand_over(LETTER, b"another PDF", later)
    await OutboxCarrier(folder).hand_over(LETTER, b"another PDF", later)
    assert pdfs(folder) == {LETTER: pdf_of(LETTER)}
    assert manifest_of(folder) == HEADER + line_of(LETTER)


async def test_a_letter_that_the_printer_took_away_is_not_put_back(
    folder: Path, carrier: OutboxCarrier
) -> None:
    await carrier.hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
    (folder / f"{LETTER}.pdf").unlink()
    await OutboxCarrier(folder).hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
    assert pdfs(folder) == {}
    assert manifest_of(folder) == HEADER + line_of(LETTER)


async def test_letters_handed_over_all_at_once_go_once_each(folder: Path, carrier: OutboxCarrier) -> None:
    letters = [f"2026-{number:06}-1" for number in range(40)] * 2
    await asyncio.gather(*(carrier.hand_over(letter, pdf_of(letter), ENVELOPE) for letter in letters))
    assert listed(folder) == sorted(set(letters))
    assert pdfs(folder) == {letter: pdf_of(letter) for letter in letters}


def test_processes_that_hand_over_the_same_letters_do_it_once(folder: Path) -> None:
    letters = [f"2026-{number:06}-1" for number in range(30)]
    processes = [in_another_process(folder, *letters) for _ in range(3)]
    assert [ended(process) for process in processes] == [(0, "done\n" * 30)] * 3
    assert listed(folder) == letters
    assert pdfs(folder) == {letter: pdf_of(letter) for letter in letters}
    assert not unfinished(folder)


async def test_what_another_process_handed_over_is_known(folder: Path, carrier: OutboxCarrier) -> None:
    await carrier.hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
    assert ended(in_another_process(folder, OTHER)) == (0, "done\n")
    await carrier.hand_over(OTHER, pdf_of(OTHER), ENVELOPE)
    assert manifest_of(folder) == HEADER + line_of(LETTER) + line_of(OTHER)


@pytest.mark.long
async def test_a_crash_at_any_step_leaves_a_letter_that_goes_once(tmp_path: Path) -> None:
    steps = 0
    while True:
        folder = tmp_path / str(steps)
        status, _ = ended(in_another_process(folder, LETTER, dies_at=steps + 1))
        if status == 0:
            break
        assert status == DIED
        steps += 1
        carrier = OutboxCarrier(folder)
        await carrier.hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
        await carrier.hand_over(OTHER, pdf_of(OTHER), ENVELOPE)
        assert manifest_of(folder) == HEADER + line_of(LETTER) + line_of(OTHER)
        assert pdfs(folder) == {LETTER: pdf_of(LETTER), OTHER: pdf_of(OTHER)}
        assert not unfinished(folder)
    assert steps >= 10


@pytest.mark.parametrize(
    "torn", ["", "letter_id,ki", "x" * 10_000, HEADER, HEADER + LETTER, HEADER + line_of(LETTER)[:-1]]
)
async def test_a_torn_last_line_is_made_good(folder: Path, carrier: OutboxCarrier, torn: str) -> None:
    lay_out(folder, torn)
    await carrier.hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
    assert manifest_of(folder) == HEADER + line_of(LETTER)
    assert pdfs(folder) == {LETTER: pdf_of(LETTER)}


async def test_a_line_torn_while_the_carrier_runs_is_made_good(folder: Path, carrier: OutboxCarrier) -> None:
    await carrier.hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
    with (folder / "manifest.csv").open("a") as manifest:
        manifest.write(line_of(OTHER)[:30])
    await carrier.hand_over(OTHER, pdf_of(OTHER), ENVELOPE)
    assert manifest_of(folder) == HEADER + line_of(LETTER) + line_of(OTHER)


async def test_a_manifest_put_in_place_of_the_old_one_is_read_again(
    folder: Path, carrier: OutboxCarrier
) -> None:
    await carrier.hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
    lay_out(folder, HEADER + line_of(OTHER))
    await carrier.hand_over(OTHER, pdf_of(OTHER), ENVELOPE)
    assert manifest_of(folder) == HEADER + line_of(OTHER)
    assert pdfs(folder) == {LETTER: pdf_of(LETTER)}


async def test_a_letter_whose_line_was_cut_away_goes_again(folder: Path, carrier: OutboxCarrier) -> None:
    await carrier.hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
    with (folder / "manifest.csv").open("r+") as manifest:
        manifest.truncate(len(HEADER))
    await carrier.hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
    assert manifest_of(folder) == HEADER + line_of(LETTER)


async def test_a_disk_too_full_for_the_pdf_is_a_temporary_error(folder: Path, carrier: OutboxCarrier) -> None:
    full = in_another_process(folder, LETTER, size=20_000, largest_file=5_000)
    assert ended(full) == (
        0,
        f"letter {LETTER} could not be written to the outbox: File too large (temporary: True)\n",
    )
    assert manifest_of(folder) == HEADER
    assert pdfs(folder) == {}
    assert not unfinished(folder)
    await carrier.hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
    assert manifest_of(folder) == HEADER + line_of(LETTER)


async def test_a_disk_too_full_for_the_line_is_a_temporary_error(
    folder: Path, carrier: OutboxCarrier
) -> None:
    await carrier.hand_over(OTHER, pdf_of(OTHER), ENVELOPE)
    room_for_half_a_line = len(HEADER + line_of(OTHER)) + 50
    full = in_another_process(folder, LETTER, size=100, largest_file=room_for_half_a_line)
    assert ended(full) == (
        0,
        f"letter {LETTER} could not be written to the outbox: File too large (temporary: True)\n",
    )
    assert manifest_of(folder) == HEADER + line_of(OTHER)
    await carrier.hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
    assert manifest_of(folder) == HEADER + line_of(OTHER) + line_of(LETTER)


async def test_a_folder_that_cannot_be_made_is_a_temporary_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CarrierError, match="could not be written") as failed:
        await OutboxCarrier(tmp_path / "file" / "outbox").hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
    assert failed.value.temporary


@pytest.mark.parametrize(
    "letter_id", ["", "../2026-000042-1", "2026-000042-1/../x", "2026-000042-1\n", "2026-000042-1,"]
)
async def test_an_id_that_is_not_a_letters_is_refused_for_good(
    folder: Path, carrier: OutboxCarrier, letter_id: str
) -> None:
    with pytest.raises(CarrierError, match="not a letter id") as refused:
        await carrier.hand_over(letter_id, b"", ENVELOPE)
    assert not refused.value.temporary
    assert names(folder) == []


async def test_the_loop_is_free_while_another_process_holds_the_outbox(
    folder: Path, carrier: OutboxCarrier
) -> None:
    lay_out(folder, "")
    with (folder / ".manifest.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        handing = asyncio.create_task(carrier.hand_over(LETTER, pdf_of(LETTER), ENVELOPE))
        # Were the wait on the loop, this would never come back and the lock never be released.
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(handing), timeout=0.05)
    await handing
    assert manifest_of(folder) == HEADER + line_of(LETTER)
