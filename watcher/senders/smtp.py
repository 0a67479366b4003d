"""One session with the site's relay: one finished mail, and for each recipient what came of it."""

import asyncio
import re
import ssl
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Final

import aiosmtplib

from watcher.errors import InputError
from watcher.model.digest import Answer
from watcher.senders.answers import printable
from watcher.senders.http import is_loopback

Answers = Mapping[str, tuple[Answer, str]]
"""By recipient: what came of it, and the relay's words."""
LARGEST: Final = 10 << 20
_PERMANENT: Final = 500
_TOO_LARGE: Final = 552
"""To MAIL or DATA (RFC 1870); to RCPT it is a full mailbox."""
_TOLD: Final = 200
_ADDRESS: Final = re.compile(r"[!#-'*+./0-9=?A-Z^-~-]+@[!#-'*+./0-9=?A-Z^-~-]+")
"""Printable ASCII without what parts addresses or needs quoting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayOptions:
    """A relay, and who writes to it. Times in seconds."""

    host: str
    sender: str
    port: int = 25
    tls: str = "starttls"
    """Or `tls` from the start, or `none`."""
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    step: float = 30.0
    """The longest that the relay may take for one command."""
    whole: float = 120.0
    """The longest for all commands before the mail itself."""
    data: float = 600.0
    """The longest for the mail and the answer to it: RFC 5321, 4.5.3.2.6, for who gives up while
    the relay still works on it makes it come twice."""
    largest: int = LARGEST
    """What we hand over at most, in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """How a session ended; `us`: the relay refused us, before it heard of anybody.

    `large`: nobody has the mail because of its size.
    """

    answers: Answers
    us: bool = False
    large: bool = False


class Smtp:
    """Brings mails to one relay; may be called from any thread, one connection for each call."""

    def __init__(self, options: RelayOptions) -> None:
        self.options = options
        if options.tls not in {"starttls", "tls", "none"}:
            raise InputError("tls of a relay is starttls, tls or none")
        if options.user and options.tls == "none" and not is_loopback(options.host):
            raise InputError("a password would go to the relay without encryption")
        check_address(options.sender)
        self._context = _context(options.ca_file)

    def bring(self, letter: bytes, to: tuple[str, ...]) -> Brought:
        """Send one mail to these recipients; never raises, and never tries again."""
        if len(letter) > self.options.largest:
            told = f"the mail has {len(letter)} bytes, more than {self.options.largest}"
            return Brought(answers=dict.fromkeys(to, (Answer.NEVER, told)), large=True)
        ended: Future[Brought] = Future()

        def session() -> None:
            try:
                ended.set_result(asyncio.run(self._session(letter, to)))
            except BaseException as error:  # noqa: BLE001 -- the caller gets it
                ended.set_exception(error)

        # A loop of its own in a thread of its own: the caller may run in one already. The end of
        # the process does not wait for it, as it would for one of a pool.
        Thread(target=session, name="smtp", daemon=True).start()
        return ended.result()

    def clean(self, text: str) -> str:
        """Return the relay's words on one line, short and without our password."""
        password = self.options.password
        return printable(text.replace(password, "***") if password else text)[:_TOLD]

    async def _session(self, letter: bytes, to: tuple[str, ...]) -> Brought:
        client, said = self._client(), _Said(self, to)
        try:
            async with asyncio.timeout(self.options.whole):
                await _introduce(client, letter, said)
            if said.waiting:
                async with asyncio.timeout(self.options.data):
                    await _hand_over(client, letter, said)
        except aiosmtplib.SMTPResponseException as error:
            said.large = error.code == _TOO_LARGE and bool(said.waiting)
            said.rest(_answer(error.code), f"{error.code} {error.message}")
        except aiosmtplib.SMTPNotSupported as error:
            said.rest(Answer.NEVER, f"the relay cannot do it: {error}")
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            how = Answer.UNCLEAR if said.begun else Answer.LATER
            said.rest(how, f"no answer: {type(error).__name__} {error}")
        else:
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await client.execute_command(b"QUIT", timeout=5)
        finally:
            await _hang_up(client)
        return Brought(answers=said.answers, us=not said.known, large=said.large)

    def _client(self) -> aiosmtplib.SMTP:
        options = self.options
        return aiosmtplib.SMTP(
            hostname=options.host, port=options.port, timeout=options.step,
            use_tls=options.tls == "tls", start_tls=options.tls == "starttls",
            tls_context=self._context, username=options.user or None,
            password=options.password or None,
        )  # fmt: skip


class _Said:
    """What was said so far.

    `known`: the relay knows us and hears of recipients; `begun`: the mail may be under way.
    """

    def __init__(self, smtp: Smtp, to: tuple[str, ...]) -> None:
        self.smtp = smtp
        self.waiting = list(to)
        self.answers: dict[str, tuple[Answer, str]] = {}
        self.known = self.begun = self.large = False

    def one(self, to: str, answer: Answer, told: str) -> None:
        self.answers[to] = (answer, self.smtp.clean(told))
        self.waiting.remove(to)

    def rest(self, answer: Answer, told: str) -> None:
        for to in list(self.waiting):
            self.one(to, answer, told)


async def _hang_up(client: aiosmtplib.SMTP) -> None:
    """Close the connection before the loop ends; over TLS `close` alone waits for an answer."""
    transport = client.transport
    client.close()
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()
        await asyncio.sleep(0)


async def _introduce(client: aiosmtplib.SMTP, letter: bytes, said: _Said) -> None:
    await client.connect()
    size = [f"size={len(letter)}"] if client.supports_extension("size") else []
    await client.mail(said.smtp.options.sender, options=size)
    said.known = True
    for to in list(said.waiting):
        try:
            await client.rcpt(to)
        except aiosmtplib.SMTPResponseException as error:
            said.one(to, _answer(error.code), f"{error.code} {error.message}")


async def _hand_over(client: aiosmtplib.SMTP, letter: bytes, said: _Said) -> None:
    said.begun = True
    code, words = await client.data(letter, timeout=said.smtp.options.data)
    said.rest(Answer.TAKEN, f"{code} {words}")


def _answer(code: int) -> Answer:
    return Answer.NEVER if code >= _PERMANENT else Answer.LATER


def check_address(text: str) -> None:
    """Raise InputError for what is no plain mail address."""
    if not _ADDRESS.fullmatch(text):
        raise InputError(f"{text!r} is no plain mail address", expected="name@host")


def _context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except OSError as error:
        raise InputError(f"{ca_file}: no certificates can be read from it") from error
