"""The access log (LRSSS, s. 103): what a look at a person is, and what of a month's looks is out of the ordinary.

The rules point out; they accuse nobody. Each finding says what was counted and from how many on it is pointed out.
"""

from collections.abc import Iterator, Sequence
from datetime import time
from enum import StrEnum
from statistics import median
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from gamf.domain.roles import Role, UseCase


class Channel(StrEnum):
    """By which way somebody looked."""

    CLI = "cli"
    CONSOLE = "console"
    API = "api"


class Shown(StrEnum):
    """Which kinds of information a look shows."""

    IDENTITY = "identity"
    """Name, NAM, birth date, sex."""
    CONTACT = "contact"
    """Address, telephone, e-mail, representative."""
    HEALTH = "health"
    """Priority, vulnerability, condition."""
    STANDING = "standing"
    """Place on the list, attributions, enrolments."""
    LETTER = "letter"
    """What a letter says."""
    LOOKS = "looks"
    """Who looked at them, when and from where: a page of this log."""


SHOWN_LABELS: Final = {
    Shown.IDENTITY: ("identité", "identity"),
    Shown.CONTACT: ("coordonnées", "contact"),
    Shown.HEALTH: ("santé", "health"),
    Shown.STANDING: ("cheminement", "standing"),
    Shown.LETTER: ("lettre", "letter"),
    Shown.LOOKS: ("consultations", "looks"),
}
"""Each kind of information in French and in English."""


LISTS: Final = frozenset(
    {
        UseCase.BLOCK_LIST,
        UseCase.ATTRIBUTION_LIST,
        UseCase.TASK_LIST,
        UseCase.REGISTER_LIST,
        UseCase.OUTBOX_SHOW,
    }
)
"""What shows whoever happens to be on it: a page of one is no look at one person, though there be one on it."""

CHANNEL_LABELS: Final = {
    Channel.CLI: ("ligne de commande", "command line"),
    Channel.CONSOLE: ("console", "console"),
    Channel.API: ("API", "API"),
}
"""Each way in French and in English."""


class AccountMonth(BaseModel):
    """What one account looked at in a month; `by_one` are looks at one person at a time, lists apart."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: str
    roles: frozenset[Role]
    looks: int
    by_one: int
    at_night: int
    refused: int
    most_of_one: int
    """Looks at the person looked at most often."""
    largest: int
    """People of the largest list or export."""


class Unusual(StrEnum):
    """A rule by which a month is out of the ordinary."""

    MORE_THAN_PEERS = "more_than_peers"
    AT_NIGHT = "at_night"
    OUTSIDE = "outside"
    ONE_PERSON = "one_person"
    WHOLESALE = "wholesale"


class Finding(NamedTuple):
    """Something pointed out: the rule, what was counted, and the number from which it is pointed out."""

    account: str
    rule: Unusual
    counted: int
    threshold: int

    def words(self) -> tuple[str, str]:
        """Return it in French and in English."""
        fr, en = _WORDS[self.rule]
        values = {"counted": self.counted, "threshold": self.threshold}
        return fr.format(**values), en.format(**values)


NIGHT_FROM: Final = time(22)
NIGHT_UNTIL: Final = time(6)
"""The night, on the clock of the account's RLS."""
TIMES_THE_PEERS: Final = 3
FEWEST_PEERS: Final = 2
"""With fewer accounts of the same role there is nothing to compare with."""
AT_LEAST: Final = 50
"""Fewer looks than this are never far more than others'."""
NIGHT_LOOKS: Final = 5
REFUSED_LOOKS: Final = 3
SAME_PERSON: Final = 20
A_WHOLE_LIST: Final = 1_000

_WORDS: Final = {
    Unusual.MORE_THAN_PEERS: (
        "{counted} consultations d’une personne ; les comptes du même rôle : {threshold} au triple de leur médiane",
        "{counted} looks at one person; accounts of the same role: {threshold} at three times their median",
    ),
    Unusual.AT_NIGHT: (
        "{counted} consultations entre 22\u00a0h et 6\u00a0h (signalé dès {threshold})",
        "{counted} looks between 10:00\u00a0p.m. and 6:00\u00a0a.m. (pointed out from {threshold})",
    ),
    Unusual.OUTSIDE: (
        "{counted} demandes refusées, de personnes hors de ses listes (signalé dès {threshold})",
        "{counted} refused requests, for people outside of their own lists (pointed out from {threshold})",
    ),
    Unusual.ONE_PERSON: (
        "une même personne consultée {counted} fois (signalé dès {threshold})",
        "the same person looked at {counted} times (pointed out from {threshold})",
    ),
    Unusual.WHOLESALE: (
        "une liste ou un export de {counted} personnes à la fois (signalé dès {threshold})",
        "a list or an export of {counted} people at once (pointed out from {threshold})",
    ),
}


def findings(months: Sequence[AccountMonth]) -> list[Finding]:
    """Return what is out of the ordinary in a month, account by account."""
    return [finding for month in months for finding in _of_one(month, months)]


def _of_one(month: AccountMonth, months: Sequence[AccountMonth]) -> Iterator[Finding]:
    counted = (
        (Unusual.MORE_THAN_PEERS, month.by_one, _far_more(month, months)),
        (Unusual.AT_NIGHT, month.at_night, NIGHT_LOOKS),
        (Unusual.OUTSIDE, month.refused, REFUSED_LOOKS),
        (Unusual.ONE_PERSON, month.most_of_one, SAME_PERSON),
        (Unusual.WHOLESALE, month.largest, A_WHOLE_LIST),
    )
    for rule, count, threshold in counted:
        if threshold is not None and count >= threshold:
            yield Finding(month.account, rule, count, threshold)


def _far_more(month: AccountMonth, months: Sequence[AccountMonth]) -> int | None:
    """Return from how many looks on an account has far more than its peers, or None without enough peers."""
    peers = [each.by_one for each in months if each.account != month.account and each.roles & month.roles]
    if len(peers) < FEWEST_PEERS:
        return None
    return max(AT_LEAST, int(TIMES_THE_PEERS * median(peers)) + 1)
