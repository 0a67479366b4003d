"""The words of a step -> typed steps: the short forms of `docs/steps.md` and plain English.

Words select: a node, a store or a service is one that the file or the model knows, or the step is
refused with what was expected.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from watcher.errors import InputError
from watcher.trust.names import CLUSTER, Certificate, Kind, Service, certificate
from watcher.trust.scenario import Action, Group, Node, PeerKind, Step

EXPECTED = (
    'a step such as "regen CallManager P", "restart TVS P", "flush(P,S)", "ctl_update", '
    '"RESET+WAIT"'
)

_WORD = re.compile(r"[A-Za-z0-9_.#/-]+|,")
_FILLER_WORDS = (
    "the", "a", "an", "on", "of", "at", "for", "in", "to", "service", "services", "cisco",
    "certificate", "certificates", "cert", "certs", "node", "nodes", "server", "servers", "and",
    "file", "files", "its", "with", "new", "then", "group", "phones", "phone",
)  # fmt: skip
_FILLER = frozenset(_FILLER_WORDS)
_STORES = {
    "cm": Kind.CALLMANAGER,
    "itlr": Kind.RECOVERY,
    "recovery": Kind.RECOVERY,
    **{kind.lower(): kind for kind in Kind},
}
_SERVICES = {
    "callmanager": Service.CCM,
    "drf-master": Service.DRF_MASTER,
    "drf-local": Service.DRF_LOCAL,
    **{service.lower(): service for service in Service},
}
_PEERS = {kind.lower(): kind for kind in PeerKind}
_EVERYWHERE = frozenset(("all", "each", "every", "everywhere", "cluster"))
_CERTIFICATE = re.compile(r"(?P<kind>[A-Za-z-]+)(?:/(?P<owner>[\w.-]+))?#(?P<generation>\d{1,4})")
_PUBLISHER_ONLY = (Kind.CAPF, Kind.RECOVERY)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What words may name: nodes and phone groups of the cluster, in its order."""

    nodes: tuple[Node, ...]
    groups: tuple[Group, ...]
    shared: frozenset[str] = frozenset()

    @property
    def publisher(self) -> str:
        """The publisher's name."""
        return next(node.name for node in self.nodes if node.publisher)

    def node(self, word: str) -> str | None:
        """Return the node a word names, whatever its case."""
        if word in ("pub", "publisher"):
            return self.publisher
        return next((n.name for n in self.nodes if n.name.lower() == word.lower()), None)

    def group(self, word: str) -> str | None:
        """Return the phone group a word names."""
        return next((g.name for g in self.groups if g.name.lower() == word.lower()), None)


@dataclass(frozen=True, slots=True)
class _Phrase:
    """One step's words while they are read."""

    text: str
    number: int
    words: tuple[str, ...]
    vocabulary: Vocabulary

    def refuse(self, problem: str, expected: str = EXPECTED) -> InputError:
        return InputError(f"step {self.number}, {self.text!r}: {problem}", expected=expected)

    def step(self, action: Action, **parts: object) -> Step:
        return Step(number=self.number, text=self.text, action=action, **parts)  # type: ignore[arg-type]

    def nodes(self, *, default: Sequence[str] | None = None) -> tuple[str, ...]:
        """Return the nodes named in the words, in the order named; `default` when none is."""
        vocabulary = self.vocabulary
        found = [name for word in self.words if (name := vocabulary.node(word))]
        if "subscribers" in self.words or "subscriber" in self.words:
            found += [node.name for node in vocabulary.nodes if not node.publisher]
        if not found and _EVERYWHERE & set(self.words):
            found = [node.name for node in vocabulary.nodes]
        if not found:
            if default is None:
                names = ", ".join(node.name for node in vocabulary.nodes)
                raise self.refuse("it names no node", f"one of the nodes: {names}")
            return tuple(default)
        return tuple(dict.fromkeys(found))


