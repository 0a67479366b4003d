"""Receivers beside which ours is measured: each a process with the same four ways in.

Each keeps messages with UC_CERT in a file (ours: in its journal) and forgets the others.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from ports import free_port
from real import parts

OURS = Path(__file__).with_name("ours.py")
BUFFER = 8 << 20
"""Bytes of receive buffer that each asks for."""

RSYSLOG = """\
global(workDirectory="{folder}" defaultNetstreamDriverCAFile="{folder}/ca.pem"
  defaultNetstreamDriverCertFile="{folder}/cert.pem"
  defaultNetstreamDriverKeyFile="{folder}/key.pem")
module(load="imtcp")
module(load="imudp")
input(type="imtcp" address="127.0.0.1" port="{tcp}")
input(type="imtcp" address="127.0.0.1" port="{tls}" streamdriver.name="{driver}"
  streamdriver.mode="1" streamdriver.authmode="anon")
input(type="imudp" address="127.0.0.1" port="{udp}" rcvbufSize="{buffer}")
:rawmsg, contains, "UC_CERT" {folder}/kept
"""
SYSLOG_NG = """\
@version: 3.35
options {{ stats-freq(0); }};
source lines {{ network(ip("127.0.0.1") port({tcp}) transport("tcp")); }};
source counted {{ syslog(ip("127.0.0.1") port({counted}) transport("tcp")); }};
source tls {{ syslog(ip("127.0.0.1") port({tls}) transport("tls") tls(
  key-file("{folder}/key.pem") cert-file("{folder}/cert.pem") peer-verify(optional-untrusted))); }};
source udp {{ network(ip("127.0.0.1") port({udp}) transport("udp") so-rcvbuf({buffer})); }};
filter ours {{ message("UC_CERT" type("string") flags("substring")) }};
log {{ source(lines); source(counted); source(tls); source(udp); filter(ours);
  destination {{ file("{folder}/kept"); }}; }};
"""


@dataclass
class Receiver:
    """A running receiver; `ports` by way."""

    name: str
    process: psutil.Process
    ports: Mapping[str, int]

    def cpu(self) -> float:
        """Return CPU seconds used so far, by all threads."""
        used = self.process.cpu_times()
        return used.user + used.system

    def rest(self, quiet: float = 0.25, patience: float = 20) -> float:
        """Wait until it has nothing to do; return its CPU seconds then."""
        end = time.monotonic() + patience
        used = self.cpu()
        while time.monotonic() < end:
            time.sleep(quiet)
            before, used = used, self.cpu()
            if used - before < quiet * 0.1:
                return used
        raise TimeoutError(f"{self.name} does not come to rest")

    def dropped(self) -> int:
        """Return how many datagrams the kernel dropped before it."""
        for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
            fields = line.split()
            if int(fields[1].partition(":")[2], 16) == self.ports["udp"]:
                return int(fields[-1])
        raise LookupError(f"{self.name} has no UDP socket")


class Ours(Receiver):
    """Our inputs; tells what it counted."""

    def __init__(self, running: "subprocess.Popen[str]") -> None:
        self._running = running
        ports = self._hear()
        super().__init__("watcher", psutil.Process(running.pid), ports)

    def counts(self) -> dict[str, int]:
        """Return what it counted so far."""
        self._running.stdin.write("\n")
        self._running.stdin.flush()
        return self._hear()

    def end(self) -> dict[str, int]:
        """End it; return what its journal says."""
        self._running.stdin.close()
        return self._hear()

    def _hear(self) -> dict[str, int]:
        line = self._running.stdout.readline()
        if not line:
            raise ChildProcessError("our own receiver ended")
        return json.loads(line)


@contextmanager
def ours(folder: Path):
    """Run our inputs."""
    command = [sys.executable, str(OURS), str(folder)]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
    with running:
        try:
            yield Ours(running)
        finally:
            if not running.stdin.closed:
                running.stdin.close()
            try:
                running.wait(20)
            finally:
                running.kill()


@contextmanager
def rsyslog(folder: Path):
    """Run rsyslogd."""
    program = parts.rsyslog()
    tcp, tls, udp = _free(socket.SOCK_STREAM, 2) + _free(socket.SOCK_DGRAM, 1)
    driver = parts.rsyslog_drivers(program)[0]
    text = RSYSLOG.format(folder=folder, tcp=tcp, tls=tls, udp=udp, driver=driver, buffer=BUFFER)
    (folder / "configuration").write_text(text)
    modules = ["-M", ":".join(map(str, program.modules))] if program.modules else []
    arguments = ["-n", "-C", "-i", folder / "pid", *modules, "-f", folder / "configuration"]
    ports = {"lines": tcp, "counted": tcp, "tls": tls, "udp": udp}
    with _running("rsyslog", program, arguments, folder, ports) as receiver:
        yield receiver


@contextmanager
def syslog_ng(folder: Path):
    """Run syslog-ng."""
    program = parts.syslog_ng()
    tcp, counted, tls, udp = _free(socket.SOCK_STREAM, 3) + _free(socket.SOCK_DGRAM, 1)
    ports = {"lines": tcp, "counted": counted, "tls": tls, "udp": udp}
    text = SYSLOG_NG.format(folder=folder, tcp=tcp, counted=counted, tls=tls, udp=udp,
                            buffer=BUFFER)  # fmt: skip
    (folder / "configuration").write_text(text)
    modules = [f"--module-path={':'.join(map(str, program.modules))}"] if program.modules else []
    arguments = [
        "-F", "--no-caps", *modules, "-f", folder / "configuration", "-R", folder / "state",
        "-c", folder / "control", "-p", folder / "pid",
    ]  # fmt: skip
    with _running("syslog-ng", program, arguments, folder, ports) as receiver:
        yield receiver


@contextmanager
def _running(name, program, arguments: Sequence[object], folder: Path, ports: Mapping[str, int]):
    with (folder / "told").open("wb") as told:
        running = program.start(arguments, stdout=told, stderr=told)
    try:
        receiver = Receiver(name, psutil.Process(running.pid), ports)
        _await(receiver, running, folder)
        yield receiver
    finally:
        running.terminate()
        try:
            running.wait(20)
        finally:
            running.kill()
            running.wait()


def _await(receiver: Receiver, running: "subprocess.Popen[bytes]", folder: Path) -> None:
    end = time.monotonic() + 20
    for port in sorted({receiver.ports["lines"], receiver.ports["tls"]}):
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
            except OSError:
                if running.poll() is not None or time.monotonic() > end:
                    told = (folder / "told").read_text(errors="replace")
                    raise ChildProcessError(f"{receiver.name} does not listen: {told}") from None
                time.sleep(0.05)
    receiver.rest()


def _free(kind: socket.SocketKind, count: int) -> list[int]:
    return [free_port(kind) for _ in range(count)]
