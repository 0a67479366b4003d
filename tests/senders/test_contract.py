"""The same promises for every back-end that speaks HTTP, under every fault that a fake has."""

import tracemalloc
from contextlib import suppress

import pytest
from senders.fakes import PULLED, Fault, Script
from senders.systems import HOSTILE, KINDS, SEARCHED, draft

from watcher.errors import Refused, ShutOut, TryLater, Unclear
from watcher.model.ticket import TicketRef

KEY = "watcher-graz-1"
EVERY = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
EACH_SEARCHED = pytest.mark.parametrize("kind", SEARCHED, ids=lambda kind: kind.name)
LATER = {
    Fault.BUSY_429, Fault.BUSY_429_WAIT, Fault.BUSY_429_DATE, Fault.BUSY_503_WAIT,
    Fault.REFUSED_CONNECTION,
}  # fmt: skip
REFUSED = {Fault.TELLS_SECRET, Fault.TOO_LARGE}
SHUT_OUT = {Fault.FORBIDDEN}
UNCLEAR = {
    Fault.ERROR_500, Fault.ERROR_500_DONE, Fault.ERROR_502, Fault.BUSY_503, Fault.TIMEOUT_BEFORE,
    Fault.TIMEOUT_DONE, Fault.LATE_WORK, Fault.LOST, Fault.CUT_WHILE_SENDING, Fault.REDIRECT,
    Fault.HTML, Fault.TRUNCATED, Fault.HUGE, Fault.GZIP_BOMB, Fault.BROKEN_GZIP,
    Fault.DOUBLE_KEY, Fault.NOT_A_NUMBER, Fault.DEEP, Fault.WRONG_TYPE, Fault.FOREIGN,
}  # fmt: skip


def is_create(asked):
    ends = ("/issue", "/ticket", "/normal", "/change_request", "/watcher")
    return asked.method == "POST" and asked.path.endswith(ends)


def is_search(asked):
    return "search" in asked.path or asked.path.endswith(("/tickets", "/change_request"))


def told(kind, fault, work):
    """Return what a call raises, or its result, while calls of a kind fail."""
    system, fake = kind.pair()
    fake.script = Script([fault] * 2, only=is_create)  # the second is sent without documents
    try:
        return fake, work(system)
    except (TryLater, Unclear, Refused) as error:
        return fake, error


@EVERY
def test_a_draft_makes_one_ticket_that_says_it(kind):
    system, fake = kind.pair()

    ticket = system.create(draft())

    assert fake.keys() == {KEY: 1}
    marked = f"[{KEY}] " if kind.name == "rt" else ""
    assert ticket.title == marked + draft().title
    assert not ticket.closed
    said = b"".join(asked.raw for asked in fake.asked if is_create(asked))
    assert b"Restore the backup" in said
    assert system.left_out == ()


@EACH_SEARCHED
def test_a_ticket_is_found_by_its_key_and_no_other(kind):
    system, _ = kind.pair()
    made = [system.create(draft(f"watcher-graz-{n}")) for n in (1, 11, 111)]

    found = system.find(KEY)

    assert [ticket.id for ticket in found] == [made[0].id]
    assert system.find("watcher-graz-1111") == ()


@EVERY
@pytest.mark.parametrize(
    "fault", sorted(LATER | REFUSED | SHUT_OUT | UNCLEAR, key=lambda one: one.name)
)
def test_how_a_create_ends_is_told_and_true(kind, fault):
    fake, end = told(kind, fault, lambda system: system.create(draft()))
    fake.clock.move(60)

    kinds = {TryLater: LATER, Refused: REFUSED, ShutOut: SHUT_OUT}
    wanted = next((kind for kind, faults in kinds.items() if fault in faults), Unclear)
    assert type(end) is wanted
    # What is told as not done is not done, now or later.
    assert wanted is Unclear or not fake.tickets


@EACH_SEARCHED
def test_an_empty_answer_to_a_create_is_unclear(kind):
    assert type(told(kind, Fault.EMPTY, lambda system: system.create(draft()))[1]) is Unclear


@EACH_SEARCHED
@pytest.mark.parametrize("fault", [*Fault], ids=lambda fault: fault.name)
def test_a_search_that_fails_never_says_that_nothing_is_there(kind, fault):
    system, fake = kind.pair()
    made = system.create(draft())
    for number in range(2, 90):
        system.create(draft(f"watcher-graz-{number}", attachments=()))
    fake.script = Script([fault], only=is_search)

    with suppress(TryLater, Refused):
        assert [ticket.id for ticket in system.find(KEY)] == [made.id]


