"""Trust copies are deleted last, and never the certificate itself: O11, O18, O19, I-14."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from watcher.inventory.schema import Certificate
from watcher.model.plan import Step
from watcher.rules.store import Role, Store, StoreKind
from watcher.rules.terms import Condition
from watcher.rules.work import StepKind
from watcher.safety.reading import Reading, place, plural, sure, word
from watcher.safety.violation import Violation, broken

OWNER_CHECK = "confirm-owner-renewed"
ISSUED = "verify-lsc"
GUARDS = (
    ("stop-change-notification", "start-change-notification"),
    ("stop-imp-services", "start-imp-services"),
)
"""Steps that rest and wake what brings deleted copies back, on CUCM and on IM and Presence."""


def identity_is_never_deleted(reading: Reading) -> Iterator[Violation]:
    """I-14: only copies in trust stores are deleted, never a service certificate (TN214231)."""
    for step in reading.of(StepKind.DELETE):
        store = reading.store(step)
        if store is None or store.kind is not StoreKind.TRUST:
            yield broken("I-14", f"{step.store} holds no copies: what it holds is in use.", step)


def own_copies_are_kept(reading: Reading) -> Iterator[Violation]:
    """I-14: a node's own copy stays where a service uses it, as DRS does (TN214231)."""
    for step in reading.of(StepKind.DELETE):
        store = reading.store(step)
        if store is None or not store.keep_own_copies:
            continue
        for known in _named(reading, step):
            owner = known.owner or _node_of(reading, known.file or "")
            if owner:
                text = f"{owner} still uses its copy in {step.store}: renewal replaces it."
                yield broken("I-14", text, step)


def _node_of(reading: Reading, file: str) -> str | None:
    """Return the node that a copy is named after: host.pem or host.domain.pem."""
    stem = file.rpartition(".")[0].lower()
    names = {
        name.lower(): node.name
        for node in reading.known.nodes
        for name in (node.name, *node.aliases)
    }
    return names.get(stem) or names.get(stem.partition(".")[0])


def lsc_issuer_is_kept(reading: Reading) -> Iterator[Violation]:
    """O11: the issuer of LSCs in use stays trusted until new LSCs are checked (CC3209844)."""
    changes = reading.role(Role.LSC_ISSUER)
    if not changes or reading.known.fact(Condition.LSC) is False:
        return
    words = () if reading.known.fact(Condition.LSC) else (word(Condition.LSC),)
    for step in reading.of(StepKind.DELETE):
        if not _may_hold_lsc_issuer(reading, step):
            continue
        seen = [s for s in reading.keyed(ISSUED) if reading.before(s, step)]
        checked = any(
            reading.before(issued, look) and sure(issued, words=words) and sure(look, words=words)
            for look in seen
            for issued in reading.of(StepKind.REISSUE)
        )
        if not checked:
            text = "the copy may have signed LSCs that are not yet replaced."
            yield broken("O11", text, step)


def _may_hold_lsc_issuer(reading: Reading, step: Step) -> bool:
    """Tell whether the copy that a step deletes is, or may be, a former LSC issuer."""
    issuers = [s for s in reading.catalogue.stores.values() if s.role is Role.LSC_ISSUER]
    if step.store not in {copy.store for issuer in issuers for copy in issuer.copies_to}:
        return False
    files = [known.file for known in _named(reading, step)]
    return not files or any(file is None or _like(file, issuers) for file in files)


def _like(file: str, issuers: list[Store]) -> bool:
    stems = [(store.file or "").removesuffix(".pem") for store in issuers]
    return any(fnmatchcase(file.lower(), f"{stem.lower()}*") for stem in stems)


def _named(reading: Reading, step: Step) -> tuple[Certificate, ...]:
    """Return the copies of the inventory whose file the commands of a step name."""
    cluster = reading.known.cluster
    texts = [line.text for line in step.command]
    return tuple(
        known
        for known in (cluster.certificates if cluster else ())
        if known.store == step.store
        and known.file is not None
        and any(text.endswith(f" {known.file}") for text in texts)
    )


def copies_stay_deleted(reading: Reading) -> Iterator[Violation]:
    """O18: up to 11.5 change notification rests around each deletion, later never (TN214231)."""
    words = reading.known.applies("O18")
    if words is None:
        guards = {key for pair in GUARDS for key in pair}
        for step in (s for s in reading.steps if s.key in guards):
            yield broken("O18", "from 12.0 nothing is stopped for a deletion.", step)
        return
    for step in reading.of(StepKind.DELETE):
        for (stop, start), nodes in zip(GUARDS, _guarded_nodes(reading), strict=True):
            for node in nodes:
                if not _rests(reading, step, (stop, start, node), words):
                    where = node or "each node"
                    yield broken("O18", f"{stop} and {start} do not enclose it on {where}.", step)


def _guarded_nodes(reading: Reading) -> tuple[tuple[str | None, ...], tuple[str | None, ...]]:
    presence = reading.known.fact(Condition.IM_PRESENCE) is not False
    return (
        tuple(node.name for node in reading.known.cucm) or (None,),
        tuple(node.name for node in reading.known.presence) if presence else (),
    )


def _rests(
    reading: Reading, step: Step, guard: tuple[str, str, str | None], words: tuple[str, ...]
) -> bool:
    stop, start, node = guard
    presence = (*words, word(Condition.IM_PRESENCE))

    def here(one: Step) -> bool:
        return (place(one) == (node or "").lower() or plural(one)) and sure(
            one, step, words=presence
        )

    stops = [s for s in reading.keyed(stop) if here(s) and reading.before(s, step)]
    starts = [s for s in reading.keyed(start) if here(s)]
    woken = bool(stops) and bool(reading.between(stops[-1], step, starts))
    return bool(stops) and not woken and any(reading.before(step, s) for s in starts)


def copies_go_last(reading: Reading) -> Iterator[Violation]:
    """O19: copies are deleted after every renewal, and once their owner is seen to be renewed.

    Source: TN214231. The owner is asked for where the inventory knows it.
    """
    for step in reading.of(StepKind.DELETE):
        late = [change for change in reading.renewals if not reading.before(change, step)]
        if late:
            text = f"{late[0].store} is not yet renewed when this copy is deleted."
            yield broken("O19", text, step, late[0])
        for known in _named(reading, step):
            checks = [s for s in reading.keyed(OWNER_CHECK) if reading.before(s, step)]
            if known.owner and not any(sure(s) and _owner(known, s) for s in checks):
                yield broken("O19", f"nobody checks that {known.owner} has a new one.", step)


def _owner(known: Certificate, check: Step) -> bool:
    return place(check).startswith((known.owner or "").lower())
