"""What comes over a connection: frames of syslog, mail behind DATA; checked against oracles."""

import random
from collections.abc import Callable, Iterator, Sequence
from zlib import crc32

from builders import CATALOGUE
from fuzzing.oracles import delivered, framed

from watcher.inputs.maildata import MailDecoder, header_is_over, header_of, is_own
from watcher.wire.framing import FrameDecoder
from watcher.wire.prefilter import Prefilter

MARKS = CATALOGUE.alarms.marks
PREFILTER = Prefilter(MARKS)


def pieces_of(data: bytes) -> Iterator[bytes]:
    """Cut bytes in places that the bytes themselves decide; small inputs often byte by byte."""
    chance = random.Random(crc32(data))  # noqa: S311 -- the same cuts for the same bytes
    most = chance.choice((1, 2, 7, 64, 4096)) if len(data) < 512 else chance.choice((64, 4096))
    at = 0
    while at < len(data):
        end = at + chance.randint(1, most)
        yield data[at:end]
        at = end


def _feed(stream: bytes, pieces: Sequence[bytes], limit: int, *, lost: bool) -> None:
    expected = framed(stream, limit, MARKS, lost=lost)
    decoder = FrameDecoder(PREFILTER, limit)
    readings = []
    for piece in pieces:
        buffer = bytearray(piece + MARKS[0] + b"\n")
        readings.append(decoder.receive(buffer, len(piece)))
        buffer[:] = bytes(len(buffer))
        assert decoder.held <= limit + 20, "more is held than a frame"
    readings.append(decoder.close(lost=lost))
    faults = [reading.fault for reading in readings if reading.fault is not None]
    assert sum(reading.received for reading in readings) == expected.received
    assert sum(reading.noise for reading in readings) == expected.noise
    assert [tuple(hit) for reading in readings for hit in reading.hits] == expected.hits
    assert len(faults) == (expected.fault is not None)
    # Of a lie so much is kept as had come when it was seen.
    assert all(fault and expected.fault.startswith(fault) for fault in faults)
    assert expected.received == expected.noise + len(expected.hits) + len(faults)


def _framing(stream: bytes) -> None:
    chance = crc32(stream)
    limit = (16 * 1024, 64, 300)[chance % 3]
    lost = bool(chance & 8)
    _feed(stream, [stream], limit, lost=lost)
    _feed(stream, list(pieces_of(stream)), limit, lost=lost)


def frames_alone(begin: bytes) -> Callable[[bytes], None]:
    """Return what reads a stream behind such a beginning, and does nothing else."""

    def timed(data: bytes) -> None:
        decoder = FrameDecoder(PREFILTER)
        for at in range(0, len(data), 1024):
            piece = begin + data[at : at + 1024] if at == 0 else data[at : at + 1024]
            decoder.receive(piece, len(piece))
        decoder.close(lost=False)

    return timed


def framer(data: bytes) -> None:
    """Read any stream: its first bytes say how it is framed."""
    _framing(data)


def framer_octets(data: bytes) -> None:
    """Read a stream that began with a counted frame."""
    _framing(b"5 <14>x" + data)


def framer_lines(data: bytes) -> None:
    """Read a stream that began with a line."""
    _framing(b"<14>x\n" + data)


def mail_data(data: bytes) -> None:
    """Take what a peer sends behind DATA, cut anywhere."""
    limit = (256, 16, 64 * 1024)[crc32(data) % 3]
    expected = delivered(data, limit)
    for pieces in ([data], list(pieces_of(data))):
        decoder = MailDecoder(limit)
        taken = 0
        rest = b""
        for piece in pieces:
            taken += len(piece)
            rest = decoder.receive_data(piece)
            if decoder.done:
                break
        assert decoder.done == expected.done
        assert decoder.received == taken
        if decoder.done:
            assert (decoder.data, decoder.too_large) == (expected.mail, expected.too_large)
            assert rest + data[taken:] == expected.rest
    header = header_of(expected.mail)
    assert expected.mail.startswith(header)
    assert header_is_over(header, 64, 4) in (True, False)
    assert is_own(header, "example.test") in (True, False)


def mail_alone(data: bytes) -> None:
    """Take the same without the oracle."""
    decoder = MailDecoder(64 * 1024)
    for at in range(0, len(data), 1024):
        decoder.receive_data(data[at : at + 1024])
    header_of(data)
    is_own(data, "example.test")
