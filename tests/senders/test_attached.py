"""Documents: each once for each version, whatever was lost; what is too large is left out."""

from dataclasses import replace

import pytest
from senders.fakes import Fault, Script
from senders.relay import Manners, Relay
from senders.systems import KINDS, draft
from senders.test_contract import EACH_SEARCHED, EVERY, KEY, is_create
from senders.test_mail import read
from senders.test_mail import system as mailer

from watcher.errors import Refused, ShutOut, TryLater, Unclear
from watcher.model.ticket import Attachment


@EVERY
def test_documents_are_attached_once_for_each_version(kind):
    system, fake = kind.pair()
    ticket = system.create(draft())
    system.update(ticket, draft(version=2))
    system.update(ticket, draft(version=2))

    if kind.searches:
        assert {name: len(files) for name, files in fake.files[1].items()} == {
            "plan-v1-ab12.html": 1,
            "plan-v2-ab12.html": 1,
        }
    assert system.left_out == ()


SMALL = Attachment(name="plan.ics", media_type="text/calendar", data=b"BEGIN:VCALENDAR")
BOTH = draft(attachments=(*draft().attachments, SMALL))
EACH_APART = pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind.attaches_apart], ids=lambda kind: kind.name
)


def is_upload(asked):
    return asked.method == "POST" and "attachment" in asked.path


@EACH_APART
def test_a_document_that_is_refused_does_not_undo_the_ticket(kind):
    system, fake = kind.pair()
    fake.script = Script([Fault.TOO_LARGE], only=is_upload)

    ticket = system.create(BOTH)

    assert ticket.id
    assert [one.partition(":")[0] for one in system.left_out] == ["plan.html"]
    assert fake.keys() == {KEY: 1}


@EACH_APART
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.BUSY_429, Fault.HTML, Fault.ERROR_500])
def test_a_document_that_may_still_come_is_brought_by_the_next_update_and_no_other_twice(
    kind, fault
):
    system, fake = kind.pair()
    fake.script = Script([fault], only=is_upload)

    with pytest.raises(Unclear, match="is there, not all of its documents: "):
        system.create(BOTH)
    system.update(system.find(KEY)[0], BOTH)

    assert {name: len(files) for name, files in fake.files[1].items()} == {
        "plan-v1-ab12.html": 1, "plan-v1-ab12.ics": 1
    }  # fmt: skip
    assert (fake.keys(), system.left_out) == ({KEY: 1}, ())


@EACH_APART
@pytest.mark.parametrize("at", ["create", "update"])
def test_a_log_in_that_ends_before_the_documents_loses_none(kind, at):
    system, fake = kind.pair()
    ticket = None if at == "create" else system.create(draft(attachments=()))
    fake.script = Script([Fault.UNAUTHORIZED], only=is_upload)
    # A token that held when it was made is asked for anew: that is later.
    with pytest.raises(Unclear if ticket is None else (ShutOut, TryLater)):
        system.update(ticket, BOTH) if ticket else system.create(BOTH)
    system.update(system.find(KEY)[0], BOTH)

    assert set(fake.files[1]) == {"plan-v1-ab12.html", "plan-v1-ab12.ics"}
    assert (fake.keys(), system.left_out) == ({KEY: 1}, ())


@EACH_APART
def test_an_update_does_nothing_while_the_documents_cannot_be_listed(kind):
    system, fake = kind.pair()
    ticket = system.create(draft())
    fake.script = Script([Fault.ERROR_502])

    with pytest.raises(TryLater):
        system.update(ticket, draft(version=2, title="Renew 3 certificates on graz"))
    assert system.find(KEY)[0].title == draft().title


@EACH_APART
def test_an_update_shows_its_mark_once_its_documents_are_there(kind):
    system, fake = kind.pair()
    ticket = system.create(draft())
    new = draft(version=2, title="Renew 3 certificates on graz")
    fake.script = Script([Fault.HTML], only=is_upload)
    with pytest.raises(Unclear):
        system.update(ticket, new)
    before = (system.find(KEY)[0].title, system.has(ticket, new.mark))
    system.update(ticket, new)

    assert before == (new.title, False)
    assert system.has(ticket, new.mark)
    assert "plan-v2-ab12.html" in fake.files[1]


