"""Mails through a relay that refuses, waits, drops and forgets; and what stands in them."""

import email
import subprocess
import sys
from email import policy

import pytest
from authority import Authority
from senders.fakes import ServerClock
from senders.relay import GOOD, Manners, Relay
from senders.systems import HOSTILE, NOW, draft
from senders.test_thousand import Driver
from store.samples import fit

from watcher.errors import InputError, Refused, ShutOut, TryLater, Unclear
from watcher.inputs.maildata import is_own
from watcher.model.slot import Outcome
from watcher.model.ticket import Attachment, ErrandState
from watcher.senders.mail import Letter, Mail, MailOptions, message
from watcher.senders.smtp import RelayOptions, Smtp
from watcher.tickets.advance import DEFAULT, Limits

FIVE = tuple(f"{name}@example.net" for name in ("ann", "ben", "cat", "dan", "eve"))
KEY = "watcher-graz-1"
PASSWORD = "s3cret-of-the-test"  # noqa: S105 -- of a fake


def options(port=25, recipients=FIVE, domain="watcher.example.net", **changes):
    about = {
        "host": "127.0.0.1", "port": port, "sender": "watcher@example.net", "tls": "none",
        "step": 1.0, "whole": 3.0, "data": 3.0,
    }  # fmt: skip
    relay = RelayOptions(**(about | changes))
    return MailOptions(relay=relay, recipients=recipients, domain=domain)


def system(relay, **changes):
    return Mail(options(relay.port, **changes), lambda: NOW)


def read(data):
    return email.message_from_bytes(data, policy=policy.default)


def ends(relay, **changes):
    """Return how a create ends, and how many mails the relay kept."""
    try:
        system(relay, **changes).create(draft())
    except (TryLater, Unclear, Refused) as error:
        return type(error), len(relay.mails)
    return None, len(relay.mails)


def test_a_mail_goes_to_everybody_with_all_that_a_draft_says():
    with Relay() as relay:
        ticket = system(relay).create(draft())
    sender, recipients, data = relay.mails[0]
    mail = read(data)

    assert (sender, recipients) == ("watcher@example.net", FIVE)
    assert mail["Subject"] == draft().title
    assert mail["Message-ID"] == f"<{ticket.id}@watcher.example.net>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == NOW
    assert "Restore the backup" in mail.get_body(("plain",)).get_content()
    assert "Restore the backup" in mail.get_body(("html",)).get_content()
    files = {one.get_filename(): one.get_content() for one in mail.iter_attachments()}
    assert files == {"plan-v1-ab12.html": "<p>plan</p>"}


def test_comments_and_versions_are_answers_in_the_thread():
    with Relay() as relay:
        mail = system(relay)
        ticket = mail.create(draft())
        mail.update(ticket, draft(version=2))
        mail.comment(ticket, f"[{KEY} p1]", f"[{KEY} p1] half of it is done")
    first, *others = [read(data) for *_, data in relay.mails]

    assert [one["In-Reply-To"] for one in others] == [first["Message-ID"]] * 2
    assert [one["References"] for one in others] == [first["Message-ID"]] * 2
    assert len({first["Message-ID"], *(one["Message-ID"] for one in others)}) == 3


def test_times_that_move_alone_are_no_letter_and_whether_a_slot_fits_is_one():
    none = fit(outcome=Outcome.NONE)
    found = fit(outcome=Outcome.FOUND)
    with Relay() as relay:
        mail = system(relay)
        told = mail.create(draft(fit=found))
        for day, one in [(24, found), (25, found), (26, none), (27, none), (28, found)]:
            starts = NOW.replace(day=day) if one is found else None
            told = system(relay).update(told, draft(fit=one, starts=starts))
    ids = [read(data)["Message-ID"] for *_, data in relay.mails]

    assert len(ids) == len(set(ids)) == 3
    assert told.number == f"{KEY} v1"


def test_a_version_that_waits_is_one_letter_to_each_and_the_next_is_another():
    with Relay([GOOD, Manners(rcpt={FIVE[2]: "450 greylisted"})]) as relay:
        mail = system(relay)
        ticket = mail.create(draft())
        with pytest.raises(TryLater):
            mail.update(ticket, draft(version=2))
        second = mail.update(ticket, draft(version=2))
        mail.update(second, draft(version=2, starts=NOW.replace(day=24)))
        third = mail.update(second, draft(version=3))

    assert [len(recipients) for _, recipients, _ in relay.mails] == [5, 4, 1, 5]
    assert third.number == f"{KEY} v3"


def test_our_own_listener_knows_our_mail():
    letter = Letter(id="a" * 96, subject="x", text="x", html="x", answers="b" * 96)
    data = message(letter, options(), NOW).as_bytes()

    assert is_own(data, "watcher.example.net")
    assert not is_own(data, "example.net")


def test_the_same_errand_has_the_same_message_id_and_another_another():
    with Relay() as relay:
        for key, version in [(KEY, 1), (KEY, 1), ("watcher-graz-11", 1), ("watcher-Zürich-1", 1)]:
            system(relay).create(draft(key, version))
    ids = [read(data)["Message-ID"] for *_, data in relay.mails]

    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


