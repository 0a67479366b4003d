"""Which way a change of trusted certificates takes, and when no way is safe enough to print.

The reasons are data (rules/ways.yaml); the choice follows section 4.4 of the trust facts:
one TFTP server at a time up to 11.5, the rollback parameter for a single server, the localkey
detour for a tokenless CTL, store by store from 12.0.
"""

from dataclasses import dataclass

from watcher.model.release import Release
from watcher.planner.jobs import Job
from watcher.planner.sketch import Ground
from watcher.rules.schema import Condition, Role

SERVICES_ONLY = "services-only"
STORE_BY_STORE = "store-by-store"
SPECIFIC_ORDER = "specific-order"
ROLLBACK = "rollback"
LOCALKEY_DETOUR = "localkey-detour"
SPLIT_WINDOWS = "split-windows"

ONE_TFTP_AT_A_TIME = "O2"
"""The safety rule whose hard range says where each TFTP server signs with its own key."""

_OLDEST, _NEWEST = Release(8), Release(15, 99)
_LOCALKEY_FROM = Release(10, 5, 2)


@dataclass(frozen=True, slots=True)
class Choice:
    """The way taken, what else is true of it, and why phone-facing work is held back."""

    way: str
    split: bool = False
    withheld: tuple[str, ...] = ()


def choose(jobs: tuple[Job, ...], ground: Ground) -> Choice:
    """Choose the way for the phone-facing jobs of a plan."""
    facing = [job for job in jobs if job.phone_facing]
    if not facing:
        return Choice(SERVICES_ONLY)
    others = [job for job in facing if not job.recovery]
    split = bool(others) and any(job.recovery for job in facing)
    if not serial(ground):
        return Choice(STORE_BY_STORE, split)
    return _legacy(facing, ground, split=split)


def serial(ground: Ground) -> bool:
    """Tell whether TFTP servers must be changed one at a time; true when the release is unknown."""
    hard = ground.catalogue.safety[ONE_TFTP_AT_A_TIME].hard
    release = ground.terrain.release
    return release is None or (hard is not None and hard.matches(release))


def supported(release: Release | None) -> bool:
    """Tell whether the packs know the release at all."""
    return release is None or _OLDEST.key <= release.key <= _NEWEST.key


def _legacy(facing: list[Job], ground: Ground, *, split: bool) -> Choice:
    facts = ground.terrain.facts
    signers = [job for job in facing if job.store.role is Role.FILE_SIGNER]
    alone = facts.get(Condition.SINGLE_NODE) is True or _one_tftp(ground)
    shared = any(_shared(job, ground) for job in signers)
    if (
        facts.get(Condition.ETOKEN)
        and ground.terrain.cluster
        and ground.terrain.cluster.etokens == 0
    ):
        return Choice(SPECIFIC_ORDER, split, (_TOKENS_LOST,))
    if signers and facts.get(Condition.MIXED) and facts.get(Condition.TOKENLESS):
        return _tokenless(signers, ground, split=split)
    if signers and (alone or shared):
        if facts.get(Condition.NON_SECURE):
            return Choice(ROLLBACK, split)
        if facts.get(Condition.MIXED) and facts.get(Condition.ETOKEN):
            return Choice(SPECIFIC_ORDER, split)
        return Choice(SPECIFIC_ORDER, split, (_ALONE if alone else _SHARED,))
    return Choice(SPECIFIC_ORDER, split)


def _tokenless(signers: list[Job], ground: Ground, *, split: bool) -> Choice:
    if not any(place.publisher for job in signers for place in job.places):
        return Choice(SPECIFIC_ORDER, split)
    release = ground.terrain.release
    if release is not None and release >= _LOCALKEY_FROM:
        return Choice(LOCALKEY_DETOUR, split)
    return Choice(SPECIFIC_ORDER, split, (_NO_SECOND_ANCHOR,))


def _one_tftp(ground: Ground) -> bool:
    return ground.terrain.duties_known and len(ground.terrain.tftp_servers) == 1


def _shared(job: Job, ground: Ground) -> bool:
    listed = ground.terrain.certificate(job.name, job.places[0].name)
    return bool(listed and listed.multi_server) or job.via is not None


_TOKENS_LOST = (
    "The CTL is signed by an eToken and none of the original tokens is at hand (etokens: 0). "
    "Without a token that is in the CTL the phones cannot be given a new CTL: no order of "
    "steps is safe. Find a token, or move the cluster to a tokenless CTL first."
)
_ALONE = (
    "One TFTP server signs for all phones, the release is 11.5 or older, and the security mode "
    "is not known to be non-secure: no second server can vouch and the rollback parameter must "
    "not be used in mixed mode. Answer the question on the security mode and draw the plan again."
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
