"""The verb of a step, and what it takes: short forms of `docs/steps.md` and plain English."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from watcher.orders.deeds import (
    HELD_LSC,
    ONE,
    Reader,
    automatic,
    bounce,
    delete,
    delete_trust,
    flush,
    install,
    profile,
    reboot,
    reissue,
    renew,
    reset,
    service_step,
    tell,
    upload,
    upload_signed,
    upload_trust,
)
from watcher.orders.words import (
    STORES,
    Phrase,
    StepError,
    Vocabulary,
    qualifier,
    spoken,
)
from watcher.trust.names import CLUSTER, CtlKind, Kind
from watcher.trust.scenario import RENEWING, Action, Mode, Step

MAX_STEPS = 20_000
"""Single steps of one order; 64 nodes renewed store by store need a few thousand."""


def read_steps(texts: Iterable[str], vocabulary: Vocabulary) -> Iterator[Step]:
    """Yield the typed steps of an order; one line may be several (`flush`, `bounce`, `CM P,S`)."""
    renewals: Counter[tuple[str, str]] = Counter()
    count = 0
    for number, text in enumerate(texts, 1):
        for step in read_step(text, number, vocabulary, renewals):
            _count(step, vocabulary, renewals)
            count += 1
            if count > MAX_STEPS:
                problem = f"step {number}: more than {MAX_STEPS} single steps"
                raise StepError(number, problem, "a shorter order")
            yield step


def _count(step: Step, vocabulary: Vocabulary, renewals: Counter[tuple[str, str]]) -> None:
    """Keep count of renewals, so that "the new" and "the old" certificate have names."""
    if step.action is Action.RESTORE:
        renewals.clear()
    if step.action is Action.LSC_REISSUE:
        renewals.update((HELD_LSC, group) for group in step.groups)
    if step.action not in RENEWING or step.store is None:
        return
    if step.store in vocabulary.shared:
        owners = [CLUSTER]
    else:
        owners = [step.node] if step.node else [node.name for node in vocabulary.nodes]
    renewals.update((step.store, owner) for owner in owners)


def read_step(
    text: str, number: int, vocabulary: Vocabulary, renewals: Mapping[tuple[str, str], int]
) -> Iterator[Step]:
    """Yield what one line of an order does, or refuse it."""
    words = spoken(text, vocabulary)
    phrase = Phrase(text, number, vocabulary, renewals, words)
    if not words:
        raise phrase.refuse("it is empty")
    if words[0].lower() in _LOOKING:
        _refuse_hidden_deed(phrase)
        yield phrase.step(Action.VERIFY)
        return
    steps = list(_chosen(phrase)(phrase))
    left = phrase.left()
    if left:
        names = ", ".join([node.name for node in vocabulary.nodes])
        groups = ", ".join([group.name for group in vocabulary.groups])
        known = f"nodes {names}" + (f", phone groups {groups}" if groups else "")
        raise phrase.refuse(f"{left[0]!r} is not known here", f"{known}, or less words")
    yield from steps


_LOOKING = frozenset(
    ("verify", "check", "confirm", "record", "save", "canary", "wait", "watch", "note", "look",
     "download", "show", "inform", "document")
)  # fmt: skip


def _refuse_hidden_deed(phrase: Phrase) -> None:
    """Refuse "check this, then restart that": what is only looked at may be told in any words."""
    deed = re.search(r"(?:\b(?:and|then)|[,;])\s+(?:then\s+)?(\w+)", phrase.text.lower())
    if deed and deed[1] in _VERBS:
        raise phrase.refuse(f"it looks at something and then says {deed[1]!r}", ONE)


def _chosen(phrase: Phrase) -> Reader:
    """Return what reads the phrase: the one verb in it, or a bare store at its beginning."""
    names = phrase.vocabulary.names
    verbs = [w.lower() for w in phrase.words if w.lower() in _VERBS and not names(w)]
    readers = [_VERBS[verb] for verb in verbs]
    for verb, nouns in _NOUNS.items():
        if verb in verbs and len(verbs) > 1 and set(verbs) - {verb} <= nouns:
            verbs, readers = [verb], [_VERBS[verb]]
    if len(verbs) > 1:
        raise phrase.refuse(f"it says both {verbs[0]!r} and {verbs[1]!r}", ONE)
    turned = qualifier(phrase.words)
    if turned and not (readers and readers[0] in _HARMLESS):
        raise phrase.refuse(f"{turned!r} leaves open what is done")
    first = phrase.words[0].lower()
    if readers:
        phrase.take(*verbs)
        return readers[0]
    if first in STORES:
        return renew
    raise phrase.refuse(f"{phrase.words[0]!r} is not a verb or a store")


# -- parameters and backups


def _set(phrase: Phrase) -> Iterator[Step]:
    """Read "set", "turn", "put" and the like: which parameter is the noun of the step."""
    for noun, reader in (
        ("rollback", _rollback), ("phone_interaction", _interaction), ("profile", profile),
    ):  # fmt: skip
        if phrase.take(noun):
            yield from reader(phrase)
            return
    if any(phrase.has(mode.value) for mode in Mode):
        yield from profile(phrase)
        return
    raise phrase.refuse("it names no parameter", "rollback, phone_interaction or profile")


_ON, _OFF = ("true", "on", "enable", "enabled", "yes"), ("false", "off", "disable", "disabled")


def _rollback(phrase: Phrase) -> Iterator[Step]:
    phrase.take("pre", "8.0", "pre-8.0", "value")
    words = {word.lower() for word in phrase.words}
    clear_on, clear_off = words & (set(_ON) - {"on"}), words & set(_OFF)
    on = bool(clear_on) or (not clear_off and "on" in words)
    if bool(clear_on) == bool(clear_off) and (clear_on or "on" not in words):
        raise phrase.refuse("it does not say on or off", "rollback on, or rollback off")
    phrase.take(*_ON, *_OFF)
    yield phrase.step(Action.ROLLBACK_ON if on else Action.ROLLBACK_OFF)


def _interaction(phrase: Phrase) -> Iterator[Step]:
    manual, automatic = phrase.take("manual"), phrase.take("auto", "automatic", "automatically")
    if manual == automatic:
        raise phrase.refuse("it does not say manual or auto", "phone_interaction manual")
    yield phrase.step(Action.INTERACTION, value="manual" if manual else "auto")


def _replace(phrase: Phrase) -> Iterator[Step]:
    phrase.take("headend", "vpn", "asa")
    yield phrase.step(Action.REPLACE_HEADEND)


def _alone(action: Action, *also: str) -> Reader:
    """Return the reader of a step that takes nothing; `also` are words it may be told with."""

    def read(phrase: Phrase) -> Iterator[Step]:
        phrase.take(*also, "cluster", "run", "command", "cli")
        publisher = phrase.vocabulary.publisher
        if set(phrase.nodes(default=(publisher,))) != {publisher}:
            raise phrase.refuse("it is done on the publisher", f"{publisher}, or no node")
        yield phrase.step(action)

    return read


_TOLD = (
    "drs", "take", "make", "current", "fresh", "full", "verified", "and", "verify", "check",
    "before", "after", "change", "changes", "made", "taken", "start", "state", "present",
    "network", "device", "ctlfile", "run", "starting", "anything",
)  # fmt: skip
_RESTORE = _alone(Action.RESTORE, *_TOLD, "backup", "pre-change", "last", "old")
_BACKUP = _alone(Action.BACKUP, *_TOLD, "copy")
_EXPORT = _alone(
    Action.EXPORT_KEY, "p12", "itlrecovery.p12", "itlrecovery", "key", "store", "it", "off-box"
)
_REMOTEKEY = _alone(Action.ITL_REMOTEKEY, "p12", "itlrecovery.p12")
_CSR = _alone(Action.VERIFY, "csr", *(kind.lower() for kind in Kind))
_NOUNS: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        ("set", "turn", "put", "move", "enable", "disable"),
        frozenset(("rollback", "phone_interaction", "profile")),
    ),
    "restore": frozenset(("backup",)),
}  # fmt: skip
"""What is a verb when it stands alone, and the object of another one beside it."""
_HARMLESS = (_RESTORE, _BACKUP)
"""Deeds without an object: "before" and "after" only say when."""


def _generate(phrase: Phrase) -> Iterator[Step]:
    """Read "generate a CSR", which changes nothing; anything else generated is renewed."""
    if not phrase.has("csr"):
        yield from renew(phrase)
        return
    phrase.nodes(default=())
    yield from _CSR(phrase)


_VERBS: dict[str, Reader] = {
    **dict.fromkeys(("regen", "regenerate", "renew", "rotate"), renew),
    "generate": _generate,
    "upload_signed": upload_signed,
    "upload_trust": upload_trust,
    "delete_trust": delete_trust,
    **dict.fromkeys(("upload", "import"), upload),
    **dict.fromkeys(("delete", "remove"), delete),
    "restart": service_step(Action.RESTART),
    "stop": service_step(Action.STOP),
    "start": service_step(Action.START),
    "flush": flush,
    "bounce": bounce,
    **dict.fromkeys(("reset", "barrier"), reset),
    "reboot": reboot,
    "auto_reset": automatic,
    **dict.fromkeys(("lsc_reissue", "reissue", "issue"), reissue),
    **dict.fromkeys(("install", "upgrade"), install),
    "profile": profile,
    **dict.fromkeys(("tell", "trust", "give"), tell),
    "replace_headend": _replace,
    "replace": _replace,
    **dict.fromkeys(("set", "turn", "put", "move", "enable", "disable"), _set),
    "rollback": _rollback,
    "phone_interaction": _interaction,
    "ctl_update": _alone(Action.CTL_UPDATE, "ctl", "ctlfile", "run", *CtlKind),
    "ctl_localkey": _alone(Action.CTL_LOCALKEY),
    "itl_localkey": _alone(Action.ITL_LOCALKEY),
    "itl_remotekey": _REMOTEKEY,
    **dict.fromkeys(("export", "export_p12"), _EXPORT),
    "backup": _BACKUP,
    "restore": _RESTORE,
}
