"""What stands around the work: before the window, before the first change, and afterwards."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from watcher.inventory.schema import NodeRole, Product
from watcher.planner.jobs import Job, TrustJob
from watcher.planner.phases import (
    Obtained,
    draw_item,
    issuer_facts,
    place_facts,
    renewal_of,
    signed,
)
from watcher.planner.sketch import Ground, Sketch, Thread
from watcher.planner.terrain import EACH_NODE, OUTSIDE, Place, together
from watcher.planner.ways import serial
from watcher.rules.store import Phase, Renewal, Store, StoreKind
from watcher.rules.terms import Condition

FIND_OUT, PREPARE = "Find out", "Prepare"
"""Headings of what nobody notices."""
BEFORE_THE_WINDOW = "Before the window"
"""Heading of what takes days and touches nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Everything a plan will do."""

    services: tuple[Job, ...]
    trusts: tuple[TrustJob, ...]

    @property
    def phone_facing(self) -> bool:
        """Whether anything changes what phones trust."""
        return any(job.phone_facing for job in self.services)

    @property
    def stores(self) -> dict[str, Store]:
        """Every store that is worked on, service stores first."""
        jobs = [(job.name, job.store) for job in self.services]
        return dict(jobs + [(job.name, job.store) for job in self.trusts])

    @property
    def checks_after(self) -> tuple[str, ...]:
        """Templates of the checks that the stores ask for at the end."""
        return _once(store.checks_after for store in self.stores.values())

    @property
    def checks_before(self) -> tuple[str, ...]:
        """Templates of the checks that the stores ask for at the beginning."""
        return _once(store.checks_before for store in self.stores.values())


def _once(steps: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(step for some in steps for step in some))


def prepare(thread: Thread, work: Work, ground: Ground) -> Obtained:
    """Draw everything up to the verified backup; return where signed certificates come from."""
    thread.begin(FIND_OUT)
    thread.beside(_find_out(work))
    obtained = _signed_certificates(thread, work, ground)
    thread.begin(PREPARE)
    thread.beside(_checks(work, ground))
    thread.then(Sketch("save-certificates", EACH_NODE))
    thread.then(Sketch("backup", ground.terrain.publisher))
    thread.then(Sketch("verify-backup", ground.terrain.publisher))
    if work.phone_facing:
        thread.then(Sketch("set-phone-interaction-manual", ground.terrain.publisher))
    return obtained


def _find_out(work: Work) -> Iterable[Sketch]:
    own = [job for job in work.services if job.via is None and job.store.kind is StoreKind.SERVICE]
    for job in own:
        yield Sketch("confirm-certificate", together(job.places), store=job.name)
    for copy in work.trusts:
        for holder in copy.holders:
            yield Sketch("confirm-trust-copy", holder, store=copy.name, file=trust_file(copy))
    if work.services:
        yield Sketch("list-own-certificates", EACH_NODE)
    if work.trusts:
        yield Sketch("list-trust-certificates", EACH_NODE)
    if own:
        yield Sketch("check-issuer", EACH_NODE)


def trust_file(job: TrustJob) -> str | None:
    """Return the file name for commands: the inventory's only, never a message's (D-01)."""
    return job.finding.file if job.finding.file_in_inventory else None


def _signed_certificates(thread: Thread, work: Work, ground: Ground) -> Obtained:
    """Draw request and delivery of CA-signed certificates: days before the window."""
    obtained: Obtained = {}
    thread.begin(BEFORE_THE_WINDOW)
    for job in work.services:
        if job.via is not None or renewal_of(job, ground) is not Renewal.REGENERATE:
            continue
        for place in job.places:
            _, sure = issuer_facts(job, place, ground)
            if sure is False:
                continue
            side = Thread(thread.board, thread.block, thread.part, thread.last)
            request = Sketch(_request(job, place, ground), place, store=job.name)
            side.then(signed(request, sure=sure))
            obtain = Sketch("obtain-certificate", Place(OUTSIDE), store=job.name)
            obtained[(job.name, place)] = side.then(signed(obtain, sure=sure))
    return obtained


def _request(job: Job, place: Place, ground: Ground) -> str:
    # The CLI would make a request for one node, and that would replace the one that waits.
    shared = place_facts(job.name, place, ground).get(Condition.MULTI_SERVER)
    return "request-csr-multi-server" if shared else "request-csr"


def _checks(work: Work, ground: Ground) -> tuple[Sketch, ...]:
    publisher = ground.terrain.publisher
    wanted = ["check-replication", "check-services", "check-node-health"]
    if ground.terrain.release is None:
        wanted.insert(0, "check-release")
    if work.phone_facing:
        wanted += _phone_checks(ground)
    no_ctl = ground.terrain.facts.get(Condition.MIXED) is False
    skipped = (*_ELSEWHERE, *(_FOR_CTL if no_ctl else ()))
    wanted += [step for step in work.checks_before if step not in skipped]
    places = {"check-services": EACH_NODE, "check-node-health": EACH_NODE}
    return tuple(
        Sketch(step, places.get(step, _home(step, publisher))) for step in dict.fromkeys(wanted)
    )


_ELSEWHERE = ("check-issuer", "check-ipsec-trust", "save-certificates", "backup")
_FOR_CTL = ("check-license", "check-ctl")
_ON_TFTP = ("record-trust-lists", "check-itl-size")


def _home(step: str, publisher: Place) -> Place:
    return Place("each TFTP server") if step in _ON_TFTP else publisher


def _phone_checks(ground: Ground) -> list[str]:
    facts = ground.terrain.facts
    mixed = facts.get(Condition.MIXED)
    steps = ["check-security-mode", "check-rollback-parameter", "check-callmanager-groups"]
    if mixed is not False:
        steps += ["check-ctl", "check-license"]
    if facts.get(Condition.LSC) is not False:
        steps.append("check-lsc-use")
    steps += ["check-phone-itl", "check-itl-size", "record-baseline", "record-trust-lists"]
    return [*steps, "export-recovery-key"]


def finish(thread: Thread, work: Work, ground: Ground) -> None:
    """Draw the checks and the backup at the end, and when the alert may be closed."""
    publisher = ground.terrain.publisher
    thread.begin("Afterwards")
    wanted = ["verify-services"]
    if work.phone_facing:
        wanted.append("verify-trust-lists")
    wanted += [step for step in work.checks_after if step not in _DRAWN_BEFORE]
    thread.beside(
        Sketch(step, Place("each TFTP server") if step == "verify-trust-lists" else EACH_NODE)
        for step in dict.fromkeys(wanted)
    )
    if work.phone_facing:
        thread.then(Sketch("restore-phone-interaction", publisher))
    thread.then(Sketch("final-backup", publisher))
    thread.then(Sketch("verify-final-backup", publisher))
    thread.then(Sketch("watch-monitor", EACH_NODE))


_DRAWN_BEFORE = (
    "verify-certificate", "verify-ctl", "list-trust-leftovers", "watch-reappearance",
    "test-backup", "verify-trust-copies", "check-ipsec-trust", "verify-lsc",
)  # fmt: skip
"""Checks that stand right behind the step they check."""


def remove_copies(thread: Thread, jobs: Sequence[TrustJob], ground: Ground, work: Work) -> None:
    """Draw the removal of trust copies: last of all, after every renewal works (O19).

    All copies go in one stroke, so that services stop, restart and start once.
    """
    if not jobs:
        return
    thread.begin(f"{jobs[0].name}: old copy" if len(jobs) == 1 else "Old trust copies")
    for job in jobs:
        _make_sure(thread, job, work)
    removed = [job for job in jobs if not _own_copy(job)]
    if removed:
        _move_change_notification(thread, "stop", ground)
        _remove(thread, removed, ground)
    for name in dict.fromkeys(job.name for job in jobs):
        _follow_up(thread, [job for job in jobs if job.name == name], ground)
    if removed:
        _move_change_notification(thread, "start", ground)
    for job in removed:
        thread.then(_about("watch-reappearance", EACH_NODE, job))


def _own_copy(job: TrustJob) -> bool:
    """Tell whether the copy is one a node of the cluster keeps of itself: never deleted (I-14)."""
    return job.store.keep_own_copies and job.owner is not None


def _make_sure(thread: Thread, job: TrustJob, work: Work) -> None:
    """Draw the check that the owner has a new certificate: an unknown owner needs it most."""
    served = job.store.trust_of
    if served is None:
        return
    owner = job.owner or Place("the node that the copy belongs to, if it is a node")
    renewed = any(other.name == served and owner in other.changed for other in work.services)
    notes = ["This plan renews it above."] if renewed else []
    if _own_copy(job):
        notes.append(_NEVER_DELETED)
    note = " ".join(notes) or None
    thread.then(Sketch("confirm-owner-renewed", owner, store=served, note=note))


_NEVER_DELETED = (
    "The copy itself is never deleted: a node's own copy in this store is in use. The owner's "
    "renewal replaces it. Where the new one is missing, upload it; see the steps below."
)


def _move_change_notification(thread: Thread, verb: str, ground: Ground) -> None:
    # O18; the templates are empty, and so not drawn, on releases that do not need them.
    terrain, only_if = ground.terrain, (_STILL_OLD,)
    move = Sketch(f"{verb}-change-notification", EACH_NODE, only_if=only_if)
    thread.each(move, terrain.cucm_nodes)
    if terrain.facts.get(Condition.IM_PRESENCE) is not False:
        move = Sketch(f"{verb}-imp-services", EACH_NODE, only_if=only_if)
        thread.each(move, terrain.presence_nodes)


def _remove(thread: Thread, jobs: Sequence[TrustJob], ground: Ground) -> None:
    """Draw the deletions, publisher first for all copies (O1), then the look for leftovers."""
    places = {job: {_publisher_of(job, ground)} for job in jobs}
    if serial(ground):  # a deletion on an old release may stay on its node (C-10)
        places = {job: {*at, *job.holders} for job, at in places.items()}
    for place in ground.terrain.in_order({p for at in places.values() for p in at}):
        for job in jobs:
            if place in places[job]:
                thread.then(_about("delete-trust-copy", place, job))
    for job in jobs:
        thread.then(_about("list-trust-leftovers", EACH_NODE, job))


def _publisher_of(job: TrustJob, ground: Ground) -> Place:
    """Return where a deletion is done: the publisher of the product whose nodes hold the copy."""
    holders = [place.node for place in job.holders if place.node]
    if holders and all(node.product is Product.IM_PRESENCE for node in holders):
        nodes = ground.terrain.presence_nodes
        return next((p for p in nodes if p.node and p.node.role is NodeRole.PUBLISHER), nodes[0])
    return ground.terrain.publisher


def _follow_up(thread: Thread, jobs: Sequence[TrustJob], ground: Ground) -> None:
    """Draw what a store's procedure asks for after its copies changed, once for all of them."""
    held = {place for job in jobs for place in (_publisher_of(job, ground), *job.holders)}
    changed = ground.terrain.in_order(held)
    as_job = Job(
        name=jobs[0].name, store=jobs[0].store, places=changed, changed=changed,
        findings=tuple(job.finding for job in jobs),
    )  # fmt: skip
    only_if = () if any(_own_copy(job) for job in jobs) else (_STILL_OLD,)
    if any(_own_copy(job) for job in jobs):
        thread.then(Sketch("check-ipsec-trust", EACH_NODE, store=jobs[0].name))
    for item in jobs[0].store.procedure:
        if item.phase is not Phase.RENEW:
            draw_item(thread, item, as_job, ground, {}, only_if=only_if)


_STILL_OLD = "the checks above found the old entry still in the trust store"
"""A renewed self-signed certificate takes the place of the old one under the same name: then the
alarm is cured, and deleting by name would hit the new one."""


def _about(template: str, place: Place, job: TrustJob) -> Sketch:
    return Sketch(template, place, store=job.name, file=trust_file(job), only_if=(_STILL_OLD,))
