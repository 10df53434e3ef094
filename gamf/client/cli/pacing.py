"""What the bulk commands say while the servers are silent."""

from typing import TYPE_CHECKING

import click

from gamf.client.cli.language import say

if TYPE_CHECKING:
    from gamf.runtime.errors import ServiceUnreachable


def told(seconds: float, why: "ServiceUnreachable") -> None:
    """Say on stderr that the command waits, and for what."""
    words = say(
        f"Nouvel essai dans {seconds:g} s. {why.fr}",
        f"Trying again in {seconds:g} s. {why.en}",
    )
    click.secho(words, err=True, fg="yellow")
