"""Digests of a daemon: one a week, whatever ends, waits, answers late or steps."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from app.desk import StillClock
from app.posts import PEOPLE, SETTINGS, Killed, Mortals, Relay, daemon, ids, keep, looks
from digest.town import DAY, NOW, case, source
from store.samples import plan

from watcher.app.digests import CLAIMED, LATE
from watcher.app.posting import state_of
from watcher.digest.sending import QUIET, Consignment, from_text, to_text
from watcher.errors import StoreUnavailable
from watcher.model.digest import Answer, Delivery, Parcel
from watcher.model.ticket import ErrandState, OutboxCount
from watcher.settings.schema import Settings


@pytest.fixture
def clock():
    return StillClock(NOW)


@pytest.fixture
def relay():
    return Relay()


def test_a_week_brings_one_digest_to_each(store, clock, relay):
    digests = daemon(store, clock, relay)
    for _ in range(14):
        looks(digests)
        clock.pass_by(DAY / 2)

    assert list(PEOPLE) == [to for to, _ in relay.letters]
    assert {b"<digest.2026-W48.main.voice@watcher.example.com>"} == set(ids(relay))
    looks(digests)

    assert 4 == len(relay.letters)


def test_a_letter_is_dated_when_it_was_made_and_keeps_that(store, clock, relay):
    relay.says = dict.fromkeys(PEOPLE, (Answer.LATER, "450"))
    clock.pass_by(timedelta(hours=17))
    digests = daemon(store, clock, relay)
    looks(digests)
    relay.says = {}
    clock.pass_by(timedelta(hours=3))
    digests.standing.term = store.lease.take("leader", "first", clock.now(), 30)
    looks(digests)

    assert 2 == len(relay.letters)
    assert b"\r\nDate: Mon, 23 Nov 2026 23:00:00 +0000\r\n" in relay.letters[0][1]


def test_the_digest_waits_for_plans_that_are_being_drawn(store, clock, relay):
    keep(store, case(days=50))
    digests = daemon(store, clock, relay)
    looks(digests)
    early = len(relay.letters)
    with store.transaction() as unit:
        unit.add_plan(plan())
    looks(digests)

    assert (0, 2) == (early, len(relay.letters))
    assert b"plan ABAB-ABAB-ABAB" in relay.letters[0][1]


def test_a_plan_that_is_never_drawn_does_not_keep_the_digest(store, clock, relay):
    keep(store, case(days=50))
    digests = daemon(store, clock, relay)
    looks(digests)
    clock.pass_by(timedelta(minutes=10))
    digests.standing.term = store.lease.take("leader", "first", clock.now(), 30)
    looks(digests)

    assert 2 == len(relay.letters)


def test_what_is_written_down_at_the_end_holds_no_letter(store, clock, relay):
    looks(daemon(store, clock, relay))
    (work,) = store.runs.work("digest:voice", 9)

    assert work.finished_at == NOW
    assert [Delivery.DONE] * 2 == [parcel.state for parcel in from_text(work.result).parcels]
    assert b"" == from_text(work.result).letter


def test_one_recipient_that_must_wait_does_not_double_the_others(store, clock, relay):
    relay.says = {PEOPLE[1]: (Answer.LATER, "450")}
    digests = daemon(store, clock, relay)
    looks(digests)
    first = list(relay.letters)
    relay.says = {}
    clock.pass_by(timedelta(hours=1))
    looks(digests)

    assert [PEOPLE[0]] == [to for to, _ in first]
    assert list(PEOPLE) == [to for to, _ in relay.letters]
    assert 1 == len({letter for _, letter in relay.letters})


def test_a_week_that_could_not_be_sent_is_not_replaced_by_the_next(store, clock, relay):
    relay.says = dict.fromkeys(PEOPLE, (Answer.LATER, "no answer"))
    clock.at = NOW + 4 * DAY
    digests = daemon(store, clock, relay)
    for _ in range(30):
        looks(digests)
        clock.pass_by(timedelta(hours=3))
        digests.standing.term = store.lease.take("leader", "first", clock.now(), 30)
    assert [] == relay.letters

    relay.says = {}
    looks(digests, 6)

    assert [b"2026-W48"] * 2 + [b"2026-W49"] * 2 == [one[8:16] for one in ids(relay)]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 5))
def test_a_process_killed_at_any_write_loses_no_digest(store, clock, relay, at, after):
    """Only what was sent and not yet written down goes out again, with the same Message-ID."""
    digests = daemon(store, clock, relay)
    digests.store = Mortals(store, at, after)
    with pytest.raises(Killed):
        looks(digests)
    lost = 2 if (at, after) == (4, False) else 0
    for _ in range(4):
        clock.pass_by(max(QUIET, CLAIMED) + timedelta(seconds=1))
        looks(daemon(store, clock, relay))

    assert 2 + lost == len(relay.letters)
    assert 1 == len(set(ids(relay)))
    assert set(PEOPLE) == {to for to, _ in relay.letters}
    assert store.runs.work("digest:voice", 9)[0].finished_at


def test_two_instances_send_one(store, clock, relay):
    first = daemon(store, clock, relay)
    second = daemon(store, clock, relay, holder="second")
    looks(second)
    looks(first)

    assert second.standing.term is None
    assert 2 == len(relay.letters)


def test_a_leader_that_slept_sends_nothing(store, clock, relay):
    digests = daemon(store, clock, relay)
    clock.pass_by(timedelta(minutes=5))
    store.lease.take("leader", "another", clock.now(), 30)
    looks(digests)

    assert [] == relay.letters


@pytest.mark.parametrize("days", [-400, -8, 8, 400])
def test_a_clock_that_steps_and_comes_back_doubles_nothing(store, clock, relay, days):
    digests = daemon(store, clock, relay)
    for step in (0, days, 0, 1, days, 0):
        clock.at = NOW + step * DAY
        digests.standing.term = store.lease.take("leader", "first", clock.now(), 30)
        looks(digests)

    assert 4 == len(relay.letters)
    assert 2 == len(set(ids(relay)))


def test_nothing_due_is_sent_only_where_the_site_wants_it(store, clock, relay):
    told = SETTINGS.digest.model_copy(update={"quiet": False})
    digests = daemon(store, clock, relay, SETTINGS.model_copy(update={"digest": told}))
    looks(digests)

    assert [] == relay.letters
    assert "nothing was due" in store.runs.work("digest:voice", 9)[0].result


def test_the_digest_waits_until_it_is_known_who_is_heard(store, clock, relay):
    digests = daemon(store, clock, relay)
    digests.standing.sources_at = None
    looks(digests)
    none = len(relay.letters)
    digests.standing.sources_at = NOW
    looks(digests)

    assert (0, 2) == (none, len(relay.letters))


@pytest.mark.parametrize("sources", [(), (source("stage:journal"),)])
def test_where_nobody_is_expected_the_digest_goes_out_nevertheless(store, clock, relay, sources):
    """An inventory without nodes, or each with `every: null`, expects nobody."""
    digests = daemon(store, clock, relay)
    digests.standing.sources = sources
    looks(digests)

    assert list(PEOPLE) == [to for to, _ in relay.letters]


def test_weeks_without_a_digest_are_named_in_the_next(store, clock, relay):
    digests = daemon(store, clock, relay)
    looks(digests)
    clock.at = NOW + 29 * DAY
    digests.standing.term = store.lease.take("leader", "first", clock.now(), 30)
    looks(digests)

    assert 4 == len(relay.letters)
    assert b"No digest was made for 2026-W49, 2026-W50, 2026-W51" in relay.letters[-1][1]


def test_a_database_that_goes_away_while_a_mail_is_sent_doubles_nothing(store, clock, relay):
    digests = daemon(store, clock, relay)
    digests.look()
    digests._away.join()  # noqa: SLF001 -- likewise
    runs, digests.store = store.runs, Away(store)
    with pytest.raises(StoreUnavailable):
        digests.look()
    digests.store = store
    looks(digests)

    assert 2 == len(relay.letters)
    assert runs.work("digest:voice", 9)[0].finished_at


class Away:
    """A store whose runs do not answer."""

    def __init__(self, store):
        self.lease, self.runs = store.lease, self

    def work(self, *_):
        """Fail."""
        raise StoreUnavailable("nobody answers")


def test_the_end_waits_a_moment_for_a_mail(store, clock, relay):
    digests = daemon(store, clock, relay)
    digests.look()
    begun = time.monotonic()
    digests.stop()

    assert time.monotonic() - begun < 3
    assert store.runs.work("digest:voice", 9)[0].finished_at


def test_a_fault_of_a_page_does_not_stop_the_line(store, clock, relay, caplog):
    digests = daemon(store, clock, relay)
    digests.desk = replace(digests.desk, templates={})
    digests.look()

    digests.look()

    failed = "digest of list voice failed; it is tried again"
    assert [failed] == [record.getMessage() for record in caplog.records]
    digests.desk = daemon(store, clock, relay).desk
    clock.pass_by(CLAIMED)
    looks(digests)

    assert 2 == len(relay.letters)


class Halting:
    """A desk that cannot draw the page of one list."""

    def __init__(self, desk, broken):
        self.desk, self.broken = desk, broken

    def __getattr__(self, name):
        """Be like what is wrapped."""
        return getattr(self.desk, name)

    def page(self, name, *arguments):
        """Fail for that list."""
        if name == self.broken:
            raise OverflowError("date value out of range")
        return self.desk.page(name, *arguments)


BOTH = Settings(
    relay=SETTINGS.relay.model_dump(),
    digest={
        "time_zone": "Europe/Vienna",
        "lists": [{"name": "graz", "to": PEOPLE[:1]}, {"name": "wien", "to": PEOPLE[1:]}],
    },
    notifications={"lists": [{"name": "duty", "to": PEOPLE}]},
)


def test_a_list_that_cannot_be_drawn_keeps_no_other(store, clock, relay, caplog):
    digests = daemon(store, clock, relay, BOTH)
    digests.desk = Halting(digests.desk, "graz")
    for _ in range(30):
        looks(digests)
        clock.pass_by(timedelta(minutes=1))
        digests.standing.term = store.lease.take("leader", "first", clock.now(), 30)

    assert [PEOPLE[1]] == [to for to, _ in relay.letters]
    assert 1 == len(store.runs.work("notify:duty", 9))
    errors = [one.getMessage() for one in caplog.records if one.levelname == "ERROR"]
    assert ["digest of list graz failed; it is tried again"] == errors
    assert ("digest of list graz",) == digests.failing
    assert [("duty", 0), ("graz", 1), ("wien", 0)] == [
        (one.list, one.undrawn) for one in digests.standing.letters
    ]
    digests.desk = digests.desk.desk
    looks(digests)

    assert [PEOPLE[1], PEOPLE[0]] == [to for to, _ in relay.letters]
    assert () == digests.failing


def test_a_letter_that_somebody_altered_is_drawn_anew(store, clock, relay):
    """A time without its zone: nobody can tell when it was begun."""
    parcels = (Parcel(to=PEOPLE[0]),)
    altered = Consignment(begun_at=NOW.replace(tzinfo=None), letter=b"", parcels=parcels)
    store.runs.claim("digest:graz", "2026-W48", NOW - CLAIMED)
    store.runs.note("digest:graz", "2026-W48", to_text(altered))
    looks(daemon(store, clock, relay, BOTH))

    assert set(PEOPLE) == {to for to, _ in relay.letters}
    assert len(PEOPLE) == len(relay.letters)


def test_of_letters_that_cannot_be_read_only_the_newest_is_drawn_anew(store, clock, relay):
    for week in ("2026-W46", "2026-W47", "2026-W48"):
        store.runs.claim("digest:voice", week, NOW - CLAIMED)
        store.runs.note("digest:voice", week, "spoilt")
    store.runs.claim("digest:voice", "2026-W45", NOW)
    store.runs.finish("digest:voice", "2026-W45", NOW, "sent")
    looks(daemon(store, clock, relay))

    assert {b"<digest.2026-W48.main.voice@watcher.example.com>"} == set(ids(relay))
    assert [LATE] * 2 == [work.result for work in store.runs.work("digest:voice", 9)[1:3]]
    assert b"2026-W46, 2026-W47" in relay.letters[0][1]


def test_letters_are_counted_whatever_one_row_holds(store, clock, relay):
    """A time that no clock shows, and a number that is none."""
    store.runs.claim("digest:voice", "2026-W40", NOW)
    store.runs.note("digest:voice", "2026-W40", '{"begun_at": "2026-10-01T00:00Z", "epoch": 1e999}')
    digests = daemon(store, clock, relay)
    looks(digests)

    assert (2, 0) == (digests.standing.letters[0].delivered, digests.standing.letters[0].undrawn)
    assert () == digests.failing


class Stubborn:
    """Runs that take no note of one job."""

    def __init__(self, runs, job):
        self.runs, self.job, self.notes = runs, job, 0

    def __getattr__(self, name):
        """Be like what is wrapped."""
        return getattr(self.runs, name)

    def note(self, job, period, result):
        """Take the first note, which holds the letter, and none on its way."""
        self.notes += job == self.job
        if job == self.job and self.notes > 1:
            raise ValueError("no such thing")
        self.runs.note(job, period, result)


def test_a_letter_that_cannot_be_sent_keeps_no_other(store, clock, relay):
    digests = daemon(store, clock, relay, BOTH)
    digests.store = Counting(store)
    digests.store.runs = Stubborn(store.runs, "digest:graz")
    looks(digests)

    assert [PEOPLE[1]] == [to for to, _ in relay.letters]
    assert ("sending digest:graz",) == digests.failing


def test_a_quiet_tick_reads_the_runs_of_a_list_once(store, clock, relay):
    digests = daemon(store, clock, relay, BOTH)
    looks(digests)
    digests.store = Counting(store)
    digests.look()

    assert ["digest:graz", "digest:wien", "notify:duty"] == sorted(digests.store.read)


class Counting:
    """A store that remembers of which jobs the runs were read."""

    def __init__(self, store):
        self.store, self.runs, self.read = store, self, []

    def __getattr__(self, name):
        """Be like what is wrapped."""
        return getattr(self.store, name)

    def work(self, job, limit):
        """Read the runs."""
        self.read.append(job)
        return self.store.runs.work(job, limit)


def test_each_week_waits_for_its_plans(store, clock, relay):
    keep(store, case(days=50))
    digests = daemon(store, clock, relay)
    sent = []
    for step in (0, 600, 7 * 24 * 3600, 600):
        clock.pass_by(timedelta(seconds=step))
        digests.standing.term = store.lease.take("leader", "first", clock.now(), 30)
        looks(digests)
        sent.append(len(relay.letters))

    assert [0, 2, 2, 4] == sent


@pytest.mark.parametrize(
    ("state", "hours", "words"),
    [
        (ErrandState.DEAD, 0, "2 at jira: given up"),
        (ErrandState.UNKNOWN, 1, "2 at jira: sent with an unclear end"),
        (ErrandState.UNKNOWN, 0.5, ""),
        (ErrandState.SENDING, 2, ""),
        (ErrandState.NEW, 2, "2 at jira: not taken yet"),
        (ErrandState.NEW, 0.5, ""),
        (ErrandState.DONE, 500, ""),
    ],
)
def test_tickets_that_are_stuck_are_told(store, state, hours, words):
    class Counts:
        view, outbox = store.view, store.outbox

        class figures:  # noqa: N801 -- named as the store's
            @staticmethod
            def outbox_counts():
                """Count two errands."""
                oldest = NOW - timedelta(hours=hours)
                return [OutboxCount(system="jira", state=state, count=2, oldest=oldest)]

    stuck = state_of(Counts, (), None, NOW).stuck

    assert [words] * bool(words) == [one.partition(",")[0] for one in stuck]


def test_no_end_in_a_database_of_before_stops_no_digest(store, clock, relay):
    """RFC 5280's date for it, as former versions kept it."""
    end = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    keep(store, case(days=50, confirmed_end=end, end_earliest=end, end_latest=end))
    digests = daemon(store, clock, relay)
    digests.desk = replace(digests.desk, inventory=None)
    looks(digests)

    assert list(PEOPLE) == [to for to, _ in relay.letters]
