"""How many messages that may be ours a source may bring, and what is kept beyond that.

Noise costs nothing and has no budget. Beyond the budget a text that was never seen before is
kept, of its repeats one in `sample`; the rest is refused, counted with reason `rate`. One object
may serve several inputs, whose budget is then one.

Time is handed in, in nanoseconds of a clock that never steps.
"""

from dataclasses import dataclass
from threading import Lock

_SECOND = 1_000_000_000
_HEAD = 160
"""Bytes before a token in which the header of its record stands."""

_VARYING = b"0123456789:.,+-Z"
_NUMBERS = frozenset((b"", b"AM", b"PM", b"T", b"*"))
"""What is left of a number, a time or a date when such bytes are taken off both of its ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Messages with a mark; docs/reliability.md tells why these figures."""

    source_rate: int = 2_000
    """A second, from one source."""
    source_depth: int = 10_000
    """At once, after a silence."""
    rate: int = 10_000
    """A second, in all."""
    depth: int = 20_000
    sources: int = 4_096
    """Sources told apart; more share one budget, because anybody can forge a million."""
    remembered: int = 65_536
    """Texts that are known to be repeats; of older ones the next is kept once more."""
    sample: int = 100
    """Beyond the budget one of so many repeats is kept."""


class TokenBuckets:
    """Admits what a budget allows and what was never seen before; safe to call from any thread."""

    def __init__(self, budget: Budget | None = None) -> None:
        self._budget = budget = budget or Budget()
        self._step, self._room = _pace(budget.source_rate, budget.source_depth)
        self._step_of_all, self._room_of_all = _pace(budget.rate, budget.depth)
        self._full_at: dict[str, int] = {}
        self._all_full_at = -(1 << 63)
        self._swept_at = -(1 << 63)
        self._seen = Seen(budget.remembered)
        self._over = 0
        self._lock = Lock()

    @property
    def sources(self) -> int:
        """How many sources are told apart now."""
        return len(self._full_at)

    def admit(self, peer: str, data: bytes, monotonic_ns: int) -> bool:
        """Tell whether to keep a message with a mark."""
        with self._lock:
            if self._takes_token(peer, monotonic_ns) or self._is_new(peer, data):
                return True
            self._over += 1
            return self._over % self._budget.sample == 0

    def _is_new(self, peer: str, data: bytes) -> bool:
        return self._seen.is_new(hash((peer, shape(data))))

    # A bucket is the time at which it is full again (the generic cell rate algorithm): one number
    # for a source, no refilling, and a source of which nothing is known has a full one.

    def _takes_token(self, peer: str, now: int) -> bool:
        full_at = self._full_at.get(peer)
        if full_at is None:
            peer, full_at = self._enter(peer, now)
        full_at = max(full_at, now) + self._step
        all_full_at = max(self._all_full_at, now) + self._step_of_all
        if full_at - now > self._room or all_full_at - now > self._room_of_all:
            return False
        self._full_at[peer] = full_at
        self._all_full_at = all_full_at
        return True

    def _enter(self, peer: str, now: int) -> tuple[str, int]:
        if len(self._full_at) >= self._budget.sources and now - self._swept_at >= _SECOND:
            self._swept_at = now
            self._full_at = {one: at for one, at in self._full_at.items() if at > now}
        if len(self._full_at) >= self._budget.sources:
            peer = ""
        return peer, self._full_at.get(peer, now)


def _pace(rate: int, depth: int) -> tuple[int, int]:
    """Return nanoseconds that one message takes, and how many of them may be taken ahead."""
    if rate < 1 or depth < 1:
        raise ValueError(f"a budget of {rate} a second, {depth} at once lets nothing in")
    return _SECOND // rate, depth * (_SECOND // rate)


class Seen:
    """Remembers which of many were seen, the newest `limit` of them at least half the time.

    Two generations: when the younger is full it becomes the older, which is forgotten whole.
    """

    def __init__(self, limit: int) -> None:
        self._limit = max(limit // 2, 1)
        self._young: set[int] = set()
        self._old: set[int] = set()

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._young) + len(self._old)

    def is_new(self, key: int) -> bool:
        """Tell whether it is seen for the first time, and remember it."""
        if key in self._young:
            return False
        known = key in self._old
        if len(self._young) >= self._limit:
            self._young, self._old = set(), self._young
        self._young.add(key)
        return not known


def shape(data: bytes) -> bytes:
    """Return what a message says, without what differs each time the same is said.

    That is PRI, sequence number and time, and they stand in the header in front of the token;
    names there keep their digits, since cm1 is not cm2. Behind the token another date is another
    fact. Hence alerts that quote a record with its times are all new; RTMT limits them itself.
    """
    token = data.find(b"%", 0, _HEAD)
    if token < 0:
        return data
    words = data[data.find(b">", 0, 5) + 1 : token].split()
    return b" ".join([w for w in words if w.strip(_VARYING) not in _NUMBERS]) + data[token:]
