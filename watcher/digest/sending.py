"""How far one mail is with each of its recipients: a pure state machine like the outbox.

What is written down before a step is what counts after a crash. A recipient that was being sent
to when the process ended, or whose answer was lost, is unknown: after a quiet period the same
mail goes out once more, with the same Message-ID, so that mailboxes take the two for one.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from watcher.model.digest import Answer, Delivery, Parcel

QUIET = timedelta(minutes=15)
"""Longer than the client waits plus what a relay needs to hand a mail on."""
PATIENCE = timedelta(days=5)
"""As long as a mail server keeps trying (RFC 5321 section 4.5.4.1)."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=2), timedelta(hours=2)
FEWEST = 10
"""Tries before it is given up: a clock set ahead by a year must not end it."""
_TOLD = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Consignment:
    """One mail and its recipients; `letter` is what is sent, byte for byte, at every try.

    `epoch` is the leader's term in which it was last sent.
    """

    begun_at: datetime
    letter: bytes
    parcels: tuple[Parcel, ...]
    epoch: int = 0

    @property
    def over(self) -> bool:
        """Tell whether nothing more is done about any recipient."""
        return all(parcel.over for parcel in self.parcels)

    @property
    def result(self) -> str:
        """Return how it stands, for people."""
        done = sum(parcel.state is Delivery.DONE for parcel in self.parcels)
        return f"{done} of {len(self.parcels)} delivered"


def ready(one: Consignment, now: datetime) -> tuple[str, ...]:
    """Return the recipients that are sent to now."""
    return tuple(parcel.to for parcel in one.parcels if _is_ready(parcel, now))


def _is_ready(parcel: Parcel, now: datetime) -> bool:
    if parcel.over or parcel.state is Delivery.SENDING:
        return False
    # A time that lies farther ahead than any pause was given by a clock since set back.
    wait = parcel.next_at - now if parcel.next_at else timedelta(0)
    return wait <= timedelta(0) or wait > LONGEST_PAUSE


def begun(one: Consignment, to: tuple[str, ...], now: datetime, epoch: int) -> Consignment:
    """Return it with these recipients being sent to; written down before anything is sent."""
    parcels = tuple(
        replace(p, state=Delivery.SENDING, tries=p.tries + 1, next_at=now + QUIET)
        if p.to in to else p
        for p in one.parcels
    )  # fmt: skip
    return replace(one, parcels=parcels, epoch=epoch)


def answered(
    one: Consignment, answers: Mapping[str, tuple[Answer, str]], now: datetime
) -> Consignment:
    """Return it with what was answered; recipients without an answer stay as they are."""
    parcels = tuple(
        _answered(p, *answers[p.to], now) if p.to in answers else p for p in one.parcels
    )
    return replace(one, parcels=parcels)


def _answered(parcel: Parcel, answer: Answer, told: str, now: datetime) -> Parcel:
    told = told[:_TOLD]
    if answer is Answer.TAKEN:
        return replace(parcel, state=Delivery.DONE, next_at=None, told=told)
    if answer is Answer.NEVER:
        return replace(parcel, state=Delivery.REFUSED, next_at=None, told=told)
    if answer is Answer.UNCLEAR:
        return replace(parcel, state=Delivery.UNKNOWN, next_at=now + QUIET, told=told)
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(parcel.tries, 10))
    return replace(parcel, state=Delivery.NEW, next_at=now + pause, told=told)


def aged(one: Consignment, now: datetime) -> Consignment:
    """Return it after time has passed: what got no answer is unknown, what is too old given up."""
    return replace(one, parcels=tuple(_aged(p, one.begun_at, now) for p in one.parcels))


def _aged(parcel: Parcel, begun_at: datetime, now: datetime) -> Parcel:
    if parcel.over:
        return parcel
    if parcel.state is Delivery.SENDING:
        wait = parcel.next_at - now if parcel.next_at else timedelta(0)
        if timedelta(0) < wait <= QUIET:
            return parcel
        parcel = replace(parcel, state=Delivery.UNKNOWN, next_at=now, told="no answer was seen")
    if now - begun_at >= PATIENCE and parcel.tries >= FEWEST:
        return replace(parcel, state=Delivery.GIVEN_UP, next_at=None)
    return parcel


# -- as it is written down


def to_text(one: Consignment) -> str:
    """Return it as JSON; the letter only while somebody still waits for it."""
    letter = b"" if one.over else one.letter
    return json.dumps({
        "begun_at": one.begun_at.isoformat(), "epoch": one.epoch,
        "letter": base64.b64encode(letter).decode(),
        "parcels": [
            [p.to, p.state, p.tries, p.next_at.isoformat() if p.next_at else None, p.told]
            for p in one.parcels
        ],
    })  # fmt: skip


def from_text(text: str) -> Consignment | None:
    """Read what `to_text` wrote; None for anything else."""
    try:
        read = json.loads(text)
        return Consignment(
            begun_at=_aware(read["begun_at"]), epoch=int(read["epoch"]),
            letter=base64.b64decode(read["letter"]),
            parcels=tuple(
                Parcel(
                    to=str(to), state=Delivery(state), tries=int(tries), told=str(told),
                    next_at=_aware(next_at) if next_at else None,
                )
                for to, state, tries, next_at, told in read["parcels"]
            ),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
        return None


def _aware(text: str) -> datetime:
    """Read a time; one without a zone was not written by us."""
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError(f"{text} names no zone")
    return read
