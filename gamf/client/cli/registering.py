"""`gamf register …`: what is recorded of a person besides an attribution; `gamf.client.patients` does it."""

from collections.abc import Awaitable, Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from gamf.client.cli import labels, session
from gamf.client.cli.commands import argument, as_json, command, new_group, option, reads_data
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_fields, print_json, print_table
from gamf.client.cli.values import Day, KeyValue
from gamf.domain.facts import PatientLeft

if TYPE_CHECKING:
    from gamf.client.access import Seat
    from gamf.client.acting import Desk
    from gamf.client.patients import Done
    from gamf.client.reading import PatientView
    from gamf.client.registering import ConditionView
    from gamf.storage.connection import Connection

CAUSES = get_args(PatientLeft.model_fields["cause"].annotation)
"""Why a person leaves the list for good."""
patient_argument = argument(
    "patient",
    fr="L’identifiant opaque du patient, ou son NAM.",
    en="The patient's opaque identifier, or their NAM.",
    shown=Text("PATIENT", "PATIENT"),
)
_reason_option = option(
    "--reason", required=True, shown=Text("MOTIF", "REASON"), fr="Pourquoi (A20).", en="Why (A20)."
)


@command("left", fr="Consigner un décès ou un départ pour de bon, où que soit le patient (A15).")
@patient_argument
@option("--on", required=True, type=Day(), shown=Text("DATE", "DATE"), fr="Date du départ.", en="That day.")
@option("--cause", required=True, type=click.Choice(CAUSES), fr="Pourquoi.", en="Why.")
@reads_data
@as_json
def left(patient: str, on: date, cause: str, data: Path | None, *, json_wanted: bool) -> None:
    """Record a death or a departure for good, wherever the patient is (A15)."""
    from gamf.client import looking, patients  # noqa: PLC0415 - keeps `--help` fast

    seat = session.seat()

    async def act(desk: "Desk") -> "PatientView":
        done = await patients.leave(desk, seat, patient, on, cause)
        async with desk.pool.acquire() as conn:
            return await looking.show_patient(conn, seat, done.patient_id)

    _print(session.act(data, act), json_wanted=json_wanted)


@command("reinstate", fr="Annuler un départ consigné par erreur : de retour à la date initiale (A15).")
@patient_argument
@_reason_option
@reads_data
@as_json
def reinstate(patient: str, reason: str, data: Path | None, *, json_wanted: bool) -> None:
    """Undo a departure recorded in error: back on the list at the initial date (A15)."""
    from gamf.client import patients  # noqa: PLC0415 - keeps `--help` fast

    async def act(conn: "Connection", seat: "Seat") -> "Done":
        return await patients.reinstate(conn, seat, patient, reason)

    _print(_changed(data, act), json_wanted=json_wanted)


@command("move", fr="Consigner un déménagement dans un autre RLS ; la date initiale reste (A18).")
@patient_argument
@option("--to", required=True, shown=Text("RLS", "RLS"), fr="Le nouveau RLS.", en="The new RLS.")
@option(
    "--on", required=True, type=Day(), shown=Text("DATE", "DATE"), fr="Depuis ce jour.", en="Since that day."
)
@_reason_option
@reads_data
@as_json
def move(patient: str, to: str, on: date, reason: str, data: Path | None, *, json_wanted: bool) -> None:
    """Record a move to another RLS; the initial date stays (A18)."""
    from gamf.client import patients  # noqa: PLC0415 - keeps `--help` fast

    async def act(conn: "Connection", seat: "Seat") -> "Done":
        return await patients.move(conn, seat, patient, to, on, reason)

    _print(_changed(data, act), json_wanted=json_wanted)


@command(
    "correct",
    fr="""Corriger une adresse, un téléphone, un courriel, la langue ou le représentant (A20).

    Par exemple : gamf register correct PATIENT address="12, rue Inventée" phone="418 555-0102" --reason "…".
    Une valeur vide efface un courriel, un téléphone ou un représentant.""",
)
@patient_argument
@argument(
    "given",
    nargs=-1,
    type=KeyValue(),
    fr="champ=valeur, par exemple phone=418 555-0102.",
    en="field=value, for instance phone=418 555-0102.",
    shown=Text("CHAMP=VALEUR", "FIELD=VALUE"),
)
@_reason_option
@reads_data
@as_json
def correct(
    patient: str, given: tuple[tuple[str, str], ...], reason: str, data: Path | None, *, json_wanted: bool
) -> None:
    """Correct an address, a telephone, an e-mail, the language or the representative (A20).

    For instance: gamf register correct PATIENT address="12, rue Inventée" phone="418 555-0102" --reason "…".
    An empty value removes an e-mail, a telephone or a representative.
    """
    from gamf.client import patients  # noqa: PLC0415 - keeps `--help` fast

    async def work(conn: "Connection") -> "Done":
        return await patients.correct(conn, session.seat(), patient, dict(given), reason)

    done = session.read(data, work)
    if json_wanted:
        print_json({"patient_id": done.patient_id, "changed": list(done.fields)})
    else:
        words = ", ".join(done.fields) or say("rien : tout y était déjà", "nothing: all was there already")
        print_fields([("Patient", done.patient_id), (say("Corrigé", "Corrected"), words)])


