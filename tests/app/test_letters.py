"""What is told of digests and notices: how many arrived, wait, were lost, were never drawn."""

from dataclasses import replace
from datetime import timedelta

import pytest
from app.desk import StillClock
from app.posts import NOTICES, PEOPLE, RELAY, SETTINGS, Relay, daemon, looks
from digest.town import DAY, NOW

from watcher.app.letters import CLAIMED, SHOWN, letters, mailings
from watcher.digest.sending import QUIET, Consignment, to_text
from watcher.model.digest import Answer, Delivery, Parcel
from watcher.model.status import LettersStatus
from watcher.ports import Work
from watcher.settings.schema import Settings

HOUR = timedelta(hours=1)


def work(*parcels, at=NOW - HOUR, over=False, period="2026-W48"):
    one = Consignment(begun_at=at, letter=b"", parcels=parcels)
    return Work(period=period, at=at, finished_at=at if over else None, result=to_text(one))


def told(*works, settings=SETTINGS, now=NOW):
    (one,) = letters(mailings(settings), lambda _: works, now)
    return one


def counts(one):
    return one.delivered, one.waiting, one.lost, one.undrawn


def test_a_list_without_letters_is_named():
    assert LettersStatus(kind="digest", list="voice") == told()


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (Delivery.NEW, (0, 1, 0, 0)),
        (Delivery.SENDING, (0, 1, 0, 0)),
        (Delivery.UNKNOWN, (0, 1, 0, 0)),
        (Delivery.DONE, (1, 0, 0, 0)),
        (Delivery.REFUSED, (0, 0, 1, 0)),
        (Delivery.GIVEN_UP, (0, 0, 1, 0)),
    ],
)
def test_each_state_of_a_delivery_is_counted_once(state, expected):
    assert expected == counts(told(work(Parcel(to=PEOPLE[0], state=state))))


def test_the_oldest_that_waits_and_what_was_answered_are_told():
    early = work(Parcel(to=PEOPLE[0], told="450 busy"), at=NOW - 5 * HOUR, period="2026-W47")
    one = told(work(Parcel(to=PEOPLE[1])), early)

    assert (NOW - 5 * HOUR, NOW - HOUR) == (one.oldest, one.newest)
    assert "b@example.com; a@example.com: 450 busy" == one.wait_told


def test_a_loss_hides_no_wait():
    waits = Parcel(to=PEOPLE[0], told="450")
    lost = Parcel(to=PEOPLE[1], state=Delivery.REFUSED, told="550")
    one = told(work(waits, lost))

    assert ("a@example.com: 450", "b@example.com: 550") == (one.wait_told, one.lost_told)


def test_of_many_some_are_named_and_each_once():
    many = tuple(f"p{n}@example.com" for n in range(5))
    settings = Settings(relay=RELAY, digest={"lists": [{"name": "all", "to": many}]})
    lost = [Parcel(to=one, state=Delivery.REFUSED, told="550") for one in many]
    one = told(work(*lost), work(*lost, over=True, period="2026-W47"), settings=settings)

    assert 10 == one.lost
    assert "p0@example.com: 550; p1@example.com: 550; p2@example.com: 550; and 2 more" == (
        one.lost_told
    )


def test_who_left_the_list_is_missed_no_more():
    lost = Parcel(to="typo@example.com", state=Delivery.REFUSED)

    assert (0, 0, 0, 0) == counts(told(work(lost, over=True)))


@pytest.mark.parametrize(("age", "lost"), [(SHOWN - HOUR, 1), (SHOWN, 0)])
def test_a_loss_is_told_for_seven_days(age, lost):
    """Since it was given up, which may be days after the letter was begun."""
    given_up = work(Parcel(to=PEOPLE[0], state=Delivery.GIVEN_UP), at=NOW - age - 5 * DAY)

    assert lost == told(replace(given_up, finished_at=NOW - age)).lost


def test_what_waits_is_told_however_old_it_is():
    assert 1 == told(work(Parcel(to=PEOPLE[0]), at=NOW - 3 * SHOWN)).waiting


@pytest.mark.parametrize("result", ["", "{}", "no letter at all"])
@pytest.mark.parametrize(("age", "undrawn"), [(CLAIMED, 1), (CLAIMED / 2, 0)])
def test_a_claim_without_a_letter_is_told_after_a_moment(result, age, undrawn):
    one = Work(period="2026-W48", at=NOW - age, finished_at=None, result=result)

    assert undrawn == told(one).undrawn


def test_a_week_in_which_nothing_was_due_lacks_nothing():
    one = Work(period="2026-W48", at=NOW - HOUR, finished_at=NOW, result="nothing was due")

    assert (0, 0, 0, 0) == counts(told(one))
    assert told(one).newest is None


def test_chats_are_counted_by_their_number():
    chat = {"name": "duty", "chat": [{"environment": "CHAT"}]}
    settings = Settings(relay=RELAY, notifications={"lists": [chat]})
    one = told(work(Parcel(to="chat:0", state=Delivery.REFUSED, told="no")), settings=settings)

    assert ("notice", 1, "chat:0: no") == (one.kind, one.lost, one.lost_told)


def test_a_daemon_tells_what_the_relay_said(store):
    clock, relay = StillClock(NOW), Relay()
    relay.says = {PEOPLE[0]: (Answer.NEVER, "550 unknown"), PEOPLE[1]: (Answer.LATER, "450")}
    digests = daemon(store, clock, relay)
    looks(digests)
    (one,) = digests.standing.letters

    assert (0, 1, 1, 0) == counts(one)
    relay.says = {}
    clock.pass_by(QUIET)
    digests.standing.term = store.lease.take("leader", "first", clock.now(), 30)
    looks(digests)
    (one,) = digests.standing.letters

    assert ((1, 0, 1, 0), "a@example.com: 550 unknown") == (counts(one), one.lost_told)


def test_who_does_not_lead_tells_nothing(store):
    digests = daemon(store, StillClock(NOW), Relay(), NOTICES)
    looks(digests)
    assert digests.standing.letters
    digests.standing.term = None
    digests.look()

    assert () == digests.standing.letters
