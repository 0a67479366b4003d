"""Logs never block, never lie about what was lost, and give nothing hostile or secret away."""

import json
import logging
import os
import socket
import threading
import time

import pytest

from watcher.app.knowledge import load_catalogue
from watcher.app.logs import (
    LONGEST,
    PER_SECOND,
    QUEUED,
    TAG,
    begin_logging,
    end_logging,
    log_drops,
    sd_notify,
)
from watcher.inputs.secret import Secret

logger = logging.getLogger("watcher.tests")


@pytest.fixture
def restored():
    """Leave logging as it was."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    end_logging()
    logging.captureWarnings(capture=False)
    root.handlers[:] = before
    root.setLevel(level)


@pytest.fixture
def written(restored):  # noqa: ARG001 -- it is there for its end
    """Return a function that logs in a format and returns the lines that were written."""

    def lines(call, format_="json", level="debug"):
        reader, writer = os.pipe()
        found = []
        drain = threading.Thread(target=lambda: found.append(_drained(reader)))
        drain.start()
        begin_logging(level, format_, writer)
        call()
        end_logging()
        os.close(writer)
        drain.join()
        return found[0].decode().splitlines()

    return lines


def _drained(reader):
    with os.fdopen(reader, "rb") as stream:
        return stream.read()


def test_a_line_is_one_json_object_with_its_extras(written):
    (line,) = written(lambda: logger.warning("input %s is late", "udp", extra={"action": "late"}))
    told = json.loads(line)

    assert (told["log"], told["event"], told["level"]) == (TAG, "input udp is late", "warning")
    assert (told["action"], told["logger"]) == ("late", "watcher.tests")
    assert told["timestamp"].endswith("Z")


@pytest.mark.parametrize("format_", ["json", "console", "journald"])
def test_text_of_a_sender_stays_on_its_line(written, format_):
    hostile = 'x\r\n<0>forged: line\x1b[2J\u202e\u2028"}'

    assert len(written(lambda: logger.info("peer %s", hostile), format_)) == 1


@pytest.mark.parametrize("format_", ["json", "console", "journald"])
def test_no_control_character_reaches_a_terminal(written, format_, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    (line,) = written(lambda: logger.info("\x1b[2J\x07\x9b", extra={"peer": "\x1b]0;x"}), format_)

    assert line.isprintable()


@pytest.mark.parametrize("format_", ["json", "console", "journald"])
def test_a_log_that_comes_back_as_syslog_holds_no_mark(written, format_):
    marks = load_catalogue().alarms.marks
    text = " ".join(mark.decode() for mark in marks)
    (line,) = written(lambda: logger.info("odd: %s", text, extra={"raw": text}), format_)

    assert [mark for mark in marks if mark in line.encode()] == []


@pytest.mark.parametrize("format_", ["json", "console", "journald"])
def test_a_secret_is_masked_whatever_way_it_is_logged(written, format_):
    def leak():
        extra = {"password": "canary-1", "smtp_token": "canary-2", "key": Secret("canary-3")}
        logger.info("login with %s", Secret("canary-4"), extra=extra)

    assert "canary" not in "".join(written(leak, format_))


def test_an_exception_is_told_without_raw_bytes_of_a_sender(written):
    def fail():
        try:
            int("bad \x1b[2J\nbytes")
        except ValueError:
            logger.exception("it failed")

    (line,) = written(fail)

    assert "ValueError: invalid literal for int() with base 10: 'bad " in line
    assert "Traceback" in json.loads(line)["exception"]


def test_journald_gets_the_level_in_front(written):
    (line,) = written(lambda: logger.error("the disk is full"), "journald")

    assert line.startswith(f"<3>{TAG}: the disk is full")


def test_what_is_below_the_level_is_not_written(written):
    def both():
        logger.info("unwanted")
        logger.warning("wanted")

    assert len(written(both, level="warning")) == 1


def test_a_long_line_is_cut(written):
    (line,) = written(lambda: logger.info("x" * 100_000))

    assert len(line) <= LONGEST


def _read_until(reader, last):
    """Read all that waits: else it would be written later, into the pipe of another test."""
    data = b""
    while last not in data:
        data = data[-len(last) :] + os.read(reader, 1 << 16)


@pytest.mark.usefixtures("restored")
def test_a_blocked_reader_blocks_nobody_and_is_counted():
    reader, writer = os.pipe()
    begin_logging("debug", "json", writer)
    began = time.monotonic()
    for _ in range(QUEUED + 2000):
        logger.error("nobody reads this %s", "x" * 500)
    took, dropped = time.monotonic() - began, log_drops()
    _read_until(reader, b"were dropped")
    end_logging()
    os.close(writer)
    os.close(reader)

    assert dropped > 0
    assert took < 30


@pytest.mark.usefixtures("restored")
def test_a_closed_reader_stops_nobody():
    reader, writer = os.pipe()
    os.close(reader)
    begin_logging("debug", "json", writer)
    logger.error("nobody is there")
    deadline = time.monotonic() + 30
    while not log_drops() and time.monotonic() < deadline:
        time.sleep(0.01)

    assert log_drops() >= 1
    end_logging()
    os.close(writer)


def test_a_flood_is_thinned_but_errors_pass(written):
    def flood():
        for _ in range(PER_SECOND * 4):
            logger.info("noise")
        logger.error("the one that counts")

    lines = written(flood)

    assert len(lines) <= 3 * PER_SECOND + 2
    assert any("the one that counts" in line for line in lines)


def test_a_loss_is_told_in_the_log_itself(written):
    lines = written(lambda: [logger.info("noise") for _ in range(PER_SECOND * 4)])

    assert any("log records were dropped" in line for line in lines)


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    """Listen as systemd does; return the socket."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(address)
        listening.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        yield listening


def test_systemd_is_told(systemd):
    assert sd_notify("READY=1")
    assert systemd.recv(100) == b"READY=1"


def test_a_reload_says_since_when(systemd):
    sd_notify("RELOADING=1")

    assert systemd.recv(100).startswith(b"RELOADING=1\nMONOTONIC_USEC=")


@pytest.mark.usefixtures("systemd")
def test_a_systemd_that_does_not_read_is_not_waited_for():
    told = [sd_notify("WATCHDOG=1") for _ in range(5000)]

    assert not all(told)


def test_without_systemd_nobody_is_told(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)

    assert not sd_notify("READY=1")
