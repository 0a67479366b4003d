"""From alarms to change plans: one plan for all certificates due in a cluster."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from watcher.inventory.schema import Inventory, Product
from watcher.model.alarm import CertificateAlarm, Event, UcAlarm
from watcher.model.plan import ChangePlan, Evidence, Finding, Step
from watcher.planner.assemble import Drawn, assemble
from watcher.planner.course import second_part, walk
from watcher.planner.fill import fill
from watcher.planner.findings import Sighting, fold, gather, severe_topics
from watcher.planner.frame import FIND_OUT, Work, finish, prepare, remove_copies
from watcher.planner.jobs import Job, service_jobs, trust_jobs
from watcher.planner.order import arrange
from watcher.planner.phases import draw
from watcher.planner.sketch import Board, Ground, Thread
from watcher.planner.terrain import survey
from watcher.planner.ways import Choice, options, supported
from watcher.rules.catalogue import Catalogue
from watcher.rules.store import StoreKind


def newest_event(events: Iterable[Event]) -> datetime | None:
    """Return the time of the newest event: the default for "as of", the same on every machine."""
    return max(
        (
            time
            for event in events
            if isinstance(event, CertificateAlarm | UcAlarm)
            and (time := event.record.event_time) is not None
        ),
        default=None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is to be done in one cluster, and the ways to do it; a way is drawn when asked for.

    `ways` has the cheapest expected first. `withheld` says what no way can heal: then phone-facing
    work is drawn in none. `reasons` say why the ways are not safe unless proven.
    """

    cluster: str | None
    ways: tuple[str, ...]
    withheld: tuple[str, ...]
    reasons: tuple[str, ...]
    _task: "_Task"

    def draw(self, way: str) -> ChangePlan:
        """Return the plan by one of the ways."""
        return self._task.draw(way, self.withheld)

    @property
    def in_two_parts(self) -> bool:
        """Whether the recovery certificate is due besides others, in a part of its own."""
        return self._task.split

    def draw_first_part(self, way: str, *found: str) -> ChangePlan:
        """Return the plan by one of the ways without the recovery certificate.

        `found` is what happens in the order that includes it; the plan repeats it.
        """
        plan = self._task.first_part().draw(way, self.withheld)
        told = tuple(f"In the order that includes it, which is not shown: {line}" for line in found)
        return replace(plan, withheld=(*plan.withheld, *self._task.left_out(), *told))

    def withhold(self, *why: str) -> ChangePlan:
        """Return the plan without what phones trust, for these reasons besides `withheld`."""
        withheld = tuple(dict.fromkeys((*self.withheld, *why)))
        return self._task.draw(self.ways[0], withheld)

    def cautious(self) -> ChangePlan:
        """Return the plan for those who prove nothing."""
        return self.withhold(*self.reasons) if self.reasons else self.draw(self.ways[0])


def sketch_plans(
    events: Sequence[Event], inventory: Inventory | None, catalogue: Catalogue,
    as_of: datetime | None,
) -> tuple[Draft, ...]:  # fmt: skip
    """Return one draft for each cluster with a certificate alarm, by name; unknown cluster last."""
    alarms = [event for event in events if isinstance(event, CertificateAlarm)]
    others = severe_topics(event for event in events if isinstance(event, UcAlarm))
    sightings, evidence = gather(alarms, inventory, catalogue)
    groups: dict[str, list[Sighting]] = {}
    for sighting in sightings:
        groups.setdefault(sighting.cluster.name if sighting.cluster else "", []).append(sighting)
    drafts = []
    for name in sorted(groups, key=lambda name: (not name, name.lower())):
        ground = Ground(catalogue, survey(groups[name][0].cluster))
        heard = _Heard(tuple(evidence), tuple(others), as_of)
        drafts.append(_sketch(fold(groups[name], as_of), ground, heard))
    return tuple(drafts)


def draw_plans(
    events: Sequence[Event], inventory: Inventory | None, catalogue: Catalogue,
    as_of: datetime | None,
) -> tuple[ChangePlan, ...]:  # fmt: skip
    """Return one plan for each cluster with a certificate alarm, by the way that needs no proof."""
    drafts = sketch_plans(events, inventory, catalogue, as_of)
    return tuple(draft.cautious() for draft in drafts)


@dataclass(frozen=True, slots=True)
class _Heard:
    """What a plan repeats of the messages, and as of when it speaks."""

    evidence: tuple[Evidence, ...]
    others: tuple[UcAlarm, ...]
    as_of: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """Everything that a plan is drawn from, except the way."""

    findings: tuple[Finding, ...]
    refused: tuple[str, ...]
    work: Work
    split: bool
    ground: Ground
    heard: _Heard

    def draw(self, way: str, withheld: tuple[str, ...]) -> ChangePlan:
        """Return the plan by a way, without phone-facing work if it is withheld."""
        choice = Choice(way, self.split, withheld)
        drawn = Drawn(
            findings=self.findings, work=self.work, choice=choice,
            refused=(*self.refused, *_waiting(self.work, choice)),
            steps=_steps(_without_withheld(self.work, choice), choice, self.ground),
        )  # fmt: skip
        heard = self.heard
        return assemble(drawn, self.ground, heard.evidence, heard.others, heard.as_of)

    def left_out(self) -> tuple[str, ...]:
        """Return in words what the first part leaves out."""
        return tuple(
            f"The {job.name} certificate is not planned: no order of steps was found that keeps "
            "every phone when it changes. The other work is planned below, and does not need it."
            for job in self.work.services
            if job.recovery
        )

    def first_part(self) -> "_Task":
        """Return the task without the recovery certificate."""
        kept = tuple(job for job in self.work.services if not job.recovery)
        return replace(self, work=replace(self.work, services=kept), split=False)


