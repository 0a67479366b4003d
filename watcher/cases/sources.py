"""Who should be heard, and whether he is: healthy, silent or not yet known. Silence is a state."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address

from watcher.inventory.lookup import names_of
from watcher.inventory.schema import Inventory

NIGHTLY = timedelta(hours=26)
"""The certificate monitor runs every 24 hours; any message of a node counts, though."""
TOLERANCE = 0.1
"""Part of the interval that is waited besides."""


class SourceState(StrEnum):
    """How a source is; the three are never shown alike."""

    HEALTHY = "healthy"
    SILENT = "silent"
    """Not heard for longer than its interval and a tenth, all the while we were listening."""
    UNKNOWN = "unknown"
    """Not heard since we began to listen, which is no longer than that ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A source that should be heard at least once in an interval.

    `signs` are the names under which it may be noted: `peer:ADDRESS`, `node:NAME`, `stage:NAME`.
    """

    name: str
    signs: tuple[str, ...]
    interval: timedelta = NIGHTLY
    cluster: str = ""

    @property
    def patience(self) -> timedelta:
        """How long its silence is borne."""
        return self.interval * (1 + TOLERANCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """How an expected source is; `last` is when it was heard, None for never."""

    name: str
    state: SourceState
    last: datetime | None
    due: datetime
    """When it becomes silent, or became so."""
    steady_since: datetime | None = None
    """Since when it is healthy without a pause that we saw; None: it is not."""
    cluster: str = ""


def expected_nodes(
    inventory: Inventory | None,
    interval: timedelta = NIGHTLY,
    only: Collection[str] | None = None,
) -> tuple[Expected, ...]:
    """Return the nodes of the inventory, by name in lower case; `only` some of them if given."""
    wanted = None if only is None else {name.strip().lower() for name in only}
    return tuple(
        Expected(
            name=node.name.lower(), signs=_signs(names_of(node)), interval=interval,
            cluster=cluster.name,
        )
        for cluster in (inventory.clusters if inventory else ())
        for node in cluster.nodes
        if wanted is None or node.name.lower() in wanted
    )  # fmt: skip


def expected_stage(name: str, interval: timedelta) -> Expected:
    """Return a stage of ours that must show a sign of life."""
    return Expected(name=name, signs=(f"stage:{name}",), interval=interval)


def _signs(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(f"{kind}:{name}" for name in names for kind in ("node", "peer")))


def health(
    expected: Sequence[Expected],
    heard: Mapping[str, datetime],
    now: datetime,
    listening_since: datetime,
    before: Iterable[SourceHealth] = (),
) -> tuple[SourceHealth, ...]:
    """Return how each source is, by when each sign was last seen; `before` is the last answer.

    What was missed while we were not listening is not the sources' silence: their time begins
    anew with `listening_since`. Short stops should not move it, or frequent ones hid a silence.
    """
    seen: dict[str, datetime] = {}
    for sign, at in heard.items():
        plain = _plain(sign)
        seen[plain] = max(at, seen.get(plain, at))
    was = {one.name: one for one in before}
    return tuple(_health(one, _last(one, seen), now, listening_since, was) for one in expected)


def _last(one: Expected, seen: Mapping[str, datetime]) -> datetime | None:
    return max((seen[sign] for sign in map(_plain, one.signs) if sign in seen), default=None)


def _health(
    one: Expected,
    last: datetime | None,
    now: datetime,
    since: datetime,
    was: Mapping[str, SourceHealth],
) -> SourceHealth:
    due = max(since, last or since) + one.patience
    steady = None
    if now > due:
        state = SourceState.SILENT
    elif last is not None and now - last <= one.patience:
        state, steady = SourceState.HEALTHY, since
        held = was.get(one.name)
        if held and held.state is not SourceState.UNKNOWN:
            steady = max(since, held.steady_since or now)
    else:
        state = SourceState.UNKNOWN
    return SourceHealth(name=one.name, state=state, last=last, due=due, steady_since=steady,
                        cluster=one.cluster)  # fmt: skip


def _plain(sign: str) -> str:
    """Return a sign in lower case; an address in its shortest form, IPv4 inside IPv6 as IPv4."""
    kind, _, name = sign.lower().partition(":")
    if kind != "peer":
        return f"{kind}:{name}"
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        return f"{kind}:{name}"
    return f"{kind}:{getattr(address, 'ipv4_mapped', None) or address}"
