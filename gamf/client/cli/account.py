"""`gamf account`: who may sign in to the console and the API, and as what."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from gamf.client.cli import session
from gamf.client.cli.commands import argument, as_json, command, new_group, option, reads_data
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_json
from gamf.client.cli.paging import limited, print_list
from gamf.client.cli.tokens import token
from gamf.client.cli.values import LICENCE

if TYPE_CHECKING:
    from gamf.client.accounts import AccountView
    from gamf.client.reading import Page
    from gamf.domain.roles import Grant
    from gamf.storage.connection import Connection

account = new_group(
    "account", Text("Les comptes de la console et de l’API.", "Accounts of the console and the API.")
)
account.add_command(token)
_account_argument = argument(
    "account",
    fr="Le nom du compte, qui sera « by » sur chaque fait.",
    en="The account's name, which will be “by” on every fact.",
    shown=Text("COMPTE", "ACCOUNT"),
)
_password_option = option(
    "--password-file",
    type=click.File("r", encoding="utf-8"),
    shown=Text("FICHIER", "FILE"),
    fr="Prendre le mot de passe de ce fichier (- : l’entrée standard), plutôt qu’en créer un.",
    en="Take the password from that file (-: the standard input) rather than make one up.",
)

_subject_option = option(
    "--subject",
    shown=Text("SUB", "SUB"),
    fr="L’identifiant de cette personne chez le fournisseur d’identité (« sub »).",
    en="What the identity provider calls that person (“sub”).",
)
_issuer_option = option(
    "--issuer",
    shown=Text("URL", "URL"),
    fr="Le fournisseur d’identité, plutôt que celui de GAMF_OIDC_ISSUER.",
    en="The identity provider, rather than that of GAMF_OIDC_ISSUER.",
)


def _grants_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that give roles; the function takes them as `**granted`."""
    shown_rls, shown_licence = Text("RLS", "RLS"), Text("PERMIS", "LICENCE")
    options = (
        option(
            "--coordinator",
            multiple=True,
            shown=shown_rls,
            fr="Coordonnateur de ce RLS.",
            en="Coordinator of that RLS.",
        ),
        option("--gaco", multiple=True, shown=shown_rls, fr="GACO de ce RLS.", en="GACO of that RLS."),
        option(
            "--clinic",
            multiple=True,
            type=LICENCE,
            shown=shown_licence,
            fr="Personnel de clinique, pour ce médecin.",
            en="Clinic staff, for that physician.",
        ),
        option("--ramq", is_flag=True, fr="La RAMQ.", en="RAMQ."),
        option(
            "--auditor",
            is_flag=True,
            fr="Vérificateur : voit tout, ne décide rien.",
            en="Auditor: sees all, decides nothing.",
        ),
        option("--operator", is_flag=True, fr="Exploitant : peut tout.", en="Operator: may do everything."),
    )
    for each in reversed(options):
        function = each(function)
    return function


def _grants(granted: dict[str, Any]) -> "list[Grant]":
    from gamf.domain.roles import LIMITS, Reach, Role, grant  # noqa: PLC0415 - keeps `--help` fast

    roles = (Role(name) for name, value in granted.items() if value)
    return [grant(role, () if LIMITS[role] is Reach.ALL else granted[role]) for role in roles]


@command(
    "add",
    fr="""Créer un compte, avec un rôle ou plusieurs ; un mot de passe à changer est créé et montré une seule fois.

    Avec --subject, le compte est lié à cette personne chez le fournisseur d’identité et n’a pas de mot de passe.

    Par exemple : gamf account add mtremblay --coordinator 1234""",
    group=account,
)
@_account_argument
@_grants_options
@_password_option
@_subject_option
@_issuer_option
@reads_data
@as_json
def add(
    account: str,
    data: Path | None,
    *,
    password_file: TextIO | None,
    subject: str | None,
    issuer: str | None,
    json_wanted: bool,
    **granted: Any,  # noqa: ANN401 - click's
) -> None:
    """Make an account, with one role or more; a password to be changed is made up and shown once.

    With --subject, the account is linked to that person at the identity provider and has no password.

    For instance: gamf account add mtremblay --coordinator 1234
    """
    from gamf.client import accounts  # noqa: PLC0415 - keeps `--help` fast

    given, grants = _given(password_file), _grants(granted)
    if subject is not None:
        _add_linked(account, grants, _issuer(issuer), subject, data, json_wanted=json_wanted)
        return

    async def work(conn: "Connection") -> str:
        return await accounts.add(conn, session.seat(), account, grants, given)

    _print_password(account, session.read(data, work), given=given, json_wanted=json_wanted)