@EACH_APART
@pytest.mark.parametrize("fault", [Fault.ERROR_500, Fault.LOST, Fault.HTML])
def test_an_update_whose_documents_alone_do_not_arrive_names_them(kind, fault):
    system, fake = kind.pair()
    ticket = system.create(draft(attachments=()))
    fake.script = Script([Fault.TOO_LARGE, fault], only=is_upload)
    with pytest.raises(Unclear) as told:
        system.update(ticket, replace(BOTH, version=2, title="Renew 3 certificates on graz"))

    assert [one.partition(":")[0] for one in told.value.left_out] == ["plan.html", "plan.ics"]
    assert system.find(KEY)[0].title == "Renew 3 certificates on graz"


@EACH_APART
def test_an_update_that_may_not_have_arrived_itself_names_no_documents(kind):
    system, fake = kind.pair()
    ticket = system.create(draft())
    fake.script = Script([Fault.LOST], only=lambda asked: asked.method in {"PUT", "PATCH"})
    with pytest.raises(Unclear) as told:
        system.update(ticket, replace(BOTH, version=2))

    assert told.value.left_out == ()


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if not kind.attaches_apart], ids=lambda kind: kind.name
)
def test_of_documents_too_large_for_one_call_the_largest_is_left_out(kind):
    system, fake = kind.pair()
    fake.script = Script([Fault.TOO_LARGE])
    first = system.create(BOTH)
    left = system.left_out
    fake.script = Script([Fault.TOO_LARGE], only=lambda asked: b"plan-v2" in asked.raw)
    system.update(first, replace(BOTH, version=2))

    told = "too large for one call (15 bytes)"
    assert left == (f"plan-v1-ab12.ics: {told}",)
    assert system.left_out == (f"plan-v2-ab12.ics: {told}",)
    assert fake.keys() == {KEY: 1}


@EACH_SEARCHED
def test_a_ticket_whose_creation_was_cut_off_gets_its_documents_by_the_next_update(kind):
    system, fake = kind.pair()
    fake.script = Script([Fault.LOST], only=is_create)
    with pytest.raises(Unclear):
        system.create(draft())
    (found,) = system.find(KEY)
    system.update(found, draft())

    assert {name: len(files) for name, files in fake.files[1].items()} == {"plan-v1-ab12.html": 1}


# -- by mail


@pytest.mark.parametrize("where", ["mail", "data", "end"])
def test_documents_that_make_a_mail_too_large_for_the_relay_are_left_out(where):
    big = Attachment(name="plan.pdf", media_type="application/pdf", data=b"x" * 5000)
    with Relay([Manners(keeps=False, **{where: "552 5.3.4 Message size exceeds limit"})]) as relay:
        mail = mailer(relay)
        mail.create(draft(attachments=(*draft().attachments, big)))
    names = [part.get_filename() for part in read(relay.mails[0][2]).iter_attachments()]

    assert len(relay.mails) == 1
    assert names == ["plan-v1-ab12.html"]
    assert mail.left_out == ["plan-v1-ab12.pdf: too large for one call (5000 bytes)"]


def test_documents_that_make_a_mail_too_large_for_us_are_left_out():
    big = Attachment(name="plan.pdf", media_type="application/pdf", data=b"x" * 50_000)
    with Relay() as relay:
        mail = mailer(relay, largest=20_000)
        mail.create(draft(attachments=(big, *draft().attachments)))

    assert [one.partition(":")[0] for one in mail.left_out] == ["plan-v1-ab12.pdf"]


def test_a_mail_that_the_relay_finds_too_large_without_documents_is_refused():
    large = Manners(keeps=False, mail="552 5.3.4 Message size exceeds limit")
    with Relay([large] * 2) as relay, pytest.raises(Refused) as caught:
        mailer(relay).create(draft())

    assert caught.type is Refused
