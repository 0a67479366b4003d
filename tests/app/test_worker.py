"""The worker's turn: what is taken in, in which order, and what ends up where when things break."""

import logging
from contextlib import contextmanager

import pytest
from app.bench import drain
from app.desk import NOW, NUMBERED, books_of, places, raw, reasons
from builders import CATALOGUE
from killing.numbered import NOISE, alarm, inventory

from watcher.app.deadline import Attempts
from watcher.cases.identity import Directory
from watcher.cases.selftest import synthetic_alarm
from watcher.inventory.loader import load
from watcher.model.ledger import Counts, Line, Place, Reason
from watcher.model.message import Position
from watcher.ports import CaseQuery, Counted, Damaged, Kept

pytestmark = pytest.mark.timeout(300, method="thread")  # the worker needs the alarm clock


def occurrences(store):
    return sum(row.case.occurrences for row in store.view.list_cases(CaseQuery()))


def test_the_cursor_moves_with_the_rows(bench):
    bench.arrive(*map(alarm, range(12)), noise=3)
    worker = bench.worker()
    seen = []
    while worker.turn():
        seen.append((bench.cursor(), occurrences(bench.store)))

    assert [(5, 5), (10, 10), (13, 12)] == seen
    assert {Place.CASE: 12, Place.NOISE: 3} == places(bench.store)
    assert 0 == books_of(bench.store).difference
    assert worker.progress.batches == 3


def test_the_next_worker_goes_on_where_the_last_one_was(bench):
    bench.arrive(*map(alarm, range(12)))
    bench.worker().turn()
    drain(bench.worker())

    assert 12 == occurrences(bench.store)
    assert {Place.CASE: 12} == places(bench.store)


def test_what_is_in_the_store_may_leave_the_journal(bench):
    bench.arrive(alarm(1))
    drain(bench.worker())

    assert [] == bench.journal.read(Position(0), 10)


@pytest.mark.parametrize("fault", ["before", "within", "after"])
@pytest.mark.parametrize("times", [1, 4])
def test_a_database_that_fails_is_tried_again_and_nothing_doubles(bench, fault, times):
    bench.arrive(*map(alarm, range(7)), noise=2)
    worker = bench.worker()
    worker.turn()
    bench.shaky.faults += [fault] * times
    turns = [worker.turn() for _ in range(times)]
    told = worker.progress.database_problem
    drain(worker)

    assert [False] * times == turns
    assert told
    assert "" == worker.progress.database_problem
    assert 7 == occurrences(bench.store)
    assert {Place.CASE: 7, Place.NOISE: 2} == places(bench.store)
    assert 0 == books_of(bench.store).difference


def test_a_second_worker_on_the_same_journal_changes_nothing(bench):
    bench.arrive(*map(alarm, range(5)))
    slow, quick = bench.worker(), bench.worker()
    slow.turn()
    bench.arrive(*map(alarm, range(5, 10)))
    bench.reader = Copy(bench.journal.read(Position(0), 100))
    late = bench.worker()
    late._find_place()  # noqa: SLF001 -- it was there before the other took the batch in
    drain(quick)
    drain(late)

    assert 10 == occurrences(bench.store)
    assert {Place.CASE: 10} == places(bench.store)


class Copy:
    """A journal that forgets nothing: entries in a list."""

    def __init__(self, entries):
        self.entries = list(entries)

    def read(self, after, limit):
        """Return what is behind."""
        return [entry for entry in self.entries if entry.position > after][:limit]

    def forget(self, before):
        """Keep it all the same."""


def counts(received, **others):
    lines = [Line("udp", Place.RECEIVED, Reason.NONE, received)]
    lines += [Line("udp", Place(name), Reason.NONE, many) for name, many in others.items()]
    return Counts(lines=tuple(lines))


