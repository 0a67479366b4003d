"""`make fuzz`: rubbish for every reader; nothing may be raised, and time grows with length only.

Each target runs in a process of its own for 60 s, then meets every hostile shape at 1 to 16 KiB
(goal G-03). Every figure that is printed was counted in this run. Inputs that raised something are
written to a folder, to be checked in under tests/fuzzing/corpus once the fault is mended.

With atheris the search is guided by libFuzzer. It is not among the locked packages; to use it:

    .venv/bin/python -m pip install --target .atheris atheris
    PYTHONPATH=.atheris make fuzz
"""

import argparse
import importlib
import importlib.util
import json
import os
import random
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ATHERIS = importlib.util.find_spec("atheris") is not None
FOUND = Path(tempfile.gettempdir()) / "watcher-fuzz"
STREAMS = 50_000
MOST_TOLD = 10
NO_GROWTH = {"ratio": 0.0, "shape": "", "longest": 0, "longest_shape": "", "too_steep": []}
ROW = "{:14} {:>10} {:>9} {:>6} {:>8} {:>7} {:>8} {:>6} {:<28} {:>8} {:<22} {:>6}"
TITLES = ("target", "executions", "a second", "kept", "slowest", "bytes", "grown", "ratio", "shape",
          "16 KiB", "shape", "faults")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is run, and for how long."""

    seed: int
    seconds: float = 60.0
    only: tuple[str, ...] = ()
    found: Path = FOUND
    jobs: int = 1
    own: bool = False
    shapes: bool = True


def names() -> list[str]:
    """Return the names of all targets, without loading what they test."""
    from fuzzing.targets import TARGETS  # noqa: PLC0415 -- slow, and only needed here

    return list(TARGETS)


def one(name: str, order: Order) -> None:
    """Run one target in this process and print its figures as a line of JSON."""
    by_atheris = ATHERIS and not order.own
    if by_atheris:
        import atheris  # noqa: PLC0415 -- only who has it gets here

        # What is to be guided must be loaded under its eyes.
        with atheris.instrument_imports(include=["watcher"]):
            importlib.import_module("fuzzing.targets")
    from fuzzing import engine, seeds, targets  # noqa: PLC0415 -- not before

    target = targets.TARGETS[name]
    words = engine.Words(seeds.seeds(target.family, name), seeds.tokens(target.family))
    chance = seeds.chance_of(order.seed, name)
    watch = engine.Watch(target, "atheris" if by_atheris else "own")

    def done(report: engine.Report) -> None:
        engine.keep(iter(watch.faults.values()), order.found, name)
        sys.stdout.write(json.dumps(report.as_plain()) + "\n")

    if by_atheris:
        engine.guided(watch, words, order.seconds, chance.randrange(1, 1 << 31), done)
    else:
        done(engine.own(watch, words, order.seconds, chance))


def _growth(target: Any) -> dict[str, Any]:
    """Return the worst growth over all shapes, and the longest time at 16 KiB."""
    from fuzzing import linear, shapes  # noqa: PLC0415 -- as above

    met = [linear.growth(target.call_quietly, shape) for shape in shapes.SHAPES]
    worst = max(met, key=lambda growth: growth.ratio)
    longest = max(met, key=lambda growth: growth.longest)
    return {
        "ratio": worst.ratio,
        "shape": worst.shape,
        "longest": longest.longest,
        "longest_shape": longest.shape,
        "too_steep": [f"{g.shape}: {g.ratio:.1f}" for g in met if g.ratio > linear.LIMIT],
    }


def grow(name: str) -> None:
    """Print the growth of one target as a line of JSON; nothing may watch it that takes time."""
    from fuzzing import targets  # noqa: PLC0415 -- not before

    sys.stdout.write(json.dumps(_growth(targets.TARGETS[name])) + "\n")


def child(name: str, order: Order) -> dict[str, Any]:
    """Run one target in processes of its own and return its figures."""
    words = ["--one", name, "--seed", str(order.seed), "--seconds", str(order.seconds)]
    figures = ask(name, [*words, "--found", str(order.found), *["--own"] * order.own])
    return figures | (ask(name, ["--grow", name]) if order.shapes else NO_GROWTH)


def ask(name: str, words: list[str]) -> dict[str, Any]:
    """Run this program in a process of its own and return what it says in its last line."""
    run = subprocess.run(  # noqa: S603 -- ourselves
        [sys.executable, __file__, *words], capture_output=True, text=True, check=False
    )
    last = run.stdout.strip().rpartition("\n")[2]
    if run.returncode or not last.startswith("{"):
        return {"target": name, "faults": [f"ended with {run.returncode}: {run.stderr[-600:]}"]}
    return json.loads(last)


def matrix(order: Order) -> list[str]:
    """Read the streams of the framing matrix (goal G-04); return what is wrong with some."""
    from fuzzing import matrix as framing  # noqa: PLC0415 -- as above

    if order.only:
        return []
    told = ((case, framing.wrong(*case)) for case in framing.streams(STREAMS, order.seed))
    wrong = [f"framing matrix: {what}: {case!r:.300}" for case, what in told if what]
    sys.stdout.write(f"\nframing matrix: {STREAMS:,} streams, {len(wrong)} read wrongly\n")
    return wrong[:MOST_TOLD]


def row(figures: dict[str, Any]) -> str:
    """Return a target's line of the table."""
    if "seconds" not in figures or "longest" not in figures:
        return f"{figures['target']:14} did not come to its end"
    speed = figures["executions"] / max(figures["seconds"], 0.001)
    cells = (
        figures["target"], f"{figures['executions']:,}", f"{speed:,.0f}", figures["kept"],
        _ms(figures["slowest"]), f"{figures['slowest_size']:,}",
        f"{figures['grown'] / (1 << 20):.1f} M", f"{figures['ratio']:.2f}", figures["shape"],
        _ms(figures["longest"]), figures["longest_shape"],
        len(figures["faults"]) + len(figures["too_steep"]),
    )  # fmt: skip
    return ROW.format(*cells)


