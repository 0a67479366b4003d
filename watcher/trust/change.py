"""What each step does to the cluster (trust facts, 2.5); phones come later, in `walk`.

`apply` returns which parts of the cluster a phone may now see differently: `(service, node)` for a
process, `CTL`, `ANYTHING`.
"""

from collections.abc import Callable, Iterable

from watcher.trust.names import (
    CLUSTER,
    PHONE_FACING,
    Certificate,
    CtlKind,
    Kind,
    Service,
    certificate,
    kind_of,
)
from watcher.trust.scenario import Action, PeerKind, Scenario, Step
from watcher.trust.world import World, load, serve_at_once

Part = tuple[str, str]
CTL: Part = ("CTL", "")
ANYTHING: Part = ("anything", "")
NONE: tuple[Part, ...] = ()


def apply(step: Step, world: World) -> tuple[Part, ...]:
    """Execute one step and return what phones may see differently."""
    return _EFFECTS[step.action](step, world)


# -- certificates


def _renew(step: Step, world: World) -> tuple[Part, ...]:
    store = step.store or ""
    nodes = (step.node,) if step.node else tuple(node.name for node in world.scenario.nodes)
    if store in world.scenario.shared or (store == Kind.RECOVERY and step.node is None):
        nodes = (step.node or world.scenario.publisher,)
    for node in nodes:
        world.renew(store, node)
    if store in world.scenario.shared:
        nodes = _all(world)
    return _spread(store, nodes, world)


def _all(world: World) -> tuple[str, ...]:
    return tuple(node.name for node in world.scenario.nodes)


def _spread(store: str, nodes: Iterable[str], world: World) -> tuple[Part, ...]:
    """Let processes that read the disk by themselves have a renewed certificate."""
    scenario, profile = world.scenario, world.scenario.profile
    touched: list[Part] = []
    if store == Kind.CALLMANAGER and profile.live_callmanager:
        touched += [_reload(world, Service.CCM, node) for node in nodes]
    if profile.services_reload:
        if store == Kind.TVS:
            touched += [_reload(world, Service.TVS, node) for node in nodes]
        if store == Kind.RECOVERY:
            touched += [_reload(world, Service.TVS, n) for n in scenario.running(Service.TVS)]
        if store == Kind.CAPF:
            touched += [_reload(world, Service.CAPF, n) for n in scenario.running(Service.CAPF)]
    if store == Kind.CAPF:
        touched += [(Service.CCM, node) for node in _all(world)]
    if store in PHONE_FACING:
        touched += _tftp_follows(world)
    return (*touched, *_tvs_follows(world))


def _tftp_follows(world: World) -> tuple[Part, ...]:
    """Let TFTP build its ITL anew where it does so by itself (U2): something in the ITL changed."""
    if not world.branch.tftp_at_once:
        return NONE
    servers = world.scenario.running(Service.TFTP)
    serve_at_once(world, servers)
    return tuple((Service.TFTP, node) for node in servers)


def _tvs_follows(world: World) -> tuple[Part, ...]:
    """Let TVS know a changed database where it does so by itself (U3)."""
    if not world.branch.tvs_at_once:
        return NONE
    return tuple(_reload(world, Service.TVS, n) for n in world.scenario.running(Service.TVS))


def _reload(world: World, service: Service, node: str) -> Part:
    if (service, node) in world.up:
        load(world, service, node)
    return (service, node)


def _upload_trust(step: Step, world: World) -> tuple[Part, ...]:
    if step.certificate is not None:
        world.uploaded |= {step.certificate}
        if kind_of(step.certificate) == Kind.CAPF and _holds_issuers(step):
            world.capf_kept |= {step.certificate}
        if kind_of(step.certificate) == PeerKind.VPN:
            world.vpn_trust |= {step.certificate}
        world.forget_known()
    # What phones trust of a VPN headend travels with their configuration file.
    travels = step.certificate is not None and kind_of(step.certificate) == PeerKind.VPN
    return (ANYTHING, *_tvs_follows(world)) if travels else _tvs_follows(world)


