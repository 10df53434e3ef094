"""The access log: append-only, one row a look, with the people looked at (LRSSS, s. 103)."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any, Final, NamedTuple

from gamf.storage.connection import Connection

_PEOPLE_SHOWN: Final = 100


class Look(NamedTuple):
    """A look: by whom, when, by which way and from where, to do what, what was shown; nothing when refused."""

    account: str
    at: datetime
    channel: str
    address: str | None
    use_case: str
    shown: Sequence[str]


async def append(conn: Connection, look: Look, patient_ids: Sequence[str]) -> None:
    """Write a look at these people; one that showed nothing was refused."""
    people = sorted(set(patient_ids))
    await conn.execute(
        """
        WITH look AS (
            INSERT INTO looks (account, at, channel, address, use_case, shown, people, refused)
            VALUES ($1, $2, $3, $4, $5, $6, $7, cardinality($6::text[]) = 0) RETURNING look_id)
        INSERT INTO looked_at (patient_id, look_id)
        SELECT patient_id, look_id FROM look, unnest($8::text[]) AS patient_id
        """,
        *look[:-1],
        list(look.shown),
        len(people),
        people,
    )


async def append_register(conn: Connection, look: Look, rls: str | None, place: str | None) -> int:
    """Write a look at everybody of that RLS, in that place; return how many they are."""
    count: int = await conn.fetchval(
        """
        WITH people AS (
            SELECT patient_id FROM patients WHERE ($7::text IS NULL OR rls = $7) AND ($8::text IS NULL OR place = $8)
        ), look AS (
            INSERT INTO looks (account, at, channel, address, use_case, shown, people, refused)
            SELECT $1, $2, $3, $4, $5, $6, count(*), false FROM people RETURNING look_id, people
        ), written AS (
            INSERT INTO looked_at (patient_id, look_id) SELECT patient_id, look_id FROM people, look
        )
        SELECT people FROM look
        """,
        *look[:-1],
        list(look.shown),
        rls,
        place,
    )
    return count


class LookFilter(NamedTuple):
    """Which looks: at that patient, by that account, from that instant on, before that one."""

    patient_id: str | None = None
    account: str | None = None
    since: datetime | None = None
    until: datetime | None = None


_CONDITIONS: Final = {
    "patient_id": "o.patient_id = ",
    "account": "l.account = ",
    "since": "l.at >= ",
    "until": "l.at < ",
}


_BEFORE: Final = "(l.at, l.look_id) < (SELECT at, look_id FROM looks WHERE look_id ="


async def looks(conn: Connection, only: LookFilter, after: int | None, limit: int) -> list[dict[str, Any]]:
    """Return the looks, the latest first, those before that one, each with the first of the people looked at."""
    given: dict[str, object] = {name: value for name, value in only._asdict().items() if value is not None}
    # A condition that is not there at all leaves the planner no choice but the index of those that are.
    conditions = [f"{_CONDITIONS[name]}${number}" for number, name in enumerate(given, start=1)]
    if after is not None:
        given["after"] = after
        conditions.append(f"{_BEFORE} ${len(given)})")
    found = "looked_at o JOIN looks l USING (look_id)" if only.patient_id else "looks l"
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = await conn.fetch(
        f"""
        SELECT l.look_id, l.account, l.at, l.channel, l.address, l.use_case, l.shown, l.people, l.refused,
               ARRAY(SELECT patient_id FROM looked_at p WHERE p.look_id = l.look_id ORDER BY 1 LIMIT {_PEOPLE_SHOWN})
               AS patients
        FROM {found} {where}
        ORDER BY l.at DESC, l.look_id DESC LIMIT ${len(given) + 1}
        """,  # noqa: S608 - the names are those of constants
        *given.values(),
        limit,
    )
    return [dict(row) for row in rows]


async def people_of(
    conn: Connection, attribution_ids: Sequence[str], task_ids: Sequence[int] = ()
) -> list[str]:
    """Return whom these attributions are of, and whom these tasks are about; one that there is not is of nobody."""
    rows = await conn.fetch(
        """
        SELECT patient_id FROM attributions WHERE attribution_id = ANY ($1::text[])
        UNION SELECT patient_id FROM tasks WHERE task_id = ANY ($2::bigint[]) AND patient_id IS NOT NULL
        """,
        list(attribution_ids),
        list(task_ids),
    )
    return [row["patient_id"] for row in rows]


async def month(
    conn: Connection,
    since: datetime,
    until: datetime,
    night_from: time,
    night_until: time,
    default_zone: str,
    lists: Sequence[str],
) -> list[dict[str, Any]]:
    """Count what each account looked at from one instant to another; the night is on the clock of its RLS.

    A page of one of these lists is no look at one person, though there be one on it.
    """
    rows = await conn.fetch(
        """
        WITH zones AS (
            SELECT g.account, min(n.time_zone) AS zone
            FROM account_grants g
            LEFT JOIN physicians d ON d.licence = ANY (g.physicians)
            JOIN networks n ON n.rls = ANY (g.rls) OR n.rls = d.rls
            GROUP BY g.account
        ), seen AS (
            SELECT l.*, l.people = 1 AND NOT l.refused AND l.use_case <> ALL ($6::text[]) AS of_one,
                   (l.at AT TIME ZONE coalesce(z.zone, $5))::time AS local
            FROM looks l LEFT JOIN zones z USING (account)
            WHERE l.at >= $1 AND l.at < $2
        ), one_person AS (
            SELECT account, max(times) AS most FROM (
                SELECT s.account, o.patient_id, count(*) AS times
                FROM seen s JOIN looked_at o USING (look_id) WHERE s.of_one GROUP BY 1, 2) AS t
            GROUP BY account
        )
        SELECT s.account, count(*) AS looks, count(*) FILTER (WHERE of_one) AS by_one,
               count(*) FILTER (WHERE NOT refused AND (local >= $3 OR local < $4)) AS at_night,
               count(*) FILTER (WHERE refused) AS refused, coalesce(max(p.most), 0) AS most_of_one,
               max(people) AS largest
        FROM seen s LEFT JOIN one_person p USING (account)
        GROUP BY s.account ORDER BY s.account
        """,
        since,
        until,
        night_from,
        night_until,
        default_zone,
        list(lists),
    )
    return [dict(row) for row in rows]
