"""From the cut text of an alarm to the certificate's last day, and how sure that is.

The text has the form `EEE MMM dd HH:mm:ss:SSS zzz yyyy` and loses its end, so the year is
missing first. The weekday, the alarm's name and the time of the event bring it back, or the
question that does. The table of cases is in docs/expiry.md.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from watcher.model.expiry import Candidate, Certainty, Expiry, ExpiryState
from watcher.rules.alarms import CertificateAlarmKind, Direction

LONGEST_EXPIRED = timedelta(days=5 * 365 + 2)
"""A certificate that expired longer ago than its default validity is not expected in use."""

ZONE_SLACK = timedelta(hours=14)
"""No zone is further from UTC; the date of an alarm is local to a node of unknown zone."""

_YEARS_BACK, _YEARS_AHEAD = 10, 12
_SHOWN = 8
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TEXT = re.compile(
    r"\s*(?P<weekday>[A-Z][a-z]{0,2})(?: +(?P<month>[A-Z][a-z]{0,2})"
    r"(?: +(?P<day>[0-9]{1,2})(?P<after_day> *)(?P<time>[0-9:]*)"
    r"(?: +(?P<zone>[A-Za-z+-][A-Za-z0-9_/:+-]*)?(?: +(?P<year>[0-9]{1,4})?)?)?)?)?\s*",
    re.ASCII,
)
_CLOCK = re.compile(r"(\d{2}):(\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remains:
    """What survived of the text; a part may itself be cut."""

    weekday: str
    month: str
    day: str
    day_whole: bool
    clock: str | None
    zone: str | None
    year: str

    @property
    def complete(self) -> bool:
        return len(self.year) == 4  # noqa: PLR2004 -- yyyy

    def fits(self, day: date) -> bool:
        """Tell whether the text could have been cut from this date."""
        return (
            self.complete or _WEEKDAYS[day.weekday()].startswith(self.weekday)
        ) and self.fits_date(day)

    def fits_date(self, day: date) -> bool:
        """Tell the same without the weekday."""
        number = str(day.day) if self.day_whole and len(self.day) == 1 else f"{day.day:02}"
        return (
            _MONTHS[day.month - 1].startswith(self.month)
            and number.startswith(self.day)
            and str(day.year).startswith(self.year)
        )

    def instants(self, day: date) -> "_Window":
        """Return between which instants the certificate ends if it ends on that day."""
        slack = timedelta(0) if (self.zone or "").upper() in {"UTC", "GMT"} else ZONE_SLACK
        found = _CLOCK.match(self.clock or "")
        try:
            at = time(int(found[1]), int(found[2])) if found else None
        except ValueError:
            at = None
        first = datetime.combine(day, at or time(0), UTC)
        length = timedelta(minutes=1) if at else timedelta(days=1)
        return _Window(first - slack, first + length + slack)


@dataclass(frozen=True, slots=True)
class _Window:
    """A span of time; None is open."""

    earliest: datetime | None
    latest: datetime | None

    def meets(self, other: "_Window") -> bool:
        return not (
            (self.latest and other.earliest and other.earliest > self.latest)
            or (self.earliest and other.latest and other.latest < self.earliest)
        )

    def within(self, other: "_Window") -> "_Window":
        if not self.meets(other):
            return self
        starts = [start for start in (self.earliest, other.earliest) if start]
        ends = [end for end in (self.latest, other.latest) if end]
        return _Window(max(starts, default=None), min(ends, default=None))


@dataclass(frozen=True, slots=True)
class _Case:
    """One alarm: its text, its time and what its name says."""

    text: str | None
    event: datetime | None
    kind: CertificateAlarmKind | None

    @property
    def direction(self) -> Direction:
        return self.kind.direction if self.kind else Direction.NONE

    @property
    def said(self) -> _Window:
        """Between which instants the name of the alarm puts the end."""
        if self.event is None or self.kind is None or self.direction is Direction.NONE:
            return _Window(None, None)
        ahead = self.kind.latest_days
        latest = self.event + timedelta(days=ahead) if ahead is not None else None
        if self.direction is Direction.PAST:
            return _Window(None, self.event)
        if self.direction is Direction.BOTH:
            return _Window(None, latest)
        return _Window(self.event + timedelta(days=self.kind.earliest_days or 0), latest)

    @property
    def plausible(self) -> _Window:
        """The same without ends that lie too far off to be believed."""
        said = self.said
        if self.event is None or self.direction is Direction.NONE:
            return said
        return _Window(
            said.earliest or self.event - LONGEST_EXPIRED,
            said.latest or self.event + LONGEST_EXPIRED,
        )


def resolve(
    text: str | None, event_time: datetime | None, kind: CertificateAlarmKind | None
) -> tuple[Expiry, ExpiryState]:
    """Return what is known of the end of a certificate, and its state at `event_time`.

    `kind` is None for an alarm that the catalogue does not know. Nothing is raised, whatever
    the text is.
    """
    case = _Case(text, event_time, kind)
    found = _TEXT.fullmatch(text) if text else None
    if found is None or not _readable(found):
        return _without_date(case)
    remains = _Remains(
        weekday=found["weekday"],
        month=found["month"] or "",
        day=found["day"] or "",
        day_whole=bool(found["after_day"]) or len(found["day"] or "") == 2,  # noqa: PLR2004 -- dd
        clock=found["time"] or None,
        zone=found["zone"] or None,
        year=found["year"] or "",
    )
    if remains.complete:
        return _with_year(case, remains)
    if not remains.month:
        return _without_date(case)
    return _without_year(case, remains)


def _readable(found: re.Match[str]) -> bool:
    weekday, month = found["weekday"], found["month"] or ""
    followed = found["month"] is not None
    return any(
        name.startswith(weekday) for name in _WEEKDAYS if not followed or name == weekday
    ) and (any(name.startswith(month) for name in _MONTHS if not found["day"] or name == month))


def _with_year(case: _Case, remains: _Remains) -> tuple[Expiry, ExpiryState]:
    day = _date(int(remains.year), _MONTHS.index(remains.month) + 1, int(remains.day))
    if day is None:
        return _without_date(case, f"There is no {remains.day} {remains.month} {remains.year}.")
    instants = remains.instants(day) if date.min < day < date.max else _Window(None, None)
    reason = "The text carries day, month and year."
    certainty, question = Certainty.EXACT, None
    if _WEEKDAYS[day.weekday()] != remains.weekday:
        certainty = Certainty.AMBIGUOUS
        reason = f"{day} was no {remains.weekday}: the weekday contradicts the date."
    elif not instants.meets(case.said):
        certainty = Certainty.AMBIGUOUS
        reason = f"The text says {day}, which the alarm's name excludes at the time of the event."
    if certainty is Certainty.AMBIGUOUS:
        question = f"Is the certificate's final date {day}?"
    expiry = _expiry(
        case, remains, certainty, reason,
        day=day, question=question, candidates=(Candidate(day=day, chosen=True, reason=reason),),
    )  # fmt: skip
    return expiry, _state(case, [instants])


def _without_year(case: _Case, remains: _Remains) -> tuple[Expiry, ExpiryState]:
    if case.event is None:
        reason = "The year is cut off, and the time of the event is not known."
        question = f"In which year does the certificate end ({(case.text or '').strip()})?"
        expiry = _expiry(case, remains, Certainty.AMBIGUOUS, reason, question=question)
        return expiry, _state(case, [])
    days = _dates(case.event, remains)
    plausible = case.plausible
    likely = [day for day in days if remains.instants(day).meets(plausible)]
    if not remains.day_whole:
        days = likely or days
    chosen = _choice(case, remains, likely)
    if chosen is not None:
        return _inferred(case, remains, days, chosen), _state(case, [remains.instants(chosen)])
    if not days:
        return _without_date(case, "No date of the years around the event fits the text.")
    reason = _why_open(case, remains, likely)
    candidates = tuple(
        Candidate(day=day, chosen=False, reason=_distance(day, case.event)) for day in days
    )
    question = _question(likely or days, case.event)
    expiry = _expiry(
        case, remains, Certainty.AMBIGUOUS, reason, question=question, candidates=candidates
    )
    return expiry, _state(case, [remains.instants(day) for day in likely])


def _choice(case: _Case, remains: _Remains, likely: Sequence[date]) -> date | None:
    """Return the date that the alarm's name points to, or None where it leaves a choice."""
    if len(likely) == 1:
        return likely[0]
    if not likely or case.event is None or not remains.day_whole:
        return None
    if case.direction is Direction.NONE:
        return None
    # Equal weekdays lie five years apart at least: of an end in a few days and one of almost
    # five years ago, the near one is meant.
    today = case.event.date()
    return min(likely, key=lambda day: abs(day - today))


