"""Unit files as data: what they say, and which system calls they leave."""

import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "systemd"
ANALYZE = "systemd-analyze"


@dataclass(frozen=True)
class Unit:
    """One unit file; a key may stand more than once."""

    path: Path
    lines: tuple[tuple[str, str], ...]

    def all(self, key: str) -> list[str]:
        """Return what the key says, line by line."""
        return [value for name, value in self.lines if name == key]

    def words(self, key: str) -> list[str]:
        """Return all words of a key."""
        return " ".join(self.all(key)).split()

    def one(self, key: str) -> str:
        """Return the only value of a key."""
        (value,) = self.all(key)
        return value


def read(path: Path) -> Unit:
    """Read a unit or a drop-in."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    told = [line.strip() for line in text.splitlines() if not line.startswith(("#", ";"))]
    pairs = [line.partition("=") for line in told if "=" in line]
    return Unit(path, tuple((key.strip(), value.strip()) for key, _, value in pairs))


def units(pattern: str) -> list[Unit]:
    """Return the units that we ship whose names fit."""
    return [read(path) for path in sorted(FOLDER.glob(pattern))]


def need(*names: str) -> None:
    """Skip the test unless these programs are here."""
    for name in names:
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not here")


def ask(*command: object) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end; return its status and all it says."""
    return subprocess.run(  # noqa: S603 -- a program of the system
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False, timeout=60,
    )  # fmt: skip


@cache
def calls(group: str) -> frozenset[str]:
    """Return the system calls of a group as systemd knows it, or the one that is named."""
    if not group.startswith("@"):
        return frozenset({group})
    told = ask(ANALYZE, "syscall-filter", group).stdout.splitlines()
    names = [line.strip() for line in told[1:]]
    return frozenset().union(*(calls(name) for name in names if name and name[0] != "#"))


def allowed(unit: Unit) -> frozenset[str]:
    """Return the system calls that SystemCallFilter= leaves, as systemd adds them up."""
    found = set(calls("@default"))
    for line in unit.all("SystemCallFilter"):
        names = frozenset().union(*map(calls, line.removeprefix("~").split()))
        found = found - names if line.startswith("~") else found | names
    return frozenset(found)
