"""`make crash`: kill -9 at random instants and at every named point; nothing accepted may be lost.

Two daemons side by side are killed under load, each with its own senders; then each of the seeded
bugs must be found. Every figure that is printed was counted in this run (goal G-05).
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from killing.cycles import Figures, Killer
from killing.points import taking_in

BUGS = ("acknowledge-first", "cursor-first", "dedup-outside")
LANES = 3
AUDIT_EVERY = 6
"""Cycles between two audits while a seeded bug is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How long the run is."""

    seed: int
    cycles: int = 200
    times: int = 5
    """How often a life dies at each named point."""
    acknowledged: int = 50_000
    bugs: tuple[str, ...] = BUGS
    bug_cycles: int = 60


async def lane(order: Order, number: int, folder: Path) -> Figures:
    """Kill one daemon: its share of the random cycles and of the points, in random order."""
    killer = Killer(folder / f"lane-{number}", order.seed + number)
    named = [point for point in taking_in() for _ in range(order.times)]
    plan = [*named, *([""] * order.cycles)][number::LANES]
    killer.chance.shuffle(plan)
    async with killer.load():
        for point in plan:
            await (killer.kill_at(point) if point else killer.kill_at_random())
        await killer.gather(order.acknowledged // LANES)
        return await killer.end()


async def hunt(order: Order, bug: str, folder: Path) -> int:
    """Return the cycle at which a seeded bug was found; 0 when it was not."""
    killer = Killer(folder / bug, order.seed, bug)
    async with killer.load():
        for cycle in range(1, order.bug_cycles + 1):
            await killer.kill_at_random()
            if cycle % AUDIT_EVERY == 0 and (await killer.end()).audit.faults:
                return cycle
    return 0


async def run(order: Order, folder: Path) -> tuple[Figures, dict[str, int]]:
    """Return what came of all lanes together, and where each bug was found."""
    begin = time.monotonic()
    lanes = await asyncio.gather(*(lane(order, each, folder) for each in range(LANES)))
    figures = _together(list(lanes))
    figures.seconds = time.monotonic() - begin
    hunts = await asyncio.gather(*(hunt(order, bug, folder) for bug in order.bugs))
    return figures, dict(zip(order.bugs, hunts, strict=True))


def _together(lanes: list[Figures]) -> Figures:
    made = Figures()
    for each in lanes:
        for name in ("kills", "points", "missed", "sent", "there"):
            setattr(made, name, getattr(made, name) + getattr(each, name))
        made.acknowledged += each.acknowledged
        made.held += each.held
        for name in ("events", "cases", "messages", "poisoned", "unread", "lost", "doubled"):
            setattr(made.audit, name, getattr(made.audit, name) + getattr(each.audit, name))
        made.audit.books = dict(Counter(made.audit.books) + Counter(each.audit.books))
        made.audit.faults += each.audit.faults
    never = sorted(set(taking_in()) - set(made.points)) if made.points else []
    if never:
        made.audit.faults.append(f"no life came by {', '.join(never)}")
    return made


def table(figures: Figures, bugs: dict[str, int], order: Order) -> str:
    """Return the page of figures."""
    found = figures.audit
    rows = [
        ("seed", order.seed),
        ("killed at random", f"{figures.kills.total()}: {_list(figures.kills)}"),
        ("killed at points", f"{figures.points.total()}: {_list(figures.points)}"),
        ("not passed", _list(figures.missed) or "none"),
        ("acknowledged with 250", f"{figures.acknowledged:,}"),
        ("held in files, mailboxes", f"{figures.held:,}"),
        ("lost of either", found.lost),
        ("events doubled", found.doubled),
        ("events, cases", f"{found.events:,}, {found.cases}"),
        ("messages", f"{found.messages:,}, of them put aside unread: {found.poisoned}"),
        *((f"sent by {way}", f"{sent:,}, there: {figures.there[way]:,}")
          for way, sent in sorted(figures.sent.items())),
        ("books, difference", sum(map(abs, found.books.values()))),
        ("faults", "; ".join(found.faults) or "none"),
        ("seconds", f"{figures.seconds:.0f}"),
        *((f"seeded bug {bug}", f"found within {cycle} cycles" if cycle else "NOT FOUND")
          for bug, cycle in bugs.items()),
    ]  # fmt: skip
    return "\n".join(f"{name:28} {value}" for name, value in rows)


def _list(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def main() -> int:
    """Run as told on the command line; 1 when something was lost, or a bug was not found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311 -- no secret
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--acknowledged", type=int, default=50_000)
    parser.add_argument("--bugs", nargs="*", default=list(BUGS), choices=BUGS)
    told = vars(parser.parse_args())
    order = Order(**{**told, "bugs": tuple(told["bugs"])})
    with tempfile.TemporaryDirectory(prefix="watcher-crash-") as folder:
        figures, bugs = asyncio.run(run(order, Path(folder)))
    sys.stdout.write(table(figures, bugs, order) + "\n")
    return 1 if figures.audit.faults or not all(bugs.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
