"""What a failure says, as a page or as a problem."""

from dataclasses import dataclass

from gamf.client.cli.language import Text


@dataclass(frozen=True)
class Failure:
    """What a page of failure says."""

    status: int
    title: Text
    words: Text
    rule: str | None = None
    kept: Text | None = None
    fields: tuple[str, ...] = ()
