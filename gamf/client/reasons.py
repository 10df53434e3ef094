"""The reasons for which a coordinator cancels an attribution (R5): read, added, edited, no longer offered.

The table is ours, since no list of official codes is published. Each change is a record (A20).
"""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from gamf.client.errors import NotFoundError
from gamf.domain import replacement
from gamf.domain.policy import CURRENT
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.replacement import CancellationReason
from gamf.storage import reasons, records
from gamf.storage.connection import Connection


class Changes(BaseModel):
    """What becomes of a reason; what is None stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label_fr: str | None = None
    label_en: str | None = None
    exceptional: bool | None = None
    active: bool | None = None


async def list_reasons(conn: Connection, *, retired: bool = False) -> tuple[CancellationReason, ...]:
    """Return the reasons that are offered, and with `retired` those that no longer are."""
    return tuple(each for each in await reasons.all_of_them(conn) if each.active or retired)


async def add_reason(
    conn: Connection, new: CancellationReason, *, by: str, now: datetime
) -> CancellationReason:
    """Offer a new reason; the very same one again changes nothing.

    Raises:
        RefusedByRuleError: another reason has that code.
    """
    async with conn.transaction():
        known = await reasons.lock(conn, new.code)
        if known is not None and known != new:
            raise RefusedByRuleError(
                "A20",
                f"Le motif « {new.code} » existe déjà\u00a0; « gamf reason edit » le modifie.",
                f"The reason “{new.code}” exists already; “gamf reason edit” changes it.",
                "code",
            )
        if known is None:
            await reasons.write(conn, new)
            await _keep(conn, new, "added", by, now)
    return new


async def edit_reason(
    conn: Connection, code: str, changes: Changes, *, by: str, now: datetime
) -> CancellationReason:
    """Change a reason's words, or whether it is exceptional, or whether it is offered; give it as it is now.

    Raises:
        NotFoundError: there is no such reason.
        RefusedByRuleError: a label has not the form it should.
    """
    async with conn.transaction():
        known = await reasons.lock(conn, code)
        if known is None:
            raise NotFoundError(
                fr=f"Il n’y a pas de motif « {code} »\u00a0; voyez « gamf reason list ».",
                en=f"There is no reason “{code}”; see “gamf reason list”.",
            )
        asked = known.model_copy(update=changes.model_dump(exclude_none=True))
        edited = replacement.relabelled(asked, asked.label_fr, asked.label_en)
        if edited != known:
            await reasons.write(conn, edited)
            await _keep(conn, edited, "edited", by, now)
    return edited


async def _keep(conn: Connection, reason: CancellationReason, event: str, by: str, now: datetime) -> None:
    await records.append(
        conn,
        "reason",
        reason.code,
        event,
        now,
        by=by,
        argument=reason.model_dump(mode="json"),
        after="offered" if reason.active else "retired",
        rules=("R5", "A20"),
        policy=CURRENT.version,
    )
