"""What stands before every page: limits for a request and an address, headers for an answer, the language."""

from collections import OrderedDict
from time import monotonic
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gamf.client.cli.language import speaking
from gamf.client.console import failures
from gamf.client.console.options import Limits, Options
from gamf.client.console.requests import TooLargeError, address_of, language_of

STATIC: Final = "/static/"
_ADDRESSES: Final = 10_000
"""How many addresses are remembered: the ones seen least lately are forgotten."""
_ALLOWED: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    # The design system draws its marks from its own style sheet.
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)
_HEADERS: Final = {
    "Content-Security-Policy": "; ".join(_ALLOWED),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # A form's origin is told to ourselves, and nothing to anybody else.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_TLS_ONLY: Final = "max-age=31536000; includeSubDomains"


class Flow:
    """Counts requests by address, in this process: it is this process that a flood would stop.

    An address gains so many a second, up to its burst; signing in has limits of its own, in PostgreSQL.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits: Limits = limits
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._refused: set[str] = set()

    def takes(self, address: str, at: float) -> bool:
        """Tell whether one more request from the address is taken at that second of a steady clock."""
        left, before = self._left.pop(address, (float(self._limits.burst), at))
        left = min(float(self._limits.burst), left + (at - before) * self._limits.per_second)
        taken = left >= 1
        self._left[address] = (left - 1 if taken else left, at)
        if len(self._left) > _ADDRESSES:
            self._refused.discard(self._left.popitem(last=False)[0])
        if taken:
            self._refused.discard(address)
        return taken

    def begins_to_refuse(self, address: str) -> bool:
        """Tell, of an address that was just refused, whether it is the first time since one was taken."""
        begins = address not in self._refused
        self._refused.add(address)
        return begins


class Guard:
    """Middleware in plain ASGI, so that answers that stream are not held back."""

    def __init__(self, app: ASGIApp, options: Options) -> None:
        self._app: ASGIApp = app
        self._options: Options = options
        self._flow: Flow = Flow(options.limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, within the limits, in its language."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        with speaking(language_of(request)):
            await self._answer(request, self._measured(receive), self._dressed(scope["path"], send))

    async def _answer(self, request: Request, receive: Receive, send: Send) -> None:
        refused = self._refused(request)
        if refused is not None:
            await refused(request.scope, receive, send)
            return
        begun = False

        async def sends(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(request.scope, receive, sends)
        except Exception as error:
            # Inside the other middleware, so that this page too has its headers and its language.
            failure = await failures.failed(request, error)
            if begun:
                raise
            await failure(request.scope, receive, send)

    def _refused(self, request: Request) -> Response | None:
        """Return the page for what is more than is taken, or None."""
        if not self._flow.takes(address_of(request), monotonic()):
            if self._flow.begins_to_refuse(address_of(request)):
                failures.log_flood(request)
            return failures.too_many(request)
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._options.limits.body_bytes:
            return failures.too_large(request)
        return None

    def _measured(self, receive: Receive) -> Receive:
        """Stop a body that is longer than it said, or that did not say."""
        taken = 0

        async def measured() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._options.limits.body_bytes:
                raise TooLargeError
            return message

        return measured

    def _dressed(self, path: str, send: Send) -> Send:
        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                if self._options.secure:
                    headers["Strict-Transport-Security"] = _TLS_ONLY
                if not path.startswith(STATIC):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        return dressed
