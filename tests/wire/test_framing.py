"""Frames come out of a stream whole and once, wherever it is cut and whatever it claims."""

import re
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.wire.framing import FAULT_LIMIT, FRAME_LIMIT, FrameDecoder, Framing, Reading
from watcher.wire.prefilter import Prefilter

MARK = b"UC_CERT"
MARKS = Prefilter([MARK, b"UC_DRF-"])
LIMIT = 64
ALARM = b"<188>5: h: Mar 05 2024 05:00:00 UTC : %UC_CERT-4-CertExpired: 7"
AUDIT = b"<189>1362992: : %UC_AUDITLOG-5-AdministrativeEvent: 265 <189>9"
OTHER = b"<14>x"
FRAMES = (ALARM, AUDIT, OTHER, b"1362992: " + ALARM[:40], b"%UC_DRF-2-x\0y", b"7" * 12, b"x" * 150)


def counted(frame):
    return b"%d %s" % (len(frame), frame)


def decode(*pieces, limit=FRAME_LIMIT, end=None):
    """Return all that a decoder says of these pieces, as one reading."""
    decoder = FrameDecoder(MARKS, limit)
    readings = [decoder.receive(bytearray(piece + b"UC_CERT\n"), len(piece)) for piece in pieces]
    if end is not None:
        readings.append(decoder.close(lost=end == "lost"))
    faults = [reading.fault for reading in readings if reading.fault is not None]

    assert len(faults) <= 1

    return Reading(
        sum(reading.received for reading in readings),
        sum(reading.noise for reading in readings),
        [tuple(hit) for reading in readings for hit in reading.hits],
        faults[0] if faults else None,
    )


def hits(*pieces, **options):
    return [data for data, _ in decode(*pieces, **options).hits]


def pieces_of(stream, cuts):
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    return [stream[a:b] for a, b in pairwise(places)] or [b""]


def balances(reading):
    return reading.received == reading.noise + len(reading.hits) + (reading.fault is not None)


# -- which framing


@pytest.mark.parametrize(
    ("head", "framing"),
    [
        (b"5 <", Framing.OCTET_COUNTING),
        (b"0 <", Framing.OCTET_COUNTING),
        (b"123456 <", Framing.OCTET_COUNTING),
        (b"1" * 21, Framing.OCTET_COUNTING),
        (b"1362992: <", Framing.NON_TRANSPARENT),
        (b"<189>1", Framing.NON_TRANSPARENT),
        (b"2024-03-05T", Framing.NON_TRANSPARENT),
        (b"5\n", Framing.NON_TRANSPARENT),
        (b"-5 <", Framing.NON_TRANSPARENT),
        (b" 5 <", Framing.NON_TRANSPARENT),
        (b"\n", Framing.NON_TRANSPARENT),
        (b"", None),
        (b"1362992", None),
    ],
)
@pytest.mark.parametrize("bytewise", [True, False])
def test_the_first_bytes_say_how_a_connection_is_framed(head, framing, bytewise):
    decoder = FrameDecoder(MARKS)
    for piece in [head[i : i + 1] for i in range(len(head))] if bytewise else [head]:
        decoder.receive(piece, len(piece))

    assert decoder.framing == framing


def test_the_framing_never_changes():
    stream = ALARM + b"\n" + counted(ALARM) + b"\n"

    assert hits(stream) == [ALARM, counted(ALARM)]


def test_a_line_in_counted_frames_is_a_fault():
    assert decode(counted(ALARM) + ALARM + b"\n").fault == ALARM + b"\n"


# -- where it is cut


lines = st.lists(st.tuples(st.sampled_from(FRAMES), st.sampled_from([b"\n", b"\r\n", b"\0"])))
bodies = st.lists(st.sampled_from([*FRAMES, b"y" * 101, ALARM * 2, ALARM[:62] + b"\n"]))
cuts = st.lists(st.integers(0, 2000), max_size=12)
ends = st.sampled_from(["closed", "lost"])


