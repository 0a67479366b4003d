"""Syslog over TCP (RFC 6587) and TLS (RFC 5425).

What was read is decoded before the next read, so that all connections share the buffers and
each costs no more than what it left unfinished. The loop gives each one buffer at a time, whatever
a greedy one sends.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from watcher.inputs.buffers import Buffers
from watcher.inputs.flow import Flow
from watcher.inputs.reception import Hit, Read, Reception
from watcher.inputs.tls import Session, Tls, detail_of, reason_of
from watcher.model.ledger import Reason
from watcher.model.message import Grade, Origin, Way
from watcher.wire.framing import FRAME_LIMIT, FrameDecoder, Reading
from watcher.wire.prefilter import Prefilter

logger = logging.getLogger(__name__)

_TICK: Final = 0.5
_BACKLOG: Final = 1024
_QUIET: Final = 0.05
_MINUTE: Final = 60.0
_LINES_A_MINUTE: Final = 200
"""Refusals that are logged; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOptions:
    """Limits of one stream input; docs/reliability.md tells why these."""

    message: int = FRAME_LIMIT
    """Bytes kept of one frame."""
    frame_seconds: float = 30.0
    """For the rest of a frame that has begun."""
    handshake_seconds: float = 10.0
    connections: int = 1000
    per_peer: int = 20
    known: frozenset[str] = frozenset()
    """Addresses of peers for which places are reserved."""
    reserved: int = 100
    """Places that only known peers get; 0 of them if none is known."""
    retry_seconds: float = 1.0
    """Between two tries while the journal is full."""
    drain_seconds: float = 1.0
    """For what senders have on the way when we stop."""


TLS_OPTIONS = StreamOptions(connections=200, reserved=50)
"""A TLS session costs a handshake and far more memory than a plain connection."""


