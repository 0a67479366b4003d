"""The sentences of a plan that are put together from facts: headline, summary, what is unknown."""

from collections.abc import Sequence

from watcher.model.clock import hours
from watcher.model.expiry import Certainty, ExpiryState
from watcher.model.plan import ChangePlan, Finding, Step, minutes
from watcher.planner.frame import BEFORE_THE_WINDOW, FIND_OUT, PREPARE, Work
from watcher.planner.phases import OWN_RESETS
from watcher.planner.sketch import Ground
from watcher.rules.select import select
from watcher.rules.work import StepKind
from watcher.slots.advice import advice

_NO_WAY_BACK = {
    StepKind.REGENERATE.value, StepKind.UPLOAD.value,
    StepKind.LOCALKEY.value, StepKind.CTL_UPDATE.value,
}  # fmt: skip
"""Kinds after which there is no way back but a restore; a deleted copy can be uploaded again."""


def headline(findings: Sequence[Finding]) -> str:
    """Return one line that says what is wrong, the worst first."""
    if not findings:
        return "No certificate needs action"
    first = findings[0]
    more = len(findings) - 1
    rest = f", and {more} more" if more else ""
    return f"{subject(first)} {_when(first)}{rest}"


def subject(finding: Finding) -> str:
    """Return what the finding is about: store and node, or whose copy lies where."""
    if not finding.store_known and finding.about:
        return f"A certificate of {finding.node or 'a node (see the evidence)'}"
    if finding.multi_server:
        return f"The cluster's {finding.store} certificate (multi-server)"
    if not finding.trust:
        return f"The {finding.store} certificate of {finding.node or 'a node (see the evidence)'}"
    whose = f"{finding.owner}'s certificate" if finding.owner else "a certificate"
    where = ", ".join(finding.reporters)
    return f"The copy of {whose} in {finding.store} on {where}"


def _when(finding: Finding) -> str:
    if finding.revoked:
        return "is revoked"
    if finding.about:
        return f"is named by {finding.mnemonics[0]}: {finding.about.rstrip('.')}"
    day, days = finding.expiry.day, finding.days_left
    sure = finding.expiry.certainty in (Certainty.EXACT, Certainty.INFERRED)
    if day is None or not sure:
        return {
            ExpiryState.EXPIRED: "has expired (date not certain)",
            ExpiryState.EXPIRING: "is about to expire (date not certain)",
            ExpiryState.UNKNOWN: "has expired or is about to (date not certain)",
        }[finding.state]
    if days is None:
        return f"ends on {day}"
    if days < 0:
        return f"expired on {day} ({-days} {_days(-days)} ago)"
    return f"expires on {day} (in {days} {_days(days)})"


def _days(count: int) -> str:
    return "day" if count == 1 else "days"


def point_of_no_return(steps: Sequence[Step]) -> int | None:
    """Return the number of the first step that only a restore takes back."""
    return next((step.number for step in steps if step.kind in _NO_WAY_BACK), None)


def summary(
    findings: Sequence[Finding], work: Work, steps: Sequence[Step], way: str, ground: Ground
) -> tuple[str, ...]:
    """Return five lines for the change board: what, effect, work, time and phones, way back."""
    if not steps:
        return (
            f"What: {headline(findings)}.",
            f"Effect if nothing is done: {_effects(work, ground)}",
            "Work: none is planned; the reasons stand below.",
        )
    expired = sum(f.state is ExpiryState.EXPIRED for f in findings)
    revoked = sum(f.revoked for f in findings)
    over = f"{expired or 'none'} expired{f', {revoked} revoked' if revoked else ''}"
    count = f"{len(findings)} certificate{'s' if len(findings) != 1 else ''}"
    where = (
        ground.terrain.cluster.name if ground.terrain.cluster else "a cluster not in any inventory"
    )
    return (
        f"What: {count} on {where}, {over}. {headline(findings)}.",
        f"Effect if nothing is done: {_effects(work, ground)}",
        f"Work: {_deeds(steps)} Way: {way}.",
        f"Time and phones: {_time(steps, ground)}",
        f"Way back: {_way_back(steps)}",
    )


def summary_left(
    plan: ChangePlan, steps: Sequence[Step], left: Sequence[Step], ground: Ground
) -> tuple[str, ...]:
    """Return the lines of an interrupted plan: work and time of what is `left`, way back of all.

    Those of a plan without work stay as they are.
    """
    if not plan.steps:
        return plan.summary
    what = tuple(line for line in plan.summary if line.startswith(("What: ", "Effect ")))
    if not left:
        return (*what, "Work left: none.", f"Way back: {_way_back(steps)}")
    return (
        *what,
        f"Work left: {_deeds(left)} Way: {plan.way}.",
        f"Time and phones left: {_time(left, ground)}",
        f"Way back: {_way_back(steps)}",
    )


