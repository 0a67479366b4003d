"""The shape of `relay:`, `digest:` and `notifications:`: what we send by ourselves, and to whom."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, StrictBool, StrictInt, StringConstraints

from watcher.inventory.schema import TimeOfDay, TimeZone, Weekday
from watcher.rules.terms import Closed, Id, Text
from watcher.settings.terms import (
    Duration,
    KeptFile,
    MailboxSecurity,
    Many,
    Name,
    Person,
    Secret,
    Size,
    holding,
    lasting,
)

People = Annotated[tuple[Person, ...], Field(max_length=100)]
Web = Annotated[str, StringConstraints(pattern=r"^https?://[^\s@<>\"]{1,500}$")]


class Relay(Closed):
    """The site's mail relay, which takes our mail; `sender` is who it comes from."""

    host: Text
    port: Annotated[StrictInt, Field(ge=1, le=65535)] = 25
    security: MailboxSecurity = Field(
        default=MailboxSecurity.STARTTLS, description="With a user, none only on the loopback."
    )
    ca: KeptFile | None = Field(
        default=None, description="Who signed its certificate; null: the system's."
    )
    user: Text | None = None
    password: Secret | None = None
    sender: Person
    step: Annotated[Duration, lasting("1s", "5m")] = Field(
        default=timedelta(seconds=30), description="For the answer to one command."
    )
    size: Annotated[Size, holding("16KiB", "64MiB")] = Field(
        default=10 << 20, description="Largest mail that we hand over."
    )


class DigestList(Closed):
    """People who get one digest a week."""

    name: Name
    to: Annotated[People, Field(min_length=1)]
    clusters: tuple[Id, ...] = Field(default=(), description="Of these only; empty: of all.")


class DigestSettings(Closed):
    """The weekly digest: exactly one for each list and ISO week."""

    day: Weekday = Weekday.MON
    time: TimeOfDay = "07:00"
    time_zone: TimeZone = Field(default="UTC", description="The site's.")
    quiet: StrictBool = Field(
        default=True, description="Sent also when nothing is due: its absence is the alarm."
    )
    plans_at: Web | None = Field(
        default=None, description="Where people read plans: PLANS_AT/CLUSTER.html is linked."
    )
    lists: Many[DigestList] = ()


class NoticeList(Closed):
    """Who is told at once when a certificate passes a mark (`cases.thresholds`)."""

    name: Name
    to: People = ()
    chat: Annotated[tuple[Secret, ...], Field(max_length=10)] = Field(
        default=(), description="Apprise addresses; needs the extra `notify`."
    )
    days: Annotated[tuple[Annotated[StrictInt, Field(ge=0, le=3650)], ...], Field(min_length=1)] = (
        30, 7, 1, 0,
    )  # fmt: skip
    clusters: tuple[Id, ...] = Field(default=(), description="Of these only; empty: of all.")


class NotificationSettings(Closed):
    """One mail or message for all marks that were passed at once."""

    lists: Many[NoticeList] = ()
