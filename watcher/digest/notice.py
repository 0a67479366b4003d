"""What is told at once: all marks that were passed since the last look, on one mail per list."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from watcher.digest.mail import Body
from watcher.digest.subject import plural
from watcher.model.case import CaseKey, Crossing
from watcher.model.digest import DigestLine
from watcher.tickets.encode import mail_text, one_line

SHOWN = 50
"""Certificates that one notice names; more are counted."""
FIELD = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A certificate that passed marks, the tightest of them `days`."""

    days: int
    line: DigestLine


def told(crossings: Iterable[Crossing], marks: Collection[int]) -> Mapping[CaseKey, Crossing]:
    """Return which cases a list is told of, each with its tightest mark.

    A case that passed several marks at once is told with the tightest, and so also to a list that
    chose only one of the wider ones. Where nobody is to be told, nobody is.
    """
    groups: dict[tuple[CaseKey, datetime], list[Crossing]] = {}
    for one in crossings:
        groups.setdefault((one.case, one.at), []).append(one)
    found: dict[CaseKey, Crossing] = {}
    for (case, _), group in groups.items():
        loud = min((one for one in group if not one.silent), key=lambda one: one.days, default=None)
        if loud is not None and any(one.days in marks for one in group):
            found[case] = loud
    return found


def notice(passed: Sequence[Passed], now: datetime) -> Body:
    """Return one mail about all of them, the tightest mark first."""
    ordered = sorted(passed, key=lambda one: (one.days, one.line.cluster, one.line.number))
    lines = [line for one in ordered[:SHOWN] for line in _words(one)]
    if len(ordered) > SHOWN:
        lines.append(f"and {len(ordered) - SHOWN} more: watcher cases")
    head = f"As of {now:%Y-%m-%d %H:%M} UTC; each mark is told once."
    return Body(subject=_subject(ordered), text=mail_text("\n".join([head, "", *lines])) + "\n")


def _subject(passed: Sequence[Passed]) -> str:
    ended = [one for one in passed if one.days <= 0]
    revoked = sum(one.line.revoked for one in ended)
    words = [f"{len(ended) - revoked} expired"] if len(ended) > revoked else []
    words += [f"{revoked} revoked"] if revoked else []
    rest = [one.days for one in passed if one.days > 0]
    if rest:
        words.append(f"{len(rest)} with {plural(max(rest), 'day')} left or less")
    return f"Certificates: {', '.join(words)}"


def _words(one: Passed) -> list[str]:
    line = one.line
    over = "revoked" if line.revoked else "its end is over"
    mark = over if one.days <= 0 else f"{plural(one.days, 'day')} or less"
    said = [f"* {mark}: {line.what}, cluster {line.cluster or 'unknown'}"]
    said.append(f"  end: {line.end}; case {line.number}, {line.state}")
    said += [f"  owner: {line.contact}"] if line.contact else []
    said += [f"  {line.note}"] if line.note else []
    said += [f"  plan {line.plan} {line.link}"] if line.plan else []
    return [f"  {one_line(s, FIELD)}" if s[:1] == " " else one_line(s, FIELD) for s in said]
