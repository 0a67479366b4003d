"""The shape of an inventory file.

Anything may be left out: absent means *unknown*, never *no*. The planner asks for what it
misses. All names are matched without regard to case and only by whole name.
"""

import re
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Self
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    model_validator,
)

from watcher.model.moments import reckonable
from watcher.rules.terms import Closed, Id, ReleaseText, Text

Host = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9-]{1,63})*$"
    ),
]
Address = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f:.]{3,45}$")]
CertificateFile = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._ ()+@-]{0,120}\.(pem|der)$")
]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
CalendarName = Annotated[str, StringConstraints(pattern=r"^.{1,240}\.[iI][cC][sS]$")]
SerialNumber = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f:]{2,64}$")]
Count = Annotated[StrictInt, Field(ge=0, le=1_000_000)]


@cache
def _zones() -> frozenset[str]:
    # Asking reads the whole time zone data base: some 30 ms.
    return frozenset(available_timezones())


def _zone(name: str) -> str:
    if name not in _zones():
        raise ValueError(f"{name!r} is not a time zone (expected a name such as Europe/Vienna)")
    return name


TimeZone = Annotated[str, AfterValidator(_zone)]


def _dated(value: Any) -> Any:  # noqa: ANN401 -- pydantic hands over whatever the file holds
    # A bare number would be read as seconds since 1970.
    if isinstance(value, date) or (isinstance(value, str) and _DATE.match(value)):
        return value
    raise ValueError(f"{value!r} is not a date (expected one such as 2026-01-31)")


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
Day = Annotated[date, BeforeValidator(_dated), AfterValidator(reckonable)]
Moment = Annotated[datetime, BeforeValidator(_dated), AfterValidator(reckonable)]
AwareMoment = Annotated[AwareDatetime, BeforeValidator(_dated), AfterValidator(reckonable)]


class Product(StrEnum):
    """What a node runs."""

    CUCM = "cucm"
    IM_PRESENCE = "im-presence"
    UNITY_CONNECTION = "unity-connection"
    EMERGENCY_RESPONDER = "emergency-responder"
    CCX = "ccx"
    HCM_F = "hcm-f"


class NodeRole(StrEnum):
    """Place in the cluster."""

    PUBLISHER = "publisher"
    SUBSCRIBER = "subscriber"


class Duty(StrEnum):
    """What a CUCM node does for phones."""

    CALL_PROCESSING = "call-processing"
    TFTP = "tftp"
    CTI = "cti"


class SecurityMode(StrEnum):
    """Cluster security mode."""

    NON_SECURE = "non-secure"
    MIXED = "mixed"


class CtlMethod(StrEnum):
    """Who signs the CTL."""

    TOKENLESS = "tokenless"
    ETOKEN = "etoken"


class PhoneInteraction(StrEnum):
    """Enterprise parameter *Phone Interaction on Certificate Update* (14 and later)."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


class Issuer(StrEnum):
    """Who signed a certificate."""

    SELF_SIGNED = "self-signed"
    CA_SIGNED = "ca-signed"


class DeviceSecurity(StrEnum):
    """Device security mode of a phone group."""

    NON_SECURE = "non-secure"
    AUTHENTICATED = "authenticated"
    ENCRYPTED = "encrypted"


class Node(Closed):
    """One server."""

    name: Host = Field(description="Short host name, as in the alarm's NodeID.")
    aliases: tuple[Host, ...] = Field(default=(), description="Other names, FQDN included.")
    addresses: tuple[Address, ...] = ()
    product: Product = Product.CUCM
    role: NodeRole | None = None
    duties: tuple[Duty, ...] | None = Field(
        default=None, description="Absent: unknown. Empty list: none of them."
    )
    tftp_order: Annotated[StrictInt, Field(ge=1, le=16)] | None = Field(
        default=None, description="1 is the TFTP server that phones ask first."
    )

    def has(self, duty: Duty) -> bool | None:
        """Tell whether the node has a duty; None when unknown."""
        return None if self.duties is None else duty in self.duties


class CallManagerGroup(Closed):
    """A CallManager group: phones ask these nodes, in this order, also for TVS."""

    name: Text
    nodes: Annotated[tuple[Host, ...], Field(min_length=1, max_length=8)]


class PhoneGroup(Closed):
    """Phones that behave alike."""

    name: Text
    count: Count | None = None
    callmanager_group: Text | None = None
    tftp: tuple[Host, ...] = Field(default=(), description="In the order of DHCP option 150.")
    security: DeviceSecurity | None = None
    lsc: StrictBool | None = None
    dot1x: StrictBool | None = None
    vpn: StrictBool | None = None
    security_by_default: StrictBool | None = Field(
        default=None, description="False for devices that keep no ITL."
    )
    tvs_reachable: StrictBool | None = Field(default=None, description="TCP 2445 is open.")


class Features(Closed):
    """What the cluster is used with; absent means unknown."""

    lsc: StrictBool | None = None
    dot1x: StrictBool | None = None
    vpn: StrictBool | None = None
    sso: StrictBool | None = None
    sip_oauth: StrictBool | None = None
    expressway: StrictBool | None = None
    emcc: StrictBool | None = None
    ccx: StrictBool | None = None
    unity_connection: StrictBool | None = None
    im_presence: StrictBool | None = None
    emergency_responder: StrictBool | None = None
    ipsec_policies: StrictBool | None = None
    secure_trunks: StrictBool | None = None
    fips: StrictBool | None = None


class Certificate(Closed):
    """One certificate as `show cert` tells it, or as the operator knows it."""

    store: Id
    node: Host | None = Field(
        default=None, description="Absent for one certificate of the whole cluster."
    )
    file: CertificateFile | None = Field(default=None, description="As `show cert list` prints.")
    issuer: Issuer | None = None
    multi_server: StrictBool | None = None
    reused_for: Id | None = Field(
        default=None, description="Store that uses this certificate too (tomcat for CallManager)."
    )
    owner: Host | None = Field(default=None, description="Of a trust copy: whose it is.")
    not_after: AwareMoment | None = None
    serial_number: SerialNumber | None = None
    subject: Text | None = None
    issuer_name: Text | None = None


class Weekday(StrEnum):
    """Day of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


