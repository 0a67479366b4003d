"""Judge an order of steps by the naive model: which invariants it breaks, whom it strands.

Every order is executed for all 32 combinations of the branches U1, U2, U3, U5 and U6, and after
every step any phone may reboot. Only the hard invariants I-1 to I-15 refuse an order; what is
owed on paper (a new backup, an exported key, a restart) does not.
"""

import itertools
from collections import defaultdict
from dataclasses import dataclass, field

from proving.execution import Run

VALUES = {
    "U1": ("own", "all"),
    "U2": ("at-once", "at-restart"),
    "U3": ("at-once", "at-restart"),
    "U5": ("no", "yes"),
    "U6": ("ctl-only", "ctl-or-itl"),
}


@dataclass
class Judgement:
    """What an order does; branches are named `U1=own U2=at-once ...`."""

    broken: set = field(default_factory=set)
    why: set = field(default_factory=set)
    """(invariant, number of the step, group or "")"""
    stranded: dict = field(default_factory=lambda: defaultdict(set))
    """online group -> branches in which some phone of it is lost at the end"""
    barrier_failures: set = field(default_factory=set)
    """(group, number of the step)"""
    offline: dict = field(default_factory=lambda: defaultdict(dict))
    """group -> branch -> whether a phone that was off all the time works at the end"""
    windows: dict = field(default_factory=lambda: defaultdict(set))
    """(group, number of the step) -> branches in which a reboot would be refused for now"""
    accepted: frozenset = frozenset()

    @property
    def verdict(self):
        """Return `safe` or `refused`."""
        return "refused" if self.stranded or self.broken - self.accepted else "safe"


def judge(document):
    """Execute an order as loaded from a steps file in every branch."""
    found = Judgement(accepted=frozenset(document.get("accept") or ()))
    for branch, alike in branches(document):
        run = Run(document, branch)
        run.execute()
        run.tell(found, [named(one) for one in alike])
    return found


def named(branch):
    """Return the name of a branch."""
    return " ".join(f"{key}={value}" for key, value in branch.items())


def branches(document):
    """Return one branch of each set that cannot differ, with the branches of that set."""
    assumed = document.get("assume") or {}
    values = {key: _allowed(key, assumed.get(key)) for key in VALUES}
    telling = _telling(document)
    sets = defaultdict(list)
    for combination in itertools.product(*values.values()):
        branch = dict(zip(VALUES, combination, strict=True))
        sets[tuple(branch[key] for key in telling)].append(branch)
    return [(alike[0], alike) for alike in sets.values()]


def _allowed(key, assumed):
    if assumed is None:
        return VALUES[key]
    if isinstance(assumed, bool):
        return (VALUES[key][assumed],) if key == "U5" else VALUES[key]
    wanted = str(assumed).replace("_", "-").replace(" ", "-")
    return tuple(value for value in VALUES[key] if value.endswith(wanted)) or VALUES[key]


def _telling(document):
    """Return the unknowns that can make a difference to this cluster.

    U5 is asked of CTLs only, U6 of secure registration only; ITLs carry the records of other TFTP
    servers only where there is another than the publisher.
    """
    cluster = document["cluster"]
    servers = [node["roles"] for node in cluster["nodes"] if "TFTP" in node["roles"]]
    telling = ["U2", "U3"]
    if len(servers) > 1 or (servers and "PUB" not in servers[0]):
        telling.append("U1")
    if cluster.get("mixed"):
        telling.append("U5")
    if any(group.get("mode", "non_secure") != "non_secure" for group in document["groups"]):
        telling.append("U6")
    return telling
