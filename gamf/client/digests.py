"""The daily digest as a person asks for it: where a coordinator is written to, and what would be told today."""

from datetime import date, datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from gamf.activities.digests import digests_of
from gamf.client import access
from gamf.client.errors import NotFoundError
from gamf.client.tasks import zone_of
from gamf.domain import calendar
from gamf.domain.access import Shown
from gamf.domain.digest import Digest, Recipient, check_address, compose
from gamf.domain.policy import CURRENT
from gamf.domain.roles import Matter, UseCase, check_allowed
from gamf.letters.digests import text
from gamf.storage import networks, records
from gamf.storage.lists import TaskFilter

if TYPE_CHECKING:
    from gamf.client.access import Seat
    from gamf.storage.connection import Connection


class Preview(BaseModel):
    """What a digest says, and as the e-mail would be read; `sent` tells whether there is anything to say."""

    model_config = ConfigDict(frozen=True)

    digest: Digest
    working_day: bool
    sent: bool
    text: str


async def preview(conn: "Connection", seat: "Seat", only: TaskFilter, on: date | None) -> Preview:
    """Return what the coordinator of that RLS, or that physician's clinic, would be told on that day of theirs.

    It is made of the tables as they are now, and is a look at the people of the references that it names.

    Raises:
        RefusedByRuleError: it is not for the actor.
        NotFoundError: there is no such RLS or physician.
    """
    check_allowed(seat.actor, UseCase.TASK_LIST, Matter.of(only.rls, only.physician))
    zone = await zone_of(conn, only)
    day = on or calendar.local_date(seat.now, zone)
    recipient = Recipient.COORDINATOR if only.rls else Recipient.CLINIC
    of = only.rls or only.physician or ""
    told = await digests_of(conn, recipient, {of: of}, zone, day)
    digest = told.get(of) or compose(recipient, [of], on=day, time_zone=zone, asked=(), returned=())
    named = [each for group in (*digest.due, *digest.late, *digest.back) for each in group.references]
    # A task about nobody's attribution is named by its number.
    numbers = [int(each[1:]) for each in named if each.startswith("#")]
    people = await access.people_of(conn, named, numbers)
    await access.note(conn, seat, UseCase.TASK_LIST, (Shown.STANDING,), people)
    working_day = calendar.is_working_day(day)
    return Preview(
        digest=digest,
        working_day=working_day,
        sent=digest.says_something and working_day,
        text=text(digest),
    )


async def set_contact(conn: "Connection", rls: str, email: str | None, *, by: str, now: datetime) -> bool:
    """Write where the coordinator of that RLS gets the digest, or with None that they get none; tell if it changed.

    Raises:
        RefusedByRuleError: it is not an address.
        NotFoundError: there is no such RLS.
    """
    if email is not None:
        check_address(email)
    async with conn.transaction():
        changed = await networks.set_contact(conn, rls, email)
        if changed is None:
            raise NotFoundError(fr=f"Il n’y a pas de RLS {rls}.", en=f"There is no RLS {rls}.")
        if changed:
            columns = {"columns": ["coordinator_email"]}
            await records.append(
                conn, "network", rls, "changed", now, by=by, argument=columns, policy=CURRENT.version
            )
    return changed
