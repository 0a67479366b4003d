"""The rules that refuse a plan, I-2 to I-14, one function each (trust facts, 3.1).

I-1 and I-15 are not here: they are what `walk` finds when phones are reset.
"""

from collections.abc import Iterator

from watcher.trust.change import ISSUER_STORES, ctl_possible
from watcher.trust.lists import Ctl
from watcher.trust.moment import Moment, anchors_alive, listed
from watcher.trust.names import CLUSTER, PHONE_FACING, CtlKind, Kind, Service, kind_of, owner_of
from watcher.trust.rulebook import Breach
from watcher.trust.scenario import RENEWING, Action, Dot1x, PeerKind, Step
from watcher.trust.world import World

CHANGING = frozenset(Action) - {
    Action.BACKUP, Action.VERIFY, Action.TELL, Action.EXPORT_KEY, Action.INTERACTION,
    Action.RESTART, Action.RESET, Action.AUTO_RESET,
}  # fmt: skip
"""What cannot be taken back without a backup; a restart or a reset alone changes nothing."""


def after_renewal(moment: Moment) -> Iterator[Breach]:
    """Yield what a renewal breaks for one group; an eToken CTL may still mend it (I-2, I-3, I-13).

    While every phone holds a blank ITL, none of it applies (seed way 1).
    """
    if not moment.group.sbd or moment.blank or moment.profile.recovery_signs:
        return
    yield from _anchor_cover(moment)
    yield from _one_server_at_a_time(moment)
    yield from _barrier_between_stores(moment)


def _anchor_cover(moment: Moment) -> Iterator[Breach]:
    """I-2: a new key of a TFTP server needs a TVS that the phones know (S2, S4, S5)."""
    servers = moment.dirty_servers
    if servers and not moment.known_verifiers:
        yield moment.broken(
            "I-2",
            f"the key of {listed(servers)} is new to phones of {moment.group.name} and no TVS "
            "that they know and reach can vouch for it",
        )


def _one_server_at_a_time(moment: Moment) -> Iterator[Breach]:
    """I-3: two TFTP servers of one list never change between two resets (S1)."""
    servers = moment.dirty_servers
    if len(servers) > 1:
        yield moment.broken(
            "I-3",
            f"{listed(servers)} sign with new keys at the same time; phones of "
            f"{moment.group.name} have no TFTP server left whose key they know",
        )


def _barrier_between_stores(moment: Moment) -> Iterator[Breach]:
    """I-13: the next store waits for a reset, unless all of it is on one node and another serves.

    The exception is seed way 2: another TFTP server of the list and a TVS of the CallManager
    group are unchanged (S1).
    """
    stores = {kind for kind, _ in moment.relevant}
    if len(stores) < _SEVERAL or _on_one_node(moment):
        return
    yield moment.broken(
        "I-13",
        f"{listed(stores)} changed without a reset of {moment.group.name} in between",
    )


_SEVERAL = 2


def _on_one_node(moment: Moment) -> bool:
    publisher = moment.world.scenario.publisher
    nodes = {
        publisher if owner == CLUSTER and kind not in moment.world.scenario.shared else owner
        for kind, owner in moment.relevant
    }
    others = [
        node
        for node in moment.group.tftp
        if node not in nodes and not moment.is_dirty(Kind.CALLMANAGER, node)
    ]
    return len(nodes) == 1 and CLUSTER not in nodes and bool(others and moment.known_verifiers)


def recovery_alone(moment: Moment) -> Iterator[Breach]:
    """I-4: from 12.0 ITLRecovery is the anchor of all else, so nothing else changes with it."""
    if not moment.profile.recovery_signs or not moment.recovery_dirty:
        return
    nodes = {*moment.group.tftp, moment.world.scenario.publisher}
    keys = [node for node in nodes if moment.is_dirty(Kind.CALLMANAGER, node)]
    verifiers = all(moment.is_dirty(Kind.TVS, node) for node in moment.group.cm_group)
    if keys or verifiers:
        with_it = f"CallManager of {listed(keys)}" if keys else "every TVS of its group"
        yield moment.broken(
            "I-4",
            f"ITLRecovery and {with_it} are both new to phones of {moment.group.name}",
        )


def ctl_anchor_stays(moment: Moment) -> Iterator[Breach]:
    """I-5: of the two signers in the CTL that phones hold, one is still alive (S11)."""
    if not (moment.tokenless and moment.profile.second_ctl_anchor):
        return
    if any(held.ctl is not None and not anchors_alive(held, moment.world) for held in moment.held):
        yield moment.broken(
            "I-5",
            "ITLRecovery and the publisher's CallManager both changed since phones of "
            f"{moment.group.name} took their CTL: nothing in it is valid any more",
        )


def before_reset(moment: Moment) -> Iterator[Breach]:
    """Yield what a reset of a group meets too early (I-2, I-5)."""
    yield from _verifiers_know(moment)
    yield from _ctl_signer_delivered(moment)


