# ruff: noqa: T201 -- a check prints
"""Plans for generated clusters, executed by a prover that shares no code with the product's.

    make prove runs it; python tests/prove.py [--clusters 10000] [--seed N] [--processes 2]

Each plan is drawn from inventory and alarms, copied step by step from what it prints, and judged.
One in some is spoiled at random, and whoever that strands must be seen. Ends with 1 on any fault.
"""

import argparse
import re
import secrets
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import islice

from proving.harness import Examined, examined, names

CHUNK = 20
TELL_EVERY = 30
"""Seconds between two lines of progress."""
FAULTS_SHOWN = 20


def arguments():
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clusters", type=int, default=10_000)
    parser.add_argument("--seed", default=str(secrets.randbelow(10**6)))
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args()


def tried(name):
    """Examine a cluster; a crash is a fault of this cluster."""
    try:
        return examined(name)
    except Exception as error:  # noqa: BLE001 -- told with the name of its cluster
        return Examined(name, outcome="crashed", faults=[f"{type(error).__name__}: {error}"])


def shortened(reason):
    """Return a reason without its place: the rule of a counter-example, the first sentence else."""
    if rule := re.search(r"\[((?:I|P|L)-\d+);", reason):
        return f"counter-example: {rule[1]}"
    if lost := re.search(r"do not come back \((\w+)\)", reason):
        return f"counter-example: phones do not come back ({lost[1]})"
    return re.split(r"(?<=[.:;]) ", reason)[0]


class Tally:
    """What was found so far."""

    def __init__(self):
        self.outcomes, self.reasons, self.unseen = Counter(), Counter(), Counter()
        self.spoiled, self.differences, self.faults = Counter(), Counter(), []

    def add(self, one):
        """Count one cluster."""
        self.outcomes[one.outcome] += 1
        self.reasons.update({shortened(reason) for reason in one.reasons})
        if one.unseen:
            self.unseen[f"{one.unseen}, such as {one.name}"] += 1
        self.spoiled += one.spoiled
        self.differences += one.differences
        self.faults += [(one.name, fault) for fault in one.faults]
        for fault in one.faults:
            if len(self.faults) <= FAULTS_SHOWN:
                print(f'FAULT document("{one.name}"): {fault}', flush=True)

    def show(self):
        """Print the tables."""
        table("clusters", self.outcomes)
        table("withheld, because", self.reasons)
        table("withheld, though a simple order is safe", self.unseen)
        table("spoiled orders: judge / product", self.spoiled)
        table("rules that one of them alone names: rule, who; judge / product", self.differences)


def table(title, counts):
    """Print counts, the largest first."""
    if counts:
        print(f"\n{title}")
    for key, count in counts.most_common():
        print(f"{count:8d}  {key if isinstance(key, str) else ' / '.join(key)}")


def main():
    """Examine the clusters and return the exit code."""
    told = arguments()
    print(f"seed {told.seed}: {told.clusters} clusters, {told.processes} processes", flush=True)
    began = spoken = time.monotonic()
    tally = Tally()
    chosen = list(islice(names(told.seed, told.clusters), told.clusters))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))
    pool = ProcessPoolExecutor(told.processes)
    try:
        for number, one in enumerate(pool.map(tried, chosen, chunksize=CHUNK), 1):
            tally.add(one)
            if time.monotonic() - spoken > TELL_EVERY:
                spoken = time.monotonic()
                print(f"{number} of {told.clusters}, {len(tally.faults)} faults", flush=True)
    finally:
        pool.shutdown(cancel_futures=True)
    tally.show()
    faults = len({name for name, _ in tally.faults})
    print(
        f"\nprove: {told.clusters} clusters, {sum(tally.spoiled.values())} spoiled orders, "
        f"{faults} at fault, {time.monotonic() - began:.0f} s, seed {told.seed}"
    )
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
