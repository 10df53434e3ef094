"""The replacement of a cancelled patient (R5, A17): part of the transaction that cancels, so drawn once or never."""

from gamf.domain import effects, replacement
from gamf.domain.attribution import Transition
from gamf.domain.draw import Candidate
from gamf.domain.effects import Owner, TaskKind
from gamf.domain.model import Start, Subject
from gamf.domain.tasks import due
from gamf.storage import (
    attributions,
    blocks,
    numbers,
    patients,
    physicians,
    reasons,
    records,
    replacements,
    tasks,
)
from gamf.storage.connection import Connection


async def attribute_another(conn: Connection, t: Transition, effect: effects.Replace) -> Start | None:
    """Attribute another patient of the same priority; return what starts it, or None, with a task, for lack of anybody.

    A reason that is not exceptional brings nobody and no task.
    """
    cancelled = t.subject
    if not replacement.is_replaced(await reasons.find(conn, effect.reason)):
        return None
    await blocks.one_draw_at_a_time(conn, cancelled.rls)
    chosen = await _chosen(conn, cancelled)
    if chosen is None:
        await _ask(conn, t, effect)
        return None
    number = await numbers.next_number(conn, "attribution", t.at.year)
    taken = replacement.attribute(cancelled, chosen, number, t.at, t.by, effect.policy)
    begun, new = taken.transition, taken.attribution.start
    await patients.attribute(conn, new.patient_id, new.attribution_id)
    await attributions.insert(conn, new, begun.policy, begun.deadline, replaces=cancelled.attribution_id)
    await replacements.put_on_list(conn, new)
    await records.append_transition(conn, begun, {})
    return new


async def _ask(conn: Connection, t: Transition, effect: effects.Replace) -> None:
    s = t.subject
    until = due(t.at, effect.policy, s.time_zone)
    kind, owner = TaskKind.NO_REPLACEMENT, Owner.COORDINATOR
    await tasks.open_(conn, s.attribution_id, kind, owner, t.number, t.at, until)


async def _chosen(conn: Connection, cancelled: Subject) -> Candidate | None:
    if not replacement.may_receive(await physicians.applicant(conn, cancelled.physician), cancelled.rls):
        return None
    return replacement.choose(await replacements.first_waiting(conn, cancelled), cancelled)
