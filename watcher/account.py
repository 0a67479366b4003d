"""What a document tells of a proof, in the order a reader needs it; like things told once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from watcher.model.plan import ChangePlan
from watcher.model.progress import Outcome
from watcher.model.proof import Assumption, Proof, TrustSpan, WayTried
from watcher.trust.verdict import Ruling

_BRIEF, FEW = 4, 6
"""Assumptions that the verdict tells at once, and groups that a sentence names."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One way that was drawn: what it costs, what became of it."""

    title: str
    resets: int
    minutes: int
    result: str
    taken: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """The ruling in words; `tone` is `safe`, `assumed` or `withheld`."""

    tone: str
    words: str
    because: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    order: str = ""
    """The way in which the model saw it."""
    ways: tuple[Tried, ...] = ()
    left_out: tuple[str, ...] = ()
    """Why a part of the work is withheld."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that is allowed and must be known: where, for whom, by which rule."""

    text: str
    steps: str
    groups: str
    rule: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A word of the proof at one step; `kind` is `no-return`, `window`, `out` or `assumed`."""

    kind: str
    text: str


def verdict(plan: ChangePlan) -> Verdict | None:
    """Return the ruling in words; None for a plan that nobody proved."""
    proof = plan.proof
    if proof is None and not plan.withheld:
        return None
    if plan.continuation is not None and plan.continuation.outcome is Outcome.RESTORE:
        return Verdict("withheld", "Stop here: no way to go on is proven", plan.withheld)
    ruling = _ruling(plan)
    if plan.continuation is not None and plan.continuation.refused:
        return _refused_as_asked(plan.continuation.refused, ruling)
    return ruling


def _refused_as_asked(refused: tuple[str, ...], rest: Verdict) -> Verdict:
    """Return the ruling on a plan of which somebody left out what must be done."""
    words = "Refused: a step that must be done was left out. Of the way on below: " + rest.words
    return replace(rest, tone="withheld", words=words, because=(*refused, *rest.because))


def _ruling(plan: ChangePlan) -> Verdict:
    proof = plan.proof
    if proof is None or proof.ruling == Ruling.REFUSED or (plan.withheld and not proof.moments):
        return _withheld(plan)
    if plan.withheld:
        return _in_part(plan.withheld, _proven(proof))
    return _proven(proof)


def _in_part(withheld: tuple[str, ...], rest: Verdict) -> Verdict:
    words = "Only a part is planned, and the rest withheld. Of this part: " + rest.words
    return replace(rest, tone="assumed", words=words, left_out=withheld)


def _proven(proof: Proof) -> Verdict:
    if not proof.moments:
        return Verdict("safe", "Nothing that phones trust changes, so no phone can be left behind")
    if proof.ruling == Ruling.SAFE:
        words = "Proven safe: no phone is left behind in any combination"
        return Verdict("safe", words, ways=tried(proof))
    words = "Proven safe under these assumptions: check them before the first step"
    gravest = sorted(alike(proof.assumptions, FEW), key=lambda item: not item.step)
    told = tuple(item.text for item in gravest)
    if len(told) > _BRIEF:
        more = f"and {len(told) - _BRIEF} more, in What was proven, and what was not"
        told = (*told[:_BRIEF], more)
    return Verdict("assumed", words, told, ways=tried(proof))


def _withheld(plan: ChangePlan) -> Verdict:
    seen = plan.proof.counter_example if plan.proof else ()
    because = tuple(text for text in plan.withheld if text not in seen)
    words = "Withheld: no order of these renewals was proven safe for the phones"
    if plan.steps:
        words += ". The steps below touch nothing that phones trust"
    order = plan.proof.ways[0].title if seen and plan.proof and plan.proof.ways else ""
    return Verdict("withheld", words, because, seen, order, _refused(plan))


def tried(proof: Proof) -> tuple[Tried, ...]:
    """Return every way that was drawn, and why all but one were not taken."""
    best = next((way for way in proof.ways if way.taken), None)
    return tuple(
        Tried(way.title, way.resets, way.minutes, _result(way, best), way.taken)
        for way in proof.ways
    )


def _refused(plan: ChangePlan) -> tuple[Tried, ...]:
    """Return the ways that a withheld plan tried in vain, where the words above tell but one."""
    proof = plan.proof
    found = tuple(way for way in tried(proof) if not way.taken) if proof else ()
    return found if len(found) > 1 else ()


def _result(way: WayTried, best: WayTried | None) -> str:
    if way.ruling == Ruling.REFUSED or (way.why and not way.taken):
        return f"refused. {way.why}".strip()
    proven = "proven" if way.ruling == Ruling.SAFE else "proven under assumptions"
    if way.taken or best is None:
        return proven
    if way.ruling != best.ruling:
        return f"{proven}; the way taken needs none"
    return f"{proven}; {'more phone resets' if way.resets > best.resets else 'takes longer'}"


def alike(assumptions: Iterable[Assumption], most: int = 0) -> tuple[Assumption, ...]:
    """Return assumptions with those that differ only in their phone group drawn together.

    `most` is how many groups are named; 0: all.
    """
    groups: dict[tuple[str, str, int], list[str]] = defaultdict(list)
    for item in assumptions:
        name, colon, text = item.text.partition(": ")
        named = bool(colon) and not item.step
        key = (text if named else item.text, item.check, item.step)
        groups[key] += [name] if named else []
    return tuple(
        Assumption(text=_named(names, text, most), check=check, step=step)
        for (text, check, step), names in groups.items()
    )


def _named(names: Sequence[str], text: str, most: int) -> str:
    return f"{few(names, most)}: {text}" if names else text


def inputs(proof: Proof, most: int = 0) -> tuple[Assumption, ...]:
    """Return what had to be assumed of the cluster, with the check that settles it."""
    return alike((item for item in proof.assumptions if item.text in proof.inputs), most)


def few(names: Sequence[str], most: int = FEW) -> str:
    """Return names for a sentence: `most` of them, and how many more there are; 0: all."""
    more = len(names) - most if most else 0
    return ", ".join(names[:most] if more > 0 else names) + (
        f" and {more} more" if more > 0 else ""
    )


def counted(number: int, noun: str) -> str:
    """Return a number of things in words."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def remarks(spans: Iterable[TrustSpan]) -> tuple[Remark, ...]:
    """Return notes; those that differ only in steps, or only in groups, are drawn together."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for span in spans:
        groups[_of_nobody(span), steps_of(span)] += span.groups
    steps: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (text, where), names in groups.items():
        steps[text, tuple(dict.fromkeys(names))].append(where)
    return tuple(
        Remark(_without_rule(text), ", ".join(where), few(names), _rule(text))
        for (text, names), where in steps.items()
    )


def _of_nobody(span: TrustSpan) -> str:
    """Return the text of a note without the name of its group, which stands beside it."""
    rule, text = _rule(span.text), _without_rule(span.text)
    for name in span.groups:
        text = text.removeprefix(f"{name}: ")
    return f"{rule}: {text}" if rule else text


def debts(unpaid: Iterable[str]) -> tuple[Remark, ...]:
    """Return what the plan leaves to be done."""
    return tuple(Remark(_without_rule(text), "", "", _rule(text)) for text in unpaid)


def _rule(text: str) -> str:
    head, colon, _ = text.partition(": ")
    return head if colon else ""


def _without_rule(text: str) -> str:
    return text.partition(": ")[2] or text


def steps_of(span: TrustSpan) -> str:
    """Return the steps after which a span holds."""
    return f"{span.first}" if span.first == span.last else f"{span.first} to {span.last}"


def marks(plan: ChangePlan) -> Mapping[int, tuple[Mark, ...]]:
    """Return what must be said at single steps, by their numbers."""
    found: dict[int, list[Mark]] = defaultdict(list)
    if plan.proof is not None:
        for number, mark in _marks(plan.proof):
            found[number].append(mark)
    return {number: tuple(dict.fromkeys(kept)) for number, kept in found.items()}


def _marks(proof: Proof) -> Iterator[tuple[int, Mark]]:
    for number in proof.no_return:
        text = "Point of no return for phones: from here on only a DRS restore leads back."
        yield number, Mark("no-return", text)
    for item in alike(proof.assumptions, FEW):
        if item.step:
            text = f"Safe only if {item.text}. Check it on one phone first: {item.check}."
            yield item.step, Mark("assumed", text)
    for span in proof.windows:
        text = (
            f"A window opens here{_until(span)}: a phone of {few(span.groups)} that restarts "
            f"meanwhile may be refused ({span.text}){_if(span)}."
        )
        yield span.first, Mark("window", text)
    for span in proof.outages:
        text = (
            f"Phones of {few(span.groups)} may be out of service ({span.text}){_if(span)}: "
            f"this begins here{_until(span)}."
        )
        yield span.first, Mark("out", text)


def _until(span: TrustSpan) -> str:
    return (
        " for this one step" if span.first == span.last else f" and lasts through step {span.last}"
    )


def _if(span: TrustSpan) -> str:
    return f", if {span.when}" if span.when else ""
