"""Who a provider says that somebody is, and the sign-ins under way there. What is secret of them is never here."""

from datetime import datetime
from typing import NamedTuple

from gamf.storage.connection import Connection


class Linked(NamedTuple):
    """The account that a subject is linked to."""

    account: str
    disabled_at: datetime | None


async def find(conn: Connection, issuer: str, subject: str) -> Linked | None:
    """Return the account of a provider's subject, or None."""
    row = await conn.fetchrow(
        """
        SELECT account, disabled_at FROM account_identities JOIN accounts USING (account)
        WHERE issuer = $1 AND subject = $2
        """,
        issuer,
        subject,
    )
    return Linked(**row) if row else None


async def link(conn: Connection, account: str, issuer: str, subject: str, at: datetime) -> bool:
    """Link an account to a provider's subject; tell whether neither was linked already."""
    answer = await conn.execute(
        """
        INSERT INTO account_identities (account, issuer, subject, linked_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT DO NOTHING
        """,
        account,
        issuer,
        subject,
        at,
    )
    return bool(answer == "INSERT 0 1")


async def unlink(conn: Connection, account: str, issuer: str) -> bool:
    """Part an account from its subject of a provider; tell whether there was one."""
    answer = await conn.execute(
        "DELETE FROM account_identities WHERE account = $1 AND issuer = $2", account, issuer
    )
    return bool(answer == "DELETE 1")


async def begin_flow(
    conn: Connection, fingerprint: bytes, address: str, back: str, at: datetime, forget_before: datetime
) -> int:
    """Keep that a sign-in began, and forget the old ones; return how many are under way from the address."""
    await conn.execute("DELETE FROM sign_in_flows WHERE began_at < $1", forget_before)
    await conn.execute(
        "INSERT INTO sign_in_flows (fingerprint, address, began_at, back) VALUES ($1, $2, $3, $4)",
        fingerprint,
        address,
        at,
        back,
    )
    number: int = await conn.fetchval("SELECT count(*) FROM sign_in_flows WHERE address = $1", address)
    return number


async def end_flow(conn: Connection, fingerprint: bytes, began_after: datetime) -> str | None:
    """End a sign-in; return where it leads back to, or None when it had ended, is too old or never began."""
    row = await conn.fetchrow(
        "DELETE FROM sign_in_flows WHERE fingerprint = $1 RETURNING back, began_at", fingerprint
    )
    return row["back"] if row is not None and row["began_at"] >= began_after else None
