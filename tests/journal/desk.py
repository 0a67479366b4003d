"""What the journal's tests share: a clock, messages, and reading all there is."""

from datetime import UTC, datetime, timedelta

from watcher.model.message import Grade, Origin, Position, RawMessage, Way
from watcher.ports import Batch, Counted, Damaged, Kept

BEGINNING = datetime(2026, 11, 20, 12, tzinfo=UTC)
ORIGIN = Origin(way=Way.TCP, input="tcp", peer="192.0.2.7", grade=Grade.RETURN_PATH)


class StillClock:
    """Stands; it is set by hand."""

    def __init__(self, at=BEGINNING):
        self.at = at

    def now(self):
        """Return what it was set to."""
        return self.at

    def monotonic_ns(self):
        """Return always the same."""
        return 7


def message(data=b"%UC_CERT-4-CertValidLessThanMonth", origin=ORIGIN, **others):
    """Return a message; a number becomes a numbered one."""
    if isinstance(data, int):
        data = b"%%UC_CERT number %d." % data
    defaults = {"received_at": BEGINNING + timedelta(microseconds=5), "monotonic_ns": 12}
    return RawMessage(origin=origin, data=data, **(defaults | others))


def batch(*kept, noise=0, input_="tcp", **others):
    """Return a batch that balances unless told otherwise."""
    return Batch(input=input_, noise=noise, kept=kept, **({"received": len(kept) + noise} | others))


def read_all(reader, after=0, limit=100):
    """Return all entries behind a position."""
    entries = []
    while found := reader.read(Position(after), limit):
        entries += found
        after = found[-1].position
    return entries


def data_of(entries):
    """Return the bytes of the messages among entries."""
    return [entry.message.data for entry in entries if isinstance(entry, Kept)]


def counted(entries):
    """Return how many messages the counts among entries speak of."""
    return sum(entry.kept for entry in entries if isinstance(entry, Counted))


def damaged(entries):
    return [entry for entry in entries if isinstance(entry, Damaged)]