def _verifiers_know(moment: Moment) -> Iterator[Breach]:
    """I-2, second half: a TVS that must vouch has loaded the new key (TVS restart on all nodes)."""
    profile, group = moment.profile, moment.group
    shielded = moment.world.scenario.ctl_kind is CtlKind.ETOKEN
    if profile.recovery_signs or not group.sbd or moment.blank or shielded:
        return
    for server in moment.dirty_servers:
        key = moment.world.current(Kind.CALLMANAGER, server)
        verifiers = moment.known_verifiers
        if any(key in moment.world.tvs[node].known for node in verifiers):
            continue
        if not verifiers and not moment.resting_verifiers:
            continue  # Told when the key changed.
        why = (
            f"TVS on {listed(verifiers)} was not restarted after the key of {server} changed"
            if verifiers
            else f"TVS on {listed(moment.resting_verifiers)} rests, and the key of {server} is new"
        )
        yield moment.broken("I-2", f"{why}, so nobody can vouch for it to {group.name}")


def _ctl_signer_delivered(moment: Moment) -> Iterator[Breach]:
    """I-5 below 12.0: the publisher's CallManager signs the CTL, and phones must know it first."""
    new = moment.world.ctl
    if not moment.tokenless or moment.profile.recovery_signs or new is None:
        return
    strange = [h for h in moment.held if h.ctl is not None and new.signer not in h.ctl.anchors]
    bridged = moment.group.sbd and moment.known_verifiers and not moment.blank
    if strange and (moment.profile.second_ctl_anchor or not bridged):
        yield moment.broken(
            "I-5",
            f"the CTL is signed with {new.signer}, which the CTL on phones of {moment.group.name} "
            "does not list; re-sign it with a key they know first (utils ctl reset localkey)",
        )


def ctl_is_current(world: World, step: Step) -> Iterator[Breach]:
    """I-7: what the CTL lists is what the cluster has, before phones are reset (S2, S6, S12)."""
    stale = stale_records(world, world.ctl) if world.ctl is not None else frozenset()
    if stale:
        text = f"the CTL does not list the present {listed(stale)}; update it before the reset"
        yield Breach(rule="I-7", step=step.number, group="", text=text)


def stale_records(world: World, served: Ctl) -> frozenset[str]:
    """Return the stores whose present certificate a CTL should list and does not."""
    wanted = world.fresh_ctl()
    missing = (wanted.anchors - served.anchors) | (wanted.callmanager - served.callmanager)
    return frozenset(kind_of(name) for name in missing | (wanted.capf - served.capf))


def signer_known_without_itl(moment: Moment) -> Iterator[Breach]:
    """I-6: who keeps no ITL has nobody to ask about a CTL signer (S6, S8)."""
    new = moment.world.ctl
    if moment.group.sbd or new is None:
        return
    if any(h.ctl is not None and new.signer not in h.ctl.anchors for h in moment.held):
        yield moment.broken(
            "I-6",
            f"the CTL is signed with {new.signer}; {moment.group.name} keep no ITL, hold a CTL "
            "that does not list this signer, and cannot ask TVS",
        )


def rollback_hygiene(moment: Moment, *, refused: bool) -> Iterator[Breach]:
    """I-8: when the parameter may be set, and what must happen before certificates change."""
    action, world = moment.step.action, moment.world
    if action is Action.ROLLBACK_ON:
        if world.scenario.mixed:
            yield moment.broken(
                "I-8", "the rollback parameter blanks the ITL but not the CTL: not in mixed mode"
            )
        if refused:
            yield moment.broken(
                "I-8",
                f"phones of {moment.group.name} already refuse what is served, so the blank list "
                "cannot reach them either",
            )
    renewed = action in RENEWING
    facing = renewed and moment.step.store in PHONE_FACING
    if facing and world.rollback and moment.group.sbd and not moment.blank:
        yield moment.broken(
            "I-8",
            f"{moment.step.store} changes before every phone of {moment.group.name} holds the "
            "blank list: restart TVS and TFTP, reset, wait, and only then change",
        )


def rollback_delivered(world: World, step: Step) -> Iterator[Breach]:
    """I-8: TVS and TFTP were restarted since the parameter was set, before the first renewal."""
    renewed = step.action in RENEWING
    if not world.rollback or not renewed or step.store not in PHONE_FACING:
        return
    asked = {part for part in world.up if part[0] in (Service.TVS, Service.TFTP)}
    if missing := asked - world.told_rollback:
        text = (
            f"{listed(f'{service} on {node}' for service, node in missing)} was not restarted "
            f"after the rollback parameter was set, and {step.store} changes"
        )
        yield Breach(rule="I-8", step=step.number, group="", text=text)


