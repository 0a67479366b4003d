"""Text of a steps file -> Scenario, or the first fault with its place and what was expected."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from watcher.errors import InputError, Location
from watcher.model.release import Release
from watcher.orders.lines import Line, is_plain, lines, listed, plain_lines
from watcher.orders.schema import (
    FileCluster,
    FileGroup,
    FilePeer,
    Interaction,
    Mixed,
    Role,
    StepsFile,
)
from watcher.orders.verbs import read_steps
from watcher.orders.words import PER_NODE, StepError, Vocabulary, canonical, read_certificate
from watcher.rules.document import Document, Path, read_document
from watcher.rules.faults import checked, fault
from watcher.trust.branch import UNKNOWNS
from watcher.trust.names import CLUSTER, Certificate, CtlKind, Kind, Service, certificate
from watcher.trust.release import profile
from watcher.trust.rulebook import RULES
from watcher.trust.scenario import (
    CapfAuth,
    Dot1x,
    Group,
    HeldItl,
    Mode,
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


def read(name: str, text: str, base: Scenario | None = None) -> Scenario:
    """Read a steps file; `base` holds the cluster and the phones where the file has none."""
    if is_plain(text):
        start = Location(name, 1, 1)
        order = list(plain_lines(name, text))
        if not order:
            raise InputError("there is no step", where=start, expected="a step to a line")
        return with_steps(_given(base, start), order)
    document = read_document(name, text)
    if isinstance(document.data, list) or document.data is None:
        scenario = _given(base, document.where(()))
        return with_steps(scenario, listed(document, (), document.data or []))
    file = checked(StepsFile, document)
    if file.cluster is None and (file.groups or file.external):
        key = "groups" if file.groups else "external"
        raise fault(
            document, (key,), "it stands without a cluster", "cluster: ... in the same file"
        )
    if file.cluster is not None and base is not None:
        raise fault(document, ("cluster",), "an inventory was given as well", "one of the two")
    given = file.cluster is not None
    scenario = _scenario(document, file) if given else _given(base, document.where(()))
    scenario = replace(
        scenario,
        assume=_assumed(document, file),
        accept=frozenset(_accepted(document, file)),
    )
    return with_steps(scenario, list(lines(document, file.steps)))


def _given(base: Scenario | None, where: Location) -> Scenario:
    if base is None:
        raise InputError(
            "the file holds no cluster", where=where,
            expected="the keys cluster, groups and steps, or --inventory FILE",
        )  # fmt: skip
    return base


def with_steps(scenario: Scenario, order: Sequence[Line]) -> Scenario:
    """Return the scenario with an order of steps; the first that cannot be read is an error."""
    peers = tuple(peer.name for peer in scenario.peers)
    vocabulary = Vocabulary(scenario.nodes, scenario.groups, scenario.shared, peers)
    try:
        steps = tuple(read_steps([line.text for line in order], vocabulary))
    except StepError as error:
        where = order[error.number - 1].where
        raise InputError(error.problem, where=where, expected=error.expected) from error
    return replace(scenario, steps=steps)


def _scenario(document: Document, file: StepsFile) -> Scenario:
    assert file.cluster is not None  # noqa: S101 -- the caller looked
    cluster = file.cluster
    try:
        release = Release.parse(cluster.release)
    except InputError as error:
        raise fault(document, ("cluster", "release"), error.problem, error.expected) from error
    nodes = tuple(_nodes(document, cluster))
    groups = tuple(_group(document, i, g, cluster) for i, g in enumerate(file.groups))
    _refuse_twins(document, ("groups",), [group.name for group in groups])
    _refuse_twins(document, ("external",), [peer.name for peer in file.external])
    if not groups:
        raise fault(document, (), "there is no phone group", "groups: a list")
    ctl_kind = None if cluster.mixed is Mixed.NO else CtlKind(cluster.mixed.value)
    tokens = cluster.etokens_available
    shared = _shared(document, cluster)
    names = _Names(document, nodes, shared)
    return Scenario(
        profile=profile(release), nodes=nodes, groups=groups, steps=(), ctl_kind=ctl_kind,
        tokens=tokens if tokens is not None else 2 if ctl_kind is CtlKind.ETOKEN else 0,
        licensed=cluster.export_controlled_license, replication_ok=cluster.db_replication_ok,
        rollback=cluster.rollback_pre80,
        interaction_manual=cluster.phone_interaction is Interaction.MANUAL,
        backed_up=bool(cluster.backups), exported_key=cluster.itlrecovery_p12_exported,
        saved=_saved(cluster, names),
        expired=names.all(cluster.expired, ("cluster", "expired")), shared=shared,
        peers=tuple(_peers(file.external, groups, names)),
    )  # fmt: skip


def _saved(cluster: FileCluster, names: "_Names") -> frozenset[Certificate] | None:
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
            services |= {Service.DRF_FIRST, Service.CAPF}
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


def _group(document: Document, index: int, group: FileGroup, cluster: FileCluster) -> Group:
    known = {node.name.lower(): node.name for node in cluster.nodes}

    def named(key: str, names: Iterable[str]) -> tuple[str, ...]:
        for name in names:
            if name.lower() not in known:
                raise fault(
                    document, ("groups", index, key), f"{name!r} is not a node",
                    f"one of {', '.join(known.values())}",
                )  # fmt: skip
        return tuple(known[name.lower()] for name in names)

    tftp = named("tftp", group.tftp)
    return Group(
        name=group.name, tftp=tftp, cm_group=named("cm_group", group.cm_group), sbd=group.sbd,
        mode=group.mode, held_itl=_held(document, index, group, tftp, named),
        held_ctl=group.held.ctl is None or group.held.ctl.lower() != "none", lsc=_lsc(group),
        lsc_expired=group.lsc_expired, mic=group.mic, capf_auth=group.capf_auth or CapfAuth.NULL,
        dot1x=group.dot1x, vpn=group.vpn, https_services=group.https_services,
        tvs_reachable=group.tvs_reachable, online=group.online, count=group.count,
    )  # fmt: skip


def _held(
    document: Document, index: int, group: FileGroup, tftp: tuple[str, ...],
    named: Callable[[str, Iterable[str]], tuple[str, ...]],
) -> str | HeldItl:  # fmt: skip
    """Return whose list the phones hold: the first TFTP server's unless told otherwise."""
    held = group.held
    if held.itl_from is not None:
        return named("held", [held.itl_from])[0]
    if held.itl is None:
        return tftp[0]
    try:
        return HeldItl(held.itl.lower())
    except ValueError:
        expected = f"one of {', '.join(HeldItl)}"
        raise fault(
            document, ("groups", index, "held", "itl"), f"{held.itl!r} is not known", expected
        ) from None


