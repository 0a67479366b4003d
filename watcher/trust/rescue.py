"""What heals phones that an order has lost: R0 to R7, tried in this order (trust facts, 3.4)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from watcher.trust.change import apply, ctl_possible
from watcher.trust.names import CLUSTER, CtlKind, Kind, Service, certificate, kind_of
from watcher.trust.phone import NO_ISSUER, NO_NETWORK, NO_TUNNEL, Held, View, boot
from watcher.trust.rulebook import Severity
from watcher.trust.scenario import Action, Group, PeerKind, Step
from watcher.trust.sight import Sight
from watcher.trust.world import World


@dataclass(frozen=True, slots=True)
class Rescue:
    """One way to heal, in the words of steps and of people."""

    id: str
    action: str
    text: str


TOUCH = Rescue(
    "R7", "by_hand",
    "Delete ITL and CTL on each phone by hand. A DRS restore of the backup made before the change "
    "heals phones that never moved, and strands those that did. Open a TAC case first.",
)  # fmt: skip
_BY_HAND = {
    NO_TUNNEL: "Bring each phone into the office, where it fetches its configuration without the "
    "tunnel; then it may go back.",
    NO_NETWORK: "Let the switch port pass each phone without 802.1X, then give it a new LSC.",
    NO_ISSUER: "Give each phone a non-secure profile, a new LSC, and its profile back; the CTL "
    "must list the new CAPF certificate first.",
}  # fmt: skip


def by_hand(why: str) -> Rescue:
    """Return what is done at each phone, by what keeps it out (R7 when it is its lists)."""
    text = _BY_HAND.get(why)
    return Rescue("R8", "by_hand", text) if text else TOUCH


RESCUES: tuple[Rescue, ...] = (
    Rescue("R1", "restart", "Start or restart TVS, TFTP and CallManager everywhere, then reset."),
    Rescue("R2", "ctl_update", "Update the CTL, restart TFTP and CallManager, then reset."),
    Rescue("R3", "itl_localkey", "Sign the ITL with the other key (utils itl reset localkey), "
           "reset, wait for all, then restart TFTP and reset again."),
    Rescue("R4", "ctl_localkey", "Sign the CTL with the other key (utils ctl reset localkey), "
           "reset, wait for all, then update the CTL and reset again."),
    Rescue("R5", "itl_remotekey", "Sign the ITL with the exported ITLRecovery key (utils itl reset "
           "remotekey), reset, wait for all, then restart TFTP and reset again."),
    Rescue("R6", "upload_trust", "Upload the saved old CAPF certificate to CallManager-trust and "
           "CAPF-trust, restart CallManager, then reset."),
    Rescue("R0", "tell", "Give the new CAPF certificate to RADIUS or the VPN headend; let the "
           "switch port pass the phone (bypass) until its LSC is right."),
)  # fmt: skip


class Trials:
    """The cluster at the end of one branch after each way; tried once for all its groups."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tried: dict[str, Sight | None] = {}

    def rescue(self, group: Group, lost: Iterable[Held], why: str) -> tuple[Severity, Rescue]:
        """Return what heals all `lost` phones of a group, and how bad that makes it."""
        lost = frozenset(lost)
        for way in RESCUES:
            sight = self._after(way)
            if sight is not None and _heals(group, lost, sight.view(group)):
                return Severity.LOCKED_SERVER, way
        return Severity.LOCKED_TOUCH, by_hand(why)

    def _after(self, way: Rescue) -> Sight | None:
        """Return what phones see after a way was gone; None where it does not exist."""
        if way.id not in self._tried:
            trial = self._world.copy()
            self._tried[way.id] = Sight(trial) if _WAYS[way.id](trial) else None
        return self._tried[way.id]


def _heals(group: Group, lost: frozenset[Held], view: View) -> bool:
    """Tell whether all are in service after a reset; the second one may finish the work."""
    once = [boot(group, held, view) for held in lost]
    return all(boot(group, b.held, view).ok for b in once)


def _restart_all(world: World) -> bool:
    for service in (Service.TVS, Service.TFTP, Service.CCM):
        _do(world, Action.START, service=service)
    return True


def _update_ctl(world: World) -> bool:
    possible = world.scenario.mixed and ctl_possible(world.scenario)
    if possible:
        _do(world, Action.CTL_UPDATE)
        _restart_all(world)
    return possible


def _sign_itl(world: World) -> bool:
    exists = world.signing_key(for_ctl=False) is not None
    _do(world, Action.ITL_LOCALKEY)
    return exists


def _sign_ctl(world: World) -> bool:
    exists = world.signing_key(for_ctl=True) is not None
    tokenless = world.scenario.ctl_kind is CtlKind.TOKENLESS
    if tokenless:
        _do(world, Action.CTL_LOCALKEY)
    return tokenless and exists


def _sign_with_export(world: World) -> bool:
    if world.exported_key is None:
        return False
    _do(world, Action.ITL_REMOTEKEY)
    return True


def _upload_capf(world: World) -> bool:
    saved = world.scenario.saved
    kept = saved if saved is not None else frozenset({certificate(Kind.CAPF, CLUSTER, 0)})
    for name in kept:
        if kind_of(name) == Kind.CAPF:
            step = Step(number=0, text="", action=Action.UPLOAD_TRUST, certificate=name)
            apply(step, world)
    return _restart_all(world)


def _tell_outside(world: World) -> bool:
    asked = [p for p in world.scenario.peers if p.kind in (PeerKind.RADIUS, PeerKind.VPN)]
    for peer in asked:
        world.trusted[peer.name] |= {world.current_capf()}
    return bool(asked)


def _do(world: World, action: Action, service: Service | None = None) -> None:
    apply(Step(number=0, text="", action=action, service=service), world)


_WAYS: dict[str, Callable[[World], bool]] = {
    "R0": _tell_outside,
    "R1": _restart_all,
    "R2": _update_ctl,
    "R3": _sign_itl,
    "R4": _sign_ctl,
    "R5": _sign_with_export,
    "R6": _upload_capf,
}
