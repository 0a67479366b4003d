"""How the mails went that we send by ourselves: what the status shows of digests and notices."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from watcher.app.posting import CHAT
from watcher.digest.sending import Consignment, from_text
from watcher.model.digest import Delivery, Parcel
from watcher.model.status import LettersStatus
from watcher.ports import Work
from watcher.settings.digest import NoticeList
from watcher.settings.schema import Settings

DIGEST, NOTICE = "digest:", "notify:"
SHOWN = timedelta(days=7)
"""What was lost longer ago is no trouble of today's."""
CLAIMED = timedelta(minutes=2)
"""A claim of another process without a letter is taken over after so long."""
NAMED = 3
"""Recipients whose answer is told."""
_AWAITED = (Delivery.NEW, Delivery.SENDING, Delivery.UNKNOWN)
_LOST = (Delivery.REFUSED, Delivery.GIVEN_UP)


@dataclass(frozen=True, slots=True)
class Mailing:
    """A list of the settings that we write to: the job of its runs, its name and its people."""

    job: str
    name: str
    to: tuple[str, ...]


def mailings(settings: Settings) -> tuple[Mailing, ...]:
    """Return the lists of the settings in the order in which they are served: notices first."""
    told, weekly = settings.notifications.lists, settings.digest.lists
    return (
        *(Mailing(f"{NOTICE}{one.name}", one.name, people(one)) for one in told),
        *(Mailing(f"{DIGEST}{one.name}", one.name, one.to) for one in weekly),
    )


def people(one: NoticeList) -> tuple[str, ...]:
    """Return who is told: mail addresses, and chats by number, because an address is a secret."""
    return (*one.to, *(f"{CHAT}{n}" for n in range(len(one.chat))))


def letters(
    lists: Sequence[Mailing], work: Callable[[str], Sequence[Work]], now: datetime
) -> tuple[LettersStatus, ...]:
    """Return how each list's letters went; `work` returns the runs of a job, the newest first."""
    return tuple(_letters(one, work(one.job), now) for one in lists)


def _letters(one: Mailing, works: Sequence[Work], now: datetime) -> LettersStatus:
    recent = [(work, from_text(work.result)) for work in works if _is_recent(work, now)]
    found = [letter for _, letter in recent if letter is not None]
    parcels = [
        (parcel, letter.begun_at)
        for letter in found for parcel in letter.parcels if parcel.to in one.to
    ]  # fmt: skip
    waiting = [(parcel, at) for parcel, at in parcels if parcel.state in _AWAITED]
    lost = [parcel for parcel, _ in parcels if parcel.state in _LOST]
    return LettersStatus(
        kind="digest" if one.job.startswith(DIGEST) else "notice",
        list=one.name,
        newest=max((letter.begun_at for letter in found), default=None),
        delivered=len(parcels) - len(waiting) - len(lost),
        waiting=len(waiting),
        oldest=min((at for _, at in waiting), default=None),
        wait_told=_told(parcel for parcel, _ in waiting),
        lost=len(lost),
        lost_told=_told(lost),
        undrawn=sum(_is_undrawn(work, letter, now) for work, letter in recent),
    )


def _is_recent(work: Work, now: datetime) -> bool:
    return work.finished_at is None or now - work.finished_at < SHOWN


def _told(parcels: Iterable[Parcel]) -> str:
    """Return what was answered for some recipients, each once, with the newest answer."""
    answers: dict[str, str] = {}
    for parcel in parcels:
        answers.setdefault(parcel.to, parcel.told)
    told = [f"{to}: {answer}" if answer else to for to, answer in answers.items()]
    more = f"; and {len(told) - NAMED} more" if len(told) > NAMED else ""
    return "; ".join(told[:NAMED]) + more


def _is_undrawn(work: Work, found: Consignment | None, now: datetime) -> bool:
    return work.finished_at is None and found is None and now - work.at >= CLAIMED
