"""The machine of the outbox, every state with every answer."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store import samples
from tickets.desk import DAY, HOUR, MINUTE, NOW, SECOND

from watcher.model.ticket import ErrandState, TicketRef
from watcher.tickets.advance import (
    CLOSED,
    DEFAULT,
    RESTS,
    TRIPS,
    Answer,
    NotPossibleError,
    Outcome,
    advance,
    begin,
    circuit_after,
    interrupted,
    pause_after,
    revive,
)

NEW, SENDING, UNKNOWN, DONE, DEAD = ErrandState
O = Outcome  # noqa: E741 -- the table below is read more easily
TABLE = {
    (NEW, O.FOUND): DONE, (NEW, O.LEFT): DONE, (NEW, O.ABSENT): NEW, (NEW, O.LATER): NEW,
    (NEW, O.UNCLEAR): NEW, (NEW, O.REFUSED): NEW, (NEW, O.SHUT): NEW, (NEW, O.BARRED): NEW,
    (SENDING, O.BARRED): NEW, (UNKNOWN, O.BARRED): UNKNOWN,
    (SENDING, O.DONE): DONE, (SENDING, O.LATER): NEW, (SENDING, O.UNCLEAR): UNKNOWN,
    (SENDING, O.REFUSED): NEW, (SENDING, O.SHUT): NEW, (UNKNOWN, O.SHUT): UNKNOWN,
    (UNKNOWN, O.FOUND): DONE, (UNKNOWN, O.LEFT): DONE, (UNKNOWN, O.ABSENT): NEW,
    (UNKNOWN, O.LATER): UNKNOWN, (UNKNOWN, O.UNCLEAR): UNKNOWN, (UNKNOWN, O.REFUSED): UNKNOWN,
}  # fmt: skip
"""All others are impossible."""


def errand(state, **changes):
    return samples.errand(state=state, added_at=NOW, next_at=NOW, **changes)


def answer(outcome, **changes):
    return Answer(outcome=outcome, at=changes.pop("at", NOW), **changes)


@pytest.mark.parametrize(("state", "outcome"), list(product(ErrandState, Outcome)))
def test_every_state_with_every_answer(state, outcome):
    one = errand(state)
    if (state, outcome) in TABLE:
        assert TABLE[state, outcome] is advance(one, answer(outcome)).state
    else:
        with pytest.raises(NotPossibleError):
            advance(one, answer(outcome))


def test_the_document_has_every_transition():
    page = (Path(__file__).parents[2] / "docs" / "tickets.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]
    told = {(row[0].strip("| `"), word) for row in rows for word in ErrandState if word in row[2]}
    sent = {(NEW, SENDING), (SENDING, UNKNOWN), (DEAD, UNKNOWN)}
    died = {(NEW, DEAD), (SENDING, DEAD), (UNKNOWN, DEAD)}
    overtaken = {(NEW, DONE), (DEAD, DONE)}

    assert told == {(str(a), b) for (a, _), b in TABLE.items()} | sent | died | overtaken


def test_from_unknown_only_a_search_leads_on():
    leading = {outcome for (state, outcome), after in TABLE.items()
               if state is UNKNOWN and after is not UNKNOWN}  # fmt: skip

    assert {O.FOUND, O.LEFT, O.ABSENT} == leading


@pytest.mark.parametrize("state", [SENDING, UNKNOWN, DONE, DEAD])
def test_only_what_is_new_is_sent(state):
    with pytest.raises(NotPossibleError):
        begin(errand(state), 1, NOW)


def test_what_is_sent_knows_when_and_in_which_term():
    sent = begin(errand(NEW), 7, NOW)

    assert (SENDING, 7, NOW) == (sent.state, sent.epoch, sent.sent_at)


def test_nothing_is_asked_before_the_quiet_time_is_over():
    lost = advance(errand(SENDING), answer(O.UNCLEAR))
    ended = interrupted(errand(SENDING), NOW)

    assert DEFAULT.quiet > DEFAULT.client + DEFAULT.server + DEFAULT.index
    assert NOW + DEFAULT.quiet == lost.next_at == ended.next_at
    assert (UNKNOWN, 1) == (ended.state, ended.unclear)


@pytest.mark.parametrize("limits", [DEFAULT, DEFAULT.at(searches=False)])
def test_what_is_sent_in_vain_is_sent_ever_later_and_ends(limits):
    one, now, pauses = errand(NEW), NOW, []
    while one.state is not DEAD:
        sent = begin(one, 1, now)
        lost = advance(sent, answer(O.UNCLEAR, at=now, told="no answer"), limits)
        one = advance(lost, answer(O.ABSENT, at=lost.next_at), limits)
        pauses.append(one.next_at - lost.next_at)
        now = one.next_at

    assert limits.unclear == len(pauses)
    grown = [DEFAULT.quiet * 2**n for n in range(1, limits.unclear - 1)]
    assert [0 * SECOND, *grown] == pauses[:-1]
    assert "a person must look: no answer" in one.told


def test_a_system_that_takes_no_writing_for_half_a_day_kills_nothing():
    last = DEFAULT.quiet * (2 ** (DEFAULT.unclear - 1) - 2)

    assert 12 * HOUR < last < DAY


def test_a_letter_that_nobody_answers_is_sent_for_about_five_days():
    blind = DEFAULT.at(searches=False)
    last = blind.quiet * blind.unclear + DEFAULT.quiet * (2 ** (blind.unclear - 1) - 2)

    assert 4 * DAY < last < 5 * DAY


@pytest.mark.parametrize("state", [NEW, UNKNOWN, DONE, DEAD])
def test_only_what_is_being_sent_can_be_interrupted(state):
    with pytest.raises(NotPossibleError):
        interrupted(errand(state), NOW)


@given(st.integers(0, 60), st.floats(0, 1, exclude_max=True))
def test_a_pause_grows_and_stays_bounded(failures, chance):
    pause = pause_after(failures, answer(O.LATER, chance=chance))

    assert 0.75 * min(15 * 2**failures, 480) * SECOND - SECOND <= pause <= 10 * MINUTE
    assert pause <= pause_after(failures + 1, answer(O.LATER, chance=chance))


@given(st.floats(-1e9, 1e9) | st.none())
def test_what_a_system_asks_for_is_obeyed_up_to_a_day(seconds):
    pause = pause_after(0, answer(O.LATER, seconds=seconds))

    assert pause >= min(seconds or 0, 86_400) * SECOND - SECOND
    assert pause <= DAY


def test_the_third_refusal_is_the_last():
    one, states = errand(NEW), []
    for _ in range(3):
        one = advance(one, answer(O.REFUSED, told="403"))
        states.append((one.state, one.next_at - NOW))

    assert [(NEW, 5 * MINUTE), (NEW, 10 * MINUTE), (DEAD, timedelta(0))] == states
    assert "403" == one.told


def test_a_search_goes_on_until_the_horizon():
    one = errand(UNKNOWN, sent_at=NOW + HOUR)
    early = advance(one, answer(O.LATER, at=NOW + 7 * DAY))
    late = advance(one, answer(O.LATER, at=NOW + 7 * DAY + 2 * HOUR, told="503"))

    assert (UNKNOWN, DEAD) == (early.state, late.state)
    assert "searched in vain until the horizon: 503" == late.told


def test_what_was_never_sent_waits_for_ever():
    assert NEW is advance(errand(NEW), answer(O.LATER, at=NOW + 700 * DAY)).state


def test_a_person_lets_a_dead_one_begin_anew_with_a_search():
    dead = errand(DEAD, attempts=9, refusals=3, unclear=9, sent_at=NOW - 30 * DAY)
    alive = revive(dead, NOW)

    assert (UNKNOWN, 0, 0, NOW) == (alive.state, alive.attempts, alive.refusals, alive.next_at)
    assert 0 == alive.unclear
    assert UNKNOWN is advance(alive, answer(O.LATER)).state
    with pytest.raises(NotPossibleError):
        revive(errand(DONE), NOW)


def test_an_answer_is_cut_and_a_ticket_kept():
    ref = TicketRef(id="7", number="CHG7", url="")
    done = advance(errand(SENDING), answer(O.DONE, ticket=ref, told="x" * 900))

    assert (ref, 300) == (done.ticket, len(done.told))
    assert ref == advance(replace(errand(NEW), ticket=ref), answer(O.FOUND)).ticket


def test_a_system_rests_after_five_failures_in_a_row_and_one_success_ends_it():
    circuit, rests = CLOSED, []
    for _ in range(TRIPS + 3):
        circuit = circuit_after(circuit, answer(O.LATER))
        rests.append((circuit.until - NOW).total_seconds() if circuit.until else 0)

    assert [0.0] * (TRIPS - 1) + [*RESTS, RESTS[-1]] == rests
    assert not circuit.allows(NOW)
    assert circuit.allows(NOW + 120 * SECOND)
    assert CLOSED == circuit_after(circuit, answer(O.DONE))
    assert CLOSED == circuit_after(circuit, answer(O.REFUSED))


def test_a_system_that_is_read_and_not_written_to_rests_too():
    circuit = CLOSED
    for _ in range(TRIPS):
        circuit = circuit_after(circuit_after(circuit, answer(O.UNCLEAR)), answer(O.ABSENT))
    after = circuit_after(circuit, answer(O.UNCLEAR))

    assert circuit.allows(NOW)
    assert not after.allows(NOW)


@pytest.mark.parametrize("state", [NEW, UNKNOWN])
def test_who_is_not_let_in_waits_without_an_end(state):
    one, pauses = replace(errand(state), added_at=NOW - 700 * DAY), []
    for _ in range(50):
        one = advance(one, answer(O.SHUT, told="401"))
        pauses.append((one.next_at - NOW) / MINUTE)

    assert (state, 0, 0, "401") == (one.state, one.refusals, one.unclear, one.told)
    assert [5, 10, 20, 40, 60, 60] == pauses[:6]


def test_a_system_that_lets_us_not_in_rests_long_from_the_first_time():
    circuit, rests = CLOSED, []
    for _ in range(6):
        circuit = circuit_after(circuit, answer(O.SHUT))
        rests.append((circuit.until - NOW) / MINUTE)

    assert [5, 10, 20, 40, 60, 60] == rests
    assert CLOSED == circuit_after(circuit, answer(O.ABSENT))


def test_a_system_that_asks_for_rest_gets_it():
    circuit = circuit_after(CLOSED, answer(O.LATER, seconds=90))

    assert not circuit.allows(NOW + 89 * SECOND)
    assert circuit.allows(NOW + 90 * SECOND)


def test_one_ticket_that_is_shut_to_us_is_given_up_after_a_day():
    one, at = errand(NEW), NOW
    while one.state is NEW:
        one = advance(one, answer(O.BARRED, at=at))
        at = max(at, one.next_at)

    assert DEAD is one.state
    assert DAY <= at - NOW <= DAY + 2 * HOUR
