"""Who takes the letters away: an outbox folder, or the mailbox of the service that prints and posts them.

Sent means handed to a carrier, once (invariant 4). A carrier may be called again with the same letter, even
by another process at the same moment, and the letter still goes once.
"""

import asyncio
import hashlib
import logging
import os
import re
import ssl
import zlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Protocol, Self

import aiosmtplib
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, model_validator

from gamf.domain.correspondence import Language, LetterKind
from gamf.letters.content import LETTER_ID
from gamf.letters.manifest import FOLDER_MODE, Entry, Manifest, try_flock, write_durably

_log = logging.getLogger(__name__)

_PERMANENT_REPLIES: Final = range(500, 600)
_CLAIM_LOCKS: Final = 64
_CLAIM_POLL_SECONDS: Final = 0.05
_LEAVE_SECONDS: Final = 5.0


class CarrierError(Exception):
    """A letter that the carrier did not take. Its text holds nothing of the letter or of the person."""

    def __init__(self, message: str, *, temporary: bool) -> None:
        """Say what failed, and whether the same letter may go through later."""
        super().__init__(message)
        self.temporary = temporary


class Envelope(BaseModel):
    """What a carrier may know of a letter besides its bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: LetterKind
    language: Language
    handed_at: AwareDatetime
    """The instant written in the carrier's list; the caller's clock, so that a repeat can give the same."""


class Carrier(Protocol):
    """Takes letters away."""

    async def hand_over(self, letter_id: str, pdf: bytes, envelope: Envelope) -> None:
        """Take the letter, or do nothing if it was taken before; raise `CarrierError` if it was not taken."""


class OutboxCarrier:
    """A folder that the printing service reads: `<letter_id>.pdf`, and a line of `manifest.csv` for each.

    A letter is handed over once its line is in the manifest, after its PDF is on the disk: a PDF without a
    line is a hand-over that a crash cut short and that will be made again. A letter with a line is never
    put there again, even when its PDF was taken out of the folder; so the manifest is what must not be
    removed.
    """

    def __init__(self, folder: Path) -> None:
        """Keep the outbox in `folder`, made at the first letter."""
        self._folder = folder
        self._manifest = Manifest(folder)

    async def hand_over(self, letter_id: str, pdf: bytes, envelope: Envelope) -> None:
        """Put the letter in the folder, once; raise a temporary `CarrierError` if the file system refuses."""
        entry = _entry(letter_id, pdf, envelope)
        try:
            await asyncio.to_thread(self._put, entry, pdf)
        except OSError as error:
            raise CarrierError(
                f"letter {letter_id} could not be written to the outbox: {error.strerror}", temporary=True
            ) from error

    def _put(self, entry: Entry, pdf: bytes) -> None:
        with self._manifest.locked():
            if entry.letter_id in self._manifest:
                return
            write_durably(self._folder / f"{entry.letter_id}.pdf", pdf)
            self._manifest.add(entry)


class Security(StrEnum):
    """How the connection to the mail server is protected."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class SmtpSettings(BaseModel):
    """The mail server, and the mailbox of the service that prints and posts letters (never a patient's)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: str
    port: Annotated[int, Field(gt=0, lt=65536)]
    sender: str
    mailbox: str
    security: Security = Security.STARTTLS
    ca_file: Path | None = None
    """Certificate authorities to trust instead of the system's."""
    username: str | None = None
    password: SecretStr | None = None
    timeout_seconds: Annotated[float, Field(gt=0)] = 60.0
    """For one letter, from the connection to the server's last word."""

    @model_validator(mode="after")
    def _login_is_protected(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("a username and a password go together")
        if self.username is not None and self.security is Security.NONE:
            raise ValueError("a password is not sent over a connection in clear")
        return self


class SmtpCarrier:
    """One message a letter to the printing service's mailbox: the letter's id as subject, its PDF attached.

    What is guaranteed. A letter in the journal is not sent again, and processes that share the journal's
    folder take turns on a letter. A crash or a lost connection between the server's acceptance and the
    journal's line leaves it unknown whether the message went: the letter is then sent again with the same
    Message-ID, by which the receiver must drop the repeat. The caller marks its own row as sent only after
    `hand_over` returns.
    """

    def __init__(self, settings: SmtpSettings, journal: Path) -> None:
        """Send by `settings`; `journal` is a folder for the list of what went, on a disk that lasts."""
        self._settings = settings
        self._folder = journal
        self._journal = Manifest(journal)
        self._tls = tls_context(settings)

    async def hand_over(self, letter_id: str, pdf: bytes, envelope: Envelope) -> None:
        """Send the letter, once as far as the journal tells.

        Raise a permanent `CarrierError` when the server refuses the message for good (5xx), a temporary one
        for all else: no connection, a time-out, a refused login, a 4xx, a journal that cannot be written.
        """
        entry = _entry(letter_id, pdf, envelope)
        async with self._claim(letter_id):
            if await self._went_before(entry):
                return
            async with accepted(self._settings, self._tls, _message(self._settings, entry, pdf)):
                await self._remember(entry)

    @asynccontextmanager
    async def _claim(self, letter_id: str) -> AsyncGenerator[None]:
        """Keep other processes off this letter; polls, so that a cancelled wait leaves no lock behind."""
        stripe = zlib.crc32(letter_id.encode()) % _CLAIM_LOCKS
        lock = await self._take_lock(self._folder / f".claim-{stripe:02}")
        try:
            yield
        finally:
            os.close(lock)

    async def _take_lock(self, path: Path) -> int:
        try:
            self._folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            async with asyncio.timeout(self._settings.timeout_seconds):
                while (lock := try_flock(path)) is None:  # noqa: ASYNC110 - another process sets no event of ours
                    await asyncio.sleep(_CLAIM_POLL_SECONDS)
        except TimeoutError:
            raise CarrierError("another process holds the letter", temporary=True) from None
        except OSError as error:
            raise _journal_error(error) from error
        return lock

    async def _went_before(self, entry: Entry) -> bool:
        try:
            return await asyncio.to_thread(self._is_listed, entry)
        except OSError as error:
            raise _journal_error(error) from error

    def _is_listed(self, entry: Entry) -> bool:
        with self._journal.locked():
            return entry.letter_id in self._journal

    async def _remember(self, entry: Entry) -> None:
        try:
            await asyncio.to_thread(self._list, entry)
        except OSError:
            # The message went: an error here would have it sent again for nothing.
            _log.warning("letter %s was sent but its journal line could not be written", entry.letter_id)

    def _list(self, entry: Entry) -> None:
        with self._journal.locked():
            self._journal.add(entry)


@asynccontextmanager
async def accepted(
    to: SmtpSettings, tls: ssl.SSLContext | None, message: EmailMessage
) -> AsyncGenerator[None]:
    """Have the mail server accept a message; what the block does comes before the leave is taken.

    Raises:
        CarrierError: it did not; permanent when it never will (5xx).
    """
    client = _client(to, tls)
    try:
        await _send(client, message, to.timeout_seconds)
        yield
        await _take_leave(client)
    finally:
        client.close()


def _client(to: SmtpSettings, tls: ssl.SSLContext | None) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname=to.host,
        port=to.port,
        username=to.username,
        password=to.password.get_secret_value() if to.password else None,
        use_tls=to.security is Security.TLS,
        start_tls=to.security is Security.STARTTLS,
        tls_context=tls,
        timeout=to.timeout_seconds,
    )


