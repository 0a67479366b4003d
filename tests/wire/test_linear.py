"""No shape of text makes a decoder take more time than its length allows."""

import time

import pytest

from watcher.wire.archive import Reader
from watcher.wire.ciscolog import decode
from watcher.wire.mail import text_of_page
from watcher.wire.rtmt import matched_events, read_alert
from watcher.wire.runon import records_of
from watcher.wire.tags import split

HEAD = "1: h: Sep 05 2014 00:00:06 UTC : %UC_X-1-Y: "


def pieces(text):
    return list(records_of(text))


SHAPES = {
    "open groups": (split, "%", "[a="),
    "closed groups": (split, "%", "[a=b]"),
    "brackets": (split, "%[a=", "][ "),
    "tails": (split, "%", "[AppID=x][NodeID=y]"),
    "loose tails": (split, "x ", "App ID:x "),
    "empty fields": (decode, "", ": "),
    "words": (decode, "Mar  5 06:00:01 ", "a "),
    "digits": (decode, "", "1: "),
    "structured data": (decode, "<1>1 2024-01-01T00:00:00Z a b c d ", "[a "),
    "quotes": (decode, "<1>1 2024-01-01T00:00:00Z a b c d [a", ' "x'),
    "token words": (decode, HEAD + "%UC_A", " a"),
    "records on one line": (pieces, "", HEAD + "%[NodeID=x]: y"),
    "heads in a value": (pieces, HEAD + "%[a=", HEAD + "%[NodeID=x]"),
    "numbers and months": (pieces, HEAD + HEAD, "1: Mar  5 06:00:01 h "),
    "matched events": (matched_events, "", "\nMatchedEvent : "),
    "heads": (read_alert, "", "At Fri Sep 05 "),
    "tags of a page": (text_of_page, "", "<a "),
    "comments": (text_of_page, "", "<!--"),
    "entities": (text_of_page, "", "&#9"),
}


def lines(text):
    reader = Reader()
    found = list(reader.receive_data(text.encode()))
    return found + list(reader.close())


def seconds(function, text):
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        function(text)
        best = min(best, time.process_time() - start)
    return best


@pytest.mark.parametrize("function", ["own", "reader"])
@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_twice_the_text_takes_about_twice_the_time(shape, function):
    own, start, repeated = SHAPES[shape]
    decoder = own if function == "own" else lines
    count = 16_000 // len(repeated)

    short = seconds(decoder, start + repeated * count)
    long = seconds(decoder, start + repeated * 4 * count)

    # A quadratic decoder would take sixteen times as long; below a millisecond all is noise.
    assert long < 10 * max(short, 0.001)
