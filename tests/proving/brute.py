# ruff: noqa: T201, I001 -- run as a program it prints a table, and finds its neighbours
"""The fewest phone resets of all orders of work, searched for, beside those of the planner.

    python tests/proving/brute.py [SECONDS FOR EACH CLUSTER]

The product's own walk is the transition system: what phones may hold in several branches is carried
together, level by level of resets, and an order is dropped at the first hard rule that a branch
breaks. To say that n resets are fewest, every order with fewer is gone through. The search keeps
what a plan keeps besides: ITLRecovery has a part of its own and reaches phones under the other key
(decision D5 of the sources), a single TFTP server that signs with its own key changes it under the
rollback parameter (S1: no second server can vouch), required restarts happen. A part of
the branches is walked, so that the bound is low rather than high; an order that is found is proven
in all of them.
"""

import json
import sys
import time
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from builders import CATALOGUE, events
from proving.generator import alarms, inventory

from watcher.inventory.loader import load
from watcher.errors import Location
from watcher.orders.reader import Line as Written
from watcher.orders.reader import read, with_steps
from watcher.planning import plan
from watcher.trust.branch import Branch
from watcher.trust.goals import at_end
from watcher.trust.names import Kind, Service
from watcher.trust.prove import prove
from watcher.trust.rulebook import RULES
from watcher.trust.walk import Memory, Walk, start

BRANCHES = tuple(
    Branch(tftp_at_once=tftp, tvs_at_once=tvs) for tftp in (False, True) for tvs in (False, True)
)
"""The careful answer to every question but those of reloading, which cut both ways."""
BOTH = ["pub", "sub"]
GROUPS = {
    "A": {"cm_group": ["sub", "pub"]},
    "B": {"cm_group": ["pub"]},
    "C": {"cm_group": ["sub"]},
    "T": {"cm_group": ["sub", "pub"], "tvs_reachable": False},
    "E": {"cm_group": ["sub", "pub"], "mode": "encrypted", "lsc": 0},
    "J": {"cm_group": ["sub", "pub"], "mode": "encrypted", "lsc": 0, "sbd": False},
}
SECURE = {"E", "J"}
CLUSTERS = (
    ("9.1", None), ("10.5(2)", "tokenless"), ("11.5", None), ("11.5", "tokenless"),
    ("9.1", "etoken"), ("12.5", None), ("12.5", "tokenless"), ("15", None), ("15", "tokenless"),
)  # fmt: skip


def cluster(release, mixed, groups, due, nodes=2):
    """Return the document of a small cluster whose due certificates are named."""
    names = BOTH[:nodes]
    made = [{"name": n, "roles": [*(["PUB", "CAPF"] if n == "pub" else []), "TFTP", "CCM", "TVS"]}
            for n in names]  # fmt: skip
    told = "".join(c for c in f"{release}{mixed or ''}{groups}{nodes}" if c.isalnum()).lower()
    phones = [
        {"name": f"g-{g}", "count": 10, "tftp": names}
        | GROUPS[g]
        | {"cm_group": [n for n in GROUPS[g]["cm_group"] if n in names] or names}
        for g in groups
    ]
    fields = {"release": release, "mixed": mixed, "nodes": made}
    if mixed == "etoken":
        fields["etokens_available"] = 2
    return {"id": f"b-{told}", "cluster": fields, "groups": phones, "due": due, "steps": []}


def dues(release, nodes):
    """Yield sets of due certificates: stores on all nodes, alone and together, and on one node."""
    names = BOTH[:nodes]
    homes = {"CAPF": ["pub"], "CallManager": names, "TVS": names}
    for size in (1, 2, 3):
        for stores in combinations(homes, size):
            yield [(store, node) for store in stores for node in homes[store]]
    for node in names if nodes > 1 else ():
        yield [("CallManager", node)]
        yield [("CallManager", node), ("TVS", node)]
    if release != "9.1":
        yield [("ITLRecovery", "pub")]


def cases():
    """Yield the documents of the table."""
    for nodes in (1, 2):
        for release, mixed in CLUSTERS:
            kinds = sorted(GROUPS if mixed else set(GROUPS) - SECURE)
            for size in (1, 2):
                for groups in combinations(kinds, size):
                    if nodes == 1 and set(groups) & {"B", "C"}:
                        continue  # the same as A
                    for due in dues(release, nodes):
                        yield cluster(release, mixed, groups, due, nodes)


# The planner -------------------------------------------------------------------------------------


def drawn(made):
    """Return the resets of the issued plan, or None where it is withheld, and its way."""
    known = load("brute.yaml", inventory(made))
    (one,) = plan(events(alarms(made)), known, CATALOGUE)
    return (None if one.withheld else one.proof.resets), one.way


