"""What time does to sources and cases, by a clock that a test moves."""

import logging
from datetime import timedelta

import pytest
from app.desk import NOW, NUMBERED, StillClock, raw, take_in
from app.posts import SETTINGS as WEEKLY
from builders import CATALOGUE
from digest import town
from killing.numbered import alarm, inventory

from watcher.app.digests import Digests
from watcher.app.drawing import Dirty, Draughtsman
from watcher.app.errands import Desk
from watcher.app.heartbeat import Heartbeat
from watcher.app.outgoing import Outgoing
from watcher.app.posting import Carriers
from watcher.app.posting import Desk as DigestDesk
from watcher.app.report import Found, Reporter
from watcher.app.selftest import SelfTest
from watcher.app.status import read_worker, write_status
from watcher.app.steps import ClockSteps
from watcher.app.ticks import Rules, Ticks, _mark
from watcher.app.worker import Progress
from watcher.cases.sources import Expected, SourceState
from watcher.cases.stages import INTERVALS
from watcher.cases.states import TickOptions
from watcher.cases.storm import Budget
from watcher.errors import StoreUnavailable
from watcher.inventory.loader import load
from watcher.journal.local import LocalJournal
from watcher.journal.reader import LocalReader
from watcher.model.case import CaseState, Crossing
from watcher.model.status import ReceiverStatus
from watcher.ports import Batch, CaseQuery
from watcher.settings.schema import Settings
from watcher.store.weights import Keep
from watcher.tickets.due import DueRules

HOUR = timedelta(hours=1)
EXPECTED = tuple(
    Expected(name=name, signs=(f"node:{name}",), interval=HOUR, cluster="numbered")
    for name in ("cm1", "cm2")
)


class Busy:
    """A worker as far as ticks look at it."""

    def __init__(self):
        self.progress = Progress()


@pytest.fixture
def clock():
    return StillClock()


@pytest.fixture
def ticks(store, tmp_path, clock):
    """Return what falls due, with two nodes expected every hour, of a worker that idles."""
    made = started(store, tmp_path, clock)
    made.take_lease()
    return made


def started(store, tmp_path, clock, holder="first"):
    """Return what falls due in a worker that starts now."""
    (tmp_path / "journal").mkdir(exist_ok=True)
    standing, reader = Found(), LocalReader(tmp_path / "journal")
    reporter = Reporter(
        folder=tmp_path, journal="main", reader=reader, view=store.view, figures=store.figures,
        clock=clock, standing=standing, steps=ClockSteps(clock), started_at=clock.now(),
    )  # fmt: skip
    self_test = SelfTest(
        folder=tmp_path, instance="main", every=None, within=HOUR, recipient="",
        alarms=NUMBERED.alarms, runs=store.runs,
    )  # fmt: skip
    made = Ticks(
        rules=Rules(thresholds=(30, 7, 1), tick=TickOptions(quiet_after=75 * HOUR),
                    expected=EXPECTED, lease_seconds=30),
        store=store, view=store.view, figures=store.figures, lease=store.lease,
        retention=store.retention(Keep()), directory=NUMBERED,
        budget=Budget(standing=NUMBERED.standing), standing=standing, reporter=reporter,
        dirty=Dirty(settle_seconds=0, patience_seconds=0), clock=clock, self_test=self_test,
        heartbeat=Heartbeat(every=timedelta(minutes=5), file=tmp_path / "beat"),
        digests=Digests(desk=DigestDesk(settings=Settings(), inventory=None), store=store,
                        clock=clock, standing=standing, carriers=Carriers(relay=None)),
        holder=holder,
        outgoing=Outgoing(Desk(
            outbox=store.outbox, view=store.view, lease=store.lease, clock=clock,
            standing=standing, systems={}, rules=DueRules(systems=()), open_clusters=tuple,
        )),
    )  # fmt: skip
    made.bind(Busy())
    return made


def states(ticks):
    receiving(ticks)
    ticks.look_at_sources()
    ticks.report()
    told = read_worker(ticks.reporter.folder).sources
    return {one.node: one.state for one in told if one.node}


def test_it_is_told_when_it_was_looked_at_who_is_heard(ticks, clock):
    """Digests wait for it, also where no node is expected and so no source is known."""
    before = ticks.standing.sources_at
    ticks.look_at_sources()

    assert (None, clock.now()) == (before, ticks.standing.sources_at)


