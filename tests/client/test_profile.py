"""The population profile of an RLS (R4): shown, set from a file, kept in the record, and followed by its blocks."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from gamf.client.errors import FileRefusedError, NotFoundError
from gamf.client.importing import Import, ImportReport
from gamf.client.profile import reset_profile, set_profile, show_profile
from gamf.domain.profile import AGES, GROUPS, Group
from gamf.domain.refusal import RefusedByRuleError
from gamf.storage import profiles
from gamf.storage.connection import Connection
from gamf.storage.invariants import violations
from tests.system import add_network, add_population

NOW = datetime(2026, 6, 1, 16, tzinfo=UTC)
ALL_OLD = {group: "50" if group.ages == "70+" else "0" for group in GROUPS}


def text_of(shares: dict[Group, str], delimiter: str = ",") -> str:
    lines = [
        delimiter.join((str(group.vulnerable).lower(), group.ages, share)) for group, share in shares.items()
    ]
    return "\n".join([delimiter.join(("vulnerable", "ages", "share")), *lines, ""])


@pytest.fixture
async def rls(connection: Connection) -> str:
    return await add_network(connection)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "profile.csv"


async def taken_in(
    connection: Connection, rls: str, file: Path, text: str, by: str = "coordo"
) -> ImportReport:
    await asyncio.to_thread(file.write_text, text, "utf-8")
    return await set_profile(connection, rls, Import(file, NOW, by))


async def test_r4_the_profile_is_that_of_the_waiting_list_until_one_is_set(
    connection: Connection, rls: str
) -> None:
    await add_population(connection, rls, 200)
    shown = await show_profile(connection, rls, now=NOW)
    assert (shown.source, shown.set_by, shown.set_at) == ("waiting_list", None, None)
    assert [(each.vulnerable, each.ages) for each in shown.groups] == list(GROUPS)
    assert sum(each.waiting for each in shown.groups) == 200
    assert [each.share for each in shown.groups] == [each.waiting / 2 for each in shown.groups]


async def test_r4_the_profile_of_an_empty_list_is_empty(connection: Connection, rls: str) -> None:
    shown = await show_profile(connection, rls, now=NOW)
    assert {(each.share, each.waiting) for each in shown.groups} == {(0, 0)}


async def test_r4_a_profile_that_was_set_says_by_whom_and_when(
    connection: Connection, rls: str, file: Path
) -> None:
    report = await taken_in(connection, rls, file, text_of(ALL_OLD))
    assert (report.taken, report.lines, report.added) == (True, 12, 12)
    shown = await show_profile(connection, rls, now=NOW)
    assert (shown.source, shown.set_by, shown.set_at) == ("network", "coordo", NOW)
    assert {each.ages: each.share for each in shown.groups} == dict.fromkeys(AGES, 0.0) | {"70+": 50.0}


async def test_r4_a20_the_same_profile_again_changes_nothing_and_another_one_is_a_new_record(
    connection: Connection, rls: str, file: Path
) -> None:
    await taken_in(connection, rls, file, text_of(ALL_OLD))
    again = await taken_in(connection, rls, file, text_of(ALL_OLD, ";"), by="autre")
    assert (again.added, again.changed, again.unchanged) == (0, 0, 12)
    assert (await show_profile(connection, rls, now=NOW)).set_by == "coordo"
    other = ALL_OLD | {
        Group(vulnerable=True, ages="70+"): "49,5",
        Group(vulnerable=True, ages="0-5"): "0,5 %",
    }
    changed = await taken_in(connection, rls, file, text_of(other, ";"), by="autre")
    assert (changed.added, changed.changed, changed.unchanged) == (0, 2, 10)
    assert await reset_profile(connection, rls, by="coordo", now=NOW)
    assert not await reset_profile(connection, rls, by="coordo", now=NOW)
    rows = await connection.fetch(
        "SELECT event, by, argument FROM records WHERE subject_id = $1 AND event <> 'registered' ORDER BY record_id",
        rls,
    )
    assert [(row["event"], row["by"]) for row in rows] == [
        (profiles.SET, "coordo"),
        (profiles.SET, "autre"),
        (profiles.RESET, "coordo"),
    ]
    assert {"vulnerable": True, "ages": "0-5", "share": "0.5"} in rows[1]["argument"]["groups"]
    assert (await show_profile(connection, rls, now=NOW)).source == "waiting_list"
    assert await violations(connection) == []


async def test_every_faulty_line_of_a_profile_is_named_and_nothing_changes(
    connection: Connection, rls: str, file: Path
) -> None:
    await taken_in(connection, rls, file, text_of(ALL_OLD))
    faulty = [
        "100,1;0-5;true",
        "-1;6-17;true",
        "1;18-30;true",
        "1;18-34;peut-être",
        "1;70+;true",
        "2;70+;true",
    ]
    report = await taken_in(connection, rls, file, "\n".join(["share;ages;vulnerable", *faulty]))
    assert (report.taken, report.faulty) == (False, 5)
    assert [(fault.line, fault.column) for fault in report.faults] == [
        (2, "share"),
        (3, "share"),
        (4, "ages"),
        (5, "vulnerable"),
        (7, "ages"),
    ]
    assert await stored(connection, rls) == {group: Decimal(share) for group, share in ALL_OLD.items()}


async def stored(connection: Connection, rls: str) -> dict[Group, Decimal]:
    found = await profiles.profile(connection, rls)
    assert found is not None
    return dict(found.shares)


async def test_r4_a_profile_that_lacks_a_group_or_does_not_make_a_hundred_is_refused(
    connection: Connection, rls: str, file: Path
) -> None:
    first, *_ = GROUPS
    for shares in ({g: s for g, s in ALL_OLD.items() if g != first}, ALL_OLD | {first: "0.51"}):
        with pytest.raises(RefusedByRuleError, match="R4"):
            await taken_in(connection, rls, file, text_of(shares))
    assert await profiles.profile(connection, rls) is None


async def test_a_profile_with_unknown_columns_is_refused_by_their_names(
    connection: Connection, rls: str, file: Path
) -> None:
    with pytest.raises(FileRefusedError, match="surplus"):
        await taken_in(connection, rls, file, "vulnerable,ages,share,surplus\n")


async def test_the_profile_of_an_unknown_rls_is_not_found(connection: Connection, file: Path) -> None:
    for asked in (
        show_profile(connection, "rien", now=NOW),
        taken_in(connection, "rien", file, text_of(ALL_OLD)),
        reset_profile(connection, "rien", by="coordo", now=NOW),
    ):
        with pytest.raises(NotFoundError):
            await asked
