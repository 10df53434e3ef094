"""What a use case says when it cannot do what was asked, besides the refusals of the rules."""

from typing import ClassVar

from gamf.runtime.errors import Fault, ServiceUnreachable


class NotFoundError(Fault):
    """What was asked for is not there (exit status 4); the message never names a person."""

    exit_status: ClassVar[int] = 4


class FileRefusedError(Fault):
    """A file cannot be read as what it should be, as a whole (exit status 2: wrong usage)."""

    exit_status: ClassVar[int] = 2


class NotThereError(ServiceUnreachable):
    """One workflow is not there, while the servers answer: nothing to wait for on behalf of the others."""
