"""Which nodes change together: halves of a cluster, so that phones always keep one anchor.

While the certificates of one TFTP server change, each CallManager group keeps a node whose TVS
certificate phones already hold, and each phone another TFTP server to ask (I-2, I-3, P8).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from watcher.inventory.schema import Cluster, Duty
from watcher.planner.jobs import Job
from watcher.planner.sketch import Ground
from watcher.planner.terrain import Place
from watcher.rules.store import Role


@dataclass(frozen=True, slots=True)
class Deed:
    """A store renewed at some of the places where it is due."""

    job: Job
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Half:
    """What changes between two resets; `server` is the TFTP server concerned, if one is."""

    server: Place | None
    deeds: tuple[Deed, ...]


def halves(jobs: Sequence[Job], ground: Ground) -> tuple[Half, ...]:
    """Return the halves in order; none when no division leaves every phone an anchor.

    The publisher comes first (O1). A node that serves no TFTP goes where its CallManager groups
    lose least; where that is nowhere, its TVS waits for a half in which no list changes its signer.
    """
    cluster, due = ground.terrain.cluster, _due(jobs, ground)
    servers = _servers(jobs, due)
    if cluster is None or not servers or _cut_off(cluster, servers):
        return ()
    chosen = _divide(jobs, cluster, servers, [place for place in due if place not in servers])
    if not all(_covered(cluster, _verifying(jobs, half)) for half in chosen.halves):
        return ()
    found = [
        Half(server, _deeds(jobs, half, verifiers=half))
        for server, half in zip(servers, chosen.halves, strict=True)
    ]
    waiting = chosen.waiting
    if not waiting:
        return tuple(found)
    last = found[-1]
    found[-1] = Half(
        last.server,
        _deeds(jobs, [*chosen.halves[-1], *waiting], verifiers=chosen.halves[-1]),
    )
    return (*found, Half(None, _deeds(jobs, (), verifiers=waiting)))


@dataclass(frozen=True, slots=True)
class _Division:
    halves: tuple[list[Place], ...]
    waiting: list[Place]


def _divide(
    jobs: Sequence[Job], cluster: Cluster, servers: Sequence[Place], free: Sequence[Place]
) -> _Division:
    division = _Division(tuple([server] for server in servers), [])
    for place in free:
        if place.publisher:
            division.halves[0].insert(0, place)
        elif not _verifying(jobs, [place]):
            division.halves[-1].append(place)
        else:
            home = _home(jobs, cluster, place, division.halves)
            (division.waiting if home is None else home).append(place)
    return division


def _home(
    jobs: Sequence[Job], cluster: Cluster, place: Place, halves: Sequence[list[Place]]
) -> list[Place] | None:
    """Return the half in which a node's verifier may change, the least burdened first."""
    fitting = [half for half in halves if _covered(cluster, _verifying(jobs, [*half, place]))]
    return min(
        fitting, key=lambda half: _burden(cluster, _verifying(jobs, [*half, place])), default=None
    )


def _burden(cluster: Cluster, verifying: frozenset[str]) -> tuple[float, int]:
    """Return the largest share of a CallManager group that loses its verifier."""
    groups = _groups(cluster)
    share = max((len(group & verifying) / len(group) for group in groups), default=0.0)
    return share, len(verifying)


def _covered(cluster: Cluster, verifying: frozenset[str]) -> bool:
    """Tell whether each CallManager group keeps a verifier that does not change.

    Groups that are not known have two nodes at least: the plan asks for it before it begins (P8).
    """
    groups = _groups(cluster)
    if not groups:
        return len(verifying) <= 1
    return not any(group <= verifying for group in groups)


def _groups(cluster: Cluster) -> list[frozenset[str]]:
    return [frozenset(name.lower() for name in g.nodes) for g in cluster.callmanager_groups]


def _verifying(jobs: Sequence[Job], places: Iterable[Place]) -> frozenset[str]:
    """Return the nodes among `places` that phones may ask and whose verifier is due."""
    due = {p for job in jobs if job.store.role is Role.VERIFIER for p in job.places}
    return frozenset(
        place.node.name.lower()
        for place in places
        if place in due and place.node and place.node.has(Duty.CALL_PROCESSING) is not False
    )


def _cut_off(cluster: Cluster, servers: Sequence[Place]) -> bool:
    """Tell whether some phones know no TFTP server besides one of these."""
    names = [place.label.lower() for place in servers]
    lists = [[name.lower() for name in group.tftp] for group in cluster.phone_groups]
    return any(tftp and set(tftp) <= {name} for tftp in lists for name in names)


def _due(jobs: Sequence[Job], ground: Ground) -> tuple[Place, ...]:
    return ground.terrain.in_order(place for job in jobs for place in job.places)


def _servers(jobs: Sequence[Job], due: Sequence[Place]) -> list[Place]:
    """Return the TFTP servers whose signer is due; or else the one node that all work is on."""
    signing = {p for job in jobs if job.store.role is Role.FILE_SIGNER for p in job.places}
    servers = [place for place in due if serves_tftp(place) and place in signing]
    if servers or len(due) != 1 or not serves_tftp(due[0]):
        return servers
    return [due[0]]


def serves_tftp(place: Place) -> bool | None:
    """Tell whether a place is a TFTP server; None when not known."""
    return place.node.has(Duty.TFTP) if place.node else None


def another_serves(place: Place, ground: Ground) -> bool:
    """Tell whether it is known that all phones have another TFTP server than this one."""
    terrain = ground.terrain
    known = terrain.cluster is not None and terrain.duties_known and len(terrain.tftp_servers) > 1
    return bool(
        known and serves_tftp(place) and terrain.cluster and not _cut_off(terrain.cluster, [place])
    )


def _deeds(
    jobs: Sequence[Job], places: Sequence[Place], verifiers: Sequence[Place]
) -> tuple[Deed, ...]:
    """Return what is done at these places; verifiers change at places of their own."""
    found = []
    for job in jobs:
        here = verifiers if job.store.role is Role.VERIFIER else places
        at = tuple(place for place in job.places if place in here)
        if at:
            found.append(Deed(job, at))
    return tuple(found)
