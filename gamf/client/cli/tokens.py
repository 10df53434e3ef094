"""`gamf account token`: what other software signs in to the API with."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gamf.client.cli import session
from gamf.client.cli.commands import argument, as_json, command, new_group, option, reads_data
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_json
from gamf.client.cli.paging import limited, print_list

if TYPE_CHECKING:
    from gamf.client.reading import Page
    from gamf.client.tokens import TokenView
    from gamf.storage.connection import Connection

token = new_group("token", Text("Les jetons de l’API.", "The tokens of the API."))
_account_argument = argument(
    "account",
    fr="Le compte comme lequel le logiciel agit.",
    en="The account as which the program acts.",
    shown=Text("COMPTE", "ACCOUNT"),
)


@command(
    "add",
    fr="""Créer un jeton pour un logiciel, qui agit comme ce compte ; il est montré une seule fois.

    Par exemple : gamf account token add clinique-a --purpose dossiers""",
    group=token,
)
@_account_argument
@option("--purpose", required=True, shown=Text("BUT", "PURPOSE"), fr="À quoi il sert.", en="What it is for.")
@option(
    "--days",
    type=int,
    default=366,
    show_default=True,
    shown=Text("N", "N"),
    fr="Combien de jours il dure, 366 au plus.",
    en="How many days it lasts, 366 at most.",
)
@reads_data
@as_json
def add(account: str, purpose: str, days: int, data: Path | None, *, json_wanted: bool) -> None:
    """Make a token for a program, which acts as that account; it is shown once.

    For instance: gamf account token add clinic-a --purpose records
    """
    from gamf.client import tokens  # noqa: PLC0415 - keeps `--help` fast

    async def work(conn: "Connection") -> "tuple[str, TokenView]":
        return await tokens.add(conn, session.seat(), account, purpose, days)

    secret, view = session.read(data, work)
    if json_wanted:
        print_json({**view.model_dump(mode="json"), "token": secret})
        return
    click.echo(
        say(
            f"Jeton {view.token_id} du compte {account}, montré cette seule fois :\n{secret}",
            f"Token {view.token_id} of account {account}, shown this once:\n{secret}",
        )
    )


@command("list", fr="Lister les jetons : leur objet, leur fin, leur dernière utilisation.", group=token)
@option(
    "--account", shown=Text("COMPTE", "ACCOUNT"), fr="De ce compte seulement.", en="Of that account only."
)
@limited
@reads_data
@as_json
def list_(account: str | None, limit: int | None, data: Path | None, *, json_wanted: bool) -> None:
    """List the tokens: what each is for, when it ends, when it was last used."""
    from gamf.client import tokens  # noqa: PLC0415 - keeps `--help` fast

    async def fetch(conn: "Connection", after: str | None, most: int) -> "Page[TokenView]":
        return await tokens.list_tokens(conn, session.seat(), account, after=after, limit=most)

    headings = [
        say("Jeton", "Token"),
        say("Compte", "Account"),
        say("But", "Purpose"),
        say("Créé le", "Made on"),
        say("Expire le", "Ends on"),
        say("Dernier usage", "Last used"),
        say("Révoqué le", "Revoked on"),
    ]
    print_list(fetch, headings, _row, data=data, limit=limit, json_wanted=json_wanted)


def _row(view: "TokenView") -> tuple[object, ...]:
    return (
        view.token_id,
        view.account,
        view.purpose,
        view.added_at,
        view.expires_at,
        view.used_at,
        view.revoked_at,
    )


@command("revoke", fr="Révoquer un jeton : il ne vaut plus rien, aussitôt.", group=token)
@argument(
    "token_id",
    type=click.IntRange(1, 2**63 - 1),
    fr="Le numéro du jeton, que « list » montre.",
    en="The token's number, which “list” shows.",
    shown=Text("JETON", "TOKEN"),
)
@reads_data
@as_json
def revoke(token_id: int, data: Path | None, *, json_wanted: bool) -> None:
    """Revoke a token: it is worth nothing from then on."""
    from gamf.client import tokens  # noqa: PLC0415 - keeps `--help` fast

    async def work(conn: "Connection") -> bool:
        return await tokens.revoke(conn, session.seat(), str(token_id))

    changed = session.read(data, work)
    if json_wanted:
        print_json({"token_id": str(token_id), "revoked": True, "changed": changed})
    else:
        click.echo(say(f"Le jeton {token_id} est révoqué.", f"Token {token_id} is revoked."))
