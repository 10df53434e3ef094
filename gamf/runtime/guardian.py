"""Run one server that must not outlive the process it was started for; a script without imports of ours.

The process that wants the server holds the other end of this script's standard input. When that end closes,
because the process let go or because it was killed, the server is asked to stop, and killed if it does not in
time. If this script itself is killed, the kernel (Linux) sends the server the same signal.
"""

import argparse
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from types import FrameType

_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Start the server, stop it when nobody holds our standard input any more, and end as it ended."""
    options = _options()
    server = subprocess.Popen(  # noqa: S603 - the command is the embedded servers' own
        options.command,
        stdin=subprocess.DEVNULL,
        pass_fds=options.hold,
        user=options.user,
        group=options.group,
        extra_groups=None if options.user is None else [],
        preexec_fn=_dies_with_us(options.signal),  # noqa: PLW1509 - no thread has been started yet
        cwd="/",
    )

    def stop(_number: int = 0, _frame: FrameType | None = None) -> None:
        with contextlib.suppress(ProcessLookupError):
            server.send_signal(options.signal)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    threading.Thread(target=_stop_at_end_of_input, args=(server, stop, options.grace), daemon=True).start()
    status = server.wait()
    return status if status >= 0 else 128 - status


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--signal", type=int, required=True, help="what asks the server to stop")
    parser.add_argument("--grace", type=float, required=True, help="seconds before it is killed")
    parser.add_argument("--user", type=int, help="user the server runs as")
    parser.add_argument("--group", type=int, help="group the server runs as")
    parser.add_argument("--hold", type=int, action="append", default=[], help="lock the server holds too")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    return parser.parse_args()


def _stop_at_end_of_input(server: subprocess.Popen[bytes], stop: Callable[[], None], grace: float) -> None:
    while os.read(sys.stdin.fileno(), 64):
        pass
    stop()
    try:
        server.wait(grace)
    except subprocess.TimeoutExpired:
        server.kill()


def _dies_with_us(number: int) -> Callable[[], None]:
    """Return what the server does before it begins: ask the kernel for this signal when we end."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    libc = ctypes.CDLL(None)
    us = os.getpid()

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != us:
            os._exit(1)

    return ask


if __name__ == "__main__":
    sys.exit(main())
