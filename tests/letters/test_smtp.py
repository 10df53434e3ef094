"""Letters by SMTP, to a real server."""

import asyncio
import email
import email.policy
import hashlib
import logging
import ssl
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pydantic
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from gamf.letters.carriers import CarrierError, Security, SmtpCarrier, SmtpSettings
from tests.letters.hand_over import ENVELOPE, Orders, pdf_of

LETTER = "2026-000042-1"
OTHER = "2026-000043-1"
ROOT = Path(__file__).parents[2]
# A key that protects nothing: it was made for these tests and is read by all.
CERTIFICATE = Path(__file__).with_name("localhost.pem")


class Mailbox:
    """What a mail server does with what it is given."""

    def __init__(self, *, rcpt: str = "250 OK", data: str = "250 OK") -> None:
        self.rcpt = rcpt
        self.data = data
        self.arrived = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.messages: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, to: str, _options: Any) -> str:  # noqa: ANN401, N802 - aiosmtpd's names and types
        envelope.rcpt_tos.append(to)
        return self.rcpt

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: ANN401, N802 - aiosmtpd's names and types
        self.arrived.set()
        await self.open.wait()
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        return self.data


Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def mail_server(
    mailbox: Mailbox,
    tls: ssl.SSLContext | None = None,
    **options: Any,  # noqa: ANN401 - aiosmtpd's options
) -> AsyncGenerator[int]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(mailbox, hostname="localhost", loop=loop, **options), "127.0.0.1", 0, ssl=tls
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def bare_server(connected: Connected) -> AsyncGenerator[int]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await connected(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def settings(port: int, **changes: Any) -> SmtpSettings:  # noqa: ANN401 - any field of the settings
    known = {
        "host": "localhost",
        "port": port,
        "sender": "lettres@gamf.example",
        "mailbox": "imprimerie@poste.example",
        "security": Security.NONE,
        "timeout_seconds": 10,
    }
    return SmtpSettings.model_validate(known | changes)


def server_tls() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    return context


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


async def refusal(carrier: SmtpCarrier) -> CarrierError:
    with pytest.raises(CarrierError) as refused:
        await carrier.hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
    return refused.value


async def test_a_letter_is_one_message_to_the_printing_service(journal: Path) -> None:
    mailbox = Mailbox()
    async with mail_server(mailbox) as port:
        await SmtpCarrier(settings(port), journal).hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
    (message,) = mailbox.messages
    assert mailbox.envelopes == [("lettres@gamf.example", ["imprimerie@poste.example"])]
    assert message["Subject"] == LETTER
    assert message["Message-ID"] == f"<{LETTER}@gamf.example>"
    assert message["Date"].datetime == datetime(2026, 5, 8, 14, 0, tzinfo=UTC)
    assert (message["From"], message["To"]) == ("lettres@gamf.example", "imprimerie@poste.example")
    (attached,) = message.iter_attachments()
    assert attached.get_content_type() == "application/pdf"
    assert attached.get_filename() == f"{LETTER}.pdf"
    assert attached.get_content() == pdf_of(LETTER)
    body = message.get_body()
    assert body is not None
    digest = hashlib.sha256(pdf_of(LETTER)).hexdigest()
    assert body.get_content().split() == ["kind:", "attribution", "language:", "fr", "sha256:", digest]


async def test_a_letter_handed_over_twice_is_sent_once(journal: Path) -> None:
    mailbox = Mailbox()
    async with mail_server(mailbox) as port:
        carrier = SmtpCarrier(settings(port), journal)
        await carrier.hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
        await carrier.hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
        await SmtpCarrier(settings(port), journal).hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
        await carrier.hand_over(OTHER, pdf_of(OTHER), ENVELOPE)
    assert [message["Subject"] for message in mailbox.messages] == [LETTER, OTHER]


async def test_two_carriers_at_once_send_a_letter_once(journal: Path) -> None:
    mailbox = Mailbox()
    mailbox.open.clear()
    async with mail_server(mailbox) as port:
        carriers = [SmtpCarrier(settings(port), journal) for _ in range(2)]
        handing = asyncio.gather(
            *(carrier.hand_over(LETTER, pdf_of(LETTER), ENVELOPE) for carrier in carriers)
        )
        await mailbox.arrived.wait()
        mailbox.open.set()
        await handing
    assert len(mailbox.messages) == 1


async def test_processes_at_once_send_each_letter_once(journal: Path) -> None:
    mailbox = Mailbox()
    async with mail_server(mailbox) as port:
        orders = Orders(folder=journal, letters=[LETTER, OTHER], smtp=settings(port)).model_dump_json()
        processes = [
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.letters.hand_over",
                orders,
                cwd=ROOT,
                stdout=asyncio.subprocess.PIPE,
            )
            for _ in range(3)
        ]
        told = [await process.communicate() for process in processes]
    assert [output for output, _ in told] == [b"done\ndone\n"] * 3
    assert sorted(message["Subject"] for message in mailbox.messages) == [LETTER, OTHER]


