"""Runs a target on inputs: what it raised, what took long, how much memory it cost.

Two ways to find inputs. With atheris (if it can be imported) libFuzzer looks for new edges; else
our own mutator does, guided by the lines that were reached. Both call `Watch.run`, so that the
figures mean the same.
"""

import hashlib
import heapq
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil
from fuzzing.coverage import Coverage
from fuzzing.linear import LIMIT as STEEP
from fuzzing.linear import least
from fuzzing.mutator import LIMIT, Mutator
from fuzzing.targets import Target

import watcher

SLOW = 100_000_000
"""Nanoseconds that an input of 16 KiB should take at most (goal G-03)."""
HANGS = 20.0
"""Seconds of CPU after which an input is given up."""
GROWTH_LIMIT = 64 << 20
"""Bytes by which a target may make the process grow (goal G-03)."""
SHRINK_WITHIN = 5.0
LONGEST_WORD = 64
TRACED = 3
"""Every which input is run a second time to see what it reached."""
KEPT_PARENTS = 2000
SUSPECTS = 8
"""Inputs that seemed the slowest, to be measured again: a busy machine makes any of them so."""
HALF = 0.5
OURS = (str(Path(watcher.__file__).parent), str(Path(__file__).parent))


class Hang(BaseException):
    """An input did not come to an end; no handler of the code under test may stop this."""


@dataclass
class Fault:
    """Something a target raised: what, where, and the shortest input known to do it."""

    what: str
    where: str
    data: bytes
    times: int = 1


@dataclass
class Report:
    """The figures of one target's run; times in nanoseconds, memory in bytes."""

    target: str
    engine: str
    seconds: float = 0.0
    executions: int = 0
    kept: int = 0
    reached: int = 0
    slowest: int = 0
    slowest_size: int = 0
    steep: float = 0.0
    """Time of the slowest input over that of its half, if it was too slow."""
    grown: int = 0
    faults: list[str] = field(default_factory=list)

    def as_plain(self) -> dict[str, object]:
        """Return it for another process."""
        return asdict(self)


