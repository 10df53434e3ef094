"""What is read of a request before anybody answers it: the language, the address, whether another site made it."""

import secrets
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from gamf.runtime.errors import Language

LANGUAGE_COOKIE: Final = "gamf_lang"


class TooLargeError(Exception):
    """The body of a request is larger than is taken."""


def language_of(connection: HTTPConnection) -> Language:
    """Return the language chosen at a click, else French (A22)."""
    return "en" if connection.cookies.get(LANGUAGE_COOKIE) == "en" else "fr"


def address_of(connection: HTTPConnection) -> str:
    """Return where a request comes from, as the server or a proxy that it trusts says it."""
    return connection.client.host if connection.client else "?"


def from_elsewhere(headers: Headers) -> bool:
    """Tell whether a browser says that another site made this request."""
    site = headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        return True
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2] != headers.get("host")


def new_secret() -> str:
    """Return what nobody can guess: 256 random bits."""
    return secrets.token_urlsafe(32)
