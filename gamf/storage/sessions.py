"""Sessions, the forms sent in them, and the attempts to begin one. What is secret of them is never here."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from gamf.storage.connection import Connection


class Session(NamedTuple):
    """A session under way."""

    account: str
    must_change: bool
    began_at: datetime
    seen_at: datetime
    expires_at: datetime


async def begin(
    conn: Connection,
    fingerprint: bytes,
    account: str,
    at: datetime,
    expires_at: datetime,
    address: str | None,
    issuer: str | None = None,
) -> None:
    """Begin a session, opened by a password or by that provider, and forget those that are over."""
    await conn.execute("DELETE FROM sessions WHERE expires_at <= $1", at)
    await conn.execute(
        """
        INSERT INTO sessions (fingerprint, account, began_at, seen_at, expires_at, address, issuer)
        VALUES ($1, $2, $3, $3, $4, $5, $6)
        """,
        fingerprint,
        account,
        at,
        expires_at,
        address,
        issuer,
    )


async def find(conn: Connection, fingerprint: bytes, now: datetime) -> Session | None:
    """Return a session that is not over at that instant, of an account that is not disabled, or None.

    A password that somebody else chose is to be changed by whoever signs in with it.
    """
    row = await conn.fetchrow(
        """
        SELECT s.account, a.must_change AND s.issuer IS NULL AS must_change, s.began_at, s.seen_at, s.expires_at
        FROM sessions s JOIN accounts a USING (account)
        WHERE s.fingerprint = $1 AND s.expires_at > $2 AND a.disabled_at IS NULL
        """,
        fingerprint,
        now,
    )
    return Session(**row) if row else None


async def under_way(conn: Connection, fingerprints: Collection[bytes], now: datetime) -> set[bytes]:
    """Return which of these sessions are not over at that instant, as `find` has it."""
    rows = await conn.fetch(
        """
        SELECT s.fingerprint FROM sessions s JOIN accounts a USING (account)
        WHERE s.fingerprint = ANY ($1::bytea[]) AND s.expires_at > $2 AND a.disabled_at IS NULL
        """,
        list(fingerprints),
        now,
    )
    return {row["fingerprint"] for row in rows}


async def seen(conn: Connection, fingerprint: bytes, at: datetime, expires_at: datetime) -> None:
    """Keep when a session was last used, and when it ends if it is no more; it never goes back."""
    await conn.execute(
        """
        UPDATE sessions SET seen_at = greatest(seen_at, $2), expires_at = greatest(expires_at, $3)
        WHERE fingerprint = $1
        """,
        fingerprint,
        at,
        expires_at,
    )


class Ended(NamedTuple):
    """A session that was ended: whose it was, and the provider that opened it, if one did."""

    account: str
    issuer: str | None


async def end(conn: Connection, fingerprint: bytes) -> Ended | None:
    """End a session; return which it was, or None when there was none."""
    row = await conn.fetchrow(
        "DELETE FROM sessions WHERE fingerprint = $1 RETURNING account, issuer", fingerprint
    )
    return Ended(**row) if row else None


async def end_all(conn: Connection, account: str, but: bytes | None = None) -> None:
    """End every session of an account, but for one when it is named."""
    await conn.execute(
        "DELETE FROM sessions WHERE account = $1 AND fingerprint IS DISTINCT FROM $2", account, but
    )


async def use_form(conn: Connection, form: bytes, at: datetime, forget_before: datetime) -> bool:
    """Keep that a form was sent, and forget the old ones; tell whether it was the first time."""
    await conn.execute("DELETE FROM used_forms WHERE used_at < $1", forget_before)
    answer = await conn.execute(
        "INSERT INTO used_forms (form, used_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", form, at
    )
    return bool(answer == "INSERT 0 1")


async def release_form(conn: Connection, form: bytes) -> None:
    """Let a form be sent again: what it asked was not done."""
    await conn.execute("DELETE FROM used_forms WHERE form = $1", form)


class Attempts(NamedTuple):
    """How many attempts were made lately, before this one, and which this one is."""

    of_name: int
    of_address: int
    attempt_id: int


async def attempt(conn: Connection, name: bytes, address: str, at: datetime, since: datetime) -> Attempts:
    """Count the attempts since that instant and add this one, in one transaction; two at once are two.

    It counts as one that failed until it is taken away.
    """
    # In this order always: two that share the name and the address wait for each other once.
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 18))", name.hex())
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 19))", address)
    await conn.execute("DELETE FROM sign_in_attempts WHERE at < $1", since)
    row = await conn.fetchrow(
        """
        WITH added AS (INSERT INTO sign_in_attempts (name, address, at) VALUES ($1, $2, $3) RETURNING attempt_id)
        SELECT (SELECT count(*) FROM sign_in_attempts WHERE name = $1 AND at >= $4) AS of_name,
               (SELECT count(*) FROM sign_in_attempts WHERE address = $2 AND at >= $4) AS of_address, attempt_id
        FROM added
        """,
        name,
        address,
        at,
        since,
    )
    assert row is not None  # noqa: S101 - what was inserted is returned
    return Attempts(**row)


async def forgive(conn: Connection, attempt_id: int | None = None, *, name: bytes | None = None) -> None:
    """Take away an attempt, and all those under a name."""
    await conn.execute("DELETE FROM sign_in_attempts WHERE attempt_id = $1 OR name = $2", attempt_id, name)
