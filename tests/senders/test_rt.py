"""What Request Tracker alone has: versions of a ticket, subjects and names in queries."""

from dataclasses import replace

import pytest
from senders.fake_rt import RtFake
from senders.systems import KINDS, NOW, draft, untimed
from store import samples

from watcher.errors import InputError, Refused, TryLater
from watcher.model.slot import Outcome
from watcher.senders.rt import PAGES, RequestTracker

KEY = "watcher-graz-1"
RT = KINDS[4]


def test_a_ticket_that_somebody_changed_is_read_once_more():
    system, fake = RT.pair()
    ticket = system.create(draft())
    fake.stale = 1

    system.update(ticket, draft(version=2, title="another"))

    assert fake.tickets[1]["Subject"] == f"[{KEY}] another"


def test_a_ticket_that_everybody_changes_waits():
    system, fake = RT.pair()
    ticket = system.create(draft())
    fake.stale = 2

    with pytest.raises(TryLater, match="others are writing"):
        system.update(ticket, draft(version=2, title="another"))
    assert not system.has(ticket, f"[{KEY} v2 ab12]")


def test_what_a_ticket_says_already_is_not_written_again():
    system, fake = RT.pair()
    ticket = system.create(draft())
    system.update(ticket, draft(version=2))

    assert [one.method for one in fake.asked if one.method == "PUT"] == []
    assert system.has(ticket, f"[{KEY} v2 ab12]")


@pytest.mark.parametrize("version", [1, 2])
def test_times_that_move_alone_are_written_without_a_comment(version):
    system, fake = RT.pair()
    ticket = system.create(draft())
    if version > 1:
        system.update(ticket, draft(version=version))
    before = list(fake.comments[1])
    for day in (24, 25):
        system.update(ticket, draft(version=version, starts=NOW.replace(day=day)))

    assert fake.comments[1] == before
    assert fake.tickets[1]["Starts"] == "2026-11-25 21:00:00"


@pytest.mark.parametrize("superuser", [False, True])
def test_what_stands_on_later_pages_is_seen_whoever_asks(superuser):
    system, fake = RT.pair()
    fake.superuser = superuser
    ticket = system.create(draft(attachments=()))
    for number in range(120):  # each with a mail that only some may see
        system.comment(ticket, f"[{KEY} p{number}]", "text")
    for _ in range(3):
        system.update(ticket, draft(version=2))

    assert all(system.has(ticket, f"[{KEY} p{number}]") for number in (0, 60, 119))
    assert not system.has(ticket, f"[{KEY} p120]")
    assert {name: len(files) for name, files in fake.files[1].items()} == {"plan-v2-ab12.html": 1}


def test_pages_that_never_end_are_left_some_time():
    system, fake = RT.pair()
    ticket = system.create(draft())
    fake.comments[1] *= 5000
    before = len(fake.asked)

    assert not system.has(ticket, f"[{KEY} p1]")
    assert len(fake.asked) == before + PAGES


def test_times_that_a_draft_says_no_more_are_unset():
    system, fake = RT.pair()
    ticket = system.create(draft())
    system.update(ticket, untimed(ends=draft().ends))
    half = [fake.tickets[1][name] for name in ("Starts", "Due")]
    system.update(ticket, untimed())

    assert half == ["", "2026-11-23 23:00:00"]
    assert [fake.tickets[1][name] for name in ("Starts", "Due")] == ["", ""]


@pytest.mark.parametrize("fit", [None, samples.fit(outcome=Outcome.UNKNOWN)])
def test_times_that_people_plan_stay_where_no_window_is_known(fit):
    system, fake = RT.pair()
    ticket = system.create(untimed(fit=fit))
    fake.tickets[1] |= {"Starts": "2026-12-01 20:00:00", "Due": "2026-12-02 02:00:00"}
    system.update(ticket, untimed(fit=fit, version=2))

    assert ("2026-12-01 20:00:00", "2026-12-02 02:00:00") == (
        fake.tickets[1]["Starts"], fake.tickets[1]["Due"],
    )  # fmt: skip


def test_a_new_ticket_is_told_no_empty_times():
    system, fake = RT.pair()
    system.create(untimed())

    assert not {"Starts", "Due"} & set(fake.tickets[1])


@pytest.mark.parametrize("last", [{"starts": None}, {"version": 3}, {"material": "cd34"}])
def test_what_times_do_not_say_is_a_comment(last):
    system, fake = RT.pair()
    ticket = system.create(draft())
    system.update(ticket, draft(version=2))
    system.update(ticket, draft(version=2, starts=NOW.replace(day=24)))
    before = len(fake.comments[1])
    system.update(ticket, draft(**({"version": 2} | last)))

    assert len(fake.comments[1]) == before + 1