def test_what_of_the_journal_cannot_be_read_is_in_quarantine(bench):
    bench.reader = Copy(
        [
            Kept(position=Position(1), message=raw(alarm(1))),
            Damaged(position=Position(2), data=b"\0\0", size=70),
            Kept(position=Position(3), message=raw(alarm(3))),
            Counted(position=Position(4), counts=counts(5, noise=1), kept=4),
        ]
    )
    drain(bench.worker())
    (row,) = bench.store.view.quarantine(None, 10)

    assert (b"\0\0", Reason.DAMAGED, True) == (row.data, row.reason, row.cut)
    assert Line("journal", Place.QUARANTINED, Reason.DAMAGED, 2) in bench.store.view.books()
    assert 0 == books_of(bench.store).difference


def test_messages_that_nobody_counted_are_received_all_the_same(bench):
    bench.reader = Copy(
        [
            Kept(position=Position(1), message=raw(alarm(1))),
            Kept(position=Position(2), message=raw(alarm(2))),
            Counted(position=Position(3), counts=counts(1), kept=1),
        ]
    )
    drain(bench.worker())

    assert 0 == books_of(bench.store).difference


class Hostile(Directory):
    """Hangs, or breaks, at one node's name."""

    def __init__(self, fault):
        super().__init__(load("inventory.yaml", inventory()), CATALOGUE)
        self.fault = fault

    def place(self, name):
        """Look a node up."""
        if name == "cm4":
            self.fault()
        return super().place(name)


def hang():
    while True:
        pass


def fail():
    raise RuntimeError("a fault of ours")


@pytest.mark.parametrize(
    ("fault", "detail"), [(hang, "not read within 0.3 s"), (fail, "RuntimeError while reading")]
)
def test_poison_goes_to_quarantine_and_the_line_goes_on(bench, caplog, fault, detail):
    bench.directory = Hostile(fault)
    bench.arrive(*map(alarm, range(8)))  # the fourth is of cm4
    with caplog.at_level(logging.CRITICAL):
        drain(bench.worker())

    (row,) = bench.store.view.quarantine(None, 10)
    assert (Reason.POISON, detail, alarm(3)) == (row.reason, row.detail, row.data)
    assert {Place.CASE: 7, Place.QUARANTINED: 1} == places(bench.store)
    assert 0 == books_of(bench.store).difference


def test_what_ended_the_worker_twice_is_not_read_a_third_time(bench):
    """Each attempt that was begun and not done stands for a worker that died in it."""
    bench.directory = Hostile(fail)
    bench.arrive(*map(alarm, range(8)))
    fourth = bench.journal.read(Position(0), 10)[3].position
    begun = []
    for _ in range(2):
        attempts = Attempts(bench.folder / "working")
        begun.append(attempts.begin(fourth))
        attempts.close()
    drain(bench.worker())

    (row,) = bench.store.view.quarantine(None, 10)
    assert [0, 1] == begun
    assert "it ended the worker more than once" == row.detail
    assert 7 == occurrences(bench.store)


def test_a_message_that_ended_the_worker_once_is_read(bench):
    bench.arrive(alarm(1))
    attempts = Attempts(bench.folder / "working")
    attempts.begin(bench.journal.read(Position(0), 10)[0].position)
    attempts.close()
    drain(bench.worker())

    assert {} == reasons(bench.store)
    assert 1 == occurrences(bench.store)


def test_our_own_tests_come_out_at_the_end(bench):
    nonce = "0123456789abcdef"
    bench.arrive(synthetic_alarm(nonce, NOW, CATALOGUE.alarms))
    worker = bench.worker()
    drain(worker)

    assert {nonce} == worker.progress.nonces
    assert {Place.SELF_TEST: 1} == places(bench.store)


def test_what_falls_due_is_done_between_batches(bench):
    done = []
    bench.ticks = {"look": lambda: done.append(occurrences(bench.store))}
    bench.arrive(*map(alarm, range(10)))
    worker = bench.worker()
    for _ in range(2):
        worker.due.put("look")
        worker.turn()

    assert [5, 10] == done