class Watch:
    """Runs one target and keeps account; what it raises is told once for each place."""

    def __init__(self, target: Target, engine: str) -> None:
        self.target = target
        self.report = Report(target.name, engine)
        self.faults: dict[tuple[str, str], Fault] = {}
        self._slow: list[tuple[int, bytes]] = [(0, b"")] * SUSPECTS
        self._begin = time.monotonic()
        self._memory = _peak()

    def run(self, data: bytes) -> bool:
        """Run one input; tell whether it went well."""
        self.report.executions += 1
        start = time.process_time_ns()
        fault = caught(self.target.call, data)
        took = time.process_time_ns() - start
        if took > self._slow[0][0]:
            heapq.heapreplace(self._slow, (took, data))
        if fault is not None:
            known = self.faults.setdefault((fault.what, fault.where), fault)
            known.times += known is not fault
        return fault is None

    def warm(self) -> None:
        """Begin to count: what the first inputs cost is not of their making."""
        self._memory = _peak()

    def end(self, coverage: int = 0, kept: int = 0) -> Report:
        """Return the figures; what seemed slow is measured again, and its half too."""
        report = self.report
        report.seconds = time.monotonic() - self._begin
        for key, fault in self.faults.items():
            self.faults[key] = shrunk(self.target.call, fault)
        report.grown = max(0, _peak() - self._memory)
        report.reached, report.kept = coverage, kept
        if not any(fault.what == "Hang" for fault in self.faults.values()):
            self._time_again()
        report.faults = [_told(fault) for fault in self.faults.values()]
        report.faults += self._limits()
        return report

    def _time_again(self) -> None:
        """Measure the slowest inputs in quiet, and what is too slow beside its half."""
        report, call = self.report, self.target.call_quietly
        times = [(least(call, data), data) for _, data in self._slow]
        report.slowest, slowest = max(times)
        report.slowest_size = len(slowest)
        if report.slowest > max(SLOW, self.target.allowed):
            half = least(call, slowest[: len(slowest) // 2])
            report.steep = report.slowest / max(half, 1)

    def _limits(self) -> Iterator[str]:
        report = self.report
        if report.steep > STEEP:
            took = f"{report.slowest / 1e6:.0f} ms for {report.slowest_size} bytes"
            yield f"{took}, {report.steep:.1f} times that of their half"
        if report.grown > GROWTH_LIMIT:
            yield f"grew by {report.grown >> 20} MiB"


def _told(fault: Fault) -> str:
    what = f"{fault.what} at {fault.where} ({fault.times} times)"
    return f"{what}, {len(fault.data)} bytes: {fault.data[:200]!r}"


def _peak() -> int:
    """Return the most memory the process ever held, where the system says it; else the present."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
    return psutil.Process().memory_info().rss


@contextmanager
def _limited() -> Iterator[None]:
    """Raise Hang in whatever runs when it has used up its CPU time."""

    def end(_signal: int, _frame: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, HANGS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def caught(call: Callable[[bytes], object], data: bytes) -> Fault | None:
    """Run one input and return what it raised, if it did."""
    try:
        with _limited():
            call(data)
    except (Exception, Hang) as error:  # noqa: BLE001 -- finding any is the point
        return Fault(type(error).__name__, _place(error), data)
    return None


def _place(error: BaseException) -> str:
    """Return the innermost lines of our own, not the library's that they called."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if f.filename.startswith(OURS)]
    return " < ".join(
        f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed((ours or frames)[-2:])
    )


def shrunk(call: Callable[[bytes], object], fault: Fault, within: float = SHRINK_WITHIN) -> Fault:
    """Return the same fault with a shorter input, as far as that is found in time."""
    until = time.monotonic() + within
    size = len(fault.data) // 2
    while size and time.monotonic() < until and fault.what != "Hang":
        at = 0
        while at < len(fault.data) and time.monotonic() < until:
            less = fault.data[:at] + fault.data[at + size :]
            found = caught(call, less)
            if found and (found.what, found.where) == (fault.what, fault.where):
                fault = Fault(fault.what, fault.where, less, fault.times)
            else:
                at += size
        size //= 2
    return fault


def keep(faults: Iterator[Fault], folder: Path, name: str) -> None:
    """Write the inputs that raised something, for the corpus once they are mended."""
    for fault in faults:
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        (place / hashlib.sha256(fault.data).hexdigest()[:12]).write_bytes(fault.data)


@dataclass(frozen=True)
class Words:
    """What inputs are made of: those to begin with, and the words of their language."""

    seeds: list[bytes]
    tokens: tuple[bytes, ...]


def own(watch: Watch, words: Words, seconds: float, chance: random.Random) -> Report:
    """Mutate inputs until the time is over, and keep those that reach something new."""
    coverage = Coverage()
    mutator = Mutator(chance, words.tokens)
    seeds, parents = words.seeds, list(words.seeds)
    for seed in seeds:
        watch.run(seed)
    watch.warm()
    until = time.monotonic() + seconds
    for seed in seeds:
        if time.monotonic() < until:
            coverage.is_new(lambda data=seed: caught(watch.target.call, data))
    while time.monotonic() < until:
        data = mutator.mutate(_parent(chance, parents, len(seeds)), chance.choice(parents))
        well = watch.run(data)
        if chance.randrange(TRACED) == 0 and well:
            new = coverage.is_new(lambda: caught(watch.target.call, data))  # noqa: B023 -- run at once
            if new and len(parents) < KEPT_PARENTS:
                parents.append(data)
    return watch.end(len(coverage), len(parents) - len(seeds))


def _parent(chance: random.Random, parents: list[bytes], first: int) -> bytes:
    """Return a parent; half of the time one that was found, if there are any."""
    found = len(parents) - first
    return (
        parents[-chance.randint(1, found)]
        if found and chance.random() < 0.5
        else chance.choice(parents)
    )


def guided(
    watch: Watch, words: Words, seconds: float, seed: int, done: Callable[[Report], None]
) -> None:
    """Let atheris find inputs until the time is over; never returns, `done` gets the figures."""
    import atheris  # noqa: PLC0415 -- only who has it gets here

    folder = Path(tempfile.mkdtemp(prefix="watcher-fuzz-"))
    begun, dictionary = folder / "seeds", folder / "words"
    begun.mkdir()
    for number, data in enumerate(words.seeds):
        (begun / str(number)).write_bytes(data)
        watch.run(data)
    short = (word for word in words.tokens if len(word) < LONGEST_WORD)
    dictionary.write_text("".join(f'"{_escaped(word)}"\n' for word in short))
    watch.warm()
    until = time.monotonic() + seconds

    def one(data: bytes) -> None:
        watch.run(data)
        if time.monotonic() >= until:
            done(watch.end(kept=len(list(begun.iterdir())) - len(words.seeds)))
            shutil.rmtree(folder)
            sys.stdout.flush()
            os._exit(0)  # libFuzzer would go on

    options = [f"-seed={seed}", f"-max_len={LIMIT}", f"-dict={dictionary}", "-timeout=600",
               "-rss_limit_mb=0", "-verbosity=0", f"-artifact_prefix={folder}/"]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(begun)], one)
    atheris.Fuzz()


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)
