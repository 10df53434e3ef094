"""Forms that only our own pages can send, and only once.

Each carries a number of its own with a seal made of the secret in the browser's cookie: another site has neither. A
number that was used is kept, by its fingerprint, until the session it was made in is over; when what the form asked
could not be done, it is let go, so that the same form can be sent again.
"""

import hashlib
import hmac
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Final

from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.signing_in import LONGEST
from gamf.storage import sessions

if TYPE_CHECKING:
    from gamf.storage.connection import Pool

FIELD: Final = "form"
_NUMBER_BYTES: Final = 16


def new_form(secret: str) -> str:
    """Return the number of a new form, sealed with the secret of the cookie."""
    number = secrets.token_urlsafe(_NUMBER_BYTES)
    return f"{number}.{_seal(secret, number)}"


def _seal(secret: str, number: str) -> str:
    return hmac.new(f"form {secret}".encode(), number.encode(), hashlib.sha256).hexdigest()


def check_sealed(secret: str | None, form: str) -> None:
    """Refuse a form that none of our pages made for this browser.

    Raises:
        RefusedByRuleError: there is no seal, or it is another's.
    """
    number, _, seal = form.partition(".")
    if not secret or not hmac.compare_digest(_seal(secret, number).encode(), seal.encode()):
        raise RefusedByRuleError(
            "form-origin",
            "Cette demande ne vient pas d’une page ouverte dans cette session. Rien n’a changé ; "
            "rouvrez la page et recommencez.",
            "This request does not come from a page opened in this session. Nothing has changed; "
            "open the page again and start over.",
        )


@asynccontextmanager
async def once(pool: "Pool", secret: str, form: str, now: datetime) -> AsyncGenerator[None]:
    """Do what the form asks, within the block, unless it was done; after an exception it may be sent again.

    Raises:
        RefusedByRuleError: this form was sent before.
    """
    fingerprint = hashlib.sha256(f"{form} {secret}".encode()).digest()
    async with pool.acquire() as conn:
        first = await sessions.use_form(conn, fingerprint, now, now - LONGEST)
    if not first:
        raise RefusedByRuleError(
            "form-once",
            "Ce formulaire a déjà été envoyé ; il ne compte qu’une fois. Si vous n’en voyez pas le résultat, "
            "rouvrez la page et recommencez.",
            "This form was sent already; it counts once. If you do not see what it gave, open the page again "
            "and start over.",
        )
    try:
        yield
    except Exception:
        async with pool.acquire() as conn:
            await sessions.release_form(conn, fingerprint)
        raise
