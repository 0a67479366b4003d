"""The bounded client against servers on real sockets that do what no library would."""

import re
import socket
import threading
import time
from contextlib import contextmanager, suppress

import httpx2
import pytest
from authority import Authority

from watcher.errors import InputError, Refused, TryLater, Unclear
from watcher.senders.answers import parsed
from watcher.senders.http import Http, HttpOptions, Request, is_loopback, path_of

READ = Request(method="GET", path="x")
CREATE = Request(method="POST", path="x", changes=True, body={"a": 1})
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def is_whole(heard):
    """Tell whether a request is there with its body; closing on unread bytes resets."""
    head, end, body = heard.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


def serve(work, context=None):
    """Yield the port of a server that reads one request of each connection, then does `work`."""

    def handle(connection):
        with suppress(OSError), connection:
            connection.settimeout(10)
            if context:
                connection = context.wrap_socket(connection, server_side=True)
            heard = b""
            while not is_whole(heard):
                if not (some := connection.recv(65536)):
                    return
                heard += some
            work(connection)
            connection.close()

    def accept():
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=handle, args=(connection,), daemon=True).start()

    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, daemon=True).start()
    return listener


@contextmanager
def client(work, **options):
    listener = serve(work)
    port = listener.getsockname()[1]
    http = Http(HttpOptions(url=f"http://127.0.0.1:{port}", **options))
    try:
        yield http
    finally:
        http.close()
        listener.close()


def said(*parts, pause=0.0):
    """Return work that says some bytes."""

    def work(connection):
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)

    return work


def drip(head):
    """Return work that says a head, then a byte now and then, for ever."""

    def work(connection):
        connection.sendall(head)
        with suppress(OSError):
            for _ in range(400):
                connection.sendall(b" ")
                time.sleep(0.05)

    return work


def ends(http, request):
    try:
        return http.send(request)
    except (TryLater, Unclear, Refused) as error:
        return type(error)


def test_a_sound_answer_is_read():
    with client(said(JSON + b'Content-Length: 8\r\n\r\n{"a": 1}')) as http:
        assert http.send(CREATE).value == {"a": 1}


@pytest.mark.parametrize(
    "head", [JSON + b"Content-Length: 400\r\n\r\n", JSON, b""], ids=["body", "headers", "status"]
)
def test_a_slow_drip_ends_at_the_deadline(head):
    with client(drip(head), whole=0.6, read=5.0) as http:
        begun = time.monotonic()
        how = ends(http, CREATE)
        took = time.monotonic() - begun

    assert how is Unclear
    assert took < 4


