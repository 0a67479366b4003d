"""Facts of several pastes put together into one cluster of an inventory."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from watcher.inventory.lookup import node_of
from watcher.inventory.schema import (
    Certificate,
    Cluster,
    Duty,
    Node,
    NodeRole,
    Product,
    SecurityMode,
)
from watcher.transcripts.cert import CertFacts
from watcher.transcripts.certificates import Certificates
from watcher.transcripts.certlist import CertListFacts
from watcher.transcripts.ctl import CtlFacts
from watcher.transcripts.itl import MOST_CERTIFICATES, ItlFacts
from watcher.transcripts.network import ListedNode, NetworkFacts
from watcher.transcripts.parameter import ParameterFacts
from watcher.transcripts.pem import PemFacts
from watcher.transcripts.reading import Paste, Reading
from watcher.transcripts.services import ServiceFacts
from watcher.transcripts.version import VersionFacts

Model = TypeVar("Model", bound=BaseModel)

_DUTY_SERVICES = (
    ("cisco callmanager", Duty.CALL_PROCESSING),
    ("cisco tftp", Duty.TFTP),
    ("cisco ctimanager", Duty.CTI),
)
"""The service that makes a node do a duty, as `utils service list` names it."""

_MOST_NAMES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the person adds to the pastes; `known` is the cluster of an inventory to complete."""

    cluster: str
    node: str | None = None
    zone: ZoneInfo | None = None
    known: Cluster | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something for the person: what was read, or (`open_end`) what was not and why."""

    file: str
    line: int
    text: str
    open_end: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The cluster as the pastes show it, and everything a person must be told."""

    cluster: Cluster
    build: str | None
    notes: tuple[Note, ...]


@dataclass(slots=True)
class _Draft:
    options: Options
    values: dict[str, object] = field(default_factory=dict)
    nodes: dict[str, dict[str, object]] = field(default_factory=dict)
    certificates: Certificates = field(default_factory=Certificates)
    notes: list[Note] = field(default_factory=list)
    build: str | None = None
    _where: tuple[str, int] = ("", 0)

    def at(self, file: str, line: int) -> None:
        self._where = (file, line)

    def tell(self, text: str) -> None:
        self.notes.append(Note(*self._where, text, open_end=False))

    def ask(self, text: str) -> None:
        self.notes.append(Note(*self._where, text, open_end=True))

    def put(self, target: dict[str, object], key: str, value: object) -> bool:
        """Set a value once; a second, different one is named and not taken."""
        kept = target.setdefault(key, value)
        if kept != value:
            self.ask(
                f"{key} is {_words(value)} here, but {_words(kept)} was read before; kept that"
            )
        return kept == value

    def node(self, name: str) -> dict[str, object]:
        return self.nodes.setdefault(name.lower(), {"name": name})


