"""The RLS of the simulated year, and how its weeks are lived on the real servers, everybody's clock moved along."""

import asyncio
import tempfile
from collections import Counter, defaultdict
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Final

from gamf.client import acting, people
from gamf.client.acting import Desk
from gamf.client.asking import View
from gamf.client.files import NETWORKS, PHYSICIANS, REGISTER, Layout
from gamf.client.importing import Import, import_networks, import_physicians, import_register
from gamf.domain.calendar import local_date
from gamf.domain.names import attribution_workflow_id, block_workflow_id
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.states import State
from gamf.runtime.polling import until
from tests.year.clocks import Clocks
from tests.year.plans import Deed, Manner, life

ZONE: Final = "America/Toronto"
BY: Final = "annee"
DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
ELSEWHERE: Final = "98765"
"""A physician of another RLS."""
SETTLES_WITHIN: Final = 120
_AT_ONCE: Final = 32
_CANDIDATES: Final = 1_000
_WHERE: Final = """
    SELECT count(*) AS number,
           CASE WHEN p.place = 'waiting' AND p.rls <> $1 THEN 'waiting_elsewhere'
                WHEN p.place = 'attributed' AND a.state = 'enrolled_sv' THEN 'enrolled_sv'
                WHEN p.place = 'enrolled' AND p.patient_id IN (
                    SELECT patient_id FROM attributions WHERE state = 'enrolled_mf') THEN 'enrolled_mf'
                ELSE p.place END AS place
    FROM patients p LEFT JOIN attributions a USING (attribution_id)
    GROUP BY 2
    """


