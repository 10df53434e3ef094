"""The letters, by what is known of them."""

from typing import Final

from gamf.storage.connection import Connection
from gamf.storage.pages import Asked, By, Listed, Rows, fetch, given, page_of

_LETTERS: Final = """
    SELECT letter_id, attribution_id, patient_id, kind, standing, dated, state, language, queued_at, sent_at, sha256
    FROM letters
"""
_LISTED: Final = Listed(
    "letters",
    "letter_id",
    f"{_LETTERS} WHERE letter_id",
    {"queued": By(("t.queued_at", "t.letter_id"))},
)


async def letters_of_patient(conn: Connection, patient_id: str) -> Rows:
    """Return a patient's letters, in the order in which they became due."""
    return await fetch(conn, f"{_LETTERS} WHERE patient_id = $1 ORDER BY queued_at, letter_id", patient_id)


async def letters_of_attribution(conn: Connection, attribution_id: str) -> Rows:
    """Return an attribution's letters, in the order in which they became due."""
    return await fetch(
        conn, f"{_LETTERS} WHERE attribution_id = $1 ORDER BY queued_at, letter_id", attribution_id
    )


async def outbox(conn: Connection, state: str | None, asked: Asked) -> Rows:
    """Return a page of the letters with whom they are to, in that state or in all."""
    return await page_of(conn, _LISTED, given(("t.state = {}",), (state,)), None, asked)
