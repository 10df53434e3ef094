"""The tokens of accounts. What is secret of them is never here."""

from datetime import datetime
from typing import Any, NamedTuple

from gamf.storage.connection import Connection


class Token(NamedTuple):
    """A token, without what is secret of it."""

    token_id: int
    account: str
    purpose: str
    added_at: datetime
    added_by: str
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


_COLUMNS = "t.token_id, t.account, t.purpose, t.added_at, t.added_by, t.expires_at, t.used_at, t.revoked_at"


async def add(
    conn: Connection,
    fingerprint: bytes,
    account: str,
    purpose: str,
    at: datetime,
    by: str,
    expires_at: datetime,
) -> Token:
    """Keep a new token."""
    row = await conn.fetchrow(
        f"""
        INSERT INTO api_tokens AS t (fingerprint, account, purpose, added_at, added_by, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6) RETURNING {_COLUMNS}
        """,  # noqa: S608 - the names are those of constants
        fingerprint,
        account,
        purpose,
        at,
        by,
        expires_at,
    )
    return _token(row)


def _token(row: Any) -> Token:  # noqa: ANN401 - a row, by column
    return Token(**row)


async def find(conn: Connection, fingerprint: bytes, now: datetime) -> Token | None:
    """Return a token that is neither over nor revoked at that instant, of an account that is not disabled, or None."""
    row = await conn.fetchrow(
        f"""
        SELECT {_COLUMNS} FROM api_tokens t JOIN accounts a USING (account)
        WHERE t.fingerprint = $1 AND t.expires_at > $2 AND t.revoked_at IS NULL AND a.disabled_at IS NULL
        """,  # noqa: S608 - the names are those of constants
        fingerprint,
        now,
    )
    return _token(row) if row else None


async def used(conn: Connection, token_id: int, at: datetime) -> None:
    """Keep when a token was last used; it never goes back."""
    await conn.execute(
        "UPDATE api_tokens SET used_at = greatest(used_at, $2) WHERE token_id = $1", token_id, at
    )


async def all_of_them(conn: Connection, account: str | None, after: int | None, limit: int) -> list[Token]:
    """Return the tokens, of that account when one is named, the latest first, those before that one."""
    rows = await conn.fetch(
        f"""
        SELECT {_COLUMNS} FROM api_tokens t
        WHERE ($1::text IS NULL OR t.account = $1) AND ($2::bigint IS NULL OR t.token_id < $2)
        ORDER BY t.token_id DESC LIMIT $3
        """,  # noqa: S608 - the names are those of constants
        account,
        after,
        limit,
    )
    return [_token(row) for row in rows]


async def revoke(conn: Connection, token_id: int, at: datetime) -> tuple[str, bool] | None:
    """Revoke a token; return whose it is and whether it was not revoked before, or None when there is none."""
    account: str | None = await conn.fetchval(
        "SELECT account FROM api_tokens WHERE token_id = $1 FOR UPDATE", token_id
    )
    if account is None:
        return None
    answer = await conn.execute(
        "UPDATE api_tokens SET revoked_at = $2 WHERE token_id = $1 AND revoked_at IS NULL", token_id, at
    )
    return account, bool(answer == "UPDATE 1")