def _ms(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e6:.1f} ms"


def told(figures: dict[str, Any]) -> list[str]:
    """Return what is wrong with a target, in lines."""
    name = figures["target"]
    steep = [f"{name}: too steep on {shape}" for shape in figures.get("too_steep", ())]
    return [f"{name}: {fault}" for fault in figures["faults"]] + steep


def run(order: Order) -> int:
    """Run all targets and print the table; 1 when anything was found."""
    engine = "own" if order.own or not ATHERIS else "atheris"
    sys.stdout.write(f"seed {order.seed}, {engine} engine, {order.seconds:g} s a target\n\n")
    sys.stdout.write(ROW.format(*TITLES) + "\n")
    faults: list[str] = []
    total = 0
    with ThreadPoolExecutor(order.jobs) as pool:
        for figures in pool.map(lambda name: child(name, order), order.only or names()):
            sys.stdout.write(row(figures) + "\n")
            sys.stdout.flush()
            faults += told(figures)
            total += figures.get("executions", 0)
    faults += matrix(order)
    sys.stdout.write(f"\n{total:,} executions, {len(faults)} faults\n")
    sys.stdout.write("".join(f"  {fault}\n" for fault in faults))
    if faults:
        sys.stdout.write(f"Their inputs: {order.found}. The same again: --seed {order.seed}\n")
    return 1 if faults else 0


def main() -> int:
    """Run as told on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("only", nargs="*", help="targets; all unless told otherwise")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each target")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311 -- no secret
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 2) // 2))
    parser.add_argument("--found", type=Path, default=FOUND, help="folder for inputs that raise")
    parser.add_argument("--own", action="store_true", help="do without atheris")
    parser.add_argument("--no-shapes", action="store_true", help="do without the hostile shapes")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--grow", help=argparse.SUPPRESS)
    words = parser.parse_args()
    order = Order(seed=words.seed, seconds=words.seconds, only=tuple(words.only), jobs=words.jobs,
                  found=words.found, own=words.own, shapes=not words.no_shapes)  # fmt: skip
    if words.grow:
        grow(words.grow)
        return 0
    if words.one:
        one(words.one, order)
        return 0
    return run(order)


if __name__ == "__main__":
    sys.exit(main())
