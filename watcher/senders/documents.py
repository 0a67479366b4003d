"""The documents of a draft as systems get them: those of each version under names of their own."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from watcher.errors import Refused, TryLater, Unclear
from watcher.model.ticket import Attachment, Draft


def versioned(draft: Draft) -> Sequence[Attachment]:
    """Return the documents under the names of their version, such as plan-v3.html."""
    return [replace(one, name=_named(one.name, draft.version)) for one in draft.attachments]


def _named(name: str, version: int) -> str:
    path = PurePosixPath(re.sub(r"[^A-Za-z0-9._-]", "_", name))
    return f"{path.stem[:80]}-v{version}{path.suffix[:10]}"


def attach(
    draft: Draft, attached: Callable[[], Collection[str]], upload: Callable[[Attachment], None]
) -> Sequence[str]:
    """Attach what is not there yet, return what could not be; no error leaves this.

    The ticket stands without its documents, so it is made, and what is missing is told.
    """
    missing = []
    known: Collection[str] | None = None
    for one, document in zip(draft.attachments, versioned(draft), strict=True):
        try:
            known = attached() if known is None else known
            if document.name not in known:
                upload(document)
        except (TryLater, Unclear, Refused) as error:
            missing.append(f"{one.name}: {error}")
    return tuple(missing)
