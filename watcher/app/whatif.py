"""Questions "what if" about a cluster of the inventory."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from watcher.app.knowledge import load_catalogue
from watcher.app.site import load_inventory
from watcher.errors import InputError, Location
from watcher.inventory.schema import Cluster, Inventory
from watcher.whatif import expiry, steps
from watcher.whatif.ground import Ground, ground
from watcher.whatif.nouns import ExpiryAnswer, StepsAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which cluster is asked about."""

    inventory: str
    cluster: str | None = None
    rules: tuple[str, ...] = ()


def ask_expiry(
    question: Question, store: str, node: str | None, at: datetime | None
) -> ExpiryAnswer:
    """Return what breaks when a certificate expires unattended."""
    return expiry.expiry(_ground(question), store, node, at)


def ask_steps(question: Question, texts: Sequence[str]) -> StepsAnswer:
    """Return what steps do if nothing follows them."""
    return steps.steps(_ground(question), texts)


def _ground(question: Question) -> Ground:
    catalogue = load_catalogue(question.rules)
    inventory = load_inventory(question.inventory, catalogue)
    cluster = _chosen(inventory, question)
    try:
        return ground(cluster, catalogue)
    except InputError as error:
        where = Location(question.inventory)
        raise InputError(error.problem, where=where, expected=error.expected) from error


def _chosen(inventory: Inventory, question: Question) -> Cluster:
    names = [cluster.name for cluster in inventory.clusters]
    if question.cluster is None and len(names) == 1:
        return inventory.clusters[0]
    wanted = (question.cluster or "").lower()
    found = next((one for one in inventory.clusters if one.name.lower() == wanted), None)
    if found is None:
        said = f"no cluster {question.cluster!r}" if question.cluster else "several clusters"
        raise InputError(
            f"the inventory has {said}" if names else "the inventory has no cluster",
            where=Location(question.inventory),
            expected=f"--cluster {' or '.join(names)}" if names else "a cluster",
        )
    return found
