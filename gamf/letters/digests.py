"""The daily digests as e-mail: what one says, in French with English below, and who takes it away. Nobody is named."""

import asyncio
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Final, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict

from gamf.domain import calendar
from gamf.domain.digest import ANSWER_DUE, Digest, Group, Recipient
from gamf.domain.effects import TaskKind
from gamf.domain.states import LABELS, State
from gamf.letters.carriers import CarrierError, SmtpSettings, accepted, tls_context
from gamf.letters.manifest import FOLDER_MODE, write_durably

SHOWN: Final = 20
"""References of one group at most: the lists have the others."""
_SENDER: Final = "gamf@localhost"
"""Who writes, in a folder that no mail server reads."""
_KINDS: Final[dict[str, tuple[str, str]]] = {
    ANSWER_DUE: ("Réponse du médecin attendue (72 heures)", "Physician's answer awaited (72 hours)"),
    TaskKind.ANSWER_OVERDUE: ("72 heures sans réponse", "72 hours without an answer"),
    TaskKind.SV_TO_ENTER: ("Inscription SV à saisir", "SV to enter"),
    TaskKind.SV_OVERDUE: ("14 jours sans inscription SV", "14 days without an SV"),
    TaskKind.MF_TERM_NEAR: (
        "Première visite et formulaire 4096 attendus",
        "First visit and form 4096 awaited",
    ),
    TaskKind.DISCRIMINATORY_GROUND: ("Motif à examiner (GACO)", "Ground to look into (GACO)"),
    TaskKind.LETTER_NOT_SENT: ("Lettre non remise", "Letter not sent"),
    TaskKind.ANNOUNCED_FACT: ("Fait annoncé à revoir (GACO)", "Announced fact to review (GACO)"),
}


class DigestMail(BaseModel):
    """One e-mail, ready to be handed over; `dated` is the instant written in it, the same however often it is made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest_id: int
    to: str
    subject: str
    body: str
    dated: AwareDatetime


class DigestCarrier(Protocol):
    """Takes digests away."""

    async def hand_over(self, mail: DigestMail) -> None:
        """Take the digest; raise `CarrierError` if it was not taken."""


class OutboxDigests:
    """A folder that somebody reads, or mails: one file a digest, `.eml`."""

    def __init__(self, folder: Path) -> None:
        """Keep them in `folder`, made at the first one."""
        self._folder = folder

    async def hand_over(self, mail: DigestMail) -> None:
        """Write the file whole; raise a temporary `CarrierError` if the file system refuses."""
        try:
            await asyncio.to_thread(self._put, mail)
        except OSError as error:
            raise CarrierError(
                f"digest {mail.digest_id} could not be written: {error.strerror}", temporary=True
            ) from error

    def _put(self, mail: DigestMail) -> None:
        self._folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        path = self._folder / f"digest-{mail.digest_id:06d}.eml"
        write_durably(path, _message(mail, _SENDER).as_bytes())


class SmtpDigests:
    """One message a digest, to the coordinator or the clinic; a repeat has the same Message-ID."""

    def __init__(self, settings: SmtpSettings) -> None:
        """Send by these settings; the mailbox of the letters has no part in it."""
        self._settings = settings
        self._tls = tls_context(settings)

    async def hand_over(self, mail: DigestMail) -> None:
        """Send it.

        Raises:
            CarrierError: permanent when the server refuses it for good (5xx), temporary for all else.
        """
        async with accepted(self._settings, self._tls, _message(mail, self._settings.sender)):
            pass


def _message(mail: DigestMail, sender: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.dated)
    message["Message-ID"] = f"<digest-{mail.digest_id}@{Address(addr_spec=sender).domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body, cte="8bit")
    return message


# --- the words ----------------------------------------------------------------------------------------------------


def mail(digest_id: int, to: str, digest: Digest, dated: datetime) -> DigestMail:
    """Return a digest as an e-mail."""
    subject = f"GAMF {digest.on} : {_count(digest.due)} à échéance, {_count(digest.late)} en retard"
    return DigestMail(digest_id=digest_id, to=to, subject=subject, body=text(digest), dated=dated)


def text(digest: Digest) -> str:
    """Return what a digest says, in French and then in English."""
    return "\n".join([*_french(digest), "", "-" * 72, "", *_english(digest), ""])


def _french(d: Digest) -> list[str]:
    who = "RLS" if d.recipient is Recipient.COORDINATOR else "Médecin"
    return [
        f"{who} {', '.join(d.of)} — {d.on}",
        *_section(d, "En retard", d.late, 0),
        *_section(d, "À échéance d’ici trois jours ouvrables", d.due, 0),
        *_section(d, "Revenus sur la liste depuis le dernier jour ouvrable", d.back, 0),
        "",
        f"Pour agir : {_command(d)}",
        "Aucun nom n’est écrit ici : les références se lisent avec « gamf ».",
    ]


def _english(d: Digest) -> list[str]:
    who = "RLS" if d.recipient is Recipient.COORDINATOR else "Physician"
    return [
        f"{who} {', '.join(d.of)} — {d.on}",
        *_section(d, "Late", d.late, 1),
        *_section(d, "Due within three working days", d.due, 1),
        *_section(d, "Back on the list since the last working day", d.back, 1),
        "",
        f"To act: {_command(d)}",
        "No name is written here: “gamf” shows what the references are about.",
    ]


def _command(d: Digest) -> str:
    return f"gamf task list --{'rls' if d.recipient is Recipient.COORDINATOR else 'physician'} {d.of[0]}"


def _section(d: Digest, title: str, groups: tuple[Group, ...], language: int) -> list[str]:
    if not groups:
        return []
    lines = ["", f"{title} ({_count(groups)})"]
    for group in groups:
        lines += [f"  {_kind(group.kind, language)}{_until(d, group, language)} ({len(group.references)})"]
        lines += [f"    {_references(group, language)}"]
    return lines


def _count(groups: tuple[Group, ...]) -> int:
    return sum(len(group.references) for group in groups)


def _kind(kind: str, language: int) -> str:
    words = LABELS[State(kind)] if kind in set(State) else _KINDS.get(kind, (kind, kind))
    return words[language]


def _until(d: Digest, group: Group, language: int) -> str:
    """Say until when: 24:00 of a day rather than 00:00 of the next one (A5, A23)."""
    if group.due is None:
        return ""
    local = group.due.astimezone(calendar.zone(d.time_zone))
    day, hour = local.date(), f"{local:%H:%M}"
    if hour == "00:00":
        day, hour = day - timedelta(days=1), "24:00"
    return f", {('avant', 'before')[language]} {day} {hour}"


def _references(group: Group, language: int) -> str:
    shown, more = group.references[:SHOWN], len(group.references) - SHOWN
    rest = (f" et {more} autres", f" and {more} others")[language] if more > 0 else ""
    return ", ".join(shown) + rest