def read_steps(texts: Iterable[str], vocabulary: Vocabulary) -> Iterator[Step]:
    """Yield the typed steps of an order; one line may be several (`flush`, `bounce`, `CM P,S`)."""
    for number, text in enumerate(texts, 1):
        yield from _read(text, number, vocabulary)


def split_steps(steps: str | Sequence[str]) -> tuple[str, ...]:
    """Return the lines of an order: a list, or one text with semicolons or line ends between.

    An unquoted `flush(P,S)` in a YAML list arrives in two pieces; they are put together again.
    """
    parts = re.split(r"[;\n]", steps) if isinstance(steps, str) else list(steps)
    joined: list[str] = []
    for part in (part.strip() for part in parts):
        if joined and joined[-1].count("(") > joined[-1].count(")"):
            joined[-1] = f"{joined[-1]},{part}"
        elif part:
            joined.append(part)
    return tuple(joined)


def _read(text: str, number: int, vocabulary: Vocabulary) -> Iterator[Step]:
    bare = re.sub(r"[()=:]", " ", text).replace(".pem", "")
    spoken = [piece.strip(".").lower() for piece in _WORD.findall(bare) if piece != ","]
    named = {node.name.lower() for node in vocabulary.nodes}
    named |= {group.name.lower() for group in vocabulary.groups}
    words = tuple(word for word in spoken if word and (word in named or word not in _FILLER))
    phrase = _Phrase(text, number, words, vocabulary)
    if not spoken:
        raise phrase.refuse("it is empty")
    yield from _chosen(phrase, " ".join(spoken))(phrase)


def _chosen(phrase: _Phrase, sentence: str) -> Callable[[_Phrase], Iterator[Step]]:
    """Return what reads the phrase: known sentences first, then the verb, then a bare store."""
    plain = sentence.replace("_", " ").replace("-", " ")
    for pattern, reader in _SENTENCES:
        if re.search(pattern, plain):
            return reader
    first = phrase.words[0] if phrase.words else sentence
    if first in _VERBS:
        return _VERBS[first]
    if first in _STORES:
        return _renew
    raise phrase.refuse(f"{first!r} is not a verb or a store")


# -- renewals


def _renew(phrase: _Phrase) -> Iterator[Step]:
    yield from _renewal(phrase, Action.REGENERATE)


def _upload_signed(phrase: _Phrase) -> Iterator[Step]:
    yield from _renewal(phrase, Action.UPLOAD_SIGNED)


def _renewal(phrase: _Phrase, action: Action) -> Iterator[Step]:
    store = _store(phrase)
    vocabulary = phrase.vocabulary
    if store in vocabulary.shared or "cluster" in phrase.words:
        yield phrase.step(action, store=store, node=None)
        return
    default = (vocabulary.publisher,)
    lone = store in _PUBLISHER_ONLY or len(vocabulary.nodes) == 1
    for node in phrase.nodes(default=default if lone else None):
        yield phrase.step(action, store=store, node=node)


def _store(phrase: _Phrase) -> Kind:
    found = next((_STORES[word] for word in phrase.words if word in _STORES), None)
    if found is None:
        raise phrase.refuse("it names no store", f"one of {', '.join(Kind)}")
    return found


def _upload_trust(phrase: _Phrase) -> Iterator[Step]:
    yield phrase.step(Action.UPLOAD_TRUST, certificate=_certificate(phrase))


def _delete_trust(phrase: _Phrase) -> Iterator[Step]:
    yield phrase.step(Action.DELETE_TRUST, certificate=_certificate(phrase))


def _delete(phrase: _Phrase) -> Iterator[Step]:
    if any("#" in word or word.endswith("-trust") for word in phrase.words):
        yield from _delete_trust(phrase)
        return
    store = _store(phrase)
    for node in phrase.nodes(default=(phrase.vocabulary.publisher,)):
        yield phrase.step(Action.DELETE, store=store, node=node)


