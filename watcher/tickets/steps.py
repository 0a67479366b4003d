"""The steps of a plan as lines of a ticket: what an engineer works from at night.

Every word that keeps a step from being done wrongly stands here, in the order in which it is
needed. A condition, an option and the point of no return stand in the step's first line, so that
no field that is cut shows a step without them.
"""

from collections.abc import Iterable, Iterator, Sequence

from watcher import account
from watcher.model.plan import ChangePlan, CommandLine, Line, Step
from watcher.picture import Block, blocks

COMMAND = "     "
"""What a line that is typed begins with, and no other line: documents show it as code."""
WHOLE = "Where this text is cut, work from the attached plan or `watcher tickets show KEY --full`."
OPTIONAL = "OPTIONAL: only some of Cisco's documents ask for it."
NO_RETURN = "POINT OF NO RETURN: from here on only a DRS restore leads back."
NO_RETURN_OF_PHONES = NO_RETURN.replace(":", " FOR PHONES:")


def implementation(plan: ChangePlan) -> Iterator[str]:
    """Yield what is to be known before, and each step with all that is said of it."""
    if not plan.steps:
        yield "No step is planned; the description says why."
        return
    yield f"{WHOLE}\n"
    before = (*sentences(plan.preconditions), *_assumed(plan))
    if before:
        yield "Before:"
        yield from (f"- {text}" for text in before)
    marks = account.marks(plan)
    for block in blocks(plan):
        yield f"\n{_heading(block)}"
        for step in block.steps:
            said = (mark.text for mark in marks.get(step.number, ()) if mark.kind != "no-return")
            yield from _step(step, _head(step, plan), tuple(said))


def sentences(lines: Iterable[Line]) -> Iterator[str]:
    """Yield sentences of a plan, each with what must be so that it holds."""
    yield from (f"{line.text}{conditions(line.only_if)}" for line in lines)


def conditions(words: Sequence[str]) -> str:
    """Return what must be so, to be put behind a text."""
    return f" (only if {' and '.join(words)})" if words else ""


def _assumed(plan: ChangePlan) -> Iterator[str]:
    """Yield what the proof had to assume of the cluster, with what settles it."""
    if plan.proof is not None and plan.proof.moments:
        for item in account.inputs(plan.proof):
            yield f"Assumed: {item.text}. Check it before the first step: {item.check}."


def _heading(block: Block) -> str:
    return f"== {block.title}{f' (window {block.part})' if block.part > 1 else ''} =="


def _head(step: Step, plan: ChangePlan) -> str:
    """Return a step's first line, which tells whether it is done at all."""
    minutes = f" ({step.minutes} min)" if step.minutes else ""
    said = [f"{step.number}. {step.where}: {step.title}{minutes}"]
    said += [f"ONLY IF {' and '.join(step.only_if)}."] if step.only_if else []
    said += [OPTIONAL] if step.optional else []
    said += [_no_return(step, plan)] if _no_return(step, plan) else []
    return " ".join(said)


def _no_return(step: Step, plan: ChangePlan) -> str:
    if step.number == plan.point_of_no_return:
        return NO_RETURN
    if plan.proof is not None and step.number in plan.proof.no_return:
        return NO_RETURN_OF_PHONES
    return ""


def _step(step: Step, head: str, marks: Sequence[str]) -> Iterator[str]:
    yield head
    yield from (f"   - {text}" for text in (step.note, *marks) if text)
    yield from (f"   - {text}" for text in sentences(step.do))
    yield from _commands(step.command)
    ways = ("Or in" if step.command else "In", *["Or instead in"] * len(step.gui))
    pages = zip(ways, sentences(step.gui), strict=False)
    yield from (f"   - {way} the web interface: {text}" for way, text in pages)
    yield from (f"   - Expect: {text}" for text in sentences(step.expect))
    yield from (f"   - Check: {text}" for text in sentences(step.check))


def _commands(lines: Iterable[CommandLine]) -> Iterator[str]:
    """Yield commands; what stands before one tells when it is not simply typed."""
    before = ""
    for line in lines:
        way = "If it is accepted, type" if line.tentative else "Type"
        way += conditions(line.only_if)
        if way != (before or "Type"):
            yield f"   - {way}:"
        before = way
        yield f"{COMMAND}{line.text}"
        yield from (f"   - Dialog: {text}" for text in line.dialog)
