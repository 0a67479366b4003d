"""What Jira alone has: a late index, pages, transitions and texts that markup makes longer."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from senders.fake_jira import JiraFake
from senders.systems import KINDS, NOW, draft, untimed
from store import samples

from watcher.errors import NotLoggedIn, Refused
from watcher.model.slot import Fit, Outcome
from watcher.senders.jira import BODY
from watcher.senders.jira_cloud import jira_cloud

KEY = "watcher-graz-1"
CLOUD, DC = KINDS[2], KINDS[3]
BOTH = pytest.mark.parametrize("kind", [CLOUD, DC], ids=lambda kind: kind.name)


@BOTH
def test_what_this_process_made_is_found_before_the_index_has_it(kind):
    system, fake = kind.pair(lag=120.0)
    ticket = system.create(draft())
    other = kind.make(fake, True)  # noqa: FBT003 -- as the fixture takes it

    assert fake.seen_from[1] > fake.clock.seconds
    assert [one.id for one in system.find(KEY)] == [ticket.id]
    assert other.find(KEY) == ()
    fake.clock.move(120)
    assert [one.id for one in other.find(KEY)] == [ticket.id]


CALLS = {
    "find": lambda system, _: system.find(KEY),
    "look": lambda system, ticket: system.look(ticket, KEY),
    "create": lambda system, _: system.create(draft("watcher-graz-2")),
    "update": lambda system, ticket: system.update(ticket, draft(version=2)),
    "has": lambda system, ticket: system.has(ticket, f"[{KEY} p1]"),
    "comment": lambda system, ticket: system.comment(ticket, f"[{KEY} p1]", "text"),
}


@BOTH
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_token_that_is_not_taken_any_more_is_told_whatever_the_answer_looks_like(kind, call):
    system, fake = kind.pair()
    ticket = system.create(draft())
    fake.secret = "another"  # noqa: S105 -- of a test

    with pytest.raises(NotLoggedIn, match="does not take the log-in: AUTHENTICATED_FAILED"):
        call(system, ticket)
    assert fake.keys() == {KEY: 1}


@BOTH
@pytest.mark.parametrize(
    "headers",
    [{"X-Seraph-LoginReason": "AUTHENTICATION_DENIED"},
     {"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE; login-url=https://x.example/login"}],
    ids=lambda headers: next(iter(headers)),
)  # fmt: skip
def test_an_account_that_must_solve_a_captcha_is_not_logged_in(kind, headers):
    system, fake = kind.pair()
    fake.captcha = headers

    with pytest.raises(NotLoggedIn, match=next(iter(headers.values()))):
        system.find(KEY)


@BOTH
def test_issues_on_later_pages_are_found(kind):
    system, fake = kind.pair()
    system.create(draft(attachments=()))
    for number in range(2, 130):  # clones by people keep the label, and come after it
        fake.add({**fake.tickets[1], "properties": {}})
        assert fake.count == number

    assert len(system.find(KEY)) == 129
    assert system.find(KEY)[0].number == "UC-1"


@BOTH
def test_an_issue_carries_label_and_property(kind):
    system, fake = kind.pair()
    system.create(draft())

    assert fake.tickets[1]["fields"]["labels"] == ["watcher", KEY]
    assert fake.tickets[1]["properties"]["watcher"] == {"key": KEY, "mark": f"[{KEY} v1 ab12]"}
    assert fake.tickets[1]["fields"]["duedate"] == "2026-11-30"


@BOTH
def test_the_due_date_is_the_day_of_the_cluster(kind):
    system, fake = kind.pair()
    late = datetime(2026, 12, 1, 5, tzinfo=UTC)
    fit = Fit(outcome=Outcome.FOUND, zone="America/Chicago", found_at=NOW, minutes=60)
    system.create(draft(due=late, fit=fit))

    assert fake.tickets[1]["fields"]["duedate"] == "2026-11-30"


@BOTH
def test_an_issue_with_another_key_under_our_label_is_anothers(kind):
    system, fake = kind.pair()
    system.create(draft())
    system.create(draft("watcher-graz-2"))
    fake.tickets[2]["fields"]["labels"].append(KEY)

    assert [one.number for one in system.find(KEY)] == ["UC-1"]


@BOTH
def test_a_long_text_fits_whatever_markup_makes_of_it(kind):
    system, fake = kind.pair()
    system.create(draft(implementation="* [step] {of} *the* plan!\n" * 3000))
    text = fake.tickets[1]["fields"]["description"]
    size = len(text if isinstance(text, str) else json.dumps(text, separators=(",", ":")))

    assert BODY * 0.9 < size <= BODY
    assert "cut" in str(text)


@BOTH
def test_a_transition_that_is_not_there_is_a_refusal_and_nothing_is_said(kind):
    system, fake = kind.pair()
    ticket = system.create(draft())
    system.options = replace(system.options, done="Finish")

    with pytest.raises(Refused, match="no transition 'Finish'"):
        system.close(ticket, f"[{KEY} r1 closed]", "done")
    assert fake.comments[1] == []


@BOTH
def test_a_transition_that_closes_nothing_is_a_refusal(kind):
    system, fake = kind.pair()
    ticket = system.create(draft())
    fake.categories = {"21": "indeterminate", "31": "new"}

    with pytest.raises(Refused, match="'Done' leaves UC-1 as it was"):
        system.close(ticket, f"[{KEY} p1 closed]", "done")


@BOTH
def test_labels_of_people_stay(kind):
    system, fake = kind.pair()
    ticket = system.create(draft())
    fake.tickets[1]["fields"]["labels"].append("theirs")
    system.update(ticket, draft(version=2))

    assert "theirs" in fake.tickets[1]["fields"]["labels"]


@BOTH
def test_labels_of_the_site_stand_beside_ours(kind):
    system, fake = kind.pair()
    system.options = replace(system.options, fields={"labels": ["voice", "watcher"]})
    system.create(draft())

    assert fake.tickets[1]["fields"]["labels"] == ["watcher", KEY, "voice"]


@BOTH
def test_the_newest_of_many_comments_is_seen(kind):
    system, _ = kind.pair()
    ticket = system.create(draft())
    for number in range(120):
        system.comment(ticket, f"[{KEY} p{number}]", "text")

    assert system.has(ticket, f"[{KEY} p119]")
    assert system.has(ticket, f"[{KEY} p0]")
    assert not system.has(ticket, f"[{KEY} p120]")


def test_planned_times_go_to_the_fields_of_the_site():
    fake = JiraFake()
    fake.fields = fake.fields | {"customfield_1", "customfield_2"}
    options = replace(
        CLOUD.pair()[0].options, start_field="customfield_1", end_field="customfield_2"
    )
    jira_cloud(options, fake).create(draft())

    assert fake.tickets[1]["fields"]["customfield_1"] == "2026-11-23T21:00:00.000+0000"


def test_times_that_a_draft_says_no_more_are_cleared_and_only_where_they_stand():
    fake = JiraFake()
    fake.fields = fake.fields | {"customfield_1", "customfield_2"}
    options = replace(
        CLOUD.pair()[0].options, start_field="customfield_1", end_field="customfield_2"
    )
    system = jira_cloud(options, fake)
    ticket = system.create(draft(ends=None))
    fake.fields = fake.fields - {"customfield_2"}  # it is not on the screen
    system.update(ticket, untimed(version=2))
    fields = fake.tickets[1]["fields"]

    assert (fields["customfield_1"], fields["duedate"]) == (None, None)
    assert "customfield_2" not in fields


@BOTH
@pytest.mark.parametrize("fit", [None, samples.fit(outcome=Outcome.UNKNOWN)])
def test_times_that_people_plan_stay_where_no_window_is_known(kind, fit):
    system, fake = kind.pair()
    ticket = system.create(untimed(fit=fit))
    fake.tickets[1]["fields"]["duedate"] = "2026-12-01"
    system.update(ticket, untimed(fit=fit, version=2))

    assert "2026-12-01" == fake.tickets[1]["fields"]["duedate"]


@BOTH
def test_a_new_issue_is_told_no_empty_times(kind):
    system, fake = kind.pair()
    system.create(untimed())

    assert "duedate" not in fake.tickets[1]["fields"]


def test_a_field_that_the_screen_does_not_have_is_a_refusal_that_says_which():
    fake = JiraFake()
    options = replace(CLOUD.pair()[0].options, start_field="customfield_1")

    with pytest.raises(Refused, match="customfield_1"):
        jira_cloud(options, fake).create(draft())