def _holds_issuers(step: Step) -> bool:
    """Tell whether CallManager takes LSC issuers from the trust store of a step (or none named)."""
    return step.store in (None, _CALLMANAGER_TRUST)


_CALLMANAGER_TRUST, _CAPF_TRUST = f"{Kind.CALLMANAGER}-trust", f"{Kind.CAPF}-trust"
ISSUER_STORES = (None, _CALLMANAGER_TRUST, _CAPF_TRUST)
"""A deletion from one of these goes through the cluster: the issuer is gone (S4, S22)."""


def _delete_trust(step: Step, world: World) -> tuple[Part, ...]:
    gone = frozenset({step.certificate}) if step.certificate else frozenset()
    world.uploaded -= gone
    if step.store in ISSUER_STORES:
        world.capf_kept -= gone
        world.issuers = {node: held - gone for node, held in world.issuers.items()}
    if gone and kind_of(next(iter(gone))) == PeerKind.VPN:
        world.vpn_trust -= gone
    world.forget_known()
    touched = _tvs_follows(world)
    if gone and kind_of(next(iter(gone))) == PeerKind.VPN:
        return (ANYTHING, *touched)
    return (*touched, *((Service.CCM, node) for node in _all(world)))


# -- services


def _stop(step: Step, world: World) -> tuple[Part, ...]:
    return tuple(_each(step, world, lambda service, node: world.up.discard((service, node))))


def _start(step: Step, world: World) -> tuple[Part, ...]:
    def start(service: Service, node: str) -> None:
        world.up.add((service, node))
        _started(world, service, node)

    return tuple(_each(step, world, start))


def _restart(step: Step, world: World) -> tuple[Part, ...]:
    def restart(service: Service, node: str) -> None:
        if (service, node) in world.up:
            _started(world, service, node)

    return tuple(_each(step, world, restart))


def _started(world: World, service: Service, node: str) -> None:
    load(world, service, node)
    if world.rollback:
        world.told_rollback.add((service, node))


def _each(step: Step, world: World, do: Callable[[Service, str], None]) -> list[Part]:
    """Do something to a service on the step's node, or wherever it runs."""
    service = step.service
    if service is None:
        return []
    running = world.scenario.running(service)
    touched: list[Part] = []
    for node in (step.node,) if step.node else running:
        if node in running:
            before = _seen(world, service, node)
            do(service, node)
            if _seen(world, service, node) != before:
                touched.append((service, node))
    return touched


def _seen(world: World, service: Service, node: str) -> object:
    up = (service, node) in world.up
    match service:
        case Service.TFTP:
            return up, world.tftp.get(node)
        case Service.TVS:
            return up, world.tvs.get(node)
        case Service.CCM:
            return up, world.shown.get(node), world.issuers.get(node)
    return up, world.loaded.get((service, node))


# -- lists


def _ctl_update(_step: Step, world: World) -> tuple[Part, ...]:
    if not ctl_possible(world.scenario):
        return NONE
    return _serve_ctl(world, None)


def ctl_possible(scenario: Scenario) -> bool:
    """Tell whether the CTL update is possible: a token, or the licence (S1, S14)."""
    if scenario.ctl_kind is CtlKind.ETOKEN:
        return scenario.tokens > 0 and scenario.profile.ctl_client
    return scenario.mixed and (scenario.licensed or not scenario.profile.licensed_ctl)


def _ctl_localkey(_step: Step, world: World) -> tuple[Part, ...]:
    key = world.signing_key(for_ctl=True)
    if world.scenario.ctl_kind is not CtlKind.TOKENLESS or key is None:
        return NONE
    return _serve_ctl(world, key)


def _serve_ctl(world: World, signer: Certificate | None) -> tuple[Part, ...]:
    world.ctl = world.fresh_ctl(signer)
    world.forget_known()
    return (CTL, *_tvs_follows(world))


def _itl_localkey(_step: Step, world: World) -> tuple[Part, ...]:
    key = world.signing_key(for_ctl=False)
    return _push_itl(world, key) if key is not None else NONE


def _itl_remotekey(_step: Step, world: World) -> tuple[Part, ...]:
    if world.exported_key is None or not world.scenario.profile.recovery_key:
        return NONE
    return _push_itl(world, certificate(Kind.RECOVERY, CLUSTER, world.exported_key))