def _effects(work: Work, ground: Ground) -> str:
    """Return the worst effects by store: of what phones trust first, then of other services."""
    jobs = sorted(work.services, key=lambda job: (not job.phone_facing, job.store.position))
    stores = {job.name: job.store for job in jobs} | {job.name: job.store for job in work.trusts}
    texts: dict[str, str] = {}
    for name, store in stores.items():
        chosen = select(store.impact, ground.terrain.release, ground.terrain.facts)
        sure = [s.item.text for s in chosen if not s.only_if] or [s.item.text for s in chosen]
        texts |= {name: _sentence(sure[0])} if sure else {}
    shown = [f"{name}: {text}" for name, text in list(texts.items())[:3]]
    return " ".join(shown) or "not known to the rules."


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _deeds(steps: Sequence[Step]) -> str:
    def count(*kinds: StepKind) -> int:
        return sum(s.kind in kinds and not (s.optional or s.alternative) for s in steps)

    parts = [
        _counted(count(StepKind.REGENERATE), "regeneration"),
        _counted(count(StepKind.UPLOAD), "upload"),
        _counted(count(StepKind.DELETE), "deletion if the old copy is still there", "deletions "
                 "where old copies are still there"),
        _counted(count(StepKind.REISSUE), "round of new LSCs", "rounds of new LSCs"),
        _counted(count(StepKind.RESTART), "service restart"),
        _counted(count(StepKind.STOP, StepKind.START), "service stop or start",
                 "service stops and starts"),
        _counted(sum(step.optional for step in steps), "optional step"),
    ]  # fmt: skip
    deeds = ", ".join(part for part in parts if part)
    return f"{_counted(len(steps), 'step')}{f': {deeds}' if deeds else ''}."


def _counted(number: int, one: str, many: str | None = None) -> str:
    if number == 0:
        return ""
    return f"{number} {one}" if number == 1 else f"{number} {many or one + 's'}"


def _time(steps: Sequence[Step], ground: Ground) -> str:
    total = minutes([s for s in steps if s.block != BEFORE_THE_WINDOW])
    resets = sum(step.kind == StepKind.RESET.value for step in steps)
    often = {1: "once", 2: "twice"}.get(resets, f"{resets} times")
    phones = f"all phones are reset {often}" if resets else "no phone is reset"
    if any(step.note == OWN_RESETS for step in steps):
        phones += ", besides the resets that the system starts by itself"
    parts = len({step.part for step in steps})
    windows = f" in {parts} maintenance windows" if parts > 1 else ""
    early = _early(steps)
    return f"about {hours(total)} of work{windows}{early}; {phones}.{_fits(steps, ground)}"


def _early(steps: Sequence[Step]) -> str:
    """Say what nobody notices and can be done before the window."""
    before = [s for s in steps if s.block in (FIND_OUT, PREPARE)]
    return f", {hours(minutes(before))} of it before the first change" if before else ""


def _fits(steps: Sequence[Step], ground: Ground) -> str:
    """Say when the work is longer than the longest window of the inventory, and where to cut."""
    cluster = ground.terrain.cluster
    told = advice(steps, cluster) if cluster else ""
    return f" {told}" if told else ""


def _way_back(steps: Sequence[Step]) -> str:
    number = point_of_no_return(steps)
    if number is None:
        saved = next((s.number for s in steps if s.kind == StepKind.SAVE.value), None)
        files = f" saved in step {saved}" if saved else ""
        return f"a deleted copy is uploaded again from the file{files}; nothing else changes."
    backup = next((s.number for s in steps if s.kind == StepKind.VERIFY_BACKUP.value), None)
    restore = f" of the backup verified in step {backup}" if backup else ""
    return f"before step {number} simply stop; from step {number} on only a DRS restore{restore}."


def not_known(findings: Sequence[Finding], ground: Ground) -> tuple[str, ...]:
    """Return what the plan rests on without having seen it."""
    lines = []
    for finding in findings:
        if finding.expiry.certainty is not Certainty.EXACT:
            lines.append(
                f"{finding.id}: the date is {finding.expiry.certainty.value}. {_reason(finding)}"
            )
        if not finding.node_in_inventory and finding.node:
            lines.append(
                f"{finding.id}: {finding.node} is a name in the message; no inventory confirms it."
            )
    lines.append(
        "That the alarm is true: a message can be forged. The first step reads the certificate "
        "itself; when it disagrees, stop and draw the plan again."
    )
    if ground.terrain.cluster is None:
        lines.append("The cluster: release, nodes, security mode and features are not known.")
    return tuple(lines)


def _reason(finding: Finding) -> str:
    return _sentence(finding.expiry.reason or "the alarm does not carry the year")
