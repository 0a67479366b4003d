"""The whole performance: nights of all clusters, noise between them, repeats, disorder.

The same clusters, catalogue and programme give the same bytes.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from watcher.rules.alarms import Alarms
from watcher.traffic import noise
from watcher.traffic.cast import PlayedCluster, PlayedNode
from watcher.traffic.message import Played
from watcher.traffic.monitor import DAY
from watcher.traffic.night import Run, night
from watcher.traffic.programme import Programme


def play(
    clusters: Sequence[PlayedCluster], alarms: Alarms, programme: Programme
) -> Iterator[Played]:
    """Yield all messages of a programme, in the order in which they are sent."""
    chance = random.Random(programme.seed)  # noqa: S311 -- the same bytes for the same seed
    run = Run(programme, alarms, chance)
    nodes = [node for cluster in clusters for node in cluster.nodes]
    yield from _disordered(_repeated(_mixed(_nights(run, clusters), run, nodes), run), run)


def _nights(run: Run, clusters: Sequence[PlayedCluster]) -> Iterator[Played]:
    for number in range(run.programme.nights):
        start = run.programme.start + number * DAY
        told = [message for cluster in clusters for message in night(run, cluster, start)]
        told.sort(key=lambda message: message.at)
        yield from told


def _mixed(told: Iterator[Played], run: Run, nodes: Sequence[PlayedNode]) -> Iterator[Played]:
    share = run.programme.noise
    owed = 0.0
    for message in told:
        yield message
        owed += share / (1 - share)
        while owed >= 1:
            owed -= 1
            node = run.chance.choice(nodes)
            yield noise.other(run.chance, node, message.at, run.number(node))


def _repeated(told: Iterator[Played], run: Run) -> Iterator[Played]:
    share = run.programme.again
    for message in told:
        yield message
        if share and run.chance.random() < share:
            yield replace(message, again=True)


def _disordered(told: Iterator[Played], run: Run) -> Iterator[Played]:
    most = run.programme.disorder
    waiting: list[Played] = []
    for message in told:
        waiting.append(message)
        if len(waiting) > most:
            yield waiting.pop(run.chance.randrange(len(waiting)) if most else 0)
    yield from waiting
