"""A block of 20 from the request to the end, each patient by another way: what `gamf demo` plays, and checks.

The people are invented and the servers are real; the years pass by the server's own time skipping, for each
attribution apart, several side by side.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

from dateutil.relativedelta import relativedelta
from pydantic import BaseModel, ConfigDict

from gamf.client import acting, people, reading, training
from gamf.client.acting import Desk
from gamf.client.files import REGISTER
from gamf.client.importing import Import, import_networks, import_physicians, import_register
from gamf.domain.calendar import local_date
from gamf.domain.facts import EnrolledElsewhere
from gamf.domain.states import State
from gamf.runtime.polling import until
from gamf.storage import invariants

SIZE: Final = 20
_TIME_ZONE: Final = "America/Toronto"
_BY: Final = "demo"
_AT_ONCE: Final = 8
_LETTERS_WITHIN: Final = 30
"""Seconds for the last letters to be handed over."""
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Stage:
    """Where a story is played: the services, the physicians, how many stories at a time."""

    desk: Desk
    physician: str
    other_physician: str
    places: asyncio.Semaphore

    async def record(self, attribution_id: str, fact: str, **argument: object) -> dict[str, Any]:
        """Report a fact, as of the attribution's own clock."""
        given = {"by": _BY, **argument}
        now = await training.clock(self.desk, attribution_id)
        return await acting.record_fact(self.desk, attribution_id, fact, given, now=now)

    async def months(self, attribution_id: str, count: int) -> None:
        """Let that many months pass for the attribution."""
        await training.advance(self.desk, attribution_id, relativedelta(months=count))

    async def deadline(self, attribution_id: str) -> dict[str, Any]:
        """Let the attribution's next deadline pass."""
        return await training.pass_deadline(self.desk, attribution_id)

    async def today(self, attribution_id: str) -> str:
        """Return the date on the attribution's own clock."""
        return local_date(await training.clock(self.desk, attribution_id), _TIME_ZONE).isoformat()


# --- the stories -----------------------------------------------------------------------------------------


async def _physician_refuses(stage: Stage, a: str) -> None:
    await stage.record(a, "refused", reason="Le médecin réduit sa pratique")


async def _silent(stage: Stage, a: str) -> None:
    await stage.deadline(a)
    await stage.deadline(a)


async def _patient_refuses(stage: Stage, a: str) -> None:
    await stage.record(a, "patient_refused", ground="Préfère attendre")


async def _visit(stage: Stage, a: str, after_months: int) -> None:
    await stage.record(a, "sv_entered")
    await stage.months(a, after_months)
    await stage.record(a, "mf_signed", signed_on=await stage.today(a))


async def _forgotten(stage: Stage, a: str) -> None:
    await stage.deadline(a)
    await stage.record(a, "window_reopened", opens_on=await stage.today(a), reason="Oubli de la clinique")
    await _visit(stage, a, 2)


async def _dies(stage: Stage, a: str) -> None:
    await stage.record(a, "sv_entered")
    await stage.months(a, 3)
    await stage.record(a, "patient_left", on=await stage.today(a), cause="deceased")


async def _elsewhere(stage: Stage, a: str) -> None:
    await stage.record(a, "sv_entered")
    await stage.months(a, 4)
    view = await acting.show_attribution(stage.desk, a)
    enrolment = EnrolledElsewhere(
        by=_BY,
        physician=stage.other_physician,
        effective_on=date.fromisoformat(await stage.today(a)),
        basis="Inscription hors LE 321",
    )
    now = await training.clock(stage.desk, a)
    await acting.register_enrolled(stage.desk, view["patient_id"], enrolment, now=now)


async def _late_mf(stage: Stage, a: str) -> None:
    await stage.record(a, "sv_entered")
    view = await stage.deadline(a)
    signed = date.fromisoformat(view["term"]) - timedelta(days=5)
    await stage.record(a, "mf_signed", signed_on=signed.isoformat())


async def _never_seen(stage: Stage, a: str) -> None:
    await stage.record(a, "sv_entered")
    await stage.deadline(a)
    await stage.deadline(a)


@dataclass(frozen=True)
class Story:
    """What happens to a patient, and where the rules say it leads."""

    name: str
    fr: str
    en: str
    play: Callable[[Stage, str], Awaitable[None]]
    state: State
    place: str
    letters: tuple[str, ...] = ("attribution",)


