"""The end of a process that has used Temporal's SDK."""

import logging
import os
import sys
from typing import NoReturn


def end_process(status: int) -> NoReturn:
    """Write out what was said and end at once, without the interpreter's own taking down.

    After a worker has failed, that taking down hung in seven processes of eight: it drops the SDK's native
    parts while their threads wait for the interpreter to take their last log lines.
    """
    if "gamf.runtime.tracing" in sys.modules:
        from gamf.runtime.tracing import flush  # noqa: PLC0415 - loaded already, where traces were asked for

        flush()
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)
