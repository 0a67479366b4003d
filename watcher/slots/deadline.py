"""Until when the work must be over: the earliest end of a certificate, as far as it is known."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from watcher.model.expiry import Expiry, ExpiryState
from watcher.model.plan import Finding
from watcher.slots.phases import Work


class Hurry(StrEnum):
    """How a finding presses."""

    ENDS = "ends"
    EXPIRED = "expired"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """One finding: when it ends at the earliest, or why it must be done at once."""

    hurry: Hurry
    store: str
    ends: datetime | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressing:
    """What presses on a plan; `ends` has the earliest end for each part of it."""

    presses: tuple[Press, ...]
    ends: tuple[tuple[int, datetime], ...]

    @property
    def earliest(self) -> datetime | None:
        """The earliest end of a certificate that has not expired, or None."""
        return min((at for _, at in self.ends), default=None)

    def texts(self, hurry: Hurry) -> tuple[str, ...]:
        """Return what is said of the findings that press in a way."""
        return tuple(press.text for press in self.presses if press.hurry is hurry)


def pressing(findings: Sequence[Finding], work: Work, now: datetime) -> Pressing:
    """Return what presses on a plan as of now."""
    changed = frozenset().union(*(phase.stores for phase in work.phases))
    ours = [f for f in findings if f.store.lower() in changed] or findings
    presses = tuple(_press(finding, now) for finding in ours)
    return Pressing(presses=presses, ends=tuple(_ends(presses, work)))


def _ends(presses: Iterable[Press], work: Work) -> Iterable[tuple[int, datetime]]:
    """Yield the earliest end for each part, counting an end to the part that changes its store."""
    found: dict[int, datetime] = {}
    for press in presses:
        if press.ends is None:
            continue
        part = _part(press.store, work)
        found[part] = min(press.ends, found.get(part, press.ends))
    return found.items()


def _part(store: str, work: Work) -> int:
    return next((p.part for p in work.phases if store in p.stores), work.phases[0].part)


def _press(finding: Finding, now: datetime) -> Press:
    known, store = finding.expiry, finding.store.lower()
    name = f"{finding.id} ({finding.store} of {finding.node or 'a node'})"
    if finding.revoked:
        return Press(hurry=Hurry.UNSURE, store=store, ends=None, text=f"{name} is revoked")
    if finding.state is ExpiryState.EXPIRED or (known.latest and known.latest <= now):
        since = f"{known.day}" if known.day else f"{known.latest or finding.event_time:%Y-%m-%d}"
        word = "serves" if not finding.trust else "lies there"
        text = f"{name} {word} expired since {since}"
        return Press(hurry=Hurry.EXPIRED, store=store, ends=None, text=text)
    if known.earliest is None or known.earliest <= now:
        return Press(hurry=Hurry.UNSURE, store=store, ends=None, text=f"{name}: {_bounds(known)}")
    return Press(hurry=Hurry.ENDS, store=store, ends=known.earliest, text=name)


def _bounds(known: Expiry) -> str:
    if known.earliest is None and known.latest is None:
        return "its end is not known at all; find it out, until then do it as soon as possible"
    first = f"not before {known.earliest:%Y-%m-%d %H:%M}Z" if known.earliest else "any time"
    last = f", not after {known.latest:%Y-%m-%d %H:%M}Z" if known.latest else ""
    return f"its end is only bounded ({first}{last}); until it is known, as soon as possible"
