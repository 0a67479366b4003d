"""How many new cases strangers may open: a flood of invented names must not bury the real ones.

Cases whose every name is known are never held back; there are only as many as certificates. What
is held back stays in quarantine with its bytes, and opens its case when it comes again later.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from watcher.cases.identity import Standing
from watcher.model.case import CaseKey
from watcher.model.message import Grade

HOUR = timedelta(hours=1)
Class = tuple[Standing, Grade]
"""Each grade has a budget of its own, so that forged datagrams take nothing from proven senders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StormLimits:
    """New cases that each grade of sender may open; our own choice."""

    claimed_per_hour: int = 50
    """Of nodes that the inventory does not know."""
    claimed_total: int = 1_000
    named_per_hour: int = 200
    """Of files and stores that only messages name, in clusters of the inventory."""
    named_total: int = 5_000

    def of(self, standing: Standing) -> tuple[int, int] | None:
        """Return cases per hour and in all; None: as many as come."""
        if standing is Standing.KNOWN:
            return None
        if standing is Standing.NAMED:
            return self.named_per_hour, self.named_total
        return self.claimed_per_hour, self.claimed_total


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """One hour in which new cases were held back: the storm notice, told once."""

    since: datetime
    opened: int
    held: int
    """Messages, not cases: the same name may have come many times."""
    by_class: Mapping[Class, int]

    def __str__(self) -> str:
        """Print the notice in one sentence."""
        parts = ", ".join(
            f"{count} {standing} of grade {int(grade)}"
            for (standing, grade), count in sorted(self.by_class.items())
        )
        return (
            f"Storm: since {self.since:%Y-%m-%d %H:%M} UTC {self.opened} new cases were opened and "
            f"{self.held} alarms held back ({parts}); they are in quarantine."
        )


@dataclass(slots=True)
class _Account:
    opened: int = 0
    total: int = 0
    held: int = 0


@dataclass(slots=True)
class Budget:
    """Counts new cases by hour and in all; needs a few counters, however many names come.

    `standing` is the Directory's; `total` says how many unresolved cases of each class the store
    holds at the start. An hour begins with the first case that it counts.
    """

    standing: Callable[[CaseKey], Standing]
    limits: StormLimits = field(default_factory=StormLimits)
    total: Mapping[Class, int] = field(default_factory=dict)
    _accounts: dict[Class, _Account] = field(default_factory=dict)
    _since: datetime | None = None
    _notice: Spent | None = None

    def allows(self, key: CaseKey, now: datetime, grade: Grade = Grade.CLAIM) -> bool:
        """Tell whether a new case may be opened, and count it."""
        standing = self.standing(key)
        limit = self.limits.of(standing)
        if limit is None:
            return True
        self._turn(now)
        account = self._account((standing, grade))
        if account.opened >= limit[0] or account.total >= limit[1]:
            account.held += 1
            return False
        account.opened += 1
        account.total += 1
        return True

    def closed(self, key: CaseKey, grade: Grade = Grade.CLAIM) -> None:
        """Give a place back: a case was resolved, or aged out of the store."""
        account = self._account((self.standing(key), grade))
        account.total = max(0, account.total - 1)

    def notice(self, now: datetime) -> Spent | None:
        """Return the notice of the hour that is over, once; None when nothing was held back."""
        self._turn(now)
        notice, self._notice = self._notice, None
        return notice

    def _account(self, key: Class) -> _Account:
        if key not in self._accounts:
            self._accounts[key] = _Account(total=self.total.get(key, 0))
        return self._accounts[key]

    def _turn(self, now: datetime) -> None:
        """Begin another hour when it is time; a clock that went back begins one, too."""
        if self._since is not None and timedelta(0) <= now - self._since < HOUR:
            return
        held = {key: account.held for key, account in self._accounts.items() if account.held}
        if self._since is not None and held:
            opened = sum(account.opened for account in self._accounts.values())
            self._notice = Spent(
                since=self._since, opened=opened, held=sum(held.values()), by_class=held
            )
        for account in self._accounts.values():
            account.opened = account.held = 0
        self._since = now
