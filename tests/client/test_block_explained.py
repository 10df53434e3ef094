"""A block beside the profile that it follows, and why each one is on its list (R4), on real servers."""

import asyncio
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from temporalio.client import Client

from gamf.client import acting
from gamf.client.acting import Desk
from gamf.client.importing import Import
from gamf.client.profile import reset_profile, set_profile
from gamf.domain.profile import GROUPS
from gamf.runtime.polling import until
from tests.clock import now
from tests.system import FAMILY, NAM_PREFIX, System, add_network, add_physician, add_population

BY = "coordination"
_OF_THE_LIST = """
    SELECT p.vulnerable, extract(year FROM age($2::date, p.birth_date))::integer AS years
    FROM block_patients bp JOIN patients p USING (patient_id) WHERE bp.block_id = $1
"""
_FIRST_AGES = {"0-5": range(6), "6-17": range(6, 18), "18-34": range(18, 35), "35-54": range(35, 55)} | {
    "55-69": range(55, 70),
    "70+": range(70, 150),
}


async def an_rls(system: System, people: int) -> tuple[str, str]:
    async with system.pool.acquire() as conn:
        rls = await add_network(conn)
        licence = await add_physician(conn, rls)
        await add_population(conn, rls, people)
        return rls, licence


async def set_shares(system: System, rls: str, shares: list[str], folder: Path) -> None:
    lines = [
        f"{str(group.vulnerable).lower()},{group.ages},{share}"
        for group, share in zip(GROUPS, shares, strict=True)
    ]
    path = folder / "profile.csv"
    await asyncio.to_thread(path.write_text, "\n".join(["vulnerable,ages,share", *lines]), "utf-8")
    async with system.pool.acquire() as conn:
        assert (await set_profile(conn, rls, Import(path, now(), BY))).taken


async def on_the_list(system: System, view: dict[str, Any]) -> dict[tuple[bool, str], int]:
    """Count who is on the list by group, from their dates of birth."""
    counted: dict[tuple[bool, str], int] = dict.fromkeys(GROUPS, 0)
    on = datetime.fromisoformat(view["profile"]["ages_on"]).date()
    for row in await system.rows(_OF_THE_LIST, view["block_id"], on):
        (ages,) = (band for band, years in _FIRST_AGES.items() if row["years"] in years)
        counted[row["vulnerable"], ages] += 1
    return counted


async def test_r4_a_block_of_500_follows_its_waiting_list_within_a_seat(system: System) -> None:
    _, licence = await an_rls(system, 3_000)
    view = await acting.request_block(Desk(system.pool, system.client), licence, 500, by=BY, now=now())
    profile = view["profile"]
    assert (profile["source"], view["counts"]) == ("waiting_list", {"drawn": 500})
    drawn = await on_the_list(system, view)
    assert {(each["vulnerable"], each["ages"]): each["drawn"] for each in profile["groups"]} == drawn
    assert sum(each["waiting"] for each in profile["groups"]) == 3_000
    for each in profile["groups"]:
        assert abs(each["drawn"] - 500 * each["waiting"] / 3_000) < 1
    for each in (*profile["groups"], *profile["totals"]):
        assert abs(each["drawn"] - each["quota"]) < 1
        assert (each["wanted"], each["difference"]) == (each["drawn"], 0)


async def test_r4_a_block_of_500_follows_the_profile_that_was_set_within_a_seat(
    system: System, tmp_path: Path
) -> None:
    rls, licence = await an_rls(system, 3_000)
    shares = ["1.5", "3.3", "9.4", "12.1", "9.7", "6.2", "3.1", "7.7", "11.3", "17.2", "12.3", "6.2"]
    await set_shares(system, rls, shares, tmp_path)
    view = await acting.request_block(Desk(system.pool, system.client), licence, 500, by=BY, now=now())
    assert (view["profile"]["source"], view["profile"]["set_by"]) == ("network", BY)
    drawn = await on_the_list(system, view)
    for group, share in zip(GROUPS, shares, strict=True):
        assert abs(drawn[group] - 5 * Decimal(share)) < 1
    assert abs(sum(drawn[group] for group in GROUPS if group.vulnerable) - 5 * Decimal("42.2")) < 1


async def test_r4_where_the_list_has_too_few_the_view_says_so(system: System, tmp_path: Path) -> None:
    rls, licence = await an_rls(system, 100)
    await set_shares(system, rls, ["100", *["0"] * 11], tmp_path)
    view = await acting.request_block(Desk(system.pool, system.client), licence, 50, by=BY, now=now())
    first, *others = view["profile"]["groups"]
    assert (first["wanted"], first["drawn"]) == (50, first["waiting"])
    assert first["difference"] == -sum(each["difference"] for each in others)
    assert view["counts"] == {"drawn": 50}


async def test_r4_why_each_one_is_on_the_list_stays_true_to_the_end(
    system: System, alone: Client, tmp_path: Path
) -> None:
    rls, licence = await an_rls(system, 60)
    desk = Desk(system.pool, system.client)
    drawn = await acting.request_block(desk, licence, 12, by=BY, now=now())
    for each in drawn["profile"]["groups"]:
        ranks = [m["rank"] for m in drawn["list"] if (m["vulnerable"], m["ages"]) == group_of(each)]
        assert ranks == list(range(1, each["drawn"] + 1))
    block_id = drawn["block_id"]
    approved = await acting.approve_block(desk, block_id, by=BY)
    await set_shares(system, rls, ["100", *["0"] * 11], tmp_path)
    await acting.refuse_block(desk, block_id, by=BY, reason="congé")

    async def closed() -> bool:
        return bool((await acting.show_block(desk, block_id))["state"] == "closed")

    await until(closed, within_seconds=20)
    await system.pool.execute(
        "UPDATE patients SET birth_date = birth_date - 9000, priority = 'E' WHERE rls = $1", rls
    )
    shown = await acting.show_block(desk, block_id)
    gone = await acting.show_block(Desk(system.pool, alone), block_id)
    assert [view["state"] for view in (drawn, approved, shown, gone)] == [
        "drawn",
        "attributed",
        "closed",
        "closed",
    ]
    assert why(drawn) == why(approved) == why(shown) == why(gone)
    assert FAMILY not in json.dumps(shown)
    assert NAM_PREFIX not in json.dumps(shown)
    async with system.pool.acquire() as conn:
        assert await reset_profile(conn, rls, by=BY, now=now())


async def test_r4_a_list_withdrawn_says_why_each_one_was_on_it(system: System) -> None:
    rls, licence = await an_rls(system, 20)
    desk = Desk(system.pool, system.client)
    drawn = await acting.request_block(desk, licence, 5, by=BY, now=now())
    withdrawn = await acting.withdraw_block(desk, drawn["block_id"], by=BY, reason="erreur")
    await system.pool.execute(
        "UPDATE patients SET priority = 'E', vulnerable = NOT vulnerable WHERE rls = $1", rls
    )
    shown = await acting.show_block(desk, drawn["block_id"])
    assert (withdrawn["state"], shown["counts"]) == ("withdrawn", {"waiting": 5})
    assert why(drawn) == why(withdrawn) == why(shown)


def group_of(seats: dict[str, Any]) -> tuple[bool, str]:
    return seats["vulnerable"], seats["ages"]


def why(view: dict[str, Any]) -> Any:  # noqa: ANN401 - compared with another
    """Return what explains a block: its profile, and of each patient the group, the rank, the priority and the date."""
    keys = ("patient_id", "vulnerable", "ages", "rank", "priority", "registered_on")
    return view["profile"], [[each[key] for key in keys] for each in view["list"]]