def _seen_after(months: int) -> Callable[[Stage, str], Awaitable[None]]:
    async def play(stage: Stage, a: str) -> None:
        await _visit(stage, a, months)

    return play


_BEFORE_THE_ACCEPTANCE: Final = (
    Story(
        "physician_refuses",
        "Le médecin refuse ce patient (A4)",
        "The physician refuses this patient (A4)",
        _physician_refuses,
        State.REFUSED,
        "waiting",
        (),
    ),
    Story(
        "silent",
        "72 heures sans réponse, puis caduque (A2)",
        "72 hours without an answer, then lapsed (A2)",
        _silent,
        State.LAPSED,
        "waiting",
        (),
    ),
)
_YEARS_LONG: Final = (
    Story(
        "never_seen",
        "SV, puis aucune visite au terme (R15)",
        "SV, then no visit by the term (R15)",
        _never_seen,
        State.EXPIRED,
        "waiting",
        ("attribution", "corrective"),
    ),
    Story(
        "late_mf",
        "SV, terme passé, MF signé à temps et reçu en retard (A11)",
        "SV, term over, MF signed in time and received late (A11)",
        _late_mf,
        State.ENROLLED_MF,
        "enrolled",
        ("attribution", "corrective"),
    ),
)
_OTHERS: Final = (
    Story(
        "patient_refuses",
        "Le patient refuse au GACO (R9)",
        "The patient refuses at the GACO (R9)",
        _patient_refuses,
        State.PATIENT_REFUSED,
        "waiting",
        ("attribution", "corrective"),
    ),
    Story(
        "forgotten",
        "Oublié 14 jours, fenêtre rouverte, SV, MF (A6)",
        "Forgotten for 14 days, window reopened, SV, MF (A6)",
        _forgotten,
        State.ENROLLED_MF,
        "enrolled",
    ),
    Story("dies", "SV, puis décès (A15)", "SV, then death (A15)", _dies, State.PATIENT_LEFT, "left"),
    Story(
        "elsewhere",
        "SV, puis inscrit par un autre médecin (A14, A24)",
        "SV, then enrolled by another physician (A14, A24)",
        _elsewhere,
        State.ENROLLED_ELSEWHERE,
        "enrolled",
        ("attribution", "corrective"),
    ),
)


def _seen(number: int) -> Story:
    months = 1 + number % 11
    return Story(
        "seen",
        f"SV, première visite après {months} mois : MF (R2)",
        f"SV, first visit after {months} months: MF (R2)",
        _seen_after(months),
        State.ENROLLED_MF,
        "enrolled",
    )


def cast(listed: Sequence[dict[str, Any]]) -> dict[str, Story]:
    """Give each attribution its story; the longest to those with 36 months, not vulnerable (R14)."""
    ids = [each["attribution_id"] for each in sorted(listed, key=lambda each: bool(each["vulnerable"]))]
    first = (*_YEARS_LONG, *_BEFORE_THE_ACCEPTANCE, *_OTHERS)
    rest = (_seen(number) for number in range(len(ids) - len(first)))
    return dict(zip(ids, (*first, *rest), strict=True))


# --- the play --------------------------------------------------------------------------------------------


class Fate(BaseModel):
    """What became of one patient, and whether it is what the rules say."""

    model_config = ConfigDict(frozen=True)

    attribution_id: str
    patient_id: str
    story: str
    fr: str
    en: str
    state: str
    place: str
    expected_state: str
    expected_place: str
    registered_on: date
    initial_date_kept: bool
    sv: dict[str, Any] | None
    mf: dict[str, Any] | None
    letters: tuple[str, ...]
    as_expected: bool


class Played(BaseModel):
    """The whole block at the end; `violations` are the invariants of rules.md that the rows break."""

    model_config = ConfigDict(frozen=True)

    block_id: str
    block_state: str
    patients: tuple[Fate, ...]
    places: dict[str, int]
    violations: tuple[str, ...]
    seconds: float
    as_expected: bool