def naive_lines(stream, end):
    """Return received and hits of a stream of lines, the slow way."""
    *whole, last = re.split(rb"[\n\0]", stream)
    frames = [(line, False) for line in whole] + [(last, end == "lost")] * bool(last)
    kept = [(line[:LIMIT], cut or len(line) > LIMIT) for line, cut in frames]
    return len(frames), [
        (line if cut else line.rstrip(b"\r"), cut) for line, cut in kept if MARK in line
        or b"UC_DRF-" in line
    ]  # fmt: skip


@settings(max_examples=300)
@given(lines, st.booleans(), cuts, ends)
def test_where_lines_are_cut_never_changes_the_frames(pairs, whole, places, end):
    stream = b"".join(line + trailer for line, trailer in pairs)
    stream = stream if whole else stream[:-1]
    reading = decode(*pieces_of(stream, places), limit=LIMIT, end=end)

    if not re.match(rb"\d+ ", stream):
        assert (reading.received, reading.hits) == naive_lines(stream, end)
    assert reading.fault is None
    assert balances(reading)


@settings(max_examples=300)
@given(bodies, cuts)
def test_where_counted_frames_are_cut_never_changes_them(frames, places):
    stream = b"".join(map(counted, frames))
    reading = decode(*pieces_of(stream, places), limit=LIMIT, end="closed")
    kept = [(f[:LIMIT], len(f) > LIMIT) for f in frames if MARK in f[:LIMIT] or b"DRF-" in f]

    assert (len(frames), None) == (reading.received, reading.fault)
    assert [(f if cut else f.rstrip(b"\n"), cut) for f, cut in kept] == reading.hits
    assert balances(reading)


@given(st.binary(max_size=400) | st.lists(
    st.sampled_from([b"5 ", b"12 ", b"66000 ", b"\n", b"\r\n", b"\0", b"UC_CERT", b"x" * 70, b"0"])
).map(b"".join), cuts, ends)  # fmt: skip
def test_no_bytes_whatever_upset_the_books_or_depend_on_the_cuts(stream, places, end):
    once = decode(stream, limit=LIMIT, end=end)
    again = decode(*pieces_of(stream, places), limit=LIMIT, end=end)

    assert balances(once)
    assert (once.received, once.noise, once.hits) == (again.received, again.noise, again.hits)
    assert (once.fault or b"").startswith(again.fault or b"")


@given(st.lists(st.binary(max_size=100) | st.just(b"9" * 90) | st.just(b"60000 " + b"z" * 90)))
def test_never_more_is_held_than_a_frame(pieces):
    decoder = FrameDecoder(MARKS, LIMIT)
    for piece in pieces:
        decoder.receive(piece, len(piece))

        assert decoder.held <= LIMIT + len(b"65535 ")


# -- the matrix: each frame cut at each byte; each lie once


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("wrap", [counted, lambda frame: frame + b"\n"], ids=["counted", "lines"])
def test_a_frame_cut_at_any_byte_is_the_same_frame(frame, wrap):
    stream = wrap(OTHER) + wrap(frame) + wrap(ALARM)
    whole = decode(stream, end="closed")

    assert {len(whole.hits)} == {len(hits(stream[:n], stream[n:])) for n in range(len(stream))}
    assert whole.hits[-1] == (ALARM, False)


