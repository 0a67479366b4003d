"""Nothing is doubled in the outbox, and a leader that slept writes over nothing."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from store import samples

from watcher.model.ticket import ErrandKind, ErrandState, Ticket, TicketRef
from watcher.store.drafts import draft_from_text, draft_to_text
from watcher.store.reading import BadRow
from watcher.store.weights import Keep

NOW, DAY = samples.NOW, samples.DAY
NEW, SENDING, DONE = ErrandState.NEW, ErrandState.SENDING, ErrandState.DONE


@pytest.fixture
def outbox(store):
    """Return an outbox with one change and the errand to create its ticket."""
    store.outbox.note([samples.change()], [samples.errand()], [])
    return store.outbox


def only(outbox):
    (found,) = outbox.newest("graz").errands
    return found


def test_what_goes_in_comes_out(outbox):
    filed = outbox.newest("graz")

    assert samples.change() == filed.change
    assert [samples.errand(id=filed.errands[0].id)] == filed.errands
    assert [] == filed.tickets
    assert filed == outbox.filed("watcher-graz-1")
    assert [filed] == outbox.recent(10)


def test_a_database_has_one_word_of_its_own(outbox):
    word = outbox.installation()

    assert (word, 6) == (outbox.installation(), len(word))


def test_noting_twice_adds_nothing(outbox):
    later = samples.change(version=2)
    outbox.note([later], [samples.errand(text="again")], [])
    filed = outbox.newest("graz")

    assert later == filed.change
    assert [""] == [one.text for one in filed.errands]


def test_the_newest_change_counts(outbox):
    assert ["graz"] == outbox.open_clusters()
    outbox.note([samples.change(ended_at=NOW)], [], [])
    assert [] == outbox.open_clusters()
    outbox.note([samples.change(2)], [], [])

    assert ["graz"] == outbox.open_clusters()
    assert "watcher-graz-2" == outbox.newest("graz").change.key
    assert None is outbox.newest("linz")


def test_an_errand_moves_only_from_where_it_was(outbox):
    sent = replace(only(outbox), state=SENDING, sent_at=NOW, epoch=4)

    assert outbox.move(sent, NEW)
    assert not outbox.move(sent, NEW)
    assert [sent] == outbox.sending()


def test_a_leader_that_slept_moves_nothing(outbox):
    sent = replace(only(outbox), state=SENDING, sent_at=NOW, epoch=4)
    outbox.move(sent, NEW)

    assert not outbox.move(replace(sent, state=DONE, epoch=3), SENDING)
    assert outbox.move(replace(sent, state=DONE, epoch=5), SENDING)


def test_a_ticket_is_written_with_its_errand_and_only_then(outbox):
    errand, ref = only(outbox), TicketRef(id="7", number="CHG7", url="https://x.test/7")
    ticket = Ticket(change=errand.change, system="directory", ref=ref)
    outbox.move(replace(errand, state=DONE), SENDING, ticket)
    before = outbox.newest("graz").tickets
    outbox.move(replace(errand, state=DONE), NEW, ticket)
    closed = replace(ticket, ref=replace(ref, closed=True), closed_at=NOW)
    outbox.move(replace(errand, state=DONE), DONE, closed)

    assert [] == before
    assert [closed] == outbox.newest("graz").tickets
    assert closed.ref == only(outbox).ticket


def test_what_is_unknown_is_due_before_what_is_new(outbox):
    note = samples.errand(kind=ErrandKind.COMMENT, what="p1")
    lost = replace(note, mark="[lost]", state=ErrandState.UNKNOWN, next_at=NOW)
    later = replace(note, mark="[later]", next_at=NOW + DAY)
    outbox.note([], [note, lost, later], [])
    found = [one.mark for one in outbox.due("directory", NOW, 10)]

    assert ["[lost]", samples.errand().mark, note.mark] == found
    assert [] == outbox.due("another", NOW, 10)
    assert ["[lost]"] == [one.mark for one in outbox.due("directory", NOW, 1)]


def test_counts_are_by_system_and_state(outbox, store):
    other = samples.errand(system="other", state=ErrandState.DEAD, added_at=NOW - DAY)
    outbox.note([], [other], [])
    found = [
        (one.system, one.state, one.count, one.oldest) for one in store.figures.outbox_counts()
    ]

    assert [("directory", NEW, 1, NOW), ("other", ErrandState.DEAD, 1, NOW - DAY)] == found


@pytest.mark.parametrize(
    ("kind", "ended", "counted"),
    [
        (ErrandKind.UPDATE, None, True),
        (ErrandKind.UPDATE, NOW + DAY, False),
        (ErrandKind.CLOSE, NOW, True),
        (ErrandKind.COMMENT, NOW, True),
    ],
)
def test_what_was_given_up_counts_while_its_change_goes_on_or_where_it_was_to_say_the_end(
    store, kind, ended, counted
):
    lost = samples.errand(kind=kind, state=ErrandState.DEAD)
    store.outbox.note([samples.change(ended_at=ended)], [lost], [])

    assert counted == bool(store.figures.outbox_counts())
    assert 1 == len(store.outbox.dead())


@pytest.mark.parametrize("state", [ErrandState.NEW, ErrandState.DEAD])
def test_what_is_overtaken_was_not_sent_or_given_up(store, state):
    waits = samples.errand(kind=ErrandKind.UPDATE, state=state)
    store.outbox.note([samples.change()], [waits], [])
    overtaken = replace(only(store.outbox), state=DONE, told="overtaken")
    store.outbox.note([], [], [overtaken])

    assert (DONE, "overtaken") == (only(store.outbox).state, only(store.outbox).told)


def test_what_is_being_sent_is_overtaken_by_nothing(store):
    sent = samples.errand(kind=ErrandKind.UPDATE, state=SENDING)
    store.outbox.note([samples.change()], [sent], [])
    store.outbox.note([], [], [replace(only(store.outbox), state=DONE)])

    assert SENDING is only(store.outbox).state


def test_what_was_given_up_is_listed(outbox):
    lost = samples.errand(system="other", state=ErrandState.DEAD)
    outbox.note([], [lost], [])

    assert ["other"] == [one.system for one in outbox.dead()]


def test_what_is_at_a_system_that_left_rests_until_it_is_back(outbox):
    states = [NEW, ErrandState.UNKNOWN, ErrandState.DEAD, SENDING, DONE]
    outbox.note([], [samples.errand(what=f"p{n}", system="gone", state=state, refusals=3)
                     for n, state in enumerate(states)], [])  # fmt: skip
    found = []
    for systems in ({"directory"}, {"directory", "gone"}):
        outbox.keep(systems, "left", NOW)
        outbox.keep(systems, "left", NOW)
        errands = outbox.newest("graz").errands
        found.append([one.state for one in errands if one.system == "gone"])

    assert [[DONE, DONE, DONE, SENDING, DONE], [NEW, NEW, NEW, SENDING, DONE]] == found
    assert {0} == {one.refusals for one in errands if one.state is NEW}
    assert [NEW] == [one.state for one in errands if one.system == "directory"]


def test_what_was_sent_in_the_last_hour_is_counted(outbox):
    outbox.move(replace(only(outbox), state=SENDING, sent_at=NOW), NEW)

    assert 1 == outbox.sent_since("directory", NOW - timedelta(hours=1))
    assert 0 == outbox.sent_since("directory", NOW)


HOURS = tuple((NOW + timedelta(hours=n), NOW + timedelta(hours=n + 1)) for n in (1, 30))


@pytest.mark.parametrize(
    "fit",
    [None, samples.fit(), samples.fit(starts=NOW, ends=NOW), samples.fit(sessions=HOURS)],
)
def test_a_draft_comes_back_as_it_was(fit):
    draft = samples.draft(fit=fit)

    assert draft == draft_from_text(draft_to_text(draft))


def test_a_draft_of_a_release_without_fits_is_read():
    old = json.loads(draft_to_text(samples.draft()))
    del old["fit"]

    assert samples.draft(fit=None) == draft_from_text(json.dumps(old))


def test_a_draft_of_a_release_without_sessions_is_read():
    old = json.loads(draft_to_text(samples.draft(fit=samples.fit(sessions=HOURS))))
    del old["fit"]["sessions"]

    assert samples.draft(fit=samples.fit()) == draft_from_text(json.dumps(old))


def test_a_draft_with_spoilt_sessions_is_refused():
    made = json.loads(draft_to_text(samples.draft()))
    for spoilt in (7, [7], [["x", "y"]], [[None, None]], [[NOW.isoformat()]]):
        made["fit"]["sessions"] = spoilt
        with pytest.raises(BadRow):
            draft_from_text(json.dumps(made))


@pytest.mark.parametrize("spoilt", [7, {}, {"outcome": "perhaps"}])
def test_a_draft_with_a_spoilt_fit_is_refused(spoilt):
    made = json.loads(draft_to_text(samples.draft()))

    with pytest.raises(BadRow):
        draft_from_text(json.dumps(made | {"fit": spoilt}))


def test_a_plan_keeps_its_draft_and_gets_another(store):
    plan = samples.plan(cluster="graz", draft=None)
    for draft in (None, samples.draft(), samples.draft(title="later")):
        with store.transaction() as unit:
            unit.add_plan(replace(plan, draft=draft))

    assert samples.draft(title="later") == store.outbox.drawn("graz").draft
    assert plan.drawn_at == store.outbox.drawn("graz").drawn_at
    assert samples.draft(title="later") == store.view.newest_plan("graz").draft


def test_retention_keeps_changes_and_errands(outbox, store):
    store.retention(Keep(bytes=1)).sweep(NOW + 4000 * DAY)

    assert only(outbox).state is NEW


def test_open_tickets_are_followed_and_closed_ones_while_their_change_goes_on(store):
    ref = TicketRef(id="7", number="7", url="")
    store.outbox.note([samples.change()], [], [])
    ticket = Ticket(change="watcher-graz-1", system="scripted", ref=ref)
    store.outbox.see(ticket)
    found = store.outbox.to_follow("scripted", 10), store.outbox.to_follow("other", 10)
    store.outbox.see(replace(ticket, ref=replace(ref, closed=True), closed_at=NOW))
    closed = [one.ref.closed for one in store.outbox.to_follow("scripted", 10)]
    store.outbox.note([samples.change(ended_at=NOW)], [], [])

    assert (([ticket], []), [True]) == (found, closed)
    assert [] == list(store.outbox.to_follow("scripted", 10))
