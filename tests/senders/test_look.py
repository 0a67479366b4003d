"""A ticket looked at by its id: where people moved it, and whether it is ours at all."""

from dataclasses import replace
from math import inf

import pytest
from senders.fakes import Fault, Script
from senders.systems import KINDS, draft
from senders.test_contract import EACH_SEARCHED, KEY

from watcher.errors import NotLoggedIn, ShutOut, TryLater, Unclear
from watcher.model.ticket import TicketRef

OTHER = "watcher-wien-1"
EACH_JIRA = pytest.mark.parametrize("kind", KINDS[2:4], ids=lambda kind: kind.name)
RT = KINDS[4]


def again(kind, fake):
    """Return a back-end that remembers nothing."""
    return kind.make(fake, True)  # noqa: FBT003 -- as the fixture takes it


@EACH_SEARCHED
def test_a_ticket_that_no_search_shows_any_more_is_looked_at_where_it_is(kind):
    system, fake = kind.pair()
    ticket = system.create(draft())
    system.close(ticket, f"[{KEY} r1 closed]", "by a person, as far as the fake can tell")
    fake.seen_from[1] = inf
    system = again(kind, fake)
    seen = system.look(ticket, KEY)

    assert system.find(KEY) == ()
    assert (seen.id, seen.number, seen.closed) == (ticket.id, ticket.number, True)


@EACH_SEARCHED
def test_a_ticket_that_is_gone_is_told(kind):
    system, fake = kind.pair()
    ticket = system.create(draft())
    fake.tickets.clear()

    assert system.look(ticket, KEY) is None


@EACH_SEARCHED
def test_another_instances_ticket_of_the_same_id_is_not_ours(kind):
    ours, _ = kind.pair()
    ticket = ours.create(draft())
    theirs, _ = kind.pair()
    theirs.create(draft(OTHER))

    assert theirs.look(ticket, KEY) is None
    assert theirs.look(ticket, OTHER).id == ticket.id


@EACH_SEARCHED
def test_a_ticket_that_lost_the_field_for_our_key_is_ours_by_its_text(kind):
    system, fake = kind.pair()
    fake.drops_field = True
    ticket = system.create(draft())

    assert system.look(ticket, KEY).id == ticket.id
    assert system.look(ticket, OTHER) is None


@EACH_SEARCHED
@pytest.mark.parametrize(
    ("fault", "error"),
    [(Fault.BUSY_429_WAIT, TryLater), (Fault.ERROR_502, TryLater), (Fault.HTML, TryLater),
     (Fault.EMPTY, TryLater), (Fault.REFUSED_CONNECTION, TryLater), (Fault.FORBIDDEN, ShutOut),
     (Fault.TIMEOUT_DONE, TryLater)],
)  # fmt: skip
def test_a_look_that_fails_never_says_that_nothing_is_there(kind, fault, error):
    system, fake = kind.pair()
    ticket = system.create(draft())
    fake.script = Script([fault])

    with pytest.raises(error):
        system.look(ticket, KEY)


@EACH_SEARCHED
def test_a_look_that_is_not_logged_in_says_so(kind):
    system, fake = kind.pair()
    ticket = system.create(draft())
    fake.script = Script([Fault.UNAUTHORIZED])
    # A token that held when it was made is asked for anew: that is later.
    with pytest.raises((NotLoggedIn, TryLater)):
        system.look(ticket, KEY)


@EACH_SEARCHED
def test_an_answer_that_speaks_of_another_ticket_is_not_taken_for_this_one(kind):
    system, fake = kind.pair()
    ticket = system.create(draft())
    fake.script = Script([Fault.FOREIGN])
    try:
        seen = system.look(ticket, KEY)
    except (TryLater, Unclear):
        seen = None

    assert seen is None


@EACH_SEARCHED
def test_an_id_cannot_leave_its_place_in_a_path(kind):
    system, fake = kind.pair()

    assert system.look(TicketRef(id="../../admin?x=1#", number="1", url=""), KEY) is None
    assert all("/admin" not in asked.path.replace("../../admin?x=1#", "") for asked in fake.asked)


# -- what each alone has


@EACH_JIRA
def test_an_issue_that_people_moved_to_another_project_is_there_under_its_new_number(kind):
    system, fake = kind.pair()
    ticket = system.create(draft())
    fake.tickets[1]["moved"] = "CAB"
    system = again(kind, fake)
    seen = system.look(ticket, KEY)

    assert system.find(KEY) == ()
    assert (seen.id, seen.number) == (ticket.id, "CAB-1")
    assert seen.url.endswith("/browse/CAB-1")


@EACH_JIRA
def test_an_issue_whose_label_people_took_away_is_ours_by_its_property(kind):
    system, fake = kind.pair()
    ticket = system.create(draft())
    fake.tickets[1]["fields"]["labels"].clear()

    assert again(kind, fake).look(ticket, KEY).id == ticket.id


def test_a_ticket_that_people_moved_to_another_queue_is_looked_at_there():
    system, fake = RT.pair()
    ticket = system.create(draft())
    fake.tickets[1] |= {"Queue": "Board", "CustomFields": {}}  # the field is of the first queue

    assert system.find(KEY) == ()
    assert system.look(ticket, KEY).id == ticket.id


def test_a_ticket_that_people_deleted_is_gone_though_rt_shows_it():
    system, fake = RT.pair()
    ticket = system.create(draft())
    fake.tickets[1]["Status"] = "deleted"

    assert system.look(ticket, KEY) is None


def test_a_ticket_that_people_merged_into_another_is_not_ours_any_more():
    system, fake = RT.pair()
    ticket = system.create(draft())
    system.create(draft("watcher-graz-2"))
    fake.tickets[1]["into"] = 2

    assert system.look(ticket, KEY) is None
    assert system.look(ticket, "watcher-graz-2") is None


@pytest.mark.parametrize("made", [KEY, OTHER])
def test_a_ticket_without_the_field_that_people_renamed_is_whose_first_text_says(made):
    system, fake = RT.pair()
    system.options = replace(system.options, custom_field="")
    ticket = system.create(draft(made))
    fake.tickets[1]["Subject"] = "graz, next week"

    assert (system.look(ticket, KEY) is not None) == (made == KEY)


def test_a_key_of_another_in_the_field_says_more_than_the_first_text():
    system, fake = RT.pair()
    ticket = system.create(draft())
    fake.tickets[1] |= {"Subject": "theirs", "CustomFields": {"Change-Key": OTHER}}

    assert system.look(ticket, KEY) is None
