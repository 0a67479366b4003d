"""What one record says: certificate alarms, other UC alarms, and what could not be read."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from functools import lru_cache

from watcher.model.expiry import Expiry, ExpiryState


class Severity(IntEnum):
    """Syslog severity (RFC 5424 section 6.2.1); lower is worse."""

    EMERGENCY = 0
    ALERT = 1
    CRITICAL = 2
    ERROR = 3
    WARNING = 4
    NOTICE = 5
    INFORMATIONAL = 6
    DEBUG = 7


class StoreKind(StrEnum):
    """Whether a store holds a node's own certificate or copies that it trusts."""

    SERVICE = "service"
    TRUST = "trust"


class Envelope(StrEnum):
    """What a record was wrapped in."""

    MBOX = "mbox"
    MAIL = "mail"
    RTMT_MAIL = "rtmt-mail"
    """The text `At ... on node ..., the following ... events generated:`."""
    RTMT_ALERT = "rtmt-alert"
    """A CiscoLog record `RTMT_ALERT` that carries such a text."""
    RFC5424 = "rfc5424"
    RFC3164 = "rfc3164"
    """A header with PRI or with a relay's time stamp in front of the CiscoLog record."""
    CISCOSYSLOG = "ciscosyslog"
    """A line of the CiscoSyslog file: local time, host, facility, severity, tag."""
    CISCOLOG = "ciscolog"


class Truncation(StrEnum):
    """Which part of a record is known to be lost."""

    STORE = "store"
    """The store's name itself may be cut, and with it the suffix that tells its kind."""
    EXPIRY = "expiry"
    TYPE = "type"
    MESSAGE = "message"
    RECORD = "record"
    PART = "part"


@lru_cache(maxsize=1024)
def _plain(name: str) -> str:
    return name.replace(" ", "").lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class CiscoLogRecord:
    """One CiscoLog record as it stood on the wire; severity comes from the token, never PRI.

    `event_time` is aware UTC and None when the year or the zone cannot be read; the text is
    always kept. A fraction of fewer than three digits is kept as text only, because it is not
    padded (`.19` is most likely 19 ms). The text of an RTMT alert that lost its token has an
    empty `appname` and no `severity`.
    """

    appname: str
    severity: Severity | None
    msgname: str
    tags: tuple[tuple[str, str], ...]
    text: str
    raw: str
    seqnum: int | None = None
    host: str | None = None
    accuracy: str | None = None
    event_time: datetime | None = None
    event_time_text: str | None = None
    event_fraction_text: str | None = None
    pri: int | None = None
    envelope: tuple[Envelope, ...] = (Envelope.CISCOLOG,)
    truncation: tuple[Truncation, ...] = ()

    def tag(self, name: str) -> str | None:
        """Return the first tag of that name; blanks in names do not count (`App ID`)."""
        wanted = _plain(name)
        for key, value in self.tags:
            if _plain(key) == wanted:
                return value
        return None

    @property
    def originator(self) -> str | None:
        """The node that raised it: NodeID, else the first label of HOST."""
        node = (self.tag("NodeID") or "").strip()
        return node or (self.host or "").split(".", 1)[0] or None


@dataclass(frozen=True, slots=True, kw_only=True)
class RtmtAlert:
    """The notice of RTMT around one or more records."""

    name: str | None
    node: str | None
    time: datetime | None
    time_text: str | None
    collector: str | None = None
    severity_matches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UcAlarm:
    """Any alarm of a UC server that is not about a certificate.

    `topic` is set when the alarm is evidence for a change plan (last backup failed, TVS
    restarted ...), by the alarm catalogue in the rule packs.
    """

    record: CiscoLogRecord
    node: str | None
    cluster_id: str | None
    app_id: str | None
    alert: RtmtAlert | None = None
    topic: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateAlarm:
    """What the Certificate Monitor says about one certificate.

    `certificate` is the file name in the alarm (`tomcat.der`), `node` who reports it, `owner`
    whose certificate it is when file name or inventory tell. All are untrusted text.
    """

    record: CiscoLogRecord
    known: bool
    certificate: str | None
    store: str | None
    store_kind: StoreKind | None
    reported_type: str | None
    node: str | None
    owner: str | None
    cluster: str | None
    cluster_id: str | None
    app_id: str | None
    expiry: Expiry
    state: ExpiryState
    truncation: tuple[Truncation, ...] = ()
    alert: RtmtAlert | None = None

    @property
    def msgname(self) -> str:
        """The alarm's name, as spelled on the wire."""
        return self.record.msgname


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Bytes that are ours (they carry a UC token) but could not be read; kept with a reason."""

    raw: str
    reason: str


Event = CertificateAlarm | UcAlarm | Unreadable


@dataclass(slots=True)
class Tally:
    """Where every record ended; `read` is the sum of the others."""

    read: int = 0
    certificate_alarms: int = 0
    uc_alarms: int = 0
    noise: int = 0
    unreadable: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
