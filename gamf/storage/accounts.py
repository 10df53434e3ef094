"""Accounts, what they are granted, and the append-only record of what became of them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from gamf.domain.roles import Grant, Role
from gamf.storage.connection import Connection


class Account(NamedTuple):
    """An account, without its grants."""

    account: str
    password: str
    must_change: bool
    password_set_at: datetime
    added_at: datetime
    disabled_at: datetime | None
    linked: bool


_ACCOUNT = """
    SELECT account, password, must_change, password_set_at, added_at, disabled_at,
           EXISTS (SELECT FROM account_identities i WHERE i.account = a.account) AS linked
    FROM accounts a
"""


async def add(conn: Connection, account: str, password: str, at: datetime) -> bool:
    """Add an account whose password, argon2's encoding of it, is to be changed; tell whether it is new."""
    answer = await conn.execute(
        """
        INSERT INTO accounts (account, password, must_change, password_set_at, added_at)
        VALUES ($1, $2, true, $3, $3) ON CONFLICT DO NOTHING
        """,
        account,
        password,
        at,
    )
    return bool(answer == "INSERT 0 1")


async def find(conn: Connection, account: str) -> Account | None:
    """Return an account, or None."""
    row = await conn.fetchrow(f"{_ACCOUNT} WHERE account = $1", account)
    return Account(**row) if row else None


async def all_of_them(conn: Connection, after: str | None, limit: int) -> list[Account]:
    """Return the accounts by name, those after that one."""
    rows = await conn.fetch(
        f"{_ACCOUNT} WHERE $1::text IS NULL OR account > $1 ORDER BY account LIMIT $2", after, limit
    )
    return [Account(**row) for row in rows]


async def set_password(
    conn: Connection, account: str, password: str, at: datetime, *, must_change: bool
) -> None:
    """Replace the password by another, argon2's encoding of it."""
    await conn.execute(
        "UPDATE accounts SET password = $2, password_set_at = $3, must_change = $4 WHERE account = $1",
        account,
        password,
        at,
        must_change,
    )


async def encode_anew(conn: Connection, account: str, before: str, password: str) -> None:
    """Replace the encoding of the same password, unless it was changed meanwhile."""
    await conn.execute(
        "UPDATE accounts SET password = $3 WHERE account = $1 AND password = $2", account, before, password
    )


async def set_disabled(conn: Connection, account: str, at: datetime | None) -> bool:
    """Disable an account from that instant, or enable it again; tell whether that changed anything."""
    answer = await conn.execute(
        """
        UPDATE accounts SET disabled_at = $2 WHERE account = $1 AND (disabled_at IS NULL) <> ($2::timestamptz IS NULL)
        """,
        account,
        at,
    )
    return bool(answer == "UPDATE 1")


async def set_grants(conn: Connection, account: str, grants: Iterable[Grant]) -> None:
    """Replace what an account is granted."""
    await conn.execute("DELETE FROM account_grants WHERE account = $1", account)
    await conn.executemany(
        "INSERT INTO account_grants (account, role, rls, physicians) VALUES ($1, $2, $3, $4)",
        [(account, each.role.value, sorted(each.rls), sorted(each.physicians)) for each in grants],
    )


async def grants(conn: Connection, accounts: Sequence[str]) -> dict[str, tuple[Grant, ...]]:
    """Return what each account is granted."""
    rows = await conn.fetch(
        """
        SELECT account, role, rls, physicians FROM account_grants WHERE account = ANY ($1::text[])
        ORDER BY account, role
        """,
        list(accounts),
    )
    found: dict[str, tuple[Grant, ...]] = {}
    for row in rows:
        grant = Grant(
            role=Role(row["role"]), rls=frozenset(row["rls"]), physicians=frozenset(row["physicians"])
        )
        found[row["account"]] = (*found.get(row["account"], ()), grant)
    return found


async def unknown_limits(
    conn: Connection, rls: Sequence[str], physicians: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Return which of these RLS and of these licences are not in the database."""
    row = await conn.fetchrow(
        """
        SELECT ARRAY(SELECT unnest($1::text[]) EXCEPT SELECT rls FROM networks ORDER BY 1) AS rls,
               ARRAY(SELECT unnest($2::text[]) EXCEPT SELECT licence FROM physicians ORDER BY 1) AS physicians
        """,
        list(rls),
        list(physicians),
    )
    assert row is not None  # noqa: S101 - a select without a table always has its row
    return row["rls"], row["physicians"]


async def record(
    conn: Connection,
    account: str,
    event: str,
    at: datetime,
    *,
    by: str,
    address: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write what became of an account (invariant 5)."""
    await conn.execute(
        "INSERT INTO account_records (account, event, at, by, address, detail) VALUES ($1, $2, $3, $4, $5, $6)",
        account,
        event,
        at,
        by,
        address,
        detail or {},
    )
