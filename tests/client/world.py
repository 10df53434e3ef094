"""Use case by role: what is asked about, and the requests by which the console and the API are asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from gamf.client import departing
from gamf.client.acting import Desk
from gamf.domain.facts import PhysicianLeft
from gamf.domain.roles import LIMITS, OWNERS, READINGS, TABLE, Grant, Reach, Role, UseCase, grant
from gamf.storage import tasks
from tests.clock import today
from tests.system import System, add_patients, add_physician

TODAY: Final = today()
LEAVES: Final = TODAY + timedelta(days=300)
"""When the physician who leaves does so: until then the departure is announced only."""
REASON: Final[dict[str, str]] = {"reason": "motif inventé"}
OPERATORS_ONLY: Final[Mapping[UseCase, str]] = dict.fromkeys(
    (
        UseCase.REGISTER_EXPORT,
        UseCase.REGISTER_IMPORT,
        UseCase.RETRO_IMPORT,
        UseCase.PHYSICIAN_IMPORT,
        UseCase.NETWORK_IMPORT,
        UseCase.RECONCILE,
        UseCase.ACCOUNT_MANAGE,
    ),
    "whoever runs the machine, on the command line there",
)
"""The use cases that neither the console nor the API has, with the reason."""


class Ask(NamedTuple):
    """A request: the route as it is declared, with what is sent, or None for what is only looked at."""

    use_case: UseCase
    route: str
    body: Mapping[str, Any] | None = None
    query: str = ""
    of: Mapping[str, str] = {}
    """What stands in the route in place of the world's own."""
    method: str = ""
    """GET or POST, after the body, unless it is another."""

    @property
    def verb(self) -> str:
        """Return the method of the request."""
        return self.method or ("GET" if self.body is None else "POST")


Case = tuple[Ask, Role]


def cases(asks: Sequence[Ask]) -> list[Case]:
    """Return each request of each role: what is refused first, then what only looks, then what changes something."""
    return sorted(((ask, role) for ask in asks for role in Role), key=_turn)


def _turn(case: Case) -> tuple[bool, bool]:
    ask, role = case
    return may(ask, role), ask.use_case not in READINGS


def may(ask: Ask, role: Role) -> bool:
    """Tell whether the one table lets that role do that."""
    return TABLE[ask.use_case][role] is not Reach.NONE


def name_of(value: object) -> str:
    """Return what a case is called."""
    return f"{value.use_case}-{value.verb}-{value.route}" if isinstance(value, Ask) else str(value)


@dataclass
class World:
    """What is asked about: an attribution with its letter and its physician, a block, a task of each owner."""

    system: System
    values: dict[str, str]
    tasks: dict[str, str]

    def path(self, ask: Ask, role: Role) -> str:
        """Return the address that a role asks for."""
        owners = OWNERS.get(role)
        values = {**self.values, "task_id": self.tasks[min(owners) if owners else "gaco"]}
        values |= {name: value.format(**self.values) for name, value in ask.of.items()}
        path = ask.route.format(**{name: quote(value) for name, value in values.items()})
        return f"{path}?{ask.query}" if ask.query else path

    def filled(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is sent, with what the world has in the place of its names."""
        return {self._fill(name): self._fill(value) for name, value in body.items()}

    def _fill(self, value: Any) -> Any:  # noqa: ANN401 - what a body holds
        return value.format(**self.values) if isinstance(value, str) else value

    def grant(self, role: Role) -> Grant:
        """Return that role, limited to what is asked about."""
        limits = {
            Reach.OWN_RLS: [self.values["rls"]],
            Reach.OWN_PHYSICIANS: [self.values["licence"], self.values["leaver"]],
            Reach.ALL: [],
        }
        return grant(role, limits[LIMITS[role]])

    async def traces(self) -> tuple[int, int | None, int]:
        """Return what would show that something had changed."""
        (row,) = await self.system.rows(
            """
            SELECT count(*) AS number, max(record_id) AS last,
                   (SELECT count(*) FROM blocks WHERE rls = $2) AS blocks
            FROM records WHERE subject_id = ANY ($1)
            """,
            [*self.values.values(), *self.tasks.values()],
            self.values["rls"],
        )
        return row["number"], row["last"], row["blocks"]


async def make_world(system: System) -> World:
    """Make what is asked about."""
    life = await system.attribute()
    await life.record("accepted")
    rls, licence, patient = life.start.rls, life.start.physician, life.start.patient_id
    async with system.pool.acquire() as conn:
        await add_patients(conn, rls, 9)
        leaver = await add_physician(conn, rls)
    await _announce(system, leaver, LEAVES)
    block = await system.request(rls, licence, 1)
    values = {
        "attribution_id": life.start.attribution_id,
        "patient_id": patient,
        "licence": licence,
        "leaver": leaver,
        "rls": rls,
        "block_id": block.id.removeprefix("block-"),
        "number": "1",
        **await _beside(system, life.start.attribution_id, block.id.removeprefix("block-"), patient),
    }
    owners = ("coordinator", "gaco", "clinic")
    made = World(system, values, {each: await _task(system, patient, each) for each in owners})
    async with system.pool.acquire() as conn:
        await conn.execute("UPDATE tasks SET physician = $2 WHERE patient_id = $1", patient, licence)
    return made


async def _announce(system: System, licence: str, on: date) -> None:
    fact = PhysicianLeft(by="coordo", on=on, cause="retired")
    await departing.announce(Desk(system.pool, system.client), licence, fact, now=datetime.now(UTC))


async def _beside(system: System, attribution_id: str, block_id: str, patient_id: str) -> dict[str, str]:
    """Write a file for RAMQ and a condition; return what else is named."""
    async with system.pool.acquire() as conn:
        await conn.execute(
            """
            INSERT INTO ramq_files (block_id, number, name, names, sha256, made_at, content)
            VALUES ($1, 1, $1 || '.csv', 1, repeat('a', 64), now(), '')
            """,
            block_id,
        )
        condition = await conn.fetchval(
            """
            INSERT INTO conditions (patient_id, code, noted_on, at, by)
            VALUES ($1, 'CHRONIQUE', current_date, now(), 'test') RETURNING condition_id
            """,
            patient_id,
        )
        sql = "SELECT letter_id FROM letters WHERE attribution_id = $1"
        letter = await conn.fetchval(sql, attribution_id)
        nam = await conn.fetchval("SELECT nam FROM patients WHERE patient_id = $1", patient_id)
    return {"condition_id": str(condition), "letter_id": letter, "nam": nam}


async def _task(system: System, patient_id: str, owner: str) -> str:
    at = datetime.now(UTC)
    async with system.pool.acquire() as conn:
        number = len(await conn.fetch("SELECT FROM tasks WHERE patient_id = $1", patient_id)) + 1
        await tasks.open_about_patient(conn, patient_id, "discriminatory_ground", owner, number, at, at)
        found = await conn.fetchval("SELECT max(task_id) FROM tasks WHERE patient_id = $1", patient_id)
    return str(found)
