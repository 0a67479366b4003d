"""The documents of a draft as systems get them: those of each version under names of their own."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import PurePosixPath

from watcher import crash
from watcher.errors import NotLoggedIn, Refused, TryLater, Unclear
from watcher.model.ticket import DIGITS, Attachment, Draft
from watcher.senders.answers import Answer


@dataclass(frozen=True, slots=True)
class Missing:
    """Documents that are not in a ticket, each with why."""

    refused: Sequence[str] = ()
    waiting: Sequence[str] = ()
    """They may come at another try."""

    def shown(self, draft: Draft) -> Draft:
        """Return a draft to write; its mark lacks digits, so that it is written once more."""
        return replace(draft, material="") if self.waiting else draft

    def settled(self) -> Sequence[str]:
        """Return what was refused; Unclear when something else is to come yet."""
        if self.waiting:
            text = f"the ticket is there, not all of its documents: {self.waiting[0]}"
            raise Unclear(text, left_out=(*self.refused, *self.waiting))
        return self.refused


def versioned(draft: Draft) -> Sequence[Attachment]:
    """Return the documents under the names of their version, such as plan-v3-0fa2c1.html.

    The digits tell them from those of a version that a restored backup does not know of.
    """
    word = "-".join(filter(None, (f"v{draft.version}", draft.material[:DIGITS])))
    return [replace(one, name=_named(one.name, word)) for one in draft.attachments]


def _named(name: str, word: str) -> str:
    path = PurePosixPath(re.sub(r"[^A-Za-z0-9._-]", "_", name))
    return f"{path.stem[:80]}-{word}{path.suffix[:10]}"


def attach(
    draft: Draft, attached: Callable[[], Collection[str]], upload: Callable[[Attachment], None]
) -> Missing:
    """Attach what is not there yet, return what could not be.

    TryLater while the system is busy, NotLoggedIn until somebody mends that. A ticket stands
    without its documents, so it is written, and what is missing is told.
    """
    refused: list[str] = []
    waiting: list[str] = []
    known: Collection[str] | None = None
    for one, document in zip(draft.attachments, versioned(draft), strict=True):
        try:
            known = attached() if known is None else known
            if document.name not in known:
                crash.point("documents-attaching")
                upload(document)
        except NotLoggedIn:
            raise
        except Refused as error:
            refused.append(f"{one.name}: {error}")
        except Unclear as error:
            waiting.append(f"{one.name}: {error}")
    return Missing(tuple(refused), tuple(waiting))


def attach_new(
    draft: Draft, attached: Callable[[], Collection[str]], upload: Callable[[Attachment], None]
) -> Sequence[str]:
    """Attach to a ticket that was made just now; return what was refused, Unclear if more misses.

    It is there, which no error may deny.
    """
    try:
        return attach(draft, attached, upload).settled()
    except (TryLater, NotLoggedIn) as error:
        raise Unclear(f"the ticket is there, not all of its documents: {error}") from error


def fitting(
    documents: Sequence[Attachment], send: Callable[[Sequence[Attachment], Collection[int]], Answer]
) -> tuple[Answer, Sequence[str]]:
    """Send a call that holds all documents; leave the largest out while it is too large.

    Returns the answer and what was left out. `send` gets the documents and the statuses to accept.
    """
    kept, left_out = list(documents), list[str]()
    while True:
        answer = send(kept, {HTTPStatus.REQUEST_ENTITY_TOO_LARGE} if kept else ())
        if answer.status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return answer, tuple(left_out)
        left_out.append(shed(kept))


def shed(documents: list[Attachment]) -> str:
    """Take the largest document out, and tell it."""
    largest = max(documents, key=lambda one: len(one.data))
    documents.remove(largest)
    return f"{largest.name}: too large for one call ({len(largest.data)} bytes)"
