"""What a proof says: safe or not, who is lost and why, and what it looked like on the way."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from watcher.trust.branch import UNKNOWNS, Answers, Branch
from watcher.trust.crowd import History
from watcher.trust.rescue import Rescue
from watcher.trust.rulebook import ACCEPTABLE, RULES, Severity
from watcher.trust.scenario import Scenario


class Ruling(StrEnum):
    """The verdict in one word."""

    SAFE = "safe"
    WITH_ASSUMPTIONS = "safe-with-assumptions"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A rule that some branch breaks: where first, for whom, in words."""

    rule: str
    steps: tuple[int, ...]
    groups: tuple[str, ...]
    text: str
    branches: Answers


def ruling(scenario: Scenario, broken: Iterable[Broken], *, lost: bool) -> Ruling:
    """Return the verdict on an order that breaks these rules, and whether it loses phones."""
    rules = {one.rule for one in broken}
    waived = rules & scenario.accept & ACCEPTABLE
    if lost or any(RULES[rule].hard for rule in rules - waived):
        return Ruling.REFUSED
    assumed = waived or not UNKNOWNS.keys().isdisjoint(scenario.assume)
    return Ruling.WITH_ASSUMPTIONS if assumed else Ruling.SAFE


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranded:
    """Phones that do not come back: how bad, why, in which branches, what heals them."""

    group: str
    severity: Severity
    why: str
    rescue: Rescue
    branches: Answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Steps after which something is so: from the first to the last, both included."""

    group: str
    first: int
    last: int
    text: str
    branches: Answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """What becomes of phones of a group that are off for the whole order and start afterwards."""

    group: str
    ok: bool
    severity: Severity | None
    why: str
    rescue: Rescue | None
    branches: Answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A soft rule or a debt: allowed, and shown."""

    rule: str
    severity: Severity
    text: str
    first: int = 0
    last: int = 0
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """The order executed in one branch: how groups fared, and who is lost at its end.

    Of groups that fare alike it names the first one (`Verdict.alike`).
    """

    branch: Branch
    histories: Mapping[str, History]
    lost: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome of executing an order over all branches.

    `combinations` counts the branches covered; `walked` those that had to be walked, because no
    phone asked the question in which the others differ; `resets` the resets of one phone that had
    to be thought through, each once for all branches and steps that ask it. `history` holds, for
    each group and the worst branch, its state after the steps where it changed; `executions` the
    same for every branch, and `alike` for each group named there all that fare like it.
    """

    ruling: Ruling
    broken: tuple[Broken, ...]
    stranded: tuple[Stranded, ...]
    offline: tuple[Absent, ...]
    windows: tuple[Interval, ...]
    outages: tuple[Interval, ...]
    notes: tuple[Note, ...]
    unpaid: tuple[Note, ...]
    history: Mapping[str, History]
    executions: tuple[Execution, ...]
    alike: Mapping[str, tuple[str, ...]]
    combinations: int
    walked: int
    resets: int
    assumed: Answers

    @property
    def safe(self) -> bool:
        """Whether the order may be followed."""
        return self.ruling is not Ruling.REFUSED
