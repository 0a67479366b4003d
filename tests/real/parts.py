"""Real programs to talk to: unpacked by fetch_parts.sh, or installed; what is missing skips a test.

REQUIRE_REAL=1 turns each such skip into a failure, so that a green run cannot hide one.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

PARTS = Path(__file__).parents[2] / ".parts"
SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Program:
    """A program that runs here: its path, and what its environment needs."""

    path: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    modules: tuple[Path, ...] = ()
    """Folders of its plug-ins; none: it knows them."""

    def start(self, arguments: Sequence[object], **options: object) -> "subprocess.Popen[bytes]":
        """Start it; the caller ends it."""
        command = [str(self.path), *map(str, arguments)]
        environment = {"PATH": SYSTEM, "LC_ALL": "C", "TZ": "UTC", **self.environment}
        return subprocess.Popen(command, env=environment, **options)  # noqa: S603 -- our own

    def run(self, arguments: Sequence[object], seconds: float = 60, stdin: bytes = b"") -> bytes:
        """Run it to its end and return all it says; fails when it does."""
        with self.start(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as running:
            try:
                said, _ = running.communicate(stdin, timeout=seconds)
            except subprocess.TimeoutExpired:
                running.kill()
                raise
        assert running.returncode == 0, said.decode(errors="replace")
        return said


def need(program: "Program | None", name: str) -> Program:
    """Return a program, or skip the test by the program's name."""
    if program is None:
        reason = f"{name} is not here (tests/real/fetch_parts.sh)"
        if os.environ.get("REQUIRE_REAL"):
            pytest.fail(reason)
        pytest.skip(reason)
    return program


@cache
def logger() -> Program | None:
    """Find the logger of util-linux; that of BusyBox knows no servers."""
    found = _installed("logger", "--version")
    return found if found and b"util-linux" in found.run(["--version"]) else None


@cache
def rsyslog() -> Program | None:
    """Find rsyslogd with its modules."""
    root = PARTS / "rsyslog"
    own = _unpacked(root, "usr/sbin/rsyslogd", "usr/lib/*/rsyslog")
    return _checked(own, "-v") or _installed("rsyslogd", "-v")


def rsyslog_drivers(found: Program) -> tuple[str, ...]:
    """Return the names of the TLS drivers that it has."""
    folders = found.modules or tuple(Path("/usr/lib").glob("*/rsyslog"))
    names = {"ossl": "lmnsd_ossl.so", "gtls": "lmnsd_gtls.so"}
    return tuple(
        name for name, file in names.items() if any((folder / file).exists() for folder in folders)
    )


@cache
def loggen() -> Program | None:
    """Find the load generator of syslog-ng."""
    return _checked(_syslog_ng("usr/bin/loggen"), "--help") or _installed("loggen", "--help")


@cache
def syslog_ng() -> Program | None:
    """Find syslog-ng with its modules."""
    own = _checked(_syslog_ng("usr/sbin/syslog-ng"), "--version")
    return own or _installed("syslog-ng", "--version")


@cache
def promtool() -> Program | None:
    """Find the tool of Prometheus that checks rules."""
    own = _unpacked(PARTS / "prometheus", "usr/bin/promtool", "usr/lib/none")
    return _checked(own, "--version") or _installed("promtool", "--version")


@cache
def postfix() -> Program | None:
    """Find postfix; its paths are fixed and it starts as root, so only if both are so."""
    if os.geteuid() != 0 or not Path("/usr/lib/postfix/sbin/master").exists():
        return None
    return _installed("postfix", None)


def _syslog_ng(path: str) -> Program | None:
    root = PARTS / "syslog-ng"
    found = _unpacked(root, path, "usr/lib/syslog-ng/[0-9]*")
    if found is None:
        return None
    environment = {**found.environment, "SYSLOGNG_PREFIX": str(root / "usr")}
    return Program(found.path, environment, found.modules)


def _unpacked(root: Path, path: str, modules: str) -> Program | None:
    if not (root / "complete").exists() or not (root / path).exists():
        return None
    folders = [*root.glob("lib/*-linux-*"), *root.glob("usr/lib/*-linux-*"), root / "usr/lib"]
    libraries = ":".join(map(str, [*folders, root / "usr/lib/syslog-ng"]))
    return Program(root / path, {"LD_LIBRARY_PATH": libraries}, tuple(sorted(root.glob(modules))))


def _installed(name: str, proof: str | None) -> Program | None:
    path = shutil.which(name, path=SYSTEM)
    found = Program(Path(path)) if path else None
    return _checked(found, proof) if proof else found


def _checked(program: Program | None, proof: str) -> Program | None:
    """Return the program if it runs: an unpacked one may lack a library of this system."""
    if program is None:
        return None
    try:
        program.run([proof], seconds=10)
    except (AssertionError, OSError, subprocess.TimeoutExpired):
        return None
    return program