def test_a_source_becomes_silent_and_is_told_once(ticks, store, clock, caplog):
    take_in(store, raw(alarm(0)))  # of cm1
    first = states(ticks)
    clock.pass_by(1.05 * HOUR)
    patient = states(ticks)
    clock.pass_by(0.1 * HOUR)
    with caplog.at_level(logging.WARNING):
        late, later = states(ticks), states(ticks)

    assert {"cm1": SourceState.HEALTHY, "cm2": SourceState.UNKNOWN} == first == patient
    assert {"cm1": SourceState.SILENT, "cm2": SourceState.SILENT} == late == later
    assert {"source cm1 is silent", "source cm2 is silent"} == {
        record.getMessage() for record in caplog.records if record.action == "source"
    }
    assert 2 == sum(record.action == "source" for record in caplog.records)


def test_a_source_that_is_heard_again_is_healthy(ticks, store, clock):
    clock.pass_by(2 * HOUR)
    states(ticks)
    take_in(store, raw(alarm(0), received_at=clock.now()))

    assert {"cm1": SourceState.HEALTHY, "cm2": SourceState.SILENT} == states(ticks)


def case_states(store):
    return [row.case.state for row in store.view.list_cases(CaseQuery())]


def test_thresholds_are_told_once_the_tightest_aloud(ticks, store, caplog):
    take_in(store, raw(alarm(0)))  # five days are left
    with caplog.at_level(logging.WARNING):
        ticks.look_at_cases()
        ticks.look_at_cases()

    assert ["case numbered: tomcat of cm1: 7 days left or less"] == [
        record.getMessage() for record in caplog.records
    ]


def test_a_case_of_a_silent_source_is_not_quiet(ticks, store, clock):
    take_in(store, raw(alarm(0)))
    for _ in range(100):
        clock.pass_by(HOUR)
        ticks.look_at_sources()
        ticks.look_at_cases()

    assert [CaseState.ALARMED] == case_states(store)


def backup(hour):
    """Return another alarm of the same node."""
    at = NOW + hour * HOUR
    return (
        f"<187>12: cm1: {at:%b %d %Y %H:%M:%S}.544 UTC :  %UC_DRF-3-DRFBackupFailure: "
        "%[Reason=local][AppID=Cisco DRF][ClusterID=][NodeID=cm1]: text"
    ).encode()


def test_a_case_whose_source_is_heard_becomes_quiet(ticks, store, clock):
    take_in(store, raw(alarm(0)))
    found = []
    for hour in range(1, 82):
        clock.pass_by(HOUR)
        take_in(store, raw(backup(hour), received_at=clock.now()))
        ticks.look_at_sources()
        ticks.look_at_cases()
        found += case_states(store)

    assert CaseState.ALARMED is found[73]
    assert CaseState.QUIET is found[-1]


class Away:
    """A view of a database that does not answer."""

    def books(self):
        """Fail."""
        raise StoreUnavailable("nobody answers")


def test_the_report_says_that_the_database_is_away(ticks, store, clock):
    take_in(store, raw(alarm(0)))
    ticks.report()
    before = read_worker(ticks.reporter.folder)
    ticks.reporter.view = Away()
    clock.pass_by(HOUR)
    ticks.report()
    after = read_worker(ticks.reporter.folder)

    assert ("", "nobody answers") == (before.database_problem, after.database_problem)
    assert (clock.now(), before.lines) == (after.written_at, after.lines)


def test_the_first_report_may_find_the_database_away(ticks):
    ticks.reporter.view = Away()
    ticks.report()

    assert "nobody answers" == read_worker(ticks.reporter.folder).database_problem


def receiving(ticks, began=NOW):
    now = ticks.clock.now()
    write_status(
        ticks.reporter.folder, ReceiverStatus(written_at=now, started_at=began, pid=1, version="1")
    )


@pytest.mark.parametrize(
    ("trouble", "beats"),
    [("", True), ("self-test", False), ("receiver", False), ("database", False)],
)
def test_the_heart_beats_only_when_all_stages_work(ticks, trouble, beats, caplog):
    if trouble != "receiver":
        receiving(ticks)
    if trouble == "self-test":
        ticks.self_test.problem = "udp: sent, and not seen at the end"
    if trouble == "database":
        ticks._worker.progress.database_problem = "away"  # noqa: SLF001 -- no other way in
    with caplog.at_level(logging.ERROR):
        ticks.beat()

    assert beats == (ticks.reporter.folder / "beat").exists()
    assert (not beats) == bool(caplog.records)


def test_a_worker_that_has_not_begun_gives_no_sign(ticks, caplog):
    receiving(ticks)
    ticks._worker = None  # noqa: SLF001 -- likewise
    with caplog.at_level(logging.CRITICAL):
        ticks.beat()

    assert not (ticks.reporter.folder / "beat").exists()


