"""A plan as a change ticket: what a board decides on and an engineer works from, as plain text.

Names in it are the inventory's; what only a message said is marked as a claim and stands in
quotes, and the messages themselves stand in blocks of evidence whose lines all begin with `> `.
Back-ends encode the whole for their own fields.
"""

from collections.abc import Iterable, Iterator
from datetime import date

from watcher.account import verdict
from watcher.model.expiry import Certainty, ExpiryState
from watcher.model.plan import ChangePlan, Finding
from watcher.model.proof import Proof, TrustSpan, TrustState
from watcher.model.slot import Fit, Outcome
from watcher.model.ticket import Draft, digest_of, unmarked
from watcher.tickets.encode import one_line, visible
from watcher.tickets.steps import conditions, implementation, sentences
from watcher.tickets.times import day_of, planned

TITLE = 160
"""Characters that every ticket system takes as a short description."""
CLAIM = 60
"""Characters of a name that only a message knows."""
EVIDENCE, BLOCKS = 400, 20
"""Characters of a message that a ticket shows, and messages; the plan has more."""
BAD = (TrustState.LOST, TrustState.WINDOW, TrustState.OUT, TrustState.OPEN, TrustState.SINGLE)
"""How phones can stand, the worst first, where a board must know."""
_SAID = {
    TrustState.LOST: "phones do not come back without help",
    TrustState.WINDOW: "a phone that is reset just then is refused until a later step",
    TrustState.OUT: "some phones are not registered until a later step",
    TrustState.OPEN: "phones take a list from any signer",
    TrustState.SINGLE: "phones have one way left to trust the next list",
}


def draft_of(plan: ChangePlan, fit: Fit | None = None) -> Draft:
    """Return the ticket of a plan, without key and version: the change gives them."""
    known = fit if fit is not None and fit.outcome is not Outcome.UNKNOWN else None
    due = known.due if known else None
    decides = tuple(visible(line) for line in _decides(plan))
    return Draft(
        key="",
        version=0,
        material=digest_of(*decides, digits=64),
        cluster=plan.cluster or "",
        title=_title(plan, day_of(due, fit)),
        description=_text((*_top(fit), *_description(plan))),
        risk=_text(_risk(plan)),
        impact=_text(_impact(plan)),
        implementation=_text(implementation(plan)),
        back_out=_text(_back_out(plan)),
        test=_text(_test(plan)),
        starts=known.starts if known else None,
        ends=known.ends if known else None,
        due=due,
        items=tuple(dict.fromkeys(_items(plan))),
        decides=decides,
        fit=fit,
    )


def _text(lines: Iterable[str]) -> str:
    """Return a field; nothing in it can be taken for a mark of ours."""
    return unmarked(visible("\n".join(lines)).strip("\n"))


# -- what people decide on


def _decides(plan: ChangePlan) -> Iterator[str]:
    """Yield one line for each thing whose change asks people again; no counter, no days left."""
    yield f"Cluster: {plan.cluster}"
    yield from sorted(f"Certificate: {_subject(one)}; {_end(one, 'end')}" for one in plan.findings)
    yield f"Way: {plan.way}"
    if plan.proof is not None:
        yield f"Phone resets: {plan.proof.resets}"
    for reason in plan.withheld:
        yield f"Withheld: {reason}"
    for step in plan.steps:
        if not step.alternative:
            yield f"Step: {step.where}: {step.title}{conditions(step.only_if)}"
            for line in step.command:
                yield f"Command on {step.where}: {line.text}{conditions(line.only_if)}"


def _subject(finding: Finding) -> str:
    if finding.multi_server:
        return f"the cluster's {_store(finding)} certificate (multi-server)"
    where = _name(finding.node, known=finding.node_in_inventory) or "a node that is not known"
    if not finding.trust:
        return f"{_store(finding)} of {where}"
    file = _name(finding.file, known=finding.file_in_inventory) or "a copy"
    return f"{file} in {_store(finding)} on {where}"


def _store(finding: Finding) -> str:
    return finding.store if finding.store_known else _name(finding.store, known=False) or "a store"


def _name(name: str | None, *, known: bool) -> str:
    """Return a name of the inventory as it is, another one marked as a message's claim."""
    if not name or known:
        return name or ""
    plain = "".join(c if " " <= c <= "~" and c != '"' else "?" for c in name)
    return f'"{plain[:CLAIM]}" (a claim of the alarm)'


def _end(finding: Finding, word: str = "") -> str:
    """Return when it ends; with a `word` of the same for what has ended and what has not."""
    if finding.revoked:
        return "revoked"
    expiry = finding.expiry
    if expiry.day is None:
        return f"{finding.about.rstrip('.') or 'its end is not known'}"
    sure = "" if expiry.certainty is Certainty.EXACT else f" ({expiry.certainty})"
    told = "ended" if finding.state is ExpiryState.EXPIRED else "ends"
    return f"{word or told} {expiry.day}{sure}"


