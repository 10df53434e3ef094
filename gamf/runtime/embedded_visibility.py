"""The embedded Temporal's visibility table, relieved of the indices that nobody asks of.

The server makes one for each of the search attributes that it has room for, fifty-nine in all, and writes almost all of
them again whenever an attribution's state changes: most of what a change costs there. An index that is missing makes a
filter slower and never wrong.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

_LOCKED_SECONDS: Final = 10
_INDICES: Final = """
    SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'executions_visibility' AND sql IS NOT NULL
"""
KEPT: Final = frozenset(
    {
        # What the UI, the schedules, the versions and the command `temporal` filter by.
        "default_idx",
        "by_execution_time",
        "by_status",
        "by_task_queue",
        "by_temporal_namespace_division",
        "by_temporal_scheduled_by_id",
        "by_temporal_worker_deployment",
        "by_temporal_worker_deployment_version",
        "by_workflow_id",
        "by_workflow_type",
        # Our six search attributes (contract.md), which the server numbers within their type.
        "by_bool_01",
        "by_datetime_01",
        "by_keyword_01",
        "by_keyword_02",
        "by_keyword_03",
        "by_keyword_04",
    }
)


def relieve(database: Path) -> int:
    """Drop the other indices of a database that its server has made, at work or not; return how many there were."""
    with closing(sqlite3.connect(database, timeout=_LOCKED_SECONDS)) as connection:
        names = {str(name) for (name,) in connection.execute(_INDICES)} - KEPT
        # A name cannot be a parameter; it is the server's own.
        for name in sorted(names):
            connection.execute(f'DROP INDEX IF EXISTS "{name}"')
        connection.commit()
    return len(names)
