"""What ServiceNow alone has: its fields, tokens that end, and cuts without a word."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from senders.fake_servicenow import ServiceNowFake
from senders.fakes import Fault, Script
from senders.systems import KINDS, draft, untimed
from store import samples

from watcher.errors import InputError, Refused, TryLater
from watcher.model.slot import Outcome
from watcher.senders.http import HttpOptions
from watcher.senders.servicenow import FIELD, TITLE, ServiceNow, ServiceNowOptions

KEY = "watcher-graz-1"
BASIC, OAUTH = KINDS[0], KINDS[1]
BOTH = pytest.mark.parametrize("kind", [BASIC, OAUTH], ids=lambda kind: kind.name)
UNHEEDED = "it is unknown there, or not ours to write"


def sent(fake, number=1):
    return fake.tickets[number]


def test_a_change_has_the_documented_fields():
    system, fake = BASIC.pair()
    system.create(draft())
    ticket = sent(fake)

    assert ticket["short_description"] == draft().title
    assert ticket["description"].startswith(f"[{KEY} v1 ab12]\n")
    assert ticket["risk_impact_analysis"] == f"{draft().impact}\n\n{draft().risk}"
    assert ticket["implementation_plan"] == draft().implementation
    assert (ticket["backout_plan"], ticket["test_plan"]) == (draft().back_out, draft().test)
    assert (ticket["correlation_id"], ticket["correlation_display"]) == (KEY, "watcher")
    assert "type" not in ticket


def test_times_are_utc():
    system, fake = BASIC.pair()
    vienna = timezone(timedelta(hours=1))
    system.create(draft(starts=datetime(2026, 12, 1, 0, 30, tzinfo=vienna), ends=None))

    assert sent(fake)["start_date"] == "2026-11-30 23:30:00"
    assert "end_date" not in sent(fake)


@BOTH
def test_times_that_a_draft_says_no_more_are_cleared(kind):
    system, fake = kind.pair()
    ticket = system.create(draft())
    system.update(ticket, untimed(version=2, ends=draft().ends))
    times = [sent(fake)[name] for name in ("start_date", "end_date", "due_date")]

    assert times == ["", "2026-11-23 23:00:00", ""]


@BOTH
@pytest.mark.parametrize("fit", [None, samples.fit(outcome=Outcome.UNKNOWN)])
def test_times_that_people_plan_stay_where_no_window_is_known(kind, fit):
    system, fake = kind.pair()
    ticket = system.create(untimed(fit=fit))
    system.update(ticket, untimed(fit=fit, version=2))

    assert not {"start_date", "end_date", "due_date"} & set(sent(fake))


@BOTH
def test_a_new_change_is_told_no_empty_times(kind):
    system, fake = kind.pair()
    system.create(untimed())

    assert not {"start_date", "end_date", "due_date"} & set(sent(fake))


def test_the_table_is_told_the_type():
    system, fake = OAUTH.pair()
    system.create(draft())

    assert sent(fake)["type"] == "normal"
    assert fake.asked[-1].path != "/api/sn_chg_rest/change/normal"


def test_what_is_too_long_is_cut_at_a_line_and_says_so():
    system, fake = BASIC.pair()
    system.create(draft(title="t" * 500, implementation="a step of the plan\n" * 900))
    plan = sent(fake)["implementation_plan"]

    assert len(plan) <= FIELD
    assert plan.endswith(
        "a step of the plan\n(cut here; `watcher tickets show KEY --full` has all of it)"
    )
    assert len(sent(fake)["short_description"]) == TITLE


def test_fields_of_the_site_are_kept_and_ours_win():
    _, fake = BASIC.pair()
    options = ServiceNowOptions(
        http=HttpOptions(url=fake.url), user="watcher", password=fake.secret,
        fields={"assignment_group": "uc", "description": "theirs"},
    )  # fmt: skip
    ServiceNow(options, transport=fake).create(draft())

    assert sent(fake)["assignment_group"] == "uc"
    assert sent(fake)["description"].startswith(f"[{KEY} v1 ab12]")


@pytest.mark.parametrize(
    ("items", "named"),
    [({"graz": "a" * 32, "cucm-pub": "b" * 32}, "a" * 32), ({"cucm-sub1": "c" * 32}, "c" * 32),
     ({"linz": "d" * 32}, "theirs"), ({}, "theirs")],
)  # fmt: skip
def test_a_change_names_the_configuration_item_of_its_cluster_or_node(items, named):
    system, fake = BASIC.pair()
    system.options = replace(system.options, items=items, fields={"cmdb_ci": "theirs"})
    ticket = system.create(draft())
    sent(fake)["assigned_to"] = "ann"
    system.update(ticket, draft(version=2))

    assert sent(fake)["cmdb_ci"] == named


def test_an_update_leaves_what_people_wrote():
    system, fake = BASIC.pair()
    ticket = system.create(draft())
    sent(fake)["assigned_to"] = "ann"
    system.update(ticket, draft(version=2, risk="another"))

    assert sent(fake)["assigned_to"] == "ann"
    assert sent(fake)["risk_impact_analysis"].endswith("another")


@BOTH
@pytest.mark.parametrize("call", ["close", "reopen"])
def test_a_change_that_stays_as_it_was_is_a_refusal_and_is_said_once(kind, call):
    system, fake = kind.pair()
    ticket, mark = system.create(draft()), f"[{KEY} p1 moved]"
    sent(fake)["state"] = "-5" if call == "close" else "3"
    fake.ignored = ("state",)
    told = f": the field state: {UNHEEDED}" if kind is BASIC else ": no reason told"

    for _ in range(2):
        with pytest.raises(Refused, match="leaves CHG0000001 (open|closed)" + told):
            getattr(system, call)(ticket, mark, f"{mark} all are done")
    assert len(fake.comments[1]) == 1


def test_fields_that_the_change_api_takes_no_notice_of_are_told():
    system, fake = BASIC.pair()
    system.options = replace(system.options, fields={"assigment_group": "uc"})
    fake.ignored = ("assigment_group", "correlation_id", "start_date")
    ticket = system.create(draft())
    first = system.left_out
    system.update(ticket, draft(version=2))

    assert sorted(first) == [f"the field {name}: {UNHEEDED}" for name in fake.ignored]
    assert system.left_out == (f"the field start_date: {UNHEEDED}",)
    assert [one.id for one in system.find(KEY)] == [ticket.id]


def test_a_comment_that_is_not_taken_is_a_refusal():
    system, fake = BASIC.pair()
    ticket = system.create(draft())
    fake.ignored = ("work_notes",)

    with pytest.raises(Refused, match="no notice of work_notes in CHG0000001"):
        system.comment(ticket, f"[{KEY} p1]", "text")


def test_a_token_that_ended_is_asked_for_anew_at_the_next_call():
    system, fake = OAUTH.pair()
    system.create(draft())
    fake.tokens.clear()
    with pytest.raises(TryLater, match="token"):
        system.find(KEY)

    assert len(system.find(KEY)) == 1


def test_a_token_that_is_refused_at_once_is_a_refusal():
    system, fake = OAUTH.pair()
    fake.script = Script([Fault.UNAUTHORIZED], only=lambda asked: "oauth" not in asked.path)

    with pytest.raises(Refused, match="just given"):
        system.find(KEY)


def test_a_wrong_client_secret_is_a_refusal():
    _, fake = OAUTH.pair()
    options = ServiceNowOptions(
        http=HttpOptions(url=fake.url),
        client_id="id",
        client_secret="wrong",  # noqa: S106 -- of a test
    )

    with pytest.raises(Refused, match="401"):
        ServiceNow(options, transport=fake).find(KEY)


def test_a_change_without_our_key_that_says_it_in_its_text_is_ours_and_another_is_not():
    system, fake = BASIC.pair()
    fake.drops_field = True
    system.create(draft())
    system.create(draft("watcher-graz-11"))

    assert [ticket.number for ticket in system.find(KEY)] == ["CHG0000001"]


def test_code_in_a_journal_stays_text():
    system, fake = BASIC.pair()
    ticket = system.create(draft())
    system.comment(ticket, f"[{KEY} p1]", "[code]<script>alert(1)</script>[/code]")

    assert "[code]" not in fake.comments[1][0][1]


def test_comments_go_to_a_journal_field_only():
    with pytest.raises(InputError, match="work_notes"):
        ServiceNow(replace(BASIC.pair()[0].options, comments="state"), transport=ServiceNowFake())
