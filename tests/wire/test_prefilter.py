"""Marks are found where they stand, and nowhere else."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.wire.prefilter import Prefilter

MARKS = (b"UC_CERT-", b"UC_DRF-", b"AlertName", b"AlertN", b"%[")
AUDIT = b"<189>8103: Oct 14 2015 05:50:19 AM.484 UTC :  %UC_AUDITLOG-5-AdministrativeEvent: x\n"

texts = st.lists(st.sampled_from([*MARKS, b"UC_", b"UC", b"x", b"\n", b"Alert"])).map(b"".join)


def naive(buffer, start, end, marks=MARKS):
    places = (buffer.find(mark, start, end) for mark in marks)
    return min((place for place in places if place >= 0), default=-1)


@given(texts, st.integers(0, 60), st.integers(0, 200))
def test_the_first_of_all_marks_is_found(text, start, size):
    found = Prefilter(MARKS).find(bytearray(text), start, min(start + size, len(text)))

    assert naive(text, start, min(start + size, len(text))) == found


@pytest.mark.parametrize("place", [0, 505, 512, 513, 1_530, 1_536, 50_000])
@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_is_found_wherever_a_window_ends(mark, place):
    buffer = b"." * place + mark + b"." * 70_000

    assert place == Prefilter(MARKS).find(buffer, 0, len(buffer))


def test_a_long_mark_across_the_end_of_a_window_comes_before_a_short_one_behind_it():
    buffer = b"." * 514 + b"long--mark" + b"." * 100

    assert Prefilter([b"long--mark", b"--"]).find(buffer, 0, len(buffer)) == 514


def test_a_mark_that_the_end_cuts_is_not_found():
    assert Prefilter([b"UC_CERT"]).find(b"UC_CERT", 0, 6) == -1


def test_bytes_of_a_mark_have_no_meaning_of_their_own():
    assert Prefilter([b"a.c", b"a+c"]).find(b"abc aac a+c", 0, 11) == 8


def test_other_records_of_a_cluster_are_no_hit():
    assert Prefilter([b"UC_CERT", b"UC_DRF-"]).find(AUDIT * 100, 0, 100 * len(AUDIT)) == -1


@pytest.mark.parametrize("marks", [[], [b""], [b"U"], [b"UC_\n"], [b"UC_\0CERT"]])
def test_what_no_line_can_hold_is_refused(marks):
    with pytest.raises(ValueError, match=re.compile("mark")):
        Prefilter(marks)


def seconds(buffer):
    prefilter, at = Prefilter([b"UC_CERT-", b"AlertName"]), 0
    start = time.process_time()
    while (at := prefilter.find(buffer, at, len(buffer)) + 1) > 0:
        pass
    return time.process_time() - start


def test_a_mark_that_never_comes_is_not_searched_to_the_end_for_each_one_that_does():
    line = b"UC_CERT-" + b"x" * 100
    once, twice = (min(seconds(line * n) for _ in range(5)) for n in (4000, 8000))

    assert twice < 3 * once