@pytest.mark.parametrize(
    ("manners", "how", "kept"),
    [
        (Manners(greet="drop"), TryLater, 0),
        (Manners(greet="421 too busy"), TryLater, 0),
        (Manners(greet="554 not you"), ShutOut, 0),
        (Manners(greet="hang"), TryLater, 0),
        (Manners(mail="451 later"), TryLater, 0),
        (Manners(mail="550 not from you"), ShutOut, 0),
        (Manners(mail="drop"), TryLater, 0),
        (Manners(rcpt=dict.fromkeys(FIVE, "450 greylisted")), TryLater, 0),
        (Manners(rcpt=dict.fromkeys(FIVE, "550 unknown")), Refused, 0),
        (Manners(data="451 disk full"), TryLater, 0),
        (Manners(end="451 disk full", keeps=False), TryLater, 0),
        (Manners(end="554 spam", keeps=False), Refused, 0),
        (Manners(end="drop", keeps=True), Unclear, 1),
        (Manners(end="drop", keeps=False), Unclear, 0),
        (Manners(end="hang", keeps=True), Unclear, 1),
    ],
)
def test_how_a_mail_ends_is_told_and_true(manners, how, kept):
    with Relay([manners]) as relay:
        assert ends(relay) == (how, kept)


def test_a_relay_that_is_not_there_has_done_nothing():
    with Relay() as relay:
        pass

    assert ends(relay) == (TryLater, 0)


def test_one_of_five_who_is_refused_is_told_and_the_others_have_it():
    with Relay([Manners(rcpt={"cat@example.net": "550 5.1.1 unknown\x1b[31m"})]) as relay:
        mail = system(relay)
        mail.create(draft())

    assert relay.mails[0][1] == tuple(one for one in FIVE if one != "cat@example.net")
    assert [told.partition(":")[0] for told in mail.left_out] == ["cat@example.net"]
    assert mail.left_out[0].isprintable()


def test_one_of_five_who_is_greylisted_gets_it_later_and_the_others_no_second_one():
    with Relay([Manners(rcpt={"cat@example.net": "450 greylisted"})]) as relay:
        mail = system(relay)
        with pytest.raises(TryLater):
            mail.create(draft())
        mail.create(draft())

    assert [len(recipients) for _, recipients, _ in relay.mails] == [4, 1]
    assert relay.mails[1][1] == ("cat@example.net",)
    assert len({read(data)["Message-ID"] for *_, data in relay.mails}) == 1


def test_a_mail_that_is_too_large_is_refused_before_the_relay_hears_of_it():
    with Relay() as relay:
        assert ends(relay, largest=10) == (Refused, 0)
    assert relay.sessions == 0


def test_a_relay_that_takes_its_time_over_a_mail_is_waited_for():
    with Relay([Manners(late=1.5)]) as relay:
        system(relay, step=0.5, whole=1.0, data=10.0).create(draft())

    assert len(relay.mails) == 1
    assert RelayOptions(host="x", sender="a@example.net").data >= 600


def test_nothing_is_sent_again_before_the_relay_may_have_given_up():
    whole = RelayOptions(host="x", sender="a@example.net").data + DEFAULT.client.total_seconds()

    assert DEFAULT.at(searches=False).quiet.total_seconds() > whole
    assert DEFAULT.at(searches=True) == DEFAULT


def test_who_is_refused_at_a_later_try_is_told_and_the_others_have_it():
    waits = Manners(rcpt={"cat@example.net": "450 greylisted"})
    with Relay([waits, Manners(end="554 spam", keeps=False)]) as relay:
        mail = system(relay)
        with pytest.raises(TryLater):
            mail.create(draft())
        mail.create(draft())

    assert mail.left_out == ["cat@example.net: 554 spam"]


def test_an_unclear_end_leads_to_a_second_copy_and_never_to_none():
    with Relay([Manners(end="drop"), GOOD]) as relay:
        mail = system(relay)
        with pytest.raises(Unclear):
            mail.create(draft())
        mail.create(draft())

    assert len(relay.mails) == 2
    assert len({read(data)["Message-ID"] for *_, data in relay.mails}) == 1


ENDS = """
import sys, threading, time
from watcher.senders.smtp import RelayOptions, Smtp
options = RelayOptions(host="127.0.0.1", port=int(sys.argv[1]), sender="a@b.example", tls="none")
work = threading.Thread(target=Smtp(options).bring, args=(b"x", ("c@d.example",)), daemon=True)
work.start()
time.sleep(1)
"""


def test_the_end_of_the_process_does_not_wait_for_a_slow_relay():
    with Relay([Manners(end="hang")]) as relay:
        program = [sys.executable, "-c", ENDS, str(relay.port)]
        made = subprocess.run(program, timeout=15, check=True)  # noqa: S603 -- our own words

    assert made.returncode == 0
    assert relay.sessions == 1


async def test_it_can_be_called_where_a_loop_runs_already():
    with Relay() as relay:
        system(relay).create(draft())

    assert len(relay.mails) == 1


