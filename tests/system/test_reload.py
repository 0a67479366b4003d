"""SIGHUP: settings are taken over whole or not at all, and nobody who talks to us is cut off."""

import signal
import socket
import time
from pathlib import Path

import pytest
from killing.numbered import alarm
from ports import free_port
from system.house import HERE, House, until


@pytest.fixture(scope="module")
def running(shared_folder):
    """Return a daemon for all tests; each says what it needs."""
    made = House(shared_folder / "house").start()
    yield made
    status = made.stop()
    faults = made.faults()
    made.clear()

    assert (0, []) == (status, faults)


def answers(port):
    with socket.socket() as sock:
        sock.settimeout(10)
        return sock.connect_ex((HERE, port)) == 0


def counted(frame):
    return b"%d %s" % (len(frame), frame)


def test_changed_rules_and_inventory_are_taken_over(running):
    known = running.folder / "more.yaml"
    known.write_text(running.inventory.replace("name: numbered", "name: renamed"))
    digest = running.receiver().settings_digest
    running.udp(alarm(1000))
    until(lambda: "case numbered: " in running.log(), "the case in the old cluster", running)
    taken = running.reload(inventory=str(known), cases={"thresholds": [3650]})
    until(running.works, "a worker with the new settings", running)
    running.udp(alarm(1001))
    until(lambda: "case renamed: " in running.log(), "the case in the new cluster", running)
    until(lambda: "3650 days left or less" in running.log(), "the new threshold", running)

    assert taken
    assert digest != running.receiver().settings_digest
    assert not running.receiver().config_differs


def test_a_list_for_a_cluster_that_is_not_there_keeps_the_old_settings(running):
    running.reload()
    known = running.folder / "later.yaml"
    known.write_text(running.inventory)
    relay = {"host": "mail.example.com", "sender": "watcher@example.com"}
    voice = {"name": "voice", "to": ["a@example.com"], "clusters": ["numbered"]}
    told = {"relay": relay, "inventory": str(known)}
    mistyped = running.reload(**told, digest={"lists": [{**voice, "clusters": ["numberd"]}]})
    right = running.reload(**told, digest={"lists": [voice]})
    known.write_text(running.inventory.replace("name: numbered", "name: renamed"))
    gone = running.rethink()
    differs = running.receiver().config_differs
    known.write_text(running.inventory)

    assert (mistyped, right, gone, differs) == (False, True, False, True)
    assert "the inventory has no cluster numberd (expected numbered)" in running.log()
    assert "the inventory has no cluster numbered (expected renamed)" in running.log()
    assert running.reload()


def test_the_state_is_ours_alone(running):
    assert running.state.stat().st_mode & 0o777 == 0o700


def test_a_state_that_people_made_stays_as_they_made_it(house):
    house.state.mkdir(mode=0o755)
    house.state.chmod(0o755)
    house.start()
    mode = house.state.stat().st_mode & 0o777

    assert (mode, house.stop()) == (0o755, 0)


def test_a_broken_file_keeps_the_old_settings_whole(running):
    running.reload()
    before = running.receiver()
    running.settings.write_text("version: 1\ninputs: {udp: {port: many}}\n")
    taken = running.rethink()
    after = running.receiver()
    repaired = running.reload()

    assert (False, True) == (taken, repaired)
    assert (True, before.settings_digest) == (after.config_differs, after.settings_digest)
    assert before.inputs == after.inputs
    assert not running.receiver().config_differs


def test_worker_and_plans_keep_to_what_is_in_force_while_the_files_are_broken(running):
    running.reload(plans={"debounce": "0s"})
    until(running.works, "a worker", running)
    inventory = Path(running.base["inventory"])
    sound = inventory.read_text()
    running.settings.write_text("version: [")
    inventory.write_text("clusters: [")
    killed = running.receiver().worker_pid
    running.signal_worker(signal.SIGKILL)
    until(lambda: running.works() and running.worker().pid != killed, "another worker", running)
    running.udp(alarm(1010))
    until(lambda: running.worker().plans_drawn, "a plan", running)
    inventory.write_text(sound)

    assert running.reload()


def test_an_open_connection_survives_a_reload_of_something_else(running):
    running.reload()
    before = running.total_received("tcp")
    with socket.create_connection(running.where("tcp"), 30) as sock:
        sock.sendall(counted(alarm(1003)))
        until(lambda: running.total_received("tcp") == before + 1, "the first", running)
        taken = running.reload(cases={"thresholds": [5]}, smtp={"recipients": ["a@example.test"]})
        sock.sendall(counted(alarm(1004)))
        until(lambda: running.total_received("tcp") == before + 2, "the second", running)

    assert taken


def test_a_changed_port_opens_the_new_one_and_closes_the_old_one(running):
    first, second = free_port(), free_port()
    taken = [running.reload(inputs={"tcp": {"port": port}}) for port in (first, second)]
    until(lambda: not answers(first), "the old port to close", running)

    assert [True, True] == taken
    assert (HERE, second) == running.where("tcp")
    assert answers(second)


def test_a_port_that_cannot_be_had_changes_nothing(running):
    ours, wanted = free_port(), free_port()
    running.reload(inputs={"tcp": {"port": ours}})
    with socket.create_server((HERE, 0)) as other:
        taken_port = other.getsockname()[1]
        taken = running.reload(inputs={"tcp": {"port": wanted}, "smtp": {"port": taken_port}})
        where, told = running.where("tcp"), running.ask("status")[1]
    again = running.reload(inputs={"tcp": {"port": ours, "connections": 77}})

    assert (False, True) == (taken, again)
    assert (HERE, ours) == where
    assert "The settings in force are not those of the file" in told
    assert [True, False] == [answers(ours), answers(wanted)]


def test_what_only_a_restart_can_change_is_refused(running):
    running.reload()

    assert not running.reload(state_dir=str(running.folder / "elsewhere"))
    assert "state_dir has changed" in running.log()
    assert running.reload()


def test_many_signals_at_once_are_one_after_the_other(running):
    """Else two of them open the same port."""
    running.reload()
    failed = running.told("reload_failed")
    running.write(inputs={"tcp": {"port": free_port()}, "smtp": {"port": free_port()}})
    before = running.told("reloaded")
    for _ in range(8):
        running.hang_up()
        time.sleep(0.02)
    until(lambda: running.told("reloaded") > before, "the settings", running)
    count = before
    while count != running.told("reloaded"):
        count = running.told("reloaded")
        time.sleep(1.5)

    assert 1 <= count - before <= 8
    assert 0 == running.told("reload_failed") - failed
    assert running.rethink()
