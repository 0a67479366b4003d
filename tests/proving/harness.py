"""Draw a plan for a generated cluster, let the naive judge execute it, and spoil it.

`examined(name)` does it for `document(name)` and needs nothing else, so any finding is had
again from the name alone. `names` takes the names of small clusters, and a few of any size.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass, field

from builders import CATALOGUE, events
from proving.generator import alarms, document, due, inventory, mutations, rng
from proving.independent import judge
from proving.translation import PHONE_FACING, faces_phones, translated

from watcher.inventory.loader import load
from watcher.orders.reader import read
from watcher.planning import plan
from watcher.trust.prove import prove
from watcher.trust.verdict import Ruling

SMALL_NODES, SMALL_GROUPS = 3, 4
ANY_SIZE = 200
"""One name in so many is taken whatever its size."""
SPOILED = 6
"""One cluster in so many has its order spoiled, and is judged with the optional steps too."""
FATAL = {"I-1", "I-15"}
ANSWERS = {
    "U1": ("own", "all"), "U2": ("at-restart", "at-once"), "U3": ("at-restart", "at-once"),
    "U5": ("no", "yes"), "U6": ("ctl-only", "ctl-or-itl"),
}  # fmt: skip
"""Of each open question: the answer that a plan prints as "not so that", and the other one."""


@dataclass
class Examined:
    """What came of one cluster."""

    name: str
    outcome: str = ""
    """`proven`, `services only`, `withheld`"""
    reasons: tuple = ()
    unseen: str = ""
    """A safe order that the judge knows though the plan is withheld."""
    faults: list = field(default_factory=list)
    """Sentences; any of them is a failure."""
    spoiled: Counter = field(default_factory=Counter)
    """(what the judge says, what the product says) of spoiled orders"""
    differences: Counter = field(default_factory=Counter)
    """(rule, who alone names it) of orders that both refuse"""


def names(seed, count):
    """Yield the names of clusters, most of them small."""
    number = found = 0
    while found < count:
        name = f"c{seed}-{number}"
        if number % ANY_SIZE == 0 or is_small(document(name)):
            found += 1
            yield name
        number += 1


def is_small(made):
    """Tell whether a cluster is quick to prove."""
    return len(made["cluster"]["nodes"]) <= SMALL_NODES and len(made["groups"]) <= SMALL_GROUPS


def examined(name, *, spoil=None):
    """Examine one cluster; its order is spoiled if told so, else in some clusters."""
    made = document(name)
    made["cluster"]["backups"] = []
    (drawn,) = plan(events(alarms(made)), load("generated.yaml", inventory(made)), CATALOGUE)
    found = Examined(name, reasons=drawn.withheld)
    made["assume"] = assumed(drawn.proof)
    lines = translated(drawn, made)
    facing = faces_phones(lines)
    found.outcome = "withheld" if drawn.withheld else "proven" if facing else "services only"
    chance = rng(name, "spoil")
    check_issued(found, made, lines)
    if drawn.withheld:
        found.unseen = safe_order(made)
    elif facing and (spoil or (spoil is None and chance.randrange(SPOILED) == 0)):
        check_issued(found, made, translated(drawn, made, optional=True), "with optional steps")
        check_spoiled(found, made, lines, chance)
    return found


def safe_order(made):
    """Return the name of an order of work that the judge finds safe for what is due, if any."""
    renewals = [(store, node) for store, node in due(made) if store in PHONE_FACING]
    if made["cluster"].get("multi_san") and any(s == "CallManager" for s, _ in renewals):
        renewals = [one for one in renewals if one[0] != "CallManager"]
        renewals.append(("CallManager", "cluster"))
    for how, order in orders(renewals, made):
        if judge(made | {"steps": ["drs_backup", *order], "assume": {}}).verdict == "safe":
            return how
    return ""


def orders(renewals, made):
    """Yield simple orders for some renewals: one by one, under the rollback parameter, at once."""
    told = ["ctl_update"] if made["cluster"]["mixed"] else []
    lines = [
        f"upload_signed {s} cluster" if n == "cluster" else f"regen {s} {n}" for s, n in renewals
    ]
    yield "one by one", [part for line in lines for part in (line, *told, "bounce")]
    yield (
        "one by one, others first",
        [part for line in reversed(lines) for part in (line, *told, "bounce")],
    )
    yield "all at once", [*lines, *told, "bounce"]
    if not told:
        yield "rollback", ["rollback on", "flush", "RESET", *lines, "bounce", "rollback off",
                           "flush", "RESET"]  # fmt: skip
    yield (
        "other key first",
        [
            part
            for line in lines
            for part in (
                line,
                "ctl_localkey",
                "itl_localkey",
                "restart TVS",
                "RESET",
                *told,
                "bounce",
            )
        ],
    )


def assumed(proof):
    """Return the answers that a plan says it rests on."""
    found = {}
    for assumption in proof.assumptions if proof else ():
        if question := re.search(r"\((U\d+)\)$", assumption.text):
            yes = not assumption.text.startswith("it is not so")
            if question[1] in ANSWERS:
                found[question[1]] = ANSWERS[question[1]][yes]
    return found


def check_issued(found, made, lines, how="as printed"):
    """Have the judge find the printed steps safe."""
    if not lines:
        return
    said = judge(made | {"steps": lines})
    if said.verdict != "safe":
        why = sorted(map(str, said.why))[:3]
        found.faults.append(f"{how}: the judge refuses the issued plan: {why}; {lines}")


def check_spoiled(found, made, lines, chance):
    """Remove a step, swap two, merge two parts: whoever is stranded by it must be seen."""
    base = read("generated.yaml", json.dumps(made | {"steps": lines}))
    for spoiled in mutations(lines, chance):
        compare(found, made, spoiled, base)


def compare(found, made, lines, base):
    """Hold the product's verdict of an order against the judge's."""
    said = judge(made | {"steps": lines})
    verdict = prove(read("spoiled.txt", json.dumps(lines), base))
    product = "refused" if verdict.ruling is Ruling.REFUSED else "safe"
    lost = bool(said.stranded or said.barrier_failures or FATAL & said.broken)
    judged = "strands" if lost else said.verdict
    found.spoiled[judged, product] += 1
    named = {broken.rule for broken in verdict.broken}
    if judged != "safe" and product == "safe":
        why = sorted(map(str, said.why))[:3]
        found.faults.append(f"spoiled: the judge {judged}, the product lets it through: {why}; "
                            f"{lines}")  # fmt: skip
    found.differences.update((rule, "judge", judged, product) for rule in said.broken - named)
    found.differences.update((rule, "product", judged, product) for rule in named - said.broken)