def test_hostile_names_make_no_header_and_no_markup():
    texts = dict.fromkeys(("title", "description", "risk", "impact", "implementation"), HOSTILE)
    with Relay() as relay:
        mail = system(relay)
        ticket = mail.create(draft(**texts, items=(HOSTILE,)))
        mail.comment(ticket, f"[{KEY} p1]\r\nBcc: evil@example.com", HOSTILE)

    for _, recipients, data in relay.mails:
        made = read(data)
        assert recipients == FIVE
        assert made["Bcc"] is None
        assert made["Status"] is None
        assert "<script" not in made.get_body(("html",)).get_content()
        assert data.isascii()
        assert b"\x1b" not in data


@pytest.mark.parametrize(
    "subject",
    ["", "\ud800\udfff", "x" * 9000, "ü" * 900, "\r\nBcc: a@b", "=?utf-8?q?=0ABcc:_x?="],
)
def test_no_subject_stops_a_mail(subject):
    letter = Letter(id="one", subject=subject, text="x", html="x")

    made = read(message(letter, options(), NOW).as_bytes())

    assert made["Subject"]
    assert made["Bcc"] is None


@pytest.mark.parametrize(
    "kind",
    ["text/html", "message/rfc822", "multipart/mixed", "evil", "a/b\r\nX: y"],
)
def test_a_document_of_any_type_is_attached_as_bytes(kind):
    file = Attachment(name='a"b\r\nX: y.pdf', media_type=kind, data=b"\x00\xff.\r\n.\r\nend")
    with Relay() as relay:
        system(relay).create(draft(attachments=(file,)))

    (part,) = read(relay.mails[0][2]).iter_attachments()

    assert part.get_payload(decode=True) == file.data
    assert part["X"] is None


def test_a_dot_on_a_line_of_its_own_ends_nothing():
    text = "one\n.\ntwo\n..\n.three"
    with Relay() as relay:
        letter = Letter(id="1", subject="s", text=text, html="h")
        data = message(letter, options(), NOW).as_bytes()
        Smtp(options(relay.port).relay).bring(data, FIVE)

    assert read(relay.mails[0][2]).get_body(("plain",)).get_content().split() == text.split()


# -- encryption


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


def test_the_log_in_goes_out_encrypted_only(authority):
    with Relay(context=authority.server("localhost")) as relay:
        mail = system(
            relay, host="localhost", tls="starttls", ca_file=authority.path, user="watcher",
            password=PASSWORD,
        )  # fmt: skip
        mail.create(draft())

    assert len(relay.mails) == len(relay.logins) == 1
    assert set(relay.plain_commands) == {"EHLO", "STARTTLS"}


@pytest.mark.parametrize("known", [True, False])
def test_a_relay_whose_certificate_does_not_hold_gets_no_mail(authority, known):
    name = "other.example" if known else "localhost"
    with Relay(context=authority.server(name)) as relay:
        how = ends(
            relay, host="localhost", tls="starttls", ca_file=authority.path if known else None
        )

    assert how == (TryLater, 0)
    assert set(relay.plain_commands) <= {"EHLO", "STARTTLS"}


def test_a_relay_without_starttls_gets_no_mail():
    with Relay() as relay:
        assert ends(relay, tls="starttls") == (TryLater, 0)


def test_the_password_is_not_shown():
    mail = Mail(options(user="watcher", password=PASSWORD), lambda: NOW)
    told = mail._smtp.clean(f"535 {PASSWORD} is wrong\x1b[0m\nx")  # noqa: SLF001 -- what errors quote

    assert PASSWORD not in f"{mail.options!r} {mail!r} {told}"
    assert told.isprintable()


@pytest.mark.parametrize(
    "changes",
    [
        {"tls": "maybe"}, {"recipients": ()}, {"recipients": ("a@b\r\nRCPT TO:<c@d>",)},
        {"sender": "nobody"}, {"domain": "a b"}, {"recipients": ("a@b,c@d",)},
        {"host": "relay.example.net", "user": "watcher", "password": PASSWORD},
    ],
)  # fmt: skip
def test_options_that_cannot_be_are_input_errors(changes):
    with pytest.raises(InputError, match=r"relay|mail|address"):
        Mail(options(**changes), lambda: NOW)


# -- a thousand


def test_a_thousand_changes_are_a_thousand_mails_whatever_the_relay_does():
    weights = (
        (Manners(end="drop", keeps=True), 0.10), (Manners(end="drop", keeps=False), 0.05),
        (Manners(mail="451 later"), 0.10), (Manners(greet="drop"), 0.10),
        (Manners(rcpt={FIVE[2]: "450 greylisted"}), 0.05),
    )  # fmt: skip
    keys = [f"watcher-graz-{number}" for number in range(1000)]
    with Relay(weights=weights) as relay:
        done = Driver(system(relay), ServerClock(), Limits()).run(keys)
    has = {(read_id(data), one) for _, recipients, data in relay.mails for one in recipients}

    assert {errand.state for errand, _ in done.values()} == {ErrandState.DONE}
    assert len(has) == 1000 * 5
    assert len({id_ for id_, _ in has}) == 1000


def read_id(data):
    return data.partition(b"Message-ID: ")[2].partition(b"\r\n")[0]