def _sketch(findings: tuple[Finding, ...], ground: Ground, heard: _Heard) -> Draft:
    planned, refused = _plannable(findings, ground)
    work = Work(services=service_jobs(planned, ground), trusts=trust_jobs(planned, ground))
    found = options(work.services, ground, work.trusts)
    cluster = ground.terrain.cluster
    task = _Task(
        findings=findings, refused=refused, work=work, split=found.split, ground=ground,
        heard=heard,
    )  # fmt: skip
    return Draft(
        cluster=cluster.name if cluster else None, ways=found.ways, withheld=found.withheld,
        reasons=found.reasons, _task=task,
    )  # fmt: skip


def _plannable(
    findings: tuple[Finding, ...], ground: Ground
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Return the findings the rules can plan, and in words why not the others (T-33)."""
    reasons = {finding: _why_not(finding, ground) for finding in findings}
    planned = tuple(finding for finding, why in reasons.items() if why is None)
    refused = tuple(f"{finding.id}: {why}" for finding, why in reasons.items() if why is not None)
    return planned, refused


def _why_not(finding: Finding, ground: Ground) -> str | None:
    unclear = _unclear(finding)
    if unclear is not None:
        return unclear
    terrain, store = ground.terrain, ground.catalogue.store(finding.store)
    release = terrain.release
    if not supported(release):
        return f"release {release} is outside what the rules cover (8.0 to 15)."
    if release is not None and not store.releases.matches(release):
        return f"by the rules {finding.store} does not exist on release {release}."
    if finding.trust != (store.kind is StoreKind.TRUST):
        return "the store's name and its kind contradict each other; read the evidence."
    product = _product(finding, ground)
    if product not in (None, Product.CUCM, Product.IM_PRESENCE):
        return f"{finding.node} runs {product}; the rules hold no reviewed procedure for it."
    return None


def _unclear(finding: Finding) -> str | None:
    """Return why an alarm does not name a certificate that can be planned for."""
    if finding.about and not (finding.store_known and finding.revoked):
        return finding.about
    if finding.store_cut:
        return (
            f"the alarm is cut inside the store's name: it may be {finding.store} or "
            f"{finding.store}-trust. List both on the node (show cert list own, show cert list "
            "trust), and put what you find into the inventory."
        )
    if not finding.store_known:
        return "the store is not in the rules; handle it by hand with Cisco's document for it."
    return None


def _product(finding: Finding, ground: Ground) -> Product | None:
    place = ground.terrain.named(finding.node)
    return place.node.product if place and place.node else None


def _waiting(work: Work, choice: Choice) -> tuple[str, ...]:
    """Return in words which certificates are withheld only because another store reuses them."""
    reused = _reused(work) if choice.withheld else {}
    return tuple(
        f"{finding.id}: the {job.name} certificate serves as {reused[job.name]} too, which phones "
        "trust, so that it waits for what is withheld."
        for job in work.services
        if job.name in reused and not job.phone_facing
        for finding in job.findings
    )


def _reused(work: Work) -> dict[str, str]:
    return {job.via: job.name for job in work.services if job.phone_facing and job.via}


def _without_withheld(work: Work, choice: Choice) -> Work:
    if not choice.withheld:
        return work
    # A certificate that a withheld store reuses is itself what phones trust.
    reused = _reused(work)
    return Work(
        services=tuple(
            job for job in work.services if not job.phone_facing and job.name not in reused
        ),
        trusts=tuple(copy for copy in work.trusts if not copy.phone_facing),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """Service jobs by when they are done."""

    quiet: tuple[Job, ...]
    first: tuple[Job, ...]
    later: tuple[Job, ...]


def _parts(work: Work, choice: Choice) -> _Parts:
    facing = [job for job in work.services if job.phone_facing]
    return _Parts(
        quiet=tuple(job for job in work.services if not job.phone_facing),
        first=tuple(job for job in facing if not (choice.split and job.recovery)),
        later=tuple(job for job in facing if choice.split and job.recovery),
    )


def _steps(work: Work, choice: Choice, ground: Ground) -> tuple[Step, ...]:
    if not work.services and not work.trusts:
        return ()
    board, parts = Board(), _parts(work, choice)
    thread = Thread(board, FIND_OUT)
    obtained = prepare(thread, work, ground)
    for job in parts.quiet:
        thread.begin(job.name)
        draw(thread, job, ground, obtained)
    if parts.first:
        walk(thread, parts.first, choice, ground, obtained)
    if parts.later:
        second_part(thread, parts.later, ground, obtained)
    remove_copies(thread, work.trusts, ground, work)
    finish(thread, work, ground)
    return arrange(board.sketches, [fill(sketch, ground) for sketch in board.sketches])


def refused(plan: ChangePlan, reasons: tuple[str, ...]) -> ChangePlan:
    """Return a plan without its steps, because a check found them unsafe."""
    return replace(
        plan,
        summary=(*plan.summary[:2], *REFUSED),
        withheld=(*REFUSED, *plan.withheld, *reasons),
        steps=(), minutes=0, point_of_no_return=None, way_lines=(), preconditions=(),
        back_out=(),
    )  # fmt: skip


REFUSED = (
    (
        "The steps that were drawn do not pass the independent check of the safety rules, so none "
        "is printed. This is a fault of watcher: please report it with the alarm and the "
        "inventory, and plan this change by hand."
    ),
)
"""What a refused plan says instead of its steps."""
