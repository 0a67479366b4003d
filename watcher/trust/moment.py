"""What a rule may look at: the cluster now, one phone group, and what changed since its reset."""

from collections.abc import Iterable
from dataclasses import dataclass

from watcher.trust.names import (
    CLUSTER,
    PHONE_FACING,
    Certificate,
    CtlKind,
    Kind,
    Service,
)
from watcher.trust.phone import Held
from watcher.trust.release import Profile
from watcher.trust.rulebook import Breach
from watcher.trust.scenario import Group, Step
from watcher.trust.world import World

Change = tuple[str, str]
"""Store and owner of a renewed certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One phone group at one step.

    `held` is everything that its phones may hold by now; `dirty` what was renewed since the last
    reset that all of them came through (trust facts, 2.7).
    """

    world: World
    group: Group
    held: frozenset[Held]
    dirty: frozenset[Change]
    step: Step

    @property
    def profile(self) -> Profile:
        """Switches of the release."""
        return self.world.scenario.profile

    @property
    def blank(self) -> bool:
        """Whether every phone of the group surely holds a blank ITL."""
        return all(held.itl is not None and held.itl.blank for held in self.held)

    def is_dirty(self, kind: str, node: str) -> bool:
        """Tell whether a node's certificate is new to some phone of the group."""
        return bool(self.dirty) and (kind, self.world.owner(kind, node)) in self.dirty

    @property
    def only_verifiers(self) -> bool:
        """Whether nothing but TVS certificates is new to it."""
        return all(kind == Kind.TVS for kind, _ in self.dirty)

    @property
    def dirty_servers(self) -> tuple[str, ...]:
        """TFTP servers of the group whose key is new to it."""
        return tuple(n for n in self.group.tftp if self.is_dirty(Kind.CALLMANAGER, n))

    @property
    def recovery_dirty(self) -> bool:
        """Whether ITLRecovery is new to it."""
        return any(kind == Kind.RECOVERY for kind, _ in self.dirty)

    @property
    def resting_verifiers(self) -> tuple[str, ...]:
        """Nodes of its CallManager group whose TVS it would know, but which is stopped."""
        if not (self.group.sbd and self.group.tvs_reachable):
            return ()
        running = self.world.scenario.running(Service.TVS)
        return tuple(
            node
            for node in self.group.cm_group
            if node in running
            and (Service.TVS, node) not in self.world.up
            and not self.is_dirty(Kind.TVS, node)
        )

    @property
    def known_verifiers(self) -> tuple[str, ...]:
        """Nodes of its CallManager group whose TVS it knows and reaches."""
        if not (self.group.sbd and self.group.tvs_reachable):
            return ()
        return tuple(
            node
            for node in self.group.cm_group
            if (Service.TVS, node) in self.world.up and not self.is_dirty(Kind.TVS, node)
        )

    @property
    def relevant(self) -> frozenset[Change]:
        """What of `dirty` is a store that phones see; CAPF is the publisher's alone."""
        return frozenset(
            (kind, owner)
            for kind, owner in self.dirty
            if kind in PHONE_FACING and (kind != Kind.CAPF or owner == CLUSTER)
        )

    @property
    def tokenless(self) -> bool:
        """Whether the CTL is signed by a server."""
        return self.world.scenario.ctl_kind is CtlKind.TOKENLESS

    def broken(self, rule: str, text: str) -> Breach:
        """Return a breach of a rule for this group at this step."""
        return Breach(rule=rule, step=self.step.number, group=self.group.name, text=text)


def listed(names: Iterable[str]) -> str:
    """Return names as a sentence lists them."""
    return ", ".join(sorted(names))


def anchors_alive(held: Held, world: World) -> frozenset[Certificate]:
    """Return the anchors of a held CTL that are still what the cluster has on disk."""
    if held.ctl is None:
        return frozenset()
    current = {
        world.current(Kind.RECOVERY, world.scenario.publisher),
        world.current(Kind.CALLMANAGER, world.scenario.publisher),
    }
    return held.ctl.anchors & current