@dataclass
class Rls:
    """One local network, its people and its physicians."""

    desk: Desk
    clocks: Clocks
    chance: Random
    size: int
    week: int = 0
    due: dict[int, list[tuple[str, Deed]]] = field(default_factory=lambda: defaultdict(list))
    pending: list[tuple[str, Manner]] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    places: list[dict[str, int]] = field(default_factory=list)
    fates: dict[str, str] = field(default_factory=dict)
    """Where each person must be whom something happened to outside any attribution."""
    moved: dict[str, str] = field(default_factory=dict)
    """The RLS of each person who moved."""
    departures: dict[int, str] = field(default_factory=dict)
    """The licence of the physician who leaves in a week."""

    @property
    def today(self) -> datetime:
        """Return the calendar's instant."""
        return self.clocks.today

    @property
    def date(self) -> date:
        """Return the calendar's day in the RLS."""
        return local_date(self.today, ZONE)

    async def settle(self, everybody: int, physicians: int) -> list[str]:
        """Take in so many people and physicians of one RLS; return the physicians' licences."""
        with tempfile.TemporaryDirectory(prefix="gamf-year-") as name:
            folder = Path(name)
            networks = _write(folder / "networks.csv", NETWORKS, people.networks())
            taking_part = list(islice(_taking_part(), physicians))
            doctors = _write(folder / "physicians.csv", PHYSICIANS, _of_one_rls(PHYSICIANS, taking_part))
            crowd = _of_one_rls(REGISTER, people.make_people(everybody, self.date))
            register = _write(folder / "register.csv", REGISTER, crowd)
            async with self.desk.pool.acquire() as conn:
                await import_networks(conn, Import(networks, self.today, BY))
                await import_physicians(conn, Import(doctors, self.today, BY))
                report = await import_register(conn, Import(register, self.today, BY))
        assert report.added == everybody, report.faults[:3]
        return [row[0] for row in taking_part]

    async def next_week(self) -> None:
        """Let a week pass: what came due, then what was planned for it, then late answers."""
        self.week += 1
        self.clocks.today += WEEK
        await self._pass_deadlines()
        await self._do_what_is_due()
        pending, self.pending = self.pending, []
        for block_id, manner in pending:
            await self._a_week_later(block_id, manner)

    async def block(self, licence: str, manner: Manner) -> str:
        """Live the first days of a block; return its reference."""
        drawn = await acting.request_block(self.desk, licence, self.size, by=BY, now=self.today)
        block_id = str(drawn["block_id"])
        if manner is Manner.FORGOTTEN:
            self.pending.append((block_id, manner))
            return block_id
        approved = await acting.approve_block(self.desk, block_id, by=BY)
        listed = _ids(approved)
        self.clocks.today += DAY
        await self._move(block_id, listed)
        await self._answer(block_id, listed, manner)
        self.clocks.today -= DAY
        return block_id

    async def _answer(self, block_id: str, listed: Sequence[str], manner: Manner) -> None:
        match manner:
            case Manner.LATE | Manner.SILENT:
                self.pending.append((block_id, manner))
            case Manner.REFUSES:
                await acting.refuse_block(self.desk, block_id, by=BY, reason="pratique réduite")
            case _:
                for attribution_id in listed[:: max(self.size // 3, 1)]:
                    if manner is Manner.MIXED:
                        await self.tell(attribution_id, "refused", reason="lien familial")
                    elif manner is Manner.CANCELLED_SOME:
                        await self.tell(
                            attribution_id, "cancelled", reason="conflit déclaré au coordonnateur"
                        )
                # Those who replace them begin on the machine's day.
                await self._move(block_id, _ids(await acting.show_block(self.desk, block_id)))
                await self._accept(block_id)

    async def _accept(self, block_id: str) -> None:
        accepted = await acting.accept_block(self.desk, block_id, by=BY)
        for member in accepted["list"]:
            if member["state"] == State.CONFIRMED:
                for deed in life(self.chance):
                    self.due[self.week + deed.weeks].append((member["attribution_id"], deed))

    async def _a_week_later(self, block_id: str, manner: Manner) -> None:
        shown = await acting.show_block(self.desk, block_id)
        await self._move(block_id, _ids(shown))
        if manner is Manner.LATE:
            await self._accept(block_id)
        if manner is Manner.FORGOTTEN and shown["state"] == "drawn":
            self.pending.append((block_id, manner))

    async def _move(self, block_id: str, attribution_ids: Sequence[str]) -> None:
        ids = [block_workflow_id(block_id), *map(attribution_workflow_id, attribution_ids)]
        await self.clocks.move_all(ids)

    async def _do_what_is_due(self) -> None:
        deeds: dict[str, list[Deed]] = defaultdict(list)
        for attribution_id, deed in self.due.pop(self.week, []):
            deeds[attribution_id].append(deed)

        async def do(attribution_id: str, some: list[Deed]) -> None:
            for deed in some:
                await self.tell(attribution_id, deed.fact, **deed.argument, **self._dates(deed))

        rows = await self.desk.pool.fetch(
            "SELECT patient_id FROM attributions WHERE attribution_id = ANY ($1::text[])", list(deeds)
        )
        await self.bring_to_today([row["patient_id"] for row in rows])
        await side_by_side(do(attribution_id, some) for attribution_id, some in deeds.items())

    async def bring_to_today(self, patient_ids: Sequence[str]) -> None:
        """Move all that is open of these people: what one attribution learns, it tells the patient's others."""
        rows = await self.desk.pool.fetch(
            "SELECT attribution_id FROM attributions WHERE patient_id = ANY ($1::text[]) AND ended_on IS NULL",
            patient_ids,
        )
        await self.clocks.move_all(attribution_workflow_id(row["attribution_id"]) for row in rows)

    def _dates(self, deed: Deed) -> dict[str, Any]:
        today = self.date.isoformat()
        return {
            "mf_signed": {"signed_on": (self.date - WEEK * deed.signed_weeks_before).isoformat()},
            "window_reopened": {"opens_on": today},
            "patient_left": {"on": today},
            "enrolled_elsewhere": {"effective_on": today, "physician": ELSEWHERE},
        }.get(deed.fact, {})

    async def tell(self, attribution_id: str, fact: str, **argument: object) -> None:
        """Report a fact; a refusal is counted under its rule."""
        try:
            await acting.record_fact(self.desk, attribution_id, fact, {"by": BY, **argument}, now=self.today)
        except RefusedByRuleError as refused:
            self.told[f"{fact}: {refused.reason.rule}"] += 1
        else:
            self.told[fact] += 1

    async def _pass_deadlines(self) -> None:
        """Move everybody who has something due by now, until nobody has."""

        async def nothing_due() -> bool:
            rows = await self.desk.pool.fetch(
                "SELECT attribution_id FROM attributions WHERE deadline <= $1", self.today
            )
            await self.clocks.move_all(attribution_workflow_id(row["attribution_id"]) for row in rows)
            return not rows

        await until(nothing_due, within_seconds=SETTLES_WITHIN)

    async def note_places(self) -> None:
        """Count where everybody is at the end of the week."""
        rows = await self.desk.pool.fetch(_WHERE, people.RLS[0])
        self.places.append({row["place"]: row["number"] for row in rows})


def _ids(view: View) -> list[str]:
    return [member["attribution_id"] for member in view["list"] if member["attribution_id"]]


def _taking_part() -> Iterator[Sequence[str]]:
    status = PHYSICIANS.names.index("status")
    made = people.make_physicians(_CANDIDATES)
    return (row for row in made if row[status] == "participating")


def _of_one_rls(layout: Layout, rows: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    place = layout.names.index("rls")
    for row in rows:
        yield (*row[:place], people.RLS[0], *row[place + 1 :])


def _write(path: Path, layout: Layout, rows: Iterable[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        people.write(stream, layout, rows)
    return path


async def side_by_side(works: Iterable[Awaitable[None]]) -> None:
    """Do them all, so many at a time."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(work: Awaitable[None]) -> None:
        async with places:
            await work

    async with asyncio.TaskGroup() as group:
        for work in works:
            group.create_task(one(work))
