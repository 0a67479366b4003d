# ruff: noqa: T201 -- a bench prints
"""Reads a million lines: grep, a plain `re` scanner and watcher in one run, with ratios.

`python tests/bench.py [LINES]` prints lines per second and the peak memory of each, then the time
from a cold start to a finished plan for one alarm. Figures are medians; compare ratios, as the
machine may be shared.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from generate import write

EXAMPLES = Path(__file__).parents[1] / "deploy" / "examples"
TOKEN = re.compile(rb"%UC_CERT-[0-7]-[A-Za-z0-9]+ ?:")


def timed(command: list[str]) -> tuple[float, int, str]:
    """Return wall seconds, peak KiB and standard error of one child."""
    # Not the null device: grep stops at the first hit when nobody reads its count.
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as sink:
        start = time.perf_counter()  # a bench reads the clock
        child = subprocess.Popen(command, stdout=sink, stderr=errors)  # noqa: S603
        _, _, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = 0
        errors.seek(0)
        return seconds, usage.ru_maxrss, errors.read().decode()


def scan(path: Path) -> int:
    """Count matching lines the plain way."""
    with path.open("rb") as stream:
        return sum(1 for line in stream if TOKEN.search(line))


def main() -> None:
    """Write an archive, read it four ways, and print a table."""
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    watcher = str(Path(sys.executable).with_name("watcher"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "archive.log"
        with path.open("wb") as stream:
            alarms = write(lines, stream)
        scanner = [sys.executable, __file__, "--scan", str(path)]
        ways = {
            "grep -c UC_CERT": ["grep", "-c", "UC_CERT", str(path)],
            "plain re scanner": scanner,
            "watcher --version (the start alone)": [watcher, "--version"],
            "watcher parse --certificates-only": [
                watcher, "parse", "--certificates-only", str(path),
            ],
            "watcher parse": [watcher, "parse", str(path)],
        }  # fmt: skip
        print(f"{lines} lines, {path.stat().st_size >> 20} MiB, {alarms} certificate alarms")
        measured = {name: median(command, 1 if name == "watcher parse" else 5)
                    for name, command in ways.items()}  # fmt: skip
        plain = measured["plain re scanner"][0]
        for name, (seconds, peak, said) in measured.items():
            print(
                f"{name:36} {lines / seconds:12,.0f} lines/s  {plain / seconds:6.2f} x plain"
                f"  peak {peak >> 10} MiB  {said.strip()}"
            )
    for name, extra in (("md", []), ("html", ["--format", "html"])):
        command = [watcher, "plan", str(EXAMPLES / "alarm-technote.txt"), *extra]
        seconds, peak, _ = median(command, 5)
        print(f"watcher plan, cold start to {name:9} {seconds:8.3f} s  peak {peak >> 10} MiB")


def median(command: list[str], runs: int) -> tuple[float, int, str]:
    """Return the run in the middle of several, by time."""
    return sorted(timed(command) for _ in range(runs))[runs // 2]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--scan"]:
        print(scan(Path(sys.argv[2])))
    else:
        main()
