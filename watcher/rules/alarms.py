"""What a pack may say of alarms: what a name means for the date, and what is evidence."""

import re
from enum import StrEnum
from fnmatch import translate
from functools import cached_property
from typing import Annotated

from pydantic import (
    Field,
    StrictInt,
    StringConstraints,
)

from watcher.model.alarm import CiscoLogRecord
from watcher.rules.terms import Cited, Closed, Id, Text


class KnownFile(Cited):
    """A certificate file that is found in many clusters under this name."""

    pattern: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.*-]{3,64}$")] = Field(
        description="File name without extension; `*` stands for anything."
    )
    text: Text


class Direction(StrEnum):
    """What an alarm's name says about the date."""

    PAST = "past"
    FUTURE = "future"
    BOTH = "both"
    NONE = "none"


class About(StrEnum):
    """What an alarm of the Certificate Monitor is about."""

    EXPIRY = "expiry"
    REVOCATION = "revocation"
    RENEWAL = "renewal"
    BACKUP = "backup"
    NOTICE = "notice"


class CertificateAlarmKind(Cited):
    """A mnemonic of the Certificate Monitor and what it says about notAfter."""

    severities: tuple[StrictInt, ...]
    meaning: Text
    direction: Direction
    about: About = About.EXPIRY
    text: Text | None = Field(
        default=None, description="What the plan says when the alarm is not about an end date."
    )
    earliest_days: StrictInt | None = Field(
        default=None, description="notAfter is at least this many days after the event."
    )
    latest_days: StrictInt | None = Field(
        default=None, description="notAfter is at most this many days after the event."
    )


class Weight(StrEnum):
    """What a related alarm means for a change."""

    STOP = "stop"
    WARNING = "warning"
    SHOWS_EFFECT = "shows-effect"


class RelatedAlarm(Cited):
    """An alarm that is evidence for a plan, though not about a certificate's date."""

    appname: Text | None = None
    msgname: Text
    topic: Id
    weight: Weight
    text: Text = Field(description="The sentence the plan prints.")


class Alarms(Closed):
    """The alarm catalogue."""

    appnames: tuple[Id, ...] = Field(description="Tokens of the Certificate Monitor.")
    alert_appnames: tuple[Id, ...] = Field(
        default=(), description="Tokens of RTMT alerts, some of which are evidence."
    )
    certificate: dict[Id, CertificateAlarmKind]
    related: tuple[RelatedAlarm, ...] = ()
    ca_files: tuple[KnownFile, ...] = Field(
        default=(), description="Trust copies whose file name is a CA's, not a host's."
    )
    default_cluster_ids: tuple[Id, ...] = Field(
        default=(), description="ClusterID values that identify nothing."
    )

    @property
    def marks(self) -> tuple[bytes, ...]:
        """Return byte strings of which a message that a daemon must keep holds at least one.

        The Certificate Monitor's tokens, those of alarms that stop a change, and RTMT's. Other
        evidence (log-ins, single phones) comes by the thousand and tells a plan little.
        """
        stops = {r.appname for r in self.related if r.appname and r.weight is Weight.STOP}
        return tuple(
            name.encode() for name in (*self.appnames, *sorted(stops), *self.alert_appnames)
        )

    @cached_property
    def _appnames(self) -> frozenset[str]:
        return frozenset(name.lower() for name in self.appnames)

    @cached_property
    def _kinds(self) -> dict[str, CertificateAlarmKind]:
        return {name.lower(): kind for name, kind in self.certificate.items()}

    @cached_property
    def _ca_file(self) -> re.Pattern[str]:
        return re.compile("|".join(translate(ca.pattern.lower()) for ca in self.ca_files) or r"\Z.")

    def is_certificate_monitor(self, appname: str) -> bool:
        """Tell whether records with this APPNAME are the Certificate Monitor's; any case."""
        return appname.lower() in self._appnames

    def is_ca_file(self, name: str) -> bool:
        """Tell whether a file, named without its extension, is a known CA's."""
        return self._ca_file.match(name.lower()) is not None

    def kind_of(self, msgname: str) -> CertificateAlarmKind | None:
        """Return what the catalogue knows of a certificate alarm; any case."""
        return self._kinds.get(msgname.lower())

    def evidence_in(self, record: CiscoLogRecord) -> RelatedAlarm | None:
        """Return what a record that is no certificate alarm means for a plan, if anything.

        An RTMT alert is known by its AlertName; its own MSGNAME is the same for all alerts.
        """
        appname = record.appname.lower()
        names = {record.msgname.lower(), (record.tag("AlertName") or "").lower()} - {""}
        for related in self.related:
            same_app = related.appname is None or related.appname.lower() == appname
            if same_app and related.msgname.lower() in names:
                return related
        return None
