"""The attributions, listed and one by one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from gamf.domain.roles import Scope
from gamf.storage.connection import Connection
from gamf.storage.pages import (
    EVERY_RLS,
    EVERYTHING,
    Asked,
    By,
    Listed,
    Rows,
    fetch,
    fetch_one,
    given,
    page_of,
    parts_of,
)

_REFUSED_SHOWN: Final = 100


class AttributionFilter(NamedTuple):
    """Which attributions: in that state, of that physician, block or patient, due before then, within that scope."""

    state: str | None = None
    physician: str | None = None
    block_id: str | None = None
    patient_id: str | None = None
    due_before: datetime | None = None
    scope: Scope = EVERYTHING


_ATTRIBUTIONS: Final = """
    SELECT a.attribution_id, a.block_id, a.patient_id, a.physician, a.rls, a.time_zone, a.priority, a.vulnerable,
           a.state, a.deadline, a.waiting_for, a.attributed_at, a.ended_on, a.policy,
           lower(sv.period) AS sv_start, upper(sv.period) - 1 AS sv_end, sv.voided AS sv_voided,
           lower(mf.period) AS mf_start, upper(mf.period) - 1 AS mf_end, mf.voided AS mf_voided
    FROM attributions a
    LEFT JOIN enrolments sv ON sv.attribution_id = a.attribution_id AND sv.category = 'SV'
    LEFT JOIN enrolments mf ON mf.attribution_id = a.attribution_id AND mf.category = 'MF'
"""
_LISTED: Final = Listed(
    "attributions",
    "attribution_id",
    f"{_ATTRIBUTIONS} WHERE a.attribution_id",
    {
        "reference": By(("t.attribution_id",)),
        "deadline": By(("t.deadline", "t.attribution_id"), carried=datetime, nullable=True),
        "state": By(("t.state", "t.attribution_id"), carried=str),
    },
)
_CONDITIONS: Final = (
    "t.state = {}",
    "t.physician = {}",
    "t.block_id = {}",
    "t.patient_id = {}",
    "t.deadline < {}",
)


async def attribution(conn: Connection, attribution_id: str) -> dict[str, Any] | None:
    """Return one attribution, or None."""
    return await fetch_one(conn, f"{_ATTRIBUTIONS} WHERE a.attribution_id = $1", attribution_id)


async def attributions(conn: Connection, only: AttributionFilter, asked: Asked) -> Rows:
    """Return a page of the attributions."""
    # Few are of one physician, block or patient; else everything is read by RLS.
    few = only.physician or only.block_id or only.patient_id
    parts = parts_of(only.scope)
    if parts is None and not few:
        parts = (EVERY_RLS,)
    # What is due soon was attributed lately.
    apart = only.due_before is not None and asked.order.by != "deadline"
    return await page_of(conn, _LISTED, given(_CONDITIONS, only[:-1]), parts, asked, sort=apart)


async def attributions_of_patient(conn: Connection, patient_id: str) -> Rows:
    """Return all the attributions of a patient, in the order of their references."""
    query = f"{_ATTRIBUTIONS} WHERE a.patient_id = $1 ORDER BY a.attribution_id"
    return await fetch(conn, query, patient_id)


async def attributions_named(conn: Connection, ids: Sequence[str]) -> Rows:
    """Return these attributions, in the order of their references."""
    query = f"{_ATTRIBUTIONS} WHERE a.attribution_id = ANY ($1::text[]) ORDER BY a.attribution_id"
    return await fetch(conn, query, list(ids))


async def history(conn: Connection, subject: str, ids: Sequence[str]) -> Rows:
    """Return what was taken and refused of these, in order; of what was refused, the latest, of so many."""
    return await fetch(
        conn,
        """
        SELECT subject_id, event, at, by, argument, after, policy, refused, rules, reason, of
        FROM (
            SELECT *, count(*) OVER kind AS of, row_number() OVER (kind ORDER BY record_id DESC) AS nth_latest
            FROM records WHERE subject = $1 AND subject_id = ANY ($2::text[])
            WINDOW kind AS (PARTITION BY subject_id, refused)
        ) AS r
        WHERE NOT refused OR nth_latest <= $3
        ORDER BY subject_id, record_id
        """,
        subject,
        list(ids),
        _REFUSED_SHOWN,
    )
