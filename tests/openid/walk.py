"""Somebody with a browser without scripts, on two sites: the console's and the provider's."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from typing import Final
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx

from gamf.client.openid import RETURN

_FORM: Final = re.compile(r'<form[^>]* action="(?P<action>[^"]+)"(?P<rest>.*?)</form>', re.DOTALL)
_HIDDEN: Final = re.compile(r'<input type="hidden" name="(?P<name>[^"]+)" value="(?P<value>[^"]*)"')
_STEPS: Final = 12


@dataclass(frozen=True)
class Walker:
    """A person, on the way between the two sites."""

    client: httpx.AsyncClient
    console: str

    async def get(self, path: str) -> httpx.Response:
        """Open a page of the console."""
        return await self.client.get(urljoin(self.console, path))

    async def leave(self, suite: str = "/") -> str:
        """Ask to sign in through the provider; return the address that the console sends to."""
        answer = await self.get(f"/connexion/openid?{urlencode({'suite': suite})}")
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def sign_in_there(self, address: str, login: str) -> str:
        """Go there, fill in its forms as that person, and return the address that it sends back to."""
        answer = await self.client.get(address)
        for _ in range(_STEPS):
            if answer.is_redirect:
                there = urljoin(str(answer.url), answer.headers["location"])
                if there.startswith(self.console):
                    return there
                answer = await self.client.get(there)
            else:
                answer = await self._send_form(answer, login)
        raise AssertionError(answer.text)

    async def _send_form(self, answer: httpx.Response, login: str) -> httpx.Response:
        form = _FORM.search(answer.text)
        assert form is not None, answer.text
        fields = {each["name"]: unescape(each["value"]) for each in _HIDDEN.finditer(form["rest"])}
        if 'name="login"' in form["rest"]:
            fields |= {"login": login, "password": "n’importe lequel"}
        if "op.logoutForm" in answer.text:
            fields |= {"logout": "yes"}
        return await self.client.post(urljoin(str(answer.url), unescape(form["action"])), data=fields)

    async def sign_in(self, login: str, suite: str = "/") -> httpx.Response:
        """Sign in through the provider, to the page that the console answers with."""
        return await self.client.get(await self.sign_in_there(await self.leave(suite), login))

    async def sign_out(self) -> httpx.Response:
        """Press the button that signs out, of the page where one is after signing in."""
        page = await self.get("/")
        form = next(each for each in _FORM.finditer(page.text) if each["action"] == "/deconnexion")
        fields = {each["name"]: unescape(each["value"]) for each in _HIDDEN.finditer(form["rest"])}
        return await self.client.post(urljoin(self.console, "/deconnexion"), data=fields)


def changed(address: str, **values: str) -> str:
    """Return an address with other values in its query."""
    parts = urlsplit(address)
    query = {name: found[-1] for name, found in parse_qs(parts.query).items()} | values
    return parts._replace(query=urlencode(query)).geturl()


def value(address: str, name: str) -> str:
    """Return a value in the query of an address."""
    return parse_qs(urlsplit(address).query)[name][-1]


def is_return(address: str) -> bool:
    """Tell whether an address is where the provider sends back to."""
    return urlsplit(address).path == RETURN


@asynccontextmanager
async def walking(console: str) -> AsyncGenerator[Walker]:
    """Open a browser that follows no redirection by itself."""
    async with httpx.AsyncClient(timeout=30) as client:
        yield Walker(client, console)
