"""The cluster while a plan is executed: certificates on disk, what processes hold, lists served.

Mutable, because each branch of a proof walks its own copy; what phones see of it (`phone.View`)
is frozen.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from watcher.trust.branch import Branch
from watcher.trust.lists import NOTHING, Certificates, Ctl, Itl, Lists, blank_itl
from watcher.trust.names import (
    BACKING_UP,
    CLUSTER,
    PUBLISHER_ONLY,
    TOKENS,
    Certificate,
    CtlKind,
    Kind,
    Service,
    certificate,
    kind_of,
)
from watcher.trust.scenario import PeerKind, Scenario


class Tvs(NamedTuple):
    """A running TVS: the certificate it shows on tcp 2445, and those it vouches for (S8, S9)."""

    own: Certificate
    known: Certificates


class Tftp(NamedTuple):
    """A running TFTP service: the key it signs configuration files with, and its ITL (S7)."""

    key: Certificate
    itl: Itl


class Backup(NamedTuple):
    """A DRS backup: the generation of every certificate, and what the trust stores held."""

    generations: tuple[tuple[tuple[str, str], int], ...]
    capf_kept: Certificates


@dataclass(slots=True, kw_only=True)
class World:
    """State variables of trust facts 1.3 to 1.5 in one branch."""

    scenario: Scenario
    branch: Branch
    generations: dict[tuple[str, str], int]
    capf_kept: Certificates
    uploaded: Certificates
    up: set[tuple[Service, str]]
    tftp: dict[str, Tftp]
    tvs: dict[str, Tvs]
    shown: dict[str, Certificate]
    """CallManager certificate that CCM shows on a node."""
    issuers: dict[str, Certificates]
    """LSC issuers that CCM on a node takes."""
    loaded: dict[tuple[Service, str], Certificates]
    """Certificates that CAPF, Tomcat and DRF hold in memory."""
    ctl: Ctl | None
    rollback: bool
    interaction_manual: bool
    exported_key: int | None
    trusted: dict[str, Certificates]
    """What each party outside trusts."""
    headend: Certificate
    vpn_trust: Certificates
    profiles: dict[str, str]
    """Security mode in the configuration file of a group."""
    backups: list[Backup]
    lists: Lists
    told_rollback: set[tuple[Service, str]]
    """Processes that were started while the rollback parameter was on."""
    _known: Certificates | None = None
    """Below: what is on disk and what is made of it, put together once until something changes."""
    _owners: dict[tuple[str, str], str] = field(default_factory=dict)
    _disk: dict[tuple[str, str], Certificate] = field(default_factory=dict)
    _itls: dict[tuple[str, Certificate | None, bool], Itl] = field(default_factory=dict)
    _ctls: dict[Certificate | None, Ctl] = field(default_factory=dict)

    # -- certificates on disk

    def owner(self, kind: str, node: str) -> str:
        """Return whose certificate of a store counts on a node."""
        found = self._owners.get((kind, node))
        if found is None:
            found = self._owners[(kind, node)] = self._owner(kind, node)
        return found

    def _owner(self, kind: str, node: str) -> str:
        if kind in self.scenario.shared:
            return CLUSTER
        if kind == Kind.RECOVERY and not self.branch.recovery_per_node:
            return CLUSTER
        if kind in PUBLISHER_ONLY and node == self.scenario.publisher:
            return CLUSTER
        return node

    def current(self, kind: str, node: str) -> Certificate:
        """Return the certificate of a store that is on a node's disk."""
        found = self._disk.get((kind, node))
        if found is None:
            owner = self.owner(kind, node)
            found = certificate(kind, owner, self.generations.get((kind, owner), 0))
            self._disk[(kind, node)] = found
        return found

    def renew(self, kind: str, node: str) -> Certificate:
        """Put the next generation on disk and return it."""
        owner = self.owner(kind, node)
        self.generations[(kind, owner)] = self.generations.get((kind, owner), 0) + 1
        for one in self.scenario.nodes:
            self._disk.pop((kind, one.name), None)
        self._forget_made()
        new = self.current(kind, node)
        if kind == Kind.CAPF and owner == CLUSTER:
            # Older CAPF certificates stay beside the new one (S1).
            self.capf_kept |= {new}
            self.issuers = {name: held | {new} for name, held in self.issuers.items()}
        return new

    def current_capf(self) -> Certificate:
        """Return the publisher's CAPF certificate."""
        return self.current(Kind.CAPF, self.scenario.publisher)

    @property
    def known(self) -> Certificates:
        """What a TVS that loads its database now vouches for (2.3)."""
        if self._known is None:
            names = [node.name for node in self.scenario.nodes]
            own = {self.current(kind, name) for kind in Kind for name in names}
            listed = (
                self.ctl.anchors | self.ctl.callmanager | self.ctl.capf if self.ctl else NOTHING
            )
            self._known = frozenset(own) | self.capf_kept | self.uploaded | listed
        return self._known

    def forget_known(self) -> None:
        """Have the database put together anew: something in it changed."""
        self._known = None

    def forget_disk(self) -> None:
        """Have everything put together anew: all certificates may have changed."""
        self._disk.clear()
        self._forget_made()

    def _forget_made(self) -> None:
        """Have what is made of certificates put together anew: some changed."""
        self._itls.clear()
        self._ctls.clear()
        self.forget_known()

    # -- lists

    def fresh_itl(
        self, node: str, signer: Certificate | None = None, *, blank: bool | None = None
    ) -> Itl:
        """Return the ITL that TFTP on a node builds from what is on disk (S3, S7).

        Whether it is blank is decided when TFTP starts: by the rollback parameter, unless told.
        """
        blank = self.rollback if blank is None else blank
        found = self._itls.get((node, signer, blank))
        if found is None:
            found = self._itls[(node, signer, blank)] = self._build_itl(node, signer, blank=blank)
        return found

    def _build_itl(self, node: str, signer: Certificate | None, *, blank: bool) -> Itl:
        profile, scenario = self.scenario.profile, self.scenario
        own = self.current(Kind.CALLMANAGER, node)
        recovery = self.current(Kind.RECOVERY, node)
        signer = signer or (recovery if profile.recovery_signs else own)
        if blank:
            return self.lists.itl(blank_itl(signer))
        listed = {own}
        if self.branch.all_servers_listed:
            listed |= {self.current(Kind.CALLMANAGER, n) for n in scenario.running(Service.TFTP)}
        servers = frozenset(listed)
        new = Itl(
            signer=signer,
            anchors=servers | {recovery} if profile.recovery_key else servers,
            config=servers,
            tvs=frozenset(self.current(Kind.TVS, n) for n in scenario.running(Service.TVS)),
            capf=frozenset({self.current_capf()}),
        )
        return self.lists.itl(new)

    def fresh_ctl(self, signer: Certificate | None = None) -> Ctl:
        """Return the CTL made from what is on disk (S6, S7)."""
        found = self._ctls.get(signer)
        if found is None:
            found = self._ctls[signer] = self._build_ctl(signer)
        return found

    def _build_ctl(self, signer: Certificate | None) -> Ctl:
        scenario, profile = self.scenario, self.scenario.profile
        publisher = self.current(Kind.CALLMANAGER, scenario.publisher)
        recovery = self.current(Kind.RECOVERY, scenario.publisher)
        if scenario.ctl_kind is CtlKind.ETOKEN:
            servers = {publisher, recovery} if profile.tokens_beside_servers else set()
            anchors, usual = frozenset((*TOKENS, *servers)), TOKENS[0]
        else:
            both = {publisher, recovery} if profile.second_ctl_anchor else {publisher}
            anchors = frozenset(both)
            usual = recovery if profile.recovery_signs else publisher
        new = Ctl(
            signer=signer or usual,
            anchors=anchors,
            callmanager=frozenset(self.current(Kind.CALLMANAGER, n.name) for n in scenario.nodes),
            capf=frozenset({self.current_capf()}),
        )
        return self.lists.ctl(new)

    def signing_key(self, *, for_ctl: bool) -> Certificate | None:
        """Return what `reset localkey` signs with; None where the command does not exist (1.1)."""
        profile, publisher = self.scenario.profile, self.scenario.publisher
        if profile.recovery_signs:
            return self.current(Kind.CALLMANAGER, publisher)
        exists = profile.second_ctl_anchor if for_ctl else profile.recovery_key
        return self.current(Kind.RECOVERY, publisher) if exists else None

    # -- backups

    def snapshot(self) -> Backup:
        """Return the present certificates as a backup keeps them."""
        return Backup(tuple(sorted(self.generations.items())), self.capf_kept)

    def backup_works(self) -> bool:
        """Tell whether DRF on every node holds its current, valid certificates (2.6)."""
        return all(
            self.loaded[(service, node)] == self.backup_certificates(node)
            and not self.backup_certificates(node) & self.scenario.expired
            for service in BACKING_UP
            for node in self.scenario.running(service)
        )

    @property
    def backup_kinds(self) -> tuple[Kind, ...]:
        """Stores whose certificate DRS uses (S2, S4, S24)."""
        profile = self.scenario.profile
        if not profile.backup_by_tomcat:
            return (Kind.IPSEC,)
        return (Kind.TOMCAT, Kind.TOMCAT_ECDSA) if profile.backup_by_ecdsa else (Kind.TOMCAT,)

    @property
    def backup_was_sound(self) -> bool:
        """Whether DRS could work before the first step: none of its certificates is past date."""
        return not any(kind_of(name) in self.backup_kinds for name in self.scenario.expired)

    def backup_certificates(self, node: str) -> Certificates:
        """Return the certificates DRS uses on a node."""
        return frozenset(self.current(kind, node) for kind in self.backup_kinds)

    def copy(self) -> Self:
        """Return a world that can go another way."""
        twin = object.__new__(type(self))
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            mutable = isinstance(value, (dict, set, list))
            setattr(twin, name, value.copy() if mutable else value)
        return twin