def test_an_act_of_a_person_has_the_plans_drawn_anew(ticks, store):
    take_in(store, raw(alarm(0)))
    ticks.look_at_acts()
    unchanged = ticks.dirty.due(1e12, idle=True)
    ticks._latest_act -= 1  # noqa: SLF001 -- as if one had come since
    ticks.look_at_acts()

    assert (None, "numbered") == (unchanged, ticks.dirty.due(1e12, idle=True))


def test_a_plan_whose_times_are_old_is_drawn_anew(ticks, store, clock, tmp_path):
    take_in(store, raw(alarm(0)))
    Draughtsman(
        store=store, view=store.view, catalogue=CATALOGUE, folder=tmp_path / "plans",
        inventory=load("inventory.yaml", inventory()),
    ).draw("numbered", NOW)  # fmt: skip
    ticks.look_at_plans()
    before = ticks.dirty.due(1e12, idle=True)
    clock.pass_by(24 * HOUR)
    ticks.look_at_plans()

    assert (None, "numbered") == (before, ticks.dirty.due(1e12, idle=True))


def test_the_end_lets_another_lead(ticks, store, clock):
    ticks.take_lease()
    ours = ticks.standing.term
    ticks.end()

    assert ours.epoch == 1
    assert store.lease.take("leader", "another", clock.now(), 30).epoch == 2
    assert not read_worker(ticks.reporter.folder).lease_held


def test_a_restart_of_the_worker_forgets_no_silence(ticks, store, tmp_path, clock):
    """The receiver went on all the while."""
    states(ticks)
    clock.pass_by(0.6 * HOUR)
    receiving(ticks)
    again = started(store, tmp_path, clock)
    first = states(again)
    clock.pass_by(0.6 * HOUR)
    late = states(started(store, tmp_path, clock))

    assert {SourceState.UNKNOWN} == set(first.values())
    assert {SourceState.SILENT} == set(late.values())


@pytest.mark.parametrize(("minutes", "state"), [(5, SourceState.SILENT), (30, SourceState.UNKNOWN)])
def test_only_a_gap_in_reception_lets_the_time_begin_anew(ticks, store, clock, minutes, state):
    for _ in range(13):
        clock.pass_by(timedelta(minutes=5))
        states(ticks)
    clock.pass_by(timedelta(minutes=minutes))
    receiving(ticks, began=clock.now())
    again = started(store, ticks.reporter.folder, clock)
    again.look_at_sources()

    assert {state} == {one.state for one in again.standing.sources if one.node}


def test_while_nothing_is_received_nobody_becomes_silent(ticks, clock):
    states(ticks)
    clock.pass_by(5 * HOUR)
    for _ in range(2):
        ticks.look_at_sources()

    assert {"unknown"} == {one.state for one in ticks.standing.sources if one.node}


def test_a_case_becomes_quiet_at_a_site_that_restarts_every_night(store, tmp_path, clock):
    take_in(store, raw(alarm(0)))
    ticks = started(store, tmp_path, clock)
    for hour in range(1, 90):
        clock.pass_by(HOUR)
        ticks = started(store, tmp_path, clock) if hour % 24 == 0 else ticks
        ticks.take_lease()
        take_in(store, raw(backup(hour), received_at=clock.now()))
        states(ticks)
        ticks.look_at_cases()

    assert [CaseState.QUIET] == case_states(store)


def test_of_two_instances_one_tells(ticks, store, tmp_path, clock, caplog):
    (tmp_path / "b").mkdir()
    second = started(store, tmp_path / "b", clock, "second")
    take_in(store, raw(alarm(0)))
    second.take_lease()
    for one in (ticks, second):
        receiving(one)
        with caplog.at_level(logging.WARNING):
            one.look_at_cases()
            one.beat()

    assert [True, False] == [(folder / "beat").exists() for folder in (tmp_path, tmp_path / "b")]
    assert 1 == sum("left or less" in record.getMessage() for record in caplog.records)
    assert ("first", 1) == (second.standing.leader, second.standing.epoch)


def test_who_lost_the_lease_meanwhile_tells_nothing(ticks, store, clock, caplog):
    take_in(store, raw(alarm(0)))
    receiving(ticks)
    store.lease.release("leader", ticks.standing.term)
    store.lease.take("leader", "another", clock.now(), 30)
    with caplog.at_level(logging.WARNING):
        ticks.look_at_cases()
        ticks.beat()

    assert ["leader: no more"] == [record.getMessage() for record in caplog.records]
    assert not (ticks.reporter.folder / "beat").exists()


