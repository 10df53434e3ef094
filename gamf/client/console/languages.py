"""French, and English at a click."""

from typing import Final, Literal

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from gamf.client.console.page import console_of, safe
from gamf.client.console.requests import LANGUAGE_COOKIE

router = APIRouter()
_A_YEAR: Final = 365 * 24 * 3600
_SEE_OTHER: Final = 303


@router.get("/langue/{language}")
async def choose(request: Request, language: Literal["fr", "en"], suite: str = "/") -> Response:
    """Keep the language in the browser, and go back to where one was."""
    response = RedirectResponse(safe(suite), _SEE_OTHER)
    secure = console_of(request).options.secure
    response.set_cookie(
        LANGUAGE_COOKIE, language, max_age=_A_YEAR, secure=secure, httponly=True, samesite="lax"
    )
    return response
