"""How far a mail is with each recipient, whatever is answered and whenever it ends."""

from dataclasses import replace
from datetime import timedelta

from digest.town import DAY, NOW
from hypothesis import given
from hypothesis import strategies as st

from watcher.digest.sending import (
    FEWEST,
    LONGEST_PAUSE,
    QUIET,
    Consignment,
    aged,
    answered,
    begun,
    from_text,
    ready,
    to_text,
)
from watcher.model.digest import Answer, Delivery, Parcel

A, B = "a@example.com", "b@example.com"
MAIL = Consignment(begun_at=NOW, letter=b"mail", parcels=(Parcel(to=A), Parcel(to=B)))


def states(one):
    return [parcel.state for parcel in one.parcels]


def tried(one, now, **answers):
    sent = begun(one, ready(one, now), now, 7)
    return answered(sent, {A: (answers["a"], "250"), B: (answers["b"], "told")}, now)


def test_each_recipient_has_a_result_of_its_own():
    after = tried(MAIL, NOW, a=Answer.TAKEN, b=Answer.LATER)

    assert [Delivery.DONE, Delivery.NEW] == states(after)
    assert () == ready(after, NOW)
    assert (B,) == ready(after, NOW + LONGEST_PAUSE)
    assert not after.over


def test_a_refusal_is_final():
    after = tried(MAIL, NOW, a=Answer.TAKEN, b=Answer.NEVER)

    assert after.over
    assert "1 of 2 delivered" == after.result


def test_a_process_that_ends_while_sending_sends_again_after_a_quiet_period():
    dead = begun(MAIL, (A, B), NOW, 7)
    soon = aged(dead, NOW + QUIET / 2)
    later = aged(dead, NOW + QUIET)

    assert () == ready(soon, NOW + QUIET / 2)
    assert [Delivery.UNKNOWN] * 2 == states(later)
    assert (A, B) == ready(later, NOW + QUIET)


def test_an_unclear_end_waits_for_the_quiet_period():
    after = tried(MAIL, NOW, a=Answer.UNCLEAR, b=Answer.TAKEN)

    assert () == ready(after, NOW + QUIET - timedelta(seconds=1))
    assert (A,) == ready(after, NOW + QUIET)


def test_five_days_of_a_dead_relay_are_borne_and_no_more():
    one, now, tries = MAIL, NOW, 0
    while not one.over:
        now += timedelta(minutes=1)
        one = aged(one, now)
        if ready(one, now):
            one, tries = tried(one, now, a=Answer.LATER, b=Answer.LATER), tries + 1

    assert [Delivery.GIVEN_UP] * 2 == states(one)
    assert 5 * DAY <= now - NOW < 5 * DAY + LONGEST_PAUSE
    assert 50 < tries < 100


def test_a_clock_that_is_set_ahead_by_a_year_gives_up_nothing():
    assert not aged(MAIL, NOW + 400 * DAY).over


def test_a_clock_that_is_set_back_makes_nobody_wait():
    after = tried(MAIL, NOW, a=Answer.LATER, b=Answer.LATER)

    assert (A, B) == ready(after, NOW - 400 * DAY)
    assert (A, B) == ready(aged(begun(MAIL, (A, B), NOW, 1), NOW - DAY), NOW - DAY)


def test_enough_tries_and_too_little_time_give_up_nothing():
    parcel = Parcel(to=A, tries=FEWEST)

    assert not aged(replace(MAIL, parcels=(parcel,)), NOW + DAY).over


@given(st.binary(max_size=50), st.text(max_size=20), st.sampled_from(list(Delivery)))
def test_what_is_written_down_is_read_back(letter, told, state):
    parcel = Parcel(to=A, state=state, tries=3, next_at=NOW, told=told)
    one = Consignment(begun_at=NOW, letter=letter, parcels=(parcel,), epoch=9)
    read = from_text(to_text(one))

    assert (one.parcels, one.epoch) == (read.parcels, read.epoch)
    assert (b"" if one.over else letter) == read.letter


@given(st.text(max_size=30))
def test_anything_else_is_nothing(text):
    assert from_text(text) is None
