"""The framing matrix: every frame, glued to others, cut at every byte, behind every lie (G-04)."""

import random
from collections.abc import Iterator

from fuzzing.oracles import framed
from fuzzing.seeds import records
from fuzzing.streams import MARKS, PREFILTER

from watcher.wire.framing import FrameDecoder

LIES = (
    b"0 ", b"007 ", b"65536 ", b"99999 ", b"100000 ", b"9" * 21 + b" ", b"-5 ", b"+5 ", b"1e3 ",
    b"5", b"5\n", b" 5 ",
)  # fmt: skip
"""What stands where a count should, and is none; before any of them stands a frame that is."""
LIMIT = 1024


def streams(count: int, seed: int) -> Iterator[tuple[bytes, int, bytes]]:
    """Yield so many streams, the place of a cut, and the lie in them (empty: none).

    Every record goes counted and in lines, alone and between others, cut at every byte, and
    counted behind every lie; the order is drawn, so that a few are a fair sample.
    """
    chance = random.Random(seed)  # noqa: S311 -- the same streams for the same seed
    rows = [row.replace(b"\n", b" ")[:1500] for row in records()]
    for _ in range(count):
        chosen = [chance.choice(rows) for _ in range(chance.choice((1, 1, 2, 3)))]
        lie = chance.choice(LIES) if chance.random() < 0.5 else b""
        counted = lie or chance.random() < 0.5
        parts = [b"%d %s" % (len(row), row) if counted else row + b"\n" for row in chosen]
        if lie:
            parts.insert(chance.randint(1, len(parts)), lie + chosen[-1])
        stream = b"".join(parts)
        yield stream, chance.randint(0, len(stream)), lie


def wrong(stream: bytes, cut: int, lie: bytes) -> str:
    """Return what is wrong with the reading of a stream that is cut there; empty: nothing."""
    decoder = FrameDecoder(PREFILTER, LIMIT)
    readings = [decoder.receive(piece, len(piece)) for piece in (stream[:cut], stream[cut:])]
    readings.append(decoder.close(lost=False))
    expected = framed(stream, LIMIT, MARKS, lost=False)
    hits = [tuple(hit) for reading in readings for hit in reading.hits]
    faults = sum(reading.fault is not None for reading in readings)
    if hits != expected.hits:
        return "other frames"
    if faults != (expected.fault is not None):
        return f"{faults} faults"
    if lie and faults != 1:
        return "the lie was believed"
    received = sum(reading.received for reading in readings)
    return "" if received == expected.received else "the books do not balance"
