"""Walk one branch: every step, every reboot that may happen, every rule (trust facts, 3.6).

For each phone group the set of all it may hold is kept. After every step the adversary may reboot
any phone; a reset with a wait reboots all of them, and all must come through.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from watcher.trust import hard
from watcher.trust.branch import Branch
from watcher.trust.change import ANYTHING, CTL, Part, apply
from watcher.trust.crowd import Crowd, Status, gather, with_lsc, worst
from watcher.trust.lists import Lists
from watcher.trust.moment import Change, Moment
from watcher.trust.names import (
    BACKING_UP,
    PHONE_FACING,
    CtlKind,
    Service,
)
from watcher.trust.phone import Boot, Held, View, boot, registers
from watcher.trust.rulebook import Breach
from watcher.trust.scenario import RENEWING, Action, Group, Scenario, Step
from watcher.trust.sight import Sight
from watcher.trust.world import World, begin


class Reboots(NamedTuple):
    """Where any number of reboots can lead phones that see the same: all they may then hold."""

    held: frozenset[Held]
    status: Status
    asked: frozenset[str]


@dataclass(slots=True)
class Memory:
    """What was thought through already, whichever branch and step asked first.

    A reset depends on the group, on what its phones hold and on what they see, so each such
    question is answered once. Views that are equal are kept as one, as lists are, so that they are
    compared by reference.
    """

    boots: dict[tuple[int, Held, int], Boot] = field(default_factory=dict)
    reboots: dict[tuple[int, frozenset[Held], int], Reboots] = field(default_factory=dict)
    views: dict[View, View] = field(default_factory=dict)
    lists: Lists = field(default_factory=Lists)


@dataclass(slots=True)
class Walk:
    """One branch, step by step."""

    scenario: Scenario
    branch: Branch
    memory: Memory
    world: World
    crowds: list[Crowd]
    changes: list[tuple[Change, int]] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    changed: bool = False
    backups_work: bool = True
    dirty: dict[tuple[int, int], frozenset[Change]] = field(default_factory=dict)
    """Changes from one count of them to another: many groups ask for the same."""
    sight: Sight = field(init=False)

    def __post_init__(self) -> None:
        """Look at the cluster as it is now."""
        self.sight = Sight(self.world)
        for crowd in self.crowds:
            crowd.view = None

    def go(self) -> None:
        """Walk the whole order."""
        self.begin()
        for step in self.scenario.steps:
            self.take(step)
        for crowd in self.crowds:
            self.breaches += crowd.pending

    def execute(self) -> None:
        """Execute the order without phones: only the cluster at its end is wanted."""
        for step in self.scenario.steps:
            self._change(step)

    def begin(self) -> None:
        """Let phones reboot before the first step."""
        for crowd in self.crowds:
            self._reboot_any(crowd, 0)

    def take(self, step: Step) -> None:
        """Take one step."""
        self._before(step)
        self._after(step, self._change(step))
        self._look_at_backups(step)

    def _change(self, step: Step) -> frozenset[Part]:
        """Change the cluster and return what phones then see differently."""
        seen = self.sight.forget(apply(step, self.world))
        for crowd in self.crowds if seen else ():
            if ANYTHING in seen or not crowd.parts.isdisjoint(seen):
                crowd.view = None
        return seen

    def _look_at_backups(self, step: Step) -> None:
        """Note from which step on DRS cannot work (I-23)."""
        if step.action not in RENEWING and step.service not in BACKING_UP:
            return
        works = self.world.backup_works()
        if self.backups_work and not works:
            text = "no backup can be made until DRF is restarted"
            self.breaches.append(Breach(rule="I-23", step=step.number, group="", text=text))
        self.backups_work = works

    @property
    def present(self) -> list[Crowd]:
        """Groups that take part; those that are off are only started at the end (2.1)."""
        return [crowd for crowd in self.crowds if crowd.group.online]

    # -- one step

    def _before(self, step: Step) -> None:
        changing = step.action in hard.CHANGING and not self.changed
        if changing and not hard.waits_for_backup(self.world, step):
            self.changed = True
            self.breaches += hard.backup_exists(self.world, step)
        for rule in _ASKED_OF_CLUSTER:
            self.breaches += rule(self.world, step)
        renewed = step.action in RENEWING
        if step.action in _ASKED_OF_GROUPS or (renewed and self.world.rollback):
            for crowd in self.crowds:
                moment = self.moment(crowd, step)
                self.breaches += hard.issuer_kept(moment)
                if not crowd.group.online:
                    continue
                refused = not crowd.history[-1][1].accepted
                self.breaches += hard.rollback_hygiene(moment, refused=refused)
                self.breaches += hard.admission_first(moment)
                self.breaches += hard.capf_can_be_checked(moment)

    def _after(self, step: Step, seen: frozenset[Part]) -> None:
        if step.action in RENEWING:
            self._note_change(step)
        elif step.action is Action.LSC_REISSUE:
            self._reissue(step)
        elif step.action is Action.RESET:
            self._reset(step)
            return
        if CTL in seen:
            self._ctl_changed(step)
        reissued = step.action is Action.LSC_REISSUE
        for crowd in self.present if seen or reissued else ():
            if crowd.view is None or reissued:
                self._reboot_any(crowd, step.number)

    def _note_change(self, step: Step) -> None:
        store = step.store or ""
        if store not in PHONE_FACING:
            return
        nodes = (step.node,) if step.node else tuple(n.name for n in self.scenario.nodes)
        owners = dict.fromkeys(self.world.owner(store, node) for node in nodes)
        self.changes += [((store, owner), step.number) for owner in owners]
        tokens = self.scenario.ctl_kind is CtlKind.ETOKEN and self.scenario.tokens > 0
        shown = self.world.ctl is not None and not hard.stale_records(self.world, self.world.ctl)
        for crowd in self.present:
            moment = self.moment(crowd, step)
            if moment.only_verifiers:
                continue  # Every rule below is about a signer, or about two stores.
            found = list(hard.after_renewal(moment))
            # Who holds no CTL is not shielded by the tokens in it.
            if not (tokens and all(held.ctl is not None for held in crowd.held)):
                self.breaches += found
            elif not shown:
                crowd.pending += found
            self.breaches += hard.recovery_alone(moment)
            self.breaches += hard.ctl_anchor_stays(moment)

    def _ctl_changed(self, step: Step) -> None:
        if step.action is Action.CTL_UPDATE and self.scenario.ctl_kind is CtlKind.ETOKEN:
            for crowd in self.crowds:
                crowd.pending.clear()
        for crowd in self.present:
            self.breaches += hard.signer_known_without_itl(self.moment(crowd, step))

    def _reset(self, step: Step) -> None:
        """Reset all phones and wait: the barrier. Everyone must come through (I-1)."""
        self.breaches += hard.ctl_is_current(self.world, step)
        for crowd in self.present:
            if step.groups and crowd.group.name not in step.groups:
                continue
            self.breaches += hard.before_reset(self.moment(crowd, step))
            self.breaches += crowd.pending
            crowd.pending.clear()
            view = self.look(crowd)
            boots = [self.boot(crowd, held, view) for held in crowd.held]
            crowd.held = frozenset(b.held for b in boots)
            lost = min((b for b in boots if not b.accepted), key=lambda b: b.why, default=None)
            if lost is None:
                crowd.clean_since = len(self.changes)
            else:
                self._lost(crowd, step.number, lost.why)
            self._reboot_any(crowd, step.number)

    def _lost(self, crowd: Crowd, step: int, why: str) -> None:
        text = f"some phones of {crowd.group.name} do not come through the reset: {why}"
        name = crowd.group.name
        self.breaches.append(Breach(rule="I-1", step=step, group=name, text=text))

    def _reissue(self, step: Step) -> None:
        """Give phones an LSC of the present CAPF certificate, where CAPF and phone agree."""
        publisher = self.scenario.publisher
        if (Service.CAPF, publisher) not in self.world.up:
            return
        (new,) = self.world.loaded[Service.CAPF, publisher]
        for crowd in self.present:
            if crowd.group.name in step.groups:
                crowd.held = frozenset(with_lsc(crowd.group, h, new) for h in crowd.held)

    # -- phones

    def moment(self, crowd: Crowd, step: Step) -> Moment:
        """Return what rules look at."""
        since = (crowd.clean_since, len(self.changes))
        dirty = self.dirty.get(since)
        if dirty is None:
            found = (change for change, _ in self.changes[crowd.clean_since :])
            dirty = self.dirty[since] = frozenset(found)
        return Moment(world=self.world, group=crowd.group, held=crowd.held, dirty=dirty, step=step)

    def _reboot_any(self, crowd: Crowd, step: int) -> None:
        """Let the adversary reboot any phone, any number of times; keep the worst of it."""
        view = self.look(crowd)
        if crowd.settled is not None:
            seen, held = crowd.settled
            if seen is view and (held is crowd.held or held == crowd.held):
                return
        key = (id(crowd.group), crowd.held, id(view))
        found = self.memory.reboots.get(key)
        if found is None:
            found = self.memory.reboots[key] = self._reboots(crowd, view)
        self.asked |= found.asked
        crowd.held = found.held
        crowd.settled = (view, found.held)
        if not crowd.history or crowd.history[-1][1] != found.status:
            crowd.history.append((step, found.status))

    def _reboots(self, crowd: Crowd, view: View) -> Reboots:
        known: dict[Held, Boot] = {}
        waiting = list(crowd.held)
        while waiting:
            held = waiting.pop()
            if held in known:
                continue
            known[held] = found = self.boot(crowd, held, view)
            waiting.append(found.held)
        registered = [registers(held, view) for held in known]
        status = worst(known.values(), (ok for ok, _ in registered))
        asked = set().union(*(found.asked for found in known.values()))
        asked |= set().union(*(question for _, question in registered))
        return Reboots(frozenset(known), status, frozenset(asked))

    def look(self, crowd: Crowd) -> View:
        """Return what phones of a group see now."""
        if crowd.view is None:
            view = self.sight.view(crowd.group)
            crowd.view = self.memory.views.setdefault(view, view)
        return crowd.view

    def boot(self, crowd: Crowd, held: Held, view: View | None = None) -> Boot:
        """Return how a reset goes now for a phone that holds this (and sees `view`)."""
        view = view or self.look(crowd)
        key = (id(crowd.group), held, id(view))
        found = self.memory.boots.get(key)
        if found is None:
            found = self.memory.boots[key] = boot(crowd.group, held, view)
        if found.asked:
            self.asked |= found.asked
        return found

    def ends(self, crowd: Crowd) -> Iterator[Boot]:
        """Yield how a reset at the end goes for everything that phones of a group may hold."""
        view = self.look(crowd)
        for held in crowd.held:
            yield self.boot(crowd, held, view)

    def shadow(self, crowd: Crowd) -> Boot:
        """Return how a phone ends that was off for the whole plan and boots at the end."""
        return self.boot(crowd, crowd.first, self.look(crowd))


_ASKED_OF_CLUSTER = (
    hard.identity_kept, hard.ctl_update_possible, hard.backup_refused, hard.rollback_delivered,
)  # fmt: skip
_ASKED_OF_GROUPS = frozenset((Action.ROLLBACK_ON, Action.DELETE_TRUST, Action.LSC_REISSUE))
"""Steps before which groups are asked; renewals only while the rollback parameter is on."""


def start(scenario: Scenario, branch: Branch, memory: Memory, groups: Iterable[Group]) -> Walk:
    """Return a walk at its beginning: phones hold the lists they have now."""
    world = begin(scenario, branch, memory.lists)
    return Walk(scenario, branch, memory, world, [gather(group, world) for group in groups])
