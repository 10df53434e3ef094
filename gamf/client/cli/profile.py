"""`gamf network profile`: the population profile that the blocks of an RLS follow (R4)."""

import csv
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from gamf.client.cli import labels, session
from gamf.client.cli.commands import argument, as_json, command, new_group, option, reads_data
from gamf.client.cli.importing import take_in
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_fields, print_json, print_table
from gamf.client.cli.values import InputFile

if TYPE_CHECKING:
    from gamf.client.cli.importing import Take
    from gamf.client.profile import ProfileView
    from gamf.storage.connection import Connection

_COLUMNS: Final = ("vulnerable", "ages", "share")

profile = new_group(
    "profile",
    Text(
        "Le profil de population d’un RLS, que suivent ses blocs (R4).",
        "The population profile of an RLS, which its blocks follow (R4).",
    ),
)
_rls_argument = argument("rls", fr="Le code du RLS.", en="The code of the RLS.", shown=Text("RLS", "RLS"))


@command("show", fr="Montrer le profil que suivrait un bloc demandé maintenant.", group=profile)
@_rls_argument
@option(
    "--csv",
    "csv_wanted",
    is_flag=True,
    fr="L’écrire en CSV, tel que « gamf network profile set » le prend.",
    en="Write it as the CSV that “gamf network profile set” takes.",
)
@reads_data
@as_json
def show(rls: str, data: Path | None, *, csv_wanted: bool, json_wanted: bool) -> None:
    """Show the profile that a block asked for now would follow."""
    found = session.read(data, partial(_shown, rls))
    if json_wanted:
        print_json(found)
    elif csv_wanted:
        _print_csv(found)
    else:
        _print(found)


@command(
    "set",
    fr="Fixer le profil d’un RLS : la part de chaque groupe en %, dans un CSV vulnerable, ages, share.",
    group=profile,
)
@_rls_argument
@argument(
    "file",
    type=InputFile(),
    fr="Fichier CSV, en UTF-8, avec une ligne d’en-tête ; « show --csv » en donne un.",
    en="CSV file, in UTF-8, with a header line; “show --csv” gives one.",
    shown=Text("FICHIER.csv", "FILE.csv"),
)
@reads_data
@as_json
def set_(rls: str, file: Path, data: Path | None, *, json_wanted: bool) -> None:
    """Set the profile of an RLS: the share of each group in %, in a CSV of vulnerable, ages, share."""

    def take() -> "Take":
        from gamf.client.deciding_profiles import set_from_file  # noqa: PLC0415 - keeps `--help` fast

        return lambda conn, what, progress: set_from_file(conn, session.seat(), rls, what, progress)

    take_in(take, file, data, skip_faulty=False, faulty_to=None, json_wanted=json_wanted)


@command(
    "reset",
    fr="Revenir au profil de la liste d’attente : les parts sont celles des personnes qui attendent.",
    group=profile,
)
@_rls_argument
@reads_data
@as_json
def reset(rls: str, data: Path | None, *, json_wanted: bool) -> None:
    """Go back to the profile of the waiting list: the shares are those of the people who wait."""
    was_set, found = session.read(data, partial(_reset, rls))
    if json_wanted:
        print_json(found)
        return
    click.echo(
        say("Le profil fixé ne s’applique plus.", "The profile that was set no longer applies.")
        if was_set
        else say("Aucun profil n’était fixé.", "No profile was set.")
    )
    _print(found)


async def _shown(rls: str, conn: "Connection") -> "ProfileView":
    from gamf.client.deciding_profiles import show  # noqa: PLC0415 - keeps `--help` fast

    return await show(conn, session.seat(), rls)


async def _reset(rls: str, conn: "Connection") -> "tuple[bool, ProfileView]":
    from gamf.client.deciding_profiles import reset  # noqa: PLC0415 - keeps `--help` fast

    was_set = await reset(conn, session.seat(), rls)
    return was_set, await _shown(rls, conn)


def _print_csv(found: "ProfileView") -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows((str(each.vulnerable).lower(), each.ages, f"{each.share:.4f}") for each in found.groups)


def _print(found: "ProfileView") -> None:
    print_fields(
        [
            ("RLS", found.rls),
            (say("Profil", "Profile"), labels.label(labels.PROFILES, found.source)),
            (say("Fixé par", "Set by"), found.set_by),
            (say("Fixé le", "Set at"), found.set_at),
            (say("Âges au", "Ages on"), found.ages_on),
        ]
    )
    click.echo()
    headings = [
        say("Vulnérable", "Vulnerable"),
        say("Âges", "Ages"),
        say("Part (%)", "Share (%)"),
        say("En attente", "Waiting"),
    ]
    rows = [
        (each.vulnerable, labels.ages(each.ages), f"{each.share:.2f}", each.waiting) for each in found.groups
    ]
    print_table(headings, rows)
