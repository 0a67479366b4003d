"""Keeps one worker running beside the receiver: starts it, restarts it, ends it when it hangs.

The worker reads its standard input until the end: when the receiver is gone, however it went, the
worker knows.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorOptions:
    """Times in seconds."""

    look: float = 0.2
    hang: float = 60.0
    """Without a sign of life for so long the worker is killed."""
    shortest_pause: float = 0.2
    longest_pause: float = 15.0
    stop: float = 10.0
    """How long the worker may take in what is left when all of it ends."""


class Supervisor:
    """Runs a command as a child of the event loop."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str],
        silent_for: Callable[[], float], options: SupervisorOptions | None = None,
    ) -> None:  # fmt: skip
        """Take `silent_for`: seconds since the worker last gave a sign of life."""
        self._command = command
        self._environment = environment
        self._silent_for = silent_for
        self._options = options or SupervisorOptions()
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._replaced: asyncio.subprocess.Process | None = None
        """Whom we told to end: however it does, that is no fault of its own."""
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """Return the worker's process number while it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    def start(self) -> None:
        """Begin to keep a worker running."""
        self._task = asyncio.get_running_loop().create_task(self._keep())

    async def replace(self) -> None:
        """Let the worker finish its batch and start a new one, with settings read anew."""
        if self._process is not None and self._process.returncode is None:
            self._replaced = self._process
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)

    async def stop(self) -> int | None:
        """Let the worker take in what is left and end; return its status, None: it was killed."""
        self._stopping = True
        process = self._process
        if process is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            status = await asyncio.wait_for(process.wait(), self._options.stop)
        except TimeoutError:
            logger.error("the worker did not end in time; killed")  # noqa: TRY400 -- no traceback
            process.kill()
            await process.wait()
            status = None
        if self._task is not None:
            self._task.cancel()
        return status

    async def _keep(self) -> None:
        pause = self._options.shortest_pause
        while not self._stopping:
            started = asyncio.get_running_loop().time()
            self._process = await asyncio.create_subprocess_exec(
                *self._command, env=dict(self._environment), stdin=asyncio.subprocess.PIPE
            )
            await self._watch(self._process, started)
            if self._stopping:
                return
            if self._process is self._replaced:
                continue
            lasted = asyncio.get_running_loop().time() - started
            calm = lasted > self._options.longest_pause
            pause = self._options.shortest_pause if calm else min(
                2 * pause, self._options.longest_pause
            )  # fmt: skip
            # Whatever its status: one that nobody told to end may end at once again.
            self.restarts += 1
            logger.warning("the worker ended (%s); again in %.1f s",
                           self._process.returncode, pause)  # fmt: skip
            await asyncio.sleep(pause)

    async def _watch(self, process: asyncio.subprocess.Process, started: float) -> None:
        """Return when the process has ended; end it when it hangs."""
        while process.returncode is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(process.wait()), self._options.look)
            alive_for = asyncio.get_running_loop().time() - started
            if (
                process.returncode is None and not self._stopping
                and min(self._silent_for(), alive_for) > self._options.hang
            ):  # fmt: skip
                logger.error("the worker hangs; killed")
                process.kill()
