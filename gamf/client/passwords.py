"""Passwords: argon2 (argon2id, the parameters of RFC 9106 for ordinary memory), a few at a time, off the loop."""

import asyncio
import secrets
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER: Final = PasswordHasher()
_AT_ONCE: Final = 4
"""Each takes 64 MiB: more at once would let anybody take the machine's memory."""
_ONE_TIME_BYTES: Final = 12


class Passwords:
    """Encodes and compares passwords. Comparing takes the same time whether there is something to compare with."""

    def __init__(self) -> None:
        self._turn: asyncio.Semaphore = asyncio.Semaphore(_AT_ONCE)

    async def encode(self, password: str) -> str:
        """Return argon2's encoding of a password, with its own salt."""
        async with self._turn:
            return await asyncio.to_thread(_HASHER.hash, password)

    async def matches(self, encoded: str | None, password: str) -> bool:
        """Tell whether that is the password; without an encoding, say no in the time a comparison takes."""
        async with self._turn:
            return await asyncio.to_thread(_matches, encoded, password)

    def is_outdated(self, encoded: str) -> bool:
        """Tell whether it was encoded with other parameters than today's."""
        return _HASHER.check_needs_rehash(encoded)


def _matches(encoded: str | None, password: str) -> bool:
    try:
        _HASHER.verify(encoded or _nobodys(), password)
    except (VerificationError, InvalidHashError):
        return False
    return encoded is not None


@cache
def _nobodys() -> str:
    """Return the encoding of a password that nobody has."""
    return _HASHER.hash(secrets.token_urlsafe())


def one_time() -> str:
    """Return a password to be changed at the first sign-in: four groups of letters and digits, 96 random bits."""
    text = secrets.token_hex(_ONE_TIME_BYTES)
    return "-".join(text[place : place + 6] for place in range(0, len(text), 6))