@pytest.mark.parametrize(
    ("name", "work"),
    [
        ("closed at once", said()),
        ("closed in the head", said(b"HTTP/1.1 200 OK\r\nContent-")),
        ("closed in the body", said(JSON + b"Content-Length: 100\r\n\r\n{")),
        ("no HTTP", said(b"220 mail.example.net ESMTP\r\n")),
        ("two lengths", said(JSON + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}")),
        ("endless head", said(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000)),
        ("long body", said(JSON + b"\r\n" + b" " * (2 << 20))),
        ("redirect", said(b"HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n")),
        ("html", said(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>")),
        ("silence", said(b"", pause=1.5)),
    ],
)
def test_what_is_no_answer_is_unclear_after_a_create_and_later_after_a_search(name, work):
    with client(work, read=0.5) as http:
        hows = ends(http, CREATE), ends(http, READ)

    assert (name, *hows) == (name, Unclear, TryLater)


def test_a_port_where_nobody_listens_has_done_nothing():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        http = Http(HttpOptions(url=f"http://127.0.0.1:{probe.getsockname()[1]}"))

        assert ends(http, CREATE) is TryLater


def test_cookies_are_not_carried_on():
    seen = []

    def work(connection):
        answer = JSON + b"Set-Cookie: session=theirs\r\nContent-Length: 2\r\n\r\n{}"
        connection.sendall(answer)

    with client(work) as http:
        http._client.event_hooks = {"request": [lambda one: seen.append(one.headers.get("cookie"))]}  # noqa: SLF001
        http.send(READ)
        http.send(READ)

    assert seen == [None, None]


# -- certificates


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@contextmanager
def tls(authority, name):
    listener = serve(said(JSON + b"Content-Length: 2\r\n\r\n{}"), authority.server(name))
    try:
        yield f"https://localhost:{listener.getsockname()[1]}"
    finally:
        listener.close()


def test_a_certificate_of_the_sites_own_authority_holds(authority):
    with tls(authority, "localhost") as url:
        http = Http(HttpOptions(url=url, ca_file=authority.path))

        assert http.send(CREATE).status == 200


@pytest.mark.parametrize(("name", "known"), [("other.example", True), ("localhost", False)])
def test_a_certificate_that_does_not_hold_gets_no_request(authority, name, known):
    with tls(authority, name) as url:
        http = Http(HttpOptions(url=url, ca_file=authority.path if known else None))

        with pytest.raises(TryLater, match="its certificate does not hold"):
            http.send(CREATE)


def test_a_deadline_also_ends_a_drip_under_tls(authority):
    listener = serve(drip(JSON), authority.server("localhost"))
    url = f"https://localhost:{listener.getsockname()[1]}"
    http = Http(HttpOptions(url=url, ca_file=authority.path, whole=0.8, read=5.0))
    begun = time.monotonic()

    assert ends(http, CREATE) is Unclear
    assert time.monotonic() - begun < 4
    listener.close()


def test_a_file_without_certificates_is_said():
    with pytest.raises(InputError, match="no certificates can be read"):
        Http(HttpOptions(url="https://example.net", ca_file=__file__))


# -- where it may speak to


@pytest.mark.parametrize(
    "url",
    [
        "http://jira.example.net", "ftp://jira.example.net", "https://", "jira.example.net",
        "https://u:p@jira.example.net", "https://jira.example.net/?x=1", "https://a:99999/",
        "https://jira.example.net/#x", "https://jira.example.net/\n", "http://127.0.0.1.evil.net",
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_is_an_input_error(url):
    with pytest.raises(InputError):
        Http(HttpOptions(url=url))


def test_what_is_spoken_to_is_shown_and_no_more():
    assert repr(Http(HttpOptions(url="https://jira.example.net/"))) == (
        "Http('https://jira.example.net')"
    )


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True),
     ("10.0.0.1", False), ("localhost.evil.net", False), ("127.0.0.1.evil.net", False)],
)  # fmt: skip
def test_what_is_loopback(host, expected):
    assert is_loopback(host) is expected


def test_the_environment_names_no_proxy(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    with client(said(JSON + b"Content-Length: 2\r\n\r\n{}")) as http:
        assert http.send(READ).status == 200


def test_a_proxy_of_the_settings_is_used():
    heard = []

    def proxy(connection):
        heard.append("asked")
        connection.sendall(JSON + b"Content-Length: 2\r\n\r\n{}")

    listener = serve(proxy)
    via = f"http://127.0.0.1:{listener.getsockname()[1]}"
    options = HttpOptions(url="http://localhost:9", proxy=via)

    assert Http(options).send(READ).status == 200
    assert heard == ["asked"]
    listener.close()


# -- links and JSON


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://jira.example.net/browse/UC-1", True),
        ("http://jira.example.net/browse/UC-1", False),
        ("https://jira.example.net:444/browse/UC-1", False),
        ("https://jira.example.net@evil.net/", False),
        ("https://x@jira.example.net/", False),
        ("https://evil.net/jira.example.net", False),
        ("javascript:alert(1)//jira.example.net", False),
        ("https://jira.example.net/\u202egpj", False),
        ("https://jira.example.net/a b", False),
        ("https://[broken", False),
        ("//jira.example.net/x", False),
    ],
)
def test_which_links_are_shown(url, shown):
    http = Http(HttpOptions(url="https://jira.example.net"), transport=httpx2.MockTransport(str))

    assert http.link(url) == (url if shown else "")


@pytest.mark.parametrize("data", [b'{"a":1,"a":2}', b"[NaN]", b"[" * 200_000, b"\xff", b"{", b""])
def test_json_is_read_strictly(data):
    with pytest.raises(ValueError, match=r".*"):
        parsed(data)


@pytest.mark.parametrize("part", ["../x", "a/b", "a?b", "a#b", "ü", "a b", "%2e"])
def test_a_part_of_a_path_stays_one(part):
    made = path_of("issue", part)

    assert made.startswith("issue/")
    assert not set(made.removeprefix("issue/")) & set("/?# ")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("0", 1.0), ("7", 7.0), ("999999", 3600.0), ("soon", None), ("-5", None), ("9" * 400, None),
     ("Sun, 01 Nov 2026 10:01:30 GMT", None), ("²", None)],
)  # fmt: skip
def test_a_rest_that_is_asked_for_has_bounds(header, seconds):
    answer = httpx2.Response(429, headers={"Retry-After": header.encode()})
    transport = httpx2.MockTransport(lambda _: answer)
    http = Http(HttpOptions(url="https://jira.example.net"), transport=transport)

    with pytest.raises(TryLater) as told:
        http.send(CREATE)
    assert told.value.seconds == seconds
