"""End to end against the real Request Tracker 5, where the distribution's packages are there."""

import os
from dataclasses import replace

import pytest
from senders.rt_program import FIELD, QUEUE, REQUESTOR, RtProgram, missing
from senders.systems import HOSTILE, NOW, draft, untimed

from watcher.errors import Refused, TryLater
from watcher.senders.http import HttpOptions, Request
from watcher.senders.rt import RequestTracker, RtOptions

KEY = "watcher-graz-1"


@pytest.fixture(scope="module")
def rt(tmp_path_factory):
    if absent := missing():
        reason = f"Request Tracker 5 is not here: {absent}"
        if os.environ.get("REQUIRE_REAL"):
            pytest.fail(reason)
        pytest.skip(reason)
    with RtProgram(tmp_path_factory.mktemp("rt")) as program:
        yield program


@pytest.fixture
def options(rt):
    return RtOptions(
        http=HttpOptions(url=rt.url), queue=QUEUE, token=rt.token, requestor=REQUESTOR,
        custom_field=FIELD, done="resolved", reopened="open",
    )  # fmt: skip


def shown(system, ticket):
    """Return a ticket as RT shows it."""
    return system._get(ticket.id).value  # noqa: SLF001 -- what is asserted is RT's own word


def test_twenty_drafts_twice_are_twenty_tickets(options):
    system = RequestTracker(options)
    drafts = [draft(f"watcher-linz-{number}") for number in range(20)]
    for _ in range(2):
        for one in drafts:
            if not system.find(one.key):
                system.create(one)

    found = system._search("Subject LIKE 'watcher-linz-'")  # noqa: SLF001 -- RT's own count

    assert len(found) == 20


def test_a_neighbours_key_that_rt_takes_for_ours_blocks_nothing(options):
    system = RequestTracker(options)
    system.create(draft("watcher-SITE-a-1"))
    before = system._search("Subject LIKE '[watcher-site_a-1]'")  # noqa: SLF001 -- RT's own answer
    nothing = system.find("watcher-site_a-1")
    ours = system.create(draft("watcher-site_a-1"))

    assert (len(before), nothing) == (1, ())
    assert [one.id for one in system.find("watcher-site_a-1")] == [ours.id]


def test_rt_keeps_what_a_draft_says(options):
    system = RequestTracker(options)

    ticket = system.create(draft("watcher-wien-1"))
    row = shown(system, ticket)

    assert system.left_out == ()
    assert row["Subject"] == "[watcher-wien-1] Renew 2 certificates on graz"
    assert (row["Starts"], row["Due"]) == ("2026-11-23T21:00:00Z", "2026-11-30T21:00:00Z")
    assert [person["id"] for person in row["Requestor"]] == [REQUESTOR]
    names = [file["Filename"] for file in files(system, ticket)]
    assert "plan-v1-ab12.html" in names


def files(system, ticket):
    query = {"fields": "Subject,Filename,ContentType"}
    return list(system._pages(f"ticket/{ticket.id}/attachments", query))  # noqa: SLF001 -- likewise


def test_a_field_that_the_queue_does_not_have_is_noticed(options):
    system = RequestTracker(replace(options, custom_field="Nowhere"))

    ticket = system.create(draft("watcher-graz-77"))

    assert system.left_out == ("the custom field Nowhere: it is not on the queue",)
    assert [one.id for one in system.find("watcher-graz-77")] == [ticket.id]


def test_comments_and_versions_are_found_by_their_marks(options):
    system = RequestTracker(options)
    ticket = system.create(draft(KEY))
    system.comment(ticket, f"[{KEY} p1]", f"[{KEY} p1] half of it is done")
    system.update(ticket, draft(KEY, 2, title="Renew 3 certificates on graz"))

    whats = ("p1", "p11", "v2 ab12", "v2 0fa2", "v3 ab12")

    assert [system.has(ticket, f"[{KEY} {one}]") for one in whats] == [
        True, False, True, False, False
    ]  # fmt: skip
    assert shown(system, ticket)["Subject"] == f"[{KEY}] Renew 3 certificates on graz"


def test_what_stands_on_the_second_page_is_seen(options):
    system = RequestTracker(options)
    ticket = system.create(draft("watcher-enns-1"))
    for number in range(100):
        system.comment(ticket, f"[watcher-enns-1 p{number}]", "text")
    for _ in range(2):
        system.update(ticket, draft("watcher-enns-1", 2))
    names = [row.get("Filename") for row in files(system, ticket)]

    assert system.has(ticket, "[watcher-enns-1 p99]")
    assert names.count("plan-v2-ab12.html") == 1


def test_a_ticket_is_looked_at_wherever_people_brought_it(options, rt):
    system = RequestTracker(options)
    renamed, deleted, merged = (
        system.create(draft(f"watcher-wels-{number}")) for number in range(3)
    )
    put(system, renamed, Subject="next week")
    rt.delete(deleted.id)
    put(system, merged, MergeInto=renamed.id)
    plain = RequestTracker(replace(options, custom_field=""))

    seen = [
        plain.look(one, f"watcher-wels-{n}") for n, one in enumerate((renamed, deleted, merged))
    ]

    assert [one and one.title for one in seen] == ["next week", None, None]
    assert plain.look(renamed, "watcher-wels-9") is None
    assert plain.look(replace(renamed, id="4711"), "watcher-wels-0") is None


