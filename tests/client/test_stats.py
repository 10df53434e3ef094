"""The indicators: what the database holds is what is counted, by the RLS's month, whatever happened to each patient."""

import csv
import io
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from gamf.client import stats
from gamf.client.errors import NotFoundError
from gamf.domain.calendar import add_months, local_date
from gamf.domain.indicators import CAUSES, COLUMNS, COUNTS, MEDIAN, Measured, Published, publish
from gamf.storage import indicators
from gamf.storage.connection import Pool
from tests.system import Life, System, add_network, add_patients

LATER = datetime(2100, 1, 1, tzinfo=UTC)
LAST_MONTH = date(2099, 12, 1)


async def counted(pool: Pool, now: datetime, *months: date) -> dict[tuple[str | None, date], Measured]:
    async with pool.acquire() as conn, conn.transaction():
        await indicators.unbounded(conn)
        found = await stats.measure(conn, await indicators.zones(conn), months, now)
    return {(each.rls, each.month): each for each in found}


async def refused(life: Life) -> None:
    await life.record("refused", reason="x")


async def silent(life: Life) -> None:
    await life.skip(timedelta(hours=73))


async def enrolled(life: Life) -> None:
    await life.record("accepted")
    await life.record("sv_entered")


async def expired(life: Life) -> None:
    await enrolled(life)
    await life.skip(timedelta(days=400))
    await life.reaches("expired")


async def enrolled_mf(life: Life) -> None:
    await enrolled(life)
    signed = local_date(datetime.now(UTC), "America/Toronto")
    await life.record("mf_signed", signed_on=signed.isoformat())


async def late_mf(life: Life) -> None:
    await expired(life)
    signed = local_date(datetime.now(UTC), "America/Toronto") + timedelta(days=350)
    await life.record("mf_signed", signed_on=signed.isoformat())


async def elsewhere(life: Life) -> None:
    await life.record("accepted")
    ahead = local_date(datetime.now(UTC), "America/Toronto").isoformat()
    await life.record("enrolled_elsewhere", physician="54321", effective_on=ahead, basis="x")


async def died(life: Life) -> None:
    today = local_date(datetime.now(UTC), "America/Toronto").isoformat()
    await life.record("patient_left", on=today, cause="deceased")


FATES: dict[Callable[[Life], Awaitable[None]], dict[str, int]] = {
    refused: {"returned": 1, "returned_refused": 1},
    silent: {"unanswered": 1},
    enrolled: {"enrolled_sv": 1},
    expired: {"enrolled_sv": 1},
    enrolled_mf: {"enrolled_mf": 1},
    late_mf: {"enrolled_sv": 1},
    elsewhere: {},
    died: {},
}


@pytest.mark.parametrize("fate", FATES, ids=lambda fate: fate.__name__)
async def test_each_fate_is_counted_where_it_belongs_and_the_list_is_what_the_register_says(
    system: System, fate: Callable[[Life], Awaitable[None]]
) -> None:
    before = local_date(datetime.now(UTC), "America/Toronto").replace(day=1)
    life = await system.attribute()
    async with system.pool.acquire() as conn:
        await add_patients(conn, life.start.rls, 3)
    await fate(life)
    month = local_date(datetime.now(UTC), "America/Toronto").replace(day=1)
    assert month == before, "the month changed while the test ran"
    found = await counted(system.pool, LATER, month, LAST_MONTH)
    expected = dict.fromkeys(COUNTS, 0) | {"attributed": 1} | FATES[fate]
    # Clocks were moved: who waits is looked at once all of it is past.
    now = found[life.start.rls, month].counts | {
        "waiting": found[life.start.rls, LAST_MONTH].counts["waiting"]
    }
    waits = "SELECT count(*) FROM patients WHERE rls = $1 AND place IN ('waiting', 'proposed')"
    assert now == expected | {"waiting": await system.pool.fetchval(waits, life.start.rls)}


async def test_the_list_of_every_rls_is_what_the_register_says_whatever_the_other_tests_did(
    system: System,
) -> None:
    found = await counted(system.pool, LATER, LAST_MONTH)
    rows = await system.rows(
        "SELECT rls, count(*) FILTER (WHERE place IN ('waiting', 'proposed')) AS n FROM patients GROUP BY rls"
    )
    assert rows
    assert {row["rls"]: row["n"] for row in rows} == {
        row["rls"]: found[row["rls"], LAST_MONTH].counts["waiting"] for row in rows
    }