def test_that_a_slot_fits_at_last_is_a_comment():
    system, fake = RT.pair()
    ticket = system.create(draft(starts=None))
    before = len(fake.comments[1])
    for starts in (NOW, NOW.replace(day=24), None, NOW.replace(day=25), NOW.replace(day=26)):
        system.update(ticket, draft(starts=starts))

    said = [subject.removeprefix(draft().mark) for subject, _ in fake.comments[1][before:]]
    assert said == ["", " no time", ""]
    assert system.has(ticket, draft().mark)


def test_what_was_said_of_a_lost_time_is_said_otherwise_though_its_documents_are_there():
    system, fake = RT.pair()
    ticket = system.create(draft())
    system.update(ticket, draft(version=2, material="cd34"))
    system.update(ticket, draft())

    assert [subject for subject, _ in fake.comments[1][1:]] == [f"[{KEY} v2 cd34]", draft().mark]


def test_a_status_that_rt_does_not_know_is_refused_and_nothing_is_said():
    system, fake = RT.pair()
    ticket = system.create(draft())
    system.options = replace(system.options, done="closed")

    with pytest.raises(Refused, match=r"does not set Status: .*isn't a valid status"):
        system.close(ticket, f"[{KEY} p1 closed]", "all are done")
    assert len(fake.comments[1]) == 1


def test_what_rt_does_not_let_us_write_is_refused_and_its_version_is_not_there():
    system, fake = RT.pair()
    ticket = system.create(draft())
    fake.right = False

    with pytest.raises(Refused, match=r"does not set Subject, Due: .*Permission Denied"):
        system.update(ticket, draft(version=2, title="another", due=NOW.replace(day=29)))
    assert not system.has(ticket, f"[{KEY} v2 ab12]")


def test_a_status_in_another_case_is_the_same():
    system, _ = RT.pair()
    ticket = system.create(draft())
    system.options = replace(system.options, done="Resolved")

    assert system.close(ticket, f"[{KEY} p1 closed]", "all are done").closed


def test_a_field_that_was_dropped_is_told():
    system, fake = RT.pair()
    fake.drops_field = True

    system.create(draft())

    assert system.left_out == ("the custom field Change-Key: it is not on the queue",)


def test_a_subject_that_people_changed_does_not_hide_a_ticket_with_the_field():
    system, fake = RT.pair()
    ticket = system.create(draft())
    fake.tickets[1]["Subject"] = "graz, next week"

    assert [one.id for one in system.find(KEY)] == [ticket.id]


def test_a_subject_that_quotes_our_key_makes_no_ticket_ours():
    system, fake = RT.pair()
    system.create(draft("watcher-graz-2"))
    fake.tickets[1]["Subject"] = f"Fwd: [{KEY}] see there"

    assert system.find(KEY) == ()


@pytest.mark.parametrize("drops", [False, True])
def test_a_neighbours_key_that_rt_takes_for_ours_is_not_ours_and_blocks_nothing(drops):
    system, fake = RT.pair()
    fake.drops_field = drops
    system.create(draft("watcher-SITE-a-1"))
    before = system.find("watcher-site_a-1")
    ours = system.create(draft("watcher-site_a-1"))

    assert before == ()
    assert [one.id for one in system.find("watcher-site_a-1")] == [ours.id]


@pytest.mark.parametrize("name", ["a'b", 'a"b', "a\\b", "a}b", "a\nb"])
def test_names_that_would_end_a_query_are_input_errors(name):
    with pytest.raises(InputError, match="queue or custom field"):
        RequestTracker(replace(RT.pair()[0].options, queue=name), RtFake())


@pytest.mark.parametrize(
    "mark", [f"[{KEY} p1]\nStatus: resolved", "[watcher-Zürich-1 p1]", "x" * 900]
)
def test_any_mark_is_one_short_line_of_a_subject(mark):
    system, fake = RT.pair()
    ticket = system.create(draft())

    system.comment(ticket, mark, "text")

    subject = fake.comments[1][-1][0]
    assert subject.isascii()
    assert subject.isprintable()
    assert len(subject) <= 200
    assert system.has(ticket, mark)


@pytest.mark.parametrize(
    ("drops", "subject"), [(True, f"Fwd: [{KEY}] see there"), (False, f"[{KEY}] copied")]
)
def test_whose_a_ticket_is_says_its_field_and_without_one_how_its_subject_begins(drops, subject):
    system, fake = RT.pair()
    fake.drops_field = drops
    system.create(draft("watcher-graz-2"))
    fake.tickets[1]["Subject"] = subject
    fake.drops_field = False
    ours = system.create(draft())

    assert [one.id for one in system.find(KEY)] == [ours.id]
