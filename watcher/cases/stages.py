"""Our own stages as sources: each must show a sign of life, or a dead one looks like quiet."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from watcher.cases.sources import Expected, expected_stage

MINUTE = timedelta(minutes=1)
PREFIX = "stage:"
INTERVALS: Mapping[str, timedelta] = {
    "receiver": MINUTE,  # it writes its status once a second
    "journal": MINUTE,  # what is written becomes durable, or nothing waits for that
    "worker": 5 * MINUTE,  # what is durable is taken in, or nothing waits for that
    "store": 5 * MINUTE,  # a transaction that writes went well
    "drawing": MINUTE,  # no plan is overdue
    "scheduler": 2 * MINUTE,  # what falls due is looked at
}
SELF_TEST = "self-test"
STAGES = (*INTERVALS, SELF_TEST)


def expected_stages(
    told: Sequence[Expected], hushed: Collection[str], self_test: timedelta | None
) -> tuple[Expected, ...]:
    """Return the stages that must show a sign; an interval that was told goes before ours.

    `hushed` are names such as `stage:store`; `self_test` is None when it is off.
    """
    intervals = dict(INTERVALS) | ({SELF_TEST: self_test} if self_test else {})
    intervals |= {
        one.name.removeprefix(PREFIX): one.interval
        for one in told
        if one.name.removeprefix(PREFIX) in intervals and one.name.startswith(PREFIX)
    }
    return tuple(
        expected_stage(name, interval)
        for name, interval in intervals.items()
        if PREFIX + name not in hushed
    )


def signs_of(signs: Mapping[str, datetime | None]) -> Mapping[str, datetime]:
    """Return signs of life by the names under which sources are heard."""
    return {PREFIX + name: at for name, at in signs.items() if at is not None}
