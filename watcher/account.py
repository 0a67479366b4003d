"""What a document tells of a proof, in the order a reader needs it; like things told once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from watcher.model.plan import ChangePlan
from watcher.model.proof import Assumption, Proof, TrustSpan, WayTried

SAFE, REFUSED = "safe", "refused"
_BRIEF = 4
"""Assumptions that the verdict tells at once; more stand further down."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The ruling in words; `tone` is `safe`, `assumed` or `withheld`."""

    tone: str
    words: str
    because: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()


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


def changes_trust(plan: ChangePlan) -> bool:
    """Tell whether a plan has anything to prove: a step that changes what phones see."""
    return plan.proof is not None and bool(plan.proof.moments)


def verdict(plan: ChangePlan) -> Verdict | None:
    """Return the ruling in words; None for a plan that nobody proved."""
    proof = plan.proof
    if plan.withheld or (proof and proof.ruling == REFUSED):
        return _withheld(plan)
    if proof is None:
        return None
    if not proof.moments:
        return Verdict(SAFE, "Nothing that phones trust changes, so no phone can be left behind")
    if proof.ruling == SAFE:
        return Verdict(SAFE, "Proven safe: no phone is left behind in any combination")
    words = "Proven safe under these assumptions: check them before the first step"
    told = tuple(item.text for item in alike(proof.assumptions))
    if len(told) > _BRIEF:
        more = f"and {len(told) - _BRIEF} more, in What was proven, and what was not"
        told = (*told[:_BRIEF], more)
    return Verdict("assumed", words, told)


def _withheld(plan: ChangePlan) -> Verdict:
    seen = plan.proof.counter_example if plan.proof else ()
    because = tuple(text for text in plan.withheld if text not in seen)
    words = "Withheld: no order of these renewals was proven safe for the phones"
    if plan.steps:
        words += ". The steps below touch nothing that phones trust"
    return Verdict("withheld", words, because, seen)


@dataclass(frozen=True, slots=True)
class Tried:
    """One way that was drawn: what it costs, what became of it."""

    title: str
    resets: int
    minutes: int
    result: str
    taken: bool


def tried(proof: Proof) -> tuple[Tried, ...]:
    """Return every way that was drawn, and why all but one were not taken."""
    best = next((way for way in proof.ways if way.taken), None)
    return tuple(
        Tried(way.title, way.resets, way.minutes, _result(way, best), way.taken)
        for way in proof.ways
    )


def _result(way: WayTried, best: WayTried | None) -> str:
    if way.ruling == REFUSED or (way.why and not way.taken):
        return f"refused. {way.why}".strip()
    proven = "proven" if way.ruling == SAFE else "proven under assumptions"
    if way.taken or best is None:
        return proven
    if way.ruling != best.ruling:
        return f"{proven}; the way taken needs none"
    return f"{proven}; {'more phone resets' if way.resets > best.resets else 'takes longer'}"


def alike(assumptions: Iterable[Assumption]) -> tuple[Assumption, ...]:
    """Return assumptions with those that differ only in their phone group drawn together."""
    groups: dict[tuple[str, str, int], list[str]] = defaultdict(list)
    for item in assumptions:
        name, colon, text = item.text.partition(": ")
        named = bool(colon) and not item.step
        key = (text if named else item.text, item.check, item.step)
        groups[key] += [name] if named else []
    return tuple(
        Assumption(text=f"{', '.join(names)}: {text}" if names else text, check=check, step=step)
        for (text, check, step), names in groups.items()
    )


def remarks(spans: Iterable[TrustSpan]) -> tuple[Remark, ...]:
    """Return notes with those that say the same of the same groups drawn together."""
    where: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for span in spans:
        where[span.text, span.groups].append(steps_of(span))
    return tuple(
        Remark(_without_rule(text), ", ".join(steps), ", ".join(groups), _rule(text))
        for (text, groups), steps in where.items()
    )


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
    for item in alike(proof.assumptions):
        if item.step:
            text = f"Safe only if {item.text}. Check it on one phone first: {item.check}."
            yield item.step, Mark("assumed", text)
    for span in proof.windows:
        text = (
            f"A window opens here{_until(span)}: a phone of {', '.join(span.groups)} that restarts "
            f"meanwhile may be refused ({span.text}){_if(span)}."
        )
        yield span.first, Mark("window", text)
    for span in proof.outages:
        text = (
            f"Phones of {', '.join(span.groups)} may be out of service ({span.text}){_if(span)}: "
            f"this begins here{_until(span)}."
        )
        yield span.first, Mark("out", text)


def _until(span: TrustSpan) -> str:
    return (
        " for this one step" if span.first == span.last else f" and lasts through step {span.last}"
    )


def _if(span: TrustSpan) -> str:
    return f", if {span.when}" if span.when else ""
