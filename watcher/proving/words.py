"""The words of a proof: open questions, counter-examples, and the sentences a plan must print."""

from collections.abc import Iterable, Iterator, Sequence

from watcher.account import FEW, alike, counted, few, inputs
from watcher.model.plan import ChangePlan, Step
from watcher.model.proof import AbsentPhones, Assumption, Proof
from watcher.trust.branch import UNKNOWNS, Answers
from watcher.trust.rulebook import RULES, Severity
from watcher.trust.scenario import Scenario
from watcher.trust.verdict import Broken, Stranded, Verdict

_CLASSES = {
    Severity.LOCKED_SERVER: "They can be healed from the server:",
    Severity.LOCKED_TOUCH: "Nothing on the server heals them:",
}


def when(answers: Answers) -> str:
    """Return in words in which branches something is so; nothing when it is always so."""
    return " and ".join(_answer(name, answer) for name, answer in answers.items())


def _answer(name: str, answer: str) -> str:
    unknown = UNKNOWNS[name]
    negation = "" if answer == unknown.other else "it is not so that "
    return f"{negation}{unknown.text} ({name})"


def question(name: str, answer: str, step: int = 0) -> Assumption:
    """Return the assumption that an open question has this answer, needed from a step on."""
    return Assumption(text=_answer(name, answer), check=UNKNOWNS[name].observable, step=step)


def counter_example(verdict: Verdict, steps: Sequence[Step]) -> Iterator[str]:
    """Yield why an order is refused: rules broken, then phones lost and what heals them."""
    titles = {step.number: step.title for step in steps}
    for broken in verdict.broken:
        yield _broken(broken, titles)
    for stranded in verdict.stranded:
        yield _stranded(stranded)


def _broken(broken: Broken, titles: dict[int, str]) -> str:
    step = broken.steps[0]
    place = f"Step {step}" if step else "Before the first step"
    named = f" ({titles[step]})" if step in titles else ""
    sources = ", ".join(RULES[broken.rule].sources)
    return f"{place}{named}: {broken.text}{_if(broken.branches)} [{broken.rule}; {sources}]"


def _stranded(stranded: Stranded) -> str:
    return (
        f"Phones of {stranded.group} do not come back ({stranded.severity}): {stranded.why}"
        f"{_if(stranded.branches)}. {_CLASSES[stranded.severity]} {stranded.rescue.text}"
    )


def _if(answers: Answers) -> str:
    return f", if {when(answers)}" if answers else ""


def sentences(plan: ChangePlan, proof: Proof, scenario: Scenario) -> tuple[str, ...]:
    """Return the sentences that a plan must print (trust facts, 6.2)."""
    return tuple(_sentences(plan, proof, scenario))


def _sentences(plan: ChangePlan, proof: Proof, scenario: Scenario) -> Iterator[str]:
    yield (
        f"This order was executed against a model of your cluster ({counted(proof.nodes, 'node')}, "
        f"{counted(proof.groups, 'phone group')}, release {scenario.profile.release}) for "
        f"{proof.combinations} combinations of undocumented behaviour. It is a proof about the "
        "model, not about the phones. It rests on the inputs listed below."
    )
    told = (
        f"assumed. If an assumption is wrong the result may be different: {_assumed(proof)}."
        if proof.inputs
        else "given by you."
    )
    yield (
        "TFTP order per site, reachability of TVS (tcp 2445), phones switched off, and current ITL "
        f"state were {told}"
    )
    others = (item for item in proof.assumptions if item.text not in proof.inputs)
    for item in alike(others, FEW):
        yield (
            f"Step {item.step or _first(proof)} is safe only if {item.text}. "
            f"Check it on one phone first: {item.check}."
        )
    if plan.disagreements:
        sides = ", ".join(side.id for side in plan.disagreements)
        yield f"Cisco's documents differ here ({sides}); this plan follows the stricter one."
    if proof.offline:
        yield (
            f"Phones that are off from step {_first(proof)} to step {_last(proof)} will "
            f"{' and '.join(_fates(proof))}. Cisco says the same (S2, S13)."
        )
    for step in proof.no_return:
        yield (
            f"After step {step} the way back is only a DRS restore taken at step "
            f"{_backup_before(plan, step)}; a restore after phones have moved can strand the "
            "moved ones."
        )
    names = ", ".join(lane.groups[0] for lane in proof.lanes)
    yield (
        f"Before each barrier for all phones, reset one phone of each group ({names}) and see it "
        "register; stop if it does not."
    )
    yield f"Not modelled: {_listed(_not_modelled())}."
    yield "Not a Cisco document; open a TAC case for phones that are locked out."


def _fates(proof: Proof) -> Iterator[str]:
    """Yield what becomes of phones that are off: those that survive, then those that do not."""
    kept = [f"{_who(absent)}{_because(absent.text)}" for absent in proof.offline if absent.ok]
    if kept:
        yield f"survive ({'; '.join(kept)})"
    for absent in proof.offline:
        if not absent.ok:
            yield f"need help ({_who(absent)}): they {absent.text.rstrip('.')}"


def _because(text: str) -> str:
    _, colon, why = text.partition(": ")
    return f" because {'' if why.startswith('they ') else 'of '}{why}" if colon else ""


def _who(absent: AbsentPhones) -> str:
    condition = f", if {absent.when}" if absent.when else ""
    return few(absent.groups) + condition


def _listed(items: Iterable[str]) -> str:
    return "; ".join(items)


def _assumed(proof: Proof) -> str:
    return _listed(item.text for item in inputs(proof, FEW))


def _first(proof: Proof) -> int:
    return proof.moments[0].step if proof.moments else 1


def _last(proof: Proof) -> int:
    return proof.moments[-1].step if proof.moments else 1


def _backup_before(plan: ChangePlan, step: int) -> int:
    backups = [s.number for s in plan.steps if s.kind == "backup" and s.number < step]
    return backups[-1] if backups else 0


def _not_modelled() -> Iterator[str]:
    yield "firmware of phones, FIPS, SIP OAuth, ECDSA-only clients, MRA"
    yield "SRST, firewalls other than tcp 2445, DHCP changes during the plan"
    yield "half-copied CTL files, DRS contents"
