"""What is spoken to the identity provider: OpenID Connect, the authorization code flow with PKCE, by `authlib`.

Nothing of what it answers is kept but the keys that it signs with: neither its tokens nor what it tells of a person.
What a browser must prove at its return is made of its own cookie, so that nobody else's browser can prove it.
"""

import asyncio
import hashlib
import hmac
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, Self, cast
from urllib.parse import urlencode, urlsplit

import httpx2
import structlog
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    SecretStr,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from gamf.runtime.settings import is_loopback

if TYPE_CHECKING:
    from gamf.runtime.settings import Settings

_log = structlog.get_logger("gamf.openid")
RETURN: Final = "/connexion/openid/retour"
"""Where the provider sends a browser back to; registered there under the console's address."""
SIGNED_OUT: Final = "/connexion/openid/sortie"
"""Where it sends a browser back to after its own signing out; registered there too."""
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""How an ID token may be signed: with a key that only the provider has. Neither `none` nor a shared secret."""
_SKEW_SECONDS: Final = 60
"""By how much the provider's clock may differ from ours."""
_AT_ONCE: Final = 8
"""Conversations with the provider at a time, from one process."""
_OK: Final = 200
_OBJECT: Final = TypeAdapter(dict[str, Any])
_USED_OR_UNKNOWN: Final = "invalid_grant"


class ProviderAwayError(Exception):
    """The provider does not answer, or not as a provider of OpenID Connect does: nobody can sign in there now."""


class NotBelievedError(Exception):
    """What came back cannot be held to be the provider's answer to this sign-in."""


@dataclass(frozen=True)
class Registration:
    """The console as the provider knows it, and what is believed of the provider."""

    issuer: str
    client_id: str
    client_secret: SecretStr
    console_url: str
    scopes: str = "openid"
    account_claim: str | None = None
    ca_file: Path | None = None
    timeout_seconds: float = 10

    @classmethod
    def of(cls, settings: "Settings") -> Self | None:
        """Return what the settings say, or None when no provider is set."""
        issuer, url = settings.oidc_issuer, settings.console_url
        client_id, secret = settings.oidc_client_id, settings.oidc_client_secret
        if issuer is None or url is None or client_id is None or secret is None:
            return None
        return cls(
            issuer=issuer,
            client_id=client_id,
            client_secret=secret,
            console_url=url,
            scopes=settings.oidc_scopes,
            account_claim=settings.oidc_account_claim,
            ca_file=settings.oidc_ca_file,
            timeout_seconds=settings.oidc_timeout_seconds,
        )


class Asked(NamedTuple):
    """What one sign-in is recognised by: in the address, in the ID token, and at the exchange of the code."""

    state: str
    nonce: str
    verifier: str


def asked(secret: str, state: str) -> Asked:
    """Return what goes with a state, for the browser whose cookie holds that secret."""

    def made(purpose: str) -> str:
        return hmac.new(secret.encode(), f"openid {purpose} {state}".encode(), hashlib.sha256).hexdigest()

    return Asked(state, made("nonce"), made("verifier"))


class Identity(BaseModel):
    """Who the provider says that somebody is; `named` is the account that its claim names, if one is asked for."""

    model_config = ConfigDict(frozen=True)

    subject: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    named: str | None = None


