"""What is due: once, for what people must decide, and never against what people did."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store import samples
from tickets.desk import DAY, HOUR, MINUTE, NOW, case

from watcher.model.case import CaseState
from watcher.model.slot import Outcome
from watcher.model.ticket import ErrandKind, ErrandState, Ticket, TicketRef
from watcher.tickets.due import DueRules, Ground, addressed, due
from watcher.tickets.said import COMMENT_LINES

RULES = DueRules(systems=("a",))
CLOSING = replace(RULES, close=True)
RESOLVED, REGRESSED = CaseState.RESOLVED, CaseState.REGRESSED


class Story:
    """One cluster as time passes; everything that is due is done at once unless a test waits."""

    def __init__(self, *cases, rules=RULES):
        self.now, self.rules, self.cases = NOW, rules, list(cases)
        self.draft, self.drawn_at = samples.draft(), NOW
        self.changes, self.tickets, self.errands = {}, {}, []

    @property
    def change(self):
        """Return the newest change."""
        return list(self.changes.values())[-1] if self.changes else None

    def look(self, *, after=MINUTE, deliver=True):
        """Let time pass, decide, write down; return what was added."""
        self.now += after
        key = self.change.key if self.change else ""
        found = due(Ground(
            now=self.now, cluster="graz", cases=self.cases, draft=self.draft,
            drawn_at=self.drawn_at, change=self.change,
            tickets=[one for one in self.tickets.values() if one.change == key],
            errands=[one for one in self.errands if one.change == key],
        ), self.rules)  # fmt: skip
        gone = {one.id: one for one in found.overtaken}
        self.errands = [gone.get(one.id, one) for one in self.errands]
        self.changes |= {one.key: one for one in found.changes}
        start = len(self.errands)
        self.errands += [replace(one, id=start + n) for n, one in enumerate(found.add)]
        if deliver:
            self.deliver()
        return [f"{one.kind} {one.mark}" for one in found.add]

    def deliver(self):
        """Do all that waits, as a ticket system without faults does."""
        self.errands = [self.sent(one) for one in self.errands]
        for one in self.errands:
            at = (one.change, one.system)
            if one.kind is ErrandKind.CREATE and one.sent_at and at not in self.tickets:
                ref = TicketRef(id=one.change, number="1", url="")
                self.tickets[at] = Ticket(change=one.change, system=one.system, ref=ref)
            if one.kind in (ErrandKind.CLOSE, ErrandKind.REOPEN) and not one.told:
                self.close(one.system, closed=one.kind is ErrandKind.CLOSE, key=one.change)
                self.errands[one.id] = replace(one, told="seen")

    def sent(self, errand):
        """Return a waiting errand done, or left where people closed the ticket."""
        if errand.state is not ErrandState.NEW:
            return errand
        ticket = self.tickets.get((errand.change, errand.system))
        kept = (ErrandKind.UPDATE, ErrandKind.COMMENT)
        if ticket is not None and ticket.ref.closed and errand.kind in kept:
            digest = errand.digest if errand.kind is ErrandKind.COMMENT else ""
            return replace(errand, state=ErrandState.DONE, digest=digest)
        return replace(errand, state=ErrandState.DONE, sent_at=self.now)

    def close(self, system="a", *, closed=True, key=None):
        """Close a ticket or open it, as people do."""
        at = (key or self.change.key, system)
        ticket = self.tickets[at]
        self.tickets[at] = replace(ticket, ref=replace(ticket.ref, closed=closed),
                                   closed_at=self.now if closed else None)  # fmt: skip

    def plan(self, *decides):
        """Draw another plan."""
        self.draft = samples.draft(material="|".join(decides), decides=decides)
        self.drawn_at = self.now

    def done(self):
        """Resolve all cases by evidence."""
        self.cases = [
            replace(one, state=RESOLVED, resolved_at=self.now, state_since=self.now)
            for one in self.cases
        ]

    def regress(self):
        """Let the first case alarm again."""
        first = self.cases[0]
        self.cases[0] = replace(first, state=REGRESSED, round=first.round + 1,
                                state_since=self.now, resolved_at=None)  # fmt: skip

    def text(self, mark):
        """Return what a comment says."""
        return next(one.text for one in self.errands if mark in one.mark)


def test_a_case_with_a_plan_is_one_ticket():
    story = Story(case())

    assert ["create [watcher-graz-1 v1]"] == story.look()
    assert [] == story.look() == story.look(after=DAY)


def test_each_system_gets_one():
    story = Story(case(), rules=DueRules(systems=("a", "b")))

    assert 2 == len(story.look())
    assert {("watcher-graz-1", "a"), ("watcher-graz-1", "b")} == set(story.tickets)


def test_a_name_that_only_a_message_claims_gets_no_ticket():
    claimed = samples.case(samples.key(claimed=True), opened_at=NOW, state_since=NOW)

    assert [] == Story(claimed).look()
    assert [] == Story().look()


def test_a_plan_from_before_the_case_says_nothing_of_it():
    story = Story(case(opened_at=NOW + HOUR))

    assert [] == story.look(after=2 * HOUR)
    story.plan("fresh")
    assert ["create [watcher-graz-1 v1]"] == story.look()


def test_counters_change_nothing():
    story = Story(case())
    story.look()
    story.cases = [replace(story.cases[0], occurrences=900, heard_at=NOW + DAY)]
    story.draft = replace(story.draft, description="another number of days")

    assert [] == story.look()
    assert "another number of days" == story.change.draft.description


def test_a_material_change_is_one_update_and_one_comment_that_says_what():
    story = Story(case())
    story.plan("Way: a", "Step: x")
    story.look()
    story.plan("Way: b", "Step: x")

    assert ["update [watcher-graz-1 v2]", "comment [watcher-graz-1 v2 note]"] == story.look()
    assert [] == story.look()
    assert "- no more: Way: a\n- new: Way: b" in story.text("v2 note")
    assert "Step: x" not in story.text("v2 note")


def test_another_order_alone_is_said_as_such():
    story = Story(case())
    story.plan("1", "2")
    story.look()
    story.plan("2", "1")
    story.look()

    assert "The order of the steps is another." in story.text("v2 note")


def test_a_long_difference_is_cut():
    story = Story(case())
    story.look()
    story.plan(*map(str, range(500)))
    story.look()

    assert COMMENT_LINES + 2 == len(story.text("v2 note").splitlines())


def test_what_changes_before_the_ticket_is_made_needs_no_comment():
    story = Story(case())
    story.look(deliver=False)
    story.plan("another")
    added = story.look(deliver=False)
    sent = addressed(story.change)
    story.errands = [replace(story.errands[0], version=sent.version, digest=sent.shows)]
    story.deliver()

    assert [] == added == story.look()
    assert 2 == story.change.version


def test_what_is_overtaken_is_not_sent_and_said_later():
    story = Story(case())
    story.look()
    for plan in ("b", "c"):
        story.plan(plan)
        story.look(deliver=False)
    waiting = [one.mark for one in story.errands if one.state is ErrandState.NEW]

    assert ["[watcher-graz-1 v3]", "[watcher-graz-1 v3 note]"] == waiting
    assert "- new: c" in story.text("v3 note")
    assert "- new: b" in story.text("v3 note")


def test_what_was_given_up_rests_once_a_later_one_says_it_all():
    story = Story(case())
    story.look()
    story.plan("b")
    story.look(deliver=False)
    story.errands[1:] = [replace(one, state=ErrandState.DEAD) for one in story.errands[1:]]
    story.plan("c")
    story.look(deliver=False)
    states = {one.what: one.state for one in story.errands[1:]}

    assert states == {"v2": ErrandState.DONE, "v2 note": ErrandState.DONE,
                      "v3": ErrandState.NEW, "v3 note": ErrandState.NEW}  # fmt: skip
    assert "- new: b" in story.text("v3 note")


@pytest.mark.parametrize("state", [CaseState.ACKNOWLEDGED, CaseState.PLANNED])
def test_what_people_do_is_told_once(state):
    story = Story(case())
    story.look()
    story.cases = [replace(story.cases[0], state=state)]

    assert ["comment [watcher-graz-1 p1]"] == story.look()
    assert [] == story.look()
    assert f"graz: tomcat of sub1: {state}" in story.text("p1")


def test_silence_is_no_progress():
    story = Story(case())
    story.look()
    story.cases = [replace(story.cases[0], state=CaseState.QUIET)]

    assert [] == story.look()


def test_evidence_ends_a_change_and_closes_only_where_configured():
    story, closing = Story(case()), Story(case(), rules=CLOSING)
    for one in (story, closing):
        one.look()
        one.done()

    assert ["comment [watcher-graz-1 p1]"] == story.look()
    assert ["close [watcher-graz-1 p1 closed]"] == closing.look()
    assert "graz: tomcat of sub1: done" in closing.text("closed")
    assert "evidence" not in closing.text("closed")  # a person's word may have done it
    assert (story.now, closing.now) == (story.change.ended_at, closing.change.ended_at)
    assert [] == story.look() == closing.look()


def test_a_regression_reopens_what_was_closed():
    story = Story(case(), rules=CLOSING)
    story.look()
    story.done()
    story.look()
    story.regress()

    assert ["reopen [watcher-graz-1 r2 reopened]"] == story.look(after=3 * DAY)
    assert "came again" in story.text("reopened")
    assert ["update [watcher-graz-1 v2]"] == story.look()
    story.done()
    assert ["close [watcher-graz-1 p2 closed]"] == story.look()


def test_a_regression_of_an_open_ticket_is_told():
    story = Story(case())
    story.look()
    story.done()
    story.look()
    story.regress()
    added = story.look(after=3 * DAY)

    assert ["update [watcher-graz-1 v2]", "comment [watcher-graz-1 v2 note]"] == added
    assert "came again" in story.text("v2 note")


STAYING = replace(RULES, stays_closed=frozenset({"a"}))


def test_a_regression_where_nothing_can_be_opened_again_is_another_change():
    story = Story(case(), rules=STAYING)
    story.look()
    story.done()
    story.look()
    story.close()
    story.regress()
    early = story.look(after=3 * DAY)
    story.plan("fresh")

    assert [] == early
    assert ["create [watcher-graz-2 v1]"] == story.look()


def test_a_reopening_that_is_refused_for_good_is_followed_by_another_change():
    story = Story(case())
    story.look()
    story.done()
    story.look()
    story.close()
    story.regress()
    story.plan("again")

    assert ["reopen [watcher-graz-1 r2 reopened]"] == story.look(deliver=False)
    story.errands[-1] = replace(story.errands[-1], state=ErrandState.DEAD)
    assert ["create [watcher-graz-2 v1]"] == story.look(deliver=False)


@pytest.mark.parametrize("late", [MINUTE, HOUR, 9 * DAY])
def test_what_nobody_saw_open_since_a_regression_was_closed_before_it(late):
    story = Story(case())
    story.look()
    story.done()
    story.look()
    story.regress()
    story.look(deliver=False)
    story.now += late
    story.close()

    assert ["reopen [watcher-graz-1 r2 reopened]"] == story.look()
    assert "came again" in story.text("reopened")
    assert ["update [watcher-graz-1 v2 again 2]"] == story.look()


def test_a_reopening_says_what_a_comment_that_found_it_closed_could_not():
    story = Story(case())
    story.look()
    story.done()
    story.look()
    story.regress()
    story.plan("other steps")
    story.look(deliver=False)
    story.close()
    story.deliver()
    story.look()

    assert "- new: other steps" in story.text("reopened")
    assert ["update [watcher-graz-1 v2 again 2]"] == story.look()
    assert [] == story.look()


def test_people_who_close_what_was_opened_again_are_followed():
    story = Story(case())
    story.look()
    story.done()
    story.look()
    story.close()
    story.regress()
    story.look()
    story.close()
    early = story.look()
    story.now += 90 * DAY
    story.cases.append(case("sub2", opened_at=story.now, state_since=story.now))
    story.plan("fresh")

    assert [] == early
    assert ["create [watcher-graz-2 v1]"] == story.look()


def test_people_who_close_what_they_were_told_of_are_followed():
    story = Story(case())
    story.look()
    story.done()
    story.look()
    story.regress()
    story.look()
    story.now += 30 * MINUTE
    story.close()
    at_once = story.look()
    story.now += 90 * DAY
    story.cases.append(case("sub2", opened_at=story.now, state_since=story.now))
    story.plan("fresh")

    assert [] == at_once
    assert ["create [watcher-graz-2 v1]"] == story.look()


def test_a_change_that_was_over_before_its_ticket_was_made_gets_one_when_it_goes_on():
    story = Story(case())
    story.look(deliver=False)
    story.done()
    story.errands[0] = replace(story.errands[0], state=ErrandState.DONE, digest="")
    over = story.look()
    story.regress()

    assert [] == over
    assert ["create [watcher-graz-1 v1 r2]"] == story.look()
    assert ["comment [watcher-graz-1 p1]"] == story.look()
    assert [] == story.look()


@pytest.mark.parametrize("closed", ["a", "b"])
def test_a_ticket_that_people_closed_at_one_of_two_systems_holds_nothing_up(closed):
    story = Story(case(), rules=replace(RULES, systems=("a", "b")))
    story.look()
    story.close(closed)
    story.now += 90 * DAY
    story.cases.append(case("sub2", opened_at=story.now, state_since=story.now))
    story.plan("fresh")
    added = story.look()

    assert ["create [watcher-graz-2 v1]"] * 2 == added[1:]
    assert "comment [watcher-graz-1 left]" == added[0]
    assert "goes on in watcher-graz-2" in story.text("left")
    assert closed not in {one.system for one in story.errands if "left" in one.mark}


def test_the_key_tells_which_database_it_is_of():
    story = Story(case(), rules=replace(RULES, installation="0fa2c1"))

    assert ["create [watcher-graz-0fa2c1-1 v1]"] == story.look()


def found(story, **changes):
    """Let the ticket of a create be found instead of made."""
    story.look()
    story.errands[0] = replace(story.errands[0], digest="", **changes)


def test_a_ticket_that_was_found_is_made_true_without_a_word():
    story = Story(case())
    found(story)

    assert ["update [watcher-graz-1 v1 again 1]"] == story.look()
    assert [] == story.look()


def test_a_closed_ticket_that_was_never_made_by_us_is_another_change():
    story = Story(case())
    found(story, sent_at=None)
    story.now = story.errands[0].next_at
    story.close()

    assert ["create [watcher-graz-2 v1]"] == story.look()


def move_slot(story, days):
    """Plan the change for another day; nothing else is new."""
    starts = story.draft.ends + days * DAY
    story.draft = replace(story.draft, starts=starts, ends=starts + HOUR)


def test_a_slot_that_moves_is_brought_to_the_ticket_without_a_word():
    story = Story(case())
    story.look()
    told = []
    for days in (1, 2, 1, 1):
        move_slot(story, days)
        story.draft = replace(story.draft, ends=NOW)
        told += story.look()

    assert [f"update [watcher-graz-1 v1 again {n}]" for n in (1, 2, 3)] == told
    assert 1 == story.change.version


def test_whether_a_slot_fits_is_brought_to_the_ticket_and_the_way_out_that_moves_daily_is_not():
    story = Story(case())
    story.look()
    told = []
    for changes in ({"found_at": NOW + DAY}, {"relief": "a longer window"}, {"minutes": 7},
                    {"outcome": Outcome.FOUND}):  # fmt: skip
        story.draft = replace(story.draft, fit=replace(story.draft.fit, **changes))
        told.append(story.look())

    assert [[], [], [], ["update [watcher-graz-1 v1 again 1]"]] == told


def test_an_update_that_was_refused_for_good_is_repeated_only_with_something_else():
    story = Story(case())
    story.look()
    story.plan("b")
    story.look(deliver=False)
    story.errands[1] = replace(story.errands[1], state=ErrandState.DEAD)
    move_slot(story, 3)

    assert ["update [watcher-graz-1 v2 again 2]"] == story.look(deliver=False)
    story.errands[-1] = replace(story.errands[-1], state=ErrandState.DEAD)
    assert [] == story.look()
    move_slot(story, 4)
    assert ["update [watcher-graz-1 v2 again 3]"] == story.look()
    story.plan("c")
    assert ["update [watcher-graz-1 v3]", "comment [watcher-graz-1 v3 note]"] == story.look()


def test_what_a_lost_time_left_in_a_ticket_is_not_taken_for_ours():
    """Two databases went on from one backup: the same version, of another plan."""
    signed = []
    for plan, state in (("b", CaseState.PLANNED), ("c", CaseState.ACKNOWLEDGED)):
        story = Story(case())
        story.look()
        story.plan(plan)
        story.cases = [replace(story.cases[0], state=state)]
        story.look()
        signed.append({one.signed for one in story.errands if one.kind is ErrandKind.COMMENT})

    assert {2} == {len(one) for one in signed}
    assert not signed[0] & signed[1]


def test_a_comment_begins_with_its_mark_and_holds_no_other():
    story = Story(case('x" [watcher-graz-1 v3] [Watcher-graz-1 p1]'))
    story.look()
    story.plan("[watcher-graz-1 v2 note]")
    story.cases = [replace(story.cases[0], state=CaseState.PLANNED)]
    story.look()
    comments = [one for one in story.errands if one.kind is ErrandKind.COMMENT]

    assert 2 == len(comments)
    assert all(one.text.startswith(f"{one.signed} ") for one in comments)
    assert all(1 == one.text.lower().count("[watcher-") for one in comments)


def test_a_late_regression_is_another_change():
    story = Story(case(), rules=CLOSING)
    story.look()
    story.done()
    story.look()
    story.now += 60 * DAY
    story.regress()
    story.plan("fresh")

    assert ["create [watcher-graz-2 v1]"] == story.look()


def test_a_new_case_after_the_end_is_another_change():
    story = Story(case())
    story.look()
    story.done()
    story.look()
    story.cases.append(case("sub2", opened_at=story.now, state_since=story.now))
    story.plan("fresh")

    assert ["create [watcher-graz-2 v1]"] == story.look()
    assert ("graz: tomcat of sub2: open",) == story.change.standing


def test_a_ticket_that_people_closed_is_left_alone():
    story = Story(case())
    story.look()
    story.close()
    story.plan("another")

    assert [] == story.look() == story.look(after=10 * DAY)


def test_something_new_long_after_people_closed_it_is_another_change():
    story = Story(case())
    story.look()
    story.close()
    soon = story.now + HOUR
    story.cases.append(case("sub2", opened_at=soon, state_since=soon))
    early = story.look(after=2 * HOUR)
    story.plan("fresh")

    assert [] == early
    assert ["create [watcher-graz-2 v1]"] == story.look(after=2 * DAY)
    assert story.changes["watcher-graz-1"].ended_at is not None


def test_nothing_follows_before_the_ticket_is_there():
    story = Story(case())
    story.look(deliver=False)
    story.plan("b")
    story.cases = [replace(story.cases[0], state=CaseState.ACKNOWLEDGED)]

    assert [] == story.look(deliver=False)


def test_a_new_system_gets_the_ticket_of_an_open_change_only():
    story = Story(case())
    story.look()
    story.rules = DueRules(systems=("a", "b"))
    first = story.look()
    story.done()
    story.look()
    story.rules = DueRules(systems=("a", "b", "c"))

    assert ["create [watcher-graz-1 v1]"] == first
    assert [] == story.look()


DEEDS = ("plan", "done", "regress", "close", "acknowledge", "case", "wait", "look")


@given(st.lists(st.sampled_from(DEEDS), max_size=25), st.booleans())
def test_whatever_happens_nothing_is_due_twice(deeds, close):
    story = Story(case(), rules=CLOSING if close else RULES)
    for number, deed in enumerate(deeds):
        _happen(story, deed, number)
        story.look(deliver=deed != "wait")
        keys = [(one.change, one.mark) for one in story.errands]
        creates = [one.change for one in story.errands if one.kind is ErrandKind.CREATE]

        assert len(keys) == len(set(keys))
        assert sorted(set(creates)) == sorted(creates)
        assert [] in [story.look(after=0 * DAY) for _ in range(4)]
        assert [] == story.look(after=0 * DAY)


def _happen(story, deed, number):
    if deed == "plan":
        story.plan(str(number))
    elif deed == "done":
        story.done()
    elif deed == "regress" and story.cases[0].state is RESOLVED:
        story.regress()
        story.plan(f"r{number}")
    elif deed == "close" and story.tickets and story.change.key in {k for k, _ in story.tickets}:
        story.close()
    elif deed == "acknowledge":
        story.cases[0] = replace(story.cases[0], state=CaseState.ACKNOWLEDGED)
    elif deed == "case":
        story.cases.append(case(f"n{number}", opened_at=story.now, state_since=story.now))
    elif deed == "wait":
        story.now += 2 * DAY
