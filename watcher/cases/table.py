"""The life of a case as a table: from which state what leads where. docs/cases.md prints it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from watcher.model.case import ActKind, CaseState

_ALARMED, _ACKNOWLEDGED = CaseState.ALARMED, CaseState.ACKNOWLEDGED
_PLANNED, _QUIET = CaseState.PLANNED, CaseState.QUIET
_RESOLVED, _REGRESSED = CaseState.RESOLVED, CaseState.REGRESSED
OPEN = (_ALARMED, _REGRESSED, _ACKNOWLEDGED, _PLANNED, _QUIET)
"""States in which something is still to be done."""


class Cause(StrEnum):
    """What can move a case."""

    ALARM = "alarm"
    NEXT_CERTIFICATE = "next certificate"
    SILENCE = "silence"
    TIME_OUT = "time out"
    PLAN_CHANGED = "plan changed"
    CHANGE_PASSED = "change passed"
    INVENTORY = "inventory"
    ACKNOWLEDGE = "acknowledge"
    RELEASE = "release"
    PLAN = "plan"
    CONFIRM = "confirm"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; an empty `before` is a case that does not exist yet."""

    before: tuple[CaseState, ...]
    cause: Cause
    after: CaseState | None
    """None: the state stays."""
    when: str


TABLE = (
    Row((), Cause.ALARM, _ALARMED, "The first alarm about a certificate comes."),
    Row(OPEN, Cause.ACKNOWLEDGE, _ACKNOWLEDGED, "A person takes it: who, why, until when."),
    Row((_ACKNOWLEDGED,), Cause.TIME_OUT, _ALARMED, "The time of the acknowledgement is over."),
    Row(OPEN, Cause.PLAN, _PLANNED, "A person ties it to a plan: its digest, when it begins."),
    Row((_PLANNED,), Cause.PLAN_CHANGED, _ALARMED, "The cluster's plan asks for something else."),
    Row((_PLANNED,), Cause.CHANGE_PASSED, _ALARMED, "The change should be over; alarms go on."),
    Row((_ACKNOWLEDGED, _PLANNED), Cause.RELEASE, _ALARMED, "A person gives it back."),
    Row(
        (_ALARMED, _REGRESSED, _PLANNED), Cause.SILENCE, _QUIET,
        "No alarm for three nights, while a node that raised one was heard otherwise; "
        "of a planned case: and the change should be over.",
    ),
    Row((_QUIET,), Cause.ALARM, _ALARMED, "An alarm that happened later than all before it."),
    Row(OPEN, Cause.CONFIRM, None, "A person states the end date, read off the certificate."),
    Row(OPEN, Cause.RESOLVE, _RESOLVED,
        "A person saw the new certificate and states its end; or that a copy was deleted."),
    Row(OPEN, Cause.INVENTORY, _RESOLVED,
        "The inventory, read after the last alarm, lists a certificate that ends later."),
    Row((_RESOLVED,), Cause.RESOLVE, _RESOLVED, "A person corrects the end of the new one."),
    Row((_RESOLVED,), Cause.ALARM, _REGRESSED,
        "An alarm that happened after the resolution, and not about the new certificate."),
    Row((_RESOLVED,), Cause.NEXT_CERTIFICATE, _ALARMED,
        "An alarm that fits the end of the new certificate: its own time has come."),
)  # fmt: skip
"""Everything that is not listed leaves the state as it is."""

TRANSITIONS: Mapping[tuple[CaseState | None, Cause], CaseState] = {
    (before, row.cause): row.after or before
    for row in TABLE
    for before in row.before
} | {(None, row.cause): row.after for row in TABLE if not row.before and row.after}  # fmt: skip
"""(state before, cause) -> state after."""

ACTS: Mapping[ActKind, Cause] = {kind: Cause(kind.value) for kind in ActKind}


def possible(state: CaseState) -> tuple[ActKind, ...]:
    """Return what a person can do to a case in that state."""
    return tuple(kind for kind, cause in ACTS.items() if (state, cause) in TRANSITIONS)
