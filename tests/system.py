"""The system as the tests hold it: invented people, and the few things one does with it."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

from temporalio.client import Client, WorkflowHandle
from temporalio.testing import TimeSkipper

from gamf.domain.block import BlockRequest
from gamf.domain.calendar import add_working_days, local_date
from gamf.domain.digest import made_at
from gamf.domain.model import Start
from gamf.domain.names import TASK_QUEUE, attribution_workflow_id, block_workflow_id
from gamf.domain.policy import CURRENT, Policy
from gamf.runtime.database import database_pool
from gamf.runtime.polling import until
from gamf.runtime.search_attributes import register_search_attributes
from gamf.runtime.settings import Settings
from gamf.runtime.temporal import connect
from gamf.storage import numbers
from gamf.storage.connection import Connection, Pool
from gamf.workers.lifecycle import polling
from gamf.workers.registry import build
from gamf.workflows import visibility
from gamf.workflows.starting import AttributionStarter
from tests.faulty_carrier import FaultyCarrier

_SERIAL: Final = count(1)
FAMILY: Final = "Zéphyrin-Inventé"
"""The family name of everybody here; no history, log or error may hold it."""
STREET: Final = "rue Imaginaire"
EMAIL: Final = "courriel.invente@exemple.test"
PHONE: Final = "418 555-0142"
NAM_PREFIX: Final = "ZEPX"


async def add_network(conn: Connection, time_zone: str = "America/Toronto") -> str:
    """Write an invented RLS and return its code."""
    rls = f"RLS {next(_SERIAL):05d}"
    await conn.execute(
        """
        INSERT INTO networks VALUES ($1, 'RLS inventé', 'Région inventée', $2, 'GACO inventé', '418 555-0101', 'coordo')
        """,
        rls,
        time_zone,
    )
    await _recorded(conn, "network", [rls])
    return rls


async def add_physician(conn: Connection, rls: str, status: str = "participating") -> str:
    """Write an invented physician and return the licence."""
    licence = f"{10_000 + next(_SERIAL):05d}"
    await conn.execute(
        """
        INSERT INTO physicians (licence, last_name, first_name, rls, status, place, address, city, postal_code)
        VALUES ($1, 'Inventé', 'Médecin', $2, $3, 'Clinique Inventée', '1, rue Imaginaire', 'Québec', 'G1A 1A1')
        """,
        licence,
        rls,
        status,
    )
    await _recorded(conn, "physician", [licence])
    return licence


async def add_patients(
    conn: Connection,
    rls: str,
    number: int = 1,
    *,
    priority: str = "C",
    vulnerable: bool = True,
    registered_on: date = date(2024, 5, 17),
) -> list[str]:
    """Write invented people who wait, the first registered first, and return their opaque identifiers.

    Each a day after the one before, and all before this system knew of them (`_recorded`).
    """
    rows = await conn.fetch(
        """
        INSERT INTO patients (nam, last_name, first_name, birth_date, sex, address, city, postal_code, language,
                              english_attested, email, phone, rls, registered_on, priority, vulnerable)
        SELECT $1 || lpad(n::text, 8, '0'), $2, 'Prénom', '1980-01-02', 'F', n || ', ' || $3, 'Québec', 'G1A 1A1', 'fr',
               false, $4, $5, $6, least($7::date + (n - $8)::int, greatest($7::date, '2026-01-31')), $9, $10
        FROM generate_series($8::bigint, $8::bigint + $11::int - 1) AS n
        RETURNING patient_id
        """,
        NAM_PREFIX,
        FAMILY,
        STREET,
        EMAIL,
        PHONE,
        rls,
        registered_on,
        _reserve(number),
        priority,
        vulnerable,
        number,
    )
    ids = [row["patient_id"] for row in rows]
    await _recorded(conn, "patient", ids)
    return ids


async def add_population(conn: Connection, rls: str, number: int) -> list[str]:
    """Write invented people of every age, priority and vulnerability; return their opaque identifiers."""
    ids = await add_patients(conn, rls, number)
    await conn.execute(
        """
        UPDATE patients SET birth_date = '2026-06-01'::date - (number * 7919 % 36500)::int,
               vulnerable = number * 31 % 100 < 43, priority = substr('ABCDE', (number * 13 % 5)::int + 1, 1)
        WHERE rls = $1
        """,
        rls,
    )
    return ids


async def _recorded(conn: Connection, subject: str, ids: Sequence[str]) -> None:
    sql = """
        INSERT INTO records (subject, subject_id, event, at, by, policy)
        SELECT $1, id, 'registered', '2026-02-01T12:00:00Z', 'test', $3 FROM unnest($2::text[]) AS new (id)
    """
    await conn.execute(sql, subject, ids, CURRENT.version)


async def a_start(pool: Pool, attributed_at: datetime, time_zone: str = "America/Toronto") -> Start:
    """Write an RLS, a physician and somebody who waits; return what starts their attribution."""
    async with pool.acquire() as conn:
        rls = await add_network(conn, time_zone)
        licence = await add_physician(conn, rls)
        (patient_id,) = await add_patients(conn, rls)
    return Start(
        attribution_id="2026-000001",
        patient_id=patient_id,
        physician=licence,
        rls=rls,
        time_zone=time_zone,
        priority="C",
        vulnerable=True,
        attributed_at=attributed_at,
        policy=CURRENT,
    )


def morning_after(instant: datetime, zone: str = "America/Toronto") -> datetime:
    """Return the first 07:00 of a working day after that instant."""
    eve = local_date(instant, zone) - timedelta(days=1)
    first, second = add_working_days(eve, 1), add_working_days(eve, 2)
    return made_at(first, zone) if made_at(first, zone) > instant else made_at(second, zone)


def _reserve(number: int) -> int:
    first = next(_SERIAL)
    for _ in range(number):
        next(_SERIAL)
    return first


@dataclass(frozen=True)
class System:
    """Both servers and a worker."""

    pool: Pool
    client: Client
    skipper: TimeSkipper
    outbox: Path
    carrier: FaultyCarrier
    database_url: str = ""

    async def people(
        self, number: int, *, time_zone: str = "America/Toronto", vulnerable: bool = True
    ) -> tuple[str, str, list[str]]:
        """Write an RLS, a physician and people who wait there; return the three."""
        async with self.pool.acquire() as conn:
            rls = await add_network(conn, time_zone)
            licence = await add_physician(conn, rls)
            return rls, licence, await add_patients(conn, rls, number, vulnerable=vulnerable)

    async def attribute(
        self,
        *,
        time_zone: str = "America/Toronto",
        vulnerable: bool = True,
        attributed_at: datetime | None = None,
        policy: Policy = CURRENT,
        patient: tuple[str, str, str] | None = None,
    ) -> "Life":
        """Attribute one patient, without a block, and return what the test holds of it."""
        if patient is None:
            rls, licence, (patient_id,) = await self.people(1, time_zone=time_zone, vulnerable=vulnerable)
        else:
            rls, licence, patient_id = patient
        at = attributed_at or datetime.now(UTC)
        async with self.pool.acquire() as conn:
            number = await numbers.next_number(conn, "attribution", at.year)
        start = Start(
            attribution_id=f"{at.year}-{number:06d}",
            patient_id=patient_id,
            physician=licence,
            rls=rls,
            time_zone=time_zone,
            priority="C",
            vulnerable=vulnerable,
            attributed_at=at,
            policy=policy,
        )
        await AttributionStarter(self.client).start(start)
        return Life(self, start)

    async def block(self, size: int, waiting: int | None = None) -> "WorkflowHandle[Any, Any]":
        """Request a block for an invented physician, with people who wait for it; the list is drawn on return."""
        rls, licence, _ = await self.people(waiting or size)
        return await self.request(rls, licence, size)

    async def request(self, rls: str, licence: str, size: int) -> "WorkflowHandle[Any, Any]":
        """Request a block; the list is drawn on return."""
        async with self.pool.acquire() as conn:
            number = await numbers.next_number(conn, "block", 2026)
        request = BlockRequest(
            block_id=f"2026-{number:04d}",
            physician=licence,
            rls=rls,
            size=size,
            requested_by="coordo",
            policy=CURRENT,
        )
        handle = await self.client.start_workflow(
            "Block", request, id=block_workflow_id(request.block_id), task_queue=TASK_QUEUE
        )
        await handle.execute_update("await_drawn")
        return handle

    def life(self, attribution_id: str) -> "WorkflowHandle[Any, Any]":
        """Return the workflow of an attribution."""
        return self.client.get_workflow_handle(attribution_workflow_id(attribution_id))

    async def rows(self, sql: str, *values: object) -> Sequence[Any]:
        """Read the database."""
        return await self.pool.fetch(sql, *values)


@asynccontextmanager
async def running(database_url: str, temporal_address: str, outbox: Path) -> AsyncGenerator[System]:
    """Run a worker on a migrated database and a Temporal server that may skip time, in the sandbox."""
    settings = Settings(outbox_dir=outbox, database_pool_max=20, max_concurrent_activities=20, sandbox=True)
    carrier = FaultyCarrier(outbox)
    client = await connect(address=temporal_address)
    await register_search_attributes(client, visibility.ALL_KEYS)
    async with (
        database_pool(settings, url=database_url, application="test") as pool,
        polling(pool, client, settings, build(pool, client, settings, carrier)),
    ):
        yield System(
            pool=pool,
            client=client,
            skipper=TimeSkipper(client),
            outbox=outbox,
            carrier=carrier,
            database_url=database_url,
        )


@dataclass(frozen=True)
class Life:
    """One attribution, as a test lives it."""

    system: System
    start: Start

    @property
    def handle(self) -> "WorkflowHandle[Any, Any]":
        """Return its workflow."""
        return self.system.life(self.start.attribution_id)

    async def view(self) -> dict[str, Any]:
        """Return what the query `view` answers."""
        answer: dict[str, Any] = await self.handle.query("view")
        return answer

    async def refused(self, count: int) -> list[dict[str, Any]]:
        """Wait until so many facts were refused and are in the record; return them as the view shows them."""

        async def written() -> bool:
            sql = "SELECT count(*) FROM records WHERE subject_id = $1 AND refused"
            (row,) = await self.system.rows(sql, self.start.attribution_id)
            return bool(row["count"] >= count)

        await until(written, within_seconds=20)
        return list((await self.view())["refused_facts"])

    async def reaches(self, state: str) -> dict[str, Any]:
        """Wait until the attribution is in that state; return its view."""

        async def there() -> bool:
            return bool((await self.view())["state"] == state)

        await until(there, within_seconds=20)
        return await self.view()

    async def record(self, fact: str, **argument: object) -> dict[str, Any]:
        """Report a fact by the update, and return the new view."""
        answer: dict[str, Any] = await self.handle.execute_update(
            "record", {"by": "compte", **argument, "fact": fact}
        )
        return answer

    async def signal(self, fact: str, argument: object) -> None:
        """Report a fact by the signal."""
        await self.handle.signal(fact, argument)

    async def skip(self, duration: timedelta) -> bool:
        """Move the attribution's own clock; return False when it ended on the way."""
        return await self.system.skipper.fast_forward(self.handle, duration)

    async def row(self) -> Any:  # noqa: ANN401 - a row, read by column
        """Return its row."""
        (row,) = await self.system.rows(
            "SELECT * FROM attributions WHERE attribution_id = $1", self.start.attribution_id
        )
        return row

    async def place(self) -> str:
        """Return where its patient is."""
        (row,) = await self.system.rows(
            "SELECT place FROM patients WHERE patient_id = $1", self.start.patient_id
        )
        return str(row["place"])
