"""The rules of signing in: what a password must be, how long a session lasts, how often one may try."""

import re
from datetime import datetime, timedelta
from typing import Final

from gamf.domain.refusal import RefusedByRuleError

IDLE: Final = timedelta(minutes=30)
"""A session that nothing was asked of for that long is over."""
LONGEST: Final = timedelta(hours=10)
"""A session is over that long after it began, whatever is asked of it: a working day."""
SEEN_AT_MOST_EVERY: Final = timedelta(minutes=1)
"""How exactly the last use of a session is known: a page costs no write for less."""

TRY_AGAIN_AFTER: Final = timedelta(minutes=15)
"""How long an attempt that failed counts."""
ATTEMPTS_BY_NAME: Final = 5
"""Attempts under one name in that time; the same for a name that no account has, which tells nobody which exist."""
ATTEMPTS_BY_ADDRESS: Final = 50
"""Attempts from one address in that time: a clinic's staff may share one."""

AT_THE_PROVIDER: Final = timedelta(minutes=10)
"""How long somebody may take at the identity provider: after that they begin again."""
AT_THE_PROVIDER_BY_ADDRESS: Final = 100
"""Sign-ins under way at the provider from one address: each asks something of it, and is kept for that long."""
LONGEST_SUBJECT: Final = 255

SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 128
_ACCOUNT: Final = re.compile(r"[a-z][a-z0-9._-]{1,62}")
_FEWEST_CHARACTERS: Final = 5
_OBVIOUS: Final = (
    "motdepasse",
    "password",
    "azerty",
    "qwerty",
    "123456",
    "abcdef",
    "medecin",
    "clinique",
    "gamf",
)


def check_account(account: str) -> None:
    """Refuse a name that no account can have: lower-case letters, digits and . _ - only.

    Raises:
        RefusedByRuleError: it is not of that form.
    """
    if not _ACCOUNT.fullmatch(account):
        raise RefusedByRuleError(
            "form",
            "Un compte se nomme de 2 à 63 lettres minuscules sans accent, chiffres ou . _ -, une lettre d’abord.",
            "An account is named by 2 to 63 lower-case letters without accent, digits or . _ -, a letter first.",
            "account",
        )


def check_subject(subject: str) -> None:
    """Refuse what no provider calls anybody: OpenID Connect allows 255 ASCII characters.

    Raises:
        RefusedByRuleError: it is not of that form.
    """
    if not 1 <= len(subject) <= LONGEST_SUBJECT or not (subject.isascii() and subject.isprintable()):
        raise RefusedByRuleError(
            "form",
            f"L’identifiant chez le fournisseur (« sub ») a de 1 à {LONGEST_SUBJECT} caractères ASCII.",
            f"The subject at the provider (“sub”) has from 1 to {LONGEST_SUBJECT} ASCII characters.",
            "subject",
        )


