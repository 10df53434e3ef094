"""Every timeout and retry policy of the workflows, named, each with its reason."""

from datetime import timedelta
from typing import Final

from temporalio.common import RetryPolicy

TRANSITION_TIMEOUT: Final = timedelta(seconds=30)
"""One transaction of a few rows takes milliseconds; past this the worker or the database is gone: another try."""

BULK_TIMEOUT: Final = timedelta(minutes=15)
"""A block of 1,000 starts or signals takes seconds; minutes when the server is loaded."""

BULK_HEARTBEAT: Final = timedelta(seconds=60)
"""A bulk activity beats after every 32; a silent minute means that its worker is gone."""

ANSWERS_SETTLE: Final = timedelta(minutes=2)
"""How long the physician's answer for a list may take to reach everybody before its caller is answered anyway."""

LETTER_TIMEOUT: Final = timedelta(minutes=2)
"""One letter is 10 ms to make and a mail server may take a minute to answer."""

LETTER_GIVE_UP: Final = timedelta(days=3)
"""A letter that no carrier takes in three days is somebody's task; it stays due, and may be sent again by hand."""

FOREVER: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), backoff_coefficient=2, maximum_interval=timedelta(minutes=1)
)
"""A transition is tried until it is done: giving up would leave a patient between two places. A minute at most between
two tries, so that work resumes soon after PostgreSQL is back."""

LETTER_RETRY: Final = RetryPolicy(
    initial_interval=timedelta(seconds=5), backoff_coefficient=2, maximum_interval=timedelta(minutes=15)
)
"""A carrier that is down is not hammered, and is found again within a quarter of an hour."""

REFUSALS_AT_ONCE: Final = 200
"""Refused facts written to the record by one activity: its argument stays far under the 2 MB of a payload,
and no workflow task has to settle more than these at a time, however many were thrown."""
