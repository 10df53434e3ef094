"""The command `gamf` as a person runs it: a process of its own, its status, what it printed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

GAMF: Final = Path(sys.executable).with_name("gamf")
_PATIENCE_SECONDS: Final = 100
_OURS: Final = ("GAMF_", "TEMPORAL_")


def environment(**variables: str) -> dict[str, str]:
    """Return this process's environment without settings, but for those given."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OURS)} | variables


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    status: int
    out: str
    err: str

    def json(self) -> Any:  # noqa: ANN401 - whatever was printed
        """Return what was printed, read as JSON."""
        return json.loads(self.out)

    def error(self) -> dict[str, Any]:
        """Return the error printed as JSON, which is the last line of the standard error."""
        found: dict[str, Any] = json.loads(self.err.splitlines()[-1])["error"]
        return found


@dataclass(frozen=True)
class Terminal:
    """A terminal in a folder, with an environment."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict[str, str])

    def run(self, *words: str) -> Ran:
        """Run one command to its end."""
        done = subprocess.run(
            [GAMF, *words],
            cwd=self.folder,
            env=environment(**self.variables),
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def json(self, *words: str) -> Any:  # noqa: ANN401 - whatever was printed
        """Run one command with `--json`, which must succeed, and return what it printed."""
        ran = self.run(*words, "--json")
        assert ran.status == 0, ran.err
        return ran.json()

    def error(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Run one command with `--json`, which must not succeed, and return how it ended."""
        ran = self.run(*words, "--json")
        return ran.status, ran.error()


@dataclass
class Up:
    """A running `gamf up`."""

    process: "subprocess.Popen[str]"
    addresses: dict[str, Any]

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal, and return the status once it has ended."""
        self.process.send_signal(number)
        return self.process.wait(_PATIENCE_SECONDS)


@contextmanager
def up(terminal: Terminal, *words: str) -> Generator[Up]:
    """Start everything, wait until it is ready, and stop it at the end."""
    command = [GAMF, "up", "--temporal-port", "0", "--ui-port", "0", "--json", *words]
    process = subprocess.Popen(
        command,
        cwd=terminal.folder,
        env=environment(**terminal.variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        yield Up(process, json.loads(line))
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=_PATIENCE_SECONDS)
