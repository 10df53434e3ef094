"""The population profiles that coordinators have set (R4)."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from gamf.domain.profile import Group, NetworkProfile
from gamf.storage.connection import Connection

SET = "profile_set"
"""The event of a network's record by which a profile is set; the other is `RESET`."""
RESET = "profile_reset"


async def lock(conn: Connection, rls: str) -> bool:
    """Hold the RLS against other changes of its profile; tell whether there is such an RLS."""
    return await conn.fetchval("SELECT true FROM networks WHERE rls = $1 FOR NO KEY UPDATE", rls) is not None


async def profile(conn: Connection, rls: str) -> NetworkProfile | None:
    """Return what was set for that RLS, by whom and when, or None when it follows its waiting list."""
    rows = await conn.fetch("SELECT vulnerable, ages, share FROM profile_shares WHERE rls = $1", rls)
    if not rows:
        return None
    last = await conn.fetchrow(
        """
        SELECT by, at FROM records WHERE subject = 'network' AND subject_id = $1 AND event = $2
        ORDER BY record_id DESC LIMIT 1
        """,
        rls,
        SET,
    )
    if last is None:
        raise LookupError("a profile without a record (invariant 5)")
    shares = {Group(row["vulnerable"], row["ages"]): row["share"] for row in rows}
    return NetworkProfile(shares, last["by"], last["at"])


async def listed(conn: Connection, rls: Collection[str] | None = None) -> list[dict[str, Any]]:
    """Return these RLS, or all, each with what its blocks follow: a profile that was set, or its waiting list."""
    rows = await conn.fetch(
        """
        SELECT n.rls, n.name, CASE WHEN EXISTS (SELECT FROM profile_shares s WHERE s.rls = n.rls) THEN 'network'
                                   ELSE 'waiting_list' END AS source
        FROM networks n WHERE $1::text[] IS NULL OR n.rls = ANY ($1) ORDER BY n.rls
        """,
        None if rls is None else sorted(rls),
    )
    return [dict(row) for row in rows]


async def write(conn: Connection, rls: str, shares: Mapping[Group, Decimal]) -> None:
    """Put these shares in the place of what the RLS has; none at all leaves it to its waiting list."""
    await conn.execute("DELETE FROM profile_shares WHERE rls = $1", rls)
    await conn.executemany(
        "INSERT INTO profile_shares (rls, vulnerable, ages, share) VALUES ($1, $2, $3, $4)",
        [(rls, group.vulnerable, group.ages, share) for group, share in shares.items()],
    )