def _lsc(group: FileGroup) -> Certificate | None:
    if isinstance(group.lsc, int):
        return certificate(Kind.CAPF, CLUSTER, group.lsc)
    if isinstance(group.lsc, str):
        return Certificate(group.lsc)
    secure = group.mode is not Mode.NON_SECURE and not group.mic
    needs = secure or group.dot1x is Dot1x.LSC or (group.vpn and not group.mic)
    return (
        certificate(Kind.CAPF, CLUSTER, 0)
        if needs and "lsc" not in group.model_fields_set
        else None
    )


class _Names:
    """Names of certificates in a file, made those of the model."""

    def __init__(self, document: Document, nodes: Iterable[Node], shared: frozenset[str]) -> None:
        self.document = document
        self.vocabulary = Vocabulary(tuple(nodes), (), shared)

    def one(self, text: str, path: Path) -> Certificate:
        found = read_certificate(text.replace(" ", "/"))
        if found is None:
            raise self._fault(path, f"{text!r} is not a certificate")
        kind, owner, generation = found
        node = self.vocabulary.node(owner) if owner else self._lone(kind, text, path)
        if node is None:
            raise self._fault(path, f"{text!r}: {owner!r} is not a node")
        return canonical((kind, node, generation), self.vocabulary)

    def _lone(self, kind: str, text: str, path: Path) -> str:
        """Return the owner of a certificate that is named without one."""
        nodes = self.vocabulary.nodes
        if kind in PER_NODE and kind not in self.vocabulary.shared and len(nodes) > 1:
            raise self._fault(path, f"{text!r}: whose it is, is not said")
        return self.vocabulary.publisher if kind in PER_NODE else CLUSTER

    def _fault(self, path: Path, problem: str) -> InputError:
        return fault(self.document, path, problem, "CallManager/P#0 or CAPF#0")

    def all(self, texts: Iterable[str], path: Path) -> frozenset[Certificate]:
        return frozenset(self.one(text, (*path, i)) for i, text in enumerate(texts))


def _shared(document: Document, cluster: FileCluster) -> frozenset[str]:
    known = {kind.lower(): kind for kind in Kind}
    for index, store in enumerate(cluster.multi_san):
        if store.lower() not in known:
            raise fault(
                document, ("cluster", "multi_san", index), f"{store!r} is not a store",
                f"one of {', '.join(Kind)}",
            )  # fmt: skip
    return frozenset(known[store.lower()] for store in cluster.multi_san)


def _peers(listed: Iterable[FilePeer], groups: Iterable[Group], names: _Names) -> Iterable[Peer]:
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
