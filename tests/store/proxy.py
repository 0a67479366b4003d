"""Stands between watcher and PostgreSQL, and cuts connections at COMMIT."""

import selectors
import shutil
import socket
import tempfile
import threading
from pathlib import Path

NAME = ".s.PGSQL.5432"


class CommitCutter:
    """Every other COMMIT goes through; of the rest some are never sent, some never answered."""

    def __init__(self, server, chance):
        self.server = server
        self.chance = chance
        self.lost = 0
        self.unanswered = 0
        self._commits = 0
        self._home = Path(tempfile.mkdtemp(prefix="watcher-cut-"))
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._home / NAME))
        self._listener.listen()
        self._threads = [threading.Thread(target=self._accept)]
        self._lock = threading.Lock()

    def url(self, database):
        """Return the address of a database behind the cutter."""
        return f"postgresql://watcher@/{database}?host={self._home}"

    def __enter__(self):
        """Begin to carry."""
        self._threads[0].start()
        return self

    def __exit__(self, *_):
        """End with all connections."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)
        shutil.rmtree(self._home)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._carry, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _carry(self, client):
        with client, socket.socket(socket.AF_UNIX) as upstream, selectors.DefaultSelector() as both:
            upstream.connect(str(self.server.home / NAME))
            both.register(client, selectors.EVENT_READ, upstream)
            both.register(upstream, selectors.EVENT_READ, client)
            while self._carried(client, both.select()):
                pass

    def _carried(self, client, ready):
        """Carry what is there; tell whether the connection goes on."""
        for key, _ in ready:
            data = key.fileobj.recv(65536)
            if not data:
                return False
            if key.fileobj is client and b"COMMIT\0" in data and self._cuts():
                if self.chance.random() < 0.5:
                    self.lost += 1
                else:
                    key.data.sendall(data)
                    key.data.recv(65536)  # the answer that nobody will see
                    self.unanswered += 1
                return False
            key.data.sendall(data)
        return True

    def _cuts(self):
        with self._lock:
            self._commits += 1
            return self._commits % 2 == 1