def check_password(account: str, password: str) -> None:
    """Refuse a password that is soon guessed; no kind of character is asked for, only length.

    Raises:
        RefusedByRuleError: it is too short or too long, is nearly the account's name, or an obvious one.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise _refused(
            f"de {SHORTEST_PASSWORD} à {LONGEST_PASSWORD} caractères ; une courte phrase convient",
            f"of {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; a short sentence will do",
        )
    if account.casefold() in password.casefold():
        raise _refused("sans le nom du compte", "without the account’s name")
    if len(set(password)) < _FEWEST_CHARACTERS or _without_the_obvious(password) < SHORTEST_PASSWORD // 2:
        raise _refused("moins facile à deviner", "less easily guessed")


def _without_the_obvious(password: str) -> int:
    """Return how many characters are left without the words that everybody tries."""
    rest = password.casefold()
    for word in _OBVIOUS:
        rest = rest.replace(word, "")
    return len(rest)


def _refused(fr: str, en: str) -> RefusedByRuleError:
    return RefusedByRuleError(
        "password",
        f"Choisissez un mot de passe {fr}. Rien n’a changé.",
        f"Choose a password {en}. Nothing has changed.",
        "password",
    )


def expires_at(began_at: datetime, seen_at: datetime) -> datetime:
    """Return when a session ends if nothing more is asked of it."""
    return min(began_at + LONGEST, seen_at + IDLE)


def may_try(of_name: int, of_address: int) -> bool:
    """Tell whether one may try to sign in, after so many recent attempts under the name and from the address."""
    return of_name < ATTEMPTS_BY_NAME and of_address < ATTEMPTS_BY_ADDRESS


def wrong_credentials() -> RefusedByRuleError:
    """Return what is said whether the account does not exist, is disabled or has another password."""
    return RefusedByRuleError(
        "sign-in",
        "Ce compte et ce mot de passe ne vont pas ensemble, ou le compte est fermé.",
        "This account and this password do not go together, or the account is closed.",
    )


def too_many_attempts() -> RefusedByRuleError:
    """Return what is said after too many attempts, whether the account exists or not."""
    minutes = round(TRY_AGAIN_AFTER.total_seconds() / 60)
    return RefusedByRuleError(
        "sign-in",
        f"Trop d’essais. Réessayez dans {minutes} minutes ; l’exploitant peut donner un nouveau mot de passe.",
        f"Too many attempts. Try again in {minutes} minutes; the operator can give a new password.",
    )


def may_begin(of_address: int) -> bool:
    """Tell whether one more sign-in may go to the provider, that one counted among those of its address."""
    return of_address <= AT_THE_PROVIDER_BY_ADDRESS


def provider_only() -> RefusedByRuleError:
    """Return what is said where nobody signs in with a password."""
    return RefusedByRuleError(
        "access",
        "Ici, une session s’ouvre seulement avec le compte de votre organisation. Rien n’a changé.",
        "Here one signs in with one’s organisation’s account only. Nothing has changed.",
    )


def not_begun_here() -> RefusedByRuleError:
    """Return what is said of an answer of the provider that this browser asks for no more, or never did."""
    minutes = round(AT_THE_PROVIDER.total_seconds() / 60)
    return RefusedByRuleError(
        "sign-in",
        f"Cette réponse du fournisseur d’identité a déjà servi, date de plus de {minutes} minutes ou a été demandée "
        "par un autre navigateur. Aucune session n’est ouverte et rien n’a changé ; recommencez d’ici.",
        f"This answer of the identity provider was used already, is more than {minutes} minutes old or was asked for "
        "by another browser. You are not signed in and nothing has changed; start over from here.",
    )


def not_let_in_there() -> RefusedByRuleError:
    """Return what is said when the provider let nobody in: they gave up, or it would not have them."""
    return RefusedByRuleError(
        "sign-in",
        "Le fournisseur d’identité ne vous a pas reconnu, ou vous avez renoncé. Aucune session n’est ouverte et rien "
        "n’a changé ; recommencez d’ici.",
        "The identity provider did not recognise you, or you gave up. You are not signed in and nothing has changed; "
        "start over from here.",
    )


def not_believed() -> RefusedByRuleError:
    """Return what is said when what the provider answered cannot be held to be its answer to this sign-in."""
    return RefusedByRuleError(
        "sign-in",
        "La réponse du fournisseur d’identité ne peut être vérifiée. Aucune session n’est ouverte et rien n’a changé ; "
        "recommencez d’ici, et prévenez l’exploitant si cela se répète.",
        "The identity provider’s answer cannot be verified. You are not signed in and nothing has changed; start over "
        "from here, and tell the operator if it happens again.",
    )


def not_linked() -> RefusedByRuleError:
    """Return what is said to somebody whom the provider knows and who has no account here."""
    return RefusedByRuleError(
        "sign-in",
        "Le fournisseur d’identité vous a reconnu, mais aucun compte d’ici n’est lié à vous. Aucune session n’est "
        "ouverte et rien n’a changé ; demandez à l’exploitant de lier votre compte.",
        "The identity provider recognised you, but no account here is linked to you. You are not signed in and nothing "
        "has changed; ask the operator to link your account.",
    )


def closed() -> RefusedByRuleError:
    """Return what is said to somebody whom the provider knows and whose account is closed."""
    return RefusedByRuleError(
        "sign-in",
        "Le fournisseur d’identité vous a reconnu, mais votre compte d’ici est fermé. Aucune session n’est ouverte et "
        "rien n’a changé ; adressez-vous à l’exploitant.",
        "The identity provider recognised you, but your account here is closed. You are not signed in and nothing has "
        "changed; ask the operator.",
    )


def provider_away(*, passwords: bool) -> RefusedByRuleError:
    """Return what is said when the provider does not answer, and whether a password opens a session meanwhile."""
    instead_fr = " ; vous pouvez entrer votre mot de passe en attendant" if passwords else ""
    instead_en = "; you may enter your password meanwhile" if passwords else ""
    return RefusedByRuleError(
        "sign-in",
        "Le fournisseur d’identité ne répond pas. Aucune session n’est ouverte et rien n’a changé ; réessayez dans un "
        f"instant{instead_fr}.",
        "The identity provider does not answer. You are not signed in and nothing has changed; try again in a "
        f"moment{instead_en}.",
    )
