"""The local networks (RLS): what is written of one besides its file."""

from gamf.storage.connection import Connection


async def set_contact(conn: Connection, rls: str, email: str | None) -> bool | None:
    """Write where the coordinator is written to; tell whether it changed, or None when there is no such RLS."""
    before = await conn.fetchrow("SELECT coordinator_email FROM networks WHERE rls = $1 FOR UPDATE", rls)
    if before is None:
        return None
    await conn.execute("UPDATE networks SET coordinator_email = $2 WHERE rls = $1", rls, email)
    return bool(before["coordinator_email"] != email)
