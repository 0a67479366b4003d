"""Steps are done and nothing follows: who is refused, who is out, what is owed."""

from collections.abc import Iterable, Iterator, Sequence

from watcher.orders.reader import ordered
from watcher.proving.rest import broken_by, since
from watcher.proving.words import when
from watcher.rules.store import Store
from watcher.rules.work import Service
from watcher.trust.phone import SAME
from watcher.trust.prove import prove
from watcher.trust.rulebook import Severity
from watcher.trust.scenario import RENEWING, Action, Group, Step
from watcher.trust.verdict import Broken, Interval, Verdict
from watcher.whatif.ground import Ground
from watcher.whatif.nouns import BACK, PhonesAfter, StepCost, StepsAnswer

_TEMPLATES = {
    Action.REGENERATE: ("regenerate",), Action.UPLOAD_SIGNED: ("upload-certificate",),
    Action.UPLOAD_TRUST: ("upload-chain",), Action.DELETE_TRUST: ("delete-trust-copy",),
    Action.RESET: ("canary", "reset-phones", "wait-registrations"),
    Action.CTL_UPDATE: ("ctl-update",), Action.CTL_LOCALKEY: ("ctl-localkey",),
    Action.ITL_LOCALKEY: ("itl-localkey",), Action.ROLLBACK_ON: ("rollback-on",),
    Action.ROLLBACK_OFF: ("rollback-off",), Action.LSC_REISSUE: ("reissue-lsc",),
    Action.TELL: ("tell-party",), Action.EXPORT_KEY: ("export-recovery-key",),
    Action.BACKUP: ("backup",), Action.VERIFY: (),
}  # fmt: skip
"""Step templates of the rules that tell how long an action takes; what is absent is not known."""
_MOVES = frozenset((Action.RESTART, Action.STOP, Action.START))


def steps(ground: Ground, texts: Sequence[str]) -> StepsAnswer:
    """Return what these steps do, in plain words or short forms, one after the other."""
    given = ordered(ground.base, texts, possible=True)
    done = given.steps
    verdict = prove(given)
    costs = tuple(_costs(ground, texts, done))
    phones = tuple(_after(group, verdict) for group in given.groups)
    hit = [one.group for one in phones if one.reset_now != BACK]
    known = [cost.minutes for cost in costs]
    old = broken_by(given, len(texts))
    broken = tuple(_broken(verdict, old))
    follow = tuple(_follow(verdict, old))
    return StepsAnswer(
        safe_alone=verdict.safe and not (broken or follow), verdict=verdict.ruling.value,
        steps=costs, minutes=None if None in known else sum(number or 0 for number in known),
        phones=phones, hit=ground.count(hit), broken=broken, follow=follow,
        tell=ground.parties(_renewed(ground, done)), unknown=(*_unknown(costs), *ground.unknown()),
    )  # fmt: skip


def _renewed(ground: Ground, done: Iterable[Step]) -> Iterator[Store]:
    for name in dict.fromkeys(step.store for step in done if step.action in RENEWING):
        if name is not None and name in ground.catalogue.stores:
            yield ground.catalogue.stores[name]


# -- minutes


def _costs(ground: Ground, texts: Sequence[str], done: Sequence[Step]) -> Iterator[StepCost]:
    for number, text in enumerate(texts, 1):
        own = [step for step in done if step.number == number]
        minutes = [_minutes(ground, step) for step in own]
        noticed = dict.fromkeys(word for step in own for word in _noticed_by(ground, step))
        yield StepCost(
            number=number, text=text, noticed_by=tuple(noticed),
            minutes=None if None in minutes else sum(one or 0 for one in minutes),
        )  # fmt: skip


def _minutes(ground: Ground, step: Step) -> int | None:
    if step.action in _MOVES:
        service = _service(ground, step)
        return service.minutes if service else None
    if step.action not in _TEMPLATES:
        return None
    return sum(ground.catalogue.step(key).minutes for key in _TEMPLATES[step.action])


