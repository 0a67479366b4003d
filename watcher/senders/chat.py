"""Hands a message to a chat through Apprise, which is an extra, `notify`."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from watcher.errors import InputError, extra
from watcher.model.digest import Answer

LARGEST = 4_000
"""Characters; most chats refuse longer messages."""


def apprise() -> Any:  # noqa: ANN401 -- the library has no types
    """Return the library, or say how to get it; only who chats pays for its import."""
    try:
        return import_module("apprise")
    except ImportError as error:
        raise InputError(
            "notifications to a chat need Apprise", expected=extra("notify")
        ) from error


def tell(
    url: str, subject: str, text: str, library: Callable[[], Any] = apprise
) -> tuple[Answer, str]:
    """Send one message; Apprise says no more than whether it went.

    `url` holds a token and stands in no answer.
    """
    service = library().Apprise()
    if not service.add(url):
        return Answer.NEVER, "Apprise does not know such an address"
    try:
        taken = service.notify(title=subject, body=text[:LARGEST], body_format="text")
    except Exception as error:  # noqa: BLE001 -- dozens of plug-ins, each with errors of its own
        return Answer.UNCLEAR, type(error).__name__
    return (Answer.TAKEN, "taken") if taken else (Answer.LATER, "Apprise could not deliver it")
