"""500 alarms a night for 30 nights, by three ways from five nodes, in any order: one ticket."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from app.desk import StillClock, made_empty, raw, reading
from builders import CATALOGUE, cluster, inventory, node
from tickets.desk import FREE, Always, Scripted, chance, term, turn

from watcher.app.drawing import Draughtsman
from watcher.app.errands import Desk
from watcher.app.outgoing import Outgoing
from watcher.app.report import Found
from watcher.cases.identity import Directory
from watcher.cases.storm import Budget
from watcher.intake import fold
from watcher.model.ticket import ErrandKind
from watcher.ports import CaseQuery
from watcher.store.engine import open_existing
from watcher.tickets.due import DueRules

NIGHTS, A_NIGHT, NODES = 30, 500, 5
BEGIN = datetime(2026, 11, 20, 1, tzinfo=UTC)
SITE = inventory(cluster(*(node(f"CUCM{n:02}") for n in range(1, NODES + 1))))
HERE = Directory(SITE, CATALOGUE)
RECORD = (
    "{seq}: {node}: {time} UTC :  %UC_CERT-2-CertValidfor7days: %[Message=Certificate expiration "
    "Notification. Certificate name:{store}.der Unit:{store} Type:own-cert "
    "Expiration:Wed Nov 18 14:05:][AppID=Cisco Certificate Monitor][ClusterID=][NodeID={node}]: "
    "Alarm to indicate that Certificate has Expired or Expires in less than seven days"
)
ALERT = (
    "From: rtmt@cucm.example\nTo: a@watcher.example\nSubject: [RTMT] alert\n\n"
    "At {day} CET {year} on node {node}, the following SyslogSeverityMatchFound events generated:\n"
    "SeverityMatch : Critical\nMatchedEvent : {local} {node} local7 2 : {record}\n"
    "AppID : Cisco Syslog Agent\nClusterID : \nNodeID : {node}\n TimeStamp : {day} CET {year}\n"
)


def ways(record, name, at):
    """Return one event as it comes by syslog, through a relay, and in an alert by mail."""
    local = f"{at:%b} {at.day:2} {at:%H:%M:%S}"
    alert = ALERT.format(
        day=f"{at:%a} {local}", year=at.year, node=name, local=local, record=record
    )
    return f"<189>{record}", f"<189>{local} relay {record}", alert


def night(number, luck):
    """Return the messages of a night, shuffled, and how many events they are."""
    stores = ("tomcat", "CallManager") if number >= 10 else ("tomcat",)
    messages, events = [], set()
    while len(messages) < A_NIGHT:
        at = BEGIN + timedelta(days=number, seconds=luck.randrange(3600 * 3))
        name, store = f"CUCM{luck.randint(1, NODES):02}", luck.choice(stores)
        if (at, name) in events:
            continue
        events.add((at, name))
        time = f"{at:%b %d %Y %H:%M:%S}.{luck.randrange(1000):03}"
        record = RECORD.format(seq=luck.randrange(9999), node=name, store=store, time=time)
        messages += ways(record, name, at)
    luck.shuffle(messages)
    return messages, len(events)


@pytest.fixture
def store(tmp_path):
    """Return a store without rows."""
    shutil.copy(made_empty(tmp_path), tmp_path / "watcher.db")
    store = open_existing(f"sqlite:///{tmp_path}/watcher.db")
    yield store
    store.close()


def night_passes(number, store, folder, budget):
    """Take a night in, and draw the plan where something material changed; return the counts."""
    now = BEGIN + timedelta(days=number, hours=3)
    messages, count = night(number, chance(number))
    readings = [reading(raw(text.encode(), received_at=now), HERE) for text in messages]
    with store.transaction() as unit:
        folded, _ = fold(readings, unit, now, budget)
    if folded.changed:
        Draughtsman(
            store=store, view=store.view, catalogue=CATALOGUE, inventory=SITE, folder=folder
        ).draw("graz", now)
    return len(messages), count


@pytest.fixture
def month(store, tmp_path):
    """Let a month pass; return the ticket system and how many messages and events there were."""
    clock, budget = StillClock(BEGIN), Budget(standing=HERE.standing)
    system = Scripted(clock, chance(4), faults=False)
    sender = Outgoing(Desk(
        outbox=store.outbox, view=store.view, lease=Always(), clock=clock,
        standing=Found(term=term()), systems={"scripted": system}, limits=FREE,
        rules=DueRules(systems=("scripted",)),
        open_clusters=lambda: tuple(store.figures.open_clusters()),
    ))  # fmt: skip
    counts = []
    for number in range(NIGHTS):
        counts.append(night_passes(number, store, tmp_path / "plans", budget))
        clock.at = BEGIN + timedelta(days=number, hours=3)
        for _ in range(3):
            turn(sender)
            clock.pass_by(timedelta(minutes=1))
    return system, *map(sum, zip(*counts, strict=True))


def test_a_month_of_storms_is_one_ticket_and_each_change_one_comment(store, month):
    system, sent, events = month
    cases = [row.case for row in store.view.list_cases(CaseQuery())]
    filed = store.outbox.newest("graz")
    (ticket,) = system.tickets.values()
    comments = [one for one in filed.errands if one.kind is ErrandKind.COMMENT]

    assert sent >= NIGHTS * A_NIGHT
    assert events == sum(case.occurrences for case in cases)
    assert sent - events == sum(case.copies for case in cases)
    assert 2 * NODES == len(cases)
    assert "watcher-graz-1" == ticket["key"]
    assert filed.change.version == ticket["version"]
    assert len(comments) == filed.change.version - 1 == len(ticket["comments"])
    assert all(1 == len(said) for said in ticket["comments"].values())
    assert 2 <= filed.change.version <= 4
