"""A sign of life to somebody outside, who rings when it stays away."""

import logging
import threading
import urllib.request
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from watcher.inputs.secret import Secret

logger = logging.getLogger(__name__)

TIMEOUT = 10.0
"""Seconds for the other side to answer."""


@dataclass(slots=True)
class Heartbeat:
    """Asks a page or touches a file, as long as nothing is wrong."""

    every: timedelta
    url: Secret | None = None
    file: Path | None = None
    _last: datetime | None = None
    _silent: str = ""

    def look(self, now: datetime, trouble: str) -> None:
        """Give a sign when one is due and there is no trouble."""
        if self.url is None and self.file is None:
            return
        if self._last is not None and timedelta(0) <= now - self._last < self.every:
            return
        self._last = now
        if trouble:
            if trouble != self._silent:
                logger.error("no heartbeat: %s", trouble, extra={"action": "heartbeat_held"})
            self._silent = trouble
            return
        self._silent = ""
        if self.file is not None:
            self._touch(self.file)
        if self.url is not None:
            # The other side may be slow; the worker does not wait for it.
            threading.Thread(target=_ask, args=(self.url,), daemon=True).start()

    def _touch(self, file: Path) -> None:
        try:
            file.touch()
        except OSError as error:
            logger.warning("heartbeat file: %s", error.strerror)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Follow nobody: the address of the settings is meant, and no other."""


def _ask(url: Secret) -> None:
    # No proxy from the environment, no redirect; the answer is not read.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
    try:
        with opener.open(url.reveal(), timeout=TIMEOUT):
            pass
    except (OSError, ValueError) as error:
        # The address may hold a token: it stands in no log.
        logger.warning("heartbeat not delivered: %s", type(error).__name__)