def put(system, ticket, **fields):
    path = f"ticket/{ticket.id}"
    answer = system._send(Request(method="PUT", path=path, changes=True, body=fields))  # noqa: SLF001 -- as people do
    assert "ermission" not in str(answer.value), answer.value


def test_it_is_closed_and_opened_again(options):
    system = RequestTracker(options)
    ticket = system.create(draft("watcher-graz-5"))

    closed = system.close(ticket, "[watcher-graz-5 r1 closed]", "all renewed")
    found = system.find("watcher-graz-5")
    opened = system.reopen(ticket, "[watcher-graz-5 r2 reopened]", "an alarm came again")

    assert (closed.closed, found[0].closed, opened.closed) == (True, True, False)


@pytest.mark.parametrize(
    ("status", "words"), [("closed", "isn't a valid status"), ("deleted", "Permission Denied")]
)
def test_a_status_that_rt_does_not_set_is_refused_before_anything_is_said(options, status, words):
    key = f"watcher-steyr-{status}-1"
    system = RequestTracker(replace(options, done=status))
    ticket = system.create(draft(key))

    with pytest.raises(Refused, match=words):
        system.close(ticket, f"[{key} p1 closed]", "all renewed")
    assert shown(system, ticket)["Status"] == "new"
    assert not system.has(ticket, f"[{key} p1 closed]")


def test_a_stale_version_of_a_ticket_is_not_written_over(options):
    system = RequestTracker(options)
    ticket = system.create(draft("watcher-graz-6"))

    path, headers = f"ticket/{ticket.id}", {"If-Match": '"1"'}
    with pytest.raises(Refused, match="412"):
        system._send(  # noqa: SLF001 -- what RT does is what is asked
            Request(method="PUT", path=path, changes=True, headers=headers, body={"Priority": 1})
        )


def test_hostile_names_set_no_field_and_run_no_command(options, rt):
    system = RequestTracker(options)
    texts = dict.fromkeys(("title", "description", "risk", "impact", "implementation"), HOSTILE)
    ticket = system.create(draft("watcher-graz-8", **texts))
    system.comment(ticket, "[watcher-graz-8 p1]", HOSTILE)
    system.comment(ticket, "[watcher-graz-8 p2]\nStatus: resolved", HOSTILE)

    row = shown(system, ticket)

    assert (row["Status"], row["Cc"], row["AdminCc"]) == ("new", [], [])
    assert "evil@example.com" not in str(row["Requestor"])
    assert "<script" not in contents(system, ticket)
    assert "Couldn't parse date" not in rt.log()


def contents(system, ticket):
    query = {"fields": "Content"}
    rows = system._pages(f"ticket/{ticket.id}/attachments", query)  # noqa: SLF001 -- likewise
    return "".join(row["Content"] for row in rows if row.get("Content"))


def test_a_wrong_token_and_a_wrong_queue_are_refused(options):
    with pytest.raises(Refused, match="401"):
        RequestTracker(replace(options, token="1-2-3")).find(KEY)  # noqa: S106 -- of a test
    with pytest.raises(Refused, match="403"):
        RequestTracker(replace(options, queue="Nowhere")).create(draft(KEY))


def test_a_server_that_is_gone_has_done_nothing(options):
    gone = replace(options, http=HttpOptions(url="http://127.0.0.1:9"))

    with pytest.raises(TryLater):
        RequestTracker(gone).create(draft(KEY))


def test_times_are_utc_whatever_the_servers_zone(options):
    system = RequestTracker(options)
    ticket = system.create(draft("watcher-graz-9", starts=NOW, due=None, ends=None))

    system.update(ticket, draft("watcher-graz-9", 2, starts=NOW.replace(hour=3)))

    assert shown(system, ticket)["Starts"] == "2026-11-23T03:00:00Z"


def test_times_that_move_alone_are_no_comment_and_that_a_slot_fits_is_one(options):
    system = RequestTracker(options)
    ticket = system.create(draft("watcher-graz-10", starts=None))
    told = []
    for day in (23, 24, None, 25, 26):
        system.update(ticket, draft("watcher-graz-10", starts=day and NOW.replace(day=day)))
        told.append(said(system, ticket))

    assert told == [1, 1, 2, 3, 3]
    assert shown(system, ticket)["Starts"] == "2026-11-26T21:00:00Z"


def test_times_that_a_draft_says_no_more_are_unset(options):
    system = RequestTracker(options)
    ticket = system.create(draft("watcher-graz-11"))
    system.update(ticket, untimed(key="watcher-graz-11"))
    row = shown(system, ticket)

    assert (row["Starts"], row["Due"]) == ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z")


def said(system, ticket):
    rows = system._pages(f"ticket/{ticket.id}/attachments", {"fields": "Subject"})  # noqa: SLF001 -- likewise
    return sum(row.get("Subject", "").startswith("[watcher-graz-10 v1 ab12]") for row in rows)
