"""Named places where a test can kill the process, and nothing at all without that test.

`WATCHER_CRASH_AT=name` or `name:3` (the third time) makes `point(name)` end the process as kill -9
would. docs/reliability.md lists the names.
"""

import os
import signal

_WANTED, _, _TIMES = os.environ.get("WATCHER_CRASH_AT", "").partition(":")
_left = int(_TIMES or 1)


def point(name: str) -> None:
    """Die here if a test asked for it."""
    global _left  # noqa: PLW0603 -- counts down in one process
    if not _WANTED or name != _WANTED:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
