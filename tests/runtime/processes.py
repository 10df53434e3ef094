"""What runs on this machine, as a test asks it."""

from pathlib import Path

import psutil


def is_running(process: psutil.Process) -> bool:
    """Tell a process that runs from one that has ended, counted by its parent or not yet."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def servers_on(folder: Path) -> list[psutil.Process]:
    """Return what this process started for a folder and that still runs."""
    return [each for each in psutil.Process().children(recursive=True) if _is_on(each, str(folder))]


def _is_on(process: psutil.Process, folder: str) -> bool:
    try:
        return any(folder in word for word in process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False