def _certificate(phrase: _Phrase) -> Certificate:
    found = next((name for word in phrase.words if (name := read_certificate(word))), None)
    if found is not None:
        publisher = phrase.vocabulary.publisher
        return _canonical(found, publisher)
    if "old" in phrase.words:
        owner = next((n for w in phrase.words if (n := phrase.vocabulary.node(w))), "")
        return _canonical((_store_of_trust(phrase), owner, 0), phrase.vocabulary.publisher)
    raise phrase.refuse("it names no certificate", "a certificate such as CAPF#0 or TVS/P#0")


def _store_of_trust(phrase: _Phrase) -> str:
    for word in phrase.words:
        if (bare := word.removesuffix("-trust")) in _STORES:
            return _STORES[bare]
    return _store(phrase)


def read_certificate(word: str) -> tuple[str, str, int] | None:
    """Return store, owner and generation of a certificate's name, or None."""
    found = _CERTIFICATE.fullmatch(word)
    if found is None:
        return None
    kind = found["kind"].lower()
    known = _STORES.get(kind) or {k.lower(): k for k in PeerKind}.get(kind)
    return (known, found["owner"] or "", int(found["generation"])) if known else None


def _canonical(name: tuple[str, str, int], publisher: str) -> Certificate:
    kind, owner, generation = name
    alone = kind in _PUBLISHER_ONLY and owner.lower() == publisher.lower()
    return certificate(kind, CLUSTER if alone else owner, generation)


# -- services


def _service_step(action: Action) -> Callable[[_Phrase], Iterator[Step]]:
    def read(phrase: _Phrase) -> Iterator[Step]:
        services = [_SERVICES[word] for word in phrase.words[1:] if word in _SERVICES]
        if "drf" in phrase.words:
            services += [Service.DRF_MASTER, Service.DRF_LOCAL]
        if not services:
            raise phrase.refuse("it names no service", f"one of {', '.join(Service)}")
        for service in dict.fromkeys(services):
            running = [n.name for n in phrase.vocabulary.nodes if service in n.services]
            for node in phrase.nodes(default=running):
                yield phrase.step(action, service=service, node=node)

    return read


_RESTART = _service_step(Action.RESTART)


def _flush(phrase: _Phrase) -> Iterator[Step]:
    everywhere = [node.name for node in phrase.vocabulary.nodes]
    for service in (Service.TVS, Service.TFTP):
        for node in phrase.nodes(default=everywhere):
            yield phrase.step(Action.RESTART, service=service, node=node)


def _bounce(phrase: _Phrase) -> Iterator[Step]:
    yield from _flush(phrase)
    for node in phrase.nodes(default=[node.name for node in phrase.vocabulary.nodes]):
        yield phrase.step(Action.RESTART, service=Service.CCM, node=node)
    yield phrase.step(Action.RESET)


# -- phones and the rest


def _reset(phrase: _Phrase) -> Iterator[Step]:
    named = [name for word in phrase.words if (name := phrase.vocabulary.group(word))]
    yield phrase.step(Action.RESET, groups=tuple(dict.fromkeys(named)))


def _reissue(phrase: _Phrase) -> Iterator[Step]:
    named = [name for word in phrase.words if (name := phrase.vocabulary.group(word))]
    known = ", ".join(group.name for group in phrase.vocabulary.groups)
    if not named and not (_EVERYWHERE & set(phrase.words)) and len(phrase.words) > 1:
        raise phrase.refuse("it names no phone group", f"one of the groups: {known}")
    holders = [group.name for group in phrase.vocabulary.groups if group.lsc]
    yield phrase.step(Action.LSC_REISSUE, groups=tuple(dict.fromkeys(named)) or tuple(holders))


