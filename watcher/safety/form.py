"""Whether a plan can be read at all: numbers, dependencies, and names that the rules know."""

from collections.abc import Iterator

from watcher.inventory.schema import Cluster
from watcher.model.plan import ChangePlan, Step
from watcher.rules.catalogue import Catalogue
from watcher.safety.violation import Violation, broken

RULE = "FORM"


def well_formed(
    plan: ChangePlan, cluster: Cluster | None, catalogue: Catalogue
) -> Iterator[Violation]:
    """FORM: steps are numbered from 1, wait only for earlier ones, and name known things."""
    nodes = {node.name for node in cluster.nodes} if cluster else set()
    for expected, step in enumerate(plan.steps, 1):
        if step.number != expected:
            yield broken(RULE, f"the step in place {expected} is numbered {step.number}.", step)
        if any(not 0 < number < step.number for number in step.depends_on):
            yield broken(RULE, "it waits for itself, a later step, or one that is missing.", step)
        if step.node is not None and step.node not in nodes:
            yield broken(RULE, f"its node {step.node!r} is not in the inventory.", step)
        yield from _names(step, catalogue)


def _names(step: Step, catalogue: Catalogue) -> Iterator[Violation]:
    template = catalogue.steps.get(step.key)
    if template is None or template.kind != step.kind:
        yield broken(RULE, f"there is no step {step.key!r} of kind {step.kind!r}.", step)
    if step.store is not None and step.store not in catalogue.stores:
        yield broken(RULE, f"its store {step.store!r} is not in the rules.", step)
    if step.service is not None and step.service not in catalogue.services:
        yield broken(RULE, f"its service {step.service!r} is not in the rules.", step)
