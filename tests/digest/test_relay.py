"""Mails through a relay: a real one, one that behaves badly, and back into our own listener."""

import asyncio
import contextlib
import sys
from email import message_from_bytes
from email.policy import default
from types import SimpleNamespace

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from authority import Authority
from digest.test_page import page, sent
from inputs.mailroom import OURS, listening
from inputs.test_smtp_postfix import folder, relaying  # noqa: F401 -- a fixture
from ports import free_port

from watcher.app.posting import Carriers, relay_of
from watcher.errors import InputError
from watcher.inputs.secret import Secret
from watcher.model.digest import Answer
from watcher.model.ledger import Reason
from watcher.senders.chat import apprise, tell
from watcher.senders.relay import Relay
from watcher.senders.smtp import RelayOptions
from watcher.settings.schema import Settings

A, B = "a@example.com", "b@example.com"


class Desk:
    """What a relay does with mails; a test says what it answers."""

    def __init__(self):
        self.mails, self.rcpt, self.end = [], {}, "250 queued"

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        """Take a recipient, or answer what a test says."""
        answer = self.rcpt.get(address, "250 ok")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, _session, envelope):  # noqa: N802 -- named by the library
        """Keep a mail; `drop` hangs up instead of an answer."""
        self.mails.append((tuple(envelope.rcpt_tos), envelope.content))
        if self.end == "drop":
            server.transport.abort()
        return self.end