def begin(scenario: Scenario, branch: Branch, lists: Lists | None = None) -> World:
    """Return the world before the first step: every process holds what is on disk.

    Worlds whose lists are compared share `lists`.
    """
    world = World(
        scenario=scenario, branch=branch, generations={}, uploaded=NOTHING,
        capf_kept=frozenset({certificate(Kind.CAPF, CLUSTER, 0)}),
        up={(service, node.name) for node in scenario.nodes for service in node.services},
        tftp={}, tvs={}, shown={}, loaded={}, ctl=None,
        issuers={node.name: frozenset({certificate(Kind.CAPF, CLUSTER, 0)})
                 for node in scenario.nodes},
        rollback=scenario.rollback, interaction_manual=scenario.interaction_manual,
        exported_key=scenario.exported_key,
        trusted={peer.name: peer.trusted for peer in scenario.peers},
        headend=certificate(PeerKind.VPN, CLUSTER, 0),
        vpn_trust=frozenset({certificate(PeerKind.VPN, CLUSTER, 0)}),
        profiles={group.name: group.mode for group in scenario.groups}, backups=[],
        lists=lists or Lists(), told_rollback=set(),
    )  # fmt: skip
    if scenario.rollback:
        world.told_rollback |= world.up
    if scenario.mixed:
        world.ctl = world.fresh_ctl()
    for service, node in sorted(world.up):
        load(world, service, node)
    if scenario.backed_up:
        world.backups.append(world.snapshot())
    return world


