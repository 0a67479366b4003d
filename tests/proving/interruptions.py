"""Plans to interrupt: the example clusters, and marks on their steps."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from builders import CATALOGUE

from watcher import pipeline, planning
from watcher.app.files import blocks_of
from watcher.app.site import load_inventory
from watcher.model.alarm import Tally
from watcher.model.plan import ChangePlan
from watcher.model.progress import Mark, Marked
from watcher.planner.plan import Draft, newest_event, sketch_plans
from watcher.proving.continuation import continue_plan
from watcher.proving.rest import Site

EXAMPLES = Path(__file__).parent.parent.parent / "deploy" / "examples"
CLUSTERS = {
    "technote": "alarm-technote.txt",
    "two-node-9.1": "alarms-two-node-9.1.txt",
    "single-node-11.5": "alarms-single-node-11.5.txt",
    "eight-node-12.5-mixed": "alarms-eight-node-12.5.txt",
    "release-15-multi-san": "alarms-release-15.txt",
}
DONE, SKIPPED, FAILED = Mark.DONE, Mark.SKIPPED, Mark.FAILED


@dataclass(frozen=True)
class Work:
    """A plan that is ready to be interrupted."""

    plan: ChangePlan
    draft: Draft
    site: Site

    def go_on(self, marks):
        """Return how it goes on; `marks` by number, a reason stands with each that needs one."""
        said = {
            number: Marked(number=number, mark=mark, reason="as told" if mark is SKIPPED else "")
            for number, mark in marks.items()
        }
        return continue_plan(self.plan, said, self.draft, self.site)

    def stopped_at(self, number, mark):
        """Return how it goes on when all before a step was done, and the step has this mark."""
        return self.go_on({**dict.fromkeys(range(1, number), DONE), number: mark})

    def first(self, key, **values):
        """Return the number of the first step of a template with these values."""
        return next(
            step.number
            for step in self.plan.steps
            if step.key == key and all(getattr(step, k) == v for k, v in values.items())
        )


@cache
def example(name):
    """Return the plan of an example cluster."""
    inventory = load_inventory(str(EXAMPLES / f"{name}.yaml"))
    blocks = blocks_of(str(EXAMPLES / CLUSTERS[name]))
    events = list(planning.planned(pipeline.read(blocks, CATALOGUE.alarms, Tally())))
    return work(events, inventory)


def work(events, inventory):
    """Return the plan for some alarms."""
    (plan,) = planning.plan(events, inventory, CATALOGUE)
    (draft,) = sketch_plans(events, inventory, CATALOGUE, newest_event(events))
    return Work(plan, draft, Site(inventory.clusters[0], CATALOGUE))
