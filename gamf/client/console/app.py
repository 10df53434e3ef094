"""The console as one application: its screens, what stands before them, its static files."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.staticfiles import StaticFiles

from gamf.client.api import app as api
from gamf.client.console import (
    access_log,
    account,
    attributions,
    blocks,
    departures,
    failures,
    indicators,
    languages,
    live,
    openid,
    person,
    physicians,
    profiles,
    ramq,
    register,
    signing_in,
    tasks,
)
from gamf.client.console.guard import STATIC, Guard
from gamf.client.console.options import Options
from gamf.client.console.page import Console, Cookies
from gamf.client.live import Lookout
from gamf.client.openid import Provider
from gamf.client.passwords import Passwords

if TYPE_CHECKING:
    from gamf.client.acting import Desk

_STATIC_FOLDER: Final = Path(__file__).parent / "static"
SCREENS: Final = (
    signing_in,
    openid,
    languages,
    tasks,
    blocks,
    attributions,
    register,
    person,
    physicians,
    departures,
    profiles,
    indicators,
    ramq,
    access_log,
    account,
    live,
)
"""The screens, each a module with a `router`."""


def make_app(desk: "Desk", options: Options | None = None) -> FastAPI:
    """Make the console over these services; it starts nothing and closes nothing."""
    options = options or Options()
    app = FastAPI(title="gamf", docs_url=None, redoc_url=None, openapi_url=None)
    styled = _serve_files(app, options.design_system)
    provider = Provider(options.openid) if options.openid else None
    app.state.console = Console(
        desk, options, Passwords(), Cookies(options.secure), styled, Lookout(desk.pool), provider
    )
    for screen in SCREENS:
        app.include_router(screen.router)
    app.state.pages = frozenset(pages())
    api.install(app)
    failures.install(app)
    app.add_middleware(Guard, options=options)
    return app


def pages() -> Iterator[str]:
    """Return the patterns of the addresses that can be opened."""
    for route in (each for screen in SCREENS for each in screen.router.routes):
        if isinstance(route, APIRoute) and "GET" in (route.methods or ()):
            yield route.path


def _serve_files(app: FastAPI, design_system: Path) -> str | None:
    """Serve our own style sheet, and the design system's where `make setup` left it; return where that is."""
    app.mount(f"{STATIC}gamf", StaticFiles(directory=_STATIC_FOLDER), name="static")
    if not (design_system / "css" / "qc-sdg.min.css").is_file():
        return None
    app.mount(f"{STATIC}qc", StaticFiles(directory=design_system), name="design_system")
    return f"{STATIC}qc/css/"
