"""The register: who waits, who they are in the list, and all of it as CSV."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, NamedTuple

from gamf.storage.connection import Connection
from gamf.storage.imports import PATIENTS
from gamf.storage.pages import (
    EVERY_RLS,
    Asked,
    By,
    Listed,
    Part,
    Rows,
    fetch,
    fetch_one,
    given,
    page_of,
)


class RegisterFilter(NamedTuple):
    """Which patients: of that RLS, in that place, of that priority."""

    rls: str | None = None
    place: str | None = None
    priority: str | None = None


async def patient_of_nam(conn: Connection, nam: str) -> str | None:
    """Return the opaque identifier of whoever has that NAM, as the register writes it."""
    found: str | None = await conn.fetchval("SELECT patient_id FROM patients WHERE nam = $1", nam)
    return found


async def patient(conn: Connection, patient_id: str) -> dict[str, Any] | None:
    """Return where a patient is, or None."""
    return await fetch_one(
        conn,
        """
        SELECT patient_id, place, registered_on, rls, priority, vulnerable, left_on, left_cause
        FROM patients WHERE patient_id = $1
        """,
        patient_id,
    )


_LISTED: Final = Listed(
    "patients",
    "patient_id",
    "SELECT patient_id, number, rls, place, priority, registered_on, vulnerable FROM patients WHERE number",
    {
        "line": By(("t.priority", "t.registered_on", "t.number")),
        "registered": By(("t.registered_on", "t.number")),
    },
    handle="number",
)
_CONDITIONS: Final = ("t.rls = {}", "t.place = {}", "t.priority = {}")
_PRIORITIES: Final = "ABCDE"
_BY_PRIORITY: Final = ("t.rls", "t.priority")
_EVERY_PRIORITY: Final = "(SELECT rls, priority FROM networks, unnest('{A,B,C,D,E}'::text[]) AS priority)"


def _parts(only: RegisterFilter, by: str) -> Sequence[Part] | None:
    """Return the walks of the indexes of an RLS: one each, and by date one a priority, since those follow the line."""
    if by == "registered" and only.priority is None:
        if only.rls is None:
            return (Part(_BY_PRIORITY, source=_EVERY_PRIORITY),)
        return (Part(_BY_PRIORITY, [(only.rls, each) for each in _PRIORITIES]),)
    return (EVERY_RLS,) if only.rls is None else None


async def register(conn: Connection, only: RegisterFilter, asked: Asked) -> Rows:
    """Return a page of the patients."""
    parts = _parts(only, asked.order.by)
    rows = await page_of(conn, _LISTED, given(_CONDITIONS, only), parts, asked)
    return [row | {"cursor": row["patient_id"]} for row in rows]


async def waiting_before(conn: Connection, firsts: Rows, *, from_the_end: bool) -> dict[str, int]:
    """Return how many wait before each of these patients, in their own RLS (A18); one of them a RLS.

    What is counted one by one is only of the patient's priority, and only up to the nearer end of it: from the end,
    whoever comes after is taken away from all who wait.
    """
    sign = ">" if from_the_end else "<"
    rows = await conn.fetch(
        f"""
        SELECT f.rls, c.waiting::bigint, c.beyond::bigint + (
            SELECT count(*) FROM patients p
            WHERE p.rls = f.rls AND p.place = 'waiting' AND p.priority = f.priority
              AND (p.registered_on, p.number) {sign} (f.registered_on, f.number)) AS beyond
        FROM unnest($1::text[], $2::text[], $3::date[], $4::bigint[]) AS f (rls, priority, registered_on, number),
             LATERAL (SELECT coalesce(sum(change), 0) AS waiting,
                             coalesce(sum(change) FILTER (WHERE w.priority {sign} f.priority), 0) AS beyond
                      FROM waiting_changes w WHERE w.rls = f.rls) AS c
        """,  # noqa: S608 - one of two signs
        *([row[name] for row in firsts] for name in ("rls", "priority", "registered_on", "number")),
    )
    if from_the_end:
        return {row["rls"]: row["waiting"] - 1 - row["beyond"] for row in rows}
    return {row["rls"]: row["beyond"] for row in rows}


async def export(
    conn: Connection, only: RegisterFilter, output: Callable[[bytes], Coroutine[Any, Any, None]]
) -> int:
    """Write the register as CSV, with the columns of a file taken in; return how many patients it has.

    They come in the order of their number: a register made from it has its equals in the same order (A18).
    """
    columns = ", ".join(PATIENTS.columns)
    columns = columns.replace("english_attested", "english_attested::text").replace(
        "vulnerable", "vulnerable::text"
    )
    async with conn.transaction():
        await conn.execute("SET LOCAL statement_timeout = 0")
        done = await conn.copy_from_query(
            f"""
            SELECT {columns} FROM patients
            WHERE ($1::text IS NULL OR rls = $1) AND ($2::text IS NULL OR place = $2) ORDER BY number
            """,  # noqa: S608 - the names are those of a constant
            only.rls,
            only.place,
            output=output,
            format="csv",
            header=True,
        )
    return int(done.split()[-1])


async def enrolments_of(conn: Connection, patient_id: str) -> Rows:
    """Return a patient's enrolments, voided ones too, by their start; `end` is the last day included."""
    return await fetch(
        conn,
        """
        SELECT category, physician, lower(period) AS start, upper(period) - 1 AS end, voided, attribution_id,
               basis
        FROM enrolments WHERE patient_id = $1 ORDER BY lower(period), enrolment_id
        """,
        patient_id,
    )