async def test_a_wait_for_another_process_ends(journal: Path) -> None:
    mailbox = Mailbox()
    mailbox.open.clear()
    async with mail_server(mailbox) as port:
        sending = asyncio.create_task(
            SmtpCarrier(settings(port), journal).hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
        )
        await mailbox.arrived.wait()
        error = await refusal(SmtpCarrier(settings(port, timeout_seconds=0.2), journal))
        mailbox.open.set()
        await sending
    assert (str(error), error.temporary) == ("another process holds the letter", True)
    assert len(mailbox.messages) == 1


async def test_a_cancelled_wait_leaves_no_lock_behind(journal: Path) -> None:
    mailbox = Mailbox()
    mailbox.open.clear()
    async with mail_server(mailbox) as port:
        carrier = SmtpCarrier(settings(port), journal)
        sending = asyncio.create_task(carrier.hand_over(LETTER, pdf_of(LETTER), ENVELOPE))
        await mailbox.arrived.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        mailbox.open.set()
        await carrier.hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
    assert {message["Message-ID"] for message in mailbox.messages} == {f"<{LETTER}@gamf.example>"}


@pytest.mark.parametrize(
    ("mailbox", "said", "temporary"),
    [
        (Mailbox(rcpt="550 Zoé Exemple unknown"), "the mail server refused the letter (550)", False),
        (Mailbox(rcpt="450 Zoé Exemple busy"), "the mail server refused the letter (450)", True),
        (Mailbox(data="554 no Zoé Exemple here"), "the mail server refused the letter (554)", False),
        (Mailbox(data="452 no room for Zoé Exemple"), "the mail server refused the letter (452)", True),
    ],
    ids=["mailbox-unknown", "mailbox-busy", "message-refused", "no-room"],
)
async def test_a_refusal_is_told_without_the_servers_words(
    journal: Path, mailbox: Mailbox, said: str, *, temporary: bool
) -> None:
    async with mail_server(mailbox, enable_SMTPUTF8=True) as port:
        carrier = SmtpCarrier(settings(port), journal)
        error = await refusal(carrier)
        assert (str(error), error.temporary) == (said, temporary)
        assert error.__cause__ is None
        assert error.__suppress_context__
        mailbox.rcpt = mailbox.data = "250 OK"
        mailbox.messages.clear()
        await carrier.hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
    assert len(mailbox.messages) == 1


async def test_a_server_that_says_nothing_is_given_up(journal: Path) -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with bare_server(silent) as port:
        error = await refusal(SmtpCarrier(settings(port, timeout_seconds=0.2), journal))
    assert (str(error), error.temporary) == ("the mail server did not answer in time", True)


async def test_a_server_that_never_confirms_is_given_up_and_the_repeat_is_recognisable(journal: Path) -> None:
    mailbox = Mailbox()
    mailbox.open.clear()
    async with mail_server(mailbox) as port:
        error = await refusal(SmtpCarrier(settings(port, timeout_seconds=0.3), journal))
        assert (str(error), error.temporary) == ("the mail server did not answer in time", True)
        mailbox.open.set()
        await SmtpCarrier(settings(port), journal).hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
    assert {message["Message-ID"] for message in mailbox.messages} == {f"<{LETTER}@gamf.example>"}


