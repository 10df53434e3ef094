"""What an operator watches: counts of the whole province, of nobody in particular."""

from typing import NamedTuple

from gamf.storage.connection import Connection


class Backlog(NamedTuple):
    """What waits, and for how long, by PostgreSQL's clock; ages are in seconds, 0 when nothing waits."""

    letters_waiting: int
    oldest_letter_seconds: float
    tasks_open: int
    tasks_overdue: int
    oldest_ramq_file_seconds: float
    """How long the oldest file for RAMQ waits for its folder to take it."""
    deadlines_missed: int
    """Attributions and drawn lists whose deadline passed and that did not move: their workflow does not run."""
    oldest_missed_deadline_seconds: float
    attributions_open: int


async def backlog(conn: Connection) -> Backlog:
    """Count what waits; each count walks a partial index, whatever the number of people."""
    row = await conn.fetchrow(
        """
        SELECT l.*, r.*, t.*, a.*, o.* FROM (
            SELECT count(*) AS letters_waiting,
                   coalesce(extract(epoch FROM now() - min(queued_at)), 0)::float AS oldest_letter_seconds
            FROM letters WHERE state IN ('queued', 'sending')
        ) AS l, (
            SELECT coalesce(extract(epoch FROM now() - min(made_at)), 0)::float AS oldest_ramq_file_seconds
            FROM ramq_files WHERE handed_at IS NULL
        ) AS r, (
            SELECT count(*) AS tasks_open, count(*) FILTER (WHERE due < now()) AS tasks_overdue
            FROM tasks WHERE closed_at IS NULL
        ) AS t, (
            SELECT count(*) AS deadlines_missed,
                   coalesce(extract(epoch FROM now() - min(deadline)), 0)::float AS oldest_missed_deadline_seconds
            FROM (
                SELECT deadline FROM attributions WHERE deadline < now()
                UNION ALL
                SELECT deadline FROM blocks WHERE deadline < now()
            ) AS late
        ) AS a, (
            SELECT count(*) AS attributions_open FROM attributions WHERE deadline IS NOT NULL
        ) AS o
        """
    )
    assert row is not None  # noqa: S101 - a count always has its row
    return Backlog(**{name: max(row[name], 0) for name in Backlog._fields})
