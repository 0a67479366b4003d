"""Messages in quarantine, read again after a fix: what is readable now finds its case."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from watcher.cases.identity import Directory
from watcher.cases.storm import Budget, StormLimits
from watcher.errors import InputError
from watcher.intake import Reading, fold, read_message
from watcher.model.ledger import Books, Place, Reason
from watcher.model.message import MessageId, RawMessage
from watcher.ports import Store, StoredMessage, Unit, View

PAGE = 100
"""Messages of one transaction; the daemon's own writing waits no longer than for these."""
FAULTS = frozenset({Reason.OCTET_COUNT, Reason.MAIL_LIMITS, Reason.DAMAGED})
"""Reasons that the bytes do not tell: the input, or the disk, found the message broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What became of one message."""

    id: MessageId
    before: Reason
    place: Place
    after: Reason
    detail: str = ""

    @property
    def changed(self) -> bool:
        """Tell whether it is now somewhere else, or there for another reason."""
        return self.place is not Place.QUARANTINED or self.after is not self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayer:
    """Reads quarantined messages again, beside a daemon too; a second time changes nothing."""

    store: Store
    view: View
    directory: Directory
    limits: StormLimits

    def replay(self, reasons: Collection[Reason], now: datetime) -> Iterator[Replayed]:
        """Read all messages again that are there for one of the reasons (none: for any)."""
        after: MessageId | None = None
        while page := self.view.quarantine(after, PAGE):
            after = page[-1].id
            wanted = [one for one in page if not reasons or one.reason in reasons]
            yield from self._again(wanted, now)

    def replay_one(self, id_: MessageId, now: datetime) -> Replayed:
        """Read one message again, or raise InputError when it is not in quarantine."""
        message = self.view.message(id_)
        if message is None or message.place is not Place.QUARANTINED:
            told = "there is no message" if message is None else "it is not in quarantine:"
            raise InputError(f"{told} {id_}", expected="an id of `watcher quarantine`")
        done = self._again((message,), now)
        if not done:
            raise InputError(f"{id_} was just read again by another", expected="to look again")
        return done[0]

    def _again(self, messages: Sequence[StoredMessage], now: datetime) -> list[Replayed]:
        read = [(one, read_message(one.id, raw_of(one), self.directory)) for one in messages]
        unchanged = [one for one, reading in read if reading.reason is one.reason]
        todo = [(one, reading) for one, reading in read if reading.reason is not one.reason]
        done = [_stayed(one) for one in unchanged]
        if todo:
            budget = Budget(standing=self.directory.standing, limits=self.limits)
            with self.store.transaction() as unit:
                here = [item for item in todo if self._is_here(item[0])]
                done += [_moved(one, reading, unit, now, budget) for one, reading in here]
        return done

    def _is_here(self, message: StoredMessage) -> bool:
        """Tell whether a message is still where it was found: another replay may have been first.

        Asked while the writer's lock is ours, so that the answer holds.
        """
        now = self.view.message(message.id)
        return now is not None and (now.place, now.reason) == (message.place, message.reason)


def raw_of(message: StoredMessage) -> RawMessage:
    """Return a stored message as it came, with the fault that the input found in it."""
    return RawMessage(
        origin=message.origin,
        received_at=message.received_at,
        monotonic_ns=0,
        data=message.data,
        cut=message.cut,
        fault=message.reason if message.reason in FAULTS else None,
    )


def _stayed(message: StoredMessage) -> Replayed:
    return Replayed(
        id=message.id, before=message.reason, place=message.place, after=message.reason,
        detail=message.detail,
    )  # fmt: skip


def _moved(
    message: StoredMessage, reading: Reading, unit: Unit, now: datetime, budget: Budget
) -> Replayed:
    """Take a message in anew, and move its line of the books."""
    _, counted = fold((reading,), unit, now, budget)
    line = next(one for one in counted.lines() if one.count)
    if line.place in {Place.NOISE, Place.SELF_TEST}:
        # Such messages are not kept; this one is there already, and must leave quarantine.
        unit.keep((_placed(message, line.place),))
    moved = Books()
    moved.add(message.origin.input, Place.QUARANTINED, -1, message.reason)
    moved.add(line.input, line.place, line.count, line.reason)
    unit.count(moved.lines())
    return Replayed(
        id=message.id, before=message.reason, place=line.place, after=line.reason,
        detail=reading.detail,
    )  # fmt: skip


def _placed(message: StoredMessage, place: Place) -> StoredMessage:
    return StoredMessage(
        id=message.id, origin=message.origin, received_at=message.received_at, data=message.data,
        cut=message.cut, place=place, reason=Reason.NONE, detail="read again",
    )  # fmt: skip
