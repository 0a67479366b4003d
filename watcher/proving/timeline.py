"""The trust timeline of a proof: phone groups down, steps across, anchors in each cell."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from watcher.model.proof import (
    AbsentPhones,
    TrustCell,
    TrustLane,
    TrustMoment,
    TrustSpan,
    TrustState,
)
from watcher.proving.words import when
from watcher.trust.crowd import Status
from watcher.trust.names import PHONE_FACING
from watcher.trust.phone import FAITH, NO_LIST, SAME
from watcher.trust.scenario import RENEWING, Action, Scenario, Step
from watcher.trust.verdict import Interval, Note, Verdict

_SHOWN = frozenset((
    Action.REGENERATE, Action.UPLOAD_SIGNED, Action.STOP, Action.START, Action.RESET,
    Action.CTL_UPDATE, Action.CTL_LOCALKEY, Action.ITL_LOCALKEY, Action.ITL_REMOTEKEY,
    Action.ROLLBACK_ON, Action.ROLLBACK_OFF, Action.LSC_REISSUE,
))  # fmt: skip


def _steps_shown(scenario: Scenario, verdict: Verdict) -> tuple[Step, ...]:
    """Return the steps that make a column: what touches trust, and where a group changes."""
    changing = {step for history in verdict.history.values() for step, _ in history}
    for interval in (*verdict.windows, *verdict.outages):
        changing |= {interval.first, interval.last + 1}
    shown: dict[int, Step] = {}
    for step in scenario.steps:
        facing = step.store is None or step.store in PHONE_FACING
        if (step.action in _SHOWN and facing) or step.number in changing:
            shown[step.number] = step
    return tuple(shown.values())


def moments(scenario: Scenario, verdict: Verdict) -> tuple[TrustMoment, ...]:
    """Return the columns of the timeline."""
    return tuple(
        TrustMoment(step=step.number, title=step.text, reset=step.action is Action.RESET)
        for step in _steps_shown(scenario, verdict)
    )


def lanes(scenario: Scenario, verdict: Verdict) -> tuple[TrustLane, ...]:
    """Return the rows: groups that fare alike share one; its first cell is the start."""
    numbers = [0, *(step.number for step in _steps_shown(scenario, verdict))]
    lost = {stranded.group for stranded in verdict.stranded}
    counts = {group.name: group.count for group in scenario.groups}
    alike: dict[tuple[TrustCell, ...], list[str]] = defaultdict(list)
    for name, history in verdict.history.items():
        row = _cells(history, numbers, lost=name in lost)
        alike[tuple(_in_any_branch(row, numbers, _of(name, verdict)))].append(name)
    return tuple(
        TrustLane(groups=tuple(names), phones=_sum(counts[name] for name in names), cells=row)
        for row, names in alike.items()
    )


def _of(name: str, verdict: Verdict) -> list[tuple[TrustState, Interval]]:
    """Return the windows and outages of a group, over all branches; windows first."""
    found = [(TrustState.WINDOW, interval) for interval in verdict.windows]
    found += [(TrustState.OUT, interval) for interval in verdict.outages]
    return [(state, interval) for state, interval in found if interval.group == name]


def _in_any_branch(
    cells: Iterable[TrustCell], numbers: Sequence[int], intervals: list[tuple[TrustState, Interval]]
) -> Iterator[TrustCell]:
    """Yield cells made worse by what happens in a branch other than the one that is shown."""
    for number, cell in zip(numbers, cells, strict=True):
        held = (held for held in intervals if held[1].first <= number <= held[1].last)
        state, interval = next(held, (cell.state, None))
        if interval is None or _BADNESS[state] <= _BADNESS[cell.state]:
            yield cell
            continue
        anchors = 0 if state is TrustState.WINDOW else cell.anchors
        condition = when(interval.branches)
        why = interval.text + (f", if {condition}" if condition else "")
        yield TrustCell(state=state, anchors=anchors, ways=cell.ways, why=why)


_BADNESS = {state: place for place, state in enumerate(TrustState)}


def _sum(counts: Iterable[int | None]) -> int | None:
    known = list(counts)
    return None if None in known else sum(count or 0 for count in known)


def _cells(
    history: Sequence[tuple[int, Status]], numbers: Sequence[int], *, lost: bool
) -> Iterator[TrustCell]:
    for place, number in enumerate(numbers):
        status = [status for step, status in history if step <= number][-1]
        yield _cell(status, gone=lost and place == len(numbers) - 1)


def _cell(status: Status, *, gone: bool) -> TrustCell:
    ways = tuple(sorted(status.ways - {SAME})) or tuple(sorted(status.ways))
    if gone:
        state = TrustState.LOST
    elif not status.accepted:
        state = TrustState.WINDOW
    elif not status.registered:
        state = TrustState.OUT
    elif NO_LIST in ways:
        state = TrustState.BARE
    elif FAITH in ways:
        state = TrustState.OPEN
    else:
        state = TrustState.STEADY if len(ways) > 1 else TrustState.SINGLE
    anchors = 0 if state in (TrustState.LOST, TrustState.WINDOW) else len(ways)
    return TrustCell(state=state, anchors=anchors, ways=ways, why=status.why)


def spans(intervals: Iterable[Interval]) -> tuple[TrustSpan, ...]:
    """Return intervals with the groups that share them together."""
    alike: dict[tuple[int, int, str, str], list[str]] = defaultdict(list)
    for interval in intervals:
        key = (interval.first, interval.last, interval.text, when(interval.branches))
        alike[key].append(interval.group)
    return tuple(
        TrustSpan(groups=tuple(groups), first=first, last=last, text=text, when=word)
        for (first, last, text, word), groups in alike.items()
    )


def notes(verdict: Verdict) -> tuple[TrustSpan, ...]:
    """Return what is allowed and must be shown."""
    alike: dict[tuple[int, int, str], list[str]] = defaultdict(list)
    for note in verdict.notes:
        alike[note.first, note.last, f"{note.rule}: {note.text}"] += _concerned(note, verdict)
    return tuple(
        TrustSpan(groups=tuple(groups), first=first, last=last, text=text)
        for (first, last, text), groups in alike.items()
    )


def _concerned(note: Note, verdict: Verdict) -> Iterator[str]:
    """Yield the groups of a note: of groups that are walked once, it names but one."""
    if not note.group:
        return
    mine = verdict.history.get(note.group)
    if mine is None or note.rule.startswith("P-"):
        yield note.group
        return
    yield from (name for name, history in verdict.history.items() if history == mine)


def offline(verdict: Verdict) -> tuple[AbsentPhones, ...]:
    """Return what becomes of phones that are off from the first step to the last (I-29)."""
    alike: dict[tuple[bool, str, str], list[str]] = defaultdict(list)
    for absent in verdict.offline:
        if absent.ok:
            kept = "they keep no list" if absent.why == NO_LIST else absent.why
            text = f"survive: {kept}" if kept else "survive"
        elif absent.rescue is not None:
            text = f"are refused: {absent.why}. {absent.rescue.text}"
        else:
            text = absent.why
        alike[absent.ok, text, when(absent.branches)].append(absent.group)
    return tuple(
        AbsentPhones(groups=tuple(groups), ok=ok, text=text, when=word)
        for (ok, text, word), groups in alike.items()
    )


def no_return(scenario: Scenario) -> tuple[int, ...]:
    """Return the steps behind which only a DRS restore leads back: first renewals after a backup.

    Once a phone holds a list with a new certificate, the old one must be brought back whole.
    """
    found: list[int] = []
    open_since_backup = True
    for step in scenario.steps:
        if step.action is Action.BACKUP:
            open_since_backup = True
        renewed = step.action in RENEWING
        if renewed and step.store in PHONE_FACING and open_since_backup:
            found.append(step.number)
            open_since_backup = False
    return tuple(found)
