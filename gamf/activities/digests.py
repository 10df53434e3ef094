"""The daily digests: made once from the tables, then handed over one by one (A23). Nobody is named in them."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict
from temporalio import activity
from temporalio.exceptions import ApplicationError

from gamf.domain import calendar, consequences, tasks
from gamf.domain import digest as rules
from gamf.domain.digest import Asked, Digest, Recipient, Returned
from gamf.domain.effects import Owner, TaskKind
from gamf.domain.policy import CURRENT
from gamf.letters.carriers import CarrierError
from gamf.letters.digests import DigestCarrier, mail
from gamf.storage import digests
from gamf.storage.connection import Connection, Pool

Part = TypeVar("Part", Asked, Returned)
_MONTH_ENDS: Final = timedelta(days=3)
"""The same day of another month may be up to three days off (A10): so much wider is the search than what is asked."""


class DigestOrder(BaseModel):
    """Which digests: those due at that instant, carried out now."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: datetime
    now: datetime


class Made(BaseModel):
    """The digests that are still to be sent, and how many terms clinics were reminded of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zones: tuple[str, ...] = ()
    digest_ids: tuple[int, ...] = ()
    reminders: int = 0


class Batch(BaseModel):
    """Digests to hand over; `at` is the instant written in them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest_ids: tuple[int, ...]
    at: datetime


class DigestActivities:
    """What the digests do to the world; each is safe to run twice."""

    def __init__(self, pool: Pool, carrier: DigestCarrier) -> None:
        """Read and write through that pool, hand over to that carrier."""
        self._pool = pool
        self._carrier = carrier

    @activity.defn
    async def make_digests(self, order: DigestOrder) -> Made:
        """Remind clinics of the terms that are near (R14), and keep what each coordinator and clinic is to be told."""
        made = Made()
        async with self._pool.acquire() as conn:
            for zone in await digests.zones(conn):
                on = rules.due_on(zone, order.at, order.now)
                if on is None:
                    continue
                async with conn.transaction():
                    reminders = await _remind(conn, zone, on)
                    ids = await _make(conn, zone, on)
                made = Made(
                    zones=(*made.zones, zone),
                    digest_ids=(*made.digest_ids, *ids),
                    reminders=made.reminders + reminders,
                )
        return made

    @activity.defn
    async def send_digests(self, batch: Batch) -> int:
        """Hand over those that have not gone; return how many the mail server refused for good.

        Raises:
            ApplicationError: some could not go yet; another try hands over those only.
        """
        left = 0
        for digest_id in batch.digest_ids:
            try:
                await self._send(digest_id, batch.at)
            except CarrierError:
                left += 1
            activity.heartbeat(digest_id)
        if left:
            raise ApplicationError(f"{left} digests could not be handed over yet", type="CarrierError")
        async with self._pool.acquire() as conn:
            return await digests.count_refused(conn, batch.digest_ids)

    async def _send(self, digest_id: int, at: datetime) -> None:
        """Hand one over within the transaction that says so: two workers never hand over the same one."""
        async with self._pool.acquire() as conn, conn.transaction():
            made = await digests.claim(conn, digest_id)
            if made is None:
                return
            content = Digest.model_validate(made.content)
            try:
                await self._carrier.hand_over(mail(digest_id, made.address, content, at))
            except CarrierError as error:
                if error.temporary:
                    raise
                await digests.refused(conn, digest_id)
            else:
                await digests.sent(conn, digest_id, at)


async def _remind(conn: Connection, zone: str, on: date) -> int:
    """Open the clinics' tasks for the terms that are near (R14)."""
    dues: list[tuple[str, datetime]] = []
    for months, vulnerable in ((CURRENT.mf_months_vulnerable, True), (CURRENT.mf_months, False)):
        first = calendar.add_months(on, -months) - _MONTH_ENDS
        last = first + timedelta(days=CURRENT.mf_reminder_days) + 2 * _MONTH_ENDS
        for row in await digests.enrolled_between(conn, zone, first, last):
            term = consequences.term(CURRENT, row["start"], vulnerable=row["vulnerable"])
            if row["vulnerable"] is vulnerable and tasks.term_is_near(term, on, CURRENT):
                dues.append((row["attribution_id"], calendar.end_of_day(term, zone)))
    return await digests.remind(conn, TaskKind.MF_TERM_NEAR, Owner.CLINIC, rules.made_at(on, zone), dues)


async def _make(conn: Connection, zone: str, on: date) -> list[int]:
    """Keep what is to be told, an e-mail an address, and return what is still to be sent."""
    ids: list[int] = []
    for recipient, addresses in (
        (Recipient.COORDINATOR, await digests.coordinators(conn, zone)),
        (Recipient.CLINIC, await digests.clinics(conn, zone)),
    ):
        told = await digests_of(conn, recipient, addresses, zone, on)
        contents = [(address, digest.model_dump(mode="json")) for address, digest in told.items()]
        ids += await digests.keep(conn, recipient, zone, on, contents)
    return ids


async def digests_of(
    conn: Connection, recipient: Recipient, addresses: dict[str, str], zone: str, on: date
) -> dict[str, Digest]:
    """Return what each address is told, for the RLS or the physicians given; those told nothing are left out."""
    asked, returned = await _found(conn, recipient, list(addresses), zone, on)
    told: dict[str, Digest] = {}
    for address in sorted(set(addresses.values())):
        of = [key for key, value in addresses.items() if value == address]
        digest = rules.compose(
            recipient,
            of,
            on=on,
            time_zone=zone,
            asked=(each for key in of for each in asked.get(key, ())),
            returned=(each for key in of for each in returned.get(key, ())),
        )
        if digest.says_something:
            told[address] = digest
    return told


async def _found(
    conn: Connection, recipient: Recipient, of: list[str], zone: str, on: date
) -> tuple[dict[str, list[Asked]], dict[str, list[Returned]]]:
    until = rules.horizon(on, zone)
    if recipient is Recipient.COORDINATOR:
        asked, column = await digests.asked_of_networks(conn, of, until), "rls"
    else:
        asked = await digests.asked_of_physicians(conn, of, until, rules.LATE_FOR_CLINIC)
        column = "physician"
    since, at = rules.since(on, zone), rules.made_at(on, zone)
    back = await digests.returned(conn, column, of, since, at, rules.RETURNED)
    return _by_key(asked, Asked), _by_key(back, Returned)


def _by_key(rows: Iterable[dict[str, Any]], model: type[Part]) -> dict[str, list[Part]]:
    found: dict[str, list[Part]] = {}
    for row in rows:
        found.setdefault(row.pop("of"), []).append(model.model_validate(row))
    return found
