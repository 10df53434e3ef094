"""The daily digests: to whom, from what, and one row for each, whatever runs twice."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from gamf.storage.connection import Connection

Rows = list[dict[str, Any]]


class Made(NamedTuple):
    """A digest to send; `content` is the whole of what it says."""

    address: str
    content: dict[str, Any]


async def zones(conn: Connection) -> list[str]:
    """Return the clocks of all RLS."""
    rows = await conn.fetch("SELECT DISTINCT time_zone FROM networks ORDER BY 1")
    return [row["time_zone"] for row in rows]


async def coordinators(conn: Connection, time_zone: str) -> dict[str, str]:
    """Return where the coordinator of each RLS on that clock is written to, by RLS."""
    rows = await conn.fetch(
        "SELECT rls, coordinator_email FROM networks WHERE time_zone = $1 AND coordinator_email IS NOT NULL",
        time_zone,
    )
    return {row["rls"]: row["coordinator_email"] for row in rows}


async def clinics(conn: Connection, time_zone: str) -> dict[str, str]:
    """Return where the clinic of each physician on that clock is written to, by licence."""
    rows = await conn.fetch(
        """
        SELECT d.licence, d.email FROM physicians d JOIN networks n USING (rls)
        WHERE n.time_zone = $1 AND d.email IS NOT NULL
        """,
        time_zone,
    )
    return {row["licence"]: row["email"] for row in rows}


_REFERENCE = "coalesce(t.attribution_id, t.block_id, '#' || t.task_id)"


async def asked_of_networks(conn: Connection, rls: Sequence[str], before: datetime) -> Rows:
    """Return what the coordinators and the GACO of these RLS have to decide by then; `of` is the RLS."""
    return await _fetch(
        conn,
        f"""
        SELECT t.rls AS of, t.kind, t.due, {_REFERENCE} AS reference FROM tasks t
        WHERE t.closed_at IS NULL AND t.rls = ANY ($1::text[]) AND t.owner IN ('coordinator', 'gaco') AND t.due <= $2
        """,  # noqa: S608 - the expression is the constant above
        list(rls),
        before,
    )


async def asked_of_physicians(
    conn: Connection, licences: Sequence[str], before: datetime, late: Sequence[str]
) -> Rows:
    """Return what these physicians and their clinics have to do by then, and are late with; `of` is the licence.

    What somebody else has to decide for their lateness is of the kinds `late`.
    """
    return await _fetch(
        conn,
        f"""
        SELECT t.physician AS of, t.kind, t.due, {_REFERENCE} AS reference, t.owner <> 'clinic' AS late FROM tasks t
        WHERE t.closed_at IS NULL AND t.physician = ANY ($1::text[])
          AND (t.owner = 'clinic' AND t.due <= $2 OR t.kind = ANY ($3::text[]))
        UNION ALL
        SELECT a.physician, 'answer_due', a.deadline, a.attribution_id, false FROM attributions a
        WHERE a.physician = ANY ($1::text[]) AND a.state = 'proposed' AND a.deadline <= $2
        """,  # noqa: S608 - the expression is the constant above
        list(licences),
        before,
        list(late),
    )


async def returned(
    conn: Connection, by: str, of: Sequence[str], since: datetime, until: datetime, states: Sequence[str]
) -> Rows:
    """Return the attributions that came back in that time, of these RLS (`by` is `rls`) or physicians."""
    return await _fetch(
        conn,
        f"""
        SELECT a.{by} AS of, r.subject_id AS reference, r.after AS state
        FROM records r JOIN attributions a ON a.attribution_id = r.subject_id
        WHERE r.subject = 'attribution' AND r.number IS NOT NULL AND r.at >= $2 AND r.at < $3
          AND r.after = ANY ($4::text[]) AND r.before <> ALL ($4::text[]) AND a.{by} = ANY ($1::text[])
        """,  # noqa: S608 - the name of one of two columns
        list(of),
        since,
        until,
        list(states),
    )


async def keep(
    conn: Connection, recipient: str, time_zone: str, on: date, contents: Sequence[tuple[str, dict[str, Any]]]
) -> list[int]:
    """Keep what each address is to be told, unless it was told or kept before; return what is still to be sent."""
    await conn.executemany(
        """
        INSERT INTO digests (recipient, time_zone, on_date, address, content) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT ON CONSTRAINT one_digest DO NOTHING
        """,
        [(recipient, time_zone, on, address, content) for address, content in contents],
    )
    rows = await conn.fetch(
        """
        SELECT digest_id FROM digests
        WHERE recipient = $1 AND time_zone = $2 AND on_date = $3 AND state = 'due' ORDER BY digest_id
        """,
        recipient,
        time_zone,
        on,
    )
    return [row["digest_id"] for row in rows]


async def claim(conn: Connection, digest_id: int) -> Made | None:
    """Hold a digest to be sent until the end of the transaction; None when it went, or somebody else holds it."""
    row = await conn.fetchrow(
        "SELECT address, content FROM digests WHERE digest_id = $1 AND state = 'due' FOR UPDATE SKIP LOCKED",
        digest_id,
    )
    return Made(**row) if row else None


async def sent(conn: Connection, digest_id: int, at: datetime) -> None:
    """Say that it went."""
    await conn.execute("UPDATE digests SET state = 'sent', sent_at = $2 WHERE digest_id = $1", digest_id, at)


async def refused(conn: Connection, digest_id: int) -> None:
    """Say that the mail server refused it for good."""
    await conn.execute("UPDATE digests SET state = 'refused' WHERE digest_id = $1", digest_id)


async def count_refused(conn: Connection, digest_ids: Sequence[int]) -> int:
    """Return how many of these the mail server refused for good."""
    sql = "SELECT count(*) FROM digests WHERE digest_id = ANY ($1::bigint[]) AND state = 'refused'"
    return int(await conn.fetchval(sql, list(digest_ids)))


async def enrolled_between(conn: Connection, time_zone: str, first: date, last: date) -> Rows:
    """Return those enrolled SV in these days on that clock, who were not reminded of their term yet."""
    return await _fetch(
        conn,
        """
        SELECT a.attribution_id, lower(e.period) AS start, a.vulnerable
        FROM attributions a JOIN enrolments e ON e.attribution_id = a.attribution_id AND e.category = 'SV'
        WHERE a.state = 'enrolled_sv' AND a.time_zone = $1 AND NOT e.voided AND lower(e.period) BETWEEN $2 AND $3
          AND NOT EXISTS (SELECT FROM tasks t WHERE t.attribution_id = a.attribution_id AND t.kind = 'mf_term_near')
        """,
        time_zone,
        first,
        last,
    )


async def remind(
    conn: Connection, kind: str, owner: str, at: datetime, dues: Sequence[tuple[str, datetime]]
) -> int:
    """Open that task, once, about each attribution that is still enrolled SV; return how many were opened."""
    done = await conn.fetch(
        """
        INSERT INTO tasks (attribution_id, kind, owner, transition, opened_at, due)
        SELECT a.attribution_id, $1, $2, 0, $3, n.due
        FROM unnest($4::text[], $5::timestamptz[]) AS n (attribution_id, due)
        JOIN (SELECT attribution_id FROM attributions
              WHERE attribution_id = ANY ($4::text[]) AND state = 'enrolled_sv'
              ORDER BY attribution_id FOR SHARE) AS a USING (attribution_id)
        ON CONFLICT ON CONSTRAINT one_task DO NOTHING
        RETURNING task_id
        """,
        kind,
        owner,
        at,
        [attribution_id for attribution_id, _ in dues],
        [due for _, due in dues],
    )
    return len(done)


async def _fetch(conn: Connection, query: str, *arguments: object) -> Rows:
    return [dict(row) for row in await conn.fetch(query, *arguments)]
