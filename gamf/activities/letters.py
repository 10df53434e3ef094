"""Letters: read from the tables, made into PDF, handed to a carrier, once (R7, A25, invariant 4)."""

import asyncio
import hashlib
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from temporalio import activity
from temporalio.exceptions import ApplicationError

from gamf.activities.transitions import SYSTEM
from gamf.domain.effects import TaskKind
from gamf.letters.carriers import Carrier, CarrierError, Envelope
from gamf.letters.content import AccessPoint, Heading, LetterContent, Practice, Recipient, compose
from gamf.letters.render import LetterRenderer, RenderError
from gamf.storage import letters
from gamf.storage.connection import Connection, Pool


class LetterDue(BaseModel):
    """A letter to hand over; `at` is the workflow's instant, written as when it went."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    letter_id: str
    at: datetime


class LetterActivities:
    """Sends letters."""

    def __init__(self, pool: Pool, renderer: LetterRenderer, carrier: Carrier) -> None:
        """Read from that pool and hand over to that carrier, which takes the same letter once."""
        self._pool = pool
        self._renderer = renderer
        self._carrier = carrier

    @activity.defn
    async def send_letter(self, due: LetterDue) -> Literal["sent", "withheld"]:
        """Hand a letter to the carrier, unless it went before or is withheld (A15)."""
        async with self._pool.acquire() as conn:
            before = await letters.claim(conn, due.letter_id)
            if before in {"sent", "withheld"}:
                return "sent" if before == "sent" else "withheld"
            content = await letter_content(conn, due.letter_id)
        handed = letters.Handed(due.at, content.language, await self._hand_over(due, content), SYSTEM)
        async with self._pool.acquire() as conn:
            await letters.sent(conn, due.letter_id, handed, TaskKind.LETTER_NOT_SENT)
        return "sent"

    async def _hand_over(self, due: LetterDue, content: LetterContent) -> str:
        """Print the letter and give it to the carrier; what no later try would change is not tried again."""
        try:
            pdf = await asyncio.to_thread(self._renderer.render, content)
            envelope = Envelope(kind=content.kind, language=content.language, handed_at=due.at)
            await self._carrier.hand_over(due.letter_id, pdf, envelope)
        except RenderError as error:
            raise ApplicationError(str(error), type="RenderError", non_retryable=True) from None
        except CarrierError as error:
            raise ApplicationError(
                str(error), type="CarrierError", non_retryable=not error.temporary
            ) from None
        return hashlib.sha256(pdf).hexdigest()


async def letter_content(conn: Connection, letter_id: str) -> LetterContent:
    """Return all that a letter says; raise `LookupError` when there is no such letter."""
    parts = await letters.parts(conn, letter_id)
    if parts is None:
        raise LookupError(letter_id)
    return _compose(parts)


def _compose(p: dict[str, Any]) -> LetterContent:
    return compose(
        Heading(
            letter_id=p["letter_id"], reference=p["attribution_id"], dated=p["dated"], standing=p["standing"]
        ),
        Recipient(
            name=f"{p['first_name']} {p['last_name']}",
            birth_date=p["birth_date"],
            representative=p["representative"],
            address=p["address"],
            city=p["city"],
            postal_code=p["postal_code"],
            language=p["language"],
            english_attested=p["english_attested"],
            registered_on=p["registered_on"],
        ),
        Practice(
            physician_name=f"{p['physician_first_name']} {p['physician_last_name']}",
            place=p["place"],
            address=p["place_address"],
            city=p["place_city"],
        ),
        AccessPoint(name=p["gaco_name"], phone=p["gaco_phone"]),
    )
