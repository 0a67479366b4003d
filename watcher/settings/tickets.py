"""The shape of the ticket systems under `tickets:`: where they are, log-ins, what a ticket gets."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    JsonValue,
    StrictBool,
    StringConstraints,
    model_validator,
)

from watcher.rules.terms import Closed, Text
from watcher.settings.digest import People
from watcher.settings.terms import KeptFile, Secret

_HOST = r"^https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[1-9][0-9]{0,4})?"


_PATH = r"(/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?$"


def _address(value: Any) -> Any:  # noqa: ANN401 -- pydantic hands over whatever the file holds
    # The address does not come back in the error: before `@` or behind `?` may be a secret.
    if not isinstance(value, str):
        return value
    rest = value.partition("://")[2] or value
    if "@" in rest.partition("/")[0]:
        raise ValueError("holds a log-in (expected https://HOST/PATH; secrets have their own keys)")
    if not re.match(_HOST + _PATH, value):
        raise ValueError("is not a web address (expected https://HOST/PATH, nothing behind it)")
    return value


Url = Annotated[
    str, StringConstraints(pattern=_HOST + _PATH, max_length=500), BeforeValidator(_address)
]
Proxy = Annotated[str, StringConstraints(pattern=_HOST + "/?$"), BeforeValidator(_address)]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]
"""Name of a field or project, as the system's API has it."""
SysId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""What ServiceNow calls a record."""
Plain = Annotated[Text, StringConstraints(pattern=r"^[^'\"\\{}]{1,200}$")]
"""Name that stands in a query of ours."""


class System(Closed):
    """A ticket system that HTTP is spoken to with."""

    url: Url = Field(description="https://HOST/PATH; without encryption only on the loopback.")
    ca: KeptFile | None = Field(
        default=None, description="Who signed its certificate; null: the system's."
    )
    proxy: Proxy | None = Field(
        default=None, description="The environment's proxies are not looked at."
    )


class ServiceNowSettings(System):
    """A ServiceNow instance: changes in their first state."""

    user: Text | None = None
    password: Secret | None = None
    client_id: Text | None = Field(
        default=None, description="For OAuth's client credentials, instead of user and password."
    )
    client_secret: Secret | None = None
    table_api: StrictBool = Field(
        default=False, description="The plain table instead of the Change Management API."
    )
    fields: dict[Word, str] = Field(
        default={}, description="Of a new change, such as assignment_group; not ours."
    )
    items: dict[Text, SysId] = Field(
        default={},
        description="Of a new change, cmdb_ci by cluster, or by node; fields.cmdb_ci for others.",
    )
    comments: Literal["work_notes", "comments"] = "work_notes"
    closing: dict[Word, str] = Field(
        default={}, description="Fields that close a change, such as state and close_code."
    )
    reopening: dict[Word, str] = Field(default={}, description="Fields that open it again.")

    @model_validator(mode="after")
    def _one_login(self) -> Self:
        given = [bool(one) for one in (self.user, self.password)]
        oauth = [bool(one) for one in (self.client_id, self.client_secret)]
        if (all(given), any(oauth)) != (True, False) and (all(oauth), any(given)) != (True, False):
            raise ValueError(
                "the log-in is not one (expected user and password, or client_id and client_secret)"
            )
        return self


class JiraSettings(System):
    """A Jira: issues of one project and type."""

    project: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,99}$")] = Field(
        description="Key of the project."
    )
    issue_type: Text = "Change"
    token: Secret
    fields: dict[Word, JsonValue] = Field(
        default={}, description="Of a new issue, as the API has them; not ours."
    )
    start_field: Word | None = Field(
        default=None, description="Field of date and time for the planned start."
    )
    end_field: Word | None = None
    done: Text | None = Field(
        default=None, description="Transition that closes an issue; null: people do it."
    )
    reopened: Text | None = Field(default=None, description="Transition that opens it again.")


class JiraCloudSettings(JiraSettings):
    """A Jira Cloud site; the log-in is the e-mail address of an account and its API token."""

    user: Text


class RtSettings(System):
    """Request Tracker 5; the URL is that of RT itself, without REST/2.0."""

    queue: Plain
    token: Secret
    requestor: Text | None = None
    custom_field: Plain | None = Field(
        description="Of the queue, for our key; null, said and not left out: the subject alone."
    )
    fields: dict[Word, JsonValue] = Field(
        default={}, description="Of a new ticket, such as Priority or Owner; not ours."
    )
    correspond: StrictBool = Field(
        default=False, description="Mail comments to the requestor, too."
    )
    done: Word | None = Field(
        default=None, description="Status that closes a ticket; null: people do it."
    )
    reopened: Word | None = Field(default=None, description="Status that opens it again.")
    ended: tuple[Word, ...] = Field(
        default=("resolved", "rejected", "deleted"), description="Statuses that people close with."
    )


class MailTickets(Closed):
    """Changes as threads of mail, through `relay:`."""

    to: Annotated[People, Field(min_length=1)]


class WebhookSettings(System):
    """A receiver of the site's own; each event is signed."""

    secret: Secret = Field(description="For the signature.")
    authorization: Secret | None = Field(
        default=None, description="The whole header, where the receiver wants one."
    )


Remote = ServiceNowSettings | JiraCloudSettings | JiraSettings | RtSettings | WebhookSettings


class TicketSystems(Closed):
    """Ticket systems beside the folders; null: not that one."""

    servicenow: ServiceNowSettings | None = None
    jira_cloud: JiraCloudSettings | None = None
    jira_dc: JiraSettings | None = None
    rt: RtSettings | None = None
    mail: MailTickets | None = None
    webhook: WebhookSettings | None = None

    def remote(self) -> dict[str, Remote]:
        """Return those that HTTP is spoken to with, by name."""
        given = {
            "servicenow": self.servicenow, "jira_cloud": self.jira_cloud, "jira_dc": self.jira_dc,
            "rt": self.rt, "webhook": self.webhook,
        }  # fmt: skip
        return {name: one for name, one in given.items() if one is not None}

    def cannot_close(self) -> tuple[str, ...]:
        """Return the systems that are not told how to close a ticket and open it again."""
        found = [name for name, one in self.remote().items() if not _closes(one)]
        return tuple(found)


def _closes(system: Remote) -> bool:
    if isinstance(system, ServiceNowSettings):
        return bool(system.closing and system.reopening)
    if isinstance(system, WebhookSettings):
        return True
    return bool(system.done and system.reopened)
