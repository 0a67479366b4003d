"""The words of a step, and what each may name: a node, a phone group, a store, a service.

Words select. Each word of a step is known, or the step is refused with what was expected: a
misspelt node, a second verb or a "not" is never read as something else.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from watcher.errors import InputError
from watcher.trust.names import CLUSTER, PUBLISHER_ONLY, Certificate, Kind, Service, certificate
from watcher.trust.scenario import Action, Group, Node, PeerKind, Step

EXPECTED = (
    'a step such as "regen CallManager P", "restart TVS P", "flush(P,S)", "ctl_update", '
    '"RESET+WAIT"'
)

_WORD = re.compile(r"[A-Za-z0-9_.#/-]+")
_FILLER = frozenset(
    (
        "the", "a", "an", "on", "of", "at", "for", "from", "in", "into", "to", "by", "with", "and",
        "service", "services", "cisco", "certificate", "certificates", "cert", "certs", "node",
        "nodes", "server", "servers", "file", "files", "its", "their", "new", "group", "groups",
        "phone", "phones", "now", "please", "that", "which", "using", "all", "each", "every",
        "everywhere", "own", "identity", "self-signed", "parameter", "enterprise", "unified",
        "utils", "pem", "it", "only",
    )
)  # fmt: skip
"""Words that change nothing where they stand."""
_REFUSED = frozenset(
    (
        "not", "dont", "never", "no", "except", "but", "unless", "if", "or", "either", "skip",
        "without", "before", "after", "instead", "maybe", "other", "others",
    )
)  # fmt: skip
STORES: Mapping[str, Kind] = {
    "cm": Kind.CALLMANAGER,
    "itlr": Kind.RECOVERY,
    "recovery": Kind.RECOVERY,
    **{kind.lower(): kind for kind in Kind},
}
SERVICES: Mapping[str, Service] = {
    "callmanager": Service.CCM,
    "drf-master": Service.DRF_CENTRAL,
    "drf-local": Service.DRF_LOCAL,
    **{service.lower(): service for service in Service},
}
PEERS: Mapping[str, PeerKind] = {kind.lower(): kind for kind in PeerKind}
EVERYWHERE = frozenset(("all", "each", "every", "everywhere"))
_CERTIFICATE = re.compile(
    r"(?P<kind>[A-Za-z-]+)(?:/(?P<owner>[\w.-]+))?#(?P<generation>\d{1,4})", re.ASCII
)
PER_NODE = tuple(kind for kind in Kind if kind not in PUBLISHER_ONLY)
"""Stores of which each node has a certificate of its own."""
_RESTORE_OF_ONE = re.compile(r"\bdrs_restore\s*\(\s*b\s*\)", re.IGNORECASE)
"""`drs_restore(b)`, as the trust facts write it: b is the backup at hand."""
_ARTICLES = frozenset(("the", "a", "an"))
_PHRASES: Mapping[tuple[str, ...], str] = {
    tuple(words.split()): one
    for one, several in (
        ("itl_localkey", ("itl reset localkey", "itl localkey", "itl-localkey")),
        ("ctl_localkey", ("ctl reset localkey", "ctl localkey", "ctl-localkey")),
        ("itl_remotekey", ("itl reset remotekey", "itl remotekey")),
        ("ctl_update", (
            "ctl update ctlfile", "ctl update", "update ctl file", "update ctl", "update ctlfile",
            "run ctl client", "ctl client", "ctl-update",
        )),
        ("", ("utils service", "set cert")),
        ("tvs", ("trust verification service", "trust verification")),
        ("capf", ("certificate authority proxy function",)),
        ("callmanager", ("call manager",)),
        ("callmanager-ecdsa", ("callmanager ecdsa",)),
        ("tomcat-ecdsa", ("tomcat ecdsa",)),
        ("itlrecovery", ("itl recovery",)),
        ("drfmaster", ("drf master",)),
        ("drflocal", ("drf local",)),
        ("backup", ("drs backup", "back up", "drs_backup", "disaster_recovery backup")),
        ("restore", ("drs restore", "drs_restore", "disaster_recovery restore")),
        ("expressway-c", ("expressway c",)),
        ("unityconnection", ("unity connection",)),
        ("cluster", ("multi server", "multi san", "multi-server", "multi-san", "cluster-wide")),
        ("ca-signed", ("ca signed", "signed by ca")),
        ("non_secure", ("non secure", "non-secure", "nonsecure")),
        ("phone_interaction", ("phone interaction on certificate update", "phone interaction")),
        ("rollback", (
            "prepare cluster for rollback to pre 8.0", "prepare cluster for rollback to pre-8.0",
            "prepare cluster for rollback", "rollback to pre 8.0", "rollback to pre-8.0",
            "rollback parameter", "rollback enterprise parameter",
        )),
        ("nowait", (
            "without waiting", "without wait", "do not wait", "dont wait", "not wait", "no wait",
            "nobody waits",
        )),
        ("auto_reset", ("auto reset", "automatic reset", "auto-reset")),
        ("lsc_reissue", ("lsc reissue", "lsc re issue")),
        ("reissue", ("re issue", "re-issue")),
        ("reboot", ("power cycle", "power-cycle", "powercycle", "re boot", "re-boot")),
        ("install", ("install/upgrade",)),
        ("regenerate", ("re generate", "re-generate")),
        ("upload_signed", ("upload signed",)),
        ("upload_trust", ("upload trust",)),
        ("delete_trust", ("delete trust",)),
        ("replace_headend", ("replace headend", "replace vpn headend")),
        ("export_p12", ("export p12",)),
        *((f"{kind.lower()}-trust", (f"{kind.lower()} trust",)) for kind in Kind),
    )
    for words in several
}  # fmt: skip
_LONGEST = max(len(words) for words in _PHRASES)

Found = TypeVar("Found")


class StepError(InputError):
    """A step that cannot be read; `number` is which one, from 1."""

    def __init__(self, number: int, problem: str, expected: str | None = None) -> None:
        self.number = number
        super().__init__(problem, expected=expected)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What words may name: nodes, phone groups and parties outside, in the file's order."""

    nodes: tuple[Node, ...]
    groups: tuple[Group, ...]
    shared: frozenset[str] = frozenset()
    peers: tuple[str, ...] = ()

    @property
    def publisher(self) -> str:
        """The publisher's name."""
        return next(node.name for node in self.nodes if node.publisher)

    @property
    def subscribers(self) -> tuple[str, ...]:
        """The names of all other nodes."""
        return tuple(node.name for node in self.nodes if not node.publisher)

    def node(self, word: str) -> str | None:
        """Return the node a word names: its name, or its short name where only one has it."""
        exact = next((n.name for n in self.nodes if n.name.lower() == word.lower()), None)
        if exact is not None or "." in word:
            return exact
        short = [n.name for n in self.nodes if n.name.lower().partition(".")[0] == word.lower()]
        return short[0] if len(short) == 1 else None

    def group(self, word: str) -> str | None:
        """Return the phone group a word names."""
        return next((g.name for g in self.groups if g.name.lower() == word.lower()), None)

    def names(self, word: str) -> bool:
        """Tell whether a word is a name here, written exactly so where it is also plain English."""
        if word.lower() in _FILLER:
            known = {node.name for node in self.nodes} | {group.name for group in self.groups}
            return word in known
        return bool(self.node(word) or self.group(word))


