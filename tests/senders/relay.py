"""A mail relay that behaves badly by a script; each connection takes the next entry of it."""

import random
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field


@dataclass
class Manners:
    """What a relay answers in one session; `drop` closes the connection, `hang` says nothing."""

    greet: str = "220 relay.example.net ESMTP"
    mail: str = "250 ok"
    rcpt: dict = field(default_factory=dict)
    """Answers by address; all others get 250."""
    data: str = "354 go on"
    end: str = "250 queued"
    late: float = 0.0
    """Seconds before that."""
    keeps: bool = True
    """Whether the mail is kept, whatever is answered at its end."""


GOOD = Manners()


class Relay:
    """Listens on the loopback until it is closed."""

    def __init__(self, script=(), weights=(), seed=3, context=None):
        self.script, self.weights, self.context = list(script), weights, context
        self.random = random.Random(seed)  # noqa: S311 -- repeatable on purpose
        self.mails, self.logins, self.plain_commands = [], [], []
        self.sessions = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        """Return itself; it listens already."""
        return self

    def __exit__(self, *error):
        """Stop listening; a close alone would leave one more accept to come."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.sessions += 1
                threading.Thread(
                    target=self._serve, args=(connection, self._manners()), daemon=True
                ).start()

    def _manners(self):
        if self.script:
            return self.script.pop(0)
        drawn = self.random.random()
        for manners, share in self.weights:
            if drawn < share:
                return manners
            drawn -= share
        return GOOD

    def _serve(self, connection, manners):
        connection.settimeout(20)
        session = Session(self, connection, manners)
        with suppress(OSError, EOFError):
            session.run()
        with suppress(OSError):
            session.lines.close()
            session.connection.close()
        connection.close()


class Session:
    """One connection."""

    def __init__(self, relay, connection, manners):
        self.relay, self.connection, self.manners = relay, connection, manners
        self.lines = connection.makefile("rb")
        self.sender, self.recipients = "", []
        self.secure = False

    def run(self):
        """Speak until either side has enough."""
        self.say(self.manners.greet)
        while line := self.lines.readline(2000).decode("ascii").strip():
            verb = line.split(maxsplit=1)[0].upper()
            if not self.secure:
                self.relay.plain_commands.append(verb)
            getattr(self, f"do_{verb.lower()}", self.do_unknown)(line)

    def say(self, answer):
        """Answer, or do what a script says instead."""
        if answer == "drop":
            raise EOFError
        if answer == "hang":
            self.connection.recv(1)
            raise EOFError
        self.connection.sendall(f"{answer}\r\n".encode())

    def do_ehlo(self, _line):  # noqa: D102 -- named for its command
        offers = ["250-relay.example.net", "250-SIZE 10000000"]
        if self.relay.context and not self.secure:
            offers.append("250-STARTTLS")
        if self.relay.context and self.secure:
            offers.append("250-AUTH PLAIN")
        self.say("\r\n".join([*offers, "250 8BITMIME"]))

    def do_starttls(self, _line):  # noqa: D102 -- named for its command
        self.say("220 go on")
        self.lines.close()
        self.connection = self.relay.context.wrap_socket(self.connection, server_side=True)
        self.lines, self.secure = self.connection.makefile("rb"), True

    def do_auth(self, line):  # noqa: D102 -- named for its command
        self.relay.logins.append(line)
        self.say("235 ok")

    def do_mail(self, line):  # noqa: D102 -- named for its command
        self.sender = line.partition("<")[2].partition(">")[0]
        self.say(self.manners.mail)

    def do_rcpt(self, line):  # noqa: D102 -- named for its command
        address = line.partition("<")[2].partition(">")[0]
        answer = self.manners.rcpt.get(address, "250 ok")
        if answer.startswith("2"):
            self.recipients.append(address)
        self.say(answer)

    def do_data(self, _line):  # noqa: D102 -- named for its command
        self.say(self.manners.data)
        if not self.manners.data.startswith("354"):
            return
        body = bytearray()
        while (line := self.lines.readline()) != b".\r\n":
            if not line:
                raise EOFError
            body += line.removeprefix(b".")
        if self.manners.keeps:
            self.relay.mails.append((self.sender, tuple(self.recipients), bytes(body)))
        time.sleep(self.manners.late)
        self.say(self.manners.end)

    def do_rset(self, _line):  # noqa: D102 -- named for its command
        self.sender, self.recipients = "", []
        self.say("250 ok")

    def do_quit(self, _line):  # noqa: D102 -- named for its command
        self.say("221 bye")
        raise EOFError

    def do_unknown(self, _line):  # noqa: D102 -- named for its command
        self.say("502 no")
