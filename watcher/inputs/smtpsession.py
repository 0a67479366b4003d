"""One SMTP session: aiosmtpd's protocol with what it lacks against hostile and unlucky peers.

aiosmtpd holds endless lines in memory, tells its peer of our exceptions, counts no commands and
waits for its peer as long as the peer likes. Each override below names what it closes; "probe"
is the numbered list in docs/reliability.md.
"""

import asyncio
import contextlib
import logging
import re
import ssl
from collections import defaultdict
from collections.abc import Awaitable
from typing import Any, Final, Protocol

from aiosmtpd.smtp import MISSING, SMTP, AuthResult, Envelope, LoginPassword, TLSSetupException
from aiosmtpd.smtp import Session as Greeted

from watcher.errors import JournalFull, TemporaryError
from watcher.inputs.maildata import MailDecoder
from watcher.inputs.smtpoptions import SmtpOptions
from watcher.model.ledger import Reason

logger = logging.getLogger(__name__)
# Its own log has every line of a session in it, passwords too.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)

KEPT: Final = "250 2.0.0 kept"
TRY_LATER: Final = "451 4.3.0 try again later"
NO_ROOM: Final = "452 4.3.1 no room for mail now, try again later"
STOPPING: Final = "421 4.3.2 going down, try again later"
TOO_BUSY: Final = "421 4.3.2 too many connections, try again later"
_OVERRUN: Final = 8
"""A mail so many times too large is not waited for."""
_LINE_SIZE: Final = 64 * 1024
"""Bytes of a session outside of mails."""
_LINGER: Final = 2.0
_SIZE: Final = re.compile(r"\bSIZE=(\d{1,20})(?!\S)", re.IGNORECASE)
_PATH: Final = re.compile(
    r'[ \t]*<(?:@[^<>:\s]*:)?("(?:[^"\\\x00-\x1f]|\\[ -~])*"@[^<>@\s]+|[^<>"\s]+|)>(?:[ \t]+(.*))?'
)
"""`<path> parameters` (RFC 5321 section 4.1.2), a source route being ignored."""


class Desk(Protocol):
    """What a session needs of its input."""

    options: SmtpOptions

    def count(self, reason: Reason, peer: str) -> None:
        """Count a mail or session that was turned away."""

    async def keep(self, session: "Session", mail: MailDecoder) -> str:
        """Keep a whole mail and return the reply; raise for a fault of ours."""

    async def verify(self, peer: str, login: LoginPassword) -> bool:
        """Tell whether a log-in is right."""

    def left(self, session: "Session") -> None:
        """Note that a session is over."""