LIES = {
    "zero": b"0 ",
    "leading zero": b"063 ",
    "negative": b"-63 ",
    "signed": b"+63 ",
    "six digits": b"100063 ",
    "above the limit": b"65536 ",
    "no end of digits": b"1" * 3000,
    "no blank": b"63",
    "a tab": b"63\t",
    "a blank first": b" 63 ",
    "hexadecimal": b"0x3F ",
    "underscore": b"6_3 ",
    "no count": b"",
    "other digits": "\u0666\u0663 ".encode(),
    "too short": b"61 ",
    "too long": b"4711 ",
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("body", [ALARM, OTHER + b"x" * 58, b"\n" + ALARM, b"\0" * 63])
def test_a_lie_is_one_fault_and_ends_the_connection(lie, body):
    good, bad = counted(AUDIT) + counted(ALARM), LIES[lie] + body
    for cut in range(len(good + bad)):
        stream = good + bad + counted(ALARM)
        reading = decode(stream[:cut], stream[cut:], end="closed")

        assert reading.fault
        assert len(reading.fault) <= FAULT_LIMIT
        assert balances(reading)
        assert reading.hits[0] == (ALARM, False)
        assert reading.received == (4 if lie == "too short" else 3)


FIRST = ("zero", "leading zero", "six digits", "above the limit", "no end of digits")


@pytest.mark.parametrize("lie", FIRST)
def test_a_lie_in_the_first_count_is_a_fault_too_and_at_once(lie):
    reading = decode(LIES[lie] + ALARM)

    assert (reading.fault or b"").startswith(LIES[lie][:FAULT_LIMIT])
    assert (reading.received, reading.hits) == (1, [])


def test_nothing_is_taken_or_counted_behind_a_fault():
    decoder = FrameDecoder(MARKS)
    decoder.receive(b"0 x", 3)

    assert decoder.receive(counted(ALARM), 66).received == 0
    assert decoder.close(lost=False).received == 0


def test_a_fault_keeps_the_first_bytes_only():
    assert decode(counted(OTHER) + b"z" * 5000).fault == b"z" * FAULT_LIMIT
    assert len(decode(b"9000 " + b"z" * 5000, end="closed").fault or b"") == FAULT_LIMIT


# -- lengths


@pytest.mark.parametrize("size", [FRAME_LIMIT - 1, FRAME_LIMIT, FRAME_LIMIT + 1, 65_535])
@pytest.mark.parametrize("pieces", [1, 2, 100])
@pytest.mark.parametrize("wrap", [counted, lambda frame: frame + b"\n"], ids=["counted", "lines"])
def test_of_a_long_frame_the_beginning_is_kept(size, pieces, wrap):
    stream = wrap(MARK + b"z" * (size - len(MARK))) + wrap(ALARM)
    step = -(-len(stream) // pieces)
    reading = decode(*(stream[i : i + step] for i in range(0, len(stream), step)))

    assert reading.hits[0] == (MARK + b"z" * (min(size, FRAME_LIMIT) - 7), size > FRAME_LIMIT)
    assert reading.hits[1] == (ALARM, False)
    assert reading.received == 2


def test_a_carriage_return_counts_where_a_line_is_measured():
    line = MARK + b"z" * (LIMIT - 7)
    ways = [[line + b"\r\n"], [line + b"\r", b"\n"], [line, b"\r\n"]]

    assert [decode(*way, limit=LIMIT).hits for way in ways] == [[(line, True)]] * 3


@pytest.mark.parametrize("wrap", [counted, lambda frame: frame + b"\n"], ids=["counted", "lines"])
def test_a_mark_behind_what_is_kept_is_not_looked_for(wrap):
    frame = b"<" + b"z" * (LIMIT - 7) + MARK

    assert decode(wrap(frame), limit=LIMIT).noise == 1
    assert hits(wrap(frame[1:]), limit=LIMIT) == [frame[1:]]


def test_a_mark_across_two_counted_frames_is_none():
    marks = Prefilter([b"a5 b", b"UC_CERT"])

    assert FrameDecoder(marks).receive(b"5 xxxxa5 bbbbb", 14).noise == 2


def test_a_mark_across_a_count_and_its_frame_is_none():
    assert FrameDecoder(Prefilter([b"0 xx"])).receive(b"10 xxaaaaaaaa", 13).noise == 1


def test_an_endless_line_is_one_frame():
    pieces = [ALARM + b"z" * 500, *[b"UC_CERT" * 100] * 1000]
    reading = decode(*pieces, limit=100, end="closed")

    assert (reading.received, reading.hits) == (1, [((ALARM + b"z" * 500)[:100], True)])


@pytest.mark.parametrize("rest", [[ALARM + b"\n"], [ALARM, b"\n"], [b"", ALARM + b"\nx"]])
def test_the_lines_behind_an_endless_one_are_taken(rest):
    pieces = [b"z" * 500, b"UC_CERT", b"z\n", *rest, ALARM + b"\n"]

    assert hits(*pieces, limit=100)[0] == ALARM
    assert decode(*pieces, limit=100).received == 3


def test_a_frame_that_ends_with_the_buffer_is_there_at_once():
    decoder = FrameDecoder(MARKS)

    assert decoder.receive(counted(ALARM), len(counted(ALARM))).received == 1
    assert not decoder.unfinished


# -- trailers and ends


@pytest.mark.parametrize("trailer", [b"\n", b"\r\n", b"\0", b"\r\0"])
def test_every_usual_trailer_ends_a_line(trailer):
    assert hits((ALARM + trailer) * 2) == [ALARM, ALARM]


def test_a_counted_frame_may_end_with_a_trailer_of_its_own():
    assert hits(counted(ALARM + b"\n") + counted(ALARM + b"\0")) == [ALARM, ALARM]


def test_counts_and_trailers_in_a_counted_frame_mean_nothing():
    frame = b"5 hello\n" + ALARM + b"\0\n12 " + MARK

    assert hits(counted(frame) + counted(ALARM)) == [frame, ALARM]


def test_an_unfinished_line_is_a_frame():
    assert decode(ALARM, end="closed").hits == [(ALARM, False)]
    assert decode(ALARM, end="lost").hits == [(ALARM, True)]


def test_digits_alone_are_a_line():
    assert decode(b"123", end="closed") == Reading(1, 1, [])


@pytest.mark.parametrize("sent", [counted(ALARM)[:-1], b"9 " + OTHER, b"5 hello12"])
def test_an_unfinished_counted_frame_is_a_fault_of_who_ended_it(sent):
    reading = decode(sent, end="closed")

    assert (reading.fault or b"").startswith((b"63 <", b"9 <", b"12"))
    assert balances(reading)


def test_a_counted_frame_that_the_network_cut_is_no_lie():
    assert decode(counted(ALARM)[:-1], end="lost").hits == [(ALARM[:-1], True)]
    assert decode(b"9 " + OTHER, end="lost") == Reading(1, 1, [])


@pytest.mark.parametrize(
    ("sent", "unfinished"),
    [
        (b"", False), (b"1", True), (b"<1>x", True), (b"<1>x\n", False), (b"5 hell", True),
        (b"5 hello", False), (b"5 hello1", True), (b"z" * 200, True), (b"z" * 200 + b"\n", False),
    ],
)  # fmt: skip
def test_it_is_known_whether_a_frame_has_begun(sent, unfinished):
    decoder = FrameDecoder(MARKS, LIMIT)
    decoder.receive(sent, len(sent))

    assert decoder.unfinished == unfinished


# -- time


SHAPES = {
    "lines": b"x\n", "no lines": b"x", "nothing": b"\n", "nul": b"\0", "marks": b"UC_CERT",
    "marked lines": b"UC_CERT\n", "almost marks": b"UC_CER", "u": b"U", "cr": b"\r", "digits": b"1",
    "counts": b"1 ", "counted": b"1 x", "counted marks": b"7 UC_CERT", "blanks": b" ",
    "marks across": b"5 xxUC_6 CERTxx", "counted long": b"1000 " + b"UC_CER " * 142 + b"123456",
    "odd counts": b"12 UC_CERTxxxxx", "zeros": b"0", "nul marks": b"UC_CERT\0", "crlf": b"x\r\n",
}  # fmt: skip


def seconds(stream, step):
    best = float("inf")
    for _ in range(3):
        decoder, start = FrameDecoder(MARKS), time.process_time()
        for at in range(0, len(stream), step):
            decoder.receive(stream[at : at + step], min(step, len(stream) - at))
        best = min(best, time.process_time() - start)
    return best


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("step", [3, 1 << 20])
def test_no_shape_takes_more_time_than_its_length_allows(shape, step):
    size = 20_000 if step == 3 else 100_000
    stream = SHAPES[shape] * (4 * size // len(SHAPES[shape]))

    # A quadratic decoder would take sixteen times as long; below a millisecond all is noise.
    assert seconds(stream, step) < 10 * max(seconds(stream[:size], step), 0.001)
