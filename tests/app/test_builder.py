"""What a reload keeps and what it builds anew: everything that a door is made of counts."""

import asyncio
from dataclasses import replace

import pytest

from watcher.app.builder import Builder
from watcher.app.clock import SystemClock
from watcher.app.knowledge import builtin_packs
from watcher.app.settings import prepare
from watcher.app.sockets import Sockets
from watcher.journal.memory import MemoryJournal
from watcher.rules.loader import load

INVENTORY = """\
version: 1
clusters:
  - name: graz
    nodes: [{name: pub, role: publisher, addresses: [192.0.2.1]}]
"""
BASE = """\
version: 1
inventory: inventory.yaml
inputs:
  udp: {port: 0}
  tcp: {port: 0}
  smtp: {port: 0}
  files: {folder: spool}
  imap: {host: mail.example.test, user: me, password: {environment: WORD}}
"""
ALL = {"udp", "tcp", "smtp", "files", "imap"}
SYSLOG = {"udp", "tcp"}


@pytest.fixture
def site(tmp_path):
    """Return a folder with everything that the settings name."""
    (tmp_path / "spool").mkdir()
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    return tmp_path


def prepared(site, text=BASE):
    (site / "watcher.yaml").write_text(text)
    return prepare(str(site / "watcher.yaml"), {"WORD": "secret", "WATCHER_STATE_DIR": str(site)})


def builder(sockets=None):
    clock = SystemClock()
    return Builder(MemoryJournal(clock), clock, sockets or Sockets(), lambda *_: None)


def kept(site, text=BASE, made=None):
    """Return the names of the doors that stay when the settings become these."""
    made = made or builder()
    doors = {door.name: door for door in made.build(prepared(site))}
    return set(made.compare(doors, prepared(site, text))[0])


def budget_of(door):
    return door.reception._admission  # noqa: SLF001 -- that it is the same one is the promise


def test_the_same_settings_keep_every_door(site):
    assert ALL == kept(site)


@pytest.mark.parametrize(
    ("more", "anew"),
    [
        ("admission: {source_rate: 7}\n", SYSLOG),
        ("admission: {total_burst: 20001}\n", SYSLOG),
        ("smtp: {own_domain: example.test}\n", {"smtp", "imap"}),
        ("smtp: {refuse_others: true, allowed_networks: [192.0.2.0/24]}\n", {"smtp"}),
        ("log: {level: debug}\n", set()),
    ],
)
def test_what_a_door_is_made_of_builds_it_anew(site, more, anew):
    assert ALL - anew == kept(site, BASE + more)


def test_other_marks_build_anew_what_looks_for_them(site):
    made, before = builder(), prepared(site)
    doors = {door.name: door for door in made.build(before)}
    packs = [(name, text.replace("[UC_CERT]", "[UC_CERT, MY]")) for name, text in builtin_packs()]
    after = replace(before, catalogue=load(packs, []))

    assert before.catalogue.alarms.marks != after.catalogue.alarms.marks
    assert {"smtp", "imap"} == set(made.compare(doors, after)[0])


def test_a_reload_that_came_to_nothing_splits_no_budget(site):
    made = builder()
    doors = {door.name: door for door in made.build(prepared(site))}
    other = prepared(site, f"{BASE}admission: {{source_rate: 7}}\n")
    made.compare(doors, other)
    more = BASE.replace("udp: {port: 0}", "udp: [{name: udp, port: 0}, {name: u2, port: 0}]")
    fresh = {door.name: door for door in made.compare(doors, prepared(site, more))[1]}

    assert budget_of(doors["udp"]) is budget_of(fresh["u2"])


async def connected(door, count):
    """Return how many of so many connections from here an input takes."""
    host, port = door.status().where.split(":")
    pairs = [await asyncio.open_connection(host, int(port)) for _ in range(count)]
    await asyncio.sleep(0.1)
    taken = door.status().connections
    for _, writer in pairs:
        writer.close()
    await asyncio.sleep(0.1)
    return taken


async def test_reserved_places_follow_the_inventory_without_a_new_door(site):
    """One place in ten is reserved: a stranger has nine of them, a node of the inventory ten."""
    sockets = Sockets()
    made, few = builder(sockets), "tcp: {port: 0, connections: 10, connections_per_peer: 10}"
    text = BASE.replace("tcp: {port: 0}", few)
    doors = {door.name: door for door in made.build(prepared(site, text))}
    await doors["tcp"].start()
    taken = [await connected(doors["tcp"], 10)]
    (site / "inventory.yaml").write_text(INVENTORY.replace("192.0.2.1", "127.0.0.1"))
    after = prepared(site, text)
    names = made.compare(doors, after)[0]
    doors["tcp"].use(after)
    taken.append(await connected(doors["tcp"], 10))
    await doors["tcp"].stop()
    sockets.keep(())

    assert "tcp" in names
    assert [9, 10] == taken