def _inferred(case: _Case, remains: _Remains, days: Sequence[date], chosen: date) -> Expiry:
    event = case.event or datetime.combine(chosen, time(0), UTC)
    said = case.said
    candidates = tuple(
        Candidate(
            day=day,
            chosen=day == chosen,
            reason=_distance(day, event)
            + ("" if day == chosen else f": {_why_left(said, day, event)}"),
        )
        for day in days
    )
    reason = (
        f"The year is cut off. {chosen}, {_distance(chosen, event)}, is the only date near the "
        "event that fits the text and the alarm's name."
    )
    return _expiry(case, remains, Certainty.INFERRED, reason, day=chosen, candidates=candidates)


def _why_left(said: _Window, day: date, event: datetime) -> str:
    if day > event.date():
        far = said.latest is None
        return (
            "five years after the event or longer" if far else "later than the alarm's name allows"
        )
    if said.earliest is not None:
        return "earlier than the alarm's name allows"
    return "five years before the event or longer"


def _why_open(case: _Case, remains: _Remains, likely: Sequence[date]) -> str:
    if case.direction is Direction.NONE:
        return "The year is cut off, and the alarm's name does not tell past from future."
    if not likely:
        return "The year is cut off, and no date that fits the text fits the alarm's name."
    if not remains.day_whole:
        return "The text is cut inside the date, so that several days fit."
    return "The year is cut off, and more than one year fits."


