"""What the indicators count, each by RLS and local month (A23), from the records and the enrolments as they are now.

Each query is one pass over what it counts, whatever the number of months; which states mean what is told by the caller.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from gamf.storage.connection import Connection

_A_DAY: Final = timedelta(days=1)


WAITING_CHANGES: Final = """
    -- Where months begin on the clock of each RLS: an instant's is found among them sooner than by its local day.
    WITH clocks AS MATERIALIZED (
        SELECT n.rls, ($4 AT TIME ZONE n.time_zone)::date AS today, array_agg(m.day::date ORDER BY m.day) AS days,
               array_agg(m.day AT TIME ZONE n.time_zone ORDER BY m.day) AS begins
        FROM networks n, generate_series($1::date::timestamp, $2::date::timestamp, interval '1 month') AS m (day)
        GROUP BY n.rls, n.time_zone
    ), ended AS (
        SELECT subject_id, min(at) AS released,
               min(at) FILTER (WHERE after IN ('enrolled_mf', 'enrolled_elsewhere', 'patient_left')) AS gone
        FROM records
        WHERE subject = 'attribution' AND number IS NOT NULL AND after <> ALL ($3::text[]) GROUP BY 1
    ), lives AS MATERIALIZED (
        SELECT c.rls, e.gone,
               CASE WHEN a.attributed_at <= $4 AND p.registered_on <= c.today
                    THEN greatest(width_bucket(a.attributed_at, c.begins), width_bucket(p.registered_on, c.days))
               END AS held,
               CASE WHEN a.attributed_at <= $4 AND (e.released <= $4 OR e.released IS NULL AND NOT a.under_way)
                    THEN width_bucket(coalesce(e.released, $4), c.begins) END AS released,
               CASE WHEN p.place IN ('enrolled', 'left') AND e.gone IS NOT NULL THEN a.patient_id END AS patient_id
        FROM attributions a JOIN patients p USING (patient_id) JOIN clocks c ON c.rls = p.rls
        LEFT JOIN ended e ON e.subject_id = a.attribution_id
    ), gone AS (
        SELECT x.patient_id, any_value(x.rls) AS rls, min(x.at) AS at FROM (
            SELECT patient_id, rls, gone AS at FROM lives WHERE patient_id IS NOT NULL
            UNION ALL
            SELECT p.patient_id, p.rls, r.at FROM records r JOIN patients p ON p.patient_id = r.subject_id
            WHERE r.subject = 'patient' AND r.after IN ('enrolled', 'left') AND p.place IN ('enrolled', 'left')
        ) AS x
        LEFT JOIN (SELECT subject_id, max(at) AS at FROM records WHERE subject = 'patient' AND event = 'reinstated'
                   GROUP BY 1) AS b ON b.subject_id = x.patient_id
        WHERE b.at IS NULL OR x.at > b.at
        GROUP BY 1
    ), departed AS (
        SELECT c.rls, CASE WHEN g.at <= $4 THEN width_bucket(g.at, c.begins) END AS month, count(*) AS number
        FROM gone g JOIN clocks c USING (rls) GROUP BY 1, 2
    ), changes AS (
        SELECT p.rls, width_bucket(p.registered_on, c.days) AS month, count(*) AS number
        FROM patients p JOIN clocks c USING (rls) WHERE p.registered_on <= c.today GROUP BY 1, 2
        UNION ALL
        SELECT l.rls, m.month, sum(m.by * l.number)
        FROM (SELECT rls, held, released, count(*) AS number FROM lives GROUP BY 1, 2, 3) AS l,
             LATERAL (VALUES (held, -1), (released, 1)) AS m (month, by) GROUP BY 1, 2
        UNION ALL
        SELECT rls, month, -number FROM departed
        UNION ALL
        -- Whoever is gone and of whom no record says since when, is so since now.
        SELECT p.rls, width_bucket($4, c.begins), coalesce(min(d.number), 0) - count(*)
        FROM patients p JOIN clocks c USING (rls)
        LEFT JOIN (SELECT rls, sum(number) AS number FROM departed GROUP BY 1) AS d USING (rls)
        WHERE p.place IN ('enrolled', 'left') GROUP BY 1, 2
    )
    SELECT c.rls, greatest(c.days[k.month], $1) AS month, 'waiting' AS name, sum(k.number)::bigint AS number
    FROM changes k JOIN clocks c USING (rls) WHERE k.month < cardinality(c.days) GROUP BY 1, 2
