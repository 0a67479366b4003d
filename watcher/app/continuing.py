"""Interrupted plans: what was done, from pastes and the command line, and how the rest goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from watcher.app.files import read_bytes
from watcher.app.plans import Heard, PlanOrder, draw
from watcher.errors import InputError, Location
from watcher.model.plan import ChangePlan
from watcher.model.progress import Mark, Marked, Outcome
from watcher.planner.plan import newest_event, sketch_plans
from watcher.proving.continuation import continue_plan
from watcher.proving.progress import Marks, numbers_of, read_progress
from watcher.proving.rest import Site

PROGRESS_LIMIT = 16 << 20
"""Bytes of a paste of what was done; a whole plan may be pasted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressOrder:
    """What a person says was done; `pastes` follow each other, the words count for the last one."""

    from_step: int | None = None
    pastes: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    @property
    def given(self) -> bool:
        """Whether anything was said."""
        words = self.pastes or self.done or self.skipped or self.failed
        return bool(words) or self.from_step is not None


def draw_continued(
    heard: Heard, order: PlanOrder, progress: ProgressOrder
) -> tuple[ChangePlan, ...]:
    """Draw the plan for what was heard, mark what was done of it, and prove its rest."""
    plans = draw(heard, order.as_of)
    if not plans:
        return ()
    plan = _only(plans, order)
    for name in progress.pastes[:-1]:
        plan = _continued(plan, _marks(plan, (name,), ProgressOrder()), heard, order)
    marks = _marks(plan, progress.pastes[-1:], progress)
    return (_continued(plan, marks, heard, order),)


def _only(plans: Sequence[ChangePlan], order: PlanOrder) -> ChangePlan:
    if len(plans) > 1:
        names = ", ".join(plan.cluster or "a cluster not in the inventory" for plan in plans)
        raise InputError(
            f"{', '.join(order.inputs)}: what was done is said of one plan, and there are "
            f"{len(plans)}: {names}",
            expected="the alarms of one cluster",
        )
    if not plans[0].steps:
        raise InputError("the plan has no steps, so none was done", expected="a plan with steps")
    return plans[0]


def _marks(
    plan: ChangePlan, pastes: Sequence[str], progress: ProgressOrder
) -> Mapping[int, Marked]:
    """Return the marks on a plan; what it has already from an earlier paste is not said again."""
    marks = Marks(len(plan.steps))
    for name in pastes:
        raw = read_bytes(name, PROGRESS_LIMIT, "what was done")
        try:
            read_progress(name, raw.decode(), marks)
        except UnicodeDecodeError as error:
            raise InputError(
                "is not UTF-8", where=Location(name), expected="lines of text"
            ) from error
    _from_words(marks, progress)
    return marks.found


def _from_words(marks: Marks, progress: ProgressOrder) -> None:
    for option, mark, texts in (
        ("--done", Mark.DONE, progress.done),
        ("--failed", Mark.FAILED, progress.failed),
    ):
        for text in texts:
            where = Location(option)
            marks.put(numbers_of(text, where), mark, "", where)
    for text in progress.skipped:
        where = Location("--skip")
        numbers, _, reason = text.partition("=")
        marks.put(numbers_of(numbers, where), Mark.SKIPPED, reason.strip(), where)
    if progress.from_step is not None:
        marks.before(progress.from_step, Location("--from-step"))


def _continued(
    plan: ChangePlan, marks: Mapping[int, Marked], heard: Heard, order: PlanOrder
) -> ChangePlan:
    as_of = order.as_of or newest_event(heard.events)
    drafts = sketch_plans(heard.events, heard.inventory, heard.catalogue, as_of)
    draft = next((draft for draft in drafts if draft.cluster == plan.cluster), None)
    clusters = heard.inventory.clusters if heard.inventory else ()
    cluster = next((cluster for cluster in clusters if cluster.name == plan.cluster), None)
    return continue_plan(plan, marks, draft, Site(cluster, heard.catalogue))


def refusals(plan: ChangePlan) -> tuple[str, ...]:
    """Return why an interrupted plan may not go on as somebody asked; nothing when it may."""
    told = plan.continuation
    if told is None:
        return ()
    last = ("no way to go on is proven: restore",) if told.outcome is Outcome.RESTORE else ()
    return (*told.refused, *last)
