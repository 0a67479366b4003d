"""A small IMAP server: enough of RFC 3501, IDLE and MOVE for a test, and it can be cut off."""

import asyncio
import base64
import contextlib
import re
import ssl
from dataclasses import dataclass, field

CAPABILITY = "CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 MOVE UIDPLUS"


@dataclass
class Stored:
    """A mail in a folder."""

    uid: int
    data: bytes
    flags: set[str] = field(default_factory=set)


class ImapServer:
    """One account with folders; `cut` ends the connection when a command begins so, once."""

    def __init__(self, tls: ssl.SSLContext | None = None, *, idle=True):
        self.folders = {"INBOX": [], "done": []}
        self.password = "hunter2"  # noqa: S105 -- of nobody
        self.token = ""
        self.cut = ""
        self.idle = idle
        self.commands = []
        self.quote = ""
        """What a refused log-in answers besides."""
        self.news = asyncio.Condition()
        self.keeps_flags = True
        self._tls = tls
        self._next = 1
        self._server = None
        self._writers = set()

    async def __aenter__(self):
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(self, *_):
        """End all."""
        self._server.close()
        self.drop()

    @property
    def port(self):
        """Where it listens."""
        return self._server.sockets[0].getsockname()[1]

    async def deliver(self, data):
        """Put a mail into the inbox and tell whoever waits."""
        self.folders["INBOX"].append(Stored(self._next, data))
        self._next += 1
        async with self.news:
            self.news.notify_all()

    def drop(self):
        """Cut all connections."""
        for writer in self._writers:
            writer.transport.abort()

    def flags(self, folder="INBOX"):
        """Return the flags of each mail of a folder."""
        return [set(stored.flags) for stored in self.folders[folder]]

    def count(self, command):
        """Return how often a command came."""
        return sum(f" {command}" in line for line in self.commands)

    async def _serve(self, reader, writer):
        self._writers.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await _Talk(self, reader, writer).run()
        self._writers.discard(writer)
        writer.transport.abort()


class _Talk:
    def __init__(self, server, reader, writer):
        self.server = server
        self.reader = reader
        self.writer = writer
        self.idle = " IDLE" if server.idle else ""

    async def run(self):
        self.say("* OK ready")
        while line := (await self.reader.readline()).decode().rstrip():
            self.server.commands.append(line)
            tag, _, command = line.partition(" ")
            if self.server.cut and command.upper().startswith(self.server.cut):
                self.server.cut = ""
                return
            verb, _, rest = command.partition(" ")
            await getattr(self, f"on_{verb.lower()}")(tag, rest)
            await self.writer.drain()

    def say(self, text):
        self.writer.write(text.encode() + b"\r\n")

    def done(self, tag, text="OK done"):
        self.say(f"{tag} {text}")

    async def on_capability(self, tag, _):
        self.say(f"* {CAPABILITY}{self.idle}")
        self.done(tag)

    async def on_login(self, tag, rest):
        right = rest == f'"alerts" "{self.server.password}"'
        self.done(tag, "OK in" if right else f"NO no {self.server.quote}")

    async def on_authenticate(self, tag, rest):
        self.say("+ ")
        said = base64.b64decode(await self.reader.readline()).decode()
        wanted = {
            "XOAUTH2": f"user=alerts\1auth=Bearer {self.server.token}\1\1",
            "PLAIN": f"\0alerts\0{self.server.password}",
        }
        self.done(tag, "OK in" if said == wanted[rest] else f"NO no {said}")

    async def on_select(self, tag, _):
        self.say(f"* {len(self.server.folders['INBOX'])} EXISTS")
        self.say("* FLAGS (\\Seen)")
        self.done(tag, "OK [READ-WRITE] selected")

    async def on_logout(self, tag, _):
        self.say("* BYE")
        self.done(tag)

    async def on_idle(self, tag, _):
        self.say("+ idling")
        waiting = asyncio.ensure_future(self._tell())
        await self.reader.readline()
        waiting.cancel()
        self.done(tag)

    async def _tell(self):
        async with self.server.news:
            await self.server.news.wait()
        with contextlib.suppress(ConnectionError):  # a client that was killed while it idled
            self.say(f"* {len(self.server.folders['INBOX'])} EXISTS")
            await self.writer.drain()

    async def on_uid(self, tag, rest):
        verb, _, rest = rest.partition(" ")
        uids, _, rest = rest.partition(" ")
        inbox = self.server.folders["INBOX"]
        if verb == "SEARCH":
            found = [str(mail.uid) for mail in inbox if "\\Seen" not in mail.flags]
            self.say(f"* SEARCH {' '.join(found)}")
        else:
            wanted = [mail for mail in inbox if str(mail.uid) in uids.split(",")]
            getattr(self, f"uid_{verb.lower()}")(wanted, rest)
        self.done(tag)

    def uid_fetch(self, mails, rest):
        size = int(re.search(r"<0\.(\d+)>", rest)[1])
        for number, mail in enumerate(mails, 1):
            data = mail.data[:size]
            self.say(f"* {number} FETCH (UID {mail.uid} BODY[]<0> {{{len(data)}}}")
            self.writer.write(data + b")\r\n")

    def uid_store(self, mails, rest):
        if self.server.keeps_flags:
            for mail in mails:
                mail.flags.update(rest.partition("(")[2].rstrip(")").split())

    def uid_move(self, mails, rest):
        for mail in mails:
            self.server.folders["INBOX"].remove(mail)
            self.server.folders[rest.strip('"')].append(mail)
