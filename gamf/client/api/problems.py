"""What went wrong, as RFC 9457 has it: the rule that refused, in both languages, and what was kept."""

from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from gamf.client.cli.language import Text, speaking, typeset

if TYPE_CHECKING:
    from starlette.requests import Request

    from gamf.client.console.failure import Failure
    from gamf.runtime.errors import Language

PREFIX: Final = "/api"
MEDIA_TYPE: Final = "application/problem+json"
_UNAUTHORIZED: Final = 401
_AWAY_AGAIN_AFTER: Final = "5"
_WAIT: Final = (429, 503)


class Problem(BaseModel):
    """Why something could not be done; nothing has changed unless `kept` says otherwise."""

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    status: int
    detail: Annotated[
        str, Field(description="in the language of Accept-Language, French unless it asks for English")
    ]
    rule: Annotated[
        str | None, Field(description="the rule of rules.md that refused, or another name of ours")
    ]
    fields: Annotated[tuple[str, ...], Field(description="the fields at fault, when there are any")]
    fr: str
    en: str
    kept: str | None = None


def is_of_the_api(request: "Request") -> bool:
    """Tell whether other software made this request."""
    path = request.url.path
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def language_of(request: "Request") -> "Language":
    """Return the language that other software asks for, French unless it is English (A22)."""
    asked = request.headers.get("accept-language", "").strip().casefold()
    return "en" if asked.startswith("en") else "fr"


def answer(request: "Request", failure: "Failure") -> Response:
    """Return a failure as problem+json."""
    language = language_of(request)
    with speaking(language):
        content = _problem(failure).model_dump_json()
    headers: dict[str, str] = {"Content-Language": language}
    if failure.status == _UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="gamf"'
    if failure.status in _WAIT:
        headers["Retry-After"] = _AWAY_AGAIN_AFTER
    return Response(content, failure.status, headers, MEDIA_TYPE)


def _problem(failure: "Failure") -> Problem:
    words = Text(typeset(failure.words.fr), failure.words.en)
    return Problem(
        type=f"urn:gamf:rule:{failure.rule.replace(' ', '-')}" if failure.rule else "about:blank",
        title=str(failure.title),
        status=failure.status,
        detail=str(words),
        rule=failure.rule,
        fields=failure.fields,
        fr=words.fr,
        en=words.en,
        kept=str(failure.kept) if failure.kept else None,
    )
