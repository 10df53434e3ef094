"""Every timeout and retry policy of the workflows, named, each with its reason."""

from datetime import timedelta
from typing import Final

from temporalio.common import RetryPolicy

TRANSITION_TIMEOUT: Final = timedelta(seconds=30)
"""One transaction of a few rows takes milliseconds; past this the worker or the database is gone: another try."""

AT_ONCE_TIMEOUT: Final = timedelta(seconds=5)
"""A transition is first tried inside its workflow task, which must end within 10 s; past this it is an activity."""

AT_ONCE: Final = RetryPolicy(maximum_attempts=1)
"""Tried once inside the workflow task: a database that is away is waited for by an activity, which adds nothing to the
history however long it takes, holds no place of a worker, and shows in the UI what fails and when it is tried next."""

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

RAMQ_TIMEOUT: Final = timedelta(minutes=2)
"""A file of 850 names is 20 ms to make; a shared folder may be slow."""

FOREVER: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), backoff_coefficient=2, maximum_interval=timedelta(minutes=1)
)
"""A transition is tried until it is done: giving up would leave a patient between two places. A minute at most between
two tries, so that work resumes soon after PostgreSQL is back."""

LETTER_RETRY: Final = RetryPolicy(
    initial_interval=timedelta(seconds=5), backoff_coefficient=2, maximum_interval=timedelta(minutes=15)
)
"""A carrier that is down is not hammered, and is found again within a quarter of an hour."""

RAMQ_RETRY: Final = LETTER_RETRY
"""A folder that refuses is not hammered, and the names are not given up: RAMQ would not know whom to expect."""

REFUSALS_AT_ONCE: Final = 200
"""Refused facts written to the record by one activity: its argument stays far under the 2 MB of a payload,
and no workflow task has to settle more than these at a time, however many were thrown."""

LISTS_TIMEOUT: Final = timedelta(minutes=2)
"""Withdrawing the few lists drawn for one physician takes a second; each block answers once it is done."""

REACH_TIMEOUT: Final = timedelta(minutes=5)
"""A turn of a departure, some five hundred signals, takes seconds; a minute or more when the server is loaded."""

REACH_HEARTBEAT: Final = timedelta(seconds=20)
"""It beats after every 32, each a fraction of a second: a worker that is gone is replaced soon."""

REACH_AGAIN: Final = timedelta(minutes=1)
"""An attribution that is in the database and not in Temporal is about to start, or is being mended: look again then."""

DIGESTS_AT_ONCE: Final = 100
"""Digests handed over by one activity: a mail server takes some a second, and what has gone is not sent again."""

DIGEST_HEARTBEAT: Final = timedelta(minutes=2)
"""A beat after each digest; a mail server may take a minute for one."""

DIGEST_GIVE_UP: Final = timedelta(hours=12)
"""A digest of the morning is of no use at night: the next one says what is still so."""
