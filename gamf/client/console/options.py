"""How a console is run: what it may take from one address, whether it is a training, where the looks come from."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gamf.client.openid import Registration

DESIGN_SYSTEM: Final = Path(sys.prefix) / "share" / "gamf" / "qc-trousse-sdg"
"""Where `make setup` leaves the style sheets and the fonts of Québec's design system."""


@dataclass(frozen=True)
class Limits:
    """What is taken of a request and from an address; more is refused."""

    body_bytes: int = 256 * 1024
    per_second: float = 20.0
    """Requests from one address, in the long run."""
    burst: int = 200
    """Requests from one address at once."""


@dataclass(frozen=True)
class Options:
    """How a console is run; `secure` says that browsers reach it over TLS, and only so."""

    secure: bool = False
    training: bool = False
    design_system: Path = DESIGN_SYSTEM
    limits: Limits = field(default_factory=Limits)
    openid: Registration | None = None
    """The identity provider, where there is one."""
    passwords: bool = True
    """Whether one may sign in with a password."""