@dataclass(slots=True)
class Phrase:
    """One step's words while they are read; each is taken once, and none may be left over."""

    text: str
    number: int
    vocabulary: Vocabulary
    renewals: Mapping[tuple[str, str], int]
    """How often a store of an owner was renewed earlier in this order."""
    words: tuple[str, ...]
    taken: set[int] = field(default_factory=set)

    def refuse(self, problem: str, expected: str = EXPECTED) -> StepError:
        """Return an error about this step."""
        return StepError(self.number, f"step {self.number}, {self.text!r}: {problem}", expected)

    def step(self, action: Action, **parts: object) -> Step:
        """Return a typed step with this one's number and text."""
        return Step(number=self.number, text=self.text, action=action, **parts)  # type: ignore[arg-type]

    def take(self, *wanted: str) -> bool:
        """Take every one of these words; tell whether any was there."""
        left = (i for i in range(len(self.words)) if i not in self.taken)
        found = {i for i in left if self.words[i].lower() in wanted}
        self.taken |= found
        return bool(found)

    def has(self, *wanted: str) -> bool:
        """Tell whether one of these words stands in the step."""
        return any(word.lower() in wanted for word in self.words)

    def found(self, reads: Callable[[str], Found | None]) -> dict[int, Found]:
        """Return what a function makes of the words that nobody took, by their place."""
        made = {i: reads(word) for i, word in enumerate(self.words) if i not in self.taken}
        kept = {i: one for i, one in made.items() if one is not None}
        self.taken |= set(kept)
        return kept

    def left(self) -> list[str]:
        """Return the words that nobody took and that mean something."""
        return [
            word
            for i, word in enumerate(self.words)
            if i not in self.taken and (word.lower() not in _FILLER or self.vocabulary.names(word))
        ]

    # -- what words name

    def nodes(self, default: Sequence[str] | None = None) -> tuple[str, ...]:
        """Return the nodes named, in the order named; `default` when none is."""
        named = self._named_nodes()
        if not named and self.take(*EVERYWHERE):
            named = [node.name for node in self.vocabulary.nodes]
        if named:
            return tuple(dict.fromkeys(named))
        if default is None:
            unknown = self.left()
            problem = f"{unknown[0]!r} is not a node" if unknown else "it names no node"
            raise self.refuse(problem, f"one of the nodes: {self._all_nodes()}")
        return tuple(default)

    def _named_nodes(self) -> list[str]:
        found = self.found(self._nodes_of)
        return [name for place in sorted(found) for name in found[place]]

    def _nodes_of(self, word: str) -> tuple[str, ...] | None:
        """Return the nodes that a word means: by a name, or by their place in the cluster."""
        vocabulary = self.vocabulary
        if vocabulary.names(word) and (name := vocabulary.node(word)):
            return (name,)
        match word.lower():
            case "pub" | "publisher":
                return (vocabulary.publisher,)
            case "subs" | "subscribers":
                return vocabulary.subscribers
            case "sub" | "subscriber":
                return (self._only(vocabulary.subscribers, "subscriber"),)
            case "both":
                if len(vocabulary.nodes) > len(("P", "S")):
                    raise self.refuse("there are more than two nodes", f"of {self._all_nodes()}")
                return tuple(node.name for node in vocabulary.nodes)
        return None

    def _only(self, names: Sequence[str], what: str) -> str:
        if len(names) != 1:
            raise self.refuse(f"{len(names)} nodes are {what}", f"one of {self._all_nodes()}")
        return names[0]

    def _all_nodes(self) -> str:
        return ", ".join(node.name for node in self.vocabulary.nodes)

    def groups(self) -> tuple[str, ...]:
        """Return the phone groups named, in the order named."""
        known = self.vocabulary
        named = self.found(lambda word: known.group(word) if known.names(word) else None)
        return tuple(dict.fromkeys(named.values()))

    def stores(self) -> tuple[Kind, ...]:
        """Return the stores named, in the order named."""
        found = tuple(dict.fromkeys(self.found(lambda word: STORES.get(word.lower())).values()))
        if not found:
            raise self.refuse("it names no store", f"one of {', '.join(Kind)}")
        return found

    def trust_store(self) -> Kind | None:
        """Return the store whose trust store is named, if one is."""

        def read(word: str) -> Kind | None:
            return STORES.get(word.lower().removesuffix("-trust")) if is_trust(word) else None

        return next(iter(self.found(read).values()), None)

    def certificate(self) -> Certificate | None:
        """Return the certificate named as `CAPF#0`, if one is; it belongs to a known node."""
        found = self.found(read_certificate)
        if len(found) > 1:
            raise self.refuse("it names two certificates", "one certificate in a step")
        if not found:
            return None
        kind, owner, generation = next(iter(found.values()))
        node = self.vocabulary.node(owner) if owner else ""
        if node is None:
            raise self.refuse(f"{owner!r} is not a node", f"one of {self._all_nodes()}")
        return self.named(kind, node, generation)

    def named(self, kind: str, node: str, generation: int) -> Certificate:
        """Return a certificate by its store, node and generation as the model calls it."""
        if not node and kind in set(Kind) and kind not in self.vocabulary.shared:
            if kind not in PUBLISHER_ONLY and len(self.vocabulary.nodes) > 1:
                raise self.refuse(f"whose {kind} is not said", f"a name such as {kind}/P#0")
            node = self.vocabulary.publisher
        return canonical((kind, node, generation), self.vocabulary)


