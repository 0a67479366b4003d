# ruff: noqa: T201 -- a program of its own
"""A fast sender in a process of its own: prebuilt messages, by the thousand with one call.

`pump.py WAY PORT COUNT RATE ALARMS NOISE`: WAY is lines, counted, tls or udp; RATE messages a
second, 0 as fast as it goes; of 1,000 messages ALARMS are certificate alarms. Prints the seconds.
"""

import ctypes
import socket
import ssl
import struct
import sys
import time

SIZE = 265
BLOCK = 1000
PEERS = 8
"""Loopback addresses that datagrams come from, as from eight nodes."""

ALARM = (
    "<186>{n}: cucm{p}: Nov 23 2026 10:00:00.000 UTC :  %UC_CERT-2-CertExpired: "
    "%[Message=Certificate expiration Notification. Certificate name:tomcat{n}.der Unit:tomcat "
    "Type:own-cert Expiration:Mon May 19 14:46:][AppID=Cisco Certificate Monitor][ClusterID=]"
    "[NodeID=cucm{p}]: Certificate has expired "
)
NOISE = {
    "other": (
        "<14>{n}: : audispd:node=cucm{p} type=PROCTITLE msg=audit(1795428000.1:{n}): proctitle="
        + "2F7573722F62696E2F73616D706C65002D2D6F6E63650032" * 5
    ),
    "cluster": (
        "<189>{n}: cucm{p}: Nov 23 2026 10:00:00.000 UTC :  %UC_AUDITLOG-5-AdministrativeEvent: "
        "%[UserID=admin][ClientAddress=192.0.2.5][Severity=5][EventType=Update][ResourceAccessed="
        "Admin][EventStatus=Success][CompulsoryEvent=No][AuditDetails=a row of a table was changed"
        "][AppID=Cisco Tomcat][ClusterID=][NodeID=cucm{p}]: Sample "
    ),
}


def messages(alarms: int, noise: str) -> list[bytes]:
    """Return one block of messages of SIZE bytes, the alarms evenly among them."""
    made = []
    for n in range(BLOCK):
        # The sum of a line's share grows to a whole alarm as often as there are alarms.
        alarm = (n + 1) * alarms // BLOCK > n * alarms // BLOCK
        text = (ALARM if alarm else NOISE[noise]).format(n=n + 100_000, p=n % PEERS + 1)
        made.append(text.ljust(SIZE, ".")[:SIZE].encode())
    return made


def framed(block: list[bytes], way: str) -> bytes:
    """Return a block as a stream carries it."""
    if way == "lines":
        return b"".join(message[:-1] + b"\n" for message in block)
    return b"".join(b"%d %s" % (len(message), message) for message in block)


def stream(way: str, port: int, count: int, block: list[bytes]) -> float:
    """Send over one connection, as fast as it goes."""
    # A TLS record for each message, as syslog senders have it; a block at once without TLS.
    pieces = [framed([one], way) for one in block] if way == "tls" else [framed(block, way)]
    with socket.create_connection(("127.0.0.1", port)) as plain:
        sock = _tls(plain) if way == "tls" else plain
        begun = time.perf_counter()
        for _ in range(count // BLOCK):
            for piece in pieces:
                sock.sendall(piece)
        seconds = time.perf_counter() - begun
        if isinstance(sock, ssl.SSLSocket):
            sock.unwrap()
    return seconds


def _tls(plain: socket.socket) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain, suppress_ragged_eofs=True)


class Datagrams:
    """Blocks of datagrams, each with one sendmmsg(2) per peer."""

    def __init__(self, port: int, block: list[bytes]) -> None:
        self._send = ctypes.CDLL(None, use_errno=True).sendmmsg
        self.peers = [_Peer(port, i, block[i::PEERS]) for i in range(PEERS)]

    def send(self, peer: "_Peer") -> int:
        """Send one peer's share of the block; return how many that are."""
        done = 0
        while done < peer.count:
            at = ctypes.c_void_p(peer.at + done * _Peer.HEADER.size)
            sent = self._send(peer.sock.fileno(), at, peer.count - done, 0)
            if sent < 0:
                raise OSError(ctypes.get_errno(), "sendmmsg")
            done += sent
        return done


class _Peer:
    HEADER = struct.Struct("@PIPNPNi0PI0P")
    VECTOR = struct.Struct("@PN")

    def __init__(self, port: int, number: int, share: list[bytes]) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((f"127.0.0.{number + 1}", 0))
        self.sock.connect(("127.0.0.1", port))
        self.count = len(share)
        self._texts = [ctypes.create_string_buffer(text, len(text)) for text in share]
        vectors = [self.VECTOR.pack(ctypes.addressof(t), len(t)) for t in self._texts]
        self._vectors = ctypes.create_string_buffer(b"".join(vectors))
        first = ctypes.addressof(self._vectors)
        headers = [
            self.HEADER.pack(0, 0, first + i * self.VECTOR.size, 1, 0, 0, 0, 0)
            for i in range(self.count)
        ]
        self._headers = ctypes.create_string_buffer(b"".join(headers))
        self.at = ctypes.addressof(self._headers)


def datagrams(port: int, count: int, rate: int, block: list[bytes]) -> float:
    """Send datagrams, not faster than `rate` a second."""
    sender, sent = Datagrams(port, block), 0
    begun = time.perf_counter()
    while sent < count:
        for peer in sender.peers:
            ahead = sent / rate - (time.perf_counter() - begun) if rate else 0
            if ahead > 0:
                time.sleep(ahead)
            sent += sender.send(peer)
    seconds = time.perf_counter() - begun
    for peer in sender.peers:
        peer.sock.close()
    return seconds


def main() -> None:
    """Send, and print how long it took."""
    way, port, count, rate, alarms, noise = sys.argv[1:]
    block = messages(int(alarms), noise)
    if way == "udp":
        print(datagrams(int(port), int(count), int(rate), block))
    else:
        print(stream(way, int(port), int(count), block))


if __name__ == "__main__":
    main()
