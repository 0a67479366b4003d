"""Named places where a test can kill the process or plant a bug; nothing at all without that test.

`WATCHER_CRASH_AT=name` or `name:3` (the third time) makes `point(name)` end the process as kill -9
would. `WATCHER_SEEDED_BUG=name` switches a classic mistake on, so that the test that must find it
can be seen to. docs/reliability.md lists the names.
"""

import os
import signal

_WANTED, _, _TIMES = os.environ.get("WATCHER_CRASH_AT", "").partition(":")
_left = int(_TIMES or 1)
_BUG = os.environ.get("WATCHER_SEEDED_BUG", "")


def point(name: str) -> None:
    """Die here if a test asked for it."""
    global _left  # noqa: PLW0603 -- counts down in one process
    if not _WANTED or name != _WANTED:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)


def seeded(bug: str) -> bool:
    """Tell whether a test wants this mistake made."""
    return bug == _BUG
