"""Which store is worked on where: findings grouped into jobs, in the order of stores."""

from collections.abc import Iterable
from dataclasses import dataclass

from watcher.model.plan import Finding
from watcher.planner.sketch import Ground
from watcher.planner.terrain import Place, Terrain
from watcher.rules.select import Facts, select
from watcher.rules.store import Phase, Role, Scope, Store, StoreKind
from watcher.rules.terms import Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The work on one store: what it is, where it is done, and for which findings.

    `changed` are the nodes that get a new certificate: all of them when one certificate serves
    the cluster. `via` names the store whose certificate this one reuses: then nothing is
    regenerated here.
    """

    name: str
    store: Store
    places: tuple[Place, ...]
    changed: tuple[Place, ...]
    findings: tuple[Finding, ...]
    via: str | None = None

    @property
    def phone_facing(self) -> bool:
        """Whether phones must learn to trust the result."""
        return self.store.phone_facing

    @property
    def recovery(self) -> bool:
        """Whether this is the anchor that must stay while others change."""
        return self.store.role is Role.RECOVERY_SIGNER


def service_jobs(findings: Iterable[Finding], ground: Ground) -> tuple[Job, ...]:
    """Return one job for each service store (or phone certificate) due, in order of work."""
    grouped: dict[str, list[Finding]] = {}
    reusing: dict[str, str] = {}
    for finding in findings:
        if not finding.store_known or finding.trust:
            continue
        listed = ground.terrain.certificate(finding.store, finding.node)
        target = listed.reused_for if listed else None
        name = listed.store if listed and target else finding.store
        grouped.setdefault(name, []).append(finding)
        if target is not None and target in ground.catalogue.stores:
            reusing[target] = name
    jobs = [_job(name, tuple(group), ground) for name, group in grouped.items()]
    jobs += [_reuse(name, via, tuple(grouped[via]), ground) for name, via in reusing.items()]
    return tuple(sorted(jobs, key=lambda job: (job.store.position, job.name)))


def _reuse(name: str, via: str, findings: tuple[Finding, ...], ground: Ground) -> Job:
    # A reused certificate is one certificate in two roles: its renewal is the other's as well.
    terrain = ground.terrain
    return Job(
        name=name, store=ground.catalogue.store(name), places=(terrain.publisher,),
        changed=terrain.every_node, findings=findings, via=via,
    )  # fmt: skip


def _job(name: str, findings: tuple[Finding, ...], ground: Ground) -> Job:
    store, terrain = ground.catalogue.store(name), ground.terrain
    scope = scope_of(store, terrain, terrain.facts)
    shared = scope is Scope.CLUSTER or any(
        (listed := terrain.certificate(name, finding.node)) and listed.multi_server
        for finding in findings
    )
    if shared or scope is Scope.PUBLISHER:
        places: tuple[Place, ...] = (terrain.publisher,)
    else:
        places = terrain.in_order(_reported(finding, terrain) for finding in findings)
    changed = terrain.every_node if shared else places
    return Job(name=name, store=store, places=places, changed=changed, findings=findings)


def scope_of(store: Store, terrain: Terrain, facts: Facts) -> Scope:
    """Return how many certificates of the store the cluster has; per node when not known."""
    # A multi-server certificate is only assumed where the inventory says so.
    sure = dict(facts) | {
        c: facts.get(c) or False for c in (Condition.MULTI_SERVER, Condition.REUSED)
    }
    chosen = select(store.scope, terrain.release, sure)
    certain = [s.item.value for s in chosen if not s.only_if] or [s.item.value for s in chosen]
    return certain[0] if certain else Scope.NODE


def _reported(finding: Finding, terrain: Terrain) -> Place:
    place = terrain.named(finding.node) if finding.node_in_inventory else None
    if place is not None:
        return place
    return _heard(finding.node) if finding.node else Place("the reporting node (see the evidence)")


def _heard(name: str) -> Place:
    return Place(f"{name} (as reported)")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustJob:
    """Removal of one copy from a trust store, with everything said about it."""

    name: str
    store: Store
    finding: Finding
    owner: Place | None
    holders: tuple[Place, ...]

    @property
    def phone_facing(self) -> bool:
        """Whether the removal changes a list that phones hold."""
        touching = (Phase.UPDATE_CTL, Phase.RESET_PHONES)
        return any(item.phase in touching for item in self.store.procedure)


def trust_jobs(findings: Iterable[Finding], ground: Ground) -> tuple[TrustJob, ...]:
    """Return one job for each trust copy due, in order of stores."""
    jobs = []
    for finding in findings:
        if not (finding.store_known and finding.trust):
            continue
        store = ground.catalogue.store(finding.store)
        if store.kind is not StoreKind.TRUST:
            continue
        jobs.append(
            TrustJob(
                name=finding.store, store=store, finding=finding,
                owner=_owner(finding, ground.terrain), holders=_holders(finding, ground.terrain),
            )
        )  # fmt: skip
    return tuple(sorted(jobs, key=lambda job: (job.store.position, job.finding.id)))


def _owner(finding: Finding, terrain: Terrain) -> Place | None:
    if finding.owner is None:
        return None
    if finding.owner_in_inventory:
        return terrain.named(finding.owner) or Place(finding.owner)
    return Place(f"{finding.owner} (by the file's name)")


def _holders(finding: Finding, terrain: Terrain) -> tuple[Place, ...]:
    return tuple(terrain.named(name) or _heard(name) for name in finding.reporters)