class _Hooks:
    """The two places where aiosmtpd asks instead of being overridden."""

    async def handle_EHLO(  # noqa: N802 -- aiosmtpd's name
        self, server: "Session", session: Greeted, _: Envelope, hostname: str, replies: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return server.greeting(replies)

    async def handle_RCPT(  # noqa: N802 -- likewise
        self, server: "Session", _: Greeted, envelope: Envelope, address: str, __: list[str]
    ) -> Any:  # noqa: ANN401 -- a reply, or aiosmtpd's sentinel
        return server.refusal(envelope, address) or MISSING


class Session(SMTP):
    """A session with one peer, from its first byte to the end of its connection."""

    def __init__(self, desk: Desk, peer: str, tls: ssl.SSLContext | None) -> None:
        options = desk.options
        # aiosmtpd keeps these in one table for all sessions: it grows with each unknown command
        # and with each EHLO.
        self.command_size_limits = defaultdict(lambda: SMTP.command_size_limit)
        super().__init__(
            _Hooks(),
            data_size_limit=options.limits.mail_size,
            enable_SMTPUTF8=True,
            hostname=options.hostname,  # else it asks DNS for one
            ident="ESMTP",
            tls_context=tls,
            require_starttls=options.require_starttls,
            timeout=options.limits.session_seconds + 60,  # `overdue` is stricter
            authenticator=_unverified,
            auth_exclude_mechanism=() if options.users else ("PLAIN", "LOGIN"),
            loop=asyncio.get_running_loop(),
        )
        self.peer = peer
        self.mails = 0
        self._desk = desk
        self._limits = options.limits
        self._mail: MailDecoder | None = None
        self._whole: asyncio.Future[None] | None = None
        self._keeping = self._leaving = self._lost = self._offended = False
        self._commands = self._line_bytes = self._failures = 0
        self.since = self.progress = self._mail_since = self.loop.time()

    # -- what the input asks

    @property
    def busy(self) -> bool:
        """A mail is on its way: it may still be finished when we stop."""
        return self._whole is not None

    @property
    def authenticated(self) -> bool:
        """It logged in."""
        return self.session is not None and bool(self.session.authenticated)

    def overdue(self, now: float) -> str | None:
        """Return the reply to leave with if the peer took more time than it has (probe 3)."""
        if self._keeping:
            return None  # our own time, and bounded
        if now - self.since > self._limits.session_seconds:
            return "421 4.4.2 session took too long"
        if self._mail is not None:
            taken = now - self._mail_since
            slow = self._mail.received < taken * self._limits.data_rate
            counts = taken > self._limits.data_rate_from
            return "421 4.4.2 mail comes too slowly" if counts and slow else None
        idle = now - self.progress > self._limits.idle_seconds
        return "421 4.4.2 waited too long for a command" if idle else None

    def leave(self, reply: str, reason: Reason | None = None) -> None:
        """Say why and close, without waiting for the peer to take it."""
        if self._leaving or self._lost:
            return
        self._leaving = True
        if reason is not None:
            self._desk.count(reason, self.peer)
        if self._handshaking or self._writer.is_closing():
            self.abort()
            return
        with contextlib.suppress(ConnectionError):
            self._writer.write(reply.encode() + b"\r\n")
        self._writer.close()
        self._cut_soon()

    def _cut_soon(self) -> None:
        # Closing waits until the peer has read, and has answered TLS's close: a peer need not.
        self.loop.call_later(_LINGER, self.abort)

    def abort(self) -> None:
        """Cut the connection."""
        transport = self._original_transport or self.transport
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()
        # Nobody calls it when a TLS handshake is cut.
        self.loop.call_soon(self.connection_lost, None)

    @property
    def _handshaking(self) -> bool:
        tls = self._tls_protocol is not None
        return tls and (self.session is None or self.session.ssl is None)

    # -- bytes

    def data_received(self, data: bytes) -> None:
        """Count and cap what comes, before anything holds it (probes 1 and 3)."""
        if self._mail is not None:
            data = self._take(self._mail, data)
        if not data or self._leaving:
            return
        lines = data.count(b"\n")
        self._commands += lines
        self._line_bytes += len(data)
        if lines:
            self.progress = self.loop.time()
        if self._commands > self._limits.commands:
            self.leave("421 4.7.0 too many commands", Reason.PROTOCOL)
        elif self._line_bytes > _LINE_SIZE:
            self.leave("500 5.5.2 command too long", Reason.PROTOCOL)
        else:
            super().data_received(data)

    def _take(self, mail: MailDecoder, data: bytes) -> bytes:
        rest = mail.receive_data(data)
        if mail.done:
            self._mail = None
            if self._whole is not None and not self._whole.done():
                self._whole.set_result(None)
        elif mail.received > self._limits.mail_size * _OVERRUN:
            self.leave(_too_large(self._limits.mail_size), Reason.TOO_LARGE)
        return rest

    def connection_lost(self, error: Exception | None) -> None:
        """Take the end once: aiosmtpd calls it twice, or never, when a handshake fails."""
        if self._lost:
            return
        self._lost = True
        super().connection_lost(error)
        self._desk.left(self)

    async def _handle_client(self) -> None:
        try:
            await super()._handle_client()
        except ConnectionError:
            logger.debug("a peer went away")
        except Exception:
            # Probe 2: what aiosmtpd's own error handling lets through ends here.
            logger.exception("an SMTP session broke")
            self.abort()

    async def handle_exception(self, error: Exception) -> str:
        """Answer our own faults so that the sender keeps the mail; tell nothing (probe 2)."""
        full = isinstance(error, JournalFull)
        if isinstance(error, TemporaryError):
            self._desk.count(Reason.JOURNAL_FULL if full else Reason.JOURNAL_BROKEN, self.peer)
            logger.warning("a mail was put off: %s", error)
        else:
            logger.error("a mail was put off by a fault of ours", exc_info=error)
        return NO_ROOM if full else TRY_LATER

    # -- commands

    def greeting(self, replies: list[str]) -> list[str]:
        """Return what EHLO answers: no AUTH without users, and the extensions that we also do."""
        *kept, last = [line for line in replies if line.strip() != "250-AUTH"]
        return [*kept, "250-PIPELINING", last]

    def refusal(self, envelope: Envelope, address: str) -> str | None:
        """Return why a recipient is refused; we never relay."""
        if len(envelope.rcpt_tos) >= self._limits.recipients:
            return "452 4.5.3 too many recipients"
        if self._desk.options.accepts(address):
            return None
        if not envelope.rcpt_tos and not self._offended:
            self._desk.count(Reason.RECIPIENT, self.peer)
        self._offended = True  # once for each mail: books count mails
        return "550 5.7.1 not a recipient of ours; nothing is relayed"

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        # The base asks the standard library, which recurses into comments (probe 6).
        found = _PATH.fullmatch(arg)
        if found is None:
            return None, None
        return found[1] or "<>", found[2] or ""

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802 -- aiosmtpd's name
        """Refuse an announced size here, where it can be counted."""
        self._offended = False
        announced = _SIZE.search(arg or "")
        if announced and int(announced[1]) > self._limits.mail_size:
            self._desk.count(Reason.TOO_LARGE, self.peer)
            await self.push(_too_large(self._limits.mail_size))
            return
        await super().smtp_MAIL(arg)

    async def smtp_VRFY(self, _arg: str | None) -> None:  # noqa: N802 -- likewise
        """Tell nothing; the base sends back what it was sent."""
        await self.push("252 2.1.5 send some mail, and see")

    async def smtp_QUIT(self, arg: str) -> None:  # noqa: N802 -- likewise
        """Do not wait for the peer to close, as TLS would for half a minute."""
        if not arg:
            self._cut_soon()
        await super().smtp_QUIT(arg)

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802 -- likewise
        """Take a mail as bytes; the base holds endless lines and refuses long ones (probe 1)."""
        if await self.check_helo_needed():
            return
        if self.envelope is None or not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 need RCPT command")
            return
        if arg:
            await self.push("501 5.5.4 DATA takes no argument")
            return
        self._whole = self.loop.create_future()
        try:
            reply = await self._answer(await self._receive(self._whole))
        finally:
            self._whole = None
            self.envelope = self._create_envelope()
        await self.push(reply)

    async def _receive(self, whole: asyncio.Future[None]) -> MailDecoder:
        mail = self._mail = MailDecoder(self._limits.mail_size)
        self._mail_since = self.loop.time()
        # A peer that did not wait for our 354 has sent the beginning already.
        self.data_received(await self._buffered())
        await self.push("354 end data with <CR><LF>.<CR><LF>")
        try:
            await whole
        except asyncio.CancelledError:
            if not self._leaving:
                self._desk.count(Reason.PROTOCOL, self.peer)
            raise
        return mail

    async def _buffered(self) -> bytes:
        size = len(self._reader._buffer)  # type: ignore[attr-defined]  # noqa: SLF001 -- no other way
        return await self._reader.read(size)

    async def _answer(self, mail: MailDecoder) -> str:
        if mail.too_large:
            self._desk.count(Reason.TOO_LARGE, self.peer)
            return _too_large(self._limits.mail_size)
        self._keeping = True
        try:
            reply = await self._desk.keep(self, mail)
        finally:
            self._keeping = False
            self.progress = self.loop.time()
        self.mails += reply == KEPT
        return reply

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802 -- likewise
        """Count a failed handshake and cut; the base stumbles over its own state then.

        What was sent in the clear behind the command is dropped (CVE-2011-0411, CVE-2024-34083);
        the base does so too, but if it is much the handshake would wait for it to be read.
        """
        await self._buffered()
        try:
            await super().smtp_STARTTLS(arg)
        except TLSSetupException:
            self._desk.count(Reason.HANDSHAKE, self.peer)
            self.abort()

    # -- log-in: the base verifies in the event loop, where a hash would hold up everybody

    async def auth_PLAIN(self, _: object, args: list[str]) -> AuthResult:  # noqa: N802 -- likewise
        """Log in with one answer (RFC 4616)."""
        return await self._verified(super().auth_PLAIN(_, args))

    async def auth_LOGIN(self, _: object, args: list[str]) -> AuthResult:  # noqa: N802 -- likewise
        """Log in with two answers."""
        return await self._verified(super().auth_LOGIN(_, args))

    async def _verified(self, asked: Awaitable[AuthResult]) -> AuthResult:
        try:
            result = await asked
        except ValueError:  # of a StreamReader: a line without end
            return AuthResult(success=False, handled=False, message="500 5.5.6 answer too long")
        login = result.auth_data
        if not isinstance(login, LoginPassword):
            return result  # answered already
        if await self._desk.verify(self.peer, login):
            return AuthResult(success=True, auth_data=login._replace(password=b""))
        self._failures += 1
        self._desk.count(Reason.AUTHENTICATION, self.peer)
        if self._failures >= self._limits.failed_logins:
            self.leave("421 4.7.0 too many failed log-ins")
        return AuthResult(success=False, handled=False)


def _unverified(*args: Any) -> AuthResult:  # noqa: ANN401 -- aiosmtpd's five arguments
    return AuthResult(success=False, handled=True, auth_data=args[-1])


def _too_large(limit: int) -> str:
    return f"552 5.3.4 mail is larger than {limit} bytes"
