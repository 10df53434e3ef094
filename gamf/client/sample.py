"""What a newcomer finds: invented people on the list, a physician, and a block under way (`make run`)."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gamf.client import accounts, acting, people, reading
from gamf.client.access import Seat
from gamf.client.acting import Desk
from gamf.client.importing import Import, import_networks, import_physicians, import_register
from gamf.domain.calendar import local_date
from gamf.domain.roles import ROLE_LABELS, Grant, Role, grant

if TYPE_CHECKING:
    from gamf.storage.connection import Connection

PEOPLE: Final = 2_000
PHYSICIANS: Final = 3
BLOCK_SIZE: Final = 20
_VISIT_AFTER_DAYS: Final = 30
_TIME_ZONE: Final = "America/Toronto"
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Made:
    """What was loaded, for the commands to try next."""

    physician: str
    block_id: str
    attribution_ids: tuple[str, ...]


async def fill(desk: Desk, count: int, *, by: str, now: datetime, tell: Tell | None = None) -> list[str]:
    """Take in that many invented people, with networks and physicians; give the physicians' licences."""
    with tempfile.TemporaryDirectory(prefix="gamf-") as folder:
        files = people.write_sample(
            Path(folder), people=count, physicians=PHYSICIANS, today=local_date(now, _TIME_ZONE)
        )
        async with desk.pool.acquire() as conn:
            await import_networks(conn, Import(files.networks, now, by))
            await import_physicians(conn, Import(files.physicians, now, by))
            await import_register(conn, Import(files.register, now, by), _counted(tell))
    return [row[0] for row in people.make_physicians(PHYSICIANS)]


def _counted(tell: Tell | None) -> Callable[[Any, int, int], None] | None:
    if tell is None:
        return None
    return lambda _phase, done, total: tell(done, total)


async def load(desk: Desk, *, by: str, now: datetime, tell: Tell | None = None) -> Made | None:
    """Fill an empty database and put a block under way; with patients there, change nothing and give None."""
    if await acting.has_patients(desk):
        return None
    physician = (await fill(desk, PEOPLE, by=by, now=now, tell=tell))[0]
    drawn = await acting.request_block(desk, physician, BLOCK_SIZE, by=by, now=now)
    view = await acting.approve_block(desk, drawn["block_id"], by=by)
    return Made(physician, drawn["block_id"], tuple(each["attribution_id"] for each in view["list"]))


@dataclass(frozen=True)
class Try:
    """A command to try next, without the program's name, and what it shows in French and in English."""

    words: str
    fr: str
    en: str


@dataclass(frozen=True)
class DemoAccount:
    """An account to try the console with: its password, to be changed, and who it is, in French and in English."""

    account: str
    password: str
    fr: str
    en: str


async def make_accounts(conn: "Connection", seat: Seat) -> list[DemoAccount]:
    """Make an account of each role, for the RLS and the physicians that there are; none when there are accounts."""
    if (await accounts.list_accounts(conn, seat, limit=1)).items:
        return []
    physicians = [row[0] for row in people.make_physicians(PHYSICIANS)]
    rls = sorted({(await reading.show_physician(conn, licence)).rls for licence in physicians})
    grants = {
        "coordination": grant(Role.COORDINATOR, rls),
        "gaco": grant(Role.GACO, rls),
        "clinique": grant(Role.CLINIC, physicians[:1]),
        "ramq": grant(Role.RAMQ),
        "verification": grant(Role.AUDITOR),
    }
    return [await _demo_account(conn, seat, account, given) for account, given in grants.items()]


async def _demo_account(conn: "Connection", seat: Seat, account: str, given: Grant) -> DemoAccount:
    password = await accounts.add(conn, seat, account, [given])
    fr, en = ROLE_LABELS[given.role]
    limits = ", ".join(sorted(given.rls | given.physicians))
    shown = f" ({limits})" if limits else ""
    return DemoAccount(account, password, f"{fr}{shown}", f"{en}{shown}")


def to_try(made: Made, now: datetime) -> list[Try]:
    """Return the commands that lead one patient to MF, and show what becomes of two others."""
    first, second, third = made.attribution_ids[:3]
    signed = local_date(now, _TIME_ZONE) + timedelta(days=_VISIT_AFTER_DAYS)
    record = "attribution record"
    return [
        Try(f"block show {made.block_id}", "le bloc et sa liste", "the block and its list"),
        Try(
            f"{record} {first} accepted",
            "le médecin accepte ce patient",
            "the physician accepts this patient",
        ),
        Try(
            f"letter show {first} --pdf lettre.pdf",
            "la lettre envoyée au patient",
            "the letter sent to the patient",
        ),
        Try(
            f"{record} {first} sv_entered",
            "la clinique l’inscrit sans visite (SV)",
            "the clinic enrols them (SV)",
        ),
        Try(
            f"advance {first} {_VISIT_AFTER_DAYS}d",
            "trente jours passent pour lui",
            "thirty days pass for them",
        ),
        Try(
            f"{record} {first} mf_signed signed_on={signed}",
            "le formulaire 4096 est signé (MF)",
            "form 4096 is signed (MF)",
        ),
        Try(
            f"{record} {second} refused reason=retraite",
            "le médecin refuse celui-ci",
            "the physician refuses this one",
        ),
        Try(f"advance {third} 72h", "72 heures passent sans réponse", "72 hours pass without an answer"),
        Try("task list", "ce que le coordonnateur doit décider", "what the coordinator must decide"),
    ]
