"""Every patch of the workflows: an edit that adds, removes or moves a command is guarded by one.

An attribution lives for up to three years, and the code that ends it must still read what the code that began it wrote.
So a changed command stands behind `workflow.patched(NAME)`, the old way stays in the other branch, and the name is
listed here with its date, its reason and the date from which nothing that began before it can still be open (three
years, the 90 days of A11 and some). Then `patched` becomes `workflow.deprecate_patch`, and one release later goes.

The saved histories (`tests/histories`) fail the replay of whoever forgets.
"""

from datetime import date
from typing import Final, NamedTuple


class Patch(NamedTuple):
    """One edit of a workflow's commands."""

    name: str
    since: date
    reason: str
    may_go_from: date


PATCHES: Final[tuple[Patch, ...]] = ()
"""None yet: nothing was released before the first commands."""
