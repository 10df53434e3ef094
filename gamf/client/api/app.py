"""The API as routes of the console's application, under `/api`, with its description and a page that shows it."""

from collections import Counter
from functools import cache
from importlib.metadata import version
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import Response

from gamf.client.api import (
    access_log,
    attributions,
    blocks,
    departures,
    directory,
    feeds,
    indicators,
    patients,
    ramq,
    tasks,
)
from gamf.client.api.problems import MEDIA_TYPE, PREFIX, Problem
from gamf.client.console import failures

SUBJECTS: Final = (
    directory,
    departures,
    attributions,
    blocks,
    tasks,
    patients,
    indicators,
    ramq,
    access_log,
    feeds,
)
"""The subjects, each a module with a `router`."""
_PROBLEM: Final[dict[int | str, dict[str, Any]]] = {
    "default": {
        "description": "What went wrong (RFC 9457)",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}


@cache
def _router() -> APIRouter:
    made = APIRouter(prefix=PREFIX, responses=_PROBLEM)
    for subject in SUBJECTS:
        made.include_router(subject.router)
    return made


def install(app: FastAPI) -> None:
    """Give the application the API."""
    app.state.streams = Counter[str]()
    app.include_router(_router())
    app.add_api_route(f"{PREFIX}/openapi.json", openapi, methods=["GET"])
    app.add_api_route(f"{PREFIX}/docs", show_docs, methods=["GET"])


@cache
def openapi() -> dict[str, Any]:
    """Return the description of the API, as OpenAPI has it."""
    made = get_openapi(
        title="gamf",
        version=version("gamf"),
        summary="Attribution of patients on Québec's GAMF to family physicians (Lettre d'entente 321)",
        routes=_router().routes,
    )
    made["components"]["schemas"]["Problem"] = Problem.model_json_schema(mode="serialization")
    return made


async def show_docs(request: Request) -> Response:
    """Show the description to a person: nothing from elsewhere, and no script of its own."""
    return failures.render(request, "api/docs.html", api=openapi())
