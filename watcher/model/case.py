"""A case: one certificate that needs action, folded from all that was heard of it."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from watcher.model.alarm import Envelope, Severity
from watcher.model.expiry import Certainty, ExpiryState
from watcher.model.message import Grade, MessageId, Way


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class CaseKey:
    """What makes two alarms speak of the same certificate: names of the inventory where it has
    them, never text or severity of a message.

    `cluster` and `owner` are empty when unknown; `identity` is the file name of a certificate
    that no node owns (a CA's), else empty. `claimed` says that the inventory knows neither node
    nor cluster, so that the names are a sender's claim.
    """  # noqa: D205 -- one sentence

    cluster: str
    owner: str
    store: str
    identity: str = ""
    claimed: bool = False

    def __str__(self) -> str:
        """Print what people call it: `hq: tomcat of cucm01`, `hq: ca-2 in tomcat-trust`."""
        what = self.store or "certificates"
        if self.shared:
            what = f"the cluster's {what} certificate (multi-server)"
        if self.owner:
            what = f"{what} of {self.owner}"
        if self.identity:
            what = f"{self.identity} in {what}"
        claim = " (unverified names)" if self.claimed else ""
        return f"{self.cluster or 'unknown cluster'}: {what}{claim}"

    @property
    def shared(self) -> bool:
        """Tell whether one certificate serves all nodes: then it is no node's."""
        return not (self.owner or self.identity or self.claimed) and bool(self.store)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
    """One certificate alarm as it is kept for good; immutable.

    `key` is the same for the same event on every way it comes, and for no other. `reporter` is
    who raised it, by the inventory's name in lower case. `raw` is the record alone, from which
    the alarm can be read again.
    """

    key: str
    case: CaseKey
    message: MessageId
    msgname: str
    severity: Severity | None
    reporter: str
    event_time: datetime | None
    received_at: datetime
    grade: Grade
    way: Way
    envelope: tuple[Envelope, ...]
    state: ExpiryState
    end_day: date | None
    end_earliest: datetime | None
    end_latest: datetime | None
    certainty: Certainty
    about: str
    """What kind of alarm: `expiry`, `revocation`, `renewal`, `backup`, `notice`; empty: unknown."""
    trust: bool
    """It spoke of a copy in a trust store."""
    raw: str
    spot: str = ""
    """Which of the case's certificates it spoke of: `STORE`, of a copy `STORE/FILE`; empty: it was
    kept by a release that did not tell them apart."""


class CaseState(StrEnum):
    """Where a case stands; docs/cases.md has the table of transitions."""

    ALARMED = "alarmed"
    ACKNOWLEDGED = "acknowledged"
    """A person took it, until a time; events are still counted, telling is suppressed."""
    PLANNED = "planned"
    """A person tied it to a stored plan, by the plan's digest."""
    QUIET = "quiet"
    """Its alarms stopped while its reporters were heard; that proves nothing."""
    RESOLVED = "resolved"
    """By evidence only: the new certificate was read, or an operator confirmed it."""
    REGRESSED = "regressed"
    """Alarmed again after it was resolved."""


class ActKind(StrEnum):
    """What a person can do to a case."""

    ACKNOWLEDGE = "acknowledge"
    RELEASE = "release"
    """Take an acknowledgement or a planned change back."""
    PLAN = "plan"
    CONFIRM = "confirm"
    """State the end date, read off the certificate on the node."""
    RESOLVE = "resolve"
    """State that the new certificate was seen, with its end date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing a person did to a case; immutable."""

    kind: ActKind
    case: CaseKey
    at: datetime
    who: str
    why: str
    until: datetime | None = None
    """Acknowledgement: when it ends. Plan: when the change begins."""
    not_after: datetime | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A change of a case's state, and why."""

    case: CaseKey
    at: datetime
    before: CaseState | None
    after: CaseState
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A threshold that a case crossed: fewer than so many days are left. Told once.

    `silent` says why nobody is told (a tighter one was told with it, acknowledged, ...).
    """

    case: CaseKey
    days: int
    at: datetime
    silent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that was heard of one certificate, merged so that urgency only rises.

    The end is an interval: `end_earliest` is what urgency is reckoned from. `occurrences` counts
    events, `copies` the further ways on which a known event came. `round` begins at 1 and goes
    up with each regression, so that thresholds are told anew.
    """

    key: CaseKey
    opened_at: datetime
    heard_at: datetime
    first_event: datetime | None
    last_event: datetime | None
    occurrences: int
    copies: int
    reporters: tuple[str, ...]
    ways: tuple[Way, ...]
    msgnames: tuple[str, ...]
    severity: Severity | None
    grade: Grade
    end_day: date | None
    end_earliest: datetime | None
    end_latest: datetime | None
    certainty: Certainty
    expired: bool
    revoked: bool
    trust_only: bool
    """All that was heard spoke of copies in trust stores."""
    state: CaseState
    state_since: datetime
    round: int = 1
    acknowledged_by: str = ""
    acknowledged_why: str = ""
    acknowledged_until: datetime | None = None
    planned_digest: str = ""
    planned_for: datetime | None = None
    confirmed_end: datetime | None = None
    """Grade 3: what an operator or the inventory's own listing of the certificate says."""
    resolved_at: datetime | None = None
    spots: tuple[str, ...] = ()
    """Whoever raised an alarm, with what it spoke of: `REPORTER STORE/FILE`."""
    contradiction: str = ""
    """What two trustworthy sources disagree about; a plan is withheld over it."""
