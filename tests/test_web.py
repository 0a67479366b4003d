"""The three pages, asked over real sockets, also by clients that behave badly."""

import asyncio
import contextlib
import http.client
import json
import socket
import time
from datetime import UTC, datetime, timedelta

import pytest

from watcher.model.message import Way
from watcher.model.status import InputStatus, ReceiverStatus, WorkerStatus
from watcher.web import Answer, Check, WebLimits, readiness, report, serve

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WHEN = {"written_at": NOW, "started_at": NOW, "pid": 7, "version": "0"}
UDP = InputStatus(name="udp", way=Way.UDP, where="127.0.0.1:5514", open=True)


def broken():
    raise RuntimeError("secret text")


PAGES = {
    "/healthz": lambda: report([Check("loop")]),
    "/readyz": lambda: report([Check("loop"), Check("journal", "is full")]),
    "/metrics": lambda: Answer(200, "text/plain", b"watcher_up 1\n" * 50_000),
    "/broken": broken,
}


@contextlib.asynccontextmanager
async def serving(**limits):
    """Serve on a port of the kernel's choice; yield the port."""
    bound = socket.create_server(("127.0.0.1", 0))
    async with await serve(PAGES, bound, WebLimits(**limits)):
        yield bound.getsockname()[1]


async def ask(port, data, *, seconds=20):
    """Send bytes and return everything that comes back until the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        async with asyncio.timeout(seconds):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def get(path, method="GET"):
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def status(answer):
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (get("/healthz"), 200),
        (get("/healthz?verbose=1"), 200),
        (get("/readyz"), 503),
        (get("/metrics"), 200),
        (get("/"), 404),
        (get("/../etc/passwd"), 404),
        (get("/healthz", "POST"), 405),
        (get("/healthz", "DELETE"), 405),
        (get("/broken"), 500),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 20_000, 431),
    ],
)
async def test_a_request_gets_its_status(request_, expected):
    async with serving() as port:
        answer = await ask(port, request_)

    assert status(answer) == expected


async def test_an_unready_half_is_named_in_the_body():
    async with serving() as port:
        answer = await ask(port, get("/readyz"))
    told = json.loads(answer.partition(b"\r\n\r\n")[2])

    assert told == {"ok": False, "checks": {"loop": "ok", "journal": "is full"}}


async def test_a_big_page_arrives_whole():
    async with serving() as port:
        answer = await ask(port, get("/metrics"))

    assert answer.partition(b"\r\n\r\n")[2] == b"watcher_up 1\n" * 50_000


async def test_a_head_request_gets_the_length_and_no_body():
    async with serving() as port:
        answer = await ask(port, get("/metrics", "HEAD"))
    head, _, body = answer.partition(b"\r\n\r\n")

    assert b"content-length: 650000" in head.lower()
    assert body == b""


async def test_the_words_of_an_error_stay_inside(caplog):
    async with serving() as port:
        answer = await ask(port, get("/broken"))

    assert b"secret" not in answer
    assert "the page /broken could not be made" in caplog.text


@pytest.mark.parametrize(
    "header", [b"nosniff", b"default-src 'none'", b"no-store", b"connection: close"]
)
async def test_answers_carry_headers_that_bind_browsers(header):
    async with serving() as port:
        answer = await ask(port, get("/healthz"))

    assert header.lower() in answer.lower()


async def test_a_library_client_understands_us():
    def fetch(port):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            client.request("GET", "/healthz")
            return client.getresponse().read()
        finally:
            client.close()

    async with serving() as port:
        body = await asyncio.to_thread(fetch, port)

    assert json.loads(body)["ok"] is True


async def test_two_requests_on_one_connection_get_one_answer():
    async with serving() as port:
        answer = await ask(port, get("/healthz") * 2)

    assert answer.count(b"HTTP/1.1") == 1


async def test_a_slow_request_is_cut_off_at_its_deadline():
    async with serving(seconds=0.2) as port:
        started = time.monotonic()
        answer = await ask(port, b"GET /healthz HT")

        assert answer == b""
        assert time.monotonic() - started >= 0.2


async def test_a_client_that_never_reads_is_cut_off():
    async with serving(seconds=0.3) as port:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(get("/metrics"))
            await asyncio.sleep(0.6)
            answer = await ask(port, get("/healthz"))

    assert status(answer) == 200


async def test_slow_ones_cannot_shut_an_honest_one_out():
    async with serving(connections=16) as port:
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(200)]
        for _, writer in slow:
            writer.write(b"GET /")
        answer = await ask(port, get("/healthz"))
        for _, writer in slow:
            writer.close()

    assert status(answer) == 200


async def test_an_address_and_a_port_will_do():
    async with await serve(PAGES, ("127.0.0.1", 0)) as server:
        answer = await ask(server.sockets[0].getsockname()[1], get("/healthz"))

    assert status(answer) == 200


def problems(receiver=None, worker=None, now=NOW):
    return {
        check.name: check.problem for check in readiness(receiver, worker, now) if check.problem
    }


def test_all_is_well_when_both_halves_say_so():
    receiver = ReceiverStatus(**WHEN, inputs=(UDP,))

    assert problems(receiver, WorkerStatus(**WHEN)) == {}


def test_nothing_known_is_not_ready():
    assert set(problems()) == {"receiver", "worker", "database"}


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"inputs": ()}, "inputs"),
        ({"inputs": (UDP,), "journal_problem": "is full"}, "journal"),
        (
            {"inputs": (InputStatus(name="tls", way=Way.TLS, where="-", open=False),)},
            "input tls",
        ),
    ],
)
def test_a_receiver_that_cannot_take_messages_is_not_ready(values, name):
    assert set(problems(ReceiverStatus(**WHEN, **values), WorkerStatus(**WHEN))) == {name}


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"database_problem": "does not answer"}, "database"),
        ({"self_test_problem": "the alarm did not come out"}, "self-test"),
    ],
)
def test_a_worker_that_cannot_work_is_not_ready(values, name):
    receiver = ReceiverStatus(**WHEN, inputs=(UDP,))

    assert set(problems(receiver, WorkerStatus(**(WHEN | values)))) == {name}


def test_a_worker_that_stopped_writing_is_not_ready():
    receiver = ReceiverStatus(**WHEN, inputs=(UDP,))
    later = NOW + timedelta(seconds=20)

    assert problems(receiver, WorkerStatus(**WHEN), later) == {
        "worker": "wrote its status 20 s ago"
    }
