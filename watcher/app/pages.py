"""The three pages of `web`, fed from the two status files."""

import asyncio
from collections.abc import Callable

from watcher import web
from watcher.app.settings import Prepared
from watcher.app.sockets import Sockets
from watcher.app.status import read_worker
from watcher.metrics import CONTENT_TYPE, Page, Seen
from watcher.model.status import ReceiverStatus
from watcher.ports import Clock

LATE = 5.0
"""Seconds that the loop may be late, 99 times of 100, before something is wrong with us."""


async def open_web(
    prepared: Prepared, sockets: Sockets, status: Callable[[], ReceiverStatus], clock: Clock
) -> asyncio.Server | None:
    """Serve health and metrics; None when the settings say that nobody asks."""
    settings = prepared.settings.web
    if settings is None:
        return None

    def look() -> Seen:
        worker = read_worker(prepared.state_dir)
        return Seen(now=clock.now(), receiver=status(), worker=worker)

    def ready() -> web.Answer:
        seen = look()
        return web.report(web.readiness(seen.receiver, seen.worker, seen.now))

    page = Page(look)
    pages = {
        "/healthz": lambda: web.report((web.Check("loop", _late(status().loop_lag_p99)),)),
        "/readyz": ready,
        "/metrics": lambda: web.Answer(200, CONTENT_TYPE, page.render()),
    }
    sock = sockets.stream("web", settings.address, settings.port, settings.socket or "web")
    return await web.serve(pages, sock)


def _late(seconds: float) -> str:
    return f"is late by {seconds:.1f} s" if seconds > LATE else ""