def _add_linked(
    account: str, grants: "list[Grant]", issuer: str, subject: str, data: Path | None, *, json_wanted: bool
) -> None:
    from gamf.client import identities  # noqa: PLC0415 - keeps `--help` fast

    async def work(conn: "Connection") -> None:
        await identities.add(conn, session.seat(), account, grants, identities.Person(issuer, subject))

    session.read(data, work)
    if json_wanted:
        print_json({"account": account, "password": None})
    else:
        click.echo(_linked_words(account))


def _linked_words(account: str) -> str:
    return say(
        f"Compte {account} : sa session s’ouvre chez le fournisseur d’identité.",
        f"Account {account}: one signs in to it at the identity provider.",
    )


def _issuer(given: str | None) -> str:
    """Return the provider that is meant.

    Raises:
        SettingsFault: none is named, here nor in the settings.
    """
    from gamf.runtime.errors import SettingsFault  # noqa: PLC0415 - keeps `--help` fast
    from gamf.runtime.settings import Settings  # noqa: PLC0415 - the same

    issuer = given or Settings.load().oidc_issuer
    if issuer is None:
        raise SettingsFault(
            fr="Nommez le fournisseur d’identité : GAMF_OIDC_ISSUER ou --issuer.",
            en="Name the identity provider: GAMF_OIDC_ISSUER or --issuer.",
        )
    return issuer


def _given(password_file: TextIO | None) -> str | None:
    return None if password_file is None else password_file.read().removesuffix("\n").removesuffix("\r")


def _print_password(account: str, password: str, *, given: str | None, json_wanted: bool) -> None:
    """Print a password that was made up, once; one that was given is known already."""
    if json_wanted:
        print_json({"account": account, "password": None if given else password})
    elif given is None:
        click.echo(
            say(
                f"Compte {account}. Mot de passe, à changer à la première ouverture de session :\n{password}",
                f"Account {account}. Password, to be changed at the first sign-in:\n{password}",
            )
        )
    else:
        click.echo(
            say(
                f"Compte {account} : le mot de passe donné est à changer à la première ouverture de session.",
                f"Account {account}: the given password is to be changed at the first sign-in.",
            )
        )


@command(
    "password",
    fr="Donner à un compte un nouveau mot de passe, à changer ; ses sessions sont fermées.",
    group=account,
)
@_account_argument
@_password_option
@reads_data
@as_json
def password(account: str, data: Path | None, *, password_file: TextIO | None, json_wanted: bool) -> None:
    """Give an account another password, to be changed; its sessions are ended."""
    from gamf.client import accounts  # noqa: PLC0415 - keeps `--help` fast

    given = _given(password_file)

    async def work(conn: "Connection") -> str:
        return await accounts.set_password(conn, session.seat(), account, given)

    _print_password(account, session.read(data, work), given=given, json_wanted=json_wanted)


@command("roles", fr="Remplacer les rôles d’un compte.", group=account)
@_account_argument
@_grants_options
@reads_data
@as_json
def roles(account: str, data: Path | None, *, json_wanted: bool, **granted: Any) -> None:  # noqa: ANN401 - click's
    """Replace the roles of an account."""
    from gamf.client import accounts  # noqa: PLC0415 - keeps `--help` fast

    grants = _grants(granted)

    async def work(conn: "Connection") -> "AccountView":
        await accounts.set_roles(conn, session.seat(), account, grants)
        return await accounts.show(conn, account)

    view = session.read(data, work)
    if json_wanted:
        print_json(view)
    else:
        click.echo(f"{account} : {_roles(view)}" if view.grants else account)