# -- the fields


def _top(fit: Fit | None) -> Iterator[str]:
    found = planned(fit)
    yield from found
    if found:
        yield ""


def _title(plan: ChangePlan, due: date | None) -> str:
    count = len(plan.findings)
    what = f"{_subject(plan.findings[0])}" if count == 1 else f"{count} certificates"
    days = sorted(one.expiry.day for one in plan.findings if one.expiry.day is not None)
    by = due or next(iter(days), None)
    when = f" by {by}" if by else ""
    return unmarked(one_line(f"{plan.cluster}: certificate change, {what}{when}", TITLE - 1))


def _description(plan: ChangePlan) -> Iterator[str]:
    yield from plan.summary
    yield ""
    yield "Certificates:"
    yield from (f"- {_subject(one)}: {_end(one)}" for one in plan.findings)
    yield from _listed("Withheld, because:", plan.withheld)
    yield from _listed("Not planned:", plan.not_planned)
    yield from _listed("Warnings:", sentences(plan.warnings))
    yield from _listed("Open questions:", (one.text for one in plan.questions))
    yield from _listed("Not known:", plan.not_known)
    if plan.evidence:
        yield "\nEvidence, as it was received (anybody may have sent it):"
    for block in plan.evidence[:BLOCKS]:
        yield f"> {block.id}: {_evidence(block.raw)}"
    if len(plan.evidence) > BLOCKS:
        yield f"> ... and {len(plan.evidence) - BLOCKS} more in the plan"


def _evidence(raw: str) -> str:
    shown = "".join(c if " " <= c <= "~" else c.encode("unicode_escape").decode() for c in raw)
    more = len(shown) - EVIDENCE
    return shown if more <= 0 else f"{shown[:EVIDENCE]} [cut, {more} more]"


def _risk(plan: ChangePlan) -> Iterator[str]:
    ruling = verdict(plan)
    if ruling is not None:
        yield f"{ruling.words}."
        yield from (f"- {one}" for one in ruling.left_out)
    if plan.point_of_no_return:
        yield f"From step {plan.point_of_no_return} on only a restore leads back."
    if plan.proof is not None:
        yield from _of_proof(plan.proof)
    yield from _listed("Cautions:", sentences(plan.cautions))


def _of_proof(proof: Proof) -> Iterator[str]:
    yield f"Phone resets: {proof.resets}."
    yield from _listed("Phone groups that stand worst:", _worst(proof))
    yield from _listed("Windows in which no phone may be reset:", map(_span, proof.windows))
    yield from _listed("Outages:", map(_span, proof.outages))
    if proof.moments:
        yield from _listed("What was proven, and what was not:", proof.sentences)


def _worst(proof: Proof) -> Iterator[str]:
    """Yield how the groups stand at their worst moment, the worst group first."""
    lanes = {state: [lane for lane in proof.lanes if _low(lane.cells) is state] for state in BAD}
    for state, found in lanes.items():
        for lane in found:
            yield f"{_groups(lane.groups)}: {_SAID[state]}"


def _low(cells: Iterable[object]) -> TrustState:
    states = {getattr(cell, "state", TrustState.STEADY) for cell in cells}
    return next((state for state in BAD if state in states), TrustState.STEADY)


def _span(span: TrustSpan) -> str:
    last = f" to {span.last}" if span.last != span.first else ""
    return f"steps {span.first}{last}, {_groups(span.groups)}: {span.text}{_when(span.when)}"


def _when(question: str) -> str:
    return f" (if {question})" if question else ""


def _groups(groups: tuple[str, ...]) -> str:
    return ", ".join(groups) or "all phones"


def _impact(plan: ChangePlan) -> Iterator[str]:
    for one in plan.impacts:
        yield f"{one.store} ({one.title}), {one.affected}:"
        yield from (f"- {line}" for line in sentences(one.lines))
    if plan.proof is not None and plan.proof.outages:
        yield from _listed("While the change is done:", map(_span, plan.proof.outages))
    if not plan.impacts:
        yield "Not known; see the description."


def _back_out(plan: ChangePlan) -> Iterator[str]:
    yield from (sentences(plan.back_out) if plan.back_out else ["Nothing is changed."])


def _test(plan: ChangePlan) -> Iterator[str]:
    checks = [(step, text) for step in plan.steps for text in sentences(step.check)]
    yield from (f"After step {step.number} ({step.where}): {text}" for step, text in checks)
    if not checks:
        yield "Nothing is changed, so that nothing is to be tested."


def _listed(head: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield f"\n{head}"
        yield from (f"- {line}" for line in found)


def _items(plan: ChangePlan) -> Iterator[str]:
    yield from (step.node for step in plan.steps if step.node)
    known = (one.node for one in plan.findings if one.node and one.node_in_inventory)
    yield from known