async def play(desk: Desk, *, now: datetime, elapsed: Callable[[], float], tell: Tell) -> Played:
    """Play the whole block; `elapsed` gives the seconds since the beginning, `tell` is told how far it is."""
    stage = await _set(desk, now)
    drawn = await acting.request_block(desk, stage.physician, SIZE, by=_BY, now=now)
    block_id = drawn["block_id"]
    dates = await _initial_dates(desk, now)
    approved = await acting.approve_block(desk, block_id, by=_BY)
    stories = cast(approved["list"])
    await _perform(stage, block_id, stories, tell)
    fates = [await _fate(desk, attribution_id, story, dates) for attribution_id, story in stories.items()]
    block = await acting.show_block(desk, block_id)
    async with desk.pool.acquire() as conn:
        broken = [
            f"{v.invariant}: {v.what} ({v.subject} {v.subject_id})" for v in await invariants.violations(conn)
        ]
    whole = block["state"] == "closed" and len(fates) == SIZE and not broken
    return Played(
        block_id=block_id,
        block_state=block["state"],
        patients=tuple(fates),
        places=dict(Counter(fate.place for fate in fates)),
        violations=tuple(broken),
        seconds=round(elapsed(), 1),
        as_expected=whole and all(fate.as_expected for fate in fates),
    )


async def _set(desk: Desk, now: datetime) -> Stage:
    """Take in the invented people: 20 of one RLS, its physician and another one."""
    today = local_date(now, _TIME_ZONE)
    with tempfile.TemporaryDirectory(prefix="gamf-") as folder:
        files = people.write_sample(Path(folder), people=1, physicians=2, today=today)
        _write_register(files.register, today)
        async with desk.pool.acquire() as conn:
            await import_networks(conn, Import(files.networks, now, _BY))
            await import_physicians(conn, Import(files.physicians, now, _BY))
            await import_register(conn, Import(files.register, now, _BY))
    first, second = (row[0] for row in people.make_physicians(2))
    return Stage(desk, first, second, asyncio.Semaphore(_AT_ONCE))


def _write_register(path: Path, today: date) -> None:
    rls = REGISTER.names.index("rls")
    everybody = people.make_people(SIZE * 20, today)
    neighbours = (row for row in everybody if row[rls] == people.RLS[0])
    with path.open("w", encoding="utf-8", newline="") as stream:
        people.write(stream, REGISTER, islice(neighbours, SIZE))


async def _initial_dates(desk: Desk, now: datetime) -> dict[str, date]:
    async with desk.pool.acquire() as conn:
        page = await reading.list_register(conn, as_of=local_date(now, _TIME_ZONE), limit=SIZE)
    return {entry.patient_id: entry.registered_on for entry in page.items}


async def _perform(stage: Stage, block_id: str, stories: dict[str, Story], tell: Tell) -> None:
    first = {a: story for a, story in stories.items() if story in _BEFORE_THE_ACCEPTANCE}
    rest = {a: story for a, story in stories.items() if story not in _BEFORE_THE_ACCEPTANCE}
    done = 0

    async def one(attribution_id: str, story: Story) -> None:
        nonlocal done
        async with stage.places:
            await story.play(stage, attribution_id)
        done += 1
        tell(done, len(stories))

    await asyncio.gather(*(one(a, story) for a, story in first.items()))
    await acting.accept_block(stage.desk, block_id, by=_BY)
    # A letter that has gone is what makes a correction due: it goes before anything else happens.
    await _letters_gone(stage.desk, rest)
    await asyncio.gather(*(one(a, story) for a, story in rest.items()))
    await _letters_gone(stage.desk, rest)


async def _letters_gone(desk: Desk, attribution_ids: Sequence[str] | dict[str, Story]) -> None:
    async def gone() -> bool:
        async with desk.pool.acquire() as conn:
            letters = [each for a in attribution_ids for each in await reading.list_letters(conn, a)]
        return all(each.state in {"sent", "withheld"} for each in letters)

    await until(gone, within_seconds=_LETTERS_WITHIN)


async def _fate(desk: Desk, attribution_id: str, story: Story, dates: dict[str, date]) -> Fate:
    async with desk.pool.acquire() as conn:
        stored = await reading.stored_attribution(conn, attribution_id)
        patient = await reading.show_patient(conn, stored["patient_id"])
    letters = tuple(letter.kind for letter in patient.letters if letter.state == "sent")
    kept = patient.registered_on == dates[patient.patient_id]
    there = (stored["state"], patient.place, letters) == (story.state, story.place, story.letters)
    return Fate(
        attribution_id=attribution_id,
        patient_id=patient.patient_id,
        story=story.name,
        fr=story.fr,
        en=story.en,
        state=stored["state"],
        place=patient.place,
        expected_state=story.state,
        expected_place=story.place,
        registered_on=patient.registered_on,
        initial_date_kept=kept,
        sv=stored["sv"],
        mf=stored["mf"],
        letters=letters,
        as_expected=there and kept and stored["ended_on"] is not None,
    )
