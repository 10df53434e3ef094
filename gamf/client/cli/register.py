"""`gamf register`: the patients, from the list to wherever they are."""

from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gamf.client.cli import labels, session
from gamf.client.cli.attribution import period
from gamf.client.cli.commands import as_json, command, new_group, option, reads_data
from gamf.client.cli.importing import take_in, takes_file
from gamf.client.cli.language import Text, say
from gamf.client.cli.letter import print_letters
from gamf.client.cli.output import print_fields, print_json, print_table, private_output
from gamf.client.cli.paging import limited, print_list, sorted_by
from gamf.client.cli.registering import condition, correct, left, move, patient_argument, reinstate
from gamf.client.cli.values import LICENCE, Day, OutputFile
from gamf.domain.calendar import PROVINCE, local_date
from gamf.domain.orders import Listing, Order

if TYPE_CHECKING:
    from gamf.client.acting import Desk
    from gamf.client.cli.importing import Take
    from gamf.client.reading import Page, PatientView, RegisterEntry
    from gamf.storage.connection import Connection

register = new_group("register", Text("Les patients de la liste.", "The patients on the list."))
for _command in (left, reinstate, move, correct, condition):
    register.add_command(_command)
_rls_option = option("--rls", shown=Text("RLS", "RLS"), fr="De ce RLS.", en="Of that RLS.")
_place_option = option(
    "--place", type=click.Choice(list(labels.PLACES)), fr="En ce lieu.", en="In that place."
)


def _take() -> "Take":
    from gamf.client.importing import import_register  # noqa: PLC0415 - keeps `--help` fast

    return import_register


@command(
    "import",
    fr="Prendre des patients d’un fichier CSV ; un NAM déjà connu garde sa date d’inscription initiale.",
    group=register,
)
@takes_file
def import_(
    file: Path, data: Path | None, *, skip_faulty: bool, faulty_to: Path | None, json_wanted: bool
) -> None:
    """Take patients in from a CSV file; a NAM already known keeps its initial registration date."""
    take_in(_take, file, data, skip_faulty=skip_faulty, faulty_to=faulty_to, json_wanted=json_wanted)


@command("show", fr="Dire où est un patient : lieu, attributions, inscriptions, lettres.", group=register)
@patient_argument
@reads_data
@as_json
def show(patient: str, data: Path | None, *, json_wanted: bool) -> None:
    """Say where a patient is: place, attributions, enrolments, letters."""
    from gamf.client import looking  # noqa: PLC0415 - keeps `--help` fast

    view = session.read(data, partial(looking.show_patient, seat=session.seat(), patient=patient))
    if json_wanted:
        print_json(view)
    else:
        _print_patient(view)


@command(
    "list",
    fr="Lister les patients dans l’ordre de la liste (A18), avec l’attente et le rang de chacun.",
    group=register,
)
@_rls_option
@_place_option
@option("--priority", type=click.Choice(list("ABCDE")), fr="De cette priorité.", en="Of that priority.")
@option(
    "--as-of",
    type=Day(),
    shown=Text("DATE", "DATE"),
    fr="Jour auquel compter l’attente (aujourd’hui, sinon).",
    en="Day on which waiting times are counted (else today).",
)
@sorted_by(Listing.REGISTER)
@limited
@reads_data
@as_json
def list_(
    rls: str | None,
    place: str | None,
    priority: str | None,
    as_of: date | None,
    sort: Order | None,
    limit: int | None,
    data: Path | None,
    *,
    json_wanted: bool,
) -> None:
    """List the patients in the order of the list (A18), with how long each has waited and their place in line."""
    from gamf.client import looking  # noqa: PLC0415 - keeps `--help` fast
    from gamf.storage.lists import RegisterFilter  # noqa: PLC0415 - the same

    only, seat = RegisterFilter(rls, place, priority), session.seat()
    day = as_of or local_date(seat.now, PROVINCE)

    async def fetch(conn: "Connection", after: str | None, most: int) -> "Page[RegisterEntry]":
        return await looking.list_register(conn, seat, only, as_of=day, order=sort, after=after, limit=most)

    headings = [
        "Patient",
        "RLS",
        say("Lieu", "Place"),
        say("Priorité", "Priority"),
        say("Inscrit le", "Registered on"),
        say("Vulnérable", "Vulnerable"),
        say("Jours d’attente", "Days waiting"),
        say("Rang", "In line"),
    ]
    print_list(fetch, headings, _row, data=data, limit=limit, json_wanted=json_wanted)


