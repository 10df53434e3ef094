"""The real identity provider, in a process of its own on a port that it keeps: stopped and started as the tests ask."""

import asyncio
import json
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from gamf.client.openid import RETURN, SIGNED_OUT, Registration
from gamf.runtime.polling import until
from tools.oidc_provider import NODE, SOURCE

INSTALLED: Final = Path(".venv/share/gamf/oidc-provider").resolve()
CLIENT: Final = "gamf"
SECRET: Final = "celui de la console, chez le fournisseur"
SHARED: Final = "gamf-shared"
"""A client whose ID tokens the provider signs with the secret that both know."""
_START_SECONDS: Final = 30


class NoProviderError(Exception):
    """It is not installed on this machine."""

    def __init__(self) -> None:
        super().__init__(f"{INSTALLED} is missing: make setup brings it, from the npm registry")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def a_key() -> dict[str, Any]:
    """Return a new key to sign with."""
    key = RSAKey.generate_key(2048, auto_kid=True)
    return {**key.as_dict(private=True), "use": "sig", "alg": "RS256"}


@dataclass
class ProviderProcess:
    """The provider, and what it is started with: its keys, and what it tells of whom beside how they are called.

    It is on another site than the console, `localhost` and not `127.0.0.1`, so that a browser crosses over.
    """

    folder: Path
    console_port: int = field(default_factory=free_port)
    port: int = field(default_factory=free_port)
    keys: list[dict[str, Any]] = field(default_factory=lambda: [a_key()])
    claims: dict[str, dict[str, Any]] = field(default_factory=dict)
    _process: asyncio.subprocess.Process | None = None

    @property
    def issuer(self) -> str:
        """Return what the provider calls itself."""
        return f"http://localhost:{self.port}"

    @property
    def console(self) -> str:
        """Return where the console is that it knows."""
        return f"http://127.0.0.1:{self.console_port}"

    def registration(self, **changes: Any) -> Registration:  # noqa: ANN401 - any field of it
        """Return the console's registration there."""
        values: dict[str, Any] = {
            "issuer": self.issuer,
            "client_id": CLIENT,
            "client_secret": SecretStr(SECRET),
            "console_url": self.console,
        }
        return Registration(**values | changes)

    async def start(self) -> None:
        """Start it, and return once it answers."""
        if not INSTALLED.is_dir():
            raise NoProviderError
        file = self.folder / "configuration.json"
        file.write_text(json.dumps(self._configuration()), encoding="utf-8")
        self._process = await asyncio.create_subprocess_exec(
            NODE,
            SOURCE / "provider.mjs",
            INSTALLED,
            file,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await until(self._answers, within_seconds=_START_SECONDS)

    async def kill(self) -> None:
        """Kill it; what it knew of sign-ins under way is lost with it."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None

    async def _answers(self) -> bool:
        async with httpx.AsyncClient() as client:
            try:
                answer = await client.get(f"{self.issuer}/.well-known/openid-configuration")
            except httpx.TransportError:
                return False
        return answer.is_success

    def _configuration(self) -> dict[str, Any]:
        client = {
            "client_secret": SECRET,
            "redirect_uris": [f"{self.console}{RETURN}"],
            "post_logout_redirect_uris": [f"{self.console}{SIGNED_OUT}"],
        }
        return {
            "port": self.port,
            "issuer": self.issuer,
            "keys": self.keys,
            "claims": self.claims,
            "clients": [
                {"client_id": CLIENT, **client},
                {"client_id": SHARED, "id_token_signed_response_alg": "HS256", **client},
            ],
        }
