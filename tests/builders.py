"""Alarms, clusters and plans for tests: sensible defaults, anything overridden by keyword.

An alarm is built as the text of a message and read by the real parser, so that no test plans for
an alarm that cannot arrive.
"""

from datetime import UTC, datetime

from watcher import pipeline
from watcher.app.knowledge import load_catalogue
from watcher.inventory.schema import (
    Certificate,
    Cluster,
    Duty,
    Inventory,
    Issuer,
    Node,
    NodeRole,
    SecurityMode,
)
from watcher.model.alarm import Tally
from watcher.model.plan import ChangePlan, Finding, Step
from watcher.model.release import Release
from watcher.planner.findings import fold, gather
from watcher.planner.plan import draw_plans, newest_event
from watcher.planner.sketch import Ground
from watcher.planner.terrain import survey
from watcher.rules.work import StepKind

CATALOGUE = load_catalogue()
AS_OF = datetime(2026, 11, 20, 12, tzinfo=UTC)
ALL_DUTIES = (Duty.CALL_PROCESSING, Duty.TFTP, Duty.CTI)

TEXT = (
    "<{pri}>{seq}: {host}: {time} UTC :  %UC_CERT-{severity}-{mnemonic}: "
    "%[Message=Certificate expiration Notification. Certificate name:{certificate} Unit:{store} "
    "Type:{type} Expiration:{expiry}][AppID={app_id}][ClusterID={cluster_id}][NodeID={node}]: "
    "{text}"
)
DEFAULTS = {
    "pri": "189",
    "seq": "864",
    "host": "cm.example.test",
    "time": "Nov 20 2026 01:00:06.544",
    "severity": "2",
    "mnemonic": "CertValidfor7days",
    "certificate": None,
    "store": "tomcat",
    "type": "own-cert",
    "expiry": "Wed Nov 25 14:05:",
    "app_id": "Cisco Certificate Monitor",
    "cluster_id": "",
    "node": "pub",
    "text": "Alarm to indicate that Certificate has Expired or Expires in less than seven days",
}
"""The fields of a message; its certificate ends five days after it."""


def message(**fields: str) -> str:
    """Return the text of a certificate alarm; an unknown field is an error."""
    unknown = fields.keys() - DEFAULTS.keys()
    assert not unknown, f"no such field: {unknown}"
    values = DEFAULTS | fields
    values["certificate"] = values["certificate"] or f"{values['store']}.der"
    return TEXT.format_map(values)


def events(*texts: str):
    """Read messages as the program does, each as an input of its own."""
    return [
        event
        for text in texts
        for event in pipeline.read([text.encode() + b"\n"], CATALOGUE.alarms, Tally())
    ]


def alarm(**fields: str):
    """Return the certificate alarm that `message(**fields)` is read as."""
    (event,) = events(message(**fields))
    return event


def related(app: str, mnemonic: str, node: str = "pub", severity: str = "4"):
    """Return another UC alarm, such as DRF's failed backup."""
    text = (
        f"<187>12: {node}: Nov 20 2026 02:10:06.544 UTC :  %UC_{app}-{severity}-{mnemonic}: "
        f"%[Reason=local][AppID=Cisco {app}][ClusterID=][NodeID={node}]: text"
    )
    (event,) = events(text)
    return event


def node(name: str = "pub", **values) -> Node:
    """Return a CUCM node that does everything; `pub` is the publisher."""
    role = NodeRole.PUBLISHER if name == "pub" else NodeRole.SUBSCRIBER
    return Node(**({"name": name, "role": role, "duties": ALL_DUTIES} | values))


def cluster(*nodes: Node, release: str | None = "12.5(1)SU4", **values) -> Cluster:
    """Return a non-secure cluster; of `pub` and `sub1` unless nodes are given."""
    defaults = {
        "name": "graz",
        "release": Release.parse(release) if release else None,
        "security_mode": SecurityMode.NON_SECURE,
        "nodes": nodes or (node("pub"), node("sub1")),
    }
    return Cluster(**(defaults | values))


def certificate(store: str = "tomcat", at: str | None = "pub", **values) -> Certificate:
    """Return a self-signed certificate of the inventory."""
    return Certificate(**({"store": store, "node": at, "issuer": Issuer.SELF_SIGNED} | values))


def inventory(*clusters: Cluster) -> Inventory | None:
    """Return the inventory of these clusters; None when there are none."""
    return Inventory(version=1, clusters=clusters) if clusters else None


def ground(known: Cluster | None = None) -> Ground:
    """Return the catalogue and what is known of a cluster."""
    return Ground(CATALOGUE, survey(known))


def findings(alarms, *clusters: Cluster, as_of: datetime | None = AS_OF) -> tuple[Finding, ...]:
    """Return what the alarms fold into."""
    sightings, _ = gather(alarms, inventory(*clusters), CATALOGUE)
    return fold(sightings, as_of)


def plans(alarms, *clusters: Cluster, as_of: datetime | None = AS_OF) -> tuple[ChangePlan, ...]:
    """Return the plans for alarms as they are drawn, before anybody checks them."""
    told = list(alarms)
    return draw_plans(told, inventory(*clusters), CATALOGUE, as_of or newest_event(told))


def plan(alarms, *clusters: Cluster, as_of: datetime | None = AS_OF) -> ChangePlan:
    """Return the one plan for alarms."""
    (drawn,) = plans(alarms, *clusters, as_of=as_of)
    return drawn


def of(drawn: ChangePlan, *kinds: StepKind) -> list[Step]:
    """Return the steps of some kinds."""
    return [step for step in drawn.steps if step.kind in kinds]


def keys(drawn: ChangePlan) -> list[str]:
    """Return the step templates in order."""
    return [step.key for step in drawn.steps]


def deeds(drawn: ChangePlan, *kinds: StepKind) -> list[tuple[str | None, str]]:
    """Return store and place of the steps of some kinds, in order."""
    return [(step.store, step.where) for step in of(drawn, *kinds)]


def command_texts(drawn: ChangePlan) -> list[str]:
    """Return every command line of a plan, those of the questions included."""
    lines = [line for step in drawn.steps for line in step.command]
    lines += [line for question in drawn.questions for line in question.command]
    return [line.text for line in lines]


def ask(drawn: ChangePlan) -> set[str]:
    """Return the ids of the open questions."""
    return {question.id for question in drawn.questions}
