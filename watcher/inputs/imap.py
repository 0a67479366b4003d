"""Fetches mail from a mailbox that is ours alone, and marks it when it is on our disk.

What was not seen yet is what we did not take yet: the flag on the server is the only state, so
there is no UID to remember and no UIDVALIDITY to compare. A connection that breaks between our
disk and the flag brings the mail again, and never loses it. UIDs are used within one session only,
where they cannot change (RFC 3501 section 2.3.1.1).
"""

import imaplib
import logging
import random
import re
import select
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from imap_tools import (
    BaseMailBox,
    ImapToolsError,
    MailBox,
    MailboxLoginError,
    MailBoxStartTls,
    MailBoxUnencrypted,
)
from imap_tools.utils import encode_folder

from watcher import crash
from watcher.errors import TemporaryError
from watcher.inputs.maildata import header_is_over, header_of, is_own
from watcher.inputs.poller import Desk, Poller, Status, Stopped
from watcher.inputs.reception import Hit, Read, Reception
from watcher.inputs.secret import Secret
from watcher.model.ledger import Reason
from watcher.model.message import Grade, Origin, Way

logger = logging.getLogger(__name__)

_UID: Final = re.compile(rb"\bUID ([0-9]{1,10})\b")
_CAPACITY: Final = 2
"""A literal so many times larger than a mail may be is a fault of the server."""
_SEEN: Final = r"(\Seen)"
_TOO_LARGE: Final = r"(\Seen \Flagged)"