@contextlib.contextmanager
def served(desk, **options):
    """Run a relay on the loopback; yield its port."""
    controller = Controller(desk, "127.0.0.1", free_port(), ready_timeout=20, **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def relay(port, **changes):
    told = {
        "host": "127.0.0.1", "port": port, "tls": "none", "sender": "watcher@example.com",
        "step": 10.0, "largest": 1 << 20,
    }  # fmt: skip
    return Relay(RelayOptions(**(told | changes)))


def test_a_mail_arrives_as_it_was_made():
    desk, letter = Desk(), sent(page())
    with served(desk) as port:
        answers = relay(port).deliver(letter, (A, B))

    assert {A: Answer.TAKEN, B: Answer.TAKEN} == {to: how for to, (how, _) in answers.items()}
    assert [((A, B), letter)] == desk.mails


def test_each_recipient_has_an_answer():
    desk = Desk()
    desk.rcpt = {A: "550 nobody", B: "450 wait"}
    with served(desk) as port:
        answers = relay(port).deliver(b"Subject: x\r\n\r\nx\r\n", (A, B, "c@example.com"))

    assert [Answer.NEVER, Answer.LATER, Answer.TAKEN] == [
        answers[to][0] for to in (A, B, "c@example.com")
    ]
    assert "550 nobody" == answers[A][1]
    assert [("c@example.com",)] == [to for to, _ in desk.mails]


@pytest.mark.parametrize(
    ("end", "answer"),
    [("drop", Answer.UNCLEAR), ("451 later", Answer.LATER), ("554 no", Answer.NEVER)],
)
def test_the_end_of_a_mail_is_told(end, answer):
    desk = Desk()
    desk.end = end
    with served(desk) as port:
        answers = relay(port).deliver(b"Subject: x\r\n\r\nx\r\n", (A,))

    assert answer is answers[A][0]


def test_a_relay_that_is_not_there_has_done_nothing():
    assert Answer.LATER is relay(1).deliver(b"x", (A,))[A][0]


def test_a_mail_that_is_too_large_is_not_handed_over():
    assert Answer.NEVER is relay(1, largest=10).deliver(b"x" * 11, (A,))[A][0]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.mark.parametrize("password", ["right", "wrong"])
def test_a_log_in_over_starttls(authority, password):
    """A wrong password is told and is not the end: people mend it."""
    context = authority.server("localhost")
    desk = Desk()

    def check(_server, _session, _envelope, _mechanism, data):
        return AuthResult(success=data.password == b"right", handled=False)

    with served(desk, tls_context=context, require_starttls=True, auth_required=True,
                authenticator=check) as port:  # fmt: skip
        one = relay(port, host="localhost", tls="starttls", user="u", password=password,
                    ca_file=authority.path)  # fmt: skip
        answer, said = one.deliver(b"Subject: x\r\n\r\nx\r\n", (A,))[A]

    right = password == "right"  # noqa: S105 -- of this test
    assert (Answer.TAKEN if right else Answer.LATER) is answer
    assert "wrong" not in said
    assert right == bool(desk.mails)


async def test_a_digest_fed_back_a_hundred_times_is_dropped_and_counted():
    """T-16: the listener answers 250, keeps nothing, and nobody sends a mail for it."""
    letter = sent(page())
    async with listening(own_domain="watcher.example.com") as (smtp, journal):
        port = smtp.addresses[0][1]
        for _ in range(100):
            answers = await asyncio.to_thread(relay(port).deliver, letter, (OURS,))
            assert Answer.TAKEN is answers[OURS][0]

    assert [] == journal.kept
    assert {Reason.OWN_MAIL: 100} == journal.refused


async def test_a_real_postfix_brings_it_back_and_it_is_dropped(folder):  # noqa: F811 -- a fixture
    async with (
        listening(own_domain="watcher.example.com") as (smtp, journal),
        relaying(folder, smtp.addresses[0][1]) as (_, port),
    ):
        answers = await asyncio.to_thread(relay(port).deliver, sent(page()), (OURS,))
        for _ in range(600):
            if journal.refused:
                break
            await asyncio.sleep(0.05)

    assert Answer.TAKEN is answers[OURS][0]
    assert [] == journal.kept
    assert {Reason.OWN_MAIL: 1} == journal.refused


def test_the_domain_of_our_mails_is_the_one_that_is_dropped():
    told = {"host": "mail.example.com", "sender": "watcher@Example.com"}

    assert "watcher.example.com" == Settings(relay=told).own_domain()
    assert "w.example" == Settings(relay=told, smtp={"own_domain": "w.example"}).own_domain()
    assert "" == Settings().own_domain()


def test_the_settings_name_the_relay():
    told = {"host": "mail.example.com", "sender": "watcher@example.com", "security": "tls"}
    made = relay_of(Settings(relay=told), Secret("word"), None)

    assert ("mail.example.com", "tls", "word") == (
        made.options.host, made.options.tls, made.options.password,
    )  # fmt: skip
    assert relay_of(Settings(), None, None) is None


# -- chats


class Service:
    """Apprise as far as we use it."""

    def __init__(self, *, taken=True, known=True):
        self.taken, self.known, self.told = taken, known, []

    def Apprise(self):  # noqa: N802 -- named by the library
        """Return a service."""
        return self

    def add(self, _url):
        """Take an address."""
        return self.known

    def notify(self, **told):
        """Take a message."""
        self.told.append(told)
        return self.taken


@pytest.mark.parametrize(
    ("service", "answer"),
    [
        (Service(), Answer.TAKEN), (Service(taken=False), Answer.LATER),
        (Service(known=False), Answer.NEVER), (SimpleNamespace(Apprise=lambda: SimpleNamespace(
            add=lambda _: True, notify=lambda **_: 1 / 0)), Answer.UNCLEAR),
    ],
)  # fmt: skip
def test_what_a_chat_answers(service, answer):
    how, said = tell("slack://token", "subject", "text" * 2000, lambda: service)

    assert answer is how
    assert "token" not in said
    assert all(len(one["body"]) <= 4000 for one in getattr(service, "told", ()))


def test_a_chat_without_the_extra_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(InputError, match=r"pip install -e '\.\[notify\]'"):
        apprise()


def test_a_chat_gets_subject_and_text_of_the_letter():
    heard = []

    def chat(url, subject, text):
        heard.append((url, subject, text))
        return Answer.TAKEN, ""

    made = page()
    carriers = Carriers(relay=None, chats={"duty": (Secret("json://x"),)}, chat=chat)
    answers = carriers.carry("duty", sent(made), ("chat:0", "chat:1", A))

    assert ["taken", "never", "later"] == [answers[to][0] for to in ("chat:0", "chat:1", A)]
    assert [("json://x", made.subject)] == [one[:2] for one in heard]
    assert heard[0][2].startswith(message_from_bytes(sent(made), policy=default)["Subject"])
