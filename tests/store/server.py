"""A private PostgreSQL server: own folder, Unix socket only, gone after the tests."""

import itertools
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

OLDEST = 15
NUMBERS = itertools.count()


def binaries():
    """Return the folder of the newest PostgreSQL that is installed; None without one."""
    found = list(Path("/usr/lib/postgresql").glob("*/bin"))
    on_path = shutil.which("initdb")
    if on_path:
        found.append(Path(on_path).resolve().parent)
    fit = [
        folder
        for folder in found
        if (folder / "postgres").exists() and (folder / "initdb").exists()
    ]
    return max(fit, key=version, default=None)


def version(folder):
    told = subprocess.run(  # noqa: S603 -- a server found on this machine
        [folder / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    return int(re.search(r"(\d+)", told.stdout).group(1))


class Server:
    """A server that a test may stop, kill and start again."""

    def __init__(self, folder):
        self.binaries = folder
        # Not below pytest's folder: root owns that, and the server refuses to run as root.
        self.home = Path(tempfile.mkdtemp(prefix="watcher-pg-"))
        self.account = "nobody" if os.geteuid() == 0 else None
        if self.account:
            shutil.chown(self.home, self.account)
        self.process = None
        self._run("initdb", "-D", self.data, "-U", "watcher", "-A", "trust", "-E", "UTF8",
                  "--locale=C", "--no-sync")  # fmt: skip

    @property
    def data(self):
        """Return the folder of its files."""
        return self.home / "data"

    def _as_account(self):
        if self.account is None:
            return {}
        entry = pwd.getpwnam(self.account)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def _run(self, name, *arguments):
        command = [self.binaries / name, *arguments]
        subprocess.run(command, cwd=self.home, check=True, stdout=subprocess.DEVNULL,  # noqa: S603 -- likewise
                       **self._as_account())  # fmt: skip

    def start(self, *options):
        """Start, and return once the server answers."""
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 -- likewise
                [self.binaries / "postgres", "-D", self.data, "-k", self.home, "-h", "", "-F",
                 "-c", "shared_buffers=16MB", "-c", "max_connections=40", *options],
                cwd=self.home, stdout=subprocess.DEVNULL, stderr=log, **self._as_account(),
            )  # fmt: skip
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                self.execute("SELECT 1")
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError((self.home / "log").read_text(encoding="utf-8", errors="replace"))

    def stop(self, how=signal.SIGINT):
        """Stop: SIGINT cuts connections, SIGQUIT is like a crash."""
        self.process.send_signal(how)
        self.process.wait(60)

    def restart(self, how=signal.SIGINT):
        """Stop, and start again."""
        self.stop(how)
        self.start()

    def execute(self, statement, database="postgres"):
        """Run one statement as superuser; OSError while nobody answers."""
        import psycopg  # noqa: PLC0415 -- an extra; without it the tests skip

        try:
            with psycopg.connect(host=str(self.home), user="watcher", dbname=database,
                                 autocommit=True, connect_timeout=10) as connection:  # fmt: skip
                cursor = connection.execute(statement)
                return cursor.fetchall() if cursor.description else []
        except psycopg.OperationalError as error:
            raise OSError(str(error)) from error

    def url(self, database):
        """Return the address of a database."""
        return f"postgresql://watcher@/{database}?host={self.home}"

    def remove(self):
        """End the server and delete its files."""
        if self.process and self.process.poll() is None:
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self.home)


def new_url(kind, request, folder):
    """Return the address of an empty database."""
    if kind == "sqlite":
        return f"sqlite:///{folder}/watcher-{next(NUMBERS)}.db"
    server = request.getfixturevalue("server")
    name = f"test_{next(NUMBERS)}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    return server.url(name)