def _checked_endpoint(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise ValueError("https")
    return text


_Endpoint = Annotated[str, AfterValidator(_checked_endpoint)]


class Metadata(BaseModel):
    """What is used of what a provider announces of itself."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    authorization_endpoint: _Endpoint
    token_endpoint: _Endpoint
    jwks_uri: _Endpoint
    userinfo_endpoint: _Endpoint | None = None
    end_session_endpoint: _Endpoint | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False

    @property
    def authentication(self) -> str:
        """Return how the console proves to the provider that it is itself."""
        basic = "client_secret_basic" in self.token_endpoint_auth_methods_supported
        return "client_secret_basic" if basic else "client_secret_post"


class Provider:
    """The identity provider of a console. Each method may raise `ProviderAwayError`; the next try may succeed."""

    def __init__(self, registration: Registration) -> None:
        self.registration: Registration = registration
        self._tls: ssl.SSLContext = ssl.create_default_context(cafile=registration.ca_file)
        self._turn: asyncio.Semaphore = asyncio.Semaphore(_AT_ONCE)
        self._keys: KeySet | None = None

    async def way_in(self, asking: Asked) -> str:
        """Return the address at the provider that a browser is sent to."""
        async with self._speaking() as client:
            metadata = await self._discovered(client)
            address, _state = client.create_authorization_url(
                metadata.authorization_endpoint,
                state=asking.state,
                code_verifier=asking.verifier,
                nonce=asking.nonce,
            )
            return str(address)

    async def way_out(self) -> str | None:
        """Return the address at the provider that ends its own session; None when it announces none.

        No ID token goes with it, since none is kept: the provider may ask the person whether they mean it.
        """
        async with self._speaking() as client:
            endpoint = (await self._discovered(client)).end_session_endpoint
        if endpoint is None:
            return None
        back = f"{self.registration.console_url}{SIGNED_OUT}"
        query = {"client_id": self.registration.client_id, "post_logout_redirect_uri": back}
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def identity(self, code: str, asking: Asked, *, issuer: str | None, now: datetime) -> Identity:
        """Exchange a code, and return who the provider says has come back; `issuer` is who says that it answered.

        Raises:
            NotBelievedError: the code is not of this sign-in, or the ID token is not the provider's, or not for it.
        """
        async with self._speaking() as client:
            metadata = await self._discovered(client)
            if issuer != self.registration.issuer and (
                issuer is not None or metadata.authorization_response_iss_parameter_supported
            ):
                raise NotBelievedError
            client.token_endpoint_auth_method = metadata.authentication
            tokens = await _exchanged(client, metadata.token_endpoint, code, asking)
            claims = await self._claims(client, metadata, tokens, asking.nonce, now)
            named = await self._named(client, metadata, claims)
        return _identity(claims, named)

    @asynccontextmanager
    async def _speaking(self) -> AsyncGenerator[AsyncOAuth2Client]:
        """Speak to the provider, some at a time; whatever goes wrong on the way is that it is away."""
        registration = self.registration
        client = AsyncOAuth2Client(
            registration.client_id,
            registration.client_secret.get_secret_value(),
            scope=registration.scopes,
            redirect_uri=f"{registration.console_url}{RETURN}",
            code_challenge_method="S256",
            verify=self._tls,
            timeout=registration.timeout_seconds,
        )
        try:
            async with self._turn, client:
                yield client
        except httpx2.HTTPError as error:
            _log.warning("the identity provider does not answer")
            raise ProviderAwayError from error

    async def _discovered(self, client: AsyncOAuth2Client) -> Metadata:
        """Ask the provider where everything is: each time, so that one that is away is seen before it is needed."""
        issuer = self.registration.issuer
        found = await _json(client, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        try:
            metadata = Metadata.model_validate(found)
        except ValidationError as error:
            raise _not_a_provider() from error
        if metadata.issuer != issuer:
            raise _not_a_provider()
        return metadata

    async def _claims(
        self,
        client: AsyncOAuth2Client,
        metadata: Metadata,
        tokens: Mapping[str, Any],
        nonce: str,
        now: datetime,
    ) -> dict[str, Any]:
        """Return what the ID token says, once all of it holds; the keys are asked for anew when they do not fit."""
        known = self._keys
        if known is not None:
            try:
                return self.checked(tokens, known, nonce, now)
            except NotBelievedError:
                _log.info("the identity provider's keys are asked for anew")
        self._keys = _key_set(await _json(client, metadata.jwks_uri))
        return self.checked(tokens, self._keys, nonce, now)

    def checked(self, tokens: Mapping[str, Any], keys: KeySet, nonce: str, now: datetime) -> dict[str, Any]:
        """Return the claims of an ID token signed with one of the keys, of this provider, for this console and sign-in.

        Raises:
            NotBelievedError: something of it does not hold.
        """
        registration = self.registration
        try:
            token = jwt.decode(
                str(tokens["id_token"]),
                keys,
                registry=JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False),
            )
            claims = CodeIDToken(
                token.claims,
                token.header,
                {
                    "iss": {"essential": True, "value": registration.issuer},
                    "aud": {"essential": True, "value": registration.client_id},
                    "nonce": {"essential": True, "value": nonce},
                },
                {
                    "nonce": nonce,
                    "client_id": registration.client_id,
                    "access_token": tokens.get("access_token"),
                },
            )
            claims.validate(now=int(now.timestamp()), leeway=_SKEW_SECONDS)
        except (JoseError, KeyError, TypeError, ValueError) as error:
            raise NotBelievedError from error
        return dict(claims)

    async def _named(
        self, client: AsyncOAuth2Client, metadata: Metadata, claims: Mapping[str, Any]
    ) -> str | None:
        """Return the account that the claim names: in the ID token, else where the provider tells more of a person."""
        claim = self.registration.account_claim
        if claim is None:
            return None
        told: Mapping[str, Any] = claims
        if claim not in told and metadata.userinfo_endpoint is not None:
            told = await _json(client, metadata.userinfo_endpoint, withhold_token=False)
            if told.get("sub") != claims["sub"]:
                raise NotBelievedError
        named = told.get(claim)
        return named.strip().casefold() if isinstance(named, str) else None


async def _exchanged(client: AsyncOAuth2Client, endpoint: str, code: str, asking: Asked) -> Mapping[str, Any]:
    try:
        tokens = cast(
            "Mapping[str, Any]",
            await client.fetch_token(
                endpoint, grant_type="authorization_code", code=code, code_verifier=asking.verifier
            ),
        )
    except OAuthError as error:
        if error.error == _USED_OR_UNKNOWN:
            raise NotBelievedError from error
        _log.exception("the identity provider refuses this console")
        raise ProviderAwayError from error
    except ValueError as error:
        raise _not_a_provider() from error
    return tokens


async def _json(client: AsyncOAuth2Client, address: str, *, withhold_token: bool = True) -> dict[str, Any]:
    """Return an object that the provider serves."""
    answer = cast("httpx2.Response", await client.request("GET", address, withhold_token=withhold_token))
    if answer.status_code != _OK:
        raise _not_a_provider()
    try:
        return _OBJECT.validate_json(answer.content)
    except ValidationError as error:
        raise _not_a_provider() from error


def _key_set(found: dict[str, Any]) -> KeySet:
    try:
        return KeySet.import_key_set({"keys": found["keys"]})
    except (JoseError, KeyError, TypeError, ValueError) as error:
        raise _not_a_provider() from error


def _identity(claims: Mapping[str, Any], named: str | None) -> Identity:
    try:
        return Identity(subject=claims["sub"], named=named)
    except ValidationError as error:
        raise NotBelievedError from error


def _not_a_provider() -> ProviderAwayError:
    _log.error("what answers at the issuer is not the identity provider of the settings")
    return ProviderAwayError()