def _profile(phrase: _Phrase) -> Iterator[Step]:
    named = [name for word in phrase.words if (name := phrase.vocabulary.group(word))]
    modes = {"non_secure": "non_secure", "non-secure": "non_secure", "nonsecure": "non_secure",
             "authenticated": "authenticated", "encrypted": "encrypted"}  # fmt: skip
    mode = next((modes[word] for word in phrase.words if word in modes), None)
    if not named or mode is None:
        raise phrase.refuse("a group and a mode are missing", "profile E non_secure")
    yield phrase.step(Action.PROFILE, groups=tuple(named), value=mode)


def _tell(phrase: _Phrase) -> Iterator[Step]:
    peer = next((_PEERS.get(word, word) for word in phrase.words[1:] if "#" not in word), None)
    if peer is None:
        raise phrase.refuse("it names no party", "tell RADIUS CAPF#1")
    found = next((name for word in phrase.words if (name := read_certificate(word))), None)
    name = _canonical(found, phrase.vocabulary.publisher) if found else None
    yield phrase.step(Action.TELL, peer=peer, certificate=name)


def _interaction(phrase: _Phrase) -> Iterator[Step]:
    yield phrase.step(Action.INTERACTION, value="manual" if "manual" in phrase.words else "auto")


def _plain_step(action: Action) -> Callable[[_Phrase], Iterator[Step]]:
    def read(phrase: _Phrase) -> Iterator[Step]:
        yield phrase.step(action)

    return read


_SENTENCES: tuple[tuple[str, Callable[[_Phrase], Iterator[Step]]], ...] = (
    (r"^(verify|check|confirm|record|save|canary|wait|watch|note|look)\b",
     _plain_step(Action.VERIFY)),
    (r"\brollback\b.*\b(off|false)\b", _plain_step(Action.ROLLBACK_OFF)),
    (r"\brollback\b.*\b(on|true)\b", _plain_step(Action.ROLLBACK_ON)),
    (r"\bctl reset localkey\b|^ctl localkey\b", _plain_step(Action.CTL_LOCALKEY)),
    (r"\bitl reset localkey\b|^itl localkey\b", _plain_step(Action.ITL_LOCALKEY)),
    (r"\bitl reset remotekey\b|^itl remotekey\b", _plain_step(Action.ITL_REMOTEKEY)),
    (r"\bctl update\b|\bupdate ctl\b|\brun ctl client\b|^ctl client\b",
     _plain_step(Action.CTL_UPDATE)),
    (r"\b(reissue|install|upgrade|issue)\b.*\blscs?\b|^lsc reissue\b|\blscs?\b.*\breissue",
     _reissue),
    (r"\b(auto reset|automatic reset|reset\b.*\b(not|without) wait)",
     _plain_step(Action.AUTO_RESET)),
    (r"^(reset|barrier)\b", _reset),
    (r"\bphone interaction\b", _interaction),
    (r"\breplace headend\b", _plain_step(Action.REPLACE_HEADEND)),
    (r"\bexport\b.*\bp12\b|\bexport itlrecovery\b|^export p12\b|^itlrecovery p12",
     _plain_step(Action.EXPORT_KEY)),
    (r"^(drs )?restore\b|^drs restore\b", _plain_step(Action.RESTORE)),
    (r"\bdrs backup\b|^backup\b|^(take|make|run) (drs )?backup\b", _plain_step(Action.BACKUP)),
    (r"^upload trust\b|^upload \S+ trust\b", _upload_trust),
    (r"^delete trust\b|^delete \S+ trust\b|^remove\b.*\btrust\b", _delete_trust),
    (r"^upload signed\b|^upload\b", _upload_signed),
)  # fmt: skip

_VERBS: dict[str, Callable[[_Phrase], Iterator[Step]]] = {
    **dict.fromkeys(("regen", "regenerate", "renew", "rotate"), _renew),
    "delete": _delete,
    "restart": _RESTART,
    "stop": _service_step(Action.STOP),
    "start": _service_step(Action.START),
    "flush": _flush,
    "bounce": _bounce,
    "profile": _profile,
    "tell": _tell,
    "trust": _tell,
    "give": _tell,
}
