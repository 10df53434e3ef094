"""The embedded data folder as one file, and back: both servers' data of the same instant, since nothing runs.

The file is a compressed tar whose first member says what it is. It holds personal information: it is readable by its
owner alone, and where it is kept is the business of whoever keeps it.
"""

import gzip
import io
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from gamf.runtime.embedded_postgres import VERSION, server_account
from gamf.runtime.errors import Fault
from gamf.runtime.lock import FolderLock

FORMAT: Final = 1
_HEADER: Final = "gamf-backup.json"
_CLUSTER: Final = "postgres"
_STAGING: Final = "restoring"
_OWNER_ONLY: Final = 0o600
_CHUNK: Final = 1 << 20
# A running server's own: its locks, its sockets and its number mean nothing elsewhere.
_LEFT_OUT: Final = (".lock", ".pid", ".opts", ".log")
_DAMAGED: Final = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValidationError)
Tell = Callable[[int, int], None]
"""Told how many bytes of how many are done."""


class BackupFault(Fault):
    """A backup cannot be written or read as it is; nothing was changed."""


class Header(BaseModel):
    """What a backup says of itself."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: int
    made_at: datetime
    postgresql: int
    files: int
    bytes: int


async def back_up(data: Path, file: Path, *, at: datetime, tell: Tell) -> Header:
    """Write the data folder to a file that is not there yet; it appears whole or not at all.

    Raises:
        DataFolderInUse: `gamf up` runs on the folder.
        BackupFault: there is no such folder, the file exists, or the disk refuses.
    """
    _check_writable(data, file)
    locks = FolderLock(data, "data"), FolderLock(data, "postgres"), FolderLock(data, "temporal")
    async with locks[0], locks[1], locks[2]:
        with _refusals_of_the_disk(file):
            return _write(data, file, at, tell)


@contextmanager
def _refusals_of_the_disk(place: Path) -> Generator[None]:
    """Say what the disk refuses, as it says it: no room, no right to write."""
    try:
        yield
    except gzip.BadGzipFile:
        raise
    except OSError as error:
        raise BackupFault(
            fr=f"{place} : le disque refuse ({error.strerror}) ; rien n’a changé.",
            en=f"{place}: the disk refuses ({error.strerror}); nothing has changed.",
        ) from None


def _check_writable(data: Path, file: Path) -> None:
    if not (data / _CLUSTER).is_dir():
        raise BackupFault(
            fr=f"Le dossier {data} n’a pas de données de « gamf up ».",
            en=f"The folder {data} has no data of “gamf up”.",
        )
    if file.exists():
        raise BackupFault(
            fr=f"{file} existe déjà\u00a0; rien n’a été écrit. Choisissez un autre nom.",
            en=f"{file} exists already; nothing was written. Choose another name.",
        )


def _write(data: Path, file: Path, at: datetime, tell: Tell) -> Header:
    paths = list(_kept(data))
    size = sum(path.stat().st_size for path in paths if path.is_file() and not path.is_symlink())
    header = Header(format=FORMAT, made_at=at, postgresql=VERSION, files=len(paths), bytes=size)
    part = file.with_name(f"{file.name}.part")
    try:
        with open(part, "wb", opener=_private) as raw:
            with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=3) as archive:
                _add_header(archive, header)
                _add(archive, data, paths, lambda done: tell(done, size))
            raw.flush()
            os.fsync(raw.fileno())
        part.rename(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return header


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, _OWNER_ONLY)


def _kept(data: Path) -> Iterator[Path]:
    for path in sorted(data.rglob("*")):
        plain = path.is_symlink() or path.is_dir() or path.is_file()
        if plain and not path.name.endswith(_LEFT_OUT):
            yield path


def _add_header(archive: tarfile.TarFile, header: Header) -> None:
    content = header.model_dump_json().encode()
    member = tarfile.TarInfo(_HEADER)
    member.size, member.mode = len(content), _OWNER_ONLY
    archive.addfile(member, io.BytesIO(content))


def _add(archive: tarfile.TarFile, data: Path, paths: list[Path], done: Callable[[int], None]) -> None:
    written = 0
    for path in paths:
        archive.add(path, arcname=str(path.relative_to(data)), recursive=False)
        if path.is_file():
            written += path.stat().st_size
            done(written)


async def restore(file: Path, data: Path, *, tell: Tell) -> Header:
    """Put a backup back where there is no data yet; what was waiting goes on with the next `gamf up`.

    Raises:
        DataFolderInUse: `gamf up` runs on the folder.
        BackupFault: the folder is not empty, the disk refuses, or the file is not there, no backup, damaged,
            or of another PostgreSQL.
    """
    _check_restorable(file, data)
    async with FolderLock(data, "data"):
        staging = data / _STAGING
        shutil.rmtree(staging, ignore_errors=True)
        try:
            with _refusals_of_the_disk(data):
                header = _extract(file, staging, tell)
                os.sync()
                for path in staging.iterdir():
                    path.rename(data / path.name)
        except _DAMAGED:
            raise BackupFault(
                fr=f"{file} n’est pas une sauvegarde entière de gamf\u00a0; rien n’a changé.",
                en=f"{file} is not a whole backup of gamf; nothing has changed.",
            ) from None
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return header


def _check_restorable(file: Path, data: Path) -> None:
    """Refuse a folder that holds anything but what a restore that was killed has left."""
    if data.exists() and any(path.suffix != ".lock" and path.name != _STAGING for path in data.iterdir()):
        raise BackupFault(
            fr=f"Le dossier {data} n’est pas vide\u00a0; rien n’a changé. Déplacez-le, ou choisissez un autre --data.",
            en=f"The folder {data} is not empty; nothing has changed. Move it, or choose another --data.",
        )
    if not file.is_file():
        raise BackupFault(fr=f"Il n’y a pas de fichier {file}.", en=f"There is no file {file}.")


def _extract(file: Path, staging: Path, tell: Tell) -> Header:
    staging.mkdir(mode=0o755)
    with gzip.open(file) as whole, tarfile.open(fileobj=whole, mode="r:") as archive:
        header = _header(archive)
        count = 0
        # A loop over the archive itself would begin anew, with the header.
        while (member := archive.next()) is not None:
            _extract_one(archive, member, staging)
            count += 1
            tell(count, header.files)
        # The file's own sum of itself stands at its end, after the last that a tar reader looks at.
        while whole.read(_CHUNK):
            pass
    if count != header.files:
        raise EOFError
    return header


def _header(archive: tarfile.TarFile) -> Header:
    first = archive.next()
    content = archive.extractfile(first) if first is not None and first.name == _HEADER else None
    if content is None:
        raise tarfile.ReadError
    header = Header.model_validate_json(content.read())
    if (header.format, header.postgresql) != (FORMAT, VERSION):
        raise BackupFault(
            fr=f"Cette sauvegarde est de PostgreSQL {header.postgresql} (format {header.format})\u00a0; "
            f"cette version lit PostgreSQL {VERSION} (format {FORMAT}). Rien n’a changé.",
            en=f"This backup is of PostgreSQL {header.postgresql} (format {header.format}); "
            f"this version reads PostgreSQL {VERSION} (format {FORMAT}). Nothing has changed.",
        )
    return header


def _extract_one(archive: tarfile.TarFile, member: tarfile.TarInfo, staging: Path) -> None:
    # The filter refuses whatever would leave the folder. Whom a file belongs to is decided here, not by the file.
    archive.extract(member, staging, set_attrs=True, filter="data")
    path = staging / member.name
    if not member.issym():
        path.chmod(member.mode & 0o755)
    account = server_account()
    if account is not None and Path(member.name).parts[0] == _CLUSTER:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
