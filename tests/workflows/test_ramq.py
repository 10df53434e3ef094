"""The confirmed list of a block goes to RAMQ once, and whoever is confirmed later by a supplement (R6)."""

import csv
import hashlib
from pathlib import Path
from typing import Any

import pytest

from gamf.client import ramq
from gamf.domain.calendar import local_date
from gamf.letters import manifest
from gamf.runtime.polling import until
from tests.system import FAMILY, System
from tests.workflows.test_replacement import ACCEPTED, Case, attributed


def folder(system: System) -> Path:
    return system.outbox / "ramq"


def sent(system: System, block_id: str) -> dict[str, list[dict[str, str]]]:
    """Return the lines of every file of that block that is in the folder, by the name of the file."""
    found: dict[str, list[dict[str, str]]] = {}
    for path in sorted(folder(system).glob(f"ramq-{block_id}-*.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            found[path.name] = list(csv.DictReader(stream))
    return found


def listed(system: System, block_id: str) -> list[str]:
    manifest = (folder(system) / "manifest.csv").read_text(encoding="utf-8").splitlines()
    return [line for line in manifest if line.startswith(f"ramq-{block_id}-")]


async def told(system: System, case: Case, files: int) -> dict[str, Any]:
    async def there() -> bool:
        async with system.pool.acquire() as conn:
            view = await ramq.show_files(conn, case.block_id)
        return len([each for each in view.files if each.handed_at]) == files

    await until(there, within_seconds=20)
    async with system.pool.acquire() as conn:
        return (await ramq.show_files(conn, case.block_id)).model_dump(mode="json")


async def test_r6_nothing_goes_before_every_answer_is_given_and_then_the_list_goes_once(
    system: System,
) -> None:
    case = await attributed(system, 3)
    first, second, third = [each["attribution_id"] for each in await case.listed()]
    await case.tell(first, "accepted")
    await case.tell(second, "refused", reason="hors champ")
    assert sent(system, case.block_id) == {}
    await case.tell(third, "accepted")
    await case.block.result()
    view = await told(system, case, 1)
    ((name, lines),) = sent(system, case.block_id).items()
    assert name == f"ramq-{case.block_id}-01.csv"
    assert [line["attribution_id"] for line in lines] == [first, third]
    (file,) = view["files"]
    content = (folder(system) / name).read_bytes()
    assert (file["name"], file["kind"], file["names"]) == (name, "list", 2)
    assert file["sha256"] == hashlib.sha256(content).hexdigest()
    assert [each["attribution_id"] for each in view["named"]] == [first, third]
    assert len(listed(system, case.block_id)) == 1


async def test_r6_a_line_says_whose_patient_it_is_and_the_day_of_the_confirmation(system: System) -> None:
    case = await attributed(system, 1)
    await case.block.execute_update("record", ACCEPTED)
    await case.block.result()
    await told(system, case, 1)
    (((line,),)) = sent(system, case.block_id).values()
    (row,) = await system.rows(
        """
        SELECT p.nam, p.last_name, p.first_name, p.birth_date, d.last_name AS physician_last_name, a.attributed_at
        FROM attributions a JOIN patients p USING (patient_id) JOIN physicians d ON d.licence = a.physician
        WHERE a.block_id = $1
        """,
        case.block_id,
    )
    assert (line["nam"], line["last_name"], line["first_name"]) == (row["nam"], FAMILY, row["first_name"])
    assert (line["physician"], line["physician_last_name"]) == (case.licence, row["physician_last_name"])
    assert line["birth_date"] == row["birth_date"].isoformat()
    assert line["confirmed_on"] == local_date(row["attributed_at"], "America/Toronto").isoformat()


async def test_r6_files_are_for_their_owner_only(system: System) -> None:
    case = await attributed(system, 1)
    await case.block.execute_update("record", ACCEPTED)
    await case.block.result()
    await told(system, case, 1)
    assert folder(system).stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder(system).glob("*.csv")} == {0o600}


async def test_r6_a_list_that_nobody_is_on_is_not_sent(system: System) -> None:
    case = await attributed(system, 2)
    await case.block.execute_update("record", {"fact": "list_refused", "by": "coordo", "reason": "congé"})
    await case.block.result()
    assert (await told(system, case, 0))["files"] == []
    assert sent(system, case.block_id) == {}


async def test_r6_a17_a_later_replacement_goes_by_a_numbered_supplement(system: System) -> None:
    case = await attributed(system, 2, ["C", "C"])
    first, second = [each["attribution_id"] for each in await case.listed()]
    await case.block.execute_update("record", ACCEPTED)
    await case.block.result()
    await told(system, case, 1)
    for number, cancelled in ((2, first), (3, second)):
        new = await case.cancel(cancelled)
        assert new is not None
        await case.tell(new, "accepted")
        view = await told(system, case, number)
        assert [each["kind"] for each in view["files"]] == ["list", *["supplement"] * (number - 1)]
        (line,) = sent(system, case.block_id)[f"ramq-{case.block_id}-{number:02d}.csv"]
        assert (line["attribution_id"], line["replaces"], line["kind"]) == (new, cancelled, "supplement")
    named = [each["attribution_id"] for each in view["named"]]
    assert len(named) == len(set(named)) == 4


async def test_r6_whoever_was_cancelled_before_the_list_went_is_not_on_it(system: System) -> None:
    case = await attributed(system, 2)
    first, second = [each["attribution_id"] for each in await case.listed()]
    await case.tell(first, "accepted")
    await case.cancel(first, "administrative")
    await case.tell(second, "accepted")
    await case.block.result()
    await told(system, case, 1)
    (lines,) = sent(system, case.block_id).values()
    assert [line["attribution_id"] for line in lines] == [second]


async def test_r6_a_folder_that_refuses_is_tried_again_and_holds_no_patient_up(
    system: System,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = await attributed(system, 1, ["C"])
    (line,) = await case.listed()
    await case.block.execute_update("record", ACCEPTED)
    await case.block.result()
    new = await case.cancel(line["attribution_id"])
    assert new is not None
    times = 0

    def refusing(path: Path, content: bytes, mode: int) -> None:
        nonlocal times
        times += 1
        if times == 1:
            raise PermissionError(13, "Permission denied", str(path))
        manifest.write_durably(path, content, mode)

    monkeypatch.setattr("gamf.letters.ramq.write_durably", refusing)
    await case.tell(new, "accepted")
    assert (await case.tell(new, "sv_entered"))["state"] == "enrolled_sv"
    await told(system, case, 2)
    assert times == 2
    assert len(listed(system, case.block_id)) == 2
