"""What both questions ask of the cluster and the rules."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from watcher.errors import InputError
from watcher.inventory.schema import Cluster
from watcher.model.proof import Assumption
from watcher.planner.terrain import cluster_facts, survey
from watcher.proving.ground import scenario_of
from watcher.rules.catalogue import Catalogue
from watcher.rules.select import Facts, select
from watcher.rules.store import Store
from watcher.rules.terms import Statement
from watcher.trust.scenario import Scenario
from watcher.whatif.nouns import Party, Told


@dataclass(frozen=True, slots=True)
class Ground:
    """A cluster as the trust model takes it, with the rules."""

    cluster: Cluster
    catalogue: Catalogue
    base: Scenario
    inputs: tuple[Assumption, ...]

    def facts(self, store: str) -> Facts:
        """Return what is known of the cluster, and of a store's certificate on the publisher."""
        terrain = survey(self.cluster)
        return terrain.facts_for(terrain.certificate(store, self.base.publisher))

    def told(self, statements: Iterable[Statement], facts: Facts) -> tuple[Told, ...]:
        """Return the sentences that hold or may hold here."""
        chosen = select(tuple(statements), self.cluster.release, facts)
        return tuple(
            Told(text=one.item.text, only_if=one.only_if, sources=tuple(one.item.source))
            for one in chosen
        )

    def parties(self, stores: Iterable[Store]) -> tuple[Party, ...]:
        """Return who outside must be told that certificates of these stores change."""
        return tuple(dict.fromkeys(party for store in stores for party in self._parties(store)))

    def _parties(self, store: Store) -> Iterator[Party]:
        for one in select(store.tell, self.cluster.release, cluster_facts(self.cluster)):
            yield Party(party=one.item.party, text=one.item.text, only_if=one.only_if)

    def unknown(self) -> tuple[str, ...]:
        """Return what was assumed, each with the check that settles it."""
        return tuple(f"assumed: {item.text} (check: {item.check})" for item in self.inputs)

    def count(self, names: Iterable[str]) -> int | None:
        """Return how many phones groups have; None when a count is missing."""
        counts = {group.name: group.count for group in self.base.groups}
        found = [counts[name] for name in names]
        return None if None in found else sum(number or 0 for number in found)


def ground(cluster: Cluster, catalogue: Catalogue) -> Ground:
    """Return the ground of a cluster; its release must be known."""
    if cluster.release is None:
        raise InputError(
            f"{cluster.name} has no release", expected='release: "12.5" in the inventory'
        )
    base, inputs = scenario_of(cluster)
    # The question is about phones: that a backup was made before is taken for granted.
    return Ground(cluster, catalogue, replace(base, backed_up=True), inputs)