@EACH_SEARCHED
def test_a_search_that_answers_with_everything_is_no_search(kind):
    system, fake = kind.pair()
    system.create(draft("watcher-wien-1"))
    fake.ignores_query = True

    with pytest.raises(TryLater):
        system.find(KEY)


@EACH_SEARCHED
def test_a_neighbour_whose_key_differs_in_case_alone_blocks_nothing(kind):
    system, fake = kind.pair()
    system.create(draft("watcher-GRAZ-1"))
    for ticket in fake.tickets.values():  # a clone that people labelled as ours
        ticket.get("fields", {}).get("labels", []).append(KEY)
    before = system.find(KEY)
    ours = system.create(draft())

    assert before == ()
    assert [one.id for one in system.find(KEY)] == [ours.id]


@EACH_SEARCHED
def test_a_field_that_is_dropped_does_not_hide_the_ticket(kind):
    system, fake = kind.pair()
    fake.drops_field = True

    made = system.create(draft())

    assert [ticket.id for ticket in system.find(KEY)] == [made.id]


@EACH_SEARCHED
def test_a_comment_is_there_once_its_mark_is_found(kind):
    system, _ = kind.pair()
    ticket = system.create(draft())
    before = system.has(ticket, f"[{KEY} p1]")

    system.comment(ticket, f"[{KEY} p1]", f"[{KEY} p1] one of two is done")

    assert (before, system.has(ticket, f"[{KEY} p1]")) == (False, True)
    assert not system.has(ticket, f"[{KEY} p11]")
    assert not system.has(ticket, f"[{KEY} p]")


@EACH_SEARCHED
def test_a_mark_that_stands_further_on_in_a_text_is_a_quotation(kind):
    system, _ = kind.pair()
    quoted = f"> E2: Certificate name:[{KEY} v2 ab12].der\nsee [{KEY} p1] and [watcher-x-1 v9 c]"
    ticket = system.create(draft(description=quoted, implementation=quoted))
    system.comment(ticket, f"[{KEY} p0]", f"[{KEY} p0] {quoted}")
    marks = ("p0", "v2 ab12", "p1")

    assert [system.has(ticket, f"[{KEY} {one}]") for one in marks] == [True, False, False]


@EACH_SEARCHED
def test_an_update_is_there_once_its_mark_is_found(kind):
    system, _ = kind.pair()
    ticket = system.create(draft())
    before = system.has(ticket, f"[{KEY} v2 ab12]")

    system.update(ticket, draft(version=2, title="Renew 3 certificates on graz"))

    assert (before, system.has(ticket, f"[{KEY} v2 ab12]")) == (False, True)
    assert "Renew 3 certificates" in system.find(KEY)[0].title


@EACH_SEARCHED
def test_it_is_closed_and_opened_where_that_is_configured(kind):
    system, fake = kind.pair()
    ticket = system.create(draft())

    closed = system.close(ticket, f"[{KEY} r1 closed]", "all renewed")
    again = system.close(ticket, f"[{KEY} r1 closed]", "all renewed")
    opened = system.reopen(ticket, f"[{KEY} r2 reopened]", "an alarm came again")

    assert (closed.closed, again.closed, opened.closed) == (True, True, False)
    assert system.has(ticket, f"[{KEY} r1 closed]")
    assert fake.keys() == {KEY: 1}


@EACH_SEARCHED
@pytest.mark.parametrize("fault", [Fault.BUSY_429, Fault.LOST])
@pytest.mark.parametrize("call", ["/comment", "/transitions", "/1"])
def test_a_closing_that_came_half_way_is_closed_and_said_once_at_the_next_try(kind, fault, call):
    system, fake = kind.pair()
    ticket, mark = system.create(draft()), f"[{KEY} p1 closed ab12cd]"
    fake.script = Script(
        [fault], only=lambda asked: asked.method != "GET" and asked.path.endswith(call)
    )
    with suppress(TryLater, Unclear):
        system.close(ticket, mark, f"{mark} all are done")
    if not (system.has(ticket, mark) and system.find(KEY)[0].closed):  # as the outbox asks
        system.close(ticket, mark, f"{mark} all are done")

    assert [one.closed for one in system.find(KEY)] == [True]
    assert len([one for one in fake.comments[1] if "p1 closed" in str(one)]) == 1


@EVERY
def test_it_says_whether_it_can_search_and_open_a_ticket_again(kind):
    told, untold = kind.pair()[0], kind.pair(closes=False)[0]

    assert told.searches is kind.searches
    assert (told.reopens, untold.reopens) == (True, not kind.searches)


