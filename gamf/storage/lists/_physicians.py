"""The physicians and the networks."""

from typing import Any, Final, NamedTuple

from gamf.domain.roles import Scope
from gamf.storage.connection import Connection
from gamf.storage.pages import (
    EVERYTHING,
    Asked,
    By,
    Listed,
    Rows,
    fetch,
    fetch_one,
    given,
    page_of,
    parts_of,
)

_PHYSICIANS: Final = """
    SELECT d.*, (
        SELECT count(*) FROM attributions a WHERE a.physician = d.licence AND a.under_way) AS under_way
    FROM physicians d
"""


async def physician(conn: Connection, licence: str) -> dict[str, Any] | None:
    """Return a physician, with how many attributions they have under way, or None."""
    return await fetch_one(
        conn,
        f"{_PHYSICIANS} WHERE d.licence = $1",
        licence,
    )


class PhysicianFilter(NamedTuple):
    """Which physicians: of that licence, whose last name begins so, of that status, within that scope."""

    licence: str | None = None
    name: str | None = None
    status: str | None = None
    scope: Scope = EVERYTHING


_LISTED: Final = Listed(
    "physicians",
    "licence",
    f"{_PHYSICIANS} WHERE d.licence",
    {
        "licence": By(("t.licence",)),
        "name": By(("lower(t.last_name)", "lower(t.first_name)", "t.licence")),
        "rls": By(("t.rls", "t.licence")),
        "status": By(("t.status", "t.licence"), carried=str),
    },
)
_CONDITIONS: Final = ("t.licence = {}", "starts_with(lower(t.last_name), lower({}))", "t.status = {}")


async def physicians(conn: Connection, only: PhysicianFilter, asked: Asked) -> Rows:
    """Return a page of the physicians, with how many attributions they have under way."""
    parts = parts_of(only.scope, physician="t.licence")
    return await page_of(conn, _LISTED, given(_CONDITIONS, only[:-1]), parts, asked)


async def networks(conn: Connection) -> Rows:
    """Return every RLS."""
    return await fetch(conn, "SELECT * FROM networks ORDER BY rls")
