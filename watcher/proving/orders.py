"""A plan's printed steps as steps of the trust model; what phones cannot notice becomes `verify`.

A reset of all phones is a barrier from the moment registrations are waited for. Optional steps and
the less likely of two branches are left out: the proof holds without them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from watcher.model.plan import Step
from watcher.rules.catalogue import Catalogue
from watcher.rules.work import StepKind
from watcher.trust import scenario
from watcher.trust.names import CLUSTER, Kind, Service, certificate
from watcher.trust.scenario import Action, Scenario

_LOCALKEYS = {"ctl-localkey": Action.CTL_LOCALKEY, "itl-localkey": Action.ITL_LOCALKEY}
_PARAMETERS = {
    "rollback-on": (Action.ROLLBACK_ON, None),
    "rollback-off": (Action.ROLLBACK_OFF, None),
    "set-phone-interaction-manual": (Action.INTERACTION, "manual"),
    "restore-phone-interaction": (Action.INTERACTION, "before"),
}
_EXPORT = "export-recovery-key"
_ALL_WORDS = ("each", "all", "every")


@dataclass(slots=True)
class _Reader:
    """The steps of one plan while they are read."""

    base: Scenario
    catalogue: Catalogue
    reset_open: bool = False
    stopped: str | None = None

    def read(self, step: Step) -> Iterator[scenario.Step]:
        reader = _READERS.get(step.kind)
        found = list(reader(self, step)) if reader else []
        yield from found or (self.made(step, Action.VERIFY),)

    def made(self, step: Step, action: Action, **parts: object) -> scenario.Step:
        return scenario.Step(number=step.number, text=step.title, action=action, **parts)  # type: ignore[arg-type]

    # -- places

    def nodes(self, step: Step, service: Service | None = None) -> tuple[str, ...]:
        """Return the nodes of a step; words such as "each node" stand for all that run it."""
        names = {node.name.lower(): node.name for node in self.base.nodes}
        running = self.base.running(service) if service else tuple(names.values())
        if step.node is not None:
            known = names.get(step.node.lower())
            return (known,) if known else ()
        where = step.where.lower()
        if where == "the publisher":
            return (self.base.publisher,)
        named = tuple(names[part] for part in where.split(", ") if part in names)
        if named:
            return named
        if "subscriber" in where or where.endswith("(as reported)") or "reporting node" in where:
            return tuple(name for name in running if name != self.base.publisher)
        if where.startswith("each other"):
            return tuple(name for name in running if name != self.stopped)
        return running if where.startswith(_ALL_WORDS) else ()

    # -- kinds of steps

    def renew(self, step: Step) -> Iterator[scenario.Step]:
        store = step.store or ""
        if store not in set(Kind):
            return
        upload = step.kind == StepKind.UPLOAD
        action = Action.UPLOAD_SIGNED if upload else Action.REGENERATE
        if store in self.base.shared:
            yield self.made(step, action, store=store)
            return
        for node in self.nodes(step):
            yield self.made(step, action, store=store, node=node)

    def service(self, step: Step) -> Iterator[scenario.Step]:
        process = self.catalogue.services[step.service].process if step.service else None
        if process is None:
            return
        action = _SERVICE_ACTIONS[StepKind(step.kind)]
        service = Service(process)
        for node in self.nodes(step, service):
            if service is Service.TFTP and action is not Action.RESTART:
                self.stopped = node if action is Action.STOP else None
            yield self.made(step, action, service=service, node=node)

    def parameter(self, step: Step) -> Iterator[scenario.Step]:
        if step.key in _PARAMETERS:
            action, value = _PARAMETERS[step.key]
            if value == "before":
                value = "manual" if self.base.interaction_manual else "auto"
            yield self.made(step, action, value=value)

    def ctl(self, step: Step) -> Iterator[scenario.Step]:
        yield self.made(step, Action.CTL_UPDATE)

    def localkey(self, step: Step) -> Iterator[scenario.Step]:
        if step.key in _LOCALKEYS:
            yield self.made(step, _LOCALKEYS[step.key])

    def reset(self, step: Step) -> Iterator[scenario.Step]:
        self.reset_open = True
        yield self.made(step, Action.AUTO_RESET)

    def wait(self, step: Step) -> Iterator[scenario.Step]:
        if self.reset_open:
            self.reset_open = False
            yield self.made(step, Action.RESET)

    def backup(self, step: Step) -> Iterator[scenario.Step]:
        yield self.made(step, Action.BACKUP)

    def record(self, step: Step) -> Iterator[scenario.Step]:
        if step.key == _EXPORT:
            yield self.made(step, Action.EXPORT_KEY)

    def delete(self, step: Step) -> Iterator[scenario.Step]:
        # Of the trust copies only CAPF's are asked by phones. What goes is the copy that expired:
        # an older one than the certificate that was current before this plan.
        store = (step.store or "").removesuffix("-trust")
        if store in (Kind.CAPF, Kind.CALLMANAGER) and store != step.store:
            gone = certificate("expired-copy", CLUSTER, 0)
            yield self.made(step, Action.DELETE_TRUST, certificate=gone)

    def reissue(self, step: Step) -> Iterator[scenario.Step]:
        holders = tuple(group.name for group in self.base.groups if group.lsc is not None)
        if holders:
            yield self.made(step, Action.LSC_REISSUE, groups=holders)

    def tell(self, step: Step) -> Iterator[scenario.Step]:
        for peer in self.base.peers:
            if peer.needs == step.store:
                yield self.made(step, Action.TELL, peer=peer.name)


_SERVICE_ACTIONS = {
    StepKind.RESTART: Action.RESTART, StepKind.STOP: Action.STOP, StepKind.START: Action.START,
}  # fmt: skip
_READERS: dict[str, Callable[[_Reader, Step], Iterable[scenario.Step]]] = {
    StepKind.REGENERATE: _Reader.renew,
    StepKind.UPLOAD: _Reader.renew,
    StepKind.RESTART: _Reader.service,
    StepKind.STOP: _Reader.service,
    StepKind.START: _Reader.service,
    StepKind.PARAMETER: _Reader.parameter,
    StepKind.CTL_UPDATE: _Reader.ctl,
    StepKind.LOCALKEY: _Reader.localkey,
    StepKind.RESET: _Reader.reset,
    StepKind.WAIT: _Reader.wait,
    StepKind.BACKUP: _Reader.backup,
    StepKind.RECORD: _Reader.record,
    StepKind.SAVE: _Reader.record,
    StepKind.DELETE: _Reader.delete,
    StepKind.REISSUE: _Reader.reissue,
    StepKind.TELL: _Reader.tell,
}


def trust_steps(
    steps: Sequence[Step], base: Scenario, catalogue: Catalogue
) -> tuple[scenario.Step, ...]:
    """Return what the trust model does for the steps of a plan, numbered as the plan is."""
    reader = _Reader(base, catalogue)
    done = (step for step in steps if not (step.optional or step.alternative))
    return tuple(made for step in done for made in reader.read(step))