@command("disable", fr="Fermer un compte et ses sessions, aussitôt ; avec --undo, le rouvrir.", group=account)
@_account_argument
@option("--undo", is_flag=True, fr="Rouvrir le compte.", en="Open the account again.")
@reads_data
@as_json
def disable(account: str, data: Path | None, *, undo: bool, json_wanted: bool) -> None:
    """Close an account and its sessions at once; with --undo, open it again."""
    from gamf.client import accounts  # noqa: PLC0415 - keeps `--help` fast

    async def work(conn: "Connection") -> bool:
        return await (accounts.enable if undo else accounts.disable)(conn, session.seat(), account)

    changed = session.read(data, work)
    if json_wanted:
        print_json({"account": account, "disabled": not undo, "changed": changed})
    elif undo:
        click.echo(say(f"Le compte {account} est ouvert.", f"Account {account} is open."))
    else:
        click.echo(say(f"Le compte {account} est fermé.", f"Account {account} is closed."))


@command(
    "link",
    fr="""Lier un compte à une personne chez le fournisseur d’identité ; avec --undo, défaire le lien.

    Défaire le lien ferme les sessions du compte aussitôt. Par exemple : gamf account link mtremblay --subject 7f3a""",
    group=account,
)
@_account_argument
@_subject_option
@_issuer_option
@option("--undo", is_flag=True, fr="Défaire le lien.", en="Undo the link.")
@reads_data
@as_json
def link(
    account: str, data: Path | None, *, subject: str | None, issuer: str | None, undo: bool, json_wanted: bool
) -> None:
    """Link an account to a person at the identity provider; with --undo, undo the link.

    Undoing the link ends the account's sessions at once. For instance: gamf account link mtremblay --subject 7f3a
    """
    from gamf.client import identities  # noqa: PLC0415 - keeps `--help` fast

    if undo == (subject is not None):
        raise click.UsageError(say("Donnez --subject ou --undo.", "Give --subject or --undo."))
    provider = _issuer(issuer)

    async def work(conn: "Connection") -> bool:
        if subject is None:
            return await identities.unlink(conn, session.seat(), account, provider)
        await identities.link(conn, session.seat(), account, identities.Person(provider, subject))
        return True

    changed = session.read(data, work)
    if json_wanted:
        print_json({"account": account, "linked": not undo, "changed": changed})
    elif undo:
        click.echo(
            say(f"Le compte {account} n’est lié à personne.", f"Account {account} is linked to nobody.")
        )
    else:
        click.echo(_linked_words(account))


@command("list", fr="Lister les comptes, leurs rôles, et ceux qui sont fermés.", group=account)
@limited
@reads_data
@as_json
def list_(limit: int | None, data: Path | None, *, json_wanted: bool) -> None:
    """List the accounts, their roles, and those that are closed."""
    from gamf.client import accounts  # noqa: PLC0415 - keeps `--help` fast

    async def fetch(conn: "Connection", after: str | None, most: int) -> "Page[AccountView]":
        return await accounts.list_accounts(conn, session.seat(), after=after, limit=most)

    headings = [
        say("Compte", "Account"),
        say("Rôles", "Roles"),
        say("Mot de passe du", "Password of"),
        say("À changer", "To be changed"),
        say("Lié", "Linked"),
        say("Fermé le", "Closed on"),
    ]
    print_list(fetch, headings, _row, data=data, limit=limit, json_wanted=json_wanted)


def _row(view: "AccountView") -> tuple[object, ...]:
    return view.account, _roles(view), view.password_set_at, view.must_change, view.linked, view.disabled_at


def _roles(view: "AccountView") -> str:
    from gamf.domain.roles import ROLE_LABELS  # noqa: PLC0415 - keeps `--help` fast

    shown = [(Text(*ROLE_LABELS[each.role]), sorted(each.rls | each.physicians)) for each in view.grants]
    return "\n".join(f"{role} ({', '.join(limits)})" if limits else str(role) for role, limits in shown)