def _push_itl(world: World, signer: Certificate) -> tuple[Part, ...]:
    """Give all TFTP servers the publisher's ITL under another signature (S14)."""
    servers = world.scenario.running(Service.TFTP)
    for node in servers:
        if (Service.TFTP, node) in world.up:
            blank = world.tftp[node].itl.blank
            pushed = world.fresh_itl(world.scenario.publisher, signer, blank=blank)
            world.tftp[node] = world.tftp[node]._replace(itl=pushed)
    return tuple((Service.TFTP, node) for node in servers)


def _rollback(step: Step, world: World) -> tuple[Part, ...]:
    # The parameter alone changes no file; TFTP hands out the blank list after its restart (S3).
    if not world.rollback:
        world.told_rollback.clear()
    world.rollback = step.action is Action.ROLLBACK_ON
    return NONE


# -- phones' certificates, parties outside, backups


def _tell(step: Step, world: World) -> tuple[Part, ...]:
    for peer in world.scenario.peers:
        if step.peer in (peer.name, peer.kind):
            shown = step.certificate or world.current(peer.needs, world.scenario.publisher)
            world.trusted[peer.name] |= {shown}
    return (ANYTHING,)


def _replace_headend(_step: Step, world: World) -> tuple[Part, ...]:
    generation = int(world.headend.rpartition("#")[2]) + 1
    world.headend = certificate(PeerKind.VPN, CLUSTER, generation)
    return (ANYTHING,)


def _profile(step: Step, world: World) -> tuple[Part, ...]:
    for name in step.groups:
        world.profiles[name] = step.value or world.profiles[name]
    return (ANYTHING,)


def _interaction(step: Step, world: World) -> tuple[Part, ...]:
    world.interaction_manual = step.value == "manual"
    return NONE


def _export_key(_step: Step, world: World) -> tuple[Part, ...]:
    recovery = world.current(Kind.RECOVERY, world.scenario.publisher)
    world.exported_key = int(recovery.rpartition("#")[2])
    return NONE


def _backup(_step: Step, world: World) -> tuple[Part, ...]:
    if world.backup_works():
        world.backups.append(world.snapshot())
    return NONE


def _restore(_step: Step, world: World) -> tuple[Part, ...]:
    """Bring every key and certificate back to the oldest backup; all services read it anew."""
    if not world.backups:
        return NONE
    world.generations = dict(world.backups[0].generations)
    world.capf_kept = world.backups[0].capf_kept
    world.forget_disk()
    if world.scenario.mixed:
        world.ctl = world.fresh_ctl()
    for service, node in sorted(world.up):
        load(world, service, node)
    return (ANYTHING,)


def _nothing(_step: Step, _world: World) -> tuple[Part, ...]:
    return NONE


_EFFECTS: dict[Action, Callable[[Step, World], tuple[Part, ...]]] = {
    Action.REGENERATE: _renew,
    Action.UPLOAD_SIGNED: _renew,
    Action.UPLOAD_TRUST: _upload_trust,
    Action.DELETE_TRUST: _delete_trust,
    Action.DELETE: _nothing,
    Action.STOP: _stop,
    Action.START: _start,
    Action.RESTART: _restart,
    Action.RESET: _nothing,
    Action.AUTO_RESET: _nothing,
    Action.CTL_UPDATE: _ctl_update,
    Action.CTL_LOCALKEY: _ctl_localkey,
    Action.ITL_LOCALKEY: _itl_localkey,
    Action.ITL_REMOTEKEY: _itl_remotekey,
    Action.ROLLBACK_ON: _rollback,
    Action.ROLLBACK_OFF: _rollback,
    Action.LSC_REISSUE: _nothing,
    Action.TELL: _tell,
    Action.REPLACE_HEADEND: _replace_headend,
    Action.PROFILE: _profile,
    Action.INTERACTION: _interaction,
    Action.EXPORT_KEY: _export_key,
    Action.BACKUP: _backup,
    Action.RESTORE: _restore,
    Action.VERIFY: _nothing,
}