def test_when_it_is_told_to_stop_it_takes_in_what_is_left(bench):
    bench.arrive(*map(alarm, range(12)), NOISE)
    worker = bench.worker()
    worker.stopping.set()
    worker.run()

    assert 12 == occurrences(bench.store)


def test_a_changed_cluster_is_noted_for_its_plan(bench):
    noted = []

    class Notebook:
        def note(self, clusters, at):
            noted.append((clusters, at > 0))

        def due(self, at, *, idle):
            del at, idle

    bench.dirty = Notebook()
    bench.arrive(alarm(1))
    drain(bench.worker())
    bench.arrive(alarm(1))
    drain(bench.worker())

    assert [({"numbered"}, True), (set(), True)] == noted


def test_the_stage_itself_was_heard(bench):
    bench.arrive(alarm(1))
    drain(bench.worker())

    assert "stage:worker" in {row.source for row in bench.store.view.heard()}
    assert "peer:192.0.2.1" in {row.source for row in bench.store.view.heard()}
    assert NUMBERED is bench.directory


class Breaking:
    """A store that cannot take in one message, whatever the reason."""

    def __init__(self, store, data, *, poison_too=False):
        self.store, self.data, self.poison_too = store, data, poison_too

    @contextmanager
    def transaction(self):
        """Begin a transaction that looks at what it keeps."""
        with self.store.transaction() as unit:
            yield _Looking(unit, self)


class _Looking:
    def __init__(self, unit, breaking):
        self._unit, self._breaking = unit, breaking

    def __getattr__(self, name):
        return getattr(self._unit, name)

    def keep(self, messages):
        """Fail at the one message."""
        for one in messages:
            if one.data == self._breaking.data and (
                self._breaking.poison_too or one.reason is not Reason.POISON
            ):
                raise ValueError("a fault of ours")
        self._unit.keep(messages)


def test_a_message_that_breaks_its_batch_is_found_and_put_aside(bench, caplog):
    bench.shaky = Breaking(bench.store, alarm(3))
    bench.arrive(*map(alarm, range(12)), noise=2)
    with caplog.at_level(logging.CRITICAL):
        drain(bench.worker())

    (row,) = bench.store.view.quarantine(None, 10)
    assert (alarm(3), "ValueError while it was taken in") == (row.data, row.detail)
    assert {Place.CASE: 11, Place.QUARANTINED: 1, Place.NOISE: 2} == places(bench.store)
    assert 0 == books_of(bench.store).difference
    assert 11 == occurrences(bench.store)


def test_what_cannot_even_be_put_aside_ends_the_worker(bench, caplog):
    bench.shaky = Breaking(bench.store, alarm(3), poison_too=True)
    bench.arrive(*map(alarm, range(5)))
    with caplog.at_level(logging.CRITICAL), pytest.raises(ValueError, match="a fault of ours"):
        drain(bench.worker())

    assert 3 == occurrences(bench.store)


class Deadly(Directory):
    """Ends the process, as far as a worker can tell, at some nodes' names."""

    def __init__(self, *nodes):
        super().__init__(load("inventory.yaml", inventory()), CATALOGUE)
        self.nodes = nodes

    def place(self, name):
        """Look a node up."""
        if name in self.nodes:
            raise KeyboardInterrupt
        return super().place(name)


@pytest.mark.parametrize("nodes", [("cm1",), ("cm4",), ("cm3", "cm5"), ("cm5", "cm6")])
def test_workers_that_die_again_and_again_get_past_all_of_it(bench, caplog, nodes):
    bench.directory = Deadly(*nodes)
    bench.arrive(*map(alarm, range(8)))
    deaths = 0
    with caplog.at_level(logging.CRITICAL):
        for _ in range(10):
            worker = bench.worker()
            try:
                drain(worker)
            except KeyboardInterrupt:
                deaths += 1
            else:
                break

    assert 2 * len(nodes) == deaths
    assert {Reason.POISON: len(nodes)} == reasons(bench.store)
    assert 8 - len(nodes) == occurrences(bench.store)
    assert 0 == books_of(bench.store).difference
