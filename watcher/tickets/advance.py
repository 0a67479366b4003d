"""How far an errand is, and what leads on: the machine of the outbox; pure.

An errand is looked for before it is sent, always: a ticket of ours may be there although we know
of none (a lost answer, a restored backup). An end that is unclear leads to `unknown`, and from
there only a search leads on, after a quiet time that is longer than the client waits, the server
works and the index lags, all in a row. docs/tickets.md has the table.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from watcher.model.ticket import Errand, ErrandKind, ErrandState, TicketRef

TOLD = 300
"""Characters of an answer that are kept for people."""
GONE = "its system is not in the settings any more"
"""Told of an errand that rests: it counts as done, and goes on when the system is back."""
LONGEST = timedelta(days=1)
"""A system that asks for a longer rest is asked again after this."""
LETTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long is waited for what (facts: D-05; a client's 30 s, a server's, Jira's index)."""

    client: timedelta = timedelta(seconds=30)
    """The longest that a call may take."""
    server: timedelta = timedelta(seconds=30)
    """So long a server may work on after the client gave up."""
    index: timedelta = timedelta(seconds=120)
    """So much later a search may find what was made."""
    slack: timedelta = timedelta(seconds=15)
    first: timedelta = timedelta(seconds=15)
    """Pause after the first failure; doubled with each further one."""
    most: timedelta = timedelta(minutes=8)
    """The longest pause but for one that a system asks for."""
    refused: timedelta = timedelta(minutes=5)
    """Pause after the first refusal; doubled likewise."""
    refusals: int = 3
    """So many refusals and the errand is dead."""
    bars: int = 28
    """The same about one ticket that we may not touch or cannot see; the pauses come to a day.

    A right that is taken away and given back within hours kills nothing.
    """
    unclear: int = 9
    """So many sendings that ended unclear and that no search found, and the errand is dead.

    The pauses between double and come to more than half a day, so that a system whose writing is
    down for hours kills nothing; a search that is blind makes no more doubles than this.
    """
    blind: int = 12
    """The same where nothing can be searched; the pauses between come to about five days."""
    letter: timedelta = timedelta(0)
    """So much longer a relay may take to answer a mail (RFC 5321, 4.5.3.2.6)."""
    horizon: timedelta = timedelta(days=7)
    """So long it is searched for an errand whose end is unclear."""
    hourly: int = 100
    """Things done to one system in an hour; searches do not count."""

    @property
    def quiet(self) -> timedelta:
        """How long nothing is done after an unclear end."""
        return self.client + self.letter + self.server + self.index + self.slack

    def at(self, *, searches: bool) -> "Limits":
        """Return the limits at one system: where nothing is ever found, that proves nothing."""
        if searches:
            return self
        return replace(self, unclear=self.blind, letter=LETTER)


DEFAULT = Limits()
SHOW = (ErrandKind.CREATE, ErrandKind.UPDATE)
"""Errands that make a ticket show a change as it is."""


class Outcome(StrEnum):
    """What came of one call, or of none."""

    FOUND = "found"
    """A search found it: it is done."""
    ABSENT = "absent"
    """A search that worked did not find it."""
    DONE = "done"
    """It was sent and answered."""
    LATER = "later"
    """Surely nothing was done: the system is busy, or cannot be reached."""
    UNCLEAR = "unclear"
    """It may have been done."""
    REFUSED = "refused"
    SHUT = "shut"
    """The system refuses us, not what is sent: the log-in or a right is missing."""
    BARRED = "barred"
    """This ticket is shut to us, or gone, while the system lets us in: perhaps for an hour only."""
    LEFT = "left"
    """People closed the ticket or took it away: what they did is followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a call, at which instant, and what was told.

    `seconds` is the rest that the system asked for. `chance` lies in [0, 1) and spreads the tries
    of many errands.
    """

    outcome: Outcome
    at: datetime
    ticket: TicketRef | None = None
    told: str = ""
    seconds: float | None = None
    chance: float = 0.5


class NotPossibleError(Exception):
    """An answer that an errand in this state cannot get: a fault of ours."""


def begin(errand: Errand, epoch: int, now: datetime) -> Errand:
    """Return an errand that is about to be sent in a leader's term; only a new one can be."""
    if errand.state is not ErrandState.NEW:
        raise NotPossibleError(f"{errand.state} cannot be sent")
    return replace(errand, state=ErrandState.SENDING, epoch=epoch, sent_at=now)