@EACH_SEARCHED
def test_it_is_not_closed_where_nobody_configured_that(kind):
    system, fake = kind.pair(closes=False)
    ticket = system.create(draft())
    calls = len(fake.asked)

    with pytest.raises(Refused, match="people do it"):
        system.close(ticket, f"[{KEY} r1 closed]", "all renewed")
    assert len(fake.asked) == calls


@EACH_SEARCHED
def test_a_ticket_that_people_closed_is_found_as_closed(kind):
    system, _ = kind.pair()
    ticket = system.create(draft())
    system.close(ticket, f"[{KEY} r1 closed]", "by a person, as far as the fake can tell")

    assert [one.closed for one in system.find(KEY)] == [True]


@EACH_SEARCHED
def test_a_ticket_that_people_deleted_is_not_made_up(kind):
    system, fake = kind.pair()
    ticket = system.create(draft())
    fake.tickets.clear()

    assert system.find(KEY) == ()
    with pytest.raises(Refused, match="404"):
        system.update(ticket, draft(version=2))


@EVERY
@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (Fault.BUSY_429_WAIT, 42.0),
        (Fault.BUSY_503_WAIT, 42.0),
        (Fault.BUSY_429_DATE, 90.0),
        (Fault.BUSY_429, None),
    ],
)
def test_the_rest_that_a_system_asks_for_is_told(kind, fault, seconds):
    _, error = told(kind, fault, lambda system: system.create(draft()))

    assert error.seconds == seconds


@EVERY
@pytest.mark.parametrize("fault", [Fault.TELLS_SECRET, Fault.FORBIDDEN])
def test_what_is_told_is_short_clean_and_without_secrets(kind, fault):
    fake, error = told(kind, fault, lambda system: system.create(draft()))
    told_ = str(error)

    assert told_.isprintable()
    assert len(told_) <= 300
    assert fake.secret not in told_
    for asked in fake.asked:
        given = asked.headers.get("authorization", "none of it").split()[-1]
        assert given not in told_


@EVERY
def test_nothing_that_is_printed_shows_a_secret(kind):
    system, fake = kind.pair()
    printed = f"{system!r} {system.options!r} {vars(system)!r}"

    assert fake.secret not in printed


@EVERY
def test_only_links_to_the_configured_host_are_shown(kind):
    system, fake = kind.pair()
    fake.script = Script([Fault.SCRIPT_URL], only=is_create)

    shown = [system.create(draft()).url, *(one.url for one in system.find(KEY))]

    assert all(url == "" or url.startswith(f"{fake.url}/") for url in shown)
    assert "javascript" not in " ".join(shown)


@EVERY
def test_hostile_names_are_taken_by_every_system(kind):
    system, fake = kind.pair()
    text = HOSTILE * 3
    texts = dict.fromkeys(("title", "description", "risk", "impact", "back_out", "test"), text)
    ticket = system.create(draft(**texts, implementation=HOSTILE * 400, items=(HOSTILE,)))

    system.comment(ticket, f"[{KEY} p1]", text)
    system.update(ticket, draft(version=2, **texts))

    sent = b"".join(asked.raw + str(asked.headers).encode() for asked in fake.asked)
    assert fake.keys() == {KEY: 1}
    assert ticket.title.isprintable()
    assert b"\x1b" not in sent
    assert "\\u202e" not in sent.decode().replace("\\\\u202e", "")  # no character, an escape of it


@EVERY
@pytest.mark.parametrize("key", ["watcher-Zürich West-1", "watcher-a^b' OR 1=1-2", 'watcher-"{}-3'])
def test_a_key_of_any_cluster_name_is_found_again(kind, key):
    system, fake = kind.pair()
    system.create(draft(key))

    assert len(fake.tickets) == 1
    assert len(system.find(key)) == (1 if kind.searches else 0)


@EACH_SEARCHED
def test_ids_cannot_leave_their_place_in_a_path(kind):
    system, fake = kind.pair()
    ticket = TicketRef(id="../../admin?x=1#", number="1", url="")

    with suppress(Refused, TryLater, Unclear):
        system.has(ticket, f"[{KEY} p1]")
    assert fake.asked
    assert all("/admin" not in asked.path.replace("../../admin?x=1#", "") for asked in fake.asked)


def test_five_gigabytes_are_not_read():
    told(KINDS[0], Fault.HUGE, lambda system: system.create(draft()))

    assert PULLED["blocks"] <= 18


def test_a_gzip_bomb_is_not_unpacked():
    told(KINDS[0], Fault.HTML, lambda system: system.create(draft()))  # what is loaded once
    tracemalloc.start()
    told(KINDS[0], Fault.GZIP_BOMB, lambda system: system.create(draft()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 8 << 20


def test_there_are_faults_enough():
    assert len(Fault) >= 25
