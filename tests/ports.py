"""Ports for what is started later, and ports where nobody answers.

Below those that the kernel gives away by itself, so that no other socket gets one meanwhile; each
worker of the suite has a band of its own. The first one is random: two suites may run at once.
"""

import os
import random
import socket
from contextlib import suppress
from itertools import count

FIRST, BAND, BANDS = 12_000, 5_000, 4
_next = count(random.SystemRandom().randrange(BAND))
"""The system's chance: the seed of `random` is the same in each test and worker."""


def band():
    """Return the first port of this worker's band."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    return FIRST + int(worker.removeprefix("gw")) % BANDS * BAND


def free_port(kind=socket.SOCK_STREAM):
    """Return a port that is free on every address, and another one each time."""
    for _ in range(BAND):
        port = band() + next(_next) % BAND
        with suppress(OSError), socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("", port))
            return port
    raise RuntimeError("no port is free")
