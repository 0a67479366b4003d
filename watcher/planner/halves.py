"""Which nodes change by themselves, with all their stores, so that phones keep an anchor.

While the certificates of one TFTP server change, each phone has another TFTP server to ask, and
each CallManager group keeps a node whose TVS phones know already (I-2, I-3, I-13 a, P8).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from watcher.inventory.schema import Cluster, Duty
from watcher.planner.jobs import Job
from watcher.planner.sketch import Ground
from watcher.planner.terrain import Place
from watcher.rules.store import Role
from watcher.rules.terms import Condition


@dataclass(frozen=True, slots=True)
class Deed:
    """A store renewed at some of the places where it is due."""

    job: Job
    places: tuple[Place, ...]


def deeds_at(jobs: Sequence[Job], places: Sequence[Place]) -> tuple[Deed, ...]:
    """Return what is due at these places."""
    at = (Deed(job, tuple(place for place in job.places if place in places)) for job in jobs)
    return tuple(deed for deed in at if deed.places)


def due_places(jobs: Sequence[Job], ground: Ground) -> tuple[Place, ...]:
    """Return the places with something to do, publisher first."""
    return ground.terrain.in_order(place for job in jobs for place in job.places)


def nodes_apart(jobs: Sequence[Job], ground: Ground) -> tuple[tuple[Place, ...], ...]:
    """Return the nodes that change one after the other; none when phones would lose an anchor.

    A publisher without TFTP comes first (O1). What else serves no TFTP must have nothing to do
    but a key that signs no list; that goes with the last server.
    """
    cluster, due = ground.terrain.cluster, due_places(jobs, ground)
    servers = _servers(jobs, due)
    if cluster is None or not servers:
        return ()
    free = [place for place in due if place not in servers]
    busy = [place for place in free if not _signs_nothing(jobs, place, ground)]
    if not all(place.publisher for place in busy):
        return ()
    first = [place for place in free if place.publisher and place not in busy]
    runs = [[place] for place in (*busy, *servers)]
    runs[0] = [*first, *runs[0]]
    runs[-1] += [place for place in free if not place.publisher]
    kept = all(another_serves(server, ground) for server in servers) and not any(
        _takes_all(cluster, _verifying(jobs, run)) for run in runs
    )
    return tuple(tuple(run) for run in runs) if kept else ()


def _servers(jobs: Sequence[Job], due: Sequence[Place]) -> list[Place]:
    """Return the TFTP servers whose signer is due; or else the one node that all work is on."""
    signing = {p for job in jobs if job.store.role is Role.FILE_SIGNER for p in job.places}
    servers = [place for place in due if serves_tftp(place) and place in signing]
    return servers or [place for place in due if len(due) == 1 and serves_tftp(place)]


def _signs_nothing(jobs: Sequence[Job], place: Place, ground: Ground) -> bool:
    """Tell whether phones do not meet what is due at a place: a key in no list that they hold."""
    roles = {job.store.role for job in jobs if place in job.places}
    plain = ground.terrain.facts.get(Condition.NON_SECURE) is True
    return plain and roles == {Role.FILE_SIGNER}


def _takes_all(cluster: Cluster, verifying: frozenset[str]) -> bool:
    """Tell whether a CallManager group has no verifier left besides these.

    Groups that are not known have two nodes at least: the plan asks for it before it begins (P8).
    """
    groups = [frozenset(name.lower() for name in g.nodes) for g in cluster.callmanager_groups]
    if not groups:
        asked = [node for node in cluster.nodes if node.has(Duty.CALL_PROCESSING)]
        return bool(verifying) and len(asked) == 1
    return any(group <= verifying for group in groups)


def _verifying(jobs: Sequence[Job], places: Iterable[Place]) -> frozenset[str]:
    """Return the nodes among `places` whose verifier is due."""
    due = {p for job in jobs if job.store.role is Role.VERIFIER for p in job.places}
    return frozenset(place.label.lower() for place in places if place in due)


def serves_tftp(place: Place) -> bool | None:
    """Tell whether a place is a TFTP server; None when not known."""
    return place.node.has(Duty.TFTP) if place.node else None


def another_serves(place: Place, ground: Ground) -> bool:
    """Tell whether it is known that all phones have another TFTP server than this one."""
    terrain, cluster = ground.terrain, ground.terrain.cluster
    if cluster is None or not terrain.duties_known or len(terrain.tftp_servers) == 1:
        return False
    name = place.label.lower()
    lists = [{server.lower() for server in group.tftp} for group in cluster.phone_groups]
    return bool(serves_tftp(place)) and not any(tftp == {name} for tftp in lists)
