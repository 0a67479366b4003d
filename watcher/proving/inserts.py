"""Steps that a continuation puts in, drawn from the step templates of the rules."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from watcher.model.plan import Step
from watcher.planner.fill import fill
from watcher.planner.sketch import Ground, Sketch
from watcher.planner.terrain import ALL_PHONES, Place, survey
from watcher.proving.rest import Site
from watcher.rules.store import Need
from watcher.rules.terms import Condition
from watcher.rules.work import Service, StepKind
from watcher.trust import names

BEFORE_GOING_ON = "Before going on"
"""Heading of what is put in before the rest."""


@dataclass(frozen=True, slots=True)
class Toolbox:
    """Draws steps for one cluster; what was `stopped` on purpose is not restarted."""

    ground: Ground
    stopped: tuple[Step, ...] = ()

    def restart(self, *processes: names.Service) -> tuple[Step, ...]:
        """Return restarts of services wherever they run, in this order, publisher first."""
        return tuple(step for process in processes for step in self._restarts(process))

    def _restarts(self, process: names.Service) -> Iterator[Step]:
        resting = {(step.service, step.where) for step in self.stopped}
        for key, service in self._services(process):
            for place in self.ground.terrain.running(service):
                if (key, place.label) in resting:
                    continue
                yield from self._drawn([Sketch("restart-service", place, service=key)])

    def _services(self, process: names.Service) -> Iterator[tuple[str, Service]]:
        """Yield the service that is a process of the trust model, on this release."""
        release = self.ground.terrain.release
        for key, service in self.ground.catalogue.services.items():
            fits = release is None or service.releases.matches(release)
            if service.process == process and fits:
                yield key, service

    def start(self) -> tuple[Step, ...]:
        """Return the start of what was stopped."""
        return self._drawn(
            Sketch(
                "start-service", self.ground.terrain.named(step.node) or Place(step.where),
                store=step.store, service=step.service,
            )
            for step in self.stopped
        )  # fmt: skip

    def reset(self) -> tuple[Step, ...]:
        """Return the gate: one phone of each kind, then all, then wait for all."""
        gate = ("canary", "reset-phones", "wait-registrations")
        return self._drawn(Sketch(template, ALL_PHONES) for template in gate)

    def on_publisher(self, *templates: str) -> tuple[Step, ...]:
        """Return steps that are done on the publisher."""
        publisher = self.ground.terrain.publisher
        return self._drawn(Sketch(template, publisher) for template in templates)

    def flush(self) -> tuple[Step, ...]:
        """Return what brings every server and every phone to what is on disk."""
        return (*self.restart(names.Service.TVS, names.Service.TFTP), *self.reset())

    def rescues(self) -> Iterator[tuple[str, tuple[Step, ...]]]:
        """Yield the recovery steps that this cluster may have, by their id in the trust model."""
        facts = self.ground.terrain.facts
        lists = self.restart(names.Service.TFTP)
        mixed = facts.get(Condition.MIXED) is not False
        token = facts.get(Condition.ETOKEN) is True
        update = self.on_publisher("ctl-update-etoken" if token else "ctl-update", "verify-ctl")
        if mixed:
            calls = self.restart(names.Service.CCM)
            yield "R2", (*update, *lists, *calls, *self.reset())
        if signed := self.on_publisher("itl-localkey"):
            yield "R3", (*signed, *self.reset(), *lists, *self.reset())
        if mixed and not token and (signed := self.on_publisher("ctl-localkey")):
            yield "R4", (*signed, *self.reset(), *update, *lists, *self.reset())

    def _drawn(self, sketches: Iterable[Sketch]) -> tuple[Step, ...]:
        filled = (
            fill(replace(sketch, block=BEFORE_GOING_ON, need=Need.REQUIRED), self.ground)
            for sketch in sketches
        )
        return tuple(one.step for one in filled if not one.empty)


def toolbox(site: Site, done: Iterable[Step]) -> Toolbox:
    """Return the tools for a cluster on which these steps were done."""
    return Toolbox(Ground(site.catalogue, survey(site.cluster)), stopped_in(done))


def stopped_in(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Return the steps that stopped a service which no later one started again."""
    waiting: dict[tuple[str | None, str], Step] = {}
    for step in steps:
        place = (step.service, step.where)
        if step.kind == StepKind.STOP and step.service is not None:
            waiting[place] = step
        elif step.kind == StepKind.START:
            waiting.pop(place, None)
    return tuple(waiting.values())
