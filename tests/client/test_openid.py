"""What is believed of an identity provider: its tokens one by one, and a real one that answers amiss."""

import hmac
import json
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from pydantic import SecretStr

from gamf.client.openid import NotBelievedError, Provider, ProviderAwayError, Registration, asked
from gamf.runtime.settings import Settings
from tests.client.seats import NOON
from tests.openid.process import SHARED, ProviderProcess
from tests.openid.walk import value, walking

ISSUER: Final = "https://fournisseur.example"
NONCE: Final = "celui de cette session"
KEY: Final = RSAKey.generate_key(2048, auto_kid=True)
KEYS: Final = KeySet([KEY])
AT: Final = int(NOON.timestamp())
CLAIMS: Final[dict[str, Any]] = {
    "iss": ISSUER,
    "sub": "ada-7f3a",
    "aud": "gamf",
    "exp": AT + 300,
    "iat": AT,
    "nonce": NONCE,
}
HOUR: Final = timedelta(hours=1)


def a_provider(**changes: Any) -> Provider:  # noqa: ANN401 - any field of a registration
    values: dict[str, Any] = {
        "issuer": ISSUER,
        "client_id": "gamf",
        "client_secret": SecretStr("hush"),
        "console_url": "https://gamf.example",
    }
    return Provider(Registration(**values | changes))


def a_token(*, key: RSAKey = KEY, alg: str = "RS256", **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any claim
    """Return what a provider answers, with those claims; one that is None is left out."""
    claims = {name: each for name, each in (CLAIMS | changes).items() if each is not None}
    return {"id_token": jwt.encode({"alg": alg, "kid": key.kid}, claims, key, algorithms=[alg])}


def test_a_token_of_this_provider_for_this_console_and_sign_in_is_believed() -> None:
    for tokens in (a_token(), a_token(alg="PS256"), a_token(aud=["gamf", "autre"], azp="gamf")):
        assert a_provider().checked(tokens, KEYS, NONCE, NOON)["sub"] == "ada-7f3a"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://autre.example"},
        {"iss": f"{ISSUER}/"},
        {"iss": None},
        {"aud": "autre"},
        {"aud": None},
        {"aud": ["gamf", "autre"]},
        {"aud": ["gamf", "autre"], "azp": "autre"},
        {"nonce": "autre"},
        {"nonce": None},
        {"nonce": ""},
        {"sub": None},
        {"exp": None},
        {"exp": AT - 61},
        {"exp": "demain"},
        {"iat": None},
        {"iat": AT + 120},
        {"nbf": AT + 120},
        {"at_hash": "autre"},
    ],
    ids=str,
)
def test_a_token_of_which_one_claim_does_not_hold_is_not_believed(changes: dict[str, Any]) -> None:
    tokens = {**a_token(**changes), "access_token": "un jeton"}
    with pytest.raises(NotBelievedError):
        a_provider().checked(tokens, KEYS, NONCE, NOON)


def signed_with_what_is_published(payload: str) -> str:
    """Return a token whose secret everybody knows: the public key, taken for a shared one; by hand, no library will."""
    header = _encoded(json.dumps({"alg": "HS256", "kid": KEY.kid}).encode())
    secret = KEY.as_pem(private=False)
    return f"{header}.{payload}.{_encoded(hmac.digest(secret, f'{header}.{payload}'.encode(), 'sha256'))}"


def _encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def test_a_token_that_another_signed_or_nobody_is_not_believed() -> None:
    other = RSAKey.generate_key(2048, {"kid": str(KEY.kid)})
    header, payload, signature = a_token()["id_token"].split(".")
    unsigned = _encoded(json.dumps({"alg": "none"}).encode())
    forged = (
        a_token(key=other)["id_token"],
        signed_with_what_is_published(payload),
        f"{unsigned}.{payload}.",
        f"{header}.{payload}.",
        f"{header}.{payload[:-2]}AA.{signature}",
        "",
        "pas un jeton",
    )
    for token in forged:
        with pytest.raises(NotBelievedError):
            a_provider().checked({"id_token": token}, KEYS, NONCE, NOON)
    with pytest.raises(NotBelievedError):
        a_provider().checked({}, KEYS, NONCE, NOON)


def test_what_a_sign_in_is_recognised_by_is_of_one_browser_and_of_one_state() -> None:
    first = asked("secret", "state")
    assert first == asked("secret", "state")
    for other in (asked("secret", "autre"), asked("autre", "state")):
        assert not {first.nonce, first.verifier} & {other.nonce, other.verifier}
    # RFC 7636: from 43 to 128 characters.
    assert len(first.verifier) == 64


def test_without_settings_there_is_no_provider() -> None:
    assert Registration.of(Settings()) is None
    secret = SecretStr("hush")
    settings = Settings(
        oidc_issuer=ISSUER,
        oidc_client_id="gamf",
        oidc_client_secret=secret,
        console_url="https://gamf.example",
    )
    registration = Registration.of(settings)
    assert registration == a_provider().registration
    assert "hush" not in repr(registration)


@pytest.fixture(scope="module")
async def process() -> AsyncGenerator[ProviderProcess]:
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        made = ProviderProcess(Path(name))
        await made.start()
        yield made
        await made.kill()


async def came_back(process: ProviderProcess, provider: Provider, now: datetime) -> str:
    """Sign in there, exchange the code at that instant, and return who it is."""
    asking = asked("secret", "state")
    async with walking(process.console) as walker:
        there = await walker.sign_in_there(await provider.way_in(asking), "ada-7f3a")
    found = await provider.identity(value(there, "code"), asking, issuer=value(there, "iss"), now=now)
    return found.subject


@pytest.mark.long
async def test_a_real_token_is_believed_while_it_lasts(process: ProviderProcess) -> None:
    provider = Provider(process.registration())
    now = datetime.now(NOON.tzinfo)
    assert await came_back(process, provider, now) == "ada-7f3a"
    for another in (now + 2 * HOUR, now - HOUR):
        with pytest.raises(NotBelievedError):
            await came_back(process, provider, another)


@pytest.mark.long
async def test_a_real_token_that_is_signed_with_the_shared_secret_is_not_believed(
    process: ProviderProcess,
) -> None:
    provider = Provider(process.registration(client_id=SHARED))
    with pytest.raises(NotBelievedError):
        await came_back(process, provider, datetime.now(NOON.tzinfo))


@pytest.mark.long
async def test_a_console_that_the_provider_does_not_know_is_told_that_nobody_can_sign_in(
    process: ProviderProcess,
) -> None:
    provider = Provider(process.registration(client_secret=SecretStr("un autre")))
    with pytest.raises(ProviderAwayError):
        await came_back(process, provider, datetime.now(NOON.tzinfo))


@pytest.mark.long
async def test_a_provider_that_calls_itself_otherwise_or_is_none_is_not_spoken_to(
    process: ProviderProcess,
) -> None:
    elsewhere = process.issuer.replace("localhost", "127.0.0.1")
    for issuer in (elsewhere, f"{process.issuer}/realms/gamf", "http://localhost:1"):
        with pytest.raises(ProviderAwayError):
            await Provider(process.registration(issuer=issuer)).way_in(asked("secret", "state"))