def load(world: World, service: Service, node: str) -> None:
    """Have a process read the disk again."""
    match service:
        case Service.TFTP:
            world.tftp[node] = Tftp(world.current(Kind.CALLMANAGER, node), world.fresh_itl(node))
        case Service.TVS:
            world.tvs[node] = Tvs(world.current(Kind.TVS, node), _database(world, node))
        case Service.CCM:
            world.shown[node] = world.current(Kind.CALLMANAGER, node)
            world.issuers[node] = world.capf_kept
        case Service.CAPF:
            world.loaded[(service, node)] = frozenset({world.current_capf()})
        case Service.TOMCAT:
            world.loaded[(service, node)] = frozenset({world.current(Kind.TOMCAT, node)})
        case Service.DRF_CENTRAL | Service.DRF_LOCAL:
            world.loaded[(service, node)] = world.backup_certificates(node)


def _database(world: World, node: str) -> Certificates:
    """Return what TVS on a node learns; without replication only of its own node (S8)."""
    if world.scenario.replication_ok or node not in world.tvs:
        return world.known
    mine = {world.current(kind, node) for kind in Kind}
    return world.tvs[node].known | mine


def serve_at_once(world: World, nodes: Iterable[str]) -> None:
    """Have running TFTP servers build their list and take their key now (U2)."""
    for node in nodes:
        if (Service.TFTP, node) in world.up:
            built = world.fresh_itl(node, blank=world.tftp[node].itl.blank)
            world.tftp[node] = Tftp(world.current(Kind.CALLMANAGER, node), built)
