"""Who asks, in the tests: an account with a role, at an instant, from the console."""

from collections.abc import Iterable
from datetime import UTC, datetime

from gamf.client.access import Seat
from gamf.domain.access import Channel
from gamf.domain.roles import Actor, Role, grant, operator

NOON = datetime(2026, 6, 1, 16, tzinfo=UTC)


def a_seat(
    role: Role,
    limits: Iterable[str] = (),
    *,
    now: datetime = NOON,
    account: str = "compte",
    address: str = "192.0.2.1",
) -> Seat:
    """Return somebody of one role."""
    return Seat(Actor(account=account, grants=(grant(role, limits),)), Channel.CONSOLE, now, address)


def the_operator(now: datetime = NOON) -> Seat:
    """Return whoever runs the machine."""
    return Seat(operator("exploitante"), Channel.CLI, now)
