"""Small clusters for one rule at a time, and what the proof says of an order on them."""

from watcher.orders.reader import read
from watcher.trust.prove import prove

NODES = {
    "one": "[{name: P, roles: [PUB, TFTP, CCM, TVS, CAPF]}]",
    "two": "[{name: P, roles: [PUB, TFTP, CCM, TVS, CAPF]}, {name: S, roles: [TFTP, CCM, TVS]}]",
}
GROUPS = {
    "A": "{name: A, tftp: [P, S], cm_group: [S, P]}",
    "B": "{name: B, tftp: [P, S], cm_group: [P]}",
    "C": "{name: C, tftp: [P, S], cm_group: [S]}",
    "T": "{name: T, tftp: [P, S], cm_group: [S, P], tvs_reachable: false}",
    "E": "{name: E, tftp: [P, S], cm_group: [S, P], mode: encrypted}",
    "J": "{name: J, tftp: [P, S], cm_group: [S, P], mode: encrypted, sbd: false}",
    "X": "{name: X, tftp: [P, S], cm_group: [S, P], dot1x: LSC, lsc: 0}",
    "M": "{name: M, tftp: [P, S], cm_group: [S, P], held: {itl: mismatch}}",
    "Z": "{name: Z, tftp: [P, S], cm_group: [S, P], online: false}",
    "K": "{name: K, tftp: [P], cm_group: [P]}",
}


def file_of(release, groups, order, *, mixed="null", more="", nodes="two", top=""):  # noqa: PLR0913 -- keys of a file
    """Return a steps file; `order` has semicolons between steps, `more` are keys of the cluster."""
    listed = ", ".join(GROUPS[name] for name in groups.split())
    return (
        f"cluster: {{release: '{release}', mixed: {mixed}, nodes: {NODES[nodes]}{more}}}\n"
        f"groups: [{listed}]\n{top}\nsteps: {order!r}\n"
    )


def scenario(*words, **keys):
    """Return the scenario of such a file."""
    return read("ground", file_of(*words, **keys))


def proved(*words, **keys):
    """Return the verdict over such a file."""
    return prove(scenario(*words, **keys))


def broken(verdict):
    """Return the ids of the hard rules that are broken."""
    return {one.rule for one in verdict.broken}


def lost(verdict):
    """Return who is stranded, with the class and what heals them."""
    return {one.group: (str(one.severity), one.rescue.id) for one in verdict.stranded}