async def _send(client: aiosmtplib.SMTP, message: EmailMessage, timeout_seconds: float) -> None:
    try:
        async with asyncio.timeout(timeout_seconds):
            await client.connect()
            await client.send_message(message)
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        # The server's own words may quote the message, so they go no further.
        raise _carrier_error(error) from None


async def _take_leave(client: aiosmtplib.SMTP) -> None:
    """Say QUIT as the protocol wants; the message is accepted already, so nothing here can fail it."""
    with suppress(aiosmtplib.SMTPException, OSError):
        await client.quit(timeout=_LEAVE_SECONDS)


def tls_context(settings: SmtpSettings) -> ssl.SSLContext | None:
    """Return how the connection is protected, read once: the authorities' file may be long."""
    if settings.security is Security.NONE:
        return None
    return ssl.create_default_context(cafile=settings.ca_file)


def _entry(letter_id: str, pdf: bytes, envelope: Envelope) -> Entry:
    if not re.match(LETTER_ID, letter_id) or letter_id.endswith("\n"):
        raise CarrierError("not a letter id", temporary=False)
    return Entry(
        letter_id=letter_id,
        kind=envelope.kind,
        language=envelope.language,
        sha256=hashlib.sha256(pdf).hexdigest(),
        handed_at=envelope.handed_at,
    )


def _message(settings: SmtpSettings, entry: Entry, pdf: bytes) -> EmailMessage:
    message = EmailMessage()
    message["From"] = settings.sender
    message["To"] = settings.mailbox
    message["Subject"] = entry.letter_id
    message["Date"] = format_datetime(entry.handed_at)
    message["Message-ID"] = f"<{entry.letter_id}@{Address(addr_spec=settings.sender).domain}>"
    message.set_content(f"kind: {entry.kind}\nlanguage: {entry.language}\nsha256: {entry.sha256}\n")
    message.add_attachment(pdf, maintype="application", subtype="pdf", filename=f"{entry.letter_id}.pdf")
    return message


def _carrier_error(error: Exception) -> CarrierError:
    match error:
        case TimeoutError():
            return CarrierError("the mail server did not answer in time", temporary=True)
        case aiosmtplib.SMTPAuthenticationError() | aiosmtplib.SMTPHeloError():
            return CarrierError(f"the mail server refused us ({error.code})", temporary=True)
        case aiosmtplib.SMTPConnectError() | ConnectionError():
            return CarrierError("the mail server cannot be reached", temporary=True)
        case aiosmtplib.SMTPRecipientsRefused():
            return _refused([refusal.code for refusal in error.recipients])
        case aiosmtplib.SMTPResponseException():
            return _refused([error.code])
        case _:
            return CarrierError(f"the letter could not be sent ({type(error).__name__})", temporary=True)


def _refused(codes: list[int]) -> CarrierError:
    permanent = all(code in _PERMANENT_REPLIES for code in codes)
    shown = ", ".join(str(code) for code in codes)
    return CarrierError(f"the mail server refused the letter ({shown})", temporary=not permanent)


def _journal_error(error: OSError) -> CarrierError:
    return CarrierError(f"the journal cannot be written: {error.strerror}", temporary=True)
