"""Torn tails, flipped bits, lies: nothing raises, nothing wrong is read, all else is."""

import shutil
import struct
from zlib import crc32

import pytest
from journal.desk import batch, counted, damaged, data_of, message, read_all

from watcher.journal import format as form
from watcher.journal.format import HEAD_SIZE, MAGIC, Scan
from watcher.journal.local import LocalJournal
from watcher.journal.reader import LocalReader
from watcher.journal.segments import list_segments, place, split
from watcher.ports import Counted, Kept

SALT = 0x5EED


@pytest.fixture
def small(local, folder):
    """Return the segment of a small journal, closed: messages, counts, a message, counts."""
    journal = local()
    journal.settle(batch(message(1), message(b"two " + MAGIC * 3), noise=1))
    journal.write_counts()
    journal.settle(batch(message(3)))
    journal.close()
    return list_segments(folder)[0]


def starts(segment):
    """Return where the entries of a whole segment begin, and the end."""
    size = segment.size
    with segment.path.open("rb") as file:
        found = [each.start for each in segment.scan(file.fileno(), size).entries(0)]
    return [*found, size]


def test_the_mark_of_what_is_durable_hides_a_tail_until_the_start(small, reader, local):
    with small.path.open("ab") as file:
        file.write(small.path.read_bytes()[:100])
    before = read_all(reader)
    local()

    assert before == read_all(reader)
    assert [] == damaged(before)


def test_a_tail_torn_at_any_byte_is_cut_and_the_rest_counted(small, clock, tmp_path):
    whole, edges = small.path.read_bytes(), starts(small)
    for cut in range(len(whole)):
        copy = tmp_path / f"cut-{cut}"
        copy.mkdir()
        (copy / small.path.name).write_bytes(whole[:cut])
        LocalJournal(copy, clock).close()
        entries = read_all(LocalReader(copy))

        kept = sum(edge <= cut for edge in (edges[1], edges[2], edges[4]))
        assert [message(1).data, message(b"two " + MAGIC * 3).data, message(3).data][
            :kept
        ] == data_of(entries)
        assert kept == counted(entries)
        assert [] == damaged(entries)
        shutil.rmtree(copy)


def test_a_flipped_bit_costs_the_entry_it_is_in_and_no_other(small, reader):
    whole, edges = small.path.read_bytes(), starts(small)
    for at in range(len(whole)):
        flipped = bytearray(whole)
        flipped[at] ^= 1 << at % 8
        small.path.write_bytes(flipped)
        hit = max(index for index, edge in enumerate(edges) if edge <= at)
        entries = read_all(reader)
        lost = damaged(entries)

        assert 1 == len(lost)
        assert place(small.number, edges[hit + 1]) == lost[0].position
        assert bytes(flipped[edges[hit] : edges[hit + 1]]) == lost[0].data
        del entries[hit]
        small.path.write_bytes(whole)
        expected = read_all(reader)
        del expected[hit]
        assert expected == entries


def test_damage_is_passed_over_by_recovery_too(small, local, reader):
    """A start after a flipped bit loses no more than the entry that is hit."""
    whole = bytearray(small.path.read_bytes())
    whole[starts(small)[1] + HEAD_SIZE] ^= 1
    small.path.write_bytes(whole)
    journal = local()
    journal.settle(batch(message(4)))
    journal.close()
    entries = read_all(reader)

    assert [message(1).data, message(3).data, message(4).data] == data_of(entries)
    assert 1 == len(damaged(entries))


def test_the_durable_end_is_not_cut_when_it_cannot_be_read(small, local, reader):
    """Only what nobody was told is torn; the rest is reported."""
    whole = bytearray(small.path.read_bytes())
    whole[-1] ^= 1
    small.path.write_bytes(whole)
    local().close()

    assert len(whole) == small.size
    assert 1 == len(damaged(read_all(reader)))


