"""How the suite is spread over processes: a file of tests stays in one, the longest begin first."""

import os
from pathlib import Path

MOST = 3
"""Processes; more of them would delay each other's daemons."""
TESTS = Path(__file__).parent
LONGEST = (
    "test_load.py", "killing/test_crash.py", "system/test_deaths.py", "planner/test_properties.py",
    "test_hostile.py", "system/test_reload.py", "system/test_faults.py", "test_fuzz.py",
    "deploy/test_confined.py", "deploy/test_relay.py", "system/test_story.py",
    "inputs/test_smtp_postfix.py", "senders/test_thousand.py",
)  # fmt: skip
"""Begun late, each of them would keep one process busy while the others have nothing left."""


def workers():
    """Return how many processes: one more than cores, since tests wait much of the time."""
    tells = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if tells else os.cpu_count() or 1
    return min(MOST, cores + 1)


def rank(path):
    """Return where a file stands among the longest; behind them all for any other."""
    name = path.relative_to(TESTS).as_posix() if path.is_relative_to(TESTS) else ""
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)
