"""The command `gamf` as a person runs it: its status, what it printed.

`Terminal.process` runs a process of its own; `Terminal.run` runs the same line in this one, which is ten times as fast.
"""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from gamf.client.cli.language import speaking, wanted
from gamf.client.cli.main import run

GAMF: Final = str(Path(sys.executable).with_name("gamf"))
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


def _written(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


@dataclass(frozen=True)
class Terminal:
    """A terminal in a folder, with an environment."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict[str, str])

    def run(self, *words: str) -> Ran:
        """Run one command to its end, in this process: any but `up` and `worker`, which take its signals."""
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        with (
            chdir(self.folder),
            patch.dict(os.environ, environment(**self.variables), clear=True),
            redirect_stdout(out),
            redirect_stderr(err),
            speaking(wanted(words, os.environ)),
        ):
            status = run(words)
        return Ran(status, _written(out), _written(err))

    def process(self, *words: str) -> Ran:
        """Run one command to its end, as a process of its own."""
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
    command = [GAMF, "up", "--temporal-port", "0", "--ui-port", "0", "--console-port", "0", "--json", *words]
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
