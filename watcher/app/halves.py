"""How the daemon starts its other processes: this very program, and nothing else."""

import sys
from pathlib import Path


def half_command(half: str, settings: str | None, in_force: Path) -> list[str]:
    """Return the command line of a half of the daemon.

    `-P` keeps the folder we happen to be in out of the search for modules: a folder `watcher`
    there must not run in our place.
    """
    command = [sys.executable, "-P", "-m", "watcher", "run", "--only", half]
    command += ["--settings", settings] if settings else []
    return [*command, "--in-force", str(in_force)]
