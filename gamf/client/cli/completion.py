"""`gamf completion`: what a shell reads to complete our commands."""

import click
from click.shell_completion import get_completion_class

from gamf.client.cli.commands import argument, command
from gamf.client.cli.language import Text
from gamf.client.cli.main import cli


@command(
    "completion",
    fr="""Écrire la complétion pour bash, zsh ou fish.

    Pour bash, par exemple : eval "$(gamf completion bash)".""",
)
@argument(
    "shell",
    type=click.Choice(["bash", "zsh", "fish"]),
    fr="Votre interpréteur de commandes.",
    en="Your shell.",
    shown=Text("bash|zsh|fish", "bash|zsh|fish"),
)
def completion(shell: str) -> None:
    """Write the completion for bash, zsh or fish.

    For bash, for instance: eval "$(gamf completion bash)".
    """
    made = get_completion_class(shell)
    if made is not None:
        click.echo(made(cli, {}, "gamf", "_GAMF_COMPLETE").source())
