"""What a fuzzer does to its inputs: the same changes for the same seed."""

import random
import re
from collections.abc import Callable, Sequence

LIMIT = 16 * 1024
"""Bytes of an input at most."""
RUNS = b"a0 %[]()<>=:;,.-\"'\\\n\r\t\0\xff#&{}@/"
LIES = (
    b"0", b"1", b"-1", b"00001", b"9", b"99", b"255", b"256", b"999", b"1024", b"16384", b"16385",
    b"65535", b"65536", b"99999", b"100000", b"2147483648", b"4294967296", b"18446744073709551616",
    b"9" * 40, b"1e9", b"0x10", b"1_000", b"+5", b"\xd9\xa1", b"\xef\xbc\x91",
)  # fmt: skip
"""Numbers that are not what a length, a day or a year should be; the last two are no ASCII."""
LINES = (
    b"\n",
    b"\r\n",
    b"\r",
    b"\0",
    b"\r\n.\r\n",
    b"\n.\n",
    b"\x0b",
    b"\xc2\x85",
    b"\xe2\x80\xa8",
)
_DIGITS = re.compile(rb"[0-9]+")
_MOST_AT_ONCE = 4

Change = Callable[["Mutator", bytearray], None]


class Mutator:
    """Changes inputs; `tokens` are the words of their language."""

    def __init__(self, chance: random.Random, tokens: Sequence[bytes]) -> None:
        self.chance = chance
        self.tokens = tuple(tokens)

    def mutate(self, data: bytes, other: bytes) -> bytes:
        """Return `data` with one or more changes; `other` may lend a part."""
        made = bytearray(data)
        if self.chance.random() < 0.15:
            _splice(self, made, other)
        for _ in range(1 << self.chance.randrange(_MOST_AT_ONCE)):
            self.chance.choice(CHANGES)(self, made)
        # Most faults show in short inputs, and those run faster.
        return bytes(made[: self.chance.choice((256, 1024, 1024, 2048, 4096, LIMIT))])

    def place(self, made: bytearray) -> int:
        """Return any place, the end included."""
        return self.chance.randint(0, len(made))

    def stretch(self, made: bytearray) -> tuple[int, int]:
        """Return a stretch, most often a short one."""
        at = self.place(made)
        most = self.chance.choice((1, 4, 16, 64, 1024, LIMIT))
        return at, min(len(made), at + self.chance.randint(0, most))


def _splice(mutator: Mutator, made: bytearray, other: bytes) -> None:
    made[mutator.place(made) :] = other[mutator.place(bytearray(other)) :]


def _flip(mutator: Mutator, made: bytearray) -> None:
    if made:
        made[mutator.chance.randrange(len(made))] ^= 1 << mutator.chance.randrange(8)


def _byte(mutator: Mutator, made: bytearray) -> None:
    if made:
        made[mutator.chance.randrange(len(made))] = mutator.chance.randrange(256)


def _mark(mutator: Mutator, made: bytearray) -> None:
    if made:
        made[mutator.chance.randrange(len(made))] = mutator.chance.choice(RUNS)


def _remove(mutator: Mutator, made: bytearray) -> None:
    start, end = mutator.stretch(made)
    del made[start:end]


def _repeat(mutator: Mutator, made: bytearray) -> None:
    start, end = mutator.stretch(made)
    times = mutator.chance.choice((1, 1, 2, 8, 64, 1024))
    part = bytes(made[start:end])
    times = min(times, LIMIT // max(1, len(part)))
    made[end:end] = part * times


def _move(mutator: Mutator, made: bytearray) -> None:
    start, end = mutator.stretch(made)
    part = bytes(made[start:end])
    del made[start:end]
    at = mutator.place(made)
    made[at:at] = part


def _cut(mutator: Mutator, made: bytearray) -> None:
    del made[mutator.place(made) :]


def _run(mutator: Mutator, made: bytearray) -> None:
    at = mutator.place(made)
    letter = bytes((mutator.chance.choice(RUNS),))
    made[at:at] = letter * mutator.chance.choice((1, 2, 3, 16, 16, 130, 1024, LIMIT))


def _token(mutator: Mutator, made: bytearray) -> None:
    at = mutator.place(made)
    made[at:at] = mutator.chance.choice(mutator.tokens)


def _instead(mutator: Mutator, made: bytearray) -> None:
    start, end = mutator.stretch(made)
    made[start:end] = mutator.chance.choice(mutator.tokens)


def _line_end(mutator: Mutator, made: bytearray) -> None:
    at = mutator.place(made)
    made[at : at + mutator.chance.randrange(3)] = mutator.chance.choice(LINES)


def _lie(mutator: Mutator, made: bytearray) -> None:
    start = mutator.place(made)
    found = _DIGITS.search(made, start) or _DIGITS.search(made)
    if found is not None:
        made[found.start() : found.end()] = mutator.chance.choice(LIES)


def _one_off(mutator: Mutator, made: bytearray) -> None:
    start = mutator.place(made)
    found = _DIGITS.search(made, start) or _DIGITS.search(made)
    if found is not None and len(found[0]) < 20:
        number = int(found[0]) + mutator.chance.choice((-1, 1, -10, 10))
        made[found.start() : found.end()] = b"%d" % number


CHANGES: tuple[Change, ...] = (
    _flip, _byte, _mark, _remove, _remove, _repeat, _move, _cut, _run, _token, _token, _token,
    _instead, _instead, _line_end, _lie, _one_off,
)  # fmt: skip