# The search --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class State:
    """All branches after the same steps."""

    walks: tuple[Walk, ...]
    lines: tuple[str, ...]
    left: frozenset

    @property
    def key(self):
        """Return what decides, with what phones may hold, everything that can still happen."""
        return (self.left, tuple(_seen(walk) for walk in self.walks))

    @property
    def held(self):
        """Return what phones may hold, by branch and group: the less the better."""
        return tuple(crowd.held for walk in self.walks for crowd in walk.crowds)


class Known:
    """States met: of those alike in all else, the ones whose phones may hold least."""

    def __init__(self):
        self.met = {}

    def add(self, state):
        """Tell whether a state is worth going on from, and remember it."""
        mine, alike = state.held, self.met.setdefault(state.key, [])
        if any(all(a <= b for a, b in zip(one.held, mine, strict=True)) for one in alike):
            return False
        alike[:] = [
            one for one in alike
            if not all(b <= a for a, b in zip(one.held, mine, strict=True))
        ]  # fmt: skip
        alike.append(state)
        return True

    def states(self):
        """Return all that were worth it."""
        return [state for alike in self.met.values() for state in alike]


def _seen(walk):
    world = walk.world
    crowds = tuple(
        (frozenset(change for change, _ in walk.changes[c.clean_since :]), bool(c.pending))
        for c in walk.crowds
    )
    return (
        frozenset(world.up), *(tuple(sorted(held.items())) for held in (world.generations,
        world.shown)), tuple(world.tftp.items()), tuple(world.tvs.items()), world.ctl,
        tuple(world.issuers.items()), world.rollback, frozenset(world.told_rollback), crowds,
    )  # fmt: skip


class Search:
    """All orders of macro steps for one cluster, with at most so many resets."""

    def __init__(self, made, seconds=60.0):
        told = {key: value for key, value in made.items() if key != "due"}
        self.base = read("brute", json.dumps(told | {"steps": ["verify"]}))
        servers = self.base.running(Service.TFTP)
        early = not self.base.profile.recovery_signs and not self.base.mixed
        self.alone = early and len(servers) == 1
        # I-13 as it is written asks for a reset between two stores whoever the phones are.
        self.listless = not (
            self.base.profile.recovery_signs or any(group.sbd for group in self.base.groups)
        )
        self.made, self.until = made, time.process_time() + seconds
        self.memory = Memory()
        self.memo = {}
        self.states, self.order, self.rollback = 0, (), False
        self.out_of_time = False

    def fewest(self, limit):
        """Return (resets, order) of the shortest order with at most `limit`, or None."""
        level = [self.first()]
        for resets in range(1, limit + 1):
            self.rollback = limit > 1
            after = Known()
            for state in self.window(level):
                reset = self.taken(state, "RESET+WAIT")
                if reset is not None and after.add(reset) and self.ends(reset):
                    return resets, self.order
            level = after.states()
            if self.out_of_time:
                return None
        return None

    def ends(self, state):
        """Tell whether an order may end after this reset, with stopped servers started.

        Nothing else may follow the last reset: phones hold what is served then (L-2).
        """
        world = state.walks[0].world
        stopped = [n for n in self.base.running(Service.TFTP) if (Service.TFTP, n) not in world.up]
        for line in ["restart CCM", *(f"start TFTP {node}" for node in stopped)]:
            state = self.taken(state, line)
            if state is None:
                return False
        self.order = state.lines
        return not state.left and self.done(state)

    def first(self):
        """Return the state before the first step."""
        walks = []
        for branch in BRANCHES:
            walk = start(self.base, branch, self.memory, self.base.groups)
            walk.begin()
            walks.append(walk)
        return State(tuple(walks), (), frozenset(self.made["due"]))

    def window(self, level):
        """Return everything that can be reached without a reset."""
        known, waiting = Known(), list(level)
        for state in level:
            known.add(state)
        while waiting and not self.out_of_time:
            state = waiting.pop()
            for line in self.choices(state):
                after = self.taken(state, line)
                if after is not None and known.add(after):
                    waiting.append(after)
        return known.states()

    def choices(self, state):
        """Yield the macro steps that may change something."""
        world = state.walks[0].world
        yield from self.renewals(state)
        yield "restart TVS"
        if self.base.profile.recovery_signs:
            yield "restart TFTP"  # one key signs for all servers: there is none to prefer
        else:
            yield from self.servers(world)
        if self.base.mixed:
            yield from ("ctl_update", "ctl_localkey")
        elif self.rollback:  # on and off again needs two resets at least
            yield "rollback off" if world.rollback else "rollback on"
        if self.base.profile.recovery_key and not self.base.mixed:
            yield "itl_localkey"  # in mixed mode the CTL authenticates the ITL

    def renewals(self, state):
        """Yield the renewals that the rules besides the trust model allow now."""
        walk = state.walks[0]
        changed = {
            kind for crowd in walk.crowds for (kind, _), _ in walk.changes[crowd.clean_since :]
        }
        for store, node in sorted(state.left):
            apart = store == Kind.RECOVERY and (changed or len(state.left) > 1)
            alone = store == Kind.CALLMANAGER and self.alone and not walk.world.rollback
            listless = self.listless and changed - {store}
            if not (Kind.RECOVERY in changed or apart or alone or listless):
                yield f"regen {store} {node}"

    def servers(self, world):
        """Yield what may be done with the TFTP servers one by one."""
        for node in self.base.running(Service.TFTP):
            up = (Service.TFTP, node) in world.up
            yield f"restart TFTP {node}" if up else f"start TFTP {node}"
            if up and len(self.base.nodes) > 1:
                yield f"stop TFTP {node}"

    def taken(self, state, line):
        """Return the state after one macro step; None where a branch breaks a hard rule."""
        self.states += 1
        if line == "RESET+WAIT" and self.base.profile.recovery_signs and unsigned(state.lines):
            return None
        if time.process_time() > self.until:
            self.out_of_time = True
            return None
        walks = []
        for walk in state.walks:
            after = twin(walk)
            for step in self.steps(line):
                after.take(step)
            if any(RULES[breach.rule].hard for breach in after.breaches):
                return None
            walks.append(after)
        words = line.split()
        left = state.left - {tuple(words[1:])} if words[0] == "regen" else state.left
        return State(tuple(walks), (*state.lines, line), left)

    def steps(self, line):
        """Return what a line means."""
        if line not in self.memo:
            self.memo[line] = with_steps(self.base, [Written(line, Location("brute", 1, 1))]).steps
        return self.memo[line]

    def done(self, state):
        """Tell whether an order may end here; it is proven in every branch then."""
        for walk in state.walks:
            lost = any(not boot.ok for crowd in walk.crowds for boot in walk.ends(crowd))
            if lost or any(RULES[breach.rule].hard for breach in at_end(walk)):
                return False
            if any(
                files.itl is not walk.world.fresh_itl(node) or
                files.key != walk.world.current(Kind.CALLMANAGER, node)
                for node, files in walk.world.tftp.items()
            ):  # fmt: skip
                return False
            stale = any(walk.world.tvs[n].own != walk.world.current(Kind.TVS, n)
                        for n in walk.world.tvs)  # fmt: skip
            if stale:
                return False
        lines = [Written(line, Location("brute", 1, 1)) for line in state.lines]
        return prove(with_steps(self.base, lines)).safe


