"""Which tasks somebody asks for, whose days are those of an RLS (A23)."""

from datetime import date
from typing import TYPE_CHECKING

from gamf.client.errors import NotFoundError
from gamf.domain.calendar import PROVINCE, start_of_day
from gamf.storage import lists
from gamf.storage.lists import TaskFilter

if TYPE_CHECKING:
    from gamf.storage.connection import Connection


async def chosen(conn: "Connection", only: TaskFilter, due_before: date | None) -> TaskFilter:
    """Return that choice, narrowed to what is due before that day begins: in its RLS or its physician's, if it has one.

    Raises:
        NotFoundError: there is no such RLS or physician.
    """
    zone = await zone_of(conn, only)
    return only._replace(due_before=start_of_day(due_before, zone)) if due_before else only


async def zone_of(conn: "Connection", only: TaskFilter) -> str:
    """Return the clock of the RLS of a choice, or of its physician's; the province's when it has neither.

    Raises:
        NotFoundError: there is no such RLS or physician.
    """
    rls = only.rls
    if only.physician is not None:
        physician = await lists.physician(conn, only.physician)
        if physician is None:
            raise NotFoundError(
                fr=f"Aucun médecin n’a le permis {only.physician}.",
                en=f"No physician has the licence {only.physician}.",
            )
        rls = rls or physician["rls"]
    if rls is None:
        return PROVINCE
    zones = {network["rls"]: str(network["time_zone"]) for network in await lists.networks(conn)}
    if rls not in zones:
        raise NotFoundError(fr=f"Il n’y a pas de RLS {rls}.", en=f"There is no RLS {rls}.")
    return zones[rls]
