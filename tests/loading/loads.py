"""The loads: what is sent, what must come of it, and what it cost."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from builders import CATALOGUE
from loading import attacks
from loading.daemon import Daemon
from loading.honest import Honest

from watcher.app.clock import SystemClock
from watcher.app.players import Scheme, Target, UdpSender
from watcher.inventory.schema import Certificate, Inventory
from watcher.model.ledger import Place
from watcher.traffic.cast import cast
from watcher.traffic.invent import invent

MIB = 1 << 20
IDLE_LIMIT = 200 * MIB
LOAD_LIMIT = 400 * MIB
HONEST = 20
"""Alarms that an honest sender sends at least."""
STREAMS = ("tcp", "tls", "smtp")
"""Inputs with connections."""
CLAIMED_CASES = 1000
"""cases.storm.claimed_total of the settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of everything."""

    udp_seconds: int = 60
    burst: int = 10_000
    alarm_seconds: int = 60
    keys: int = 500
    attempts: int = 10_000
    slow: int = 500
    slow_seconds: int = 40
    bombs: int = 50
    forged: int = 20_000
    garbage: int = 100_000
    strict: bool = True
    """A datagram that the kernel dropped counts as lost; else it only has to be counted."""


QUICK = Size(
    udp_seconds=5, burst=2_000, alarm_seconds=5, keys=100, attempts=500, slow=40, slow_seconds=4,
    bombs=10, forged=1_000, garbage=2_000, strict=False,
)  # fmt: skip


@dataclass(slots=True)
class Result:
    """What a load showed: figures to print, and what was wrong."""

    name: str
    figures: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def must(self, is_so: bool, otherwise: str) -> None:  # noqa: FBT001 -- reads as a sentence
        """Note what is wrong."""
        if not is_so:
            self.wrong.append(otherwise)


def site_with(keys: int) -> Inventory:
    """Return an inventory whose nodes have exactly so many certificates."""
    nodes = max(1, keys // 6)
    made = invent(nodes)
    clusters = cast(made, CATALOGUE, seed=1, start=SystemClock().now())
    cases = [
        (cluster.name, certificate.case)
        for cluster in clusters
        for certificate in cluster.certificates
        if certificate.case.owner
    ][:keys]
    listed: dict[str, list[Certificate]] = {}
    for name, case in cases:
        listed.setdefault(name, []).append(Certificate(store=case.store, node=case.owner))
    # A cluster that lists none would get all: it is left out.
    kept = [cluster for cluster in made.clusters if cluster.name in listed]
    return Inventory(
        version=1,
        clusters=tuple(
            cluster.model_copy(update={"certificates": tuple(listed[cluster.name])})
            for cluster in kept
        ),
    )


def simulate(daemon: Daemon, *arguments: str, way: str = "udp") -> dict:
    """Send with `watcher simulate` and return its report."""
    host, port = daemon.address(way)
    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-m", "watcher", "simulate", "--to", f"{way}:{host}:{port}", "--json",
         "--inventory", str(daemon.folder / "inventory.yaml"), *arguments],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def idle(daemon: Daemon, size: Size) -> Result:
    """Nothing happens for some seconds."""
    result = Result("idle")
    time.sleep(5 if size.strict else 1)
    result.must(daemon.memory.peak < IDLE_LIMIT, f"memory {daemon.memory.peak / MIB:.0f} MiB")
    return result


def steady(daemon: Daemon, size: Size) -> Result:
    """UDP 3,000/s, one in a hundred an alarm, from eight addresses."""
    result = Result(f"UDP 3,000/s for {size.udp_seconds} s")
    report = simulate(
        daemon, "--rate", "3000/s", "--limit", str(3000 * size.udp_seconds),
        "--noise", "0.99", "--forms", "remote", "--nights", "30",
    )  # fmt: skip
    return _counted(daemon, result, report, size)


def burst(daemon: Daemon, size: Size) -> Result:
    """All at once, 15,000/s."""
    result = Result(f"UDP burst of {size.burst:,} at 15,000/s")
    report = simulate(
        daemon, "--rate", "15000/s", "--limit", str(size.burst), "--noise", "0.9",
        "--forms", "remote", "--nights", "3",
    )  # fmt: skip
    return _counted(daemon, result, report, size)


def alarms(daemon: Daemon, size: Size) -> Result:
    """Certificate alarms only, 1,000/s over a number of certificates."""
    result = Result(f"1,000 alarms/s for {size.alarm_seconds} s over {size.keys} certificates")
    report = simulate(
        daemon, "--rate", "1000/s", "--limit", str(1000 * size.alarm_seconds),
        "--forms", "remote", "--nights", "30",
    )  # fmt: skip
    _counted(daemon, result, report, size)
    cases = daemon.cases()
    result.figures.append(f"{cases} cases of {report['expected_cases']} expected")
    result.must(report["expected_cases"] == size.keys, "not all certificates were played")
    result.must(cases == size.keys, f"{cases} cases instead of {size.keys}")
    return result


def tls(daemon: Daemon, size: Size) -> Result:
    """TLS 1,000/s, one in a hundred an alarm, on eight connections."""
    result = Result(f"TLS 1,000/s for {size.udp_seconds} s")
    report = simulate(
        daemon, "--rate", "1000/s", "--limit", str(1000 * size.udp_seconds), "--noise", "0.99",
        "--forms", "remote", "--nights", "30", way="tls",
    )  # fmt: skip
    return _counted(daemon, result, report, size, "tls")


def mail(daemon: Daemon, size: Size) -> Result:
    """Mails, 20/s: each is on the disk when it is acknowledged."""
    result = Result(f"SMTP 20/s for {size.udp_seconds} s")
    report = simulate(
        daemon, "--rate", "20/s", "--limit", str(20 * size.udp_seconds), "--forms", "mail",
        "--nights", "30", way="smtp",
    )  # fmt: skip
    (way,) = report["ways"]
    wait = way["answer_p99_seconds"] * 1000
    result.figures.append(f"{way['acknowledged']:,} acknowledged, p99 {wait:.0f} ms to the 250")
    result.must(way["acknowledged"] == way["messages"], f"{way['refused']} refused")
    return _counted(daemon, result, report, size, "smtp")


def _counted(daemon: Daemon, result: Result, report: dict, size: Size, way: str = "udp") -> Result:
    sent = report["messages"]
    gone = daemon.settle()
    received, drops = daemon.received(way), daemon.drops()
    result.figures.append(
        f"{sent:,} sent at {sent / report['seconds']:,.0f}/s, {received:,} received, "
        f"{drops} dropped by the kernel; backlog gone {gone:.1f} s later"
    )
    result.must(received + drops == sent, f"{sent - received - drops} are missing")
    result.must(not size.strict or not drops, f"{drops} lost")
    return result


def connections(daemon: Daemon, size: Size) -> Result:
    """Open and close connections as fast as it goes, on every listener."""
    result = Result(f"{size.attempts:,} connection attempts on each listener")
    honest = Honest(daemon, daemon.open_ones("tcp", "smtp", "udp"))
    honest.start()
    for name in daemon.open_ones(*STREAMS):
        began = time.monotonic()
        made = attacks.attempts(daemon.address(name), size.attempts)
        took = time.monotonic() - began
        result.figures.append(f"{name}: {made:,} connected, {size.attempts / took:,.0f}/s")
    attacks.attempts(daemon.web, size.attempts)
    return _lived(result, honest)


def slow(daemon: Daemon, size: Size) -> Result:
    """Keep connections open that send a byte a second, on every listener, and idle TLS sessions."""
    result = Result(f"{size.slow} slow connections on each of TCP, TLS, SMTP, HTTP")
    addresses = {name: daemon.address(name) for name in daemon.open_ones(*STREAMS)}
    clients = attacks.slow_ones(addresses | {"web": daemon.web}, size.slow)
    sessions = attacks.idle_sessions(addresses["tls"], size.slow) if "tls" in addresses else []
    for client in clients:
        client.start()
    honest = Honest(daemon, daemon.open_ones("tcp", "smtp", "udp"))
    honest.start()
    time.sleep(size.slow_seconds)
    _lived(result, honest)
    for client in clients:
        client.stop()
    for session in sessions:
        session.close()
    closed = sum(client.closed for client in clients)
    result.figures.append(f"{closed:,} closed or refused, {len(sessions)} TLS sessions were held")
    return result


def bombs(daemon: Daemon, size: Size) -> Result:
    """Mails that are meant to hurt."""
    result = Result(f"{size.bombs} mail bombs")
    honest = Honest(daemon, ("udp", "smtp"))
    honest.start()
    answered = attacks.bombs(daemon.address("smtp"), size.bombs)
    result.figures.append(f"{answered} of {size.bombs} answered")
    result.must(answered == size.bombs, f"{size.bombs - answered} mails got no answer")
    return _lived(result, honest)


def storm(daemon: Daemon, size: Size) -> Result:
    """Alarms of nodes that nobody knows, each with a key of its own."""
    result = Result(f"storm of {size.forged:,} forged certificates")
    sent = _send(daemon, attacks.forged(size.forged), 2000)
    _settled(daemon, result, sent, size)
    made = daemon.cases()
    result.figures.append(f"{made} cases, {daemon.kept(Place.QUARANTINED):,} in quarantine")
    result.must(made <= CLAIMED_CASES, f"{made} cases of forged certificates")
    return result


def quarantine(daemon: Daemon, size: Size) -> Result:
    """Messages that look like ours and cannot be read."""
    result = Result(f"{size.garbage:,} messages for quarantine")
    sent = _send(daemon, attacks.garbage(size.garbage), 5000)
    _settled(daemon, result, sent, size)
    held, refused = daemon.kept(Place.QUARANTINED), daemon.kept(Place.REFUSED)
    result.figures.append(f"{held:,} quarantined, {refused:,} refused")
    result.must(held + refused + daemon.drops() == sent, "some are neither")
    return result


def _settled(daemon: Daemon, result: Result, sent: int, size: Size) -> None:
    gone, drops = daemon.settle(), daemon.drops()
    received = daemon.received("udp")
    result.figures.append(
        f"{sent:,} sent, {received:,} received, {drops} dropped; backlog gone {gone:.1f} s later"
    )
    result.must(received + drops == sent, f"{sent - received - drops} are missing")
    result.must(not size.strict or not drops, f"{drops} lost")


def _send(daemon: Daemon, messages: Iterable[bytes], rate: int) -> int:
    host, port = daemon.address("udp")
    sender = UdpSender(Target(scheme=Scheme.UDP, host=host, port=port))
    began = time.monotonic()
    for number, message in enumerate(messages):
        if number % 10 == 0 and (wait := began + number / rate - time.monotonic()) > 0:
            time.sleep(wait)
        sender.send(message, number % 8)
    sender.close()
    return sender.sent.messages


def _lived(result: Result, honest: Honest) -> Result:
    """Stop an honest sender and say how it went."""
    while len(honest.sent_at) < HONEST and honest.is_alive:
        time.sleep(0.1)
    honest.stop()
    for way in honest.ways:
        waits = honest.waits(way) or [float("inf")]
        result.figures.append(
            f"honest {way}: {len(waits)} stored, p50 {waits[len(waits) // 2] * 1000:.0f} ms, "
            f"p99 {waits[len(waits) * 99 // 100] * 1000:.0f} ms after they were sent"
        )
    result.must(bool(honest.stored_at), "no honest alarm was stored")
    result.must(not honest.missing, f"{honest.missing} honest alarms are missing")
    return result


Load = Callable[[Daemon, Size], Result]
LOADS: tuple[Load, ...] = (
    idle, steady, burst, tls, mail, alarms, connections, slow, bombs, storm, quarantine,
)  # fmt: skip


def run(load: Load, folder: Path, size: Size) -> Result:
    """Run a load against a daemon of its own, and hold memory and books against their bounds."""
    daemon = Daemon(folder, site_with(size.keys))
    try:
        daemon.start()
        result = load(daemon, size)
        closed = set(STREAMS) - set(daemon.open_ones(*STREAMS))
        result.must(not closed, f"not open: {', '.join(sorted(closed))}")
        p99, worst = daemon.lag()
        last = daemon.stop()
    except BaseException:
        daemon.stop()
        raise
    peak, proportional = daemon.memory.peak / MIB, daemon.memory.proportional / MIB
    result.figures.append(
        f"memory {peak:.0f} MiB (shared pages once: {proportional:.0f}); "
        f"loop late by {p99 * 1000:.1f} ms (p99), {worst * 1000:.0f} ms at worst"
    )
    result.figures.append(last)
    result.must(daemon.memory.peak < LOAD_LIMIT, f"memory {peak:.0f} MiB")
    result.must("balanced" in last, "the books were not seen to balance")
    result.must("Traceback" not in daemon.log(), f"a traceback in {daemon.folder}/log")
    return result
