"""The rules of what other software signs in with: what a token is for, how long it lasts, what a key is."""

import re
from datetime import datetime, timedelta
from typing import Final

from gamf.domain.refusal import RefusedByRuleError

PREFIX: Final = "gamf_"
"""Every token begins so, for whoever searches files for secrets."""
LONGEST_DAYS: Final = 366
"""A token lasts a year at most, and that unless fewer days are asked for."""
USED_AT_MOST_EVERY: Final = timedelta(minutes=1)
"""How exactly the last use is known: a request costs no write for less."""
LONGEST_PURPOSE: Final = 100

KEY_KEPT: Final = timedelta(days=1)
"""How long the answer to a key is kept."""
ABANDONED_AFTER: Final = timedelta(minutes=2)
"""A request that has no answer after that long was cut off; the same one is then taken again, and counts once."""
_KEY: Final = re.compile(r"[!-~]{1,255}")


def check_purpose(purpose: str) -> str:
    """Return what a token is for, without spaces around it.

    Raises:
        RefusedByRuleError: it is empty, too long or not printable.
    """
    purpose = purpose.strip()
    if not 0 < len(purpose) <= LONGEST_PURPOSE or not purpose.isprintable():
        raise RefusedByRuleError(
            "form",
            f"Dites à quoi sert le jeton, en {LONGEST_PURPOSE} caractères au plus ; rien n’a changé.",
            f"Say what the token is for, in {LONGEST_PURPOSE} characters at most; nothing has changed.",
            "purpose",
        )
    return purpose


def expires_at(now: datetime, days: int) -> datetime:
    """Return when a token made at that instant ends.

    Raises:
        RefusedByRuleError: it would last less than a day or more than a year.
    """
    if not 1 <= days <= LONGEST_DAYS:
        raise RefusedByRuleError(
            "form",
            f"Un jeton dure de 1 à {LONGEST_DAYS} jours ; rien n’a changé.",
            f"A token lasts from 1 to {LONGEST_DAYS} days; nothing has changed.",
            "days",
        )
    return now + timedelta(days=days)


def not_a_token() -> RefusedByRuleError:
    """Return what is said whether the token was never one, is over or revoked, or its account is closed."""
    return RefusedByRuleError(
        "token",
        "Aucun jeton valide n’accompagne la demande : « Authorization: Bearer … ». Rien n’a changé ; "
        "un jeton qui manque, expiré ou révoqué se remplace auprès de l’exploitant.",
        "No valid token comes with the request: “Authorization: Bearer …”. Nothing has changed; "
        "a token that is missing, expired or revoked is replaced by the operator.",
    )


def check_key(key: str) -> None:
    """Refuse what is no `Idempotency-Key`: 1 to 255 printable ASCII characters without space.

    Raises:
        RefusedByRuleError: it is not of that form.
    """
    if not _KEY.fullmatch(key):
        raise RefusedByRuleError(
            "form",
            "Idempotency-Key : de 1 à 255 caractères ASCII imprimables, sans espace. Rien n’a changé.",
            "Idempotency-Key: 1 to 255 printable ASCII characters, without space. Nothing has changed.",
            "Idempotency-Key",
        )


def used_for_another() -> RefusedByRuleError:
    """Return what is said of a key that came with another request before."""
    return RefusedByRuleError(
        "idempotency-key",
        "Cette clé a servi à une autre demande ; celle-ci n’est pas prise et rien n’a changé. "
        "Donnez une clé neuve à chaque demande.",
        "This key came with another request; this one is not taken and nothing has changed. "
        "Give each request a key of its own.",
        "Idempotency-Key",
    )


def under_way() -> RefusedByRuleError:
    """Return what is said while the first request of a key has no answer yet."""
    return RefusedByRuleError(
        "idempotency-busy",
        "La même demande est en cours ; renvoyez-la dans un instant, elle ne compte qu’une fois.",
        "The same request is under way; send it again in a moment, it counts once.",
        "Idempotency-Key",
    )


def perhaps_done() -> RefusedByRuleError:
    """Return what is said of a key whose request has no answer, and may have been done all the same."""
    return RefusedByRuleError(
        "idempotency-busy",
        "La même demande est en cours, ou a été coupée sans réponse : elle est peut-être faite. "
        "Regardez d’abord, puis demandez avec une clé neuve s’il le faut.",
        "The same request is under way, or was cut off without an answer: it may have been done. "
        "Look first, then ask with another key if need be.",
        "Idempotency-Key",
    )
