"""Text of a steps file -> Scenario, or the first fault with its place and what was expected."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from watcher.errors import InputError, Location
from watcher.model.release import Release
from watcher.orders.certificates import Names
from watcher.orders.groups import read_group
from watcher.orders.lines import Line, is_plain, lines, listed, plain_lines
from watcher.orders.possible import mode_fault, refuse_impossible, shared_by
from watcher.orders.schema import (
    FileCluster,
    FilePeer,
    Interaction,
    Mixed,
    Role,
    Security,
    StepsFile,
)
from watcher.orders.verbs import read_steps
from watcher.orders.words import PER_NODE, StepError, Vocabulary
from watcher.rules.document import Document, Path, read_document
from watcher.rules.faults import checked, fault
from watcher.trust.branch import UNKNOWNS
from watcher.trust.names import CLUSTER, Certificate, CtlKind, Kind, Service, certificate, kind_of
from watcher.trust.release import profile
from watcher.trust.rulebook import RULES
from watcher.trust.scenario import (
    Dot1x,
    Group,
    Node,
    Peer,
    PeerKind,
    Scenario,
)

_RUN_BY_ROLE = {
    Role.TFTP: Service.TFTP, Role.CCM: Service.CCM, Role.TVS: Service.TVS, Role.CAPF: Service.CAPF,
}  # fmt: skip
_NEEDS = {
    PeerKind.EXPRESSWAY: Kind.CALLMANAGER, PeerKind.SIP: Kind.CALLMANAGER,
    PeerKind.UNITY_CONNECTION: Kind.CALLMANAGER, PeerKind.CCX: Kind.TOMCAT,
    PeerKind.IDP: Kind.TOMCAT, PeerKind.EMCC: Kind.CALLMANAGER,
}  # fmt: skip
"""Store that a party outside checks, unless the file says so; RADIUS, VPN and SRST: CAPF (1.7)."""


def read(name: str, text: str, base: Scenario | None = None, *, possible: bool = False) -> Scenario:
    """Read a steps file; `base` holds the cluster and the phones where the file has none.

    With `possible`, modes and commands that the cluster cannot have are refused; without, the
    model answers what becomes of them: nothing.
    """
    scenario, order = _read(name, text, base, possible=possible)
    return with_steps(scenario, order, possible=possible)


def _read(
    name: str, text: str, base: Scenario | None, *, possible: bool
) -> tuple[Scenario, list[Line]]:
    if is_plain(text):
        start = Location(name, 1, 1)
        order = list(plain_lines(name, text))
        if not order:
            raise InputError("there is no step", where=start, expected="a step to a line")
        return _given(base, start), order
    document = read_document(name, text)
    if isinstance(document.data, list) or document.data is None:
        scenario = _given(base, document.where(()))
        return scenario, listed(document, (), document.data or [])
    file = checked(StepsFile, document)
    if file.cluster is None and (file.groups or file.external):
        key = "groups" if file.groups else "external"
        raise fault(
            document, (key,), "it stands without a cluster", "cluster: ... in the same file"
        )
    if file.cluster is not None and base is not None:
        raise fault(document, ("cluster",), "an inventory was given as well", "one of the two")
    if file.cluster is not None:
        scenario = _scenario(document, file, possible=possible)
    else:
        scenario = _given(base, document.where(()))
    scenario = replace(
        scenario,
        assume=_assumed(document, file),
        accept=frozenset(_accepted(document, file)),
    )
    return scenario, list(lines(document, file.steps))


def _given(base: Scenario | None, where: Location) -> Scenario:
    if base is None:
        raise InputError(
            "the file holds no cluster", where=where,
            expected="the keys cluster, groups and steps, or --inventory FILE",
        )  # fmt: skip
    return base


def with_steps(scenario: Scenario, order: Sequence[Line], *, possible: bool = False) -> Scenario:
    """Return the scenario with an order of steps; the first that cannot be read is an error."""
    try:
        return ordered(scenario, [line.text for line in order], possible=possible)
    except StepError as error:
        where = order[error.number - 1].where
        raise InputError(error.problem, where=where, expected=error.expected) from error


def ordered(scenario: Scenario, texts: Sequence[str], *, possible: bool = False) -> Scenario:
    """Return the scenario with steps in words; StepError at the first that cannot be read.

    A store for which they upload one certificate for all nodes is shared from the start.
    """
    peers = tuple(peer.name for peer in scenario.peers)
    vocabulary = Vocabulary(scenario.nodes, scenario.groups, scenario.shared, peers)
    steps = tuple(read_steps(texts, vocabulary))
    several = frozenset(shared_by(steps, PER_NODE)) - scenario.shared
    if several:
        return ordered(_sharing(scenario, several), texts, possible=possible)
    if possible:
        refuse_impossible(scenario, steps)
    return replace(scenario, steps=steps)


def _sharing(scenario: Scenario, stores: frozenset[str]) -> Scenario:
    """Return the cluster as if these stores had one certificate for all nodes from the start."""

    def renamed(names: Iterable[Certificate]) -> frozenset[Certificate]:
        return frozenset(
            certificate(kind_of(name), CLUSTER, int(name.partition("#")[2]))
            if kind_of(name) in stores
            else name
            for name in names
        )

    return replace(
        scenario, shared=scenario.shared | stores, expired=renamed(scenario.expired),
        saved=None if scenario.saved is None else renamed(scenario.saved),
        peers=tuple(replace(peer, trusted=renamed(peer.trusted)) for peer in scenario.peers),
    )  # fmt: skip


def _scenario(document: Document, file: StepsFile, *, possible: bool) -> Scenario:
    assert file.cluster is not None  # noqa: S101 -- the caller looked
    cluster = file.cluster
    try:
        release = Release.parse(cluster.release)
    except InputError as error:
        raise fault(document, ("cluster", "release"), error.problem, error.expected) from error
    nodes = tuple(_nodes(document, cluster))
    _refuse_twins(document, ("groups",), [group.name for group in file.groups])
    _refuse_twins(document, ("external",), [peer.name for peer in file.external])
    names = Names(document, nodes, _shared(document, cluster))
    groups = tuple(read_group(i, group, names) for i, group in enumerate(file.groups))
    if not groups:
        raise fault(document, (), "there is no phone group", "groups: a list")
    made = profile(release)
    ctl_kind = _ctl_kind(document, cluster)
    wrong = mode_fault(made, ctl_kind) if possible else None
    if wrong is not None:
        key = "mixed" if "mixed" in cluster.model_fields_set else "ctl_kind"
        raise fault(document, ("cluster", key), *wrong)
    tokens = cluster.etokens_available
    return Scenario(
        profile=made, nodes=nodes, groups=groups, steps=(), ctl_kind=ctl_kind,
        tokens=tokens if tokens is not None else 2 if ctl_kind is CtlKind.ETOKEN else 0,
        licensed=cluster.export_controlled_license, replication_ok=cluster.db_replication_ok,
        rollback=cluster.rollback_pre80,
        interaction_manual=cluster.phone_interaction is Interaction.MANUAL,
        backed_up=any(cluster.backups), exported_key=cluster.itlrecovery_p12_exported,
        saved=_saved(cluster, names),
        expired=names.all(cluster.expired, ("cluster", "expired")),
        shared=names.vocabulary.shared,
        peers=tuple(_peers(file.external, groups, names)),
    )  # fmt: skip


def _ctl_kind(document: Document, cluster: FileCluster) -> CtlKind | None:
    """Return who signs the CTL: told by `mixed`, or by `security_mode` and `ctl_kind`."""
    keys = ("mixed", "security_mode", "ctl_kind")
    told = [key for key in keys if key in cluster.model_fields_set]
    if "mixed" in told and len(told) > 1:
        problem, expected = "it says again what mixed says", f"mixed, or {' and '.join(told[1:])}"
        raise fault(document, ("cluster", told[1]), problem, expected)
    chosen = cluster.mixed if "mixed" in told else cluster.ctl_kind
    kind = None if chosen in (None, Mixed.NO) else CtlKind(chosen.value)
    if cluster.security_mode is Security.MIXED and kind is None:
        problem, expected = "who signs the CTL is not said", "ctl_kind: tokenless or etoken"
        raise fault(document, ("cluster", "security_mode"), problem, expected)
    if cluster.security_mode is Security.NON_SECURE and kind is not None:
        problem, expected = "this cluster has no CTL", "none, or security_mode: mixed"
        raise fault(document, ("cluster", "ctl_kind"), problem, expected)
    return kind


def _saved(cluster: FileCluster, names: Names) -> frozenset[Certificate] | None:
    if cluster.saved_certs is None:
        return None
    return names.all(cluster.saved_certs, ("cluster", "saved_certs"))


def _nodes(document: Document, cluster: FileCluster) -> Iterable[Node]:
    publishers = [node.name for node in cluster.nodes if Role.PUBLISHER in node.roles]
    where = ("cluster", "nodes")
    if len(publishers) != 1:
        raise fault(document, where, f"{len(publishers)} nodes are publisher", "exactly one PUB")
    _refuse_twins(document, where, [node.name for node in cluster.nodes])
    for node in cluster.nodes:
        services = {_RUN_BY_ROLE[role] for role in node.roles if role in _RUN_BY_ROLE}
        services |= {Service.TOMCAT, Service.DRF_LOCAL}
        if Role.PUBLISHER in node.roles:
            services |= {Service.DRF_CENTRAL, Service.CAPF}
        yield Node(
            name=node.name, publisher=Role.PUBLISHER in node.roles, services=frozenset(services)
        )


def _refuse_twins(document: Document, path: Path, names: Iterable[str]) -> None:
    """Refuse a name that stands twice: steps could not tell the two apart."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name.lower() in seen:
            problem = f"{name!r} stands twice"
            raise fault(document, (*path, index, "name"), problem, "names that differ")
        seen.add(name.lower())


