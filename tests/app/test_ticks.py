"""What time does to sources and cases, by a clock that a test moves."""

import logging
from datetime import timedelta

import pytest
from app.desk import NOW, NUMBERED, StillClock, raw, take_in
from killing.numbered import alarm

from watcher.app.drawing import Dirty
from watcher.app.heartbeat import Heartbeat
from watcher.app.report import Found, Reporter
from watcher.app.selftest import SelfTest
from watcher.app.status import read_worker, write_status
from watcher.app.steps import ClockSteps
from watcher.app.ticks import Rules, Ticks
from watcher.app.worker import Progress
from watcher.cases.sources import Expected, SourceState
from watcher.cases.states import TickOptions
from watcher.cases.storm import Budget
from watcher.errors import StoreUnavailable
from watcher.journal.reader import LocalReader
from watcher.model.case import CaseState
from watcher.model.status import ReceiverStatus
from watcher.ports import CaseQuery
from watcher.store.weights import Keep

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
    (tmp_path / "journal").mkdir()
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
    )  # fmt: skip
    made.bind(Busy())
    return made


def states(ticks):
    ticks.look_at_sources()
    ticks.report()
    told = read_worker(ticks.reporter.folder).sources
    return {one.node: one.state for one in told}


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
        record.getMessage() for record in caplog.records
    }
    assert 2 == len(caplog.records)


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

    assert ["case numbered: tomcat of cm1: 7 days or less left"] == [
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


def receiving(ticks):
    now = ticks.clock.now()
    write_status(
        ticks.reporter.folder, ReceiverStatus(written_at=now, started_at=now, pid=1, version="1")
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


def test_the_end_lets_another_lead(ticks, store, clock):
    ticks.take_lease()
    ours = ticks.standing.term
    ticks.end()

    assert ours.epoch == 1
    assert store.lease.take("leader", "another", clock.now(), 30).epoch == 2
    assert not read_worker(ticks.reporter.folder).lease_held