def test_a_stretch_of_rubbish_is_reported_once_and_bounded(local, folder, reader):
    journal = local()
    for number in range(3):
        journal.settle(batch(message(b"%d" % number + b"x" * 1_000_000)))
    journal.close()
    segment = list_segments(folder)[0]
    edges = starts(segment)
    with segment.path.open("r+b") as file:
        file.seek(edges[1] + 3)
        file.write(bytes(1_000_000))
    found = damaged(read_all(reader))

    assert [(edges[2] - edges[1], form.SAMPLE)] == [(d.size, len(d.data)) for d in found]


def test_an_entry_that_a_sender_wrote_is_none(local, folder, reader):
    """Bytes of a message never become an entry, also when the entry around them is damaged."""
    forged = form.frame(form.KEPT, [form.Bodies().write_message(message(b"forged"))], 0, 0)
    journal = local()
    journal.settle(batch(message(forged), message(2)))
    journal.close()
    segment = list_segments(folder)[0]
    with segment.path.open("r+b") as file:
        file.write(b"\0")

    assert [message(2).data] == data_of(read_all(reader))


def test_an_entry_from_another_place_is_none():
    body = form.Bodies().write_message(message(1))
    data = form.frame(form.KEPT, [body], SALT, 0)

    assert [form.KEPT] == kinds(data, 0)
    assert [form.DAMAGED] == kinds(b"\0" + data, 1)


def kinds(data, start):
    scan = Scan(lambda offset, size: data[offset : offset + size], SALT, len(data))
    return [found.kind for found in scan.entries(start)]


@pytest.mark.parametrize("length", [0xFFFFFFFF, form.MAX_BODY + 1, 5000])
def test_a_lying_length_never_makes_the_reader_ask_for_more(length):
    """Not even one with a right check, as a bug of ours might write it."""
    head = struct.pack("<4sBII", MAGIC, form.KEPT, length, 0)
    data = head + struct.pack("<I", crc32(head, SALT)) + b"x" * 400
    asked = []

    def read(offset, size):
        asked.append(size)
        return data[offset : offset + size]

    found = list(Scan(read, SALT, len(data)).entries(0))

    assert [(form.DAMAGED, 0, len(data))] == [each[:3] for each in found]
    assert max(asked) <= len(data)


@pytest.mark.parametrize("kind", [form.KEPT, form.COUNTED, 9])
@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"[1,2]", b"[1,[[1,2,3,4]],[]]", b'[1,[],[["a","b",1,1e99]]]']
)
def test_a_body_of_a_later_version_is_damage(local, folder, reader, kind, body):
    journal = local()
    journal.settle(batch(message(1)))
    journal.close()
    segment = list_segments(folder)[0]
    data = form.frame(kind, [body], segment.salt, 0)
    segment.path.write_bytes(data)
    (folder / "durable").unlink()
    local().close()
    (found,) = read_all(reader)

    assert (data[HEAD_SIZE:], len(data)) == (found.data, found.size)


def test_a_file_that_was_cut_off_behind_our_back_is_damage(small, reader):
    edges = starts(small)
    with small.path.open("r+b") as file:
        file.truncate(edges[2] + 5)
    entries = read_all(reader)

    assert [Kept, Kept] == [type(entry) for entry in entries[:2]]
    assert [edges[-1] - edges[2]] == [entry.size for entry in entries[2:]]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("raw", [b"", b"\xff" * 12, b"\x01" * 5, b"\xff" * 100])
def test_a_broken_mark_costs_nothing(folder, local, reader, raw):
    before = read_all(reader)
    (folder / "durable").write_bytes(raw)
    (folder / "forgotten").write_bytes(raw)
    again = LocalReader(folder)
    local()

    assert before == read_all(again)
    again.close()


def test_counts_follow_their_messages_when_counts_were_damaged(small, local, reader):
    """The messages behind damaged counts are counted once more by nobody but the store."""
    edges = starts(small)
    whole = bytearray(small.path.read_bytes())
    whole[edges[4] + HEAD_SIZE] ^= 1
    small.path.write_bytes(whole)
    local().close()
    entries = read_all(reader)

    assert [2, 1] == [entry.kept for entry in entries if isinstance(entry, Counted)]
    assert small.number < split(entries[-1].position)[0]
