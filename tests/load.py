"""`make load`: what the daemon takes, and what it does to those who mean it ill.

Runs the real program on the loopback, each load with a fresh state folder, and prints what was
sent, what arrived, what it cost. Ends with 1 when a count is wrong or memory went over its
bound; a slow machine makes figures worse, never wrong.

    python tests/load.py [--quick] [LOAD...]
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from loading.loads import LOADS, QUICK, Result, Size, run


def main(arguments: list[str] | None = None) -> int:
    """Run the loads that are named (all: none), print a table, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("loads", nargs="*", metavar="LOAD", help=", ".join(_names()))
    wanted = parser.parse_args(arguments)
    chosen = [load for load in LOADS if not wanted.loads or load.__name__ in wanted.loads]
    if unknown := set(wanted.loads) - set(_names()):
        parser.error(f"no such load: {', '.join(sorted(unknown))}")
    size = QUICK if wanted.quick else Size()
    results = []
    with tempfile.TemporaryDirectory(prefix="watcher-load-") as folder:
        for load in chosen:
            began = time.monotonic()
            results.append(run(load, Path(folder) / load.__name__, size))
            __say(results[-1], time.monotonic() - began)
    wrong = [result for result in results if result.wrong]
    _say(f"{len(results)} loads, {len(wrong)} wrong")
    return 1 if wrong else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _names() -> list[str]:
    return [load.__name__ for load in LOADS]


def __say(result: Result, seconds: float) -> None:
    _say(f"{'WRONG' if result.wrong else 'ok':6}{result.name} ({seconds:.0f} s)")
    for figure in result.figures:
        _say(f"      {figure}")
    for problem in result.wrong:
        _say(f"      WRONG: {problem}")


if __name__ == "__main__":
    sys.exit(main())