def _words(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def gather(pastes: Sequence[Paste], options: Options) -> Gathered:
    """Put the facts of all pastes together; what contradicts or is missing becomes a note."""
    draft = _Draft(options)
    if options.node is not None and _known_node(options.node, draft) is None:
        draft.node(options.node)
    # Nodes and parameters first: certificates need the names, and the parameter says more about
    # the security mode than a CTL file that may have been left behind.
    for _, reading in _each(pastes, draft):
        _take_cluster(draft, reading)
    local = {paste.name: _local(paste, draft) for paste in pastes}
    for paste, reading in _each(pastes, draft):
        _take_node(draft, reading, local[paste.name])
    _tell_unread(draft, pastes)
    return Gathered(
        cluster=_cluster(draft), build=draft.build, notes=tuple(_in_order(draft.notes, pastes))
    )


def _each(pastes: Sequence[Paste], draft: _Draft) -> Iterator[tuple[Paste, Reading]]:
    for paste in pastes:
        for reading in paste.readings:
            draft.at(paste.name, reading.block.first_line)
            yield paste, reading


def _in_order(notes: Iterable[Note], pastes: Sequence[Paste]) -> list[Note]:
    places = {paste.name: number for number, paste in enumerate(pastes)}
    return sorted(notes, key=lambda note: (places.get(note.file, -1), note.line))


def _take_cluster(draft: _Draft, reading: Reading) -> None:
    match reading.facts:
        case NetworkFacts():
            _network(draft, reading.facts)
        case ParameterFacts():
            _parameters(draft, reading.facts)
        case _:
            return


def _take_node(draft: _Draft, reading: Reading, node: str | None) -> None:
    match reading.facts:
        case CtlFacts():
            _ctl(draft, reading.facts)
        case ItlFacts():
            _itl(draft, reading.facts)
        case VersionFacts():
            _version(draft, reading.facts)
        case ServiceFacts():
            _services(draft, reading.facts, node)
        case CertListFacts() | CertFacts() | PemFacts():
            _certificate(draft, reading.facts, node)
        case _:
            return


def _local(paste: Paste, draft: _Draft) -> str | None:
    """Return the node that a paste comes from: said by the person, or shown by the paste."""
    if draft.options.node is not None:
        return _known_node(draft.options.node, draft) or draft.options.node
    shown = {
        reading.facts.local.name
        for reading in paste.readings
        if isinstance(reading.facts, NetworkFacts) and reading.facts.local is not None
    }
    if len(shown) == 1:
        name = shown.pop()
        return _known_node(name, draft) or name
    known = draft.options.known
    names = {str(node["name"]) for node in draft.nodes.values()}
    names |= {node.name for node in known.nodes} if known else set()
    return names.pop() if len(names) == 1 else None


def _known_node(name: str, draft: _Draft) -> str | None:
    known = draft.options.known
    found = node_of(known, name) if known else None
    return found.name if found else None


def _network(draft: _Draft, facts: NetworkFacts) -> None:
    for listed in facts.nodes:
        node = draft.node(_known_node(listed.name, draft) or listed.name)
        _node(draft, node, listed)
    if any(listed.product is Product.IM_PRESENCE for listed in facts.nodes):
        draft.values["features"] = {"im_presence": True}
    local = f"; it ran on {facts.local.name}" if facts.local else ""
    draft.tell(f"{_counted(len(facts.nodes), 'node')}{local}")


def _node(draft: _Draft, node: dict[str, object], listed: ListedNode) -> None:
    draft.put(node, "role", listed.role)
    if listed.product is None:
        draft.ask(f"{listed.name}: product {listed.product_word!r} is not known; taken as CUCM")
    draft.put(node, "product", listed.product or Product.CUCM)
    for key, value in (("aliases", listed.fqdn), ("addresses", listed.address)):
        before = node.get(key, ())
        if value is None or not isinstance(before, tuple) or value in before:
            continue
        if len(before) == _MOST_NAMES:
            draft.ask(f"{listed.name} has more than {_MOST_NAMES} {key}; {value[:64]} is not taken")
        else:
            node[key] = (*before, value)


def _parameters(draft: _Draft, facts: ParameterFacts) -> None:
    mode = facts.security_mode
    if mode is not None and draft.put(draft.values, "security_mode", mode):
        draft.tell(f"security_mode: {mode}")
    rollback = facts.rollback_pre80
    if rollback is not None and draft.put(draft.values, "rollback_pre80", rollback):
        draft.tell(f"rollback_pre80: {_words(rollback)}")


def _ctl(draft: _Draft, facts: CtlFacts) -> None:
    present = facts.trust_list.present
    if present is None:
        draft.ask("neither a CTL file nor its absence can be read from this")
        return
    mode = SecurityMode.MIXED if present else SecurityMode.NON_SECURE
    known = draft.values.setdefault("security_mode", mode)
    draft.tell(f"CTL file present; {facts.why}" if present else facts.why)
    if known is not mode:
        draft.ask(f"the parameter says {known}, which does not fit this CTL; kept {known}")
    elif present and facts.method is not None:
        if draft.put(draft.values, "ctl_method", facts.method):
            draft.tell(f"ctl_method: {facts.method}")
    elif present:
        draft.ask(f"ctl_method stays unknown: {facts.why}")


def _itl(draft: _Draft, facts: ItlFacts) -> None:
    listed = facts.trust_list
    if listed.present is None:
        draft.ask("neither an ITL file nor its absence can be read from this")
        return
    if not listed.present:
        draft.tell("there is no ITL file")
        return
    signer = (listed.signer and listed.signer.subject) or "not shown"
    counted = (
        _counted(len(listed.records), "record"), _counted(facts.certificates, "certificate")
    )  # fmt: skip
    sums = [
        f"{name} {value}" for name, value in (("MD5", listed.md5), ("SHA1", listed.sha1)) if value
    ]
    parts = (f"ITL signer {signer}", ", ".join(counted), ", ".join(sums) or "no checksum shown")
    draft.tell("; ".join(parts))
    if facts.too_large:
        draft.ask(f"more than {MOST_CERTIFICATES} certificates: phones refuse an ITL this large")


def _version(draft: _Draft, facts: VersionFacts) -> None:
    if facts.release is None:
        return
    draft.build = facts.build
    if draft.put(draft.values, "release", str(facts.release)):
        draft.tell(f"release: {facts.release}")
    written = f"as {facts.release}SU<n>, if there is one"
    draft.ask(f"build {facts.build} does not tell the SU; write it {written}")


def _services(draft: _Draft, facts: ServiceFacts, name: str | None) -> None:
    if name is None:
        draft.ask("which node is this? give --node, or paste `show network cluster` with it")
        return
    node = draft.node(name)
    if facts.primary is not None:
        role = NodeRole.PUBLISHER if facts.primary else NodeRole.SUBSCRIBER
        draft.put(node, "role", role)
    switched = [(duty, facts.activated(service)) for service, duty in _DUTY_SERVICES]
    if any(activated is None for _, activated in switched):
        draft.ask("duties stay unknown: the list does not name all services that tell them")
        return
    duties = tuple(duty for duty, activated in switched if activated)
    if draft.put(node, "duties", duties):
        draft.tell(f"{name}: duties {_words(duties)}")


def _certificate(
    draft: _Draft, facts: CertListFacts | CertFacts | PemFacts, node: str | None
) -> None:
    if isinstance(facts, PemFacts):
        draft.ask("whose certificate is this? paste it with its `show cert own <store>` line")
        return
    names = _node_names(draft)
    if isinstance(facts, CertListFacts):
        told, asked = draft.certificates.take_list(facts, node, names)
    else:
        told, asked = draft.certificates.take_one(facts, node, names, draft.options.zone)
    for text in told:
        draft.tell(text)
    for text in asked:
        draft.ask(text)


def _node_names(draft: _Draft) -> dict[str, str]:
    """Map every known name of a node, in lower case, to the name the inventory uses."""
    known = draft.options.known
    names: dict[str, str] = {}
    for node in known.nodes if known else ():
        names |= {name.lower(): node.name for name in (node.name, *node.aliases)}
    for drafted in draft.nodes.values():
        aliases = drafted.get("aliases", ())
        every = (drafted["name"], *(aliases if isinstance(aliases, tuple) else ()))
        for name in every:
            names.setdefault(str(name).lower(), str(drafted["name"]))
    return names


def _tell_unread(draft: _Draft, pastes: Sequence[Paste]) -> None:
    for paste in pastes:
        for reading in paste.readings:
            for item in reading.unread:
                draft.at(paste.name, item.line)
                title = reading.block.title
                draft.ask(f"not read in {title}: {item.text[:100]!r}: {item.why}")


def _cluster(draft: _Draft) -> Cluster:
    draft.at("", 0)
    values = dict(draft.values)
    if draft.options.zone is not None:
        values["time_zone"] = draft.options.zone.key
    nodes = [_valid(draft, Node, node) for node in draft.nodes.values()]
    kept = tuple(node for node in nodes if node is not None)
    known = draft.options.known.nodes if draft.options.known else ()
    certificates = _certificates(draft, {node.name.lower() for node in (*kept, *known)})
    return Cluster.model_validate(
        {
            "name": draft.options.cluster,
            **values,
            "nodes": kept,
            "certificates": certificates,
        }
    )


def _certificates(draft: _Draft, nodes: set[str]) -> tuple[Certificate, ...]:
    found = []
    for entry in draft.certificates.entries():
        if entry.get("node") is not None and str(entry["node"]).lower() not in nodes:
            draft.ask(
                f"left out {entry['store']}: its node {str(entry['node'])[:64]!r} is not known"
            )
            continue
        found.append(_valid(draft, Certificate, entry))
    return tuple(certificate for certificate in found if certificate is not None)


def _valid(draft: _Draft, model: type[Model], data: dict[str, object]) -> Model | None:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        draft.ask(f"left out {model.__name__.lower()} {str(data)[:120]!r}: {key}: {first['msg']}")
        return None
