"""A browser without scripts, over a real server: it keeps cookies, reads forms and sends them."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from html import unescape

import httpx
from fastapi import FastAPI

from gamf.runtime.settings import HostPort
from gamf.runtime.web import serving

PASSWORD = "trois petits chats"
_FORM = re.compile(r'<form method="post" action="(?P<action>[^"]+)"(?P<rest>.*?)</form>', re.DOTALL)
_NAME = re.compile(r' name="([^"]+)"')
_ID = re.compile(r' id="([^"]+)"')
_HIDDEN = re.compile(r'<input type="hidden" name="(?P<name>[^"]+)" value="(?P<value>[^"]*)"')


def focused(page: str) -> list[str]:
    """Return what asks for the focus when the page is opened, each by the name of a field, else by its id."""
    tags = [each.rpartition("<")[2] for each in page.split(" autofocus")[:-1]]
    found = [_NAME.search(tag) or _ID.search(tag) for tag in tags]
    return [each[1] for each in found if each]


class Browser:
    """A browser on one site; it follows no redirection by itself."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client: httpx.AsyncClient = client
        self.page: str = ""

    async def get(self, path: str) -> httpx.Response:
        """Open a page."""
        answer = await self.client.get(path)
        self.page = answer.text
        return answer

    def form(self, action: str) -> dict[str, str]:
        """Return the hidden fields of the form of the page that is open which leads there."""
        form = next(each for each in _FORM.finditer(self.page) if each["action"] == action)
        return {each["name"]: unescape(each["value"]) for each in _HIDDEN.finditer(form["rest"])}

    async def send(self, action: str, **fields: str) -> httpx.Response:
        """Fill in that form of the page that is open, and send it."""
        return await self.post(action, {**self.form(action), **fields})

    async def post(self, action: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        """Send fields, whether a page asked for them or not."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.client.post(action, data=fields, headers=named)
        self.page = answer.text
        return answer

    async def sign_in(self, account: str, password: str = PASSWORD) -> httpx.Response:
        """Open the sign-in page and sign in."""
        await self.get("/connexion")
        return await self.send("/connexion", account=account, password=password)


@asynccontextmanager
async def browsing(app: FastAPI) -> AsyncGenerator[Browser]:
    """Serve the application on a free port, and open a browser on it."""
    async with serving(app, HostPort("127.0.0.1", 0), "test") as server, another(server.url) as browser:
        yield browser


@asynccontextmanager
async def another(url: str) -> AsyncGenerator[Browser]:
    """Open one more browser."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        yield Browser(client)
