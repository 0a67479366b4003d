"""The real daemon as a child process, on ports of its own; started, killed, stopped in order."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import trustme
from killing.numbered import inventory

PASSWORD = "hunter2"  # noqa: S105 -- of nobody
SETTINGS = """\
version: 1
state_dir: {folder}/state
inventory: {folder}/inventory.yaml
inputs:
  udp: {{port: 0}}
  tcp: {{port: 0}}
  tls: {{port: 0}}
  files:
    - {{name: spool, folder: {folder}/spool, every: 100ms}}
    - {{name: follow, follow: ["{folder}/followed.log"], every: 100ms}}
  smtp: {{port: 0, connections: 200, connections_per_peer: 200, commands: 1000}}
  imap: {{host: 127.0.0.1, port: {imap_port}, security: none, user: alerts,
         password: {{environment: MAILBOX_PASSWORD}}, every: 5s}}
tls: {{certificate: {folder}/certificate.pem, key: {folder}/key.pem, require_client: false}}
admission: {{source_rate: 1000000, source_burst: 1000000, total_rate: 1000000,
             total_burst: 1000000}}
journal: {{segment: 256KiB}}
plans: {{debounce: 1h}}
selftest: {{every: null}}
web: null
log: {{level: warning, format: console}}
"""


@dataclass(slots=True)
class Daemon:
    """One state folder, and at most one life at a time on it."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    groups: list[int] = field(default_factory=list)
    """Process groups of all lives; a worker may outlive its receiver for a while."""

    def prepare(self, imap_port: int) -> None:
        """Write settings, inventory and a certificate."""
        (self.folder / "spool").mkdir(parents=True, exist_ok=True)
        (self.folder / "inventory.yaml").write_text(inventory())
        issued = trustme.CA().issue_cert("127.0.0.1")
        issued.cert_chain_pems[0].write_to_path(self.folder / "certificate.pem")
        issued.private_key_pem.write_to_path(self.folder / "key.pem")
        (self.folder / "key.pem").chmod(0o600)
        settings = SETTINGS.format(folder=self.folder, imap_port=imap_port)
        (self.folder / "watcher.yaml").write_text(settings)

    @property
    def state(self) -> Path:
        """Return the folder with journal and database."""
        return self.folder / "state"

    @property
    def url(self) -> str:
        """Return the database."""
        return f"sqlite:///{self.state}/watcher.db"

    @property
    def alive(self) -> bool:
        """Tell whether the receiver runs."""
        return self.process is not None and self.process.poll() is None

    def start(self, crash_at: str = "") -> None:
        """Begin a life."""
        environment = {**os.environ, "MAILBOX_PASSWORD": PASSWORD, **self.environment}
        if crash_at:
            environment["WATCHER_CRASH_AT"] = crash_at
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 -- our own program
                [sys.executable, "-m", "watcher", "run", "--settings",
                 str(self.folder / "watcher.yaml")],
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self.groups.append(self.process.pid)

    def addresses(self) -> dict[str, tuple[str, int]]:
        """Return where this life listens, by name of the input; empty until it does."""
        told = self._told("receiver.json")
        if not self.alive or self.process is None or told.get("pid") != self.process.pid:
            return {}
        found = {}
        for each in told["inputs"]:
            host, _, port = each["where"].rpartition(":")
            if each["open"]:
                found[each["name"]] = (host, int(port) if port.isdigit() else 0)
        return found

    def worker(self) -> int | None:
        """Return the process number of the worker."""
        if not self.alive or self.process is None:
            return None
        pid = self.process.pid
        with suppress(OSError, ValueError, IndexError):
            return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
        return None

    def works(self) -> bool:
        """Tell whether the worker of this life has begun its work."""
        worker = self.worker()
        return worker is not None and self._told("worker.json").get("pid") == worker

    def database(self) -> int:
        """Return a figure that changes with each commit."""
        return _changed(self.state / "watcher.db-wal")

    def journal(self) -> int:
        """Return a figure that changes with each write into the journal."""
        return max(map(_changed, (self.state / "journal").glob("*.seg")), default=0)

    def kill(self, *, receiver: bool, worker: bool) -> None:
        """Kill one half, or both at once."""
        found = self.worker()
        if receiver and worker:
            self._signal_group()
        elif worker and found:
            with suppress(ProcessLookupError):
                os.kill(found, signal.SIGKILL)
        elif receiver and self.process is not None:
            self.process.kill()
        if receiver and self.process is not None:
            self.process.wait()

    def stop(self, seconds: float = 60) -> int:
        """End in order; return the exit status."""
        if self.process is None:
            return 0
        if self.alive:
            self.process.terminate()
        return self.process.wait(seconds)

    def wait_read(self, seconds: float = 120) -> bool:
        """Wait until the worker has taken in all that the journal holds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.alive:
            written = self._told("receiver.json").get("journal_end", -1)
            if self._told("worker.json").get("cursor", -2) >= written:
                return True
            time.sleep(0.1)
        return False

    def last_words(self) -> str:
        """Return the end of its log."""
        return (self.folder / "log").read_text("utf-8", "replace")[-2000:]

    def clear(self) -> None:
        """Kill whatever is left of any life."""
        for group in self.groups:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def _signal_group(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.groups[-1], signal.SIGKILL)

    def _told(self, name: str) -> dict[str, object]:
        with suppress(OSError, ValueError):
            return dict(json.loads((self.state / name).read_bytes()))
        return {}


def _changed(path: Path) -> int:
    with suppress(FileNotFoundError):
        found = path.stat()
        return found.st_mtime_ns ^ found.st_size
    return 0