async def test_a_server_that_hangs_up_is_a_temporary_error(journal: Path) -> None:
    async def curt(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 localhost\r\n")
        await writer.drain()

    async with bare_server(curt) as port:
        error = await refusal(SmtpCarrier(settings(port), journal))
    assert (str(error), error.temporary) == ("the mail server cannot be reached", True)


async def test_a_server_that_is_not_there_is_a_temporary_error(journal: Path) -> None:
    async with mail_server(Mailbox()) as port:
        gone = port
    error = await refusal(SmtpCarrier(settings(gone), journal))
    assert (str(error), error.temporary) == ("the mail server cannot be reached", True)


async def test_a_journal_that_cannot_be_written_stops_the_letter_before_it_goes(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    mailbox = Mailbox()
    async with mail_server(mailbox) as port:
        error = await refusal(SmtpCarrier(settings(port), tmp_path / "file" / "journal"))
    assert (str(error), error.temporary) == ("the journal cannot be written: Not a directory", True)
    assert not mailbox.messages


async def test_a_journal_lost_after_the_sending_does_not_make_the_letter_unsent(
    journal: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mailbox = Mailbox()
    mailbox.open.clear()
    async with mail_server(mailbox) as port:
        carrier = SmtpCarrier(settings(port), journal)
        sending = asyncio.create_task(carrier.hand_over(LETTER, pdf_of(LETTER), ENVELOPE))
        await mailbox.arrived.wait()
        (journal / "manifest.csv").unlink()
        (journal / "manifest.csv").mkdir()
        mailbox.open.set()
        with caplog.at_level(logging.WARNING, "gamf.letters.carriers"):
            await sending
    assert caplog.messages == [f"letter {LETTER} was sent but its journal line could not be written"]
    assert len(mailbox.messages) == 1


def password_is(password: str) -> Callable[..., AuthResult]:
    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:  # noqa: ANN401 - aiosmtpd's types
        right = isinstance(given, LoginPassword) and given == LoginPassword(b"gamf", password.encode())
        return AuthResult(success=right, handled=False)

    return check


# aiosmtpd only knows of the protection that STARTTLS gives.
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_letter_goes_over_tls_with_a_login(journal: Path, security: Security) -> None:
    mailbox = Mailbox()
    tls = server_tls()
    options = {"tls_context": tls, "require_starttls": True} if security is Security.STARTTLS else {}
    async with mail_server(
        mailbox,
        tls=tls if security is Security.TLS else None,
        authenticator=password_is("entendu"),
        auth_required=True,
        auth_require_tls=security is Security.STARTTLS,
        **options,
    ) as port:
        known = settings(port, security=security, ca_file=CERTIFICATE, username="gamf", password="entendu")
        await SmtpCarrier(known, journal).hand_over(LETTER, pdf_of(LETTER), ENVELOPE)
        wrong = settings(port, security=security, ca_file=CERTIFICATE, username="gamf", password="non")
        with pytest.raises(CarrierError) as refused:
            await SmtpCarrier(wrong, journal).hand_over(OTHER, pdf_of(OTHER), ENVELOPE)
    assert (str(refused.value), refused.value.temporary) == ("the mail server refused us (535)", True)
    assert [message["Subject"] for message in mailbox.messages] == [LETTER]


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_server_with_a_certificate_of_its_own_making_gets_nothing(
    journal: Path, security: Security
) -> None:
    mailbox = Mailbox()
    tls = server_tls()
    options = {"tls_context": tls} if security is Security.STARTTLS else {}
    async with mail_server(mailbox, tls=tls if security is Security.TLS else None, **options) as port:
        error = await refusal(SmtpCarrier(settings(port, security=security), journal))
    assert error.temporary
    assert not mailbox.messages


async def test_a_server_that_offers_no_protection_gets_nothing(journal: Path) -> None:
    mailbox = Mailbox()
    async with mail_server(mailbox) as port:
        error = await refusal(SmtpCarrier(settings(port, security=Security.STARTTLS), journal))
    assert error.temporary
    assert not mailbox.messages


@pytest.mark.parametrize(
    "changes",
    [
        {"username": "gamf"},
        {"security": Security.STARTTLS, "password": "entendu"},
        {"username": "gamf", "password": "entendu"},
        {"port": 0},
        {"timeout_seconds": 0},
    ],
)
def test_settings_that_cannot_be_right_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(pydantic.ValidationError) as refused:
        settings(changes.pop("port", 25), **changes)
    assert "entendu" not in str(refused.value)


def test_a_password_is_not_shown() -> None:
    known = settings(25, security=Security.TLS, username="gamf", password="entendu")
    assert "entendu" not in f"{known!r} {known}"


async def test_an_id_that_is_not_a_letters_is_refused_for_good(journal: Path) -> None:
    with pytest.raises(CarrierError, match="not a letter id") as refused:
        await SmtpCarrier(settings(25), journal).hand_over("x\r\nBcc: y", b"", ENVELOPE)
    assert not refused.value.temporary