"""
"""It reads each attribution once. What came before the first month is of month 0, and so of the first."""


class Count(NamedTuple):
    """How many, for an RLS in a month (its first day)."""

    rls: str
    month: date
    name: str
    number: int


class Median(NamedTuple):
    """The median number of days, of so many; without an RLS, that of the whole province."""

    rls: str | None
    month: date
    days: float
    of: int


class Span(NamedTuple):
    """From the first day of a month to the first day of the month after the last; local days."""

    first: date
    after: date


async def unbounded(conn: Connection) -> None:
    """Let this transaction's queries take the time that a million rows take."""
    await conn.execute("SET LOCAL statement_timeout = 0; SET LOCAL work_mem = '64MB'; SET LOCAL jit = off")


async def attributed(conn: Connection, span: Span) -> list[Count]:
    """Count the attributions that began."""
    return await _counts(
        conn,
        """
        SELECT rls, date_trunc('month', attributed_at AT TIME ZONE time_zone)::date AS month, 'attributed' AS name,
               count(*) AS number
        FROM attributions WHERE attributed_at >= $1::date - $3::interval AND attributed_at < $2::date + $3::interval
        GROUP BY 1, 2
        """,
        *span,
        _A_DAY,
    )


async def moved(
    conn: Connection, span: Span, reached: Sequence[str], left: Sequence[str], by_leaving: Sequence[str]
) -> list[Count]:
    """Count the attributions that came to the states `reached`, and those that came to `left` from `by_leaving`.

    The name is the state.
    """
    return await _counts(
        conn,
        """
        SELECT a.rls, date_trunc('month', r.at AT TIME ZONE a.time_zone)::date AS month, r.after AS name,
               count(*) AS number
        FROM records r JOIN attributions a ON a.attribution_id = r.subject_id
        WHERE r.subject = 'attribution' AND r.number IS NOT NULL
          AND r.at >= $1::date - $3::interval AND r.at < $2::date + $3::interval
          AND (r.after = ANY ($4::text[]) AND r.before IS DISTINCT FROM r.after
               OR r.after = ANY ($5::text[]) AND r.before = ANY ($6::text[]))
        GROUP BY 1, 2, 3
        """,
        *span,
        _A_DAY,
        list(reached),
        list(left),
        list(by_leaving),
    )


async def enrolled(conn: Connection, span: Span) -> list[Count]:
    """Count the enrolments under LE 321 that started and were not voided since; the name is the category."""
    return await _counts(
        conn,
        """
        SELECT a.rls, date_trunc('month', lower(e.period))::date AS month, e.category AS name, count(*) AS number
        FROM enrolments e JOIN attributions a USING (attribution_id)
        WHERE NOT e.voided AND lower(e.period) >= $1 AND lower(e.period) < $2
        GROUP BY 1, 2, 3
        """,
        *span,
    )


async def waits(conn: Connection, span: Span) -> list[Median]:
    """Return the median days from the initial registration to the first enrolment under LE 321, by RLS and in all."""
    rows = await conn.fetch(
        """
        SELECT a.rls, date_trunc('month', lower(e.period))::date AS month, count(*) AS of,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY lower(e.period) - p.registered_on) AS days
        FROM enrolments e JOIN attributions a USING (attribution_id) JOIN patients p ON p.patient_id = e.patient_id
        WHERE NOT e.voided AND lower(e.period) >= $1 AND lower(e.period) < $2
          AND (e.category = 'SV' OR NOT EXISTS (
              SELECT FROM enrolments s
              WHERE s.attribution_id = e.attribution_id AND s.category = 'SV' AND NOT s.voided))
        GROUP BY GROUPING SETS (
            (a.rls, date_trunc('month', lower(e.period))), (date_trunc('month', lower(e.period))))
        """,
        *span,
    )
    return [Median(row["rls"], row["month"], row["days"], row["of"]) for row in rows]


async def zones(conn: Connection) -> dict[str, str]:
    """Return the clock of each RLS."""
    rows = await conn.fetch("SELECT rls, time_zone FROM networks ORDER BY rls")
    return {row["rls"]: row["time_zone"] for row in rows}


async def changes_of_waiting(
    conn: Connection, span: Span, holding: Sequence[str], now: datetime
) -> list[Count]:
    """Return by how many the list of each RLS changed in each month up to now; what came before is of the first.

    A person waits from the initial registration on, but while an attribution holds them (its states are `holding`), and
    once they are enrolled or have left.
    """
    return await _counts(conn, WAITING_CHANGES, *span, list(holding), now)


async def _counts(conn: Connection, query: str, *arguments: object) -> list[Count]:
    return [Count(**row) for row in await conn.fetch(query, *arguments)]
