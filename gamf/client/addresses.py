"""Where everything is: from the environment first, else as a running `gamf up` wrote it in its folder."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from gamf.runtime.errors import ServiceUnreachable
from gamf.runtime.settings import Settings

FILE: Final = "addresses.json"
# Any of these says where Temporal is, better than we can guess.
_TEMPORAL_VARIABLES: Final = ("TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE")


class Addresses(BaseModel):
    """Where the services of a running `gamf up` are; the console's is null when none is served."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    temporal: str
    namespace: str
    ui: str | None
    console: str | None
    database: str
    training: bool = False

    def printed(self) -> dict[str, str | None]:
        """Return what `gamf up --json` prints (contract.md)."""
        return self.model_dump(mode="json", exclude={"training"})

    def write(self, folder: Path) -> None:
        """Write the file, readable by its owner only: the database's address holds its password."""
        path = folder / FILE
        partial = path.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(self.model_dump_json())
        partial.replace(path)

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Read the file of that folder, or return None when nothing was left there that can be read."""
        with suppress(OSError, ValidationError, json.JSONDecodeError):
            return cls.model_validate_json((folder / FILE).read_text(encoding="utf-8"))
        return None


def remove(folder: Path) -> None:
    """Take the file away: nothing runs any more."""
    (folder / FILE).unlink(missing_ok=True)


def external_temporal(environment: Mapping[str, str]) -> bool:
    """Tell whether Temporal's own variables say where it is."""
    return any(environment.get(name) for name in _TEMPORAL_VARIABLES)


def database_address(settings: Settings, data: Path | None) -> str | None:
    """Return where the database of the `gamf up` that runs on the folder is; None leaves it to the environment.

    Raises:
        ServiceUnreachable: the environment does not name one and nothing runs on the folder.
    """
    return None if settings.database_url is not None else _running(settings, data, "PostgreSQL").database


def temporal_address(
    settings: Settings, data: Path | None, environment: Mapping[str, str] = os.environ
) -> str | None:
    """Return where the Temporal of the `gamf up` that runs on the folder is; None leaves it to the environment.

    Raises:
        ServiceUnreachable: the environment does not name one and nothing runs on the folder.
    """
    return None if external_temporal(environment) else _running(settings, data, "Temporal").temporal


def in_training(settings: Settings, data: Path | None) -> bool:
    """Tell whether the `gamf up` that runs on the folder was told that this is a training."""
    running = Addresses.read(data or settings.data_dir)
    return running is not None and running.training


def _running(settings: Settings, data: Path | None, service: str) -> Addresses:
    folder = data or settings.data_dir
    running = Addresses.read(folder)
    if running is None:
        raise ServiceUnreachable(
            service,
            fr=f"rien ne tourne sur le dossier {folder}. Dans un autre terminal, démarrez « gamf up ».",
            en=f"nothing runs on the folder {folder}. In another terminal, start “gamf up”.",
        )
    return running
