"""Which ways a change of trusted certificates may take, and when no way is safe enough to print.

The reasons are data (rules/ways.yaml); the ways follow section 4.4 of the trust facts. Several may
be open to a cluster: each is drawn, proven against the model of its phones, and the one with the
fewest resets is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from watcher.inventory.schema import Cluster
from watcher.model.release import Release
from watcher.planner.jobs import Job, TrustJob
from watcher.planner.sketch import Ground
from watcher.planner.stages import (
    Stage,
    all_at_once,
    detoured,
    node_by_node,
    staged,
    store_by_store,
)
from watcher.rules.select import select
from watcher.rules.store import Answer, Role, Store
from watcher.rules.terms import Condition

SERVICES_ONLY = "services-only"
STORE_BY_STORE = "store-by-store"
SPECIFIC_ORDER = "specific-order"
NODE_BY_NODE = "node-by-node"
STAGED = "staged"
ROLLBACK = "rollback"
ETOKEN_SHIELD = "etoken-shield"
LOCALKEY_DETOUR = "localkey-detour"
SPLIT_WINDOWS = "split-windows"

ONE_TFTP_AT_A_TIME = "O2"
"""The safety rule whose hard range says where each TFTP server signs with its own key."""

_OLDEST, _NEWEST = Release(8), Release(15, 99)
_LOCALKEY_FROM = Release(10, 5, 2)
_NO_CLIENT = Release(14)
_LICENCE_FROM = Release(12, 5)


@dataclass(frozen=True, slots=True)
class Choice:
    """The way taken, what else is true of it, and why phone-facing work is held back."""

    way: str
    split: bool = False
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """The ways open to a change, the cheapest expected first.

    `withheld` says what no way can heal. `reasons` say why none of the ways is safe unless it is
    proven to be.
    """

    ways: tuple[str, ...]
    split: bool = False
    withheld: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


def options(jobs: Sequence[Job], ground: Ground, copies: Sequence[TrustJob] = ()) -> Options:
    """Return the ways for what phones trust, or say why there is none.

    `copies` are removals from trust stores; some of them change the CTL.
    """
    facing = [job for job in jobs if job.phone_facing]
    listed = any(_in_ctl(job.store, ground) for job in facing)
    listed = listed or any(copy.phone_facing for copy in copies)
    if not facing:
        return Options((SERVICES_ONLY,), withheld=_ctl_obstacles(ground) if listed else ())
    others = [job for job in facing if not job.recovery]
    split = bool(others) and any(job.recovery for job in facing)
    found = _serial(others, ground) if serial(ground) else Options((STORE_BY_STORE,))
    obstacles = _itl_obstacles(ground) + (_ctl_obstacles(ground) if listed else ())
    withheld = tuple(dict.fromkeys((*obstacles, *found.withheld)))
    return Options(found.ways, split, withheld, found.reasons)


def stages_of(way: str, jobs: Sequence[Job], ground: Ground) -> tuple[Stage, ...]:
    """Return what changes between the gates on a way."""
    if way == STORE_BY_STORE:
        return store_by_store(jobs, ground)
    if way == ETOKEN_SHIELD:
        return (all_at_once(jobs),)
    one_by_one, apart = staged(jobs, ground), node_by_node(jobs, ground)
    if way == LOCALKEY_DETOUR:
        return min((detoured(stages) for stages in (apart, one_by_one) if stages), key=len)
    return apart if way == NODE_BY_NODE and apart else one_by_one


def _itl_obstacles(ground: Ground) -> tuple[str, ...]:
    """Return what makes any work on trusted certificates unsafe, whatever the way."""
    terrain, cluster = ground.terrain, ground.terrain.cluster
    held = (
        (cluster is not None and cluster.rollback_pre80 is True, _ROLLBACK_ON),
        (terrain.duties_known and not terrain.tftp_servers, _NO_TFTP),
    )
    return tuple(reason for applies, reason in held if applies)


def _ctl_obstacles(ground: Ground) -> tuple[str, ...]:
    """Return why the CTL of this cluster cannot be updated."""
    cluster, facts = ground.terrain.cluster, ground.terrain.facts
    if cluster is None:
        return ()
    release, token = cluster.release, facts.get(Condition.ETOKEN)
    held = (
        (token and cluster.etokens == 0, _TOKENS_LOST),
        (token and _after(release, _NO_CLIENT), _CLIENT_GONE),
        (facts.get(Condition.MIXED) and _unlicensed(cluster, release), _NO_LICENCE),
    )
    return tuple(reason for applies, reason in held if applies)


def _in_ctl(store: Store, ground: Ground) -> bool:
    answers = select(store.in_ctl, ground.terrain.release, ground.terrain.facts)
    return any(answer.item.value is not Answer.NO for answer in answers[:1])


def _after(release: Release | None, first: Release) -> bool:
    return release is not None and release >= first


def _unlicensed(cluster: Cluster, release: Release | None) -> bool:
    return cluster.export_controlled_license is False and _after(release, _LICENCE_FROM)


def serial(ground: Ground) -> bool:
    """Tell whether TFTP servers must be changed one at a time; true when the release is unknown."""
    hard = ground.catalogue.safety[ONE_TFTP_AT_A_TIME].hard
    release = ground.terrain.release
    return release is None or (hard is not None and hard.matches(release))


def supported(release: Release | None) -> bool:
    """Tell whether the packs know the release at all."""
    return release is None or _OLDEST <= release <= _NEWEST


def places_known(jobs: Sequence[Job], ground: Ground) -> bool:
    """Tell whether it is known what every node does, and on which of them the work is."""
    return ground.terrain.duties_known and all(
        place.node is not None and place.node.duties is not None
        for job in jobs
        for place in job.places
    )


def _serial(jobs: list[Job], ground: Ground) -> Options:
    """Return the ways where each TFTP server may sign with its own key."""
    signers = [job for job in jobs if job.store.role is Role.FILE_SIGNER]
    shared = any(_shared(job, ground) for job in signers)
    bare = bool(signers) and (alone(ground) or shared or _deaf(ground))
    if ground.terrain.release is None:
        return Options((SPECIFIC_ORDER,), withheld=(_NO_RELEASE,) if bare else ())
    if bare:
        return _without_second_server(ground, signers, shared=shared)
    if _publisher_signs_ctl(signers, ground):
        if _after(ground.terrain.release, _LOCALKEY_FROM):
            return Options((LOCALKEY_DETOUR,))
        return Options(_own_pace(jobs, ground), reasons=(_NO_SECOND_ANCHOR,))
    return Options((*_shield(jobs, ground), *_own_pace(jobs, ground)))


def _own_pace(jobs: Sequence[Job], ground: Ground) -> tuple[str, ...]:
    """Return the ways by which phones take one new anchor after the other."""
    if any(job.store.role is Role.FILE_SIGNER for job in jobs) and not places_known(jobs, ground):
        return (SPECIFIC_ORDER,)
    apart, one_by_one = (len(stages(jobs, ground)) for stages in (node_by_node, staged))
    if not apart or apart > one_by_one:
        return (STAGED,)
    # With as many resets the two differ in nothing that phones notice.
    return (NODE_BY_NODE, STAGED) if apart < one_by_one else (NODE_BY_NODE,)


def _shield(jobs: Sequence[Job], ground: Ground) -> tuple[str, ...]:
    """Return the way under an eToken CTL, where it spares phones a reset."""
    facts = ground.terrain.facts
    token = facts.get(Condition.MIXED) and facts.get(Condition.ETOKEN)
    listed = any(_in_ctl(job.store, ground) for job in jobs)
    return (ETOKEN_SHIELD,) if token and listed else ()


def _without_second_server(ground: Ground, signers: list[Job], *, shared: bool) -> Options:
    """Return the ways where no second server can vouch: what phones trust changes in one stroke."""
    if ground.terrain.facts.get(Condition.NON_SECURE):
        return Options((ROLLBACK,))
    shield = _shield(signers, ground)
    if shield:
        return Options(shield)
    detour = not shared and _publisher_signs_ctl(signers, ground)
    detour = detour and _after(ground.terrain.release, _LOCALKEY_FROM)
    reason = _SHARED if shared else _ALONE if alone(ground) else _DEAF
    reasons = () if detour and _lone(ground) and not _deaf(ground) else (reason,)
    return Options((LOCALKEY_DETOUR,) if detour else (STAGED,), reasons=reasons)


def _deaf(ground: Ground) -> bool:
    """Tell whether phones are known that cannot ask TVS about a signer they do not know."""
    cluster = ground.terrain.cluster
    return cluster is not None and any(g.tvs_reachable is False for g in cluster.phone_groups)


def _publisher_signs_ctl(signers: Sequence[Job], ground: Ground) -> bool:
    """Tell whether the key that signs a tokenless CTL is among what changes."""
    facts = ground.terrain.facts
    tokenless = facts.get(Condition.MIXED) and facts.get(Condition.TOKENLESS)
    return bool(tokenless) and any(place.publisher for job in signers for place in job.places)


def _lone(ground: Ground) -> bool:
    """Tell whether there is no other TFTP server than the publisher."""
    servers = ground.terrain.tftp_servers
    return all(place.publisher for place in servers or ground.terrain.places)


def alone(ground: Ground) -> bool:
    """Tell whether it is known that one server only hands out files to the phones."""
    return ground.terrain.facts.get(Condition.SINGLE_NODE) is True or _one_tftp(ground)


def _one_tftp(ground: Ground) -> bool:
    return ground.terrain.duties_known and len(ground.terrain.tftp_servers) == 1


def _shared(job: Job, ground: Ground) -> bool:
    listed = ground.terrain.certificate(job.name, job.places[0].name)
    return bool(listed and listed.multi_server) or job.via is not None


_TOKENS_LOST = (
    "The CTL is signed by an eToken, it lists what is due, and none of the original tokens is at "
    "hand (etokens: 0). Without a token that is in the CTL the phones cannot be given the new CTL "
    "that must follow the change. Find a token, or move the cluster to a tokenless CTL first."
)
_CLIENT_GONE = (
    "The CTL is signed by an eToken, and from release 14 there is no CTL client to update it. "
    "Move the cluster to a tokenless CTL first, then draw the plan again."
)
_NO_LICENCE = (
    "The cluster is in mixed mode and the inventory says that export-controlled functions are "
    "not licensed: from 12.5 the CTL update is refused. Register the licence first (P13)."
)
_ROLLBACK_ON = (
    "The inventory says that the rollback parameter is on. Phones hold a blank ITL, or should. "
    "Set it back to False, restart TVS and TFTP, reset the phones, see them register (P7), and "
    "draw the plan again."
)
_NO_TFTP = (
    "By the inventory no node of this cluster serves TFTP, so its phones take their trust lists "
    "from somewhere else. Centralised TFTP is not covered by the rules."
)
_NO_RELEASE = (
    "One TFTP server signs for all phones and the release is not known. Up to 11.5 the rollback "
    "parameter is needed, from 12.0 on it must not be used. Answer the question on the release "
    "and draw the plan again."
)
_ALONE = (
    "One TFTP server signs for all phones, the release is 11.5 or older, and the security mode "
    "is not known to be non-secure: no second server can vouch and the rollback parameter must "
    "not be used in mixed mode. Answer the question on the security mode and draw the plan "
    "again; in mixed mode open a TAC case."
)
_DEAF = (
    "By the inventory some phones cannot reach TVS (tcp 2445). Up to 11.5 nobody can vouch to them "
    "for a new signer, and the rollback parameter is only for non-secure clusters. Open the port "
    "first, or answer the question on the security mode, and draw the plan again."
)
_SHARED = (
    "One multi-server certificate signs for all TFTP servers, so they cannot be changed one at a "
    "time, and the security mode is not known to be non-secure. Answer the question on the "
    "security mode and draw the plan again."
)
_NO_SECOND_ANCHOR = (
    "On 10.0 to 10.5(1) a tokenless CTL lists one signer only, the publisher's CallManager "
    "certificate. Once it changes, devices without TVS cannot be given a new CTL and must be "
    "touched by hand. Open a TAC case, or upgrade to 10.5(2) or later first."
)
