"""A finished plan as the rules read it: what comes before what, and what surely happens.

"Before" means by dependency, not by number: two steps that do not wait for each other may be
done at the same time by two people. A step guards another one only if it is done whenever that
one is: it is not optional and hangs on no further condition.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from watcher.model.plan import ChangePlan, Step
from watcher.rules.catalogue import Catalogue
from watcher.rules.select import CONDITION_WORDS
from watcher.rules.store import Role, Store, StoreKind
from watcher.rules.terms import Condition
from watcher.rules.work import RunsOn, StepKind
from watcher.safety.cases import Case
from watcher.safety.known import Known

RENEWING = (StepKind.REGENERATE, StepKind.UPLOAD)
CHANGES_CLUSTER = (
    StepKind.PARAMETER, StepKind.UPLOAD_CHAIN, StepKind.UPLOAD, StepKind.REGENERATE,
    StepKind.DELETE, StepKind.RESTART, StepKind.STOP, StepKind.START, StepKind.CTL_UPDATE,
    StepKind.LOCALKEY, StepKind.RESET, StepKind.REISSUE,
)  # fmt: skip
"""Kinds of steps that change the cluster or its phones; the planner has lists of its own."""

PUBLISHER_IN_WORDS = "the publisher"
ROLLBACK_ON, ROLLBACK_OFF, BLANK_ITL = "rollback-on", "rollback-off", "verify-blank-itl"
CTL_LOCALKEY, ITL_LOCALKEY = "ctl-localkey", "itl-localkey"


@dataclass(frozen=True)
class Reading:
    """The steps that are done in one case, with their order.

    `earlier` and `later` hold a bit for each step by number; `assumed` is what is not known. It
    has no slots, so that steps are sorted by kind, template and service once.
    """

    plan: ChangePlan
    steps: tuple[Step, ...]
    known: Known
    assumed: tuple[str, ...]
    earlier: tuple[int, ...]
    later: tuple[int, ...]

    @cached_property
    def _of(self) -> dict[tuple[StepKind, ...], tuple[Step, ...]]:
        return {}

    @cached_property
    def _keyed(self) -> Mapping[str, tuple[Step, ...]]:
        return _sorted((step.key, step) for step in self.steps)

    @cached_property
    def _serving(self) -> Mapping[str, tuple[Step, ...]]:
        return _sorted((step.service, step) for step in self.steps if step.service)

    @property
    def catalogue(self) -> Catalogue:
        """The rules."""
        return self.known.catalogue

    def store(self, step: Step) -> Store | None:
        """Return the store a step works on."""
        return self.catalogue.stores.get(step.store) if step.store else None

    def of(self, *kinds: StepKind) -> tuple[Step, ...]:
        """Return the steps of these kinds."""
        found = self._of.get(kinds)
        if found is None:
            found = self._of[kinds] = tuple(step for step in self.steps if step.kind in kinds)
        return found

    def keyed(self, key: str) -> tuple[Step, ...]:
        """Return the steps drawn from one template."""
        return self._keyed.get(key, ())

    def serving(self, service: str) -> tuple[Step, ...]:
        """Return the steps that concern a service."""
        return self._serving.get(service, ())

    @cached_property
    def renewals(self) -> tuple[Step, ...]:
        """Steps that put a new certificate into a service store."""
        found = [(step, self.store(step)) for step in self.of(*RENEWING)]
        return tuple(step for step, store in found if store and store.kind is StoreKind.SERVICE)

    @cached_property
    def facing(self) -> tuple[Step, ...]:
        """Renewals that change what phones must trust."""
        found = [(step, self.store(step)) for step in self.renewals]
        return tuple(step for step, store in found if store and store.phone_facing)

    def role(self, role: Role) -> tuple[Step, ...]:
        """Return the renewals of the stores that play a role."""
        found = [(step, self.store(step)) for step in self.renewals]
        return tuple(step for step, store in found if store and store.role is role)

    def tftp(self, *kinds: StepKind) -> tuple[Step, ...]:
        """Return the steps of these kinds that concern the service which hands out files."""
        return tuple(
            step
            for step in self.of(*kinds)
            if step.service and self.catalogue.services[step.service].runs_on is RunsOn.TFTP
        )

    def before(self, first: Step, second: Step) -> bool:
        """Tell whether `second` waits for `first`."""
        return bool(self.earlier[second.number] >> first.number & 1)

    def between(self, first: Step, last: Step | None, steps: Iterable[Step]) -> tuple[Step, ...]:
        """Return the steps after `first`, and before `last` if there is one."""
        mask = self.later[first.number] & (self.earlier[last.number] if last else -1)
        return tuple(step for step in steps if mask >> step.number & 1)

    def anything_between(self, first: Step, last: Step, mask: int) -> bool:
        """Tell whether one of the steps in `mask` (see `mask_of`) lies between two others."""
        return bool(self.later[first.number] & self.earlier[last.number] & mask)

    def barrier(self, first: Step, last: Step | None) -> bool:
        """Tell whether phones are surely reset and waited for between two steps (or to the end)."""
        ends = [step for step in (first, last) if step]
        resets = self.between(first, last, self.of(StepKind.RESET))
        waits = self.between(first, last, self.of(StepKind.WAIT))
        return any(
            self.before(reset, wait)
            for reset in resets
            if sure(reset, *ends)
            for wait in waits
            if sure(wait, *ends)
        )

    def waited(self, first: Step, last: Step | None) -> bool:
        """Tell whether registrations are surely waited for between two steps (or to the end)."""
        ends = [step for step in (first, last) if step]
        waits = self.between(first, last, self.of(StepKind.WAIT))
        return any(sure(wait, *ends) for wait in waits)

    def on_publisher(self, step: Step) -> bool:
        """Tell whether a step is done on the publisher."""
        if step.node is None:
            return step.where == PUBLISHER_IN_WORDS
        return same(step.node, self.known.publisher)

    def in_rollback(self, step: Step) -> bool:
        """Tell whether a step lies between setting and clearing the rollback parameter."""
        return any(
            self.before(on, step) and self.before(step, off)
            for on in self.keyed(ROLLBACK_ON)
            for off in self.keyed(ROLLBACK_OFF)
        )


def read(plan: ChangePlan, case: Case, catalogue: Catalogue) -> Reading:
    """Read a well-formed plan: who waits for whom, directly or not."""
    count = len(plan.steps) + 1
    earlier, later = [0] * count, [0] * count
    for step in plan.steps:
        for number in step.depends_on:
            earlier[step.number] |= earlier[number] | 1 << number
    for step in reversed(plan.steps):
        for number in step.depends_on:
            later[number] |= later[step.number] | 1 << step.number
    return Reading(
        plan=plan,
        steps=tuple(done for step in plan.steps if (done := case.done(step))),
        known=Known(case.cluster, catalogue),
        assumed=case.assumed,
        earlier=tuple(earlier),
        later=tuple(later),
    )


def _sorted(pairs: Iterable[tuple[str, Step]]) -> Mapping[str, tuple[Step, ...]]:
    found: dict[str, list[Step]] = {}
    for name, step in pairs:
        found.setdefault(name, []).append(step)
    return {name: tuple(steps) for name, steps in found.items()}


def mask_of(steps: Iterable[Step]) -> int:
    """Return steps as one number with a bit for each."""
    mask = 0
    for step in steps:
        mask |= 1 << step.number
    return mask


def sure(guard: Step, *guarded: Step, words: Iterable[str] = ()) -> bool:
    """Tell whether a step is done whenever all `guarded` steps are, given further conditions."""
    allowed = {word for step in guarded for word in step.only_if} | set(words)
    return not guard.optional and set(guard.only_if) <= allowed


def same(one: str | None, other: str | None) -> bool:
    """Tell whether two node names are the same; unknown names never are."""
    return one is not None and other is not None and one.lower() == other.lower()


def place(step: Step) -> str:
    """Return the node of a step, or the words for where it is done."""
    return step.node.lower() if step.node else step.where


def plural(step: Step) -> bool:
    """Tell whether a step is done on several nodes at a time, as far as words tell."""
    return step.node is None and step.where.startswith(("each", "all"))


def covers(step: Step, node: str) -> bool:
    """Tell whether a step is done on a node, by name or among "each ..."."""
    return same(step.node, node) or (plural(step) and not step.where.startswith("each other"))


def word(condition: Condition) -> str:
    """Return the words in which a plan names an unknown condition."""
    return CONDITION_WORDS[condition]
