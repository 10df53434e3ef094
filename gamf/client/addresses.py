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
    """Where the services of a running `gamf up` are; the console's is null as long as there is none."""

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


class Located(BaseModel):
    """Where to go: None leaves it to the environment's own variables."""

    model_config = ConfigDict(frozen=True)

    database: str | None
    temporal: str | None
    training: bool


def locate(settings: Settings, data: Path | None, environment: Mapping[str, str] = os.environ) -> Located:
    """Find both services: the environment's, else those that `gamf up` wrote in the data folder.

    Raises:
        ServiceUnreachable: the environment does not name them and nothing runs on that folder.
    """
    folder = data or settings.data_dir
    running = Addresses.read(folder)
    external_database = settings.database_url is not None
    elsewhere = external_temporal(environment)
    if running is None and not (external_database and elsewhere):
        raise _nothing_runs("Temporal" if external_database else "PostgreSQL", folder)
    return Located(
        database=None if external_database or running is None else running.database,
        temporal=None if elsewhere or running is None else running.temporal,
        training=running is not None and running.training,
    )


def _nothing_runs(service: str, folder: Path) -> ServiceUnreachable:
    return ServiceUnreachable(
        service,
        fr=f"rien ne tourne sur le dossier {folder}. Dans un autre terminal, démarrez «\u00a0gamf up\u00a0».",
        en=f"nothing runs on the folder {folder}. In another terminal, start “gamf up”.",
    )
