"""From the cut text of an alarm to the certificate's last day, and how sure that is.

The text has the form `EEE MMM dd HH:mm:ss:SSS zzz yyyy` and loses its end, so the year is
missing first. The weekday, the alarm's name and the time of the event bring it back, or the
question that does. The table of cases is in docs/expiry.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache

from watcher.model.expiry import Candidate, Certainty, Expiry, ExpiryState
from watcher.model.moments import reckonable
from watcher.rules.alarms import CertificateAlarmKind, Direction
from watcher.wire.enddate import Remains, Window, read_end
from watcher.wire.timestamp import MONTHS

LONGEST_EXPIRED = timedelta(days=5 * 365 + 2)
"""A certificate that expired longer ago than its default validity is not expected in use."""

_YEARS_BACK, _YEARS_AHEAD = 10, 12
_YEARS_TWIN = 6
"""Equal weekdays come again after five, six or eleven years; only five and six leave a doubt."""
_SHOWN = 8
_EDGE = 20
"""Years at either end of the calendar in which nothing can be reckoned; no clock stands there."""


@dataclass(frozen=True)
class _Case:
    """One alarm: its text, its time and what its name says.

    It has no slots, so that the windows, asked for with every date that fits, are made once.
    """

    text: str | None
    event: datetime | None
    kind: CertificateAlarmKind | None
    slack: timedelta = timedelta(0)
    listing: bool = True

    @property
    def direction(self) -> Direction:
        return self.kind.direction if self.kind else Direction.NONE

    @cached_property
    def said(self) -> Window:
        """Between which instants the name of the alarm puts the end."""
        if self.event is None or self.kind is None or self.direction is Direction.NONE:
            return Window(None, None)
        ahead = self.kind.latest_days
        latest = self.event + self.slack
        if self.direction is Direction.PAST:
            return Window(None, latest)
        end = latest + timedelta(days=ahead) if ahead is not None else None
        if self.direction is Direction.BOTH:
            return Window(None, end)
        return Window(self.event - self.slack + timedelta(days=self.kind.earliest_days or 0), end)

    @cached_property
    def plausible(self) -> Window:
        """The same without ends that lie too far off to be believed."""
        said = self.said
        if self.event is None or self.direction is Direction.NONE:
            return said
        return Window(
            said.earliest or self.event - LONGEST_EXPIRED,
            said.latest or self.event + LONGEST_EXPIRED,
        )


def resolve(
    text: str | None,
    event_time: datetime | None,
    kind: CertificateAlarmKind | None,
    *,
    slack: timedelta = timedelta(0),
    listing: bool = True,
) -> tuple[Expiry, ExpiryState]:
    """Return what is known of the end of a certificate, and its state at `event_time`.

    Without `listing` the dates that were not chosen are left out; nothing else changes.

    `kind` is None for an alarm that the catalogue does not know; `event_time` may be wrong by
    `slack` either way; in the first or last years of the calendar it counts as unknown. Nothing
    is raised, whatever the text is.
    """
    case = _Case(text, _reckonable(event_time), kind, slack, listing)
    remains = read_end(text) if text else None
    if remains is None:
        return _without_date(case)
    if remains.complete:
        return _with_year(case, remains)
    if not remains.month:
        return _without_date(case)
    return _without_year(case, remains)


def _reckonable(event: datetime | None) -> datetime | None:
    """Return the time of the event unless it is a forgery that no date can be counted from."""
    if event is None or not date.min.year + _EDGE <= event.year <= date.max.year - _EDGE:
        return None
    return event


def _with_year(case: _Case, remains: Remains) -> tuple[Expiry, ExpiryState]:
    day = _date(int(remains.year), MONTHS.index(remains.month) + 1, int(remains.day))
    if day is None:
        return _without_date(case, f"There is no {remains.day} {remains.month} {remains.year}.")
    instants = remains.instants(day) if date.min < day < date.max else Window(None, None)
    reason = "The text carries day, month and year."
    certainty, question = Certainty.EXACT, None
    if not remains.fits_weekday(day):
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


def _without_year(case: _Case, remains: Remains) -> tuple[Expiry, ExpiryState]:
    if case.event is None:
        reason = "The year is cut off, and the time of the event is not known."
        question = f"In which year does the certificate end ({(case.text or '').strip()})?"
        expiry = _expiry(case, remains, Certainty.AMBIGUOUS, reason, question=question)
        return expiry, _state(case, [])
    days: Sequence[date] = _dates(case.event.year, remains)
    likely = [day for day in days if remains.instants(day).meets(case.plausible)]
    if not remains.day_whole:
        days = likely or days
    chosen = _choice(case, remains, days, likely)
    if chosen is not None:
        twins = _twins(case, remains, chosen)
        expiry = _chosen(case, remains, sorted({*twins, *days}), chosen, twins)
        return expiry, _state(case, [remains.instants(day) for day in (*twins, chosen)])
    if not days:
        return _without_date(case, "No date of the years around the event fits the text.")
    reason = _why_open(case, remains, days, likely)
    candidates = _listed(case, remains, days, None)
    question = _question(likely or days, case.event)
    expiry = _expiry(
        case, remains, Certainty.AMBIGUOUS, reason, question=question, candidates=candidates
    )
    return expiry, _state(case, [remains.instants(day) for day in likely])


def _choice(
    case: _Case, remains: Remains, days: Sequence[date], likely: Sequence[date]
) -> date | None:
    """Return the date that the alarm's name points to, or None where it leaves a choice."""
    if len(likely) == 1:
        return likely[0]
    if case.event is None or not remains.day_whole or case.direction is Direction.NONE:
        return None
    if likely:
        # Equal weekdays lie five years apart at least: of an end in a few days and one of almost
        # five years ago, the near one is meant.
        today = case.event.date()
        return min(likely, key=lambda day: abs(day - today))
    if case.direction is Direction.FUTURE:
        return None
    # Expired for longer than certificates last, and still there: the latest such date.
    allowed = [day for day in days if remains.instants(day).meets(case.said)]
    return max(allowed, default=None)