class MaintenanceWindow(Closed):
    """A weekly time in which changes are allowed, in its own zone or the cluster's."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)]
    start: TimeOfDay
    end: TimeOfDay = Field(
        description="Before `start` means on the next day; 00:00 to 00:00 is a whole day."
    )
    time_zone: TimeZone | None = Field(default=None, description="Else the cluster's.")

    @model_validator(mode="after")
    def _some_hours(self) -> Self:
        # Of two equal times one is a slip more often than a window of 24 hours is meant.
        if self.start == self.end != "00:00":
            raise ValueError(
                f"the window ends when it starts, at {self.start} (expected another end; a whole "
                "day is 00:00 to 00:00)"
            )
        return self


class Blackout(Closed):
    """Days without changes; both ends included."""

    first: Day
    last: Day
    reason: Text

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"the blackout ends ({self.last}) before it begins ({self.first})")
        return self


Days = Annotated[StrictInt, Field(ge=0, le=365)]


class Board(Closed):
    """The change board: either a weekly cut-off, or so many working days."""

    cut_off_day: Weekday | None = None
    cut_off_time: TimeOfDay | None = None
    days: Days | None = Field(
        default=None,
        description="With a cut-off: days from the day of the cut-off to the first day on which "
        "what was handed in may begin.",
    )
    working_days: Days | None = Field(
        default=None, description="Without a cut-off: working days from request to change."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        cut_off = (self.cut_off_day, self.cut_off_time, self.days)
        if (None in cut_off) == (self.working_days is None) or (
            self.working_days is not None and any(item is not None for item in cut_off)
        ):
            raise ValueError(
                "a board needs cut_off_day, cut_off_time and days, or working_days alone"
            )
        return self


class LeadTimes(Closed):
    """What must pass before a change may begin; they run side by side."""

    board: Board | None = None
    ca: Days | None = Field(
        default=None, description="Working days from a signing request to the certificate."
    )
    preparation: Days | None = Field(
        default=None,
        description="Working days for what nobody notices; then it is not done in the window.",
    )
    working_days: Annotated[tuple[Weekday, ...], Field(min_length=1)] = (
        Weekday.MON, Weekday.TUE, Weekday.WED, Weekday.THU, Weekday.FRI,
    )  # fmt: skip


class Cluster(Closed):
    """One CUCM cluster, or one cluster of a sibling product."""

    name: Id
    release: ReleaseText | None = None
    time_zone: TimeZone | None = None
    contact: Text | None = Field(
        default=None, description="Whose it is, for people: a name, a team, a mail address."
    )
    cluster_ids: tuple[Id, ...] = Field(
        default=(), description="What ClusterID may say in this cluster's alarms."
    )
    security_mode: SecurityMode | None = None
    ctl_method: CtlMethod | None = None
    etokens: Annotated[StrictInt, Field(ge=0, le=20)] | None = Field(
        default=None, description="Original tokens at hand, with their password."
    )
    phone_interaction: PhoneInteraction | None = None
    rollback_pre80: StrictBool | None = None
    export_controlled_license: StrictBool | None = None
    last_backup: Moment | None = Field(default=None, description="Last verified DRS backup.")
    nodes: tuple[Node, ...] = ()
    callmanager_groups: tuple[CallManagerGroup, ...] = ()
    phone_groups: tuple[PhoneGroup, ...] = ()
    features: Features = Features()
    certificates: tuple[Certificate, ...] = ()
    change_schedule: tuple[MaintenanceWindow, ...] = ()
    blackouts: tuple[Blackout, ...] = ()
    calendars: Annotated[tuple[CalendarName, ...], Field(max_length=20)] = Field(
        default=(), description="Calendar files (RFC 5545), from the inventory's folder on."
    )
    lead_times: LeadTimes = LeadTimes()
    margin_days: Days | None = Field(
        default=None, description="Days before a certificate ends by which the work is over."
    )


class Inventory(Closed):
    """All clusters of a site."""

    version: Annotated[StrictInt, Field(ge=1, le=1)]
    clusters: Annotated[tuple[Cluster, ...], Field(min_length=1)]
