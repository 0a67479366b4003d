"""A certificate expires and nobody renews it: who notices what, and for how long."""

from dataclasses import replace
from datetime import datetime

from watcher.errors import InputError
from watcher.planner.terrain import cluster_facts, survey
from watcher.rules.select import select
from watcher.rules.store import Scope, Store
from watcher.trust.branch import UNKNOWNS, Branch
from watcher.trust.names import Certificate, Kind
from watcher.trust.phone import SAME
from watcher.trust.prove import prove
from watcher.trust.scenario import Action, Scenario, Step
from watcher.trust.verdict import Verdict
from watcher.trust.world import begin
from watcher.whatif.ground import Ground
from watcher.whatif.nouns import BACK, Ends, ExpiryAnswer, PhonesThen

_DATE = UNKNOWNS["U10"]


def expiry(ground: Ground, name: str, node: str | None, at: datetime | None) -> ExpiryAnswer:
    """Return what breaks when the certificate of a store is past its date, on a node or all."""
    store = ground.catalogue.store(name)
    name = ground.catalogue.store_name(name) or name
    nodes = _nodes(ground, store, node)
    ends = _ends(ground, name, nodes)
    facts = ground.facts(name)
    phones = _phones(ground, name, nodes)
    hit = [one.group for one in phones if one.if_rejected != BACK]
    return ExpiryAnswer(
        store=name, title=store.title, ends=ends, lasts=_lasts(ends, at),
        breaks=ground.told(store.impact, facts), used_by=ground.told(store.used_by, facts),
        phones=phones, hit=ground.count(hit), backups=_backups(ground, name, nodes),
        tell=ground.parties([store]),
        unknown=(*_unknown(name, store, ends), *ground.unknown()),
    )  # fmt: skip


def _nodes(ground: Ground, store: Store, node: str | None) -> tuple[str, ...]:
    """Return the node asked about; else each that has a certificate of its own."""
    names = [one.name for one in ground.base.nodes]
    if node is None:
        scopes = select(store.scope, ground.cluster.release, cluster_facts(ground.cluster))
        each = not scopes or scopes[0].item.value is Scope.NODE
        return tuple(names) if each else (ground.base.publisher,)
    known = next((name for name in names if name.lower() == node.lower()), None)
    if known is None:
        problem = f"{node!r} is not a CUCM node of {ground.cluster.name}"
        raise InputError(problem, expected=f"one of {', '.join(names)}")
    return (known,)


def _ends(ground: Ground, store: str, nodes: tuple[str, ...]) -> tuple[Ends, ...]:
    terrain = survey(ground.cluster)
    listed = {node: terrain.certificate(store, node) for node in nodes}
    return tuple(
        Ends(node=node, not_after=one.not_after if one else None) for node, one in listed.items()
    )


def _lasts(ends: tuple[Ends, ...], at: datetime | None) -> str:
    known = sorted(one.not_after for one in ends if one.not_after is not None)
    if not known:
        return "From its end date, which the inventory does not tell, until it is renewed."
    first = f"{known[0]:%Y-%m-%d %H:%M} UTC"
    if at is not None and at < known[0]:
        return f"Nothing yet at {at:%Y-%m-%d}: it ends on {first}. From then until it is renewed."
    past = at if at is not None else known[0]
    days = (past - known[0]).days
    since = f", {days} days by {at:%Y-%m-%d}" if at is not None else ""
    return f"From {first} until it is renewed{since}."


def _expired(ground: Ground, store: str, nodes: tuple[str, ...]) -> frozenset[Certificate]:
    if store not in set(Kind):
        return frozenset()
    world = begin(ground.base, Branch())
    return frozenset(world.current(store, node) for node in nodes)


def _idle(base: Scenario, answer: str | None) -> Verdict:
    """Return what happens when nothing is done, under one answer to U10."""
    idle = Step(number=1, text="nothing is done", action=Action.VERIFY)
    assume = {_DATE.id: answer} if answer and base.expired else {}
    return prove(replace(base, steps=(idle,), assume=assume))


def _phones(ground: Ground, store: str, nodes: tuple[str, ...]) -> tuple[PhonesThen, ...]:
    past = _expired(ground, store, nodes)
    then = replace(ground.base, expired=ground.base.expired | past)
    now = _idle(ground.base, _DATE.careful)
    careful, other = _idle(then, _DATE.careful), _idle(then, _DATE.other)
    return tuple(
        PhonesThen(
            group=group.name, phones=group.count,
            if_rejected=_reset(careful, group.name), if_accepted=_reset(other, group.name),
            ways_now=_ways(now, group.name), ways_if_rejected=_ways(careful, group.name),
            lsc=group.lsc in past,
        )
        for group in ground.base.groups
    )  # fmt: skip


def _reset(verdict: Verdict, group: str) -> str:
    lost = next((one for one in verdict.stranded if one.group == group), None)
    return BACK if lost is None else f"stays out: {lost.why}"


def _ways(verdict: Verdict, group: str) -> int:
    return len(verdict.history[group][-1][1].ways - {SAME})


def _backups(ground: Ground, store: str, nodes: tuple[str, ...]) -> str:
    past = _expired(ground, store, nodes)
    world = begin(replace(ground.base, expired=ground.base.expired | past), Branch())
    used = frozenset(name for node in nodes for name in world.backup_certificates(node))
    if not past & used:
        return "Backups do not depend on this certificate."
    return "Backups can fail from then on: this is the certificate that disaster recovery uses."


def _unknown(name: str, store: Store, ends: tuple[Ends, ...]) -> tuple[str, ...]:
    found = []
    if name not in set(Kind):
        found.append(
            f"{name} is no certificate of the trust model: what phones do is told by the rules only"
        )
    elif store.phone_facing:
        found.append(
            f"{_DATE.id}: no source tells whether {_DATE.text}. To see: {_DATE.observable}"
        )
    if any(one.not_after is None for one in ends):
        nodes = ", ".join(one.node for one in ends if one.not_after is None)
        found.append(f"the end date on {nodes} is not in the inventory")
    return tuple(found)
