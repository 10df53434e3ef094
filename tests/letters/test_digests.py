"""Digests by e-mail and in a folder: what goes out, to whom, and nothing else."""

import email
import email.policy
from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from gamf.domain.digest import Asked, Recipient, compose
from gamf.letters.carriers import CarrierError
from gamf.letters.digests import DigestMail, OutboxDigests, SmtpDigests, mail
from tests.letters.test_smtp import Mailbox, mail_server, settings

SEVEN = datetime(2026, 6, 1, 11, tzinfo=UTC)
TO = "coordo@exemple.test"


def a_mail(digest_id: int = 42) -> DigestMail:
    asked = Asked(kind="answer_overdue", reference="2026-000042", due=datetime(2026, 6, 3, 4, tzinfo=UTC))
    digest = compose(
        Recipient.COORDINATOR,
        ["0311"],
        on=date(2026, 6, 1),
        time_zone="America/Toronto",
        asked=[asked],
        returned=[],
    )
    return mail(digest_id, TO, digest, SEVEN)


@pytest.fixture
async def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
async def port(mailbox: Mailbox) -> AsyncGenerator[int]:
    async with mail_server(mailbox) as taken:
        yield taken


async def test_a_digest_goes_to_its_reader_and_not_to_the_printers(mailbox: Mailbox, port: int) -> None:
    await SmtpDigests(settings(port)).hand_over(a_mail())
    ((sender, recipients),) = mailbox.envelopes
    assert (sender, recipients) == ("lettres@gamf.example", [TO])
    (message,) = mailbox.messages
    assert message["Subject"] == "GAMF 2026-06-01 : 1 à échéance, 0 en retard"
    assert message["Message-ID"] == "<digest-42@gamf.example>"
    body = message.get_content()
    french, english = body.split("-" * 72)
    assert "72 heures sans réponse, avant 2026-06-02 24:00 (1)" in french
    assert "72 hours without an answer, before 2026-06-02 24:00 (1)" in english
    assert "2026-000042" in french
    assert "gamf task list --rls 0311" in french


async def test_a_repeat_has_the_same_message_id_and_date(mailbox: Mailbox, port: int) -> None:
    for _ in range(2):
        await SmtpDigests(settings(port)).hand_over(a_mail())
    first, second = mailbox.messages
    assert (first["Message-ID"], first["Date"]) == (second["Message-ID"], second["Date"])


@pytest.mark.parametrize(("reply", "temporary"), [("550 no such user", False), ("451 later", True)])
async def test_a_refusal_says_whether_another_try_may_pass(
    mailbox: Mailbox,
    port: int,
    reply: str,
    temporary: bool,  # noqa: FBT001 - a parameter
) -> None:
    mailbox.rcpt = reply
    with pytest.raises(CarrierError) as refused:
        await SmtpDigests(settings(port)).hand_over(a_mail())
    assert refused.value.temporary is temporary
    assert TO not in str(refused.value)


async def test_without_a_mail_server_a_digest_is_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "outbox" / "digests"
    for _ in range(2):
        await OutboxDigests(folder).hand_over(a_mail())
    (path,) = folder.iterdir()
    assert path.name == "digest-000042.eml"
    read = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert (read["To"], read["Auto-Submitted"]) == (TO, "auto-generated")
    assert "À échéance" in path.read_text("utf-8")


async def test_a_folder_that_cannot_be_written_may_be_later(tmp_path: Path) -> None:
    (tmp_path / "digests").write_text("not a folder")
    with pytest.raises(CarrierError) as refused:
        await OutboxDigests(tmp_path / "digests").hand_over(a_mail())
    assert refused.value.temporary
