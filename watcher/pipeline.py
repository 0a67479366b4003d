"""The story of one input: bytes come in, facts go out, and every record is accounted for.

    bytes -> Reader (records and the alerts around them) -> parsers (facts) -> events

`watcher parse` prints the events; `watcher plan` goes on with them in `planning`. Nothing in here
opens a file or asks for the time.
"""

import re
from collections.abc import Iterable, Iterator

from watcher.model.alarm import CertificateAlarm, Event, Tally, UcAlarm, Unreadable
from watcher.parsers import alarm, certificate
from watcher.rules.alarms import Alarms
from watcher.wire.archive import ANY_RECORD, Reader
from watcher.wire.carrier import Found


def read(
    chunks: Iterable[bytes], alarms: Alarms, tally: Tally, *, certificates_only: bool = False,
    listing: bool = True,
) -> Iterator[Event]:  # fmt: skip
    """Yield what one input says, and count it in `tally`.

    With `certificates_only` nothing but records with the Certificate Monitor's token is looked
    at; all other lines count as noise. Without `listing` the dates that a cut text may mean as well
    as the one that was chosen are left out.
    """
    reader = Reader(_marks(alarms) if certificates_only else ANY_RECORD)
    for chunk in chunks:
        for found in reader.receive_data(chunk):
            yield _counted(_event(found, alarms, listing=listing), tally)
    for found in reader.close():
        yield _counted(_event(found, alarms, listing=listing), tally)
    tally.noise += reader.noise
    tally.read += reader.noise


def _marks(alarms: Alarms) -> bytes:
    return b"|".join(re.escape(name.encode()) for name in alarms.appnames)


def _event(found: Found, alarms: Alarms, *, listing: bool) -> Event:
    if isinstance(found, Unreadable):
        return found
    seen = certificate.parse(found.record, alarms, found.alert, listing=listing)
    return seen or alarm.parse(found.record, alarms, found.alert)


def _counted(event: Event, tally: Tally) -> Event:
    tally.read += 1
    match event:
        case CertificateAlarm():
            tally.certificate_alarms += 1
        case UcAlarm():
            tally.uc_alarms += 1
        case Unreadable():
            tally.unreadable += 1
            tally.reasons[event.reason] = tally.reasons.get(event.reason, 0) + 1
    return event