def _twins(case: _Case, remains: Remains, chosen: date) -> list[date]:
    """Return the dates before a very old one that may be meant as well."""
    if case.event is None or not remains.day_whole or case.event.date() - chosen <= LONGEST_EXPIRED:
        return []
    return [
        day
        for day in _dates(chosen.year, remains)
        if day < chosen and chosen.year - day.year <= _YEARS_TWIN
    ]


def _chosen(
    case: _Case, remains: Remains, days: Sequence[date], chosen: date, twins: Sequence[date]
) -> Expiry:
    event = case.event or datetime.combine(chosen, time(0), UTC)
    candidates = _listed(case, remains, days, chosen)
    what = f"The year is cut off. {chosen}, {_distance(chosen, event.date())}, is the "
    if twins:
        reason = (
            what + f"latest date that fits the text and the alarm's name; {twins[-1]} fits too."
        )
        question = _question([chosen, *twins], event)
        return _expiry(
            case, remains, Certainty.AMBIGUOUS, reason,
            day=chosen, question=question, candidates=candidates,
        )  # fmt: skip
    reason = what + "only date near the event that fits the text and the alarm's name."
    return _expiry(case, remains, Certainty.INFERRED, reason, day=chosen, candidates=candidates)


def _listed(
    case: _Case, remains: Remains, days: Sequence[date], chosen: date | None
) -> tuple[Candidate, ...]:
    """Return all dates that fit the text, each with its distance and why it was left."""
    if not case.listing:
        return ()
    event_day = case.event.date() if case.event else days[0]
    said = case.said
    bounds = (said.earliest is not None, said.latest is not None)
    return tuple(
        _candidate(
            day, event_day, bounds if _is_left(remains, day, chosen, said) else None,
            chosen=day == chosen,
        )
        for day in days
    )  # fmt: skip


def _is_left(remains: Remains, day: date, chosen: date | None, said: Window) -> bool:
    return (chosen is not None and day != chosen) or not remains.instants(day).meets(said)


@lru_cache(maxsize=8192)
def _candidate(
    day: date, event_day: date, left: tuple[bool, bool] | None, *, chosen: bool
) -> Candidate:
    """Return one date; `left` says which bounds the alarm's name gave when it was left."""
    reason = _distance(day, event_day)
    if left is not None:
        reason += f": {_why_left(day, event_day, *left)}"
    return Candidate(day=day, chosen=chosen, reason=reason)