def interrupted(errand: Errand, now: datetime, limits: Limits = DEFAULT) -> Errand:
    """Return an errand that was being sent by a process that is no more."""
    if errand.state is not ErrandState.SENDING:
        raise NotPossibleError(f"{errand.state} was not being sent")
    answer = Answer(outcome=Outcome.UNCLEAR, at=now, told="the process that sent it ended")
    return advance(errand, answer, limits)


def revive(errand: Errand, now: datetime) -> Errand:
    """Return a dead errand that a person wants tried again; a search leads on."""
    if errand.state is not ErrandState.DEAD:
        raise NotPossibleError(f"{errand.state} is not dead")
    return replace(
        errand, state=ErrandState.UNKNOWN, next_at=now, attempts=0, refusals=0, unclear=0,
        added_at=now, told="tried again by hand",
    )  # fmt: skip


def advance(errand: Errand, answer: Answer, limits: Limits = DEFAULT) -> Errand:
    """Return an errand after an answer; NotPossibleError for one that cannot be."""
    if errand.state in (ErrandState.DONE, ErrandState.DEAD):
        raise NotPossibleError(f"{errand.state} gets no answer")
    sending = errand.state is ErrandState.SENDING
    known = replace(errand, told=answer.told[:TOLD])
    match answer.outcome:
        case Outcome.FOUND | Outcome.LEFT if not sending:
            return _done(known, answer)
        case Outcome.DONE if sending:
            return _done(known, answer)
        case Outcome.ABSENT if not sending:
            return _absent(errand, answer, limits)
        case Outcome.LATER | Outcome.UNCLEAR | Outcome.SHUT | Outcome.REFUSED | Outcome.BARRED:
            return _held_up(known, answer, limits)
    raise NotPossibleError(f"{errand.state} cannot be answered with {answer.outcome}")


def _held_up(errand: Errand, answer: Answer, limits: Limits) -> Errand:
    if answer.outcome is Outcome.SHUT:
        return _shut(errand, answer)
    if answer.outcome is Outcome.REFUSED:
        return _refused(errand, answer, limits.refusals, limits.refused * 2**errand.refusals)
    if answer.outcome is Outcome.BARRED:
        return _refused(errand, answer, limits.bars, rest_after(errand.refusals))
    if answer.outcome is Outcome.UNCLEAR and errand.state is ErrandState.SENDING:
        return _unclear(errand, answer, limits)
    return _later(errand, answer, limits)


def _done(errand: Errand, answer: Answer) -> Errand:
    ticket = answer.ticket or errand.ticket
    done = replace(errand, state=ErrandState.DONE, ticket=ticket, next_at=answer.at)
    found = errand.kind is ErrandKind.CREATE and answer.outcome is Outcome.FOUND
    left = errand.kind in SHOW and answer.outcome is Outcome.LEFT
    # What a ticket shows and holds that was found, or left as people had it, nobody said.
    return replace(done, digest="") if found or left else done


def _later(errand: Errand, answer: Answer, limits: Limits) -> Errand:
    """Wait and try again: send what is surely not there, search for what may be."""
    searched = errand.state is ErrandState.UNKNOWN
    since = max(errand.added_at, errand.sent_at or errand.added_at)
    if searched and answer.at - since > limits.horizon:
        told = f"searched in vain until the horizon: {errand.told}"[:TOLD]
        return replace(errand, state=ErrandState.DEAD, next_at=answer.at, told=told)
    pause = pause_after(errand.attempts, answer, limits)
    state = ErrandState.UNKNOWN if searched else ErrandState.NEW
    return replace(errand, state=state, next_at=answer.at + pause, attempts=errand.attempts + 1)


def _unclear(errand: Errand, answer: Answer, limits: Limits) -> Errand:
    """Do nothing until whatever was begun has ended and can be found."""
    return replace(
        errand, state=ErrandState.UNKNOWN, next_at=answer.at + limits.quiet,
        attempts=errand.attempts + 1, unclear=errand.unclear + 1,
    )  # fmt: skip


