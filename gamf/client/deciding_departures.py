"""A physician's departure, asked from a seat: foretold, announced, withdrawn, and the return (A16).

They are those of `departing`; whoever may announce a departure may see what it would bring.
"""

from datetime import date
from typing import TYPE_CHECKING

from gamf.client import access, departing
from gamf.client.access import Seat
from gamf.client.departing import DepartingView
from gamf.client.errors import NotFoundError
from gamf.client.registering import Stamp
from gamf.domain import facts
from gamf.domain.departure import Foretold
from gamf.domain.facts import PhysicianLeft
from gamf.domain.roles import UseCase, check_allowed

if TYPE_CHECKING:
    from gamf.client.acting import Desk
    from gamf.client.asking import View
    from gamf.storage.connection import Connection


async def foretell(conn: "Connection", seat: Seat, licence: str, on: date, cause: str) -> Foretold:
    """Return what that departure would bring if it were announced now; it changes nothing.

    Raises:
        RefusedByRuleError: it is not for the actor, or a rule would refuse it (A16, A20).
        NotFoundError: no physician has that licence.
    """
    await _check(conn, seat, licence)
    return await departing.foretell(conn, licence, _fact(seat, on, cause), now=seat.now)


async def announce(desk: "Desk", seat: Seat, licence: str, on: date, cause: str) -> "View":
    """Announce that the physician leaves on that day; otherwise as `departing.announce`.

    Raises:
        RefusedByRuleError: it is not for the actor, or a rule refuses it (A16, A20).
        NotFoundError: no physician has that licence.
        ServiceUnreachable: a service is silent; the same again counts once.
    """
    async with desk.pool.acquire() as conn:
        await _check(conn, seat, licence)
    return await departing.announce(desk, licence, _fact(seat, on, cause), now=seat.now)


async def withdraw(desk: "Desk", seat: Seat, licence: str, reason: str) -> "View":
    """Withdraw an announced departure before its day; otherwise as `departing.withdraw`.

    Raises:
        RefusedByRuleError: it is not for the actor, or a rule refuses it (A16, A20).
        NotFoundError: no physician has that licence, or none was ever announced.
        ServiceUnreachable: a service is silent; the same again counts once.
    """
    async with desk.pool.acquire() as conn:
        await _check(conn, seat, licence)
    return await departing.withdraw(desk, licence, by=seat.by, reason=reason, now=seat.now)


async def come_back(conn: "Connection", seat: Seat, licence: str, on: date, reason: str) -> DepartingView:
    """Record that a physician who had left is back; give the physician (R3, A16).

    Raises:
        RefusedByRuleError: it is not for the actor, or a rule refuses it.
        NotFoundError: no physician has that licence.
    """
    await _check(conn, seat, licence)
    await departing.come_back(conn, licence, on, Stamp(seat.by, seat.now, reason))
    return await departing.show_physician(conn, licence)


async def _check(conn: "Connection", seat: Seat, licence: str) -> None:
    check_allowed(seat.actor, UseCase.PHYSICIAN_DEPARTURE)
    known = await access.of_physician(conn, licence)
    if known is None:
        raise NotFoundError(fr="Aucun médecin n’a ce permis.", en="No physician has this licence.")
    await access.check(conn, seat, UseCase.PHYSICIAN_DEPARTURE, known.matter)


def _fact(seat: Seat, on: date, cause: str) -> PhysicianLeft:
    fact = facts.parse(PhysicianLeft.name, {"by": seat.by, "on": on.isoformat(), "cause": cause})
    assert isinstance(fact, PhysicianLeft)  # noqa: S101 - the name says so
    return fact