def _question(days: Sequence[date], event: datetime) -> str:
    nearest = sorted(days, key=lambda day: abs(day - event.date()))[:_SHOWN]
    words = [str(day) for day in nearest]
    if len(days) > len(nearest):
        return f"What is the certificate's final date ({', '.join(words)} or another)?"
    listed = " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
    return f"Is the certificate's final date {listed}?"


def _distance(day: date, event: datetime) -> str:
    days = (day - event.date()).days
    if days == 0:
        return "the day of the event"
    words = f"{abs(days)} days" if abs(days) != 1 else "1 day"
    return f"{words} {'after' if days > 0 else 'before'} the event"


def _dates(event: datetime, remains: _Remains) -> list[date]:
    first = max(event.year - _YEARS_BACK, date.min.year)
    last = min(event.year + _YEARS_AHEAD, date.max.year - 1)
    months = [number for number, name in enumerate(_MONTHS, 1) if name.startswith(remains.month)]
    numbers = [int(remains.day)] if remains.day_whole and remains.day else range(1, 32)
    made = (
        _date(year, month, number)
        for year in range(first, last + 1)
        for month in months
        for number in numbers
    )
    return [day for day in made if day is not None and remains.fits(day)]


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _without_date(case: _Case, reason: str = "") -> tuple[Expiry, ExpiryState]:
    said = case.said
    bounded = said.earliest is not None or said.latest is not None
    reason = reason or "No date survived in the text."
    reason += (
        " The alarm's name and the time of the event bound it."
        if bounded
        else " Neither the alarm's name nor the time of the event bounds it."
    )
    certainty = Certainty.BOUNDED if bounded else Certainty.UNKNOWN
    question = "What is the certificate's final date?"
    return _expiry(case, None, certainty, reason, question=question), _state(case, [])


def _expiry(  # noqa: PLR0913 -- one place that fills the noun
    case: _Case,
    remains: _Remains | None,
    certainty: Certainty,
    reason: str,
    *,
    day: date | None = None,
    question: str | None = None,
    candidates: tuple[Candidate, ...] = (),
) -> Expiry:
    window = case.said
    if remains is not None and day is not None and date.min < day < date.max:
        window = remains.instants(day).within(window)
    return Expiry(
        text=case.text,
        day=day,
        certainty=certainty,
        candidates=candidates,
        time_text=remains.clock if remains else None,
        zone_text=remains.zone if remains else None,
        earliest=window.earliest,
        latest=window.latest,
        reason=reason,
        question=question,
        complete=bool(remains and remains.complete),
    )


def _state(case: _Case, spans: Sequence[_Window]) -> ExpiryState:
    """Return the state at the event, as far as all plausible dates agree."""
    if case.direction is Direction.PAST:
        return ExpiryState.EXPIRED
    if case.event is None or not spans:
        return ExpiryState.EXPIRING if case.direction is Direction.FUTURE else ExpiryState.UNKNOWN
    if all(span.latest and span.latest < case.event for span in spans):
        return ExpiryState.EXPIRED
    if all(span.earliest and span.earliest > case.event for span in spans):
        return ExpiryState.EXPIRING
    return ExpiryState.EXPIRING if case.direction is Direction.FUTURE else ExpiryState.UNKNOWN
