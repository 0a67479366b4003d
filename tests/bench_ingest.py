# ruff: noqa: T201 -- a bench prints
"""CPU of our inputs beside rsyslog and syslog-ng, in one run: seconds for a million messages.

`python tests/bench_ingest.py [RUNS]` sends the same messages of 265 bytes to each of them in turn,
RUNS times (3), and prints medians. Compare ratios, as the machine may be shared. What is not here
is left out by name. Ends with 1 when our books do not balance; never because something is slow.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import trustme
from real import parts
from real.pump import SIZE
from real.receivers import Ours, Receiver, ours, rsyslog, syslog_ng

PUMP = Path(__file__).parent / "real" / "pump.py"


@dataclass(frozen=True)
class Load:
    """What is sent: of 1,000 messages `alarms` are ours; rate 0 is as fast as it goes."""

    title: str
    way: str
    count: int
    rate: int = 0
    alarms: int = 1
    noise: str = "other"


LOADS = (
    Load("TCP, ended by LF", "lines", 300_000),
    Load("TCP, octet-counted", "counted", 300_000),
    Load("TLS, a record each", "tls", 60_000),
    Load("UDP, 100,000/s", "udp", 150_000, rate=100_000),
    Load("UDP, unpaced", "udp", 300_000),
    Load("TCP LF, audit log, 1 %", "lines", 300_000, alarms=10, noise="cluster"),
    Load("UDP 100,000/s, audit log, 1 %", "udp", 150_000, 100_000, 10, "cluster"),
)


@dataclass
class Measured:
    """What one receiver did with one load: of each run CPU seconds, send seconds, and losses."""

    cpu: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    lost: int = 0

    @property
    def cost(self) -> float:
        """CPU seconds for a million messages that were read."""
        return statistics.median(self.cpu) * 1e6


def send(load: Load, receiver: Receiver) -> float:
    """Send a load; return the seconds that took."""
    command = [
        sys.executable, str(PUMP), load.way, str(receiver.ports[load.way]), str(load.count),
        str(load.rate), str(load.alarms), load.noise,
    ]  # fmt: skip
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603


def measure(load: Load, receiver: Receiver, into: Measured) -> None:
    """Send a load once, and look what it cost."""
    before, dropped = receiver.rest(), receiver.dropped()
    counted = receiver.counts() if isinstance(receiver, Ours) else {}
    into.seconds.append(send(load, receiver))
    used = receiver.rest() - before
    lost = receiver.dropped() - dropped
    into.cpu.append(used / max(load.count - lost, 1))
    into.lost += lost
    if isinstance(receiver, Ours):
        now = receiver.counts()
        check(load, {name: now[name] - counted[name] for name in counted}, lost)


def check(load: Load, counts: dict[str, int], lost: int) -> None:
    """Hold the counts of one run to what was sent: each message once, in one place."""
    assert counts["received"] == load.count - lost, (load, counts, lost)
    assert counts["received"] == counts["noise"] + counts["kept"] + counts["refused"], counts
    assert 0 == counts["refused"] == lost - counts["dropped"], (counts, lost)
    if not lost:
        assert counts["kept"] == load.count * load.alarms // 1000, (load, counts)


def prepare(folder: Path, name: str, ca: trustme.CA) -> Path:
    """Make a folder with the certificate that a receiver shows."""
    made = folder / name
    made.mkdir()
    certificate = ca.issue_cert("127.0.0.1")
    ca.cert_pem.write_to_path(made / "ca.pem")
    certificate.private_key_pem.write_to_path(made / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(made / "cert.pem")
    return made


def row(load: Load, name: str, measured: Measured, ours_: Measured) -> str:
    """Return one line of the table."""
    sent = load.count * len(measured.cpu)
    ratio = "" if measured is ours_ else f"{ours_.cost / measured.cost:8.2f}"
    return (
        f"{load.title:30} {name:10} {measured.cost:8.2f} {min(measured.cpu) * 1e6:8.2f}"
        f" {load.count / statistics.median(measured.seconds):11,.0f}"
        f" {100 * measured.lost / sent:7.2f} % {ratio}"
    )


def run(runs: int, folder: Path) -> None:
    """Measure all, and print."""
    others = {"rsyslog": (parts.rsyslog, rsyslog), "syslog-ng": (parts.syslog_ng, syslog_ng)}
    ca = trustme.CA()
    with ExitStack() as stack:
        mine = stack.enter_context(ours(prepare(folder, "watcher", ca)))
        receivers: list[Receiver] = [mine]
        for name, (find, make) in others.items():
            if find() is None:
                print(f"{name} is not here (tests/real/fetch_parts.sh): left out")
                continue
            receivers.append(stack.enter_context(make(prepare(folder, name, ca))))
        print(f"{SIZE} bytes a message, medians of {runs} runs, CPU s for a million messages")
        print(f"{'':30} {'':10} {'CPU s/M':>8} {'best':>8} {'sent/s':>11} {'lost':>9} ours/its")
        for load in LOADS:
            table = {receiver.name: Measured() for receiver in receivers}
            for _ in range(runs):
                for receiver in receivers:
                    measure(load, receiver, table[receiver.name])
            for name, measured in table.items():
                print(row(load, name, measured, table["watcher"]), flush=True)
        told, kept = mine.counts(), mine.end()
        close(told, kept)


def close(told: dict[str, int], kept: dict[str, int]) -> None:
    """Hold the journal to what was handed to it, and print the books."""
    for name in ("received", "noise", "refused", "kept"):
        assert told[name] == kept[name], (told, kept)
    print(
        f"books: received {kept['received']:,} = noise {kept['noise']:,} + kept {kept['kept']:,}"
        f" + refused {kept['refused']:,}; difference 0; peak {kept['peak'] >> 10} MiB"
    )


def main() -> None:
    """Run in a folder that is removed again."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        run(int(sys.argv[1]) if len(sys.argv) > 1 else 3, Path(folder))
    print(f"took {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
