"""What the indicators count, each by RLS and local month (A23), from the records and the enrolments as they are now.

Each query is one pass over what it counts, whatever the number of months; which states mean what is told by the caller.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from gamf.storage.connection import Connection

_A_DAY: Final = timedelta(days=1)


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
    return await _counts(
        conn,
        """
        WITH released AS (
            SELECT subject_id, min(at) AS at FROM records
            WHERE subject = 'attribution' AND number IS NOT NULL AND after <> ALL ($3::text[]) GROUP BY 1
        ), gone AS (
            SELECT x.patient_id, min(x.at) AS at FROM (
                SELECT a.patient_id, r.at FROM records r JOIN attributions a ON a.attribution_id = r.subject_id
                WHERE r.subject = 'attribution' AND r.number IS NOT NULL
                  AND r.after IN ('enrolled_mf', 'enrolled_elsewhere', 'patient_left')
                UNION ALL
                SELECT subject_id, at FROM records WHERE subject = 'patient' AND after IN ('enrolled', 'left')
            ) AS x
            LEFT JOIN (SELECT subject_id, max(at) AS at FROM records WHERE subject = 'patient' AND event = 'reinstated'
                       GROUP BY 1) AS b ON b.subject_id = x.patient_id
            WHERE b.at IS NULL OR x.at > b.at
            GROUP BY 1
        ), changes AS (
            SELECT p.rls, p.registered_on AS day, count(*) AS by FROM patients p GROUP BY 1, 2
            UNION ALL
            SELECT p.rls, m.day, sum(m.by)
            FROM attributions a JOIN patients p USING (patient_id) JOIN networks n ON n.rls = p.rls
            LEFT JOIN released r ON r.subject_id = a.attribution_id
            CROSS JOIN LATERAL (VALUES
                (greatest((a.attributed_at AT TIME ZONE n.time_zone)::date, p.registered_on), -1),
                (CASE WHEN r.at <= $4 OR r.at IS NULL AND NOT a.under_way
                      THEN (coalesce(r.at, $4) AT TIME ZONE n.time_zone)::date END, 1)) AS m (day, by)
            WHERE a.attributed_at <= $4 AND m.day IS NOT NULL GROUP BY 1, 2
            UNION ALL
            SELECT p.rls, (coalesce(g.at, $4) AT TIME ZONE n.time_zone)::date, -count(*)
            FROM patients p JOIN networks n USING (rls) LEFT JOIN gone g USING (patient_id)
            WHERE p.place IN ('enrolled', 'left') AND coalesce(g.at, $4) <= $4 GROUP BY 1, 2
        )
        SELECT c.rls, greatest(date_trunc('month', c.day)::date, $1) AS month, 'waiting' AS name,
               sum(c.by)::bigint AS number
        FROM changes c JOIN networks n USING (rls)
        WHERE c.day < $2 AND c.day <= ($4 AT TIME ZONE n.time_zone)::date
        GROUP BY 1, 2
        """,
        *span,
        list(holding),
        now,
    )


async def _counts(conn: Connection, query: str, *arguments: object) -> list[Count]:
    return [Count(**row) for row in await conn.fetch(query, *arguments)]
