"""Tiny finished plans by hand, step by step, without the planner."""

from dataclasses import replace

from watcher.app.knowledge import load_catalogue
from watcher.inventory.schema import Certificate, Cluster, Duty, Features, Issuer, Node, NodeRole
from watcher.model.plan import ChangePlan, Cite, CommandLine, Step
from watcher.model.release import Release
from watcher.rules.select import select
from watcher.rules.store import Need, On
from watcher.safety.check import check
from watcher.safety.known import Known

CATALOGUE = load_catalogue()
ALL = (Duty.CALL_PROCESSING, Duty.TFTP, Duty.CTI)
STORES = ("tomcat", "tomcat-ECDSA", "ipsec", "CAPF", "CallManager", "CallManager-ECDSA", "TVS",
          "ITLRecovery")  # fmt: skip
NOTHING = dict.fromkeys(Features.model_fields, False)
PHONES = "phones"


def node(name, duties=ALL, **values):
    role = NodeRole.PUBLISHER if name == "pub" else NodeRole.SUBSCRIBER
    return Node(name=name, duties=duties, **({"role": role} | values))


def cluster(*nodes, release="9.1(2)", mode="non-secure", known=(), features=(), **values):
    """Return a cluster of which everything is known: nothing used, all self-signed.

    `known` are certificates that stand instead of the self-signed ones of their store.
    """
    nodes = nodes or (node("pub"), node("sub1"))
    other = {certificate.store for certificate in known}
    own = [
        Certificate(store=store, node=one.name, issuer=Issuer.SELF_SIGNED)
        for store in STORES
        for one in nodes
        if store not in other
    ]
    return Cluster(
        name="graz", release=Release.parse(release) if release else None, security_mode=mode,
        ctl_method="tokenless" if mode == "mixed" else None, nodes=nodes,
        features=Features(**(NOTHING | dict(features))),
        certificates=(*known, *own), **values,
    )  # fmt: skip


def step(key, at="pub", store=None, service=None, **values):
    """Return a step of a template; `at` is a node, or words for another place."""
    named = at if at in {"pub", "sub1", "sub2", "imp1"} else None
    template = CATALOGUE.steps.get(key)
    drawn = Step(
        number=0, key=key, kind=template.kind.value if template else "check", title=key,
        node=named, where=at, block=store or "", lane=at, store=store, service=service,
    )  # fmt: skip
    return replace(drawn, **values)


def commanded(one, *texts):
    """Return a step with command lines."""
    cite = Cite(sources=("OWN",), releases="all", confidence="own")
    return replace(one, command=tuple(CommandLine(text=text, cite=cite) for text in texts))


def renew(store, *at, key="regenerate", **values):
    return [step(key, one, store, **values) for one in at]


def restart(store, service, *at):
    return [step("restart-service", one, store, service) for one in at]


def restarts(store, known, *changed, but=()):
    """Return the required restarts of a store's table, publisher first; `but` rests."""
    asked = Known(known, CATALOGUE)
    rows = select(
        CATALOGUE.stores[store].restarts, asked.release, asked.facts_at(store, changed[0])
    )
    found = []
    for row in (row.item for row in rows if row.item.need is Need.REQUIRED):
        nodes = asked.running(CATALOGUE.services[row.service])
        nodes = changed if row.on is On.CHANGED else nodes
        found += restart(store, row.service, *(n for n in nodes if (row.service, n) not in but))
    return found


def gate(**values):
    """Return the barrier: reset phones and wait for them."""
    return [step("reset-phones", PHONES, **values), step("wait-registrations", PHONES, **values)]


def ctl(**values):
    return [step("ctl-update", "pub", **values)]


def one_server(known, at, store="CallManager"):
    """Return the change of one TFTP server as O2 wants it."""
    tftp = "cisco-tftp"
    return [
        step("stop-service", at, store, tftp),
        *renew(store, at),
        *restarts(store, known, at, but={(tftp, at)}),
        *gate(),
        step("start-service", at, store, tftp),
    ]


def whole(known, store, *at):
    """Return renewal, restarts and barrier of a store, without CTL."""
    return [*renew(store, *at), *restarts(store, known, *at), *gate()]


CHECKS = (
    "check-security-mode", "check-rollback-parameter", "check-replication",
    "check-callmanager-groups", "check-license", "check-lsc-use", "check-phone-itl",
    "check-itl-size", "record-baseline", "export-recovery-key",
)  # fmt: skip
HEAD = (
    step("check-issuer", "each node"),
    *(step(key) for key in CHECKS),
    step("backup"),
    step("verify-backup"),
)
TAIL = (step("final-backup"), step("verify-final-backup"))


def plan(body, head=HEAD, tail=TAIL, **values):
    """Return a finished plan: each step waits for the one before."""
    steps = tuple(
        replace(one, number=i, depends_on=one.depends_on or ((i - 1,) if i > 1 else ()))
        for i, one in enumerate((*head, *body, *tail), 1)
    )
    empty = dict.fromkeys(ChangePlan.__dataclass_fields__, ())
    scalars = {
        "cluster": None, "release": None, "as_of": None, "headline": "", "way": "", "minutes": 0,
        "point_of_no_return": None,
    }  # fmt: skip
    return ChangePlan(**(empty | scalars | {"steps": steps} | values))


def broken(body, known, **parts):
    """Return the ids of the rules that a plan breaks."""
    return {found.rule for found in check(plan(body, **parts), known, CATALOGUE)}


def without(steps, *names):
    """Return the steps without those of a template, service or node."""
    return [one for one in steps if not {one.key, one.service, one.where} & set(names)]
