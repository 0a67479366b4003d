"""What the verbs of an order do: renew, upload, delete, restart, reset, re-issue, tell."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from watcher.orders.words import (
    EVERYWHERE,
    PEERS,
    SERVICES,
    STORES,
    Phrase,
    is_trust,
)
from watcher.trust.names import BACKING_UP, CLUSTER, PUBLISHER_ONLY, Certificate, Kind, Service
from watcher.trust.scenario import Action, Mode, Step

Reader = Callable[[Phrase], Iterator[Step]]
ONE = "one verb in a step; write two steps"
HELD_LSC = "LSC"
"""Counted beside renewals: phone groups that were given an LSC earlier in the order."""


def _one_after_the_other(phrase: Phrase, things: Sequence[str], nodes: Sequence[str]) -> None:
    """Take "on P, then on S"; with several things as well, which comes first is not said."""
    if phrase.take("then") and len(things) > 1 and len(nodes) > 1:
        raise phrase.refuse("it does not say in which order", ONE)


def _in_one_run(phrase: Phrase, of_kind: Callable[[str], object]) -> None:
    """Refuse `CM P, TVS S`: which store belongs to which node would be a guess."""
    names = phrase.vocabulary.names
    kinds = [
        "node" if names(word) and not of_kind(word) else "what"
        for word in phrase.words
        if of_kind(word) or names(word)
    ]
    runs = [kind for i, kind in enumerate(kinds) if i == 0 or kinds[i - 1] != kind]
    if len(runs) > len(("what", "node")):
        raise phrase.refuse("it names several things on several nodes", ONE)


# -- renewals and trust stores


def renew(phrase: Phrase) -> Iterator[Step]:
    """Read a renewal of one store or more on one node or more."""
    yield from _renewal(phrase, Action.REGENERATE)


def upload_signed(phrase: Phrase) -> Iterator[Step]:
    """Read the upload of a certificate that a CA signed."""
    phrase.take("signed", "ca-signed", "ca")
    yield from _renewal(phrase, Action.UPLOAD_SIGNED)


def _renewal(phrase: Phrase, action: Action) -> Iterator[Step]:
    _in_one_run(phrase, lambda word: STORES.get(word.lower()))
    stores = phrase.stores()
    whole = phrase.take("cluster")
    vocabulary = phrase.vocabulary
    lone = len(vocabulary.nodes) == 1 or set(stores) <= set(PUBLISHER_ONLY)
    shared = whole or set(stores) <= vocabulary.shared
    default = (vocabulary.publisher,) if lone or shared else None
    nodes = phrase.nodes(default=default)
    _one_after_the_other(phrase, stores, nodes)
    for store in stores:
        if whole or store in vocabulary.shared:
            yield phrase.step(action, store=store, node=None)
            continue
        for node in nodes:
            yield phrase.step(action, store=store, node=node)


def upload(phrase: Phrase) -> Iterator[Step]:
    """Tell apart: a party outside, a chain of a CA, a trust store, a signed certificate."""
    if any(_peer(phrase, word) for word in phrase.words):
        yield from tell(phrase)
    elif phrase.take("root", "intermediate", "chain"):
        phrase.take("ca", "authority", "intermediates")
        phrase.trust_store()
        yield phrase.step(Action.VERIFY)
    elif any(is_trust(word) for word in phrase.words):
        yield from upload_trust(phrase)
    else:
        yield from upload_signed(phrase)


def upload_trust(phrase: Phrase) -> Iterator[Step]:
    """Read the upload of a certificate to a trust store."""
    name = _certificate(phrase)
    yield phrase.step(Action.UPLOAD_TRUST, certificate=name, store=_trust_store(phrase))


def delete_trust(phrase: Phrase) -> Iterator[Step]:
    """Read the deletion of a certificate from a trust store."""
    name = _certificate(phrase)
    yield phrase.step(Action.DELETE_TRUST, certificate=name, store=_trust_store(phrase))


def _trust_store(phrase: Phrase) -> str | None:
    """Return the trust store that is named, as the model writes it; None: all of them."""
    named = next((word for word in phrase.words if is_trust(word)), None)
    if named is None:
        return None
    known = {f"{kind}-trust".lower(): f"{kind}-trust" for kind in Kind}
    return known.get(named.lower(), named)


def delete(phrase: Phrase) -> Iterator[Step]:
    """Read the deletion of an identity certificate or of one in a trust store."""
    if any("#" in word or is_trust(word) for word in phrase.words):
        yield from delete_trust(phrase)
        return
    stores = phrase.stores()
    lone = len(phrase.vocabulary.nodes) == 1 or set(stores) <= set(PUBLISHER_ONLY)
    nodes = phrase.nodes(default=(phrase.vocabulary.publisher,) if lone else None)
    for store in stores:
        for node in nodes:
            yield phrase.step(Action.DELETE, store=store, node=node)


def _certificate(phrase: Phrase) -> Certificate:
    """Return the certificate that a step names, or means with "the old" or "the new" one."""
    found = phrase.certificate()
    trust = phrase.trust_store()
    _take_trust_of_phones(phrase)
    if found is not None:
        phrase.take("old", "expired", "previous", "saved", *(kind.lower() for kind in Kind))
        return found
    stores = tuple(phrase.found(lambda word: STORES.get(word.lower())).values())
    if len(stores) > 1:
        raise phrase.refuse("it names two stores", "one certificate in a step")
    kind = stores[0] if stores else trust
    if kind is None:
        raise phrase.refuse("it names no certificate", "one such as CAPF#0 or TVS/P#0")
    owner = next(iter(phrase.nodes(default=("",))))
    return relative(phrase, kind, owner)


def relative(phrase: Phrase, kind: Kind, owner: str) -> Certificate:
    """Return the certificate that "the old" or "the new" means at this step."""
    vocabulary = phrase.vocabulary
    counted = owner or vocabulary.publisher
    times = phrase.renewals.get((kind, CLUSTER if kind in vocabulary.shared else counted), 0)
    wanted = f"the certificate by name, such as {kind}#0"
    if phrase.take("old", "previous"):
        if times != 1:
            why = "was not renewed yet" if times == 0 else f"was renewed {times} times"
            raise phrase.refuse(f"{kind} {why}, so which one is old is open", wanted)
        return phrase.named(kind, owner, 0)
    if phrase.has("new") or phrase.take("current", "present"):
        return phrase.named(kind, owner, times)
    raise phrase.refuse(f"which {kind} is not said: the old or the new one", wanted)


def _take_trust_of_phones(phrase: Phrase) -> None:
    """Take the trust stores that are no twin of an identity store."""
    phrase.take("phone-vpn-trust", "phone-sast-trust", "phone-trust", "phone-ctl-trust")


# -- services


_ASIDE = (
    "ctimanager", "change notification", "expiry monitor", "expiration monitor", "ctlprovider",
    "ctl provider", "uds", "haproxy", "administrative web", "intercluster sync", "dirsync",
    "cti manager", "extension mobility",
)  # fmt: skip
"""Services that hold nothing phones look at; restarting them is no step of the model."""


def service_step(action: Action) -> Reader:
    """Return the reader of a restart, stop or start."""

    def read(phrase: Phrase) -> Iterator[Step]:
        if any(name in phrase.text.lower() for name in _ASIDE):
            phrase.taken |= set(range(len(phrase.words)))
            yield phrase.step(Action.VERIFY)
            return
        if action is Action.RESTART and phrase.has("phone", "phones") and not _services(phrase):
            yield from reset(phrase)
            return
        yield from _on_nodes(phrase, action)

    return read


def _on_nodes(phrase: Phrase, action: Action) -> Iterator[Step]:
    _in_one_run(phrase, lambda word: SERVICES.get(word.lower()))
    services = _services(phrase)
    if phrase.take("drf"):
        services = (*services, *BACKING_UP)
    if not services:
        raise phrase.refuse("it names no service", f"one of {', '.join(Service)}")
    named = phrase.nodes(default=())
    _one_after_the_other(phrase, services, named)
    phrase.take("cluster")
    for service in services:
        running = [n.name for n in phrase.vocabulary.nodes if service in n.services]
        if action is Action.STOP and not named and len(running) > 1:
            raise phrase.refuse("it names no node", f"one of {', '.join(running)}")
        if named and not set(named) & set(running):
            raise phrase.refuse(
                f"{service} does not run on {', '.join(named)}",
                f"one of {', '.join(running)}" if running else "a node with that role",
            )
        for node in named or running:
            yield phrase.step(action, service=service, node=node)


def _services(phrase: Phrase) -> tuple[Service, ...]:
    found = phrase.found(lambda word: SERVICES.get(word.lower()))
    return tuple(dict.fromkeys(found.values()))


def flush(phrase: Phrase) -> Iterator[Step]:
    """Read a restart of TVS, then of TFTP, on one node after the other."""
    yield from _flushed(phrase, phrase.nodes(default=_everywhere(phrase)))


def _flushed(phrase: Phrase, nodes: Iterable[str]) -> Iterator[Step]:
    for node in nodes:
        for service in (Service.TVS, Service.TFTP):
            yield phrase.step(Action.RESTART, service=service, node=node)


def bounce(phrase: Phrase) -> Iterator[Step]:
    """Read a restart of TVS, TFTP and CallManager with a reset after it."""
    nodes = phrase.nodes(default=_everywhere(phrase))
    yield from _flushed(phrase, nodes)
    for node in nodes:
        yield phrase.step(Action.RESTART, service=Service.CCM, node=node)
    yield phrase.step(Action.RESET)


def _everywhere(phrase: Phrase) -> tuple[str, ...]:
    return tuple(node.name for node in phrase.vocabulary.nodes)


# -- phones


_WAITING = (
    "wait", "waiting", "until", "till", "they", "are", "is", "have", "has", "registered", "again",
    "registration", "registrations", "register", "back", "come", "came", "reached", "reach",
    "baseline", "then", "them", "return", "count", "up", "be", "cluster",
)  # fmt: skip


def reset(phrase: Phrase) -> Iterator[Step]:
    """Read a reset of all phones or of some groups, with a wait unless told otherwise."""
    action = Action.AUTO_RESET if phrase.take("nowait") else Action.RESET
    phrase.take(*_WAITING)
    groups = phrase.groups()
    if phrase.has("phone") and not groups and not phrase.has(*EVERYWHERE):
        raise phrase.refuse("it resets one phone", "reset all phones, or a phone group by its name")
    if action is Action.AUTO_RESET and groups:
        # The adversary reboots any phone at any time anyway; a narrower reset says no more.
        groups = ()
    yield phrase.step(action, groups=groups)


_MACHINES = ("cluster", "server", "servers", "node", "nodes")


def reboot(phrase: Phrase) -> Iterator[Step]:
    """Read a reboot or power cycle of phones: they fetch what a reset makes them fetch."""
    phones = phrase.has("phone", "phones", "group", "groups") or any(
        phrase.vocabulary.group(word) for word in phrase.words
    )
    if not phones or phrase.has(*_MACHINES):
        raise phrase.refuse("it does not reboot phones", "reboot all phones, or a phone group")
    yield from reset(phrase)


def automatic(phrase: Phrase) -> Iterator[Step]:
    """Read a reset for which nobody waits."""
    phrase.take(*_WAITING)
    phrase.groups()
    yield phrase.step(Action.AUTO_RESET)


def reissue(phrase: Phrase) -> Iterator[Step]:
    """Read the issue of new LSCs to phone groups."""
    phrase.take("lsc", "lscs", "null", "string", "operation", "anew", "again")
    named = phrase.groups()
    if not named and not phrase.has(*EVERYWHERE) and len(phrase.words) > 1 and phrase.left():
        known = ", ".join(group.name for group in phrase.vocabulary.groups)
        raise phrase.refuse("it names no phone group", f"one of the groups: {known}")
    holders = tuple(
        group.name
        for group in phrase.vocabulary.groups
        if group.lsc or phrase.renewals.get((HELD_LSC, group.name))
    )
    yield phrase.step(Action.LSC_REISSUE, groups=named or holders)


def install(phrase: Phrase) -> Iterator[Step]:
    """Tell "install new LSCs" from "install the certificate on RADIUS"."""
    yield from reissue(phrase) if phrase.has("lsc", "lscs") else upload(phrase)


def profile(phrase: Phrase) -> Iterator[Step]:
    """Read the change of the security mode of phone groups."""
    phrase.take("security", "device", "secure", "profile", "mode")
    named = phrase.groups()
    modes = [mode for mode in Mode if phrase.take(mode.value)]
    if not named or len(modes) != 1:
        raise phrase.refuse("a group and one mode are wanted", "profile E non_secure")
    yield phrase.step(Action.PROFILE, groups=named, value=modes[0].value)


# -- parties outside


def _peer(phrase: Phrase, word: str) -> str | None:
    plain = word.lower()
    known = {name.lower(): name for name in phrase.vocabulary.peers}
    return known.get(plain) or (PEERS[plain].value if plain in PEERS else None)


def tell(phrase: Phrase) -> Iterator[Step]:
    """Read that a party outside is given a certificate."""
    certificate = phrase.certificate()
    peers = tuple(phrase.found(lambda word: _peer(phrase, word)).values())
    phrase.take("headend", "about", "ca-trust")
    if len(peers) != 1:
        problem = "it names no party" if not peers else "it names two parties"
        raise phrase.refuse(problem, f"one of {', '.join((*phrase.vocabulary.peers, *PEERS))}")
    if certificate is None and any(word.lower() in STORES for word in phrase.words):
        certificate = _of_store(phrase)
    yield phrase.step(Action.TELL, peer=peers[0], certificate=certificate)


def _of_store(phrase: Phrase) -> Certificate:
    """Return the present certificate of the store that a step gives to a party outside."""
    stores = phrase.stores()
    if len(stores) > 1:
        raise phrase.refuse("it names two stores", "one certificate in a step")
    if phrase.has("old", "previous"):
        return relative(phrase, stores[0], "")
    phrase.take("current", "present")
    vocabulary = phrase.vocabulary
    owner = next(iter(phrase.nodes(default=(vocabulary.publisher,))))
    shared = stores[0] in vocabulary.shared
    times = phrase.renewals.get((stores[0], CLUSTER if shared else owner), 0)
    return phrase.named(stores[0], owner, times)