class StreamInput:
    """A listener for syslog streams in the running event loop; with `tls` for TLS only.

    `failed` is called once when the journal is broken: then nothing is accepted any more.
    """

    def __init__(
        self, reception: Reception, marks: Prefilter, options: StreamOptions | None = None,
        tls: Tls | None = None, failed: Callable[[BaseException], None] | None = None,
    ) -> None:  # fmt: skip
        self.options = options or (TLS_OPTIONS if tls else StreamOptions())
        self.name = reception.name
        self.marks = marks
        self.tls = tls
        self.flow = Flow(reception, self.options.retry_seconds, self, self._broken)
        self.buffers = Buffers(tls=tls is not None)
        self._failed = failed
        self._servers: list[asyncio.Server] = []
        self._connections: set[Connection] = set()
        self._told: set[tuple[str, Reason, str]] = set()
        self._watch: asyncio.Task[None] | None = None

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where it listens."""
        sockets = [sock for server in self._servers for sock in server.sockets]
        return [sock.getsockname()[:2] for sock in sockets]

    # -- life

    async def start(
        self, sockets: Sequence[socket.socket] = (), address: tuple[str, int] | None = None
    ) -> None:
        """Listen on bound sockets that were handed over, or on (host, port)."""
        loop = asyncio.get_running_loop()
        for sock in sockets:
            self._servers.append(
                await loop.create_server(lambda: Connection(self), sock=sock, backlog=_BACKLOG)
            )
        if address is not None:
            self._servers.append(
                await loop.create_server(lambda: Connection(self), *address, backlog=_BACKLOG)
            )
        self._watch = loop.create_task(self._watch_connections())

    def use(self, tls: Tls) -> None:
        """Use another certificate, and other clients, from the next session on."""
        self.tls = tls

    async def stop(self) -> None:
        """Accept no more, take what is on its way for a moment, then close all connections."""
        self._close_servers()
        if self._watch is not None:
            self._watch.cancel()
        await self._drain()
        for connection in list(self._connections):
            connection.close(lost=True)
        if lost := self.flow.end():
            logger.error("%s: the journal had no room for %d messages", self.name, lost)
        for _ in range(2):  # the transports tell of their end in the next turn of the loop
            await asyncio.sleep(0)

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        deadline, before = loop.time() + self.options.drain_seconds, -1
        while self._connections and not self.flow.stuck and before != self.buffers.readings:
            before = self.buffers.readings
            await asyncio.sleep(min(_QUIET, max(deadline - loop.time(), 0)))
            if loop.time() >= deadline:
                return

    def _close_servers(self) -> None:
        for server in self._servers:
            server.close()

    def _broken(self, error: BaseException) -> None:
        self._close_servers()
        if self._failed is not None:
            self._failed(error)

    async def _watch_connections(self) -> None:
        loop, turn = asyncio.get_running_loop(), 0.0
        while True:
            await asyncio.sleep(min(_TICK, self.options.frame_seconds / 4))
            now = loop.time()
            if not self.flow.stuck:
                for connection in [one for one in self._connections if one.is_late(now)]:
                    connection.refuse(Reason.TOO_SLOW, "what it began did not end in time")
            if now - turn > _MINUTE:
                turn = now
                self._told.clear()

    # -- connections

    def pause(self) -> None:
        """Read no more: the journal has no room."""
        for connection in self._connections:
            connection.pause()

    def resume(self) -> None:
        """Read again."""
        for connection in self._connections:
            connection.resume()

    def meet(self, connection: "Connection") -> None:
        """Count a new connection in, or say why not."""
        self._connections.add(connection)
        if self._is_full(connection.peer):
            connection.refuse(Reason.TOO_MANY_CONNECTIONS, "no place is free for it")
        elif self.flow.stuck:
            # Not now: the transport begins to read right after this.
            asyncio.get_running_loop().call_soon(connection.pause)

    def _is_full(self, peer: str) -> bool:
        options = self.options
        places = options.connections
        if options.known and peer not in options.known:
            places -= options.reserved
        if len(self._connections) > places:
            return True
        return sum(one.peer == peer for one in self._connections) > options.per_peer

    def leave(self, connection: "Connection") -> None:
        """Count a connection out; as often as it likes."""
        self._connections.discard(connection)

    def settle(self, origin: Origin, reading: Reading) -> None:
        """Hand what a connection brought to the journal."""
        if not reading.received:
            return
        hits = [Hit(origin, data, cut) for data, cut in reading.hits]
        if reading.fault is not None:
            hits.append(Hit(origin, reading.fault, cut=True, fault=Reason.OCTET_COUNT))
        self.flow.settle(
            Read(
                received=reading.received, noise=reading.noise, hits=hits,
                heard={origin.peer: reading.received},
            )
        )  # fmt: skip

    def tell(self, peer: str, reason: Reason, detail: str) -> None:
        """Log why a connection ended, once a minute for the same peer and reason."""
        told = (peer, reason, detail)
        if told not in self._told and len(self._told) < _LINES_A_MINUTE:
            self._told.add(told)
            logger.warning(
                "%s: connection of %s ended: %s (%s)", self.name, peer, reason, detail,
                extra={"action": "refused", "reason": str(reason), "peer": peer},
            )  # fmt: skip


class Connection(asyncio.BufferedProtocol):
    """One connection of a sender."""

    __slots__ = (
        "_begun", "_decoder", "_ended", "_input", "_origin", "_session", "_tls", "_transport",
        "peer",
    )  # fmt: skip

    def __init__(self, input_: StreamInput) -> None:
        self.peer = ""
        self._input = input_
        self._decoder = FrameDecoder(input_.marks, input_.options.message)
        self._tls = input_.tls
        self._session = Session(self._tls.context) if self._tls else None
        self._origin: Origin | None = None
        self._ended = False
        self._begun: float | None = None
        """When the handshake or the unfinished frame began."""

    # -- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a new connection."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- for the type checker
        self._transport = transport
        self.peer = _plain(transport.get_extra_info("peername"))
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if self._session is None:
            self._origin = self._origin_of(Way.TCP, ())
        else:
            self._begun = asyncio.get_running_loop().time()
        self._input.meet(self)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 -- asyncio's signature
        """Return where to write what came; all of it is used before anybody reads again."""
        return self._input.buffers.view

    def buffer_updated(self, nbytes: int) -> None:
        """Take what came."""
        buffers = self._input.buffers
        came = buffers.came(nbytes)
        if self._session is None:
            self._take(buffers.raw, nbytes)
            return
        try:
            self._take_encrypted(self._session, came)
        except ssl.SSLError as error:
            self._send(self._session.outgoing())
            reason = Reason.PROTOCOL if self._session.established else reason_of(error)
            self.refuse(reason, detail_of(error))

    def eof_received(self) -> None:
        """Take the end of what the peer sends; without TLS's own end it may be cut."""
        self.close(lost=self._session is not None and not self._session.closed)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's signature
        """Take the end of the connection."""
        self.close(lost=True)

    def pause_writing(self) -> None:
        """End a TLS peer that makes us answer and never reads."""
        self.refuse(Reason.PROTOCOL, "it does not read our answers")

    # -- what the input calls

    def is_late(self, now: float) -> bool:
        """Tell whether the handshake or a frame takes too long."""
        options = self._input.options
        limit = options.frame_seconds if self._origin else options.handshake_seconds
        return self._begun is not None and now - self._begun > limit

    def pause(self) -> None:
        """Read no more."""
        self._transport.pause_reading()

    def resume(self) -> None:
        """Read again; that it waited is our fault, so its time begins anew."""
        if self._begun is not None:
            self._begun = asyncio.get_running_loop().time()
        self._transport.resume_reading()

    def refuse(self, reason: Reason, detail: str) -> None:
        """End it for a reason."""
        if not self._ended:
            self._finish(lost=True)
            self._input.flow.refuse(reason)
            self._input.tell(self.peer, reason, detail)
        self._transport.abort()

    def close(self, *, lost: bool) -> None:
        """End it in peace; what was not finished is settled first."""
        if self._session is not None and not self._session.established:
            self.refuse(Reason.HANDSHAKE, "it ended before the handshake did")
            return
        self._finish(lost=lost)
        if self._session is not None and not self._transport.is_closing():
            self._session.close()
            self._send(self._session.outgoing())
        self._transport.close()

    # -- reading

    def _take(self, buffer: bytearray, size: int) -> None:
        origin = self._origin
        if self._ended or origin is None:
            return
        reading = self._decoder.receive(buffer, size)
        self._input.buffers.pace(len(reading.hits))
        if not self._decoder.unfinished:
            self._begun = None
        elif self._begun is None or reading.received:
            self._begun = asyncio.get_running_loop().time()
        self._input.settle(origin, reading)
        if reading.fault is not None:
            self._ended = True
            self._input.leave(self)
            self._input.tell(self.peer, Reason.OCTET_COUNT, "no count where one must stand")
            self._transport.abort()

    def _take_encrypted(self, session: Session, came: memoryview) -> None:
        session.receive(came)
        if session.established and self._origin is None:
            self._begin(session)
        buffers = self._input.buffers
        if self._origin is not None and (count := session.read_into(buffers.plain_view)):
            self._take(buffers.plain, count)
        self._send(session.outgoing())
        if session.closed:
            self.close(lost=False)

    def _begin(self, session: Session) -> None:
        shown, tls = session.certificate, self._tls
        nodes = tls.nodes(shown) if tls and shown else ()
        if nodes or (tls and tls.anonymous):
            self._origin, self._begun = self._origin_of(Way.TLS, nodes), None
        else:
            self.refuse(Reason.CLIENT_CERTIFICATE, _unbound(shown))

    def _origin_of(self, way: Way, nodes: tuple[str, ...]) -> Origin:
        grade = Grade.ATTRIBUTED if nodes else Grade.RETURN_PATH
        return Origin(way=way, input=self._input.name, peer=self.peer, grade=grade, bound=nodes)

    def _send(self, data: bytes) -> None:
        if data:
            self._transport.write(data)

    def _finish(self, *, lost: bool) -> None:
        if self._ended:
            return
        self._ended = True
        self._input.leave(self)
        if self._origin is not None:
            self._input.settle(self._origin, self._decoder.close(lost=lost))


def _plain(name: tuple[str, int] | None) -> str:
    """Return an address as inventories write it: one of IPv4 is never wrapped in IPv6."""
    if not name:
        return "unknown"
    host = name[0].partition("%")[0]
    return host[7:] if host.startswith("::ffff:") and "." in host else host


def _unbound(certificate: bytes | None) -> str:
    if certificate is None:
        return "it showed no certificate"
    return f"its certificate is bound to no node, SHA-256 {sha256(certificate).hexdigest()}"
