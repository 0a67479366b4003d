"""A small cluster in mixed mode, and steps read for it."""

from watcher.orders.reader import read

CLUSTER = """\
cluster:
  release: "{release}"
  mixed: {mixed}
  nodes:
    - {{name: P, roles: [PUB, TFTP, CCM, TVS, CAPF]}}
    - {{name: S, roles: [TFTP, CCM, TVS]}}
groups:
  - {{name: A, tftp: [P, S], cm_group: [S, P]}}
  - {{name: E, tftp: [P, S], cm_group: [S, P], mode: encrypted, dot1x: LSC}}
external:
  - {{name: ise, kind: RADIUS, trusted: ["CAPF#0"]}}
  - {{name: edge, kind: Expressway-C}}
"""


def file_of(*lines, release="12.5", mixed="tokenless"):
    """Return a steps file with these steps."""
    steps = "".join(f"  - '{line.replace(chr(39), chr(39) * 2)}'\n" for line in lines)
    return CLUSTER.format(release=release, mixed=mixed) + f"steps:\n{steps}"


def steps_of(*lines, **cluster):
    """Return the typed steps that lines become."""
    return read("steps.yaml", file_of(*lines, **cluster)).steps


def parts(step):
    """Return what a step does without its number and text: action, then whatever it names."""
    named = (step.store, step.node, step.service, step.certificate, step.peer, step.value)
    return " ".join([str(step.action), *(str(part) for part in named if part), *step.groups])
