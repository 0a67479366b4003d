"""Takes mail by SMTP: `250` is said when the mail is on the disk, and not before."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Final

from aiosmtpd.smtp import LoginPassword

from watcher import crash
from watcher.errors import TemporaryError
from watcher.inputs.maildata import MailDecoder, header_is_over, header_of, is_own
from watcher.inputs.reception import Hit, Read, Reception
from watcher.inputs.smtpoptions import SmtpLimits, SmtpOptions
from watcher.inputs.smtpsession import KEPT, STOPPING, TOO_BUSY, TRY_LATER, Session
from watcher.model.ledger import Reason
from watcher.model.message import Grade, Origin, Position, Way

logger = logging.getLogger(__name__)

_TICK: Final = 0.5
_BACKLOG: Final = 100
_REMEMBERED: Final = 1000
"""Peers whose failed log-ins are remembered."""


class _Door(asyncio.Protocol):
    """Meets a connection: hands it to a session, or turns it away at once."""

    def __init__(self, input_: "SmtpInput") -> None:
        self._input = input_

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- for the type checker
        self._input.meet(transport)


class SmtpInput:
    """An SMTP listener in the running event loop.

    The reception must be one without admission: what was answered with 250 is kept.
    """

    def __init__(
        self, reception: Reception, options: SmtpOptions, tls: ssl.SSLContext | None = None
    ) -> None:
        if options.require_starttls and tls is None:
            raise ValueError("require_starttls needs a TLS context")
        self.options = options
        self.marked = 0
        """Mails with a bare CR or LF so far; they are claims, whoever sent them."""
        self._reception = reception
        self._tls = tls
        self._servers: list[asyncio.Server] = []
        self._sessions: set[Session] = set()
        self._failures: dict[str, tuple[int, float]] = {}
        self._hasher = ThreadPoolExecutor(1, f"{reception.name}-login")
        self._watch: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def sessions(self) -> int:
        """How many sessions are open."""
        return len(self._sessions)

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
                await loop.create_server(lambda: _Door(self), sock=sock, backlog=_BACKLOG)
            )
        if address is not None:
            self._servers.append(
                await loop.create_server(lambda: _Door(self), *address, backlog=_BACKLOG)
            )
        self._watch = loop.create_task(self._watch_sessions())

    def reload(self, tls: ssl.SSLContext | None) -> None:
        """Use another TLS context from the next session on; open sessions keep theirs."""
        if self.options.require_starttls and tls is None:
            raise ValueError("require_starttls needs a TLS context")
        self._tls = tls

    async def stop(self, grace: float = 10) -> None:
        """Take no more; let mails that are on their way end, for `grace` seconds, then 421."""
        self._stopping = True
        for server in self._servers:
            server.close()
        deadline = asyncio.get_running_loop().time() + grace
        while self._sessions and asyncio.get_running_loop().time() < deadline:
            for session in [s for s in self._sessions if not s.busy]:
                session.leave(STOPPING)
            await asyncio.sleep(0.02)
        for session in list(self._sessions):
            session.leave(STOPPING)
            session.abort()
        await asyncio.sleep(0)
        if self._watch is not None:
            self._watch.cancel()
        self._hasher.shutdown(wait=False, cancel_futures=True)

    async def _watch_sessions(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            now = asyncio.get_running_loop().time()
            for session in list(self._sessions):
                if reply := session.overdue(now):
                    fruitless = session.busy or not session.mails
                    session.leave(reply, Reason.TOO_SLOW if fruitless else None)

    # -- connections

    def meet(self, transport: asyncio.Transport) -> None:
        """Begin a session, or say why not."""
        peer = _plain(transport.get_extra_info("peername"))
        reason = self._reason_against(peer)
        if reason is not None:
            busy = reason is Reason.TOO_MANY_CONNECTIONS
            reply = TOO_BUSY if busy else "554 5.7.1 not for you"
            self.count(reason, peer)
            transport.write(reply.encode() + b"\r\n")
            transport.close()
            return
        session = Session(self, peer, self._tls)
        self._sessions.add(session)
        transport.set_protocol(session)
        session.connection_made(transport)

    def _reason_against(self, peer: str) -> Reason | None:
        limits = self.options.limits
        allowed = self.options.allows(peer)
        if self.options.refuse_others and not allowed:
            return Reason.PEER_NOT_ALLOWED
        places = limits.sessions
        if self.options.allowed and not allowed:
            places -= min(limits.reserved_sessions, places // 5)
        ours = Counter(session.peer for session in self._sessions)[peer]
        if self._stopping or ours >= limits.sessions_per_peer:
            return Reason.TOO_MANY_CONNECTIONS
        if len(self._sessions) >= places and not self._make_room(known=allowed):
            return Reason.TOO_MANY_CONNECTIONS
        return None

    def _make_room(self, *, known: bool) -> bool:
        """End the session that did nothing for longest, if it had its chance.

        That of an allowed peer gives way to another allowed peer only.
        """
        idle = [
            session
            for session in self._sessions
            if not session.busy and (known or not self.options.allows(session.peer))
        ]
        oldest = min(idle, key=lambda session: session.progress, default=None)
        now = asyncio.get_running_loop().time()
        if oldest is None or now - oldest.progress < self.options.limits.patience:
            return False
        oldest.leave(TOO_BUSY, Reason.TOO_MANY_CONNECTIONS)
        self._sessions.discard(oldest)
        return True

    def left(self, session: Session) -> None:
        """Note that a session is over."""
        self._sessions.discard(session)

    # -- mails

    def count(self, reason: Reason, peer: str) -> None:
        """Count a mail or session that was turned away."""
        with contextlib.suppress(TemporaryError):  # the journal's trouble is told elsewhere
            self._reception.refuse(reason, peer)

    async def keep(self, session: Session, mail: MailDecoder) -> str:
        """Journal a whole mail and wait until it is on the disk; return the reply."""
        limits, header = self.options.limits, header_of(mail.data)
        if is_own(header, self.options.own_domain):
            self.count(Reason.OWN_MAIL, session.peer)
            return KEPT
        over = header_is_over(header, limits.header_size, limits.header_lines)
        hit = Hit(
            origin=self._origin(session, mail),
            data=mail.data,
            fault=Reason.MAIL_LIMITS if over else None,
        )
        read = Read(received=1, hits=(hit,), heard={session.peer: 1})
        if crash.seeded("acknowledge-first"):
            asyncio.get_running_loop().call_later(0.05, self._reception.settle, read)
            return KEPT
        position = self._reception.settle(read)
        crash.point("smtp-settled")
        if not await self._on_disk(position):
            return TRY_LATER
        crash.point("before-250")
        return KEPT

    async def _on_disk(self, position: Position) -> bool:
        # Not wait_for: that would cancel the journal's own future, which others wait for too.
        waiter = asyncio.wrap_future(self._reception.journal.durable(position))
        waiter.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.wait({waiter}, timeout=self.options.limits.durable_seconds)
        if waiter.done():
            waiter.result()
            return True
        logger.warning("a mail was put off: the journal takes too long")
        return False

    def _origin(self, session: Session, mail: MailDecoder) -> Origin:
        if mail.bare:
            # Whoever sent it, what is in it may have been smuggled past an honest relay.
            self.marked += 1
            grade = Grade.CLAIM
        elif session.authenticated:
            grade = Grade.ATTRIBUTED
        elif self.options.allows(session.peer):
            grade = Grade.RETURN_PATH
        else:
            grade = Grade.CLAIM
        return Origin(way=Way.SMTP, input=self._reception.name, peer=session.peer, grade=grade)

    # -- log-in

    async def verify(self, peer: str, login: LoginPassword) -> bool:
        """Tell whether a log-in is right; a peer that failed often is not tried for a while."""
        now = asyncio.get_running_loop().time()
        failures, since = self._failures.get(peer, (0, now))
        limits = self.options.limits
        if now - since > limits.failed_logins_seconds:
            failures, since = 0, now
        if failures >= limits.failed_logins_per_peer:
            return False
        right = await asyncio.get_running_loop().run_in_executor(
            self._hasher, self._is_right, login
        )
        if not right:
            self._failures[peer] = (failures + 1, since)
            while len(self._failures) > _REMEMBERED:
                del self._failures[next(iter(self._failures))]
        return right

    def _is_right(self, login: LoginPassword) -> bool:
        user = login.login.decode("utf-8", "surrogateescape")
        known = self.options.users.get(user)
        # An unknown user takes as long as a known one.
        hashed = known or next(iter(self.options.users.values()))
        right = hashed.matches(login.password.decode("utf-8", "surrogateescape"))
        return right and known is not None


def _plain(peername: tuple[str, int] | None) -> str:
    """Return an address without port, and IPv4 as such on a socket that serves both."""
    host = peername[0] if peername else ""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    return str(getattr(address, "ipv4_mapped", None) or address)


__all__ = ["SmtpInput", "SmtpLimits", "SmtpOptions"]
