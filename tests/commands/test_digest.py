"""`watcher digest`: the page of a daemon's state in each format, and sent by hand."""

from contextlib import contextmanager
from email import message_from_string
from email.policy import default

import builders
import pytest
from aiosmtpd.controller import Controller
from digest.test_relay import Desk
from icalendar import Calendar
from ports import free_port

LISTS = """\
relay: {{host: 127.0.0.1, port: {port}, security: none, sender: watcher@example.com}}
digest:
  time_zone: Europe/Vienna
  lists:
    - {{name: voice, to: [a@example.com, b@example.com]}}
    - {{name: graz, to: [c@example.com], clusters: [graz]}}
"""


@contextmanager
def relaying(site, desk):
    """Run a relay that the settings of a site name."""
    controller = Controller(desk, "127.0.0.1", free_port(), ready_timeout=20)
    controller.start()
    told = site.settings.read_text()
    site.settings.write_text(told + LISTS.format(port=controller.port))
    try:
        yield
    finally:
        controller.stop()


def test_it_shows_what_the_state_holds(run, site):
    site.take_in(builders.message())
    status, out, err = run("digest")

    assert (status, err) == (0, "")
    assert "case 1, alarmed" in out
    assert "1 received = 1 case; balanced" in out
    assert out.splitlines()[0].rpartition(": week ")[0]


def test_another_time_is_another_page(run, site):
    site.take_in(builders.message())
    _, out, _ = run("digest", "--at", "2041-12-24")

    assert out.startswith("1 expired: week 52\n\nall, week 2041-W52")


def test_the_mail_has_all_its_parts(run, site, tmp_path):
    site.take_in(builders.message())
    file = tmp_path / "digest.eml"
    status, out, _ = run("digest", "--format", "eml", "-o", file)
    mail = message_from_string(file.read_text(), policy=default)
    parts = {part.get_content_type(): part for part in mail.walk() if not part.is_multipart()}

    assert (status, out) == (0, "")
    assert {"text/plain", "text/html", "text/calendar"} == set(parts)
    assert Calendar.from_ical(parts["text/calendar"].get_content())


def test_the_page_is_html(run, site):
    site.take_in(builders.message())

    assert run("digest", "--format", "html")[1].startswith("<!DOCTYPE html>")


def test_it_is_sent_by_hand_and_each_answer_told(run, site):
    site.take_in(builders.message())
    desk = Desk()
    with relaying(site, desk):
        status, out, _ = run("digest", "--send")

    assert status == 0
    assert [("a@example.com", "b@example.com")] == [to for to, _ in desk.mails]
    assert b"\r\nAuto-Submitted: auto-generated\r\n" in desk.mails[0][1]
    assert b".by-hand-" in desk.mails[0][1]
    assert 2 == out.count("taken")


def test_who_did_not_get_it_is_an_error(run, site):
    site.take_in(builders.message())
    desk = Desk()
    desk.rcpt = {"a@example.com": "550 nobody"}
    with relaying(site, desk):
        status, out, err = run("digest", "--send")

    assert status == 3
    assert "550 nobody" in out
    assert err == "watcher: error: not delivered to a@example.com\n"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--list", "nobody"), "there is no list 'nobody'"),
        (("--format", "eml", "-o", "d.html"), "d.html: --format eml does not fit this name"),
        (("-o", "d.pdf"), "a digest cannot be written as .pdf (expected a name in .txt, .html"),
        (("--send",), "there is nobody to send it to"),
        (("--at", "tomorrow"), "--at: 'tomorrow' is not a time (expected 3d from now"),
    ],
)
def test_wrong_use_is_told_in_one_line(run, site, words, problem):
    site.take_in(builders.message())
    status, out, err = run("digest", *words)

    assert (status, out) == (2, "")
    assert problem in err
    assert 1 == err.count("\n")
    assert not list(site.folder.glob("d.*"))


def test_the_name_of_the_file_chooses_the_format(run, site, tmp_path):
    site.take_in(builders.message())
    run("digest", "-o", tmp_path / "page.html")

    assert (tmp_path / "page.html").read_text().startswith("<!DOCTYPE html>")
