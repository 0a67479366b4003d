"""A cluster, its phones and an order of steps: what is given to the proof."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from watcher.trust.names import Certificate, CtlKind, Service
from watcher.trust.release import Profile


class Mode(StrEnum):
    """Device security mode of a phone group."""

    NON_SECURE = "non_secure"
    AUTHENTICATED = "authenticated"
    ENCRYPTED = "encrypted"


def secure(mode: str) -> bool:
    """Tell whether phones of a mode register over TLS."""
    return mode != Mode.NON_SECURE


class Dot1x(StrEnum):
    """Certificate that phones show to the network (802.1X)."""

    NO = "no"
    MIC = "MIC"
    LSC = "LSC"


class CapfAuth(StrEnum):
    """How a phone proves who it is to CAPF."""

    NULL = "null"
    STRING = "string"
    EXISTING = "existing"


class HeldItl(StrEnum):
    """What a group holds at the start when it is not the list of one of its TFTP servers."""

    NONE = "none"
    BLANK = "blank"
    MISMATCH = "mismatch"


class PeerKind(StrEnum):
    """Parties outside the cluster that check its certificates (trust facts, 1.7)."""

    RADIUS = "RADIUS"
    VPN = "VPN"
    EXPRESSWAY = "Expressway-C"
    SIP = "SIP"
    UNITY_CONNECTION = "UnityConnection"
    CCX = "CCX"
    IDP = "IdP"
    EMCC = "EMCC"
    SRST = "SRST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One server and the services that phones use on it."""

    name: str
    publisher: bool = False
    services: frozenset[Service] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Phones that behave alike (trust facts, 1.6); `tftp` and `cm_group` are in the phones' order.

    `held_itl` is a node whose list they hold, or one of `HeldItl`.
    """

    name: str
    tftp: tuple[str, ...]
    cm_group: tuple[str, ...]
    sbd: bool = True
    mode: Mode = Mode.NON_SECURE
    held_itl: str | HeldItl
    held_ctl: bool = True
    lsc: Certificate | None = None
    lsc_expired: bool = False
    mic: bool = False
    capf_auth: CapfAuth = CapfAuth.NULL
    dot1x: Dot1x = Dot1x.NO
    vpn: bool = False
    https_services: bool = False
    tvs_reachable: bool = True
    online: bool = True
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A party outside: which store's certificate it checks and which ones it trusts."""

    name: str
    kind: PeerKind
    needs: str
    trusted: frozenset[Certificate]


class Action(StrEnum):
    """What one step does."""

    REGENERATE = "regen"
    UPLOAD_SIGNED = "upload_signed"
    UPLOAD_TRUST = "upload_trust"
    DELETE_TRUST = "delete_trust"
    DELETE = "delete"
    STOP = "stop"
    START = "start"
    RESTART = "restart"
    RESET = "RESET+WAIT"
    AUTO_RESET = "auto_reset"
    CTL_UPDATE = "ctl_update"
    CTL_LOCALKEY = "ctl_localkey"
    ITL_LOCALKEY = "itl_localkey"
    ITL_REMOTEKEY = "itl_remotekey"
    ROLLBACK_ON = "rollback on"
    ROLLBACK_OFF = "rollback off"
    LSC_REISSUE = "lsc_reissue"
    TELL = "tell"
    REPLACE_HEADEND = "replace_headend"
    PROFILE = "profile"
    INTERACTION = "phone_interaction"
    EXPORT_KEY = "export_p12"
    BACKUP = "drs_backup"
    RESTORE = "drs_restore"
    VERIFY = "verify"


RENEWING = (Action.REGENERATE, Action.UPLOAD_SIGNED)
"""What puts a new certificate on disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that is done; `number` is the step of the order as its author counts.

    `store` and `node` of a renewal (node None: all nodes), `service` and `node` of a restart,
    `groups` of a reset (empty: all), `certificate` of a trust store, `value` of a parameter.
    """

    number: int
    text: str
    action: Action
    store: str | None = None
    node: str | None = None
    service: Service | None = None
    groups: tuple[str, ...] = ()
    certificate: Certificate | None = None
    peer: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything a proof is about.

    `assume` fixes the answer to an open question (U1 to U10); `accept` names invariants that
    somebody answers for in writing.
    """

    profile: Profile
    nodes: tuple[Node, ...]
    groups: tuple[Group, ...]
    steps: tuple[Step, ...]
    ctl_kind: CtlKind | None = None
    tokens: int = 0
    licensed: bool = True
    replication_ok: bool = True
    rollback: bool = False
    interaction_manual: bool = False
    backed_up: bool = True
    exported_key: int | None = None
    saved: frozenset[Certificate] | None = None
    expired: frozenset[Certificate] = frozenset()
    shared: frozenset[str] = frozenset()
    """Stores with one certificate and key for all nodes (multi-server certificates)."""
    peers: tuple[Peer, ...] = ()
    assume: Mapping[str, str] = field(default_factory=dict)
    accept: frozenset[str] = frozenset()

    @property
    def publisher(self) -> str:
        """Name of the publisher."""
        return next(node.name for node in self.nodes if node.publisher)

    @property
    def mixed(self) -> bool:
        """Whether the cluster is in mixed mode."""
        return self.ctl_kind is not None

    def running(self, service: Service) -> tuple[str, ...]:
        """Return the nodes on which a service runs, in the order of the cluster."""
        return tuple(node.name for node in self.nodes if service in node.services)