def _why_left(day: date, event_day: date, has_earliest: bool, has_latest: bool) -> str:  # noqa: FBT001
    if day > event_day:
        return (
            "later than the alarm's name allows"
            if has_latest
            else "five years after the event or longer"
        )
    if has_earliest:
        return "earlier than the alarm's name allows"
    return "five years before the event or longer"


def _why_open(case: _Case, remains: Remains, days: Sequence[date], likely: Sequence[date]) -> str:
    if case.direction is Direction.NONE:
        return "The year is cut off, and the alarm's name does not tell past from future."
    if likely or not remains.day_whole:
        if not remains.day_whole:
            return "The text is cut inside the date, so that several days fit."
        return "The year is cut off, and more than one year fits."
    if any(remains.instants(day).meets(case.said) for day in days):
        return "The year is cut off, and what fits the text and the alarm's name lies far off."
    return (
        "The year is cut off, and no date of the years around the event that fits the text "
        "fits the alarm's name."
    )


def _question(days: Sequence[date], event: datetime) -> str:
    nearest = sorted(days, key=lambda day: abs(day - event.date()))[:_SHOWN]
    words = [str(day) for day in nearest]
    if len(days) > len(nearest):
        return f"What is the certificate's final date ({', '.join(words)} or another)?"
    listed = " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
    return f"Is the certificate's final date {listed}?"


def _distance(day: date, event_day: date) -> str:
    days = (day - event_day).days
    if days == 0:
        return "the day of the event"
    words = f"{abs(days)} days" if abs(days) != 1 else "1 day"
    return f"{words} {'after' if days > 0 else 'before'} the event"


@lru_cache(maxsize=1024)
def _dates(around: int, remains: Remains) -> tuple[date, ...]:
    """Return the dates of the years around one that fit; alarms repeat nightly with one text."""
    first = max(around - _YEARS_BACK, date.min.year)
    last = min(around + _YEARS_AHEAD, date.max.year - 1)
    months = [number for number, name in enumerate(MONTHS, 1) if name.startswith(remains.month)]
    numbers = [int(remains.day)] if remains.day_whole and remains.day else range(1, 32)
    made = (
        _date(year, month, number)
        for year in range(first, last + 1)
        for month in months
        for number in numbers
    )
    return tuple(day for day in made if day is not None and remains.fits(day))


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
    remains: Remains | None,
    certainty: Certainty,
    reason: str,
    *,
    day: date | None = None,
    question: str | None = None,
    candidates: tuple[Candidate, ...] = (),
) -> Expiry:
    window = case.said
    if remains is not None and day is not None and date.min < day < date.max:
        window = _bounds(window, remains.instants(day), certainty)
    return Expiry(
        text=case.text,
        day=day,
        certainty=certainty,
        candidates=candidates,
        time_text=remains.clock if remains else None,
        zone_text=remains.zone if remains else None,
        earliest=reckonable(window.earliest) if window.earliest else None,
        latest=reckonable(window.latest) if window.latest else None,
        reason=reason,
        question=question,
        complete=bool(remains and remains.complete),
    )


def _bounds(said: Window, day: Window, certainty: Certainty) -> Window:
    """Return bounds that hold even if another date that fits text and name is the true one."""
    if certainty is Certainty.AMBIGUOUS:
        return day.around(said)
    if certainty is Certainty.EXACT:
        return day.within(said)
    # Equal weekdays before the chosen day stay possible where the name does not forbid them; later
    # ones do not: such an alarm is raised months before an end, not years.
    if said.earliest is None and said.latest is None:
        return said
    near = day.within(said)
    return Window(near.earliest if said.earliest else None, near.latest)


def _state(case: _Case, spans: Sequence[Window]) -> ExpiryState:
    """Return the state at the event, as far as all plausible dates agree."""
    if case.direction is Direction.PAST:
        return ExpiryState.EXPIRED
    if case.event is None or not spans:
        return ExpiryState.EXPIRING if case.direction is Direction.FUTURE else ExpiryState.UNKNOWN
    if all(span.latest and span.latest < case.event - case.slack for span in spans):
        return ExpiryState.EXPIRED
    if all(span.earliest and span.earliest > case.event + case.slack for span in spans):
        return ExpiryState.EXPIRING
    return ExpiryState.EXPIRING if case.direction is Direction.FUTURE else ExpiryState.UNKNOWN