def _row(entry: "RegisterEntry") -> tuple[object, ...]:
    place = labels.label(labels.PLACES, entry.place)
    who = (entry.patient_id, entry.rls, place, entry.priority, entry.registered_on, entry.vulnerable)
    return (*who, entry.waiting_days, entry.position)


@command(
    "export",
    fr="""Écrire le registre en CSV, avec les colonnes que prend « gamf register import ».

    Le fichier contient des renseignements personnels : gardez-le comme tel.""",
    group=register,
)
@_rls_option
@_place_option
@option(
    "--to",
    "target",
    type=OutputFile(),
    shown=Text("FICHIER.csv", "FILE.csv"),
    fr="Où écrire (la sortie standard, sinon).",
    en="Where to write (else the standard output).",
)
@reads_data
def export(rls: str | None, place: str | None, target: Path | None, data: Path | None) -> None:
    """Write the register as CSV, with the columns that “gamf register import” takes.

    The file holds personal information: keep it as such.
    """
    from gamf.client import looking  # noqa: PLC0415 - keeps `--help` fast

    async def work(conn: "Connection") -> int:
        with private_output(target) as output:

            async def write(block: bytes) -> None:
                output.write(block)

            return await looking.export_register(conn, session.seat(), write, rls=rls, place=place)

    count = session.read(data, work)
    click.echo(say(f"{count} patient(s).", f"{count} patient(s)."), err=True)


@command(
    "enrolled",
    fr="Consigner une inscription hors LE 321 (A24), qui termine une attribution ou retire de la liste.",
    group=register,
)
@patient_argument
@option(
    "--physician",
    required=True,
    type=LICENCE,
    shown=Text("PERMIS", "LICENCE"),
    fr="Permis du médecin.",
    en="The physician's licence.",
)
@option(
    "--on", required=True, type=Day(), shown=Text("DATE", "DATE"), fr="Prise d’effet.", en="Effective date."
)
@option(
    "--basis", required=True, shown=Text("FONDEMENT", "BASIS"), fr="Fondement juridique.", en="Legal basis."
)
@reads_data
@as_json
def enrolled(
    patient: str, physician: str, on: date, basis: str, data: Path | None, *, json_wanted: bool
) -> None:
    """Record an enrolment outside LE 321 (A24), which ends an attribution or takes off the list."""
    from gamf.client import deciding, looking  # noqa: PLC0415 - keeps `--help` fast
    from gamf.domain import facts  # noqa: PLC0415 - the same

    given = {"by": session.account(), "physician": physician, "effective_on": on.isoformat(), "basis": basis}
    facts.parse(facts.EnrolledElsewhere.name, given)
    enrolment = facts.EnrolledElsewhere(by=given["by"], physician=physician, effective_on=on, basis=basis)

    async def act(desk: "Desk") -> "PatientView":
        seat = session.seat()
        patient_id = await deciding.register_enrolled(desk, seat, patient, enrolment)
        async with desk.pool.acquire() as conn:
            return await looking.show_patient(conn, seat, patient_id)

    view = session.act(data, act)
    if json_wanted:
        print_json(view)
    else:
        _print_patient(view)


def _print_patient(view: "PatientView") -> None:
    print_fields(
        [
            ("Patient", view.patient_id),
            (say("Lieu", "Place"), labels.label(labels.PLACES, view.place)),
            (say("Parti le", "Left on"), view.left_on),
            (say("Inscrit le", "Registered on"), view.registered_on),
            ("RLS", view.rls),
            (say("Priorité", "Priority"), view.priority),
            (say("Vulnérable", "Vulnerable"), view.vulnerable),
        ]
    )
    if view.attributions:
        click.echo()
        headings = [
            say("Attribution", "Attribution"),
            say("Médecin", "Physician"),
            say("État", "State"),
            say("Échéance", "Deadline"),
        ]
        print_table(
            headings,
            [
                (
                    a.attribution_id,
                    a.physician,
                    labels.state(a.state),
                    a.deadline and labels.until(a.deadline, a.time_zone),
                )
                for a in view.attributions
            ],
        )
    if view.enrolments:
        click.echo()
        headings = [
            say("Inscription", "Enrolment"),
            say("Médecin", "Physician"),
            say("Dates", "Dates"),
            say("Fondement", "Basis"),
        ]
        print_table(
            headings,
            [(e.category, e.physician, period(e.model_dump(mode="json")), e.basis) for e in view.enrolments],
        )
    if view.letters:
        click.echo()
        print_letters(view.letters)
