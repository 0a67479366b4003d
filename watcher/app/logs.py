"""Logs: every room logs by the standard library; here it becomes lines on standard error.

JSON, one object per line; for people on a terminal; or for journald with its level in front. A
line never waits for whoever reads it: when nobody does, records are dropped and counted. Text of
senders is shown with escapes, marks of our own alarms are broken, secrets are masked.
"""

import atexit
import logging
import os
import queue
import re
import socket
import time
from contextlib import suppress
from threading import Thread
from typing import Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from watcher.errors import one_line

TAG: Final = "watcher-log"
"""Stands in every line, so that a log which comes back as syslog is known as ours."""
QUEUED = 2000
"""Records that wait to be written; what comes then is dropped."""
LONGEST = 8 << 10
"""Characters of one line."""
PER_SECOND = 500
"""Records a second below ERROR; a flood of bad input must not become a flood of logs."""
_SECRET = re.compile(r"passw|secret|token|credential|authorization|private", re.IGNORECASE)
_MARK = re.compile(r"(?<=UC|CM)_", re.IGNORECASE)
_JOURNALD = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2, "exception": 3}
_QUIET = ("apscheduler", "alembic", "mail", "asyncio")
"""Libraries of which only warnings count."""
_handlers: list["Lines"] = []


def begin_logging(level: str = "info", format_: str = "auto", descriptor: int = 2) -> None:
    """Send all logs to a descriptor from now on; `format_`: auto, json, console, journald."""
    end_logging()
    handler = Lines(descriptor)
    handler.setFormatter(_formatter(_chosen(format_, descriptor)))
    _handlers.append(handler)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    atexit.register(end_logging)


def end_logging() -> None:
    """Write what waits, but not for longer than a second."""
    for handler in _handlers:
        logging.getLogger().removeHandler(handler)
        handler.close()
    _handlers.clear()


def log_drops() -> int:
    """Return how many records were dropped because nobody took them, or too many came."""
    return sum(handler.drops for handler in _handlers)


def sd_notify(state: str) -> bool:
    """Tell systemd, if it asked to be told; never wait for it."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if state == "RELOADING=1":
        state += f"\nMONOTONIC_USEC={time.monotonic_ns() // 1000}"
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        if address:
            return bool(notify.sendto(state.encode(), socket.MSG_DONTWAIT, _abstract(address)))
    return False


def _abstract(address: str) -> str:
    return "\0" + address[1:] if address.startswith("@") else address


class Lines(logging.Handler):
    """Hands lines to a thread that writes them; the caller never waits."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.drops = 0
        self._told = 0
        self._second = 0
        self._in_second = 0
        self._descriptor = descriptor
        self._waiting: queue.Queue[bytes | None] = queue.Queue(QUEUED)
        self._writer = Thread(target=self._write_all, name="log", daemon=True)
        self._writer.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a record, or count it as dropped."""
        if self._is_flood(record):
            self.drops += 1
            return
        try:
            text = self.format(record)
            self._waiting.put_nowait(text[:LONGEST].encode("utf-8", "backslashreplace") + b"\n")
        except queue.Full:
            self.drops += 1
        except Exception:  # noqa: BLE001 -- a record that cannot be written must not stop anything
            self.drops += 1

    def close(self) -> None:
        """Write what waits, but not for longer than a second."""
        with suppress(queue.Full):
            self._waiting.put_nowait(None)
            self._writer.join(1.0)
        super().close()

    def _is_flood(self, record: logging.LogRecord) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._in_second = second, 0
        self._in_second += 1
        return self._in_second > PER_SECOND and record.levelno < logging.ERROR

    def _write_all(self) -> None:
        while (line := self._waiting.get()) is not None:
            self._write(line)
            if self._waiting.empty():
                self._tell_drops()
        self._tell_drops()

    def _tell_drops(self) -> None:
        missing, self._told = self.drops - self._told, self.drops
        if missing:
            event = f"{missing} log records were dropped"
            self._write(f'{{"log": "{TAG}", "level": "warning", "event": "{event}"}}\n'.encode())

    def _write(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:
            self.drops += 1


def _chosen(format_: str, descriptor: int) -> str:
    if format_ != "auto":
        return format_
    if os.isatty(descriptor):
        return "console"
    return "journald" if "JOURNAL_STREAM" in os.environ else "json"


def _formatter(format_: str) -> logging.Formatter:
    before: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _clean,
    ]
    last = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[last, *_renderer(format_)],
    )


def _renderer(format_: str) -> list[Processor]:
    if format_ == "console":
        colours = "NO_COLOR" not in os.environ
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain)]
    if format_ == "journald":
        return [_journald]
    return [_tagged, structlog.processors.JSONRenderer()]


def _tagged(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {"log": TAG, **event}


def _journald(_: WrappedLogger, __: str, event: EventDict) -> str:
    level, told = event.pop("level", "info"), event.pop("event", "")
    event.pop("timestamp", None)  # journald has its own
    rest = "".join(f" {key}={_quoted(value)}" for key, value in event.items())
    return f"<{_JOURNALD.get(level, 6)}>{TAG}: {told}{rest}"


def _quoted(value: object) -> str:
    text = str(value).replace("\n", " | ")
    return f'"{text}"' if " " in text else text


def _clean(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Return the event with secrets masked and every text on one line."""
    return {key: _shown(key, value) for key, value in event.items()}


def _shown(key: str, value: object) -> object:
    if key.startswith("_") or value is None or isinstance(value, bool | int | float):
        return value
    if _SECRET.search(key):
        return "***"
    text = str(value)
    if key == "exception":
        return "\n".join(_safe(line) for line in text.split("\n"))
    return _safe(text)


def _safe(text: str) -> str:
    return _MARK.sub(r"\\x5f", one_line(text))
