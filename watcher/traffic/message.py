"""What the player hands out: a message as it would arrive, and the truth that it carries."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from watcher.model.alarm import Severity
from watcher.model.case import CaseKey


class Kind(StrEnum):
    """What a message is."""

    ALARM = "alarm"
    """One or more certificate alarms."""
    EVIDENCE = "evidence"
    """Another alarm that the catalogue calls evidence for a plan, played once in a while."""
    CHATTER = "chatter"
    """A record of another UC service, as comes all day; the catalogue may know it."""
    NOISE = "noise"
    """No record of a UC server at all."""


class Form(StrEnum):
    """What a message looks like on its way."""

    REMOTE = "remote"
    """Bare UC syslog with PRI, as a remote syslog server gets it."""
    RELAYED = "relayed"
    """The same behind the header of a relay that writes RFC 3164."""
    RELAYED_5424 = "relayed-5424"
    """The same behind the header of a relay that writes RFC 5424."""
    FILE = "file"
    """A line of the CiscoSyslog file."""
    ALERT = "alert"
    """An RTMT alert sent as syslog, with the file's line in it."""
    MAIL = "mail"
    """An RTMT alert sent as mail; holds up to three events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """One certificate alarm as it really was, whatever the message keeps of it.

    `event` is the same for each message that carries this event and for no other event. `store`
    and `certificate` are what the record names, `case` whom it is about. `end` is notAfter.
    `legible` says that the name of the store survives the cut.
    """

    event: int
    cluster: str
    reporter: str
    store: str
    certificate: str
    trust: bool
    msgname: str
    severity: Severity
    event_time: datetime
    end: datetime
    case: CaseKey
    legible: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One message: a mail when `form` is MAIL, else one syslog message without framing.

    `at` is when it leaves its sender, `node` and `address` whose it is. A repeated message is
    told by `again`. Truths are those of certificate alarms only.
    """

    data: bytes
    kind: Kind
    form: Form
    at: datetime
    node: str
    address: str
    truths: tuple[Truth, ...] = ()
    again: bool = False