def unsigned(lines):
    """Tell whether a new recovery key would meet phones before the other key signed (D5)."""
    renewed = [at for at, line in enumerate(lines) if line.startswith("regen ITLRecovery")]
    return bool(renewed) and not any("localkey" in line for line in lines[renewed[-1] :])


def twin(walk):
    """Return a walk that can go another way."""
    crowds = [
        replace(crowd, pending=list(crowd.pending), history=crowd.history[-1:])
        for crowd in walk.crowds
    ]
    after = Walk(walk.scenario, walk.branch, walk.memory, walk.world.copy(), crowds)
    after.changes, after.changed = list(walk.changes), walk.changed
    return after


@dataclass(frozen=True)
class Compared:
    """The planner and the search on one cluster."""

    made: dict
    resets: int | None
    way: str
    fewest: int | None
    """None: no order with fewer resets (or, where the plan is withheld, none up to the limit)."""
    order: tuple
    complete: bool
    states: int

    @property
    def verdict(self):
        """Return what came of it in one word."""
        if self.fewest is not None:
            return "WITHHELD" if self.resets is None else "MORE"
        if not self.complete:
            return "out of time"
        return "none either" if self.resets is None else "equal"


WITHHELD_LIMIT = 2
"""Resets up to which an order is looked for where the plan is withheld."""


def compared(made, seconds=60.0):
    """Return the planner's resets, and an order with fewer if there is one."""
    resets, way = drawn(made)
    search = Search(made, seconds)
    limit = WITHHELD_LIMIT if resets is None else resets - 1
    found = search.fewest(limit)
    fewest, order = found or (None, ())
    return Compared(made, resets, way, fewest, order, not search.out_of_time, search.states)


def row(one):
    """Return one line of the table."""
    fields = one.made["cluster"]
    size, mode = len(fields["nodes"]), fields["mixed"] or "non-secure"
    groups = "".join(g["name"][-1] for g in one.made["groups"])
    due = " ".join(f"{store}/{node}" for store, node in one.made["due"])
    told = "-" if one.resets is None else one.resets
    fewer = "" if one.fewest is None else f"  {one.fewest}: {'; '.join(one.order)}"
    return (
        f"{size} {fields['release']:8} {mode:10} {groups:3} {told:>2} {one.verdict:12} "
        f"{one.states:7}  {due}  [{one.way}]{fewer}"
    )


def main():
    """Print the table and return 1 where the planner needs more resets than the search."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    worse = 0
    for made in cases():
        one = compared(made, seconds)
        worse += one.verdict in {"MORE", "WITHHELD"}
        print(row(one), flush=True)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
