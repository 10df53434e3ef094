"""Who waits, by group: how many, and the first of each, as the draw asks (R4, A8, A18)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from gamf.domain.draw import Candidate
from gamf.domain.profile import AGES, AGES_FROM, Group, births, turned
from gamf.storage.connection import Connection

# In all but the years in which an age band begins, everybody is of the same band, and has been counted.
_COUNTS: Final = """
    WITH first_years AS (SELECT array_agg(extract(year FROM born)::integer) AS years FROM unnest($2::date[]) AS born)
    SELECT vulnerable, younger, sum(waiting)::bigint AS waiting
    FROM (
        SELECT vulnerable, width_bucket(make_date(birth_year, 1, 1), $2::date[]) AS younger, change AS waiting
        FROM waiting_changes WHERE rls = $1 AND birth_year <> ALL ((SELECT years FROM first_years)::integer[])
        UNION ALL
        SELECT vulnerable, width_bucket(birth_date, $2::date[]), count(*) FROM patients
        WHERE rls = $1 AND place = 'waiting' AND vulnerable = ANY ('{true,false}')
          AND extract(year FROM birth_date)::integer = ANY ((SELECT years FROM first_years)::integer[])
        GROUP BY 1, 2
    ) AS counted
    GROUP BY 1, 2 HAVING sum(waiting) <> 0
"""
_FIRST: Final = """
    SELECT g.vulnerable, g.ages, first.number
    FROM unnest($3::boolean[], $4::text[], $5::date[], $6::date[], $7::integer[])
         AS g (vulnerable, ages, born, born_before, seats)
    CROSS JOIN LATERAL (
        SELECT a_year.* FROM generate_series(
            coalesce(extract(year FROM g.born)::integer, (
                SELECT min(extract(year FROM p.birth_date)::integer) FROM patients p
                WHERE p.rls = $1 AND p.place = 'waiting' AND p.vulnerable = g.vulnerable)),
            coalesce(extract(year FROM g.born_before)::integer, (
                SELECT max(extract(year FROM p.birth_date)::integer) FROM patients p
                WHERE p.rls = $1 AND p.place = 'waiting' AND p.vulnerable = g.vulnerable))) AS y (year)
        CROSS JOIN LATERAL (
            SELECT p.priority, p.registered_on, p.number FROM patients p
            WHERE p.rls = $1 AND p.place = 'waiting' AND p.vulnerable = g.vulnerable
              AND extract(year FROM p.birth_date)::integer = y.year
              AND p.birth_date >= coalesce(g.born, '-infinity') AND p.birth_date < coalesce(g.born_before, 'infinity')
              AND p.number NOT IN (SELECT o.patient_number FROM not_offered o WHERE o.physician = $2)
            ORDER BY p.priority, p.registered_on, p.number LIMIT g.seats) AS a_year
        ORDER BY a_year.priority, a_year.registered_on, a_year.number LIMIT g.seats) AS first
"""


class Offered(NamedTuple):
    """The first of a group, by registration number: no more than it has seats."""

    group: Group
    number: int


async def counts(conn: Connection, rls: str, on: date) -> dict[Group, int]:
    """Return how many of each group wait in that RLS, at their age on that day."""
    rows = await conn.fetch(_COUNTS, rls, [turned(age, on) for age in reversed(AGES_FROM[1:])])
    return {Group(row["vulnerable"], AGES[-1 - row["younger"]]): row["waiting"] for row in rows}


async def sum_up(conn: Connection, rls: str) -> None:
    """Put one number in the place of all that changed; the caller holds the RLS against other draws."""
    await conn.execute(
        """
        WITH changes AS (DELETE FROM waiting_changes WHERE rls = $1 RETURNING vulnerable, birth_year, priority, change)
        INSERT INTO waiting_changes (rls, vulnerable, birth_year, priority, change)
        SELECT $1, vulnerable, birth_year, priority, sum(change) FROM changes GROUP BY 2, 3, 4 HAVING sum(change) <> 0
        """,
        rls,
    )


async def first_of_groups(
    conn: Connection, rls: str, physician: str, seats: Mapping[Group, int], on: date
) -> list[Offered]:
    """Return the first of each group that may be offered, as many as it has seats (A8, A18)."""
    groups = [(*group, *births(group.ages, on), number) for group, number in seats.items() if number]
    columns = zip(*groups, strict=True) if groups else ((),) * 5
    rows = await conn.fetch(_FIRST, rls, physician, *map(list, columns))
    return [Offered(Group(row["vulnerable"], row["ages"]), row["number"]) for row in rows]


async def hold(conn: Connection, numbers: Sequence[int]) -> list[Candidate]:
    """Hold these patients, in the order of the list; whoever waits no more is left out."""
    rows = await conn.fetch(
        """
        SELECT patient_id, priority, registered_on, number, vulnerable, birth_date FROM patients
        WHERE number = ANY ($1::bigint[]) AND place = 'waiting'
        ORDER BY priority, registered_on, number FOR UPDATE
        """,
        numbers,
    )
    return [Candidate(**row) for row in rows]
