"""The worker's process: `python -m gamf.workers.main`, also as the first process of a container."""

import asyncio
import os
import signal
import sys

from gamf.runtime.ending import end_process
from gamf.runtime.errors import Fault, SettingsFault
from gamf.runtime.settings import Settings
from gamf.runtime.telemetry import configure_logging, temporal_runtime
from gamf.workers import registry
from gamf.workers.lifecycle import Build, run_worker


def main(build: Build = registry.build) -> int:
    """Work until a signal; return 0 drained, 1 when the worker failed, 2 or 5 when it could not begin.

    Whoever calls it ends the process with `gamf.runtime.ending.end_process` and what it returns.
    """
    try:
        settings = Settings.load()
    except SettingsFault as fault:
        return _say(fault.fr, fault.en, fault.exit_status)
    configure_logging(settings.log_level, settings.log_format)
    try:
        return asyncio.run(_work(settings, build))
    except Fault as fault:
        return _say(fault.text(settings.lang), "", fault.exit_status)


async def _work(settings: Settings, build: Build) -> int:
    stop = asyncio.Event()
    stop_on_signals(stop)
    runtime = temporal_runtime(settings.metrics_address)
    return await run_worker(settings, stop=stop, build=build, runtime=runtime)


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set `stop` at the first SIGTERM or SIGINT; end at once at the second, with 128 + its number.

    A handler is needed even for the usual effect: the kernel gives the first process of a container none.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _asked_to_stop, stop, number)


def _asked_to_stop(stop: asyncio.Event, number: int) -> None:
    if stop.is_set():
        os._exit(128 + number)
    stop.set()


def _say(first: str, second: str, status: int) -> int:
    sys.stderr.write("\n".join(filter(None, (first, second))) + "\n")
    return status


if __name__ == "__main__":
    end_process(main())
