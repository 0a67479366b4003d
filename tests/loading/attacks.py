"""Clients that behave badly, on the loopback, bounded in number and time."""

import select
import socket
import ssl
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

Address = tuple[str, int]
HELD = 2000
"""Connections that are open at a time, at most."""
_SECONDS = 20


def source(number: int, first: int = 20) -> Address:
    """Return one of 250 x 250 loopback addresses to come from."""
    return (f"127.0.{first + number // 250 % 230}.{1 + number % 250}", 0)


def attempts(address: Address, number: int) -> int:
    """Open connections as fast as it goes, the oldest closed for the newest; return how many."""
    held: deque[socket.socket] = deque()
    made = 0
    for attempt in range(number):
        sock = socket.socket()
        sock.settimeout(0)
        sock.bind(source(attempt % 400))
        with suppress(BlockingIOError):
            sock.connect(address)
        held.append(sock)
        if len(held) >= HELD:
            made += _leave(held.popleft())
    while held:
        made += _leave(held.popleft())
    return made


def _leave(sock: socket.socket) -> bool:
    with sock:
        return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


@dataclass(slots=True)
class Slow:
    """Keeps a number of connections open, each sending one byte a second of `drip`.

    One that is closed is opened anew, so that the pressure stays. `begin` is sent at once.
    """

    address: Address
    number: int
    begin: bytes
    drip: bytes
    first: int = 60
    """Which loopback addresses it comes from; each holds ten."""
    closed: int = 0
    """Connections that the daemon closed, or never answered."""
    stopping: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; `stop` ends it."""
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """Close all connections."""
        self.stopping.set()
        if self.thread is not None:
            self.thread.join()

    def _run(self) -> None:
        held: dict[int, socket.socket] = {}
        for turn in count():
            for number in range(self.number):
                self._keep(held, number, turn)
            if self.stopping.wait(1.0):
                break
        for sock in held.values():
            sock.close()

    def _keep(self, held: dict[int, socket.socket], number: int, turn: int) -> None:
        try:
            if number not in held:
                held[number] = self._open(number)
            held[number].send(self.drip[turn % len(self.drip) :][:1])
            with suppress(BlockingIOError):
                if not held[number].recv(4096):
                    raise ConnectionResetError
        except OSError:
            self.closed += 1
            if number in held:
                held.pop(number).close()

    def _open(self, number: int) -> socket.socket:
        sock = socket.socket()
        try:
            sock.settimeout(1.0)
            sock.bind(source(number // 10, self.first))
            sock.connect(self.address)
            sock.sendall(self.begin)
            sock.settimeout(0)
        except OSError:
            sock.close()
            raise
        return sock


def slow_ones(addresses: dict[str, Address], number: int) -> list[Slow]:
    """Return slow clients for the inputs that there are."""
    begins = {
        "tcp": (b"<189>1: cm", b"x"),
        "tls": (b"\x16\x03\x01\x02\x00\x01", b"\x00"),
        "smtp": (
            b"EHLO x\r\nMAIL FROM:<a@example.test>\r\nRCPT TO:<watcher@localhost>\r\nDATA\r\n", b"x"
        ),
        "web": (b"GET /metrics HTTP/1.1\r\nX-Slow: ", b"x"),
    }  # fmt: skip
    return [
        Slow(address, number, *begins[name], first=60 + 10 * place)
        for place, (name, address) in enumerate(addresses.items())
        if name in begins
    ]


def idle_sessions(address: Address, number: int) -> list[ssl.SSLSocket]:
    """Return TLS sessions that are ready and say nothing; as many as we get."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    sessions = []
    for session in range(number):
        with suppress(OSError):
            sock = socket.create_connection(address, 5, source(session // 10, 110))
            sessions.append(context.wrap_socket(sock))
    return sessions


def _part(depth: int) -> bytes:
    border = b"b%d" % depth
    return b'Content-Type: multipart/mixed; boundary="' + border + b'"\r\n\r\n--' + border + b"\r\n"


HEAD = b"From: a@example.test\r\nSubject: UC_CERT\r\n"
BOMBS: tuple[bytes, ...] = (
    b"x" * (8 << 20),  # a line without end
    HEAD + b"X: " + b"(" * (300 << 10) + b"\r\n\r\nx",
    HEAD + b"".join(b"X-%d: y\r\n" % n for n in range(20_000)) + b"\r\nx",
    HEAD + b"".join(_part(depth) for depth in range(4000)),
    HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 8000,
    HEAD + _part(0) + b"--b0\r\n\r\n%UC_CERT-\r\n" * 15_000,
    HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"JVVDX0NFUlQt\r\n" * 18_000,
    HEAD + b"Content-Type: text/html\r\n\r\n" + b"<div %UC_CERT->" * 16_000,
    HEAD + b"Content-Type: text/plain; " + b"a=b; " * 12_000 + b"\r\n\r\n%UC_CERT-",
    HEAD + b"\r\n" + (b"MatchedEvent : %UC_CERT-0-CertExpired: %[Message=" + b"[" * 900) * 250,
)


def bombs(address: Address, number: int) -> int:
    """Send mails that are meant to hurt, ten at a time; return how many got a last reply."""
    with ThreadPoolExecutor(10) as pool:
        return sum(pool.map(lambda n: _bomb(address, n, BOMBS[n % len(BOMBS)]), range(number)))


def _bomb(address: Address, number: int, body: bytes) -> bool:
    begin = b"EHLO x\r\nMAIL FROM:<a@example.test>\r\nRCPT TO:<watcher@localhost>\r\nDATA\r\n"
    try:
        with socket.create_connection(address, _SECONDS, source(number, 200)) as sock:
            for line in begin.split(b"\r\n")[:-1]:
                sock.sendall(line + b"\r\n")
                time.sleep(0.02)
                _replies(sock)
            sock.sendall(body + b"\r\n.\r\n")
            return bool(sock.recv(4096))
    except OSError:
        return True  # cut off, which is an answer too


def _replies(sock: socket.socket) -> None:
    while select.select([sock], [], [], 0.02)[0] and sock.recv(4096):
        pass


def forged(number: int) -> list[bytes]:
    """Return alarms of nodes that nobody knows, each about a certificate of its own."""
    return [
        b"<189>%d: evil%d.example.test: Nov 20 2026 01:00:06.544 UTC :  %%UC_CERT-2-CertValidfor"
        b"7days: %%[Message=Certificate expiration Notification. Certificate name:tomcat.der "
        b"Unit:tomcat Type:own-cert Expiration:Wed Nov 25 14:05:][AppID=Cisco Certificate Monitor]"
        b"[ClusterID=][NodeID=evil%d]: x" % (n, n, n)
        for n in range(number)
    ]


def garbage(number: int) -> list[bytes]:
    """Return messages that hold a mark of ours and cannot be read."""
    return [
        b"<189>%d: what is this %%UC_CERT-nothing that one knows %d" % (n, n * n)
        for n in range(number)
    ]
