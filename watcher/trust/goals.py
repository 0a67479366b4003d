"""What must hold at the end: L-2 to L-10, I-8's second half (trust facts, 3.5).

Debts that phones do not feel (a restart, a backup, a party to be told) are told, not refused.
"""

from collections.abc import Iterator

from watcher.trust.crowd import Crowd
from watcher.trust.names import Certificate, Kind, Service, kind_of, owner_of
from watcher.trust.rulebook import Breach
from watcher.trust.walk import Walk
from watcher.trust.world import Tvs, World

END = 0
"""Step of a breach that is about the end of the order."""


def at_end(walk: Walk) -> Iterator[Breach]:
    """Yield the rules that the end state breaks, phones' trust aside (that is I-1 and I-15)."""
    last = walk.scenario.steps[-1].number if walk.scenario.steps else END
    yield from (Breach(rule=rule, step=last, group="", text=text) for rule, text in _left(walk))
    yield from (Breach(rule=r, step=last, group=g, text=t) for r, g, t in _of_groups(walk))


def _left(walk: Walk) -> Iterator[tuple[str, str]]:
    world, scenario = walk.world, walk.scenario
    if world.rollback:
        yield "I-8", "the rollback parameter is still on"
    elif any(files.itl.blank for files in world.tftp.values()):
        yield "I-8", "a TFTP server still hands out a blank ITL: restart it"
    for node in scenario.nodes:
        for service in sorted(node.services):
            if (service, node.name) not in world.up:
                yield "L-5", f"{service} on {node.name} is still stopped"
    if world.ctl is not None and walk.changes and world.ctl is not world.fresh_ctl():
        yield "I-7", "the CTL is not the one that the present certificates make"


def _of_groups(walk: Walk) -> Iterator[tuple[str, str, str]]:
    for crowd in walk.present:
        name = crowd.group.name
        if walk.world.rollback is False and any(h.itl and h.itl.blank for h in crowd.held):
            yield "I-8", name, f"phones of {name} may still hold a blank ITL"
        elif not _holds_present_lists(walk, crowd):
            yield "L-2", name, f"some phones of {name} do not hold the present lists at the end"


def _holds_present_lists(walk: Walk, crowd: Crowd) -> bool:
    """Tell whether no phone would change a list on a reset; a refused one is I-1's matter."""
    if not walk.look(crowd).server:
        return True
    return all(
        not boot.accepted or (boot.held.itl, boot.held.ctl) == (held.itl, held.ctl)
        for held, boot in zip(crowd.held, walk.ends(crowd), strict=True)
    )


def unpaid(walk: Walk) -> Iterator[tuple[str, str]]:
    """Yield the debts left at the end: rule id and words (L-1, L-3, L-6 to L-8, L-10)."""
    world, scenario = walk.world, walk.scenario
    for service, node in sorted(world.up):
        old = _old(world, service, node)
        if old:
            yield "L-3", f"{service} on {node} still works with {old}: restart it"
    yield from _past_date(walk)
    if walk.changes or walk.changed:
        yield from _paper(walk)
    for peer in scenario.peers:
        shown = world.current(peer.needs, scenario.publisher)
        if shown not in world.trusted[peer.name]:
            yield "L-7", f"{peer.name} does not trust {shown}"


def _past_date(walk: Walk) -> Iterator[tuple[str, str]]:
    for name in sorted(walk.scenario.expired):
        if kind_of(name) in set(Kind) and _still_current(walk.world, name):
            yield "L-1", f"{name} is past its date and was not renewed"
    for crowd in walk.crowds:
        if any(held.lsc and not held.lsc_valid for held in crowd.held):
            yield "L-6", f"{crowd.group.name}: LSCs of an expired issuer"


def _still_current(world: World, name: Certificate) -> bool:
    owner = owner_of(name) or world.scenario.publisher
    return world.current(kind_of(name), owner) == name


def _paper(walk: Walk) -> Iterator[tuple[str, str]]:
    world, scenario = walk.world, walk.scenario
    if world.snapshot() not in world.backups:
        yield "L-8", "no backup holds the end state"
    if not world.backup_works():
        yield "L-8", "DRS cannot make a backup: DRF works with an old certificate"
    if world.interaction_manual != scenario.interaction_manual:
        yield "L-5", "Phone Interaction on Certificate Update is not as before"
    recovery = world.current(Kind.RECOVERY, scenario.publisher)
    exported = recovery.endswith(f"#{world.exported_key}")
    if scenario.profile.recovery_signs and not exported:
        yield "L-10", f"{recovery} is not exported"


def _old(world: World, service: Service, node: str) -> Certificate | None:
    """Return the certificate that a process still holds though another one is on disk."""
    match service:
        case Service.TFTP:
            files = world.tftp[node]
            needed = world.scenario.profile.tftp_restart
            stale = needed and files.itl is not world.fresh_itl(node)
            return files.itl.signer if stale else None
        case Service.TVS:
            fresh = Tvs(world.current(Kind.TVS, node), world.known)
            return world.tvs[node].own if world.tvs[node].own != fresh.own else None
        case Service.CCM:
            shown = world.shown[node]
            return shown if shown != world.current(Kind.CALLMANAGER, node) else None
        case Service.CAPF:
            wanted = frozenset({world.current_capf()})
        case Service.TOMCAT:
            wanted = frozenset({world.current(Kind.TOMCAT, node)})
        case Service.DRF_CENTRAL | Service.DRF_LOCAL:
            wanted = world.backup_certificates(node)
    return next(iter(sorted(world.loaded[(service, node)] - wanted)), None)
