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
    os._exit(status if _written_out() else status or 1)


def _written_out() -> bool:
    """Write out what was said; return False where the output is full or gone."""
    try:
        for stream in (sys.stdout, sys.stderr):
            # None where it was closed before the process began, whatever its type says.
            if stream is not None:
                stream.flush()
    except OSError:
        return False
    return True