def test_what_fails_stands_in_the_status_of_who_leads(ticks):
    ticks.digests.desk = DigestDesk(settings=WEEKLY, inventory=None, templates={})
    receiving(ticks)
    ticks.look_at_sources()
    ticks.digests.look()
    ticks.report()
    told = read_worker(ticks.reporter.folder)
    ticks.standing.term = None
    ticks.digests.look()
    ticks.report()
    after = read_worker(ticks.reporter.folder)

    assert ("digest of list voice",) == told.failing
    assert ["voice"] == [one.list for one in told.letters]
    assert ((), ()) == (after.failing, after.letters)


def test_after_an_orderly_end_nobody_leads(ticks, tmp_path):
    ticks.end()

    told = read_worker(tmp_path)
    assert (False, "none", 1) == (told.lease_held, told.lease_holder, told.lease_epoch)


def test_a_flood_does_not_stop_the_time(ticks, store, clock, caplog, monkeypatch):
    monkeypatch.setattr(Ticks, "_behind", lambda _: True)
    take_in(store, raw(alarm(0)))
    with caplog.at_level(logging.WARNING):
        ticks.look_at_cases()
        before = len(caplog.records)
        clock.pass_by(timedelta(minutes=10))
        ticks.look_at_cases()

    assert 0 == before
    assert ["case numbered: tomcat of cm1: 7 days left or less"] == [
        record.getMessage() for record in caplog.records
    ]


@pytest.mark.parametrize(
    ("days", "text"),
    [(7, "7 days left or less"), (1, "1 day left or less"), (0, "its end is over")],
)
def test_marks_are_told_in_words(days, text):
    case = town.case(days=days)
    at = case.end_earliest

    assert text == _mark(Crossing(case=case.key, days=days, at=at, silent=""), case)


@pytest.mark.parametrize(
    ("days", "text"), [(9, "it is revoked"), (None, "it is revoked"), (-1, "its end is over")]
)
def test_what_is_revoked_is_not_said_to_be_over(days, text):
    case = town.case(days=days, revoked=True)

    assert text == _mark(Crossing(case=case.key, days=0, at=town.NOW, silent=""), case)


def test_what_waits_to_be_taken_in_makes_nobody_silent(ticks, clock):
    """After a night without a database its messages are read late; they were sent in time."""
    journal = LocalJournal(ticks.reporter.folder / "journal", clock)
    kept = raw(alarm(0), received_at=NOW + HOUR)
    position = journal.settle(Batch(input="udp", received=1, kept=[kept]))
    journal.durable(position).result()
    clock.pass_by(9 * HOUR)
    waiting = states(ticks)
    ticks._worker.progress.cursor = position  # noqa: SLF001 -- no other way in
    taken_in = states(ticks)
    journal.close()

    assert {SourceState.UNKNOWN} == set(waiting.values())
    assert {SourceState.SILENT} == set(taken_in.values())


def stages(ticks):
    ticks.report()
    told = read_worker(ticks.reporter.folder).sources
    return {one.source: one.state for one in told if one.source.startswith("stage:")}


def test_each_stage_shows_that_it_works(ticks):
    receiving(ticks)
    ticks.look_at_sources()

    assert {f"stage:{name}": "healthy" for name in INTERVALS} == stages(ticks)


@pytest.mark.parametrize("stopped", sorted(INTERVALS))
def test_a_stage_that_stands_still_is_silent(ticks, clock, stopped):
    stages(ticks)
    for _ in range(7):
        clock.pass_by(timedelta(minutes=1))
        work(ticks, stopped)
        found = stages(ticks)

    assert [f"stage:{stopped}"] == [name for name, state in found.items() if state == "silent"]
    gone = (
        "the receiver gives no sign of life" if stopped == "receiver" else f"no sign of: {stopped}"
    )
    assert gone == ticks._trouble()  # noqa: SLF001 -- what the heartbeat is told


def work(ticks, stopped):
    """Let all stages but one do their work for a moment."""
    now, worker = ticks.clock.now(), ticks._worker  # noqa: SLF001 -- no other way in
    end = 5 if stopped == "journal" else 0
    if stopped != "receiver":
        status = ReceiverStatus(written_at=now, started_at=NOW, pid=1, version="1", journal_end=end)
        write_status(ticks.reporter.folder, status)
    if stopped == "worker":
        worker.progress.cursor = -1
    if stopped == "drawing":
        ticks.dirty.note(frozenset({"numbered"}), -1e6)
    if stopped != "store":
        ticks.take_lease()
    if stopped != "scheduler":
        ticks.look_at_sources()
