"""A phone group while a branch is walked: all that its phones may hold, and the worst of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from watcher.trust.change import CTL, Part
from watcher.trust.lists import NOTHING, Itl, blank_itl
from watcher.trust.names import Certificate, Kind, Service, certificate
from watcher.trust.phone import NO_SERVER, Boot, Held, View
from watcher.trust.rulebook import Breach
from watcher.trust.scenario import CapfAuth, Group, HeldItl
from watcher.trust.world import World


@dataclass(frozen=True, slots=True)
class Status:
    """A group after a step: the worst of its phones.

    `ways` are those in which the worst phone could authenticate what is served now; `accepted`
    tells whether every phone would be if it were reset now, `registered` whether all are in
    service without a reset.
    """

    accepted: bool
    registered: bool
    ways: frozenset[str]
    why: str = ""


History = Sequence[tuple[int, Status]]
"""States of a group, each with the step after which it began; 0 is the start."""


@dataclass(slots=True)
class Crowd:
    """A phone group while a branch is walked."""

    group: Group
    held: frozenset[Held]
    first: Held
    """What its phones held before the plan: the shadow of those that are off (2.1)."""
    clean_since: int = 0
    pending: list[Breach] = field(default_factory=list)
    """Breaches that an eToken CTL still mends if it comes before the next reset."""
    history: list[tuple[int, Status]] = field(default_factory=list)
    parts: frozenset[Part] = frozenset()
    view: View | None = None
    """What its phones see; None: it changed, and they have to look."""
    settled: tuple[View, frozenset[Held]] | None = None
    """What they saw and may hold when any number of reboots was last gone through."""


def gather(group: Group, world: World) -> Crowd:
    """Return a group at the beginning: its phones hold the lists they have now."""
    first = _first(group, world)
    return Crowd(group, frozenset({first}), first, parts=frozenset(_parts(group)))


def _first(group: Group, world: World) -> Held:
    listed: Itl | None = None
    if group.sbd and isinstance(group.held_itl, HeldItl):
        listed = _odd_itl(group.held_itl, world, group)
    elif group.sbd:
        listed = world.tftp[group.held_itl].itl
    return Held(
        itl=listed,
        ctl=world.ctl if group.held_ctl else None,
        cm_group=group.cm_group,
        mode=group.mode,
        lsc=group.lsc,
        lsc_valid=not group.lsc_expired and group.lsc not in world.scenario.expired,
        vpn_trust=world.vpn_trust if group.vpn else NOTHING,
    )


def _odd_itl(kind: HeldItl, world: World, group: Group) -> Itl | None:
    stranger = certificate("stranger", group.name, 0)
    match kind:
        case HeldItl.NONE:
            return None
        case HeldItl.BLANK:
            return world.lists.itl(blank_itl(world.current(Kind.CALLMANAGER, group.tftp[0])))
        case HeldItl.MISMATCH:
            only = frozenset({stranger})
            return world.lists.itl(Itl(stranger, only, only, only, NOTHING))


def _parts(group: Group) -> Iterator[Part]:
    """Yield the parts of the cluster that phones of a group see."""
    yield CTL
    yield from ((Service.TFTP, node) for node in group.tftp)
    for node in group.cm_group:
        yield (Service.TVS, node)
        yield (Service.CCM, node)


def with_lsc(group: Group, held: Held, new: Certificate) -> Held:
    """Return a phone after its LSC was issued anew, or as it was where CAPF cannot (2.5)."""
    in_itl = held.itl is not None and new in held.itl.capf
    in_ctl = held.ctl is not None and new in held.ctl.capf
    proves = group.capf_auth is not CapfAuth.EXISTING or held.lsc_valid or group.mic
    if not (in_itl or in_ctl) or not proves:
        return held
    return held._replace(lsc=new, lsc_valid=True)


def worst(boots: Iterable[Boot], registered: Iterable[bool]) -> Status:
    """Return the state of a group from all that its phones may hold."""
    boots = list(boots)
    # What is held has no order of its own: the words must not hang on one.
    whys = sorted(boot.why for boot in boots if not boot.accepted)
    fewest = min(boots, key=lambda b: (len(b.anchors), sorted(b.anchors)))
    return Status(
        accepted=not whys,
        registered=all(registered),
        ways=fewest.anchors,
        why=next((why for why in whys if why != NO_SERVER), "".join(whys[:1])),
    )