class ImapSecurity(StrEnum):
    """How the connection is protected."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapOptions:
    """A mailbox and how to read it; sizes in bytes, times in seconds."""

    host: str
    user: str
    password: Secret | None = None
    token: Callable[[], Secret] | None = None
    """Returns a fresh access token for XOAUTH2, instead of a password."""
    port: int = 993
    folder: str = "INBOX"
    security: ImapSecurity = ImapSecurity.TLS
    tls: ssl.SSLContext | None = None
    """None: the system's authorities, with the host's name checked."""
    move_to: str = ""
    """A folder for mails that were taken; empty: they stay and are marked as seen."""
    own_domain: str = ""
    mail_size: int = 256 * 1024
    header_size: int = 64 * 1024
    header_lines: int = 200
    batch: int = 10
    """Mails fetched before the disk is waited for."""
    timeout: float = 30
    poll_seconds: float = 60
    """At the latest after so long it looks again, also where the server tells of new mail."""
    first_retry: float = 1
    last_retry: float = 300

    def __post_init__(self) -> None:
        """Refuse what cannot log in."""
        if (self.password is None) == (self.token is None):
            raise ValueError("want a password or a token, and not both")


class ImapInput:
    """Fetches mail in a thread of its own."""

    def __init__(self, reception: Reception, options: ImapOptions) -> None:
        self._options = options
        self._poller = Poller(reception.name, options.poll_seconds, self._connection)
        self._desk = Desk(reception, self._poller.status, self._poller.stopping)
        self._failures = 0
        self._capabilities: frozenset[str] = frozenset()
        self._peer = f"{options.user}@{options.host}/{options.folder}"
        self._origin = Origin(
            way=Way.IMAP, input=reception.name, peer=self._peer, grade=Grade.RETURN_PATH
        )

    @property
    def status(self) -> Status:
        """How it is doing; its text holds no secret."""
        return self._poller.status

    def start(self) -> None:
        """Begin to fetch; connects in the background and again whenever it has to."""
        self._poller.start()

    def stop(self, grace: float = 10) -> None:
        """End; mails that are not marked yet come again."""
        self._poller.stop(grace)

    # -- connections

    def _connection(self) -> bool:
        """Work through one connection; wait before the next if it broke."""
        try:
            with self._logged_in() as mailbox:
                self._serve(mailbox)
        except (OSError, imaplib.IMAP4.error, ImapToolsError, TemporaryError) as error:
            self.status.fail(f"{self._desk.name}: {self._told(error)}")
        else:
            return True
        self._poller.stopping.wait(self._pause())
        return True

    def _pause(self) -> float:
        """Return how long to wait: twice as long each time, and not all at the same time."""
        longest = min(self._options.last_retry, self._options.first_retry * 2.0**self._failures)
        self._failures = min(self._failures + 1, 20)
        return longest * random.uniform(0.5, 1)  # noqa: S311 -- no secret

    @contextmanager
    def _logged_in(self) -> Iterator[BaseMailBox]:
        secret = self._secret()
        mailbox = self._connect()
        try:
            _bound(mailbox, self._options.mail_size * _CAPACITY)
            self._log_in(mailbox, secret)
            # Asked again: many servers tell the better half only to those who are logged in.
            self._capabilities = frozenset(mailbox.client.capability()[1][0].decode().split())
            mailbox.folder.set(self._options.folder)
            yield mailbox
            with suppress(OSError, imaplib.IMAP4.error, ImapToolsError):
                mailbox.logout()
        finally:
            with suppress(OSError):
                mailbox.client.shutdown()

    def _secret(self) -> Secret:
        if self._options.token is None:
            return self._options.password or Secret("")
        try:
            return self._options.token()
        except Exception as error:  # noqa: BLE001 -- whatever the caller's code may raise
            # Its text may hold what it was asked for.
            raise OSError(f"no access token: {type(error).__name__}") from None

    def _connect(self) -> BaseMailBox:
        told = self._options
        if told.security is ImapSecurity.NONE:
            return MailBoxUnencrypted(told.host, told.port, told.timeout)
        # The library's own default verifies nobody.
        tls = told.tls or ssl.create_default_context()
        kind = MailBox if told.security is ImapSecurity.TLS else MailBoxStartTls
        return kind(told.host, told.port, timeout=told.timeout, ssl_context=tls)

    def _log_in(self, mailbox: BaseMailBox, secret: Secret) -> None:
        user, value = self._options.user, secret.reveal()
        try:
            if self._options.token is not None:
                mailbox.xoauth2(user, value, None)
            elif (user + value).isascii():
                mailbox.login(user, value, None)
            else:
                mailbox.login_utf8(user, value, None)
        except (imaplib.IMAP4.abort, OSError):
            raise
        except (imaplib.IMAP4.error, ImapToolsError):
            # What the server says may quote what it was sent.
            raise MailboxLoginError(("NO", "log-in refused"), "OK") from None

    def _told(self, error: Exception) -> str:
        if isinstance(error, MailboxLoginError):
            return f"{self._options.host} refuses the log-in of {self._options.user}"
        return f"{self._options.host}: {error or type(error).__name__}"

    # -- mails

    def _serve(self, mailbox: BaseMailBox) -> None:
        done: set[str] = set()
        while not self._poller.stopping.is_set():
            self._fetch_all(mailbox, done)
            self._failures = 0
            self.status.succeed()
            self._await_news(mailbox)

    def _fetch_all(self, mailbox: BaseMailBox, done: set[str]) -> None:
        unseen = [uid for uid in mailbox.uids("UNSEEN", charset=None) if uid not in done]
        size = self._options.batch
        for at in range(0, len(unseen), size):
            if self._poller.stopping.is_set():
                raise Stopped
            self._take(mailbox, unseen[at : at + size])
            # If the server does not keep the flag, a mail comes once a connection at the worst.
            done.update(unseen[at : at + size])

    def _take(self, mailbox: BaseMailBox, uids: Sequence[str]) -> None:
        """Fetch some mails, have them on the disk, and only then mark them."""
        flags: dict[str, list[str]] = {_SEEN: [], _TOO_LARGE: []}
        position = None
        for uid in uids:
            data = self._fetch(mailbox, uid)
            if data is None:
                continue  # somebody took it away meanwhile
            flags[_TOO_LARGE if len(data) > self._options.mail_size else _SEEN].append(uid)
            position = self._desk.settle(self._read(data))
        if position is None:
            return
        crash.point("imap-settled")
        self._desk.wait(position)
        crash.point("imap-before-flag")
        for flag, marked in flags.items():
            if marked:
                _ask(mailbox, "STORE", ",".join(marked), "+FLAGS.SILENT", flag)
        if self._options.move_to:
            self._move(mailbox, ",".join([*flags[_SEEN], *flags[_TOO_LARGE]]))

    def _fetch(self, mailbox: BaseMailBox, uid: str) -> bytes | None:
        """Return a mail, of a larger one a byte more than is allowed; None if it is gone."""
        beginning = f"(UID BODY.PEEK[]<0.{self._options.mail_size + 1}>)"
        for item in _ask(mailbox, "FETCH", uid, beginning):
            if isinstance(item, tuple) and b"BODY[]" in item[0]:
                named = _UID.search(item[0])
                if named is None or named[1] == uid.encode():
                    return bytes(item[1])
            elif isinstance(item, bytes) and b'BODY[]<0> ""' in item:
                return b""
        return None

    def _read(self, data: bytes) -> Read:
        told, heard = self._options, {self._peer: 1}
        if len(data) > told.mail_size:
            return Read(received=1, refused={Reason.TOO_LARGE: 1}, heard=heard)
        header = header_of(data)
        if is_own(header, told.own_domain):
            return Read(received=1, refused={Reason.OWN_MAIL: 1}, heard=heard)
        over = header_is_over(header, told.header_size, told.header_lines)
        fault = Reason.MAIL_LIMITS if over else None
        return Read(received=1, hits=(Hit(self._origin, data, fault=fault),), heard=heard)

    def _move(self, mailbox: BaseMailBox, uids: str) -> None:
        folder = encode_folder(self._options.move_to)
        if "MOVE" in self._capabilities:
            _ask(mailbox, "MOVE", uids, folder)
            return
        _ask(mailbox, "COPY", uids, folder)
        _ask(mailbox, "STORE", uids, "+FLAGS.SILENT", r"(\Deleted)")
        # Never a plain EXPUNGE, as the library's own move does: it removes what others marked.
        if "UIDPLUS" in self._capabilities:
            _ask(mailbox, "EXPUNGE", uids)

    def _await_news(self, mailbox: BaseMailBox) -> None:
        """Wait until the server tells of something, or long enough."""
        idles = "IDLE" in self._capabilities
        if idles:
            mailbox.idle.start()  # type: ignore[no-untyped-call]
        until = time.monotonic() + self._options.poll_seconds
        while time.monotonic() < until and not self._poller.stopping.is_set():
            left = min(0.5, max(0.0, until - time.monotonic()))
            if not idles:
                self._poller.stopping.wait(left)
            elif _readable(mailbox, left):
                break
        if idles:
            mailbox.idle.stop()  # type: ignore[no-untyped-call]


def _ask(mailbox: BaseMailBox, command: str, *arguments: str | bytes) -> list[object]:
    status, data = mailbox.client.uid(command, *arguments)  # type: ignore[arg-type]
    if status != "OK":
        raise imaplib.IMAP4.error(f"the server refuses {command}")
    return list(data)


def _readable(mailbox: BaseMailBox, seconds: float) -> bool:
    # The library's own waiting takes a closed connection for silence, and spins.
    sock = mailbox.client.sock
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return True
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _bound(mailbox: BaseMailBox, size: int) -> None:
    """Make the library refuse a literal that would take our memory."""
    read = mailbox.client.read

    def bounded(wanted: int) -> bytes:
        if wanted > size:
            raise imaplib.IMAP4.abort("the server sends more than was asked for")
        return read(wanted)

    mailbox.client.read = bounded  # type: ignore[assignment, method-assign]