# --- conditions -------------------------------------------------------------------------------------------------------

condition = new_group(
    "condition",
    Text(
        "Les conditions de vulnérabilité, à partir de la première visite (R13).",
        "Vulnerability conditions, from the first visit on (R13).",
    ),
)


@command("add", fr="Consigner une condition, dès la première visite (R13).", group=condition)
@patient_argument
@argument("code", fr="Un code de la table.", en="A code of the table.", shown=Text("CODE", "CODE"))
@option("--on", required=True, type=Day(), shown=Text("DATE", "DATE"), fr="Date.", en="Date.")
@reads_data
@as_json
def add(patient: str, code: str, on: date, data: Path | None, *, json_wanted: bool) -> None:
    """Record a condition, from the first visit on (R13)."""
    from gamf.client import patients  # noqa: PLC0415 - keeps `--help` fast

    async def work(conn: "Connection") -> tuple["ConditionView", ...]:
        return await patients.record_condition(conn, session.seat(), patient, code, on)

    _print_conditions(session.read(data, work), json_wanted=json_wanted)


@command("list", fr="Lister les conditions d’un patient ; la consultation est consignée.", group=condition)
@patient_argument
@reads_data
@as_json
def list_(patient: str, data: Path | None, *, json_wanted: bool) -> None:
    """List a patient's conditions; that they were read is recorded."""
    from gamf.client import looking  # noqa: PLC0415 - keeps `--help` fast

    async def work(conn: "Connection") -> tuple["ConditionView", ...]:
        return await looking.read_conditions(conn, session.seat(), patient)

    _print_conditions(session.read(data, work), json_wanted=json_wanted)


@command("withdraw", fr="Retirer une condition consignée par erreur, avec un motif (A20).", group=condition)
@argument(
    "condition_id",
    type=click.IntRange(1, 2**63 - 1),
    fr="Son numéro, que donne « condition list ».",
    en="Its number, which “condition list” gives.",
    shown=Text("NUMÉRO", "NUMBER"),
)
@_reason_option
@reads_data
@as_json
def withdraw(condition_id: int, reason: str, data: Path | None, *, json_wanted: bool) -> None:
    """Withdraw a condition recorded in error, with a reason (A20)."""
    from gamf.client import patients  # noqa: PLC0415 - keeps `--help` fast

    async def work(conn: "Connection") -> tuple["ConditionView", ...]:
        return await patients.withdraw_condition(conn, session.seat(), condition_id, reason)

    _print_conditions(session.read(data, work), json_wanted=json_wanted)


@command("codes", fr="Lister les codes de la table, qui sont les nôtres.", group=condition)
@reads_data
@as_json
def codes(data: Path | None, *, json_wanted: bool) -> None:
    """List the codes of the table, which are ours."""
    from gamf.client import patients  # noqa: PLC0415 - keeps `--help` fast

    found = session.read(data, partial(patients.list_codes, seat=session.seat()))
    if json_wanted:
        print_json(found)
        return
    headings = ["Code", say("Libellé", "Label"), say("Origine", "Origin")]
    print_table(headings, [(each.code, say(each.label_fr, each.label_en), each.origin) for each in found])


def _print_conditions(found: tuple["ConditionView", ...], *, json_wanted: bool) -> None:
    if json_wanted:
        print_json(found)
        return
    headings = [
        say("Numéro", "Number"),
        "Code",
        say("Condition", "Condition"),
        "Date",
        say("Par", "By"),
        say("Retirée", "Withdrawn"),
    ]
    rows = [
        (c.condition_id, c.code, say(c.label_fr, c.label_en), c.noted_on, c.by, c.withdrawn_for)
        for c in found
    ]
    print_table(headings, rows)


# --- what they share --------------------------------------------------------------------------------------------------


def _changed(data: Path | None, act: "Callable[[Connection, Seat], Awaitable[Done]]") -> "PatientView":
    from gamf.client import looking  # noqa: PLC0415 - keeps `--help` fast

    async def work(conn: "Connection") -> "PatientView":
        seat = session.seat()
        done = await act(conn, seat)
        return await looking.show_patient(conn, seat, done.patient_id)

    return session.read(data, work)


def _print(view: "PatientView", *, json_wanted: bool) -> None:
    if json_wanted:
        print_json(view)
        return
    print_fields(
        [
            ("Patient", view.patient_id),
            (say("Lieu", "Place"), labels.label(labels.PLACES, view.place)),
            (say("Parti le", "Left on"), view.left_on),
            (say("Inscrit le", "Registered on"), view.registered_on),
            ("RLS", view.rls),
        ]
    )