def _noticed_by(ground: Ground, step: Step) -> Iterator[str]:
    if step.action in _MOVES:
        service = _service(ground, step)
        yield from (service.noticed_by,) if service else ()
    else:
        keys = _TEMPLATES.get(step.action, ())
        yield from (ground.catalogue.step(key).noticed_by for key in keys)


def _service(ground: Ground, step: Step) -> Service | None:
    services = ground.catalogue.services.values()
    return next((service for service in services if service.process == step.service), None)


def _unknown(costs: Iterable[StepCost]) -> Iterator[str]:
    for cost in costs:
        if cost.minutes is None:
            yield f"how long step {cost.number} ({cost.text}) takes is not in the rules"


# -- phones


def _after(group: Group, verdict: Verdict) -> PhonesAfter:
    lost = next((one for one in verdict.stranded if one.group == group.name), None)
    status = verdict.history[group.name][-1][1]
    meanwhile = (
        *_spans("reset phones are refused", verdict.windows, group.name),
        *_spans("out of service", verdict.outages, group.name),
    )
    return PhonesAfter(
        group=group.name, phones=group.count,
        reset_now=BACK if lost is None else f"{lost.severity}: {lost.why}",
        when=when(lost.branches) if lost else "", heals=lost.rescue.text if lost else "",
        meanwhile=meanwhile, anchors=tuple(sorted(status.ways - {SAME})),
    )  # fmt: skip


def _spans(words: str, intervals: Iterable[Interval], group: str) -> Iterator[str]:
    for one in intervals:
        if one.group == group:
            steps = f"step {one.first}" if one.first == one.last else f"{one.first} to {one.last}"
            condition = when(one.branches)
            yield f"{words} after {steps}: {one.text}" + (f", if {condition}" if condition else "")


# -- rules


_LOST = ("I-1", "I-15")
"""Rules about phones that do not come back."""
_MENDS = {
    "I-1": "see what heals these phones",
    "I-7": "update the CTL, restart TFTP everywhere and reset all phones",
    "I-8": "turn the rollback parameter off and reset all phones",
    "I-15": "see what heals these phones",
    "L-2": "reset all phones",
    "L-8": "make a backup and verify it",
}
"""What has to be done about a rule that only the end breaks, where its words do not tell."""
_RESETTING = frozenset(("I-7", "I-8", "L-2"))
_Old = frozenset[tuple[str, int]]


def _broken(verdict: Verdict, old: _Old) -> Iterator[str]:
    """Yield the rules that stay broken whatever follows: no later step takes that back."""
    rules = {rule for rule, _ in old}
    if any(lost.severity is Severity.LOCKED_TOUCH for lost in verdict.stranded):
        rules |= set(_LOST)
    for one in verdict.broken:
        if one.rule in rules or 0 in one.steps:
            yield _told(one)


def _follow(verdict: Verdict, old: _Old) -> Iterator[str]:
    """Yield what is owed: rules that are broken only as it stands, then debts."""
    for_good = set(_broken(verdict, old))
    for one in verdict.broken:
        left = since(one, old)
        if left is not None and 0 not in left.steps and _told(left) not in for_good:
            yield _with_mend(left.rule, _told(left), verdict)
    for note in verdict.unpaid:
        yield _with_mend(note.rule, f"{note.rule}: {note.text}", verdict)


def _told(broken: Broken) -> str:
    condition = when(broken.branches)
    return f"{broken.rule}: {broken.text}" + (f", if {condition}" if condition else "")


def _with_mend(rule: str, text: str, verdict: Verdict) -> str:
    if rule not in _MENDS:
        return text
    # A reset is what loses such phones.
    first = "heal first the phones that do not come back, then " if verdict.stranded else ""
    return f"{text}: {first if rule in _RESETTING else ''}{_MENDS[rule]}"
