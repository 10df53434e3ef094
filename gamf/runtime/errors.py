"""What a process says when it cannot reach, start or read what it needs: French, English beside it."""

from typing import ClassVar, Literal, TypeAlias

Language: TypeAlias = Literal["fr", "en"]


class Fault(Exception):  # noqa: N818 - a state of the surroundings that a person mends, not an error of the program
    """Tell a person what is wrong and what to do, in names of settings and addresses, never in values."""

    exit_status: ClassVar[int] = 1

    def __init__(self, *, fr: str, en: str) -> None:
        super().__init__(fr)
        self.fr: str = fr
        self.en: str = en

    def text(self, language: Language = "fr") -> str:
        """Return the message in one language."""
        return self.en if language == "en" else self.fr


class SettingsFault(Fault):
    """A setting is unknown, missing or malformed (exit status 2: wrong usage)."""

    exit_status: ClassVar[int] = 2


class ServiceUnreachable(Fault):
    """A server does not answer (exit status 5); the rest says where it was sought and how to start it."""

    exit_status: ClassVar[int] = 5

    def __init__(self, service: str, *, fr: str, en: str) -> None:
        super().__init__(fr=f"{service} est injoignable\u00a0: {fr}", en=f"{service} is unreachable: {en}")
        self.service: str = service


class DataFolderInUse(Fault):
    """Another process holds the data folder."""


class ServerDidNotStart(Fault):
    """An embedded server ended, or gave no answer in time, while it was starting."""


class PortInUse(Fault):
    """The port that was asked for is taken."""