def _shared(document: Document, cluster: FileCluster) -> frozenset[str]:
    known = {kind.lower(): kind for kind in Kind}
    for index, store in enumerate(cluster.multi_san):
        if store.lower() not in known:
            raise fault(
                document, ("cluster", "multi_san", index), f"{store!r} is not a store",
                f"one of {', '.join(Kind)}",
            )  # fmt: skip
    return frozenset(known[store.lower()] for store in cluster.multi_san)


def _peers(listed: Iterable[FilePeer], groups: Iterable[Group], names: Names) -> Iterable[Peer]:
    """Yield the parties outside; what a group needs and the file does not list, as it must be."""
    kinds = set()
    for index, peer in enumerate(listed):
        kinds.add(peer.kind)
        needs = peer.needs or _NEEDS.get(peer.kind, Kind.CAPF)
        yield Peer(
            name=peer.name,
            kind=peer.kind,
            needs=needs,
            trusted=names.all(peer.trusted, ("external", index, "trusted")),
        )
    yield from implied_peers(groups, kinds)


def implied_peers(groups: Iterable[Group], listed: set[PeerKind]) -> Iterable[Peer]:
    """Yield the RADIUS server and the VPN headend that groups need and nobody listed."""
    wanted = (
        (PeerKind.RADIUS, lambda group: group.dot1x is Dot1x.LSC),
        (PeerKind.VPN, lambda group: group.vpn),
    )
    issuers = frozenset(group.lsc for group in groups if group.lsc)
    trusted = issuers or frozenset({certificate(Kind.CAPF, CLUSTER, 0)})
    for kind, needs in wanted:
        if kind not in listed and any(needs(group) for group in groups):
            yield Peer(name=kind.value, kind=kind, needs=Kind.CAPF, trusted=trusted)


def _assumed(document: Document, file: StepsFile) -> dict[str, str]:
    """Return the answers taken for granted; each must be one of the two a question has."""
    answers = {}
    for name, value in file.assume.items():
        unknown = UNKNOWNS.get(name.upper())
        if unknown is None:
            raise fault(
                document, ("assume", name), f"{name} is no open question",
                f"one of {', '.join(UNKNOWNS)}",
            )  # fmt: skip
        text = {True: "yes", False: "no"}.get(value, str(value)).lower().replace(" ", "_")
        if text not in (unknown.careful, unknown.other):
            raise fault(
                document, ("assume", name), f"{value!r} is no answer to {unknown.id}",
                f"{unknown.careful} or {unknown.other}",
            )  # fmt: skip
        answers[unknown.id] = text
    return answers


def _accepted(document: Document, file: StepsFile) -> Iterable[str]:
    for index, name in enumerate(file.accept):
        if name not in RULES:
            raise fault(
                document, ("accept", index), f"{name!r} is no invariant", "an id such as I-3"
            )
        yield name
