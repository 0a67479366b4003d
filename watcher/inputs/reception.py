"""The desk that every input hands its bytes to: budget, journal, counts; nothing is read here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from watcher.model.ledger import Reason
from watcher.model.message import Origin, Position, RawMessage
from watcher.ports import Batch, Clock, Journal

NOTHING: Mapping[Reason, int] = {}


class Hit(NamedTuple):
    """A message that may be ours: it holds a mark, or the input found it broken (`fault`)."""

    origin: Origin
    data: bytes
    cut: bool = False
    fault: Reason | None = None


class Admission(Protocol):
    """Limits how many hits a source may bring."""

    def admit(self, peer: str, data: bytes, monotonic_ns: int) -> bool:
        """Tell whether to keep a hit; what was never seen before is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What one reading of a socket or file held. `received` is counted apart from the rest."""

    received: int
    noise: int = 0
    hits: Sequence[Hit] = ()
    refused: Mapping[Reason, int] = field(default_factory=dict)
    heard: Mapping[str, int] = field(default_factory=dict)
    """Messages by peer, noise included."""


class Reception:
    """One input's way into the journal; safe to call from any thread."""

    def __init__(
        self, name: str, journal: Journal, clock: Clock, admission: Admission | None = None
    ) -> None:
        self.name = name
        self.journal = journal
        self._clock = clock
        self._admission = admission

    def settle(self, read: Read) -> Position:
        """Keep or count everything in `read`; raise JournalFull or JournalBroken, and keep none.

        Who tries the same again uses `admit` and `keep`, so that the budget is asked once.
        """
        return self.keep(self.admit(read))

    def admit(self, read: Read) -> Batch:
        """Stamp what was read with the time, and leave out what the budget does not allow."""
        refused, kept = read.refused, self._kept(read.hits) if read.hits else ()
        if over := len(read.hits) - len(kept):
            refused = {**refused, Reason.RATE: refused.get(Reason.RATE, 0) + over}
        return Batch(
            input=self.name, received=read.received, noise=read.noise,
            refused=refused, kept=kept, heard=read.heard,
        )  # fmt: skip

    def keep(self, batch: Batch) -> Position:
        """Hand what was admitted to the journal; raise JournalFull or JournalBroken."""
        return self.journal.settle(batch)

    def refuse(self, reason: Reason, peer: str) -> None:
        """Count one message or connection that was turned away."""
        self.settle(Read(received=1, refused={reason: 1}, heard={peer: 1}))

    def _kept(self, hits: Sequence[Hit]) -> list[RawMessage]:
        now, monotonic_ns = self._clock.now(), self._clock.monotonic_ns()
        return [
            RawMessage(
                origin=hit.origin, received_at=now, monotonic_ns=monotonic_ns,
                data=hit.data, cut=hit.cut, fault=hit.fault,
            )
            for hit in hits
            if self._admits(hit, monotonic_ns)
        ]  # fmt: skip

    def _admits(self, hit: Hit, monotonic_ns: int) -> bool:
        if self._admission is None:
            return True
        return self._admission.admit(hit.origin.peer, hit.data, monotonic_ns)
