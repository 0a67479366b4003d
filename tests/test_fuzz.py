"""The fuzzer's short run: every target, every hostile shape, every input that once broke one."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from fuzzing import engine, linear, matrix, oracles
from fuzzing.mutator import LIMIT, Mutator
from fuzzing.seeds import CORPUS, chance_of, seeds, tokens
from fuzzing.shapes import SHAPES, Shape
from fuzzing.targets import TARGETS, Target

REPOSITORY = Path(__file__).resolve().parent.parent
SECONDS = 0.6
"""For each target."""
SEED = 20261123
TARGET = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


def words(target):
    return engine.Words(seeds(target.family, target.name), tokens(target.family))


@TARGET
def test_nothing_is_raised_that_is_not_promised(target):
    watch = engine.Watch(target, "own")
    report = engine.own(watch, words(target), SECONDS, chance_of(SEED, target.name))

    assert report.faults == []
    assert report.executions >= len(words(target).seeds)


@TARGET
def test_time_grows_with_length_and_no_faster(target):
    sizes = linear.SIZES[-2:]
    met = [linear.growth(target.call_quietly, shape, sizes, runs=1) for shape in SHAPES]

    assert [growth for growth in met if growth.ratio > linear.LIMIT] == []


def test_there_are_as_many_shapes_as_promised():
    assert len({shape.name for shape in SHAPES}) == len(SHAPES) >= 95


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_shape_is_as_long_as_asked_and_begins_alike(shape):
    assert len(shape.of(3000)) == 3000
    assert shape.of(3000).startswith(shape.of(1000))


def test_every_folder_of_the_corpus_has_its_target():
    assert {folder.name for folder in CORPUS.iterdir()} <= set(TARGETS)


def test_frames_are_the_same_wherever_they_are_cut_and_no_lie_is_believed():
    faults = [case for case in matrix.streams(5000, SEED) if matrix.wrong(*case)]

    assert faults == []


# -- the fuzzer itself can fail


def found(call, *, first=(b"a",), seconds=0.5, vocabulary=(b"x",)):
    target = Target("sample", call, "frames")
    watch = engine.Watch(target, "own")
    words = engine.Words(list(first), vocabulary)
    return engine.own(watch, words, seconds, chance_of(SEED, "sample")), watch


def test_an_error_is_found_and_its_input_made_short():
    def call(data):
        if b"%UC" in data:
            raise IndexError

    report, watch = found(call, vocabulary=(b"%UC_CERT",))

    assert len(report.faults) == 1
    assert [fault.data for fault in watch.faults.values()] == [b"%UC"]


def test_an_error_that_a_target_documents_must_be_told_by_the_target():
    def call(data):
        assert not data.startswith(b"b"), "a promise was broken"

    report, _ = found(call, first=(b"b",))

    assert report.faults[0].startswith("AssertionError")


def test_what_does_not_end_is_ended_and_told(monkeypatch):
    monkeypatch.setattr(engine, "HANGS", 0.2)

    def call(data):
        while data == b"for ever":
            pass

    report, _ = found(call, first=(b"for ever",), seconds=0.1)

    assert report.faults[0].startswith("Hang")


HOARDER = """
from fuzzing import engine
from test_fuzz import found

hoard = []

def call(_data):
    if len(hoard) < 4:
        hoard.append(b"x" * (40 << 20))

report, _ = found(call)
assert report.faults == [f"grew by {report.grown >> 20} MiB"], report.faults
"""


def test_memory_that_grows_is_told():
    # A process of its own: what earlier tests held at their worst would hide what is held here.
    done = subprocess.run(  # noqa: S603 -- this interpreter, our own text
        [sys.executable, "-c", HOARDER],
        cwd=REPOSITORY / "tests",
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_a_slow_input_is_told_when_it_is_steep(monkeypatch):
    monkeypatch.setattr(engine, "SLOW", 1_000_000)

    def call(data):
        sum(1 for _ in data for _ in data)

    report, _ = found(call, first=(b"a" * 2000,), seconds=0.1)

    assert "times that of their half" in report.faults[0]


def quadratic(data):
    return sum(1 for _ in range(len(data) * len(data) >> 8))


def straight(data):
    return sum(1 for _ in range(len(data) << 4))


def test_the_measure_tells_a_quadratic_reader_from_a_straight_one():
    shape = Shape("sample", b"", lambda _: b"a")

    assert linear.growth(quadratic, shape).ratio > linear.LIMIT
    assert linear.growth(straight, shape).ratio <= linear.LIMIT


def test_the_same_seed_gives_the_same_inputs():
    def made():
        mutator = Mutator(chance_of(1, "tags"), tokens("tags"))
        return [mutator.mutate(b"%[a=b]", b"other") for _ in range(200)]

    assert made() == made()
    assert max(map(len, made())) <= LIMIT


def test_a_framer_that_believes_a_lie_does_not_agree_with_the_oracle():
    honest = oracles.framed(b"5 hello65536 x", 64, (b"hello",), lost=False)
    changed = dataclasses.replace(honest, fault=None)

    assert honest.fault == b"65536 x"
    assert honest != changed