async def test_a_list_is_shorter_from_the_month_of_the_attribution_to_that_of_the_end(system: System) -> None:
    life = await system.attribute()
    async with system.pool.acquire() as conn:
        await add_patients(conn, life.start.rls, 3)
    await expired(life)
    this = local_date(datetime.now(UTC), "America/Toronto").replace(day=1)
    months = [add_months(this, number) for number in range(-2, 15)]
    found = await counted(system.pool, LATER, *months)
    patient = "SELECT registered_on FROM patients WHERE patient_id = $1"
    registered = await system.pool.fetchval(patient, life.start.patient_id)
    (ended,) = await system.rows(
        "SELECT at FROM records WHERE subject_id = $1 AND after = 'expired'", life.start.attribution_id
    )
    back = local_date(ended["at"], "America/Toronto").replace(day=1)
    others = "SELECT registered_on FROM patients WHERE rls = $1 AND patient_id <> $2"
    days = [
        each["registered_on"] for each in await system.rows(others, life.start.rls, life.start.patient_id)
    ]
    for month in months:
        after = add_months(month, 1)
        waits = registered < after and not this <= month < back
        assert found[life.start.rls, month].counts["waiting"] == sum(day < after for day in days) + waits, (
            month
        )


async def test_each_table_is_read_once_to_tell_who_waits(pool: Pool) -> None:
    async with pool.acquire() as conn:
        plan = await conn.fetchval(
            f"EXPLAIN (FORMAT JSON) {indicators.WAITING_CHANGES}",
            date(2026, 5, 1),
            date(2026, 6, 1),
            ["proposed"],
            datetime(2026, 6, 1, tzinfo=UTC),
        )
    assert str(plan).count("'Relation Name': 'attributions'") == 1


async def test_a23_a_month_ends_on_the_clock_of_its_rls(pool: Pool) -> None:
    async with pool.acquire() as conn:
        west, east = await add_network(conn), await add_network(conn, "America/Halifax")
        for rls in (west, east):
            for day in (*[date(2026, 5, 31)] * 5, *[date(2026, 6, 1)] * 2):
                await add_patients(conn, rls, registered_on=day)
    april, may, june = date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1)
    # 1 June has begun in Halifax and not in Toronto.
    now = datetime(2026, 6, 1, 3, 30, tzinfo=UTC)
    found = await counted(pool, now, april, may, june)
    assert [found[west, month].counts["waiting"] for month in (april, may, june)] == [0, 5, 5]
    assert [found[east, month].counts["waiting"] for month in (april, may, june)] == [0, 5, 7]


async def test_nobody_and_no_rls_are_said_as_such(pool: Pool) -> None:
    now = datetime(2026, 6, 15, tzinfo=UTC)
    async with pool.acquire() as conn:
        assert await stats.indicators_of(conn, (), date(2026, 6, 1), date(2026, 5, 1), now) == ()
        with pytest.raises(NotFoundError):
            await stats.indicators_of(conn, ("none",), None, None, now)
        rls = await add_network(conn)
        lines = await stats.indicators_of(conn, (rls,), None, None, now)
    assert [line.month for line in lines][::11] == ["2025-07", "2026-06"]
    assert all(set(line.masked) == set(COLUMNS) for line in lines)


def sample() -> tuple[Published, ...]:
    def line(rls: str | None, month: int, number: int) -> Measured:
        causes = {name: number * (place + 1) for place, name in enumerate(CAUSES)}
        counts = {"waiting": 900 - 20 * month, "attributed": 75, "unanswered": 6, "enrolled_sv": 60}
        counts |= {"enrolled_mf": 5 * month, "returned": sum(causes.values()), **causes}
        return Measured(rls=rls, month=date(2026, month, 1), counts=counts, median=410.5, median_of=60)

    everybody = [line(rls, month, 2 + month % 5) for rls in ("0311", "0312") for month in range(1, 13)]
    return publish([*everybody, *(line(None, month, 0) for month in range(1, 13))], [])


def test_csv_has_the_same_names_as_json_and_says_what_is_masked() -> None:
    stream = io.StringIO()
    stats.write_csv(stream, sample())
    rows = list(csv.DictReader(io.StringIO(stream.getvalue())))
    assert list(rows[0]) == ["rls", "month", *COLUMNS]
    assert (rows[0]["rls"], rows[0]["month"], rows[0][MEDIAN]) == ("0311", "2026-01", "410.5")
    assert rows[0]["returned_refused"] == stats.MASK
    assert rows[2]["rls"] == ""


@pytest.mark.parametrize("language", [0, 1])
def test_the_plot_is_of_the_province_and_in_both_languages(tmp_path: Path, language: int) -> None:
    path = tmp_path / "stats.svg"
    stats.draw(path, sample(), language)
    drawn = path.read_text("utf-8")
    assert ("Ensemble", "All")[language] in drawn
    assert all(stats.HEADINGS[name][language] in drawn for name in ("attributed", "enrolled_mf"))