def _absent(errand: Errand, answer: Answer, limits: Limits) -> Errand:
    """Send what is not there: at once the first time, later and later, and not for ever.

    What is sent again and again and never found may be there each time: the search may be blind.
    """
    sent = errand.unclear if errand.state is ErrandState.UNKNOWN else 0
    if sent >= limits.unclear:
        told = f"sent {sent} times, no clear answer, never found; a person must look: {errand.told}"
        return replace(errand, state=ErrandState.DEAD, next_at=answer.at, told=told[:TOLD])
    pause: timedelta = (
        (limits.quiet - limits.letter) * 2 ** (sent - 1) if sent > 1 else timedelta(0)
    )
    return replace(errand, state=ErrandState.NEW, next_at=answer.at + pause)


def _refused(errand: Errand, answer: Answer, most: int, pause: timedelta) -> Errand:
    refusals = errand.refusals + 1
    if refusals >= most:
        return replace(errand, state=ErrandState.DEAD, refusals=refusals, next_at=answer.at)
    # A refused search tells nothing: what was unknown stays so.
    unknown = errand.state is ErrandState.UNKNOWN
    state = ErrandState.UNKNOWN if unknown else ErrandState.NEW
    return replace(errand, state=state, refusals=refusals, next_at=answer.at + pause)


def _shut(errand: Errand, answer: Answer) -> Errand:
    """Stay as it is, for as long as it takes: it is no fault of the errand, and nothing was done.

    It waits as long as the system rests, so that another one tries next: a right may be missing
    for this one alone.
    """
    unknown = errand.state is ErrandState.UNKNOWN
    return replace(
        errand, state=ErrandState.UNKNOWN if unknown else ErrandState.NEW,
        next_at=answer.at + rest_after(errand.attempts), attempts=errand.attempts + 1,
    )  # fmt: skip


def rest_after(times: int) -> timedelta:
    """Return how long a system rests that lets us not in: 5 min, doubled up to an hour."""
    doubled: timedelta = SHUT * 2 ** min(times, 16)
    return min(doubled, SHUT_LONGEST)


def pause_after(failures: int, answer: Answer, limits: Limits = DEFAULT) -> timedelta:
    """Return the pause after a failure: doubled with each, spread by a quarter, as asked for."""
    doubled: timedelta = limits.first * 2 ** min(failures, 16)
    spread = min(doubled, limits.most) * (0.75 + 0.5 * answer.chance)
    asked = timedelta(seconds=max(0.0, min(answer.seconds or 0.0, LONGEST.total_seconds())))
    return max(spread, asked)


# -- one system


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """Whether a system is asked at all: after failures in a row it rests, then one call tries."""

    failures: int = 0
    until: datetime | None = None
    """It rests until then."""
    told: str = ""
    shut: int = 0
    """How often in a row it did not let us in."""

    def allows(self, now: datetime) -> bool:
        """Tell whether it may be asked."""
        return self.until is None or now >= self.until


CLOSED = Circuit()
TRIPS = 5
"""Failures in a row after which a system rests."""
RESTS = (30.0, 60.0, 120.0)
"""Seconds: the first rest, the next, all later ones."""
SHUT, SHUT_LONGEST = timedelta(minutes=5), timedelta(hours=1)
"""The first and the longest rest of a system that does not let us in."""


def circuit_after(circuit: Circuit, answer: Answer) -> Circuit:
    """Return whether a system is asked after this answer; a refusal shows that it works.

    One that does not let us in rests long from the first time: many wrong log-ins lock an account.
    """
    if answer.outcome is Outcome.SHUT:
        return Circuit(
            failures=circuit.failures, until=answer.at + rest_after(circuit.shut),
            told=answer.told[:TOLD], shut=circuit.shut + 1,
        )  # fmt: skip
    if answer.outcome in (Outcome.FOUND, Outcome.ABSENT):
        # Reading works; that writing does too, only writing shows.
        return replace(circuit, until=None, shut=0)
    if answer.outcome not in (Outcome.LATER, Outcome.UNCLEAR):
        return CLOSED
    failures = circuit.failures + 1
    asked = min(answer.seconds or 0.0, LONGEST.total_seconds())
    over = failures - TRIPS
    rest = RESTS[min(over, len(RESTS) - 1)] if over >= 0 else 0.0
    until = answer.at + timedelta(seconds=max(asked, rest)) if max(asked, rest) > 0 else None
    return Circuit(failures=failures, until=until, told=answer.told[:TOLD], shut=circuit.shut)
