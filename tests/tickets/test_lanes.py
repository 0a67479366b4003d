"""Each ticket system has a lane and a thread of its own, and only the leader's lanes send."""

import shutil
import threading
import time

import pytest
from app.desk import StillClock, made_empty
from store import samples
from tickets.desk import DAY, HOUR, NOW, SECOND, Scripted, chance, filled, outgoing, run, turn

from watcher.app.outgoing import Loop
from watcher.app.report import Found
from watcher.model.ticket import ErrandState
from watcher.store.engine import open_existing


@pytest.fixture
def clock():
    """Return a clock that the tests move."""
    return StillClock(NOW)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """Return a database with tables and no rows."""
    return made_empty(tmp_path_factory.mktemp("empty"))


class Hanging(Scripted):
    """A system that answers nothing until it is told to."""

    def find(self, key):
        """Wait."""
        self.asked.set()
        self.answers.wait(60)
        return super().find(key)


@pytest.fixture
def hanging(clock):
    system = Hanging(clock, chance(7), faults=False, name="hanging")
    system.asked, system.answers = threading.Event(), threading.Event()
    yield system
    system.answers.set()


def soon(holds):
    """Wait until something holds, a minute at most."""
    end = time.monotonic() + 60
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


@pytest.fixture
def one_store(tmp_path, empty):
    """Return a database in which a ticket of each of ten changes is due at two systems."""
    shutil.copy(empty, tmp_path / "watcher.db")
    store = open_existing(f"sqlite:///{tmp_path}/watcher.db")
    changes = [samples.change(n, key=f"watcher-graz-{n}", cluster=f"c{n}") for n in range(10)]
    store.outbox.note(changes, [
        samples.errand(n, system=system, next_at=NOW, added_at=NOW)
        for n in range(10) for system in ("hanging", "scripted")
    ], [])  # fmt: skip
    with store.transaction() as unit:
        unit.save([samples.case(samples.key(cluster=f"c{n}")) for n in range(10)])
    yield store
    store.close()


def test_a_system_that_hangs_holds_no_other_up(clock, one_store, hanging):
    quick = Scripted(clock, chance(7), faults=False)
    sender = outgoing(clock, one_store.outbox, quick, view=one_store.view,
                      systems={"hanging": hanging, "scripted": quick})  # fmt: skip
    sender.look()
    made = soon(lambda: len(quick.tickets) == 10)
    before = hanging.asked.is_set(), len(hanging.tickets)
    hanging.answers.set()
    followed = soon(lambda: len(hanging.tickets) == 10)
    sender.stop()

    assert (made, before, followed) == (True, (True, 0), True)


class Broken(Scripted):
    """A system for which our own outbox has a fault."""

    def __getattribute__(self, name):
        """Fail at the first look."""
        if name == "searches":
            raise OverflowError("date value out of range")
        return super().__getattribute__(name)


def test_a_fault_in_one_lane_is_told_and_keeps_no_other(clock, one_store, caplog):
    quick = Scripted(clock, chance(7), faults=False)
    broken = Broken(clock, chance(7), faults=False, name="hanging")
    sender = outgoing(clock, one_store.outbox, quick, view=one_store.view,
                      systems={"hanging": broken, "scripted": quick})  # fmt: skip
    sender.look()
    made = soon(lambda: len(quick.tickets) == 10 and sender.failing)
    told = sender.failing
    sender.stop()

    assert made
    assert ("sending tickets to hanging",) == told
    assert 1 == sum("sending tickets to hanging failed" in one.message for one in caplog.records)


def test_the_end_waits_for_nothing_that_hangs(clock):
    memory, system = filled(0), Scripted(clock, chance(1), faults=False)
    sender = outgoing(clock, memory, system)
    sender.look()
    sender.stop()

    names = {thread.name for thread in threading.enumerate()}
    assert not [name for name in names if name.startswith(("deciding", "sending"))]


def test_two_instances_at_once_make_each_ticket_once(clock, tmp_path, empty):
    """Each believes for a while that it leads; the lease and the rows decide."""
    shutil.copy(empty, tmp_path / "watcher.db")
    stores = [open_existing(f"sqlite:///{tmp_path}/watcher.db") for _ in range(2)]
    source = filled(40)
    stores[0].outbox.note(list(source.kept.values()), list(source.errands.values()), [])
    with stores[0].transaction() as unit:
        unit.save([samples.case(samples.key(cluster=f"c{n}")) for n in range(40)])
    system, luck = Scripted(clock, chance(11)), chance(12)
    standing = [Found(), Found()]
    senders = [
        outgoing(clock, stores[n].outbox, system, lease=stores[n].lease, standing=standing[n],
                 view=stores[n].view)
        for n in range(2)
    ]  # fmt: skip
    epochs = set()
    for number in range(400):
        n = luck.randrange(2)
        if luck.random() < 0.7:  # else it goes on with the term that it has, as one that slept
            now = clock.now() + (DAY * 0 if luck.random() < 0.8 else 40 * SECOND)
            standing[n].term = stores[n].lease.take("leader", f"i{n}", now, 30)
        epochs.add(standing[n].term.epoch if standing[n].term else 0)
        system.faults = number < 250
        turn(senders[n])
        clock.pass_by(luck.choice([5, 20, 60]) * SECOND)
    counts = {one.state: one.count for one in stores[0].figures.outbox_counts()}
    for store in stores:
        store.close()

    assert {ErrandState.DONE} == set(counts)
    assert 40 == len(system.tickets) == len({one["key"] for one in system.tickets.values()})
    assert len(epochs) > 5


def test_what_was_due_at_a_system_that_left_the_settings_goes_on_when_it_is_back(clock):
    memory, system = filled(3), Scripted(clock, chance(7), faults=False)
    other = Scripted(clock, chance(7), faults=False, name="other")
    run(outgoing(clock, memory, other), clock, NOW + HOUR)
    without = memory.states()
    run(outgoing(clock, memory, system), clock, NOW + 2 * HOUR)

    assert ({ErrandState.DONE: 3}, {}) == (without, other.tickets)
    assert 3 == len(system.tickets)


def test_two_callers_begin_one_thread():
    """A thread that is being started is not alive yet."""
    for _ in range(50):
        ran, gate = [], threading.Barrier(8)
        loop = Loop("one of its name", lambda ran=ran: ran.append(threading.get_ident()))

        def call(loop=loop, gate=gate):
            gate.wait()
            loop.look()

        callers = [threading.Thread(target=call) for _ in range(8)]
        for one in callers:
            one.start()
        for one in callers:
            one.join()
        alive = [one for one in threading.enumerate() if one.name == "one of its name"]
        loop.stop()
        loop.join(60)

        assert len(alive) <= 1
        assert len(set(ran)) <= 1
