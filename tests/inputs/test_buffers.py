"""Much is read at a time of noise, little of what is kept."""

import pytest

from watcher.inputs.buffers import Buffers

SMALL, LARGE, LARGE_TLS = 8 * 1024, 256 * 1024, 64 * 1024


def read(buffers, times, *, hits=0, size=None):
    for _ in range(times):
        buffers.came(len(buffers.view) if size is None else size)
        buffers.pace(hits)


def test_a_new_input_reads_little():
    assert len(Buffers(tls=False).view) == SMALL


@pytest.mark.parametrize(("tls", "most"), [(False, LARGE), (True, LARGE_TLS)])
def test_full_readings_of_noise_make_it_read_more_up_to_a_limit(tls, most):
    buffers = Buffers(tls=tls)
    read(buffers, 500)

    assert len(buffers.view) == most
    assert len(buffers.plain) >= most


def test_readings_that_are_not_full_change_nothing():
    buffers = Buffers(tls=False)
    read(buffers, 500, size=SMALL - 1)

    assert len(buffers.view) == SMALL


@pytest.mark.parametrize(("hits", "size"), [(65, 258_111), (640, LARGE // 10), (32_768, 1024)])
def test_a_reading_of_many_hits_makes_it_read_less_at_once(hits, size):
    buffers = Buffers(tls=False)
    read(buffers, 500)
    read(buffers, 1, hits=hits)

    assert len(buffers.view) == size


def test_less_stays_less_for_a_while():
    buffers = Buffers(tls=False)
    read(buffers, 1, hits=640)
    read(buffers, 15)

    assert len(buffers.view) == 1024

    read(buffers, 1)

    assert len(buffers.view) == 2048


def test_a_small_reading_full_of_hits_never_makes_it_read_more():
    buffers = Buffers(tls=False)
    read(buffers, 1, hits=65, size=100_000)

    assert len(buffers.view) == SMALL


def test_some_hits_slow_nothing():
    buffers = Buffers(tls=False)
    read(buffers, 500, hits=64)

    assert len(buffers.view) == LARGE


def test_what_came_is_what_was_written():
    buffers = Buffers(tls=False)
    buffers.view[:3] = b"abc"

    assert (bytes(buffers.came(3)), buffers.raw[:3], buffers.readings) == (b"abc", b"abc", 1)