def issuer_kept(moment: Moment) -> Iterator[Breach]:
    """I-9: no phone may hold an LSC of the CAPF certificate that is deleted (S1, S22)."""
    step = moment.step
    if step.action is not Action.DELETE_TRUST or step.certificate is None:
        return
    if (
        step.store in ISSUER_STORES
        and kind_of(step.certificate) == Kind.CAPF
        and any(held.lsc == step.certificate for held in moment.held)
    ):
        yield moment.broken(
            "I-9", f"phones of {moment.group.name} still have LSCs issued by {step.certificate}"
        )


def admission_first(moment: Moment) -> Iterator[Breach]:
    """I-10: RADIUS and the VPN headend know the new issuer before phones show it (S12, S22)."""
    world, group = moment.world, moment.group
    if moment.step.action is not Action.LSC_REISSUE or group.name not in moment.step.groups:
        return
    asked = {PeerKind.RADIUS: group.dot1x is Dot1x.LSC, PeerKind.VPN: group.vpn}
    shown = {world.current_capf(), *(held.lsc for held in moment.held if held.lsc)}
    for peer in world.scenario.peers:
        strange = shown - world.trusted[peer.name] if asked.get(peer.kind) else set()
        if strange:
            text = f"{peer.name} does not trust {listed(strange)}, and {group.name} would show it"
            yield moment.broken("I-10", text)


def capf_can_be_checked(moment: Moment) -> Iterator[Breach]:
    """I-12: the phone knows CAPF's certificate, and CAPF runs with it (S1, S12, S15)."""
    world, group = moment.world, moment.group
    if moment.step.action is not Action.LSC_REISSUE or group.name not in moment.step.groups:
        return
    publisher = world.scenario.publisher
    new = world.current_capf()
    if world.loaded.get((Service.CAPF, publisher)) != frozenset({new}):
        yield moment.broken("I-12", "the CAPF service still works with the old certificate")
    if (Service.CAPF, publisher) not in world.up:
        yield moment.broken("I-12", "the CAPF service does not run")
    for held in moment.held:
        in_itl = held.itl is not None and new in held.itl.capf
        if not in_itl and not (held.ctl is not None and new in held.ctl.capf):
            text = f"phones of {group.name} do not hold {new} in a list yet"
            yield moment.broken("I-12", text)
            return


# -- rules of the cluster alone


def backup_exists(world: World, step: Step) -> Iterator[Breach]:
    """I-11: before the first change there is a backup of exactly this state (S1, S2)."""
    if world.snapshot() not in world.backups:
        text = "no verified backup of the present state exists before the first change"
        yield Breach(rule="I-11", step=step.number, group="", text=text)
    elif not world.backup_works():
        text = "DRS cannot work before the first change: its certificate is past its date, or old"
        yield Breach(rule="I-11", step=step.number, group="", text=text)


def waits_for_backup(world: World, step: Step) -> bool:
    """Tell whether a change may come before the backup: DRS cannot work until it is mended.

    Its own certificate is past its date. What phones do not meet may be renewed meanwhile; the
    backup is asked for at the first change after that.
    """
    quiet = step.action in RENEWING and step.store not in PHONE_FACING
    return quiet and not world.backup_was_sound and not world.backup_works()


def identity_kept(world: World, step: Step) -> Iterator[Breach]:
    """I-14: identity certificates and their trust twins are never deleted (S2, S4)."""
    if step.action is Action.DELETE:
        text = f"{step.store} is an identity certificate; renew it, never delete it"
        yield Breach(rule="I-14", step=step.number, group="", text=text)
    name = step.certificate
    if step.action is Action.DELETE_TRUST and name is not None:
        owner = owner_of(name) or world.scenario.publisher
        known = kind_of(name) in set(Kind)
        if known and name == world.current(kind_of(name), owner):
            text = f"{name} is the trust copy of a certificate in use"
            yield Breach(rule="I-14", step=step.number, group="", text=text)


def ctl_update_possible(world: World, step: Step) -> Iterator[Breach]:
    """P-7: a step that needs a token or a licence has it (S1, S14)."""
    needed = step.action is Action.CTL_UPDATE and world.scenario.mixed
    if needed and not ctl_possible(world.scenario):
        token = world.scenario.ctl_kind is CtlKind.ETOKEN
        lacking = "no token of the CTL is at hand" if token else "the licence it needs is missing"
        text = f"the CTL cannot be updated: {lacking}"
        yield Breach(rule="P-7", step=step.number, group="", text=text)


def backup_refused(world: World, step: Step) -> Iterator[Breach]:
    """I-11, I-23: a backup step while DRS holds old certificates does not make a backup (S25)."""
    if step.action is Action.BACKUP and not world.backup_works():
        text = "the backup is refused: DRF works with an old certificate, or one past its date"
        if world.backup_was_sound:
            yield Breach(rule="I-11", step=step.number, group="", text=text)
        yield Breach(rule="I-23", step=step.number, group="", text=text)
