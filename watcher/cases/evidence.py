"""What the inventory's own listing of certificates says about a case: evidence, not a claim."""

from dataclasses import replace
from datetime import UTC, datetime

from watcher.cases.advance import Advance, moved
from watcher.cases.facts import excluded, is_later, minutes
from watcher.cases.identity import Directory
from watcher.cases.states import Fields, known_end, resolved_fields
from watcher.cases.table import Cause
from watcher.model.case import Case, CaseState


def evidence_from_inventory(
    case: Case, directory: Directory, now: datetime, read_at: datetime
) -> Advance | None:
    """Return what the inventory changes about a case; None: nothing.

    `read_at` is when the listing was written (the file's own time, not the last restart). A later
    end that was listed after the last alarm ends the case. A listing that alarms came after, or
    that says an earlier end, contradicts them; one that agrees makes the end a fact.
    """
    if case.state is CaseState.RESOLVED:
        return None
    end = _listed_end(case, directory)
    if end is None:
        return None
    told, zone = excluded(case, end), directory.zone(case.key.cluster) or UTC
    is_older = max(case.heard_at, case.last_event or case.heard_at) >= read_at
    if not told:
        # No alarm spoke of an end: read afterwards, it may be that of a certificate come since.
        unheard = case.end_earliest is None and not (case.revoked and is_older)
        return None if unheard else _agreed(case, now, known_end(end, zone))
    if is_older or not is_later(case, end) or end <= now:
        return _contradicted(case, told)
    reason = f"The inventory of {minutes(read_at)} lists a certificate that ends on {minutes(end)}."
    known = {**resolved_fields(min(now, read_at)), **known_end(end, zone)}
    return moved(case, Cause.INVENTORY, now, reason, **known)


def _listed_end(case: Case, directory: Directory) -> datetime | None:
    """Return the earliest end that is listed for the case's place; None: none, or not all."""
    own, copies = directory.listed(case.key)
    listed = copies if case.trust_only else own
    ends = [one.not_after for one in listed]
    if not ends or None in ends:
        return None
    # An old copy beside a new certificate still alarms; the case goes on until it is gone.
    ends += [one.not_after for one in copies]
    return min(end for end in ends if end is not None)


def _agreed(case: Case, now: datetime, known: Fields) -> Advance | None:
    end = known["confirmed_end"]
    if case.confirmed_end == end:
        return None
    after = replace(case, **known, expired=end <= now, contradiction="")
    return Advance(case=after, material=True, why="The inventory lists the same end.")


def _contradicted(case: Case, told: str) -> Advance | None:
    text = f"Inventory: {told}"
    if case.contradiction == text:
        return None
    after = replace(case, contradiction=text)
    return Advance(case=after, material=True, why="The inventory lists another end.")