def is_trust(word: str) -> bool:
    """Tell whether a word is the name of a trust store."""
    return word.lower().endswith("-trust")


def read_certificate(word: str) -> tuple[str, str, int] | None:
    """Return store, owner and generation of a certificate's name, or None."""
    found = _CERTIFICATE.fullmatch(word)
    if found is None:
        return None
    kind = found["kind"].lower()
    known = STORES.get(kind) or PEERS.get(kind)
    return (known, found["owner"] or "", int(found["generation"])) if known else None


def canonical(name: tuple[str, str, int], vocabulary: Vocabulary) -> Certificate:
    """Return the certificate of a store that the cluster has once, or of one node."""
    kind, owner, generation = name
    alone = kind in vocabulary.shared or (
        kind in PUBLISHER_ONLY and owner.lower() == vocabulary.publisher.lower()
    )
    return certificate(kind, CLUSTER if alone else owner, generation)


def spoken(text: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the words of a step, with phrases made one word each."""
    bare = re.sub("['\u2019]", "", text).replace(".pem", "")
    bare = _RESTORE_OF_ONE.sub("drs_restore", bare)
    words = [word.strip(".-/") for word in _WORD.findall(bare)]
    kept = [w for w in words if w and (w.lower() not in _ARTICLES or vocabulary.names(w))]
    return tuple(_joined(kept, vocabulary))


def _joined(words: Sequence[str], vocabulary: Vocabulary) -> Iterable[str]:
    at = 0
    while at < len(words):
        for length in range(min(_LONGEST, len(words) - at), 0, -1):
            piece = tuple(word.lower() for word in words[at : at + length])
            if piece in _PHRASES and not any(vocabulary.names(w) for w in words[at : at + length]):
                if _PHRASES[piece]:
                    yield _PHRASES[piece]
                at += length
                break
        else:
            yield words[at]
            at += 1


def qualifier(words: Iterable[str]) -> str | None:
    """Return the first word that turns or narrows a step in a way nobody can be sure of."""
    return next((word for word in words if word.lower() in _REFUSED), None)
