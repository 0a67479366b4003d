"""The buffers that all connections of an input share, and how much is read at a time."""

from typing import Final

_LARGE: Final = 256 * 1024
_LARGE_TLS: Final = 64 * 1024
"""Smaller, because the TLS library keeps as much for each session as it was ever given at once."""
_TLS_RECORD: Final = 17 * 1024
_FIRST: Final = 8 * 1024
_LEAST: Final = 1024
_HITS: Final = 64
"""In one reading, about; each costs microseconds, while noise costs next to nothing."""
_SPARSE: Final = 16


class Buffers:
    """What the kernel fills, and what TLS fills from that (the same where there is no TLS).

    Of noise much is read at a time. The more of it is kept the less is, by all connections: else a
    few senders of nothing but alarms would hold up the loop for seconds.
    """

    def __init__(self, *, tls: bool) -> None:
        size = _LARGE_TLS if tls else _LARGE
        self.raw = bytearray(size)
        self._whole = memoryview(self.raw)
        self.plain = bytearray(size + _TLS_RECORD) if tls else self.raw
        self.plain_view = memoryview(self.plain)
        self.readings = 0
        """How often something came."""
        self._came = self._sparse = 0
        self.view = self._whole[:_FIRST]
        """Where the next bytes of the network go."""

    def came(self, size: int) -> memoryview:
        """Return what was just read."""
        self.readings += 1
        self._came = size
        return self._whole[:size]

    def pace(self, hits: int) -> None:
        """Choose how much to read next, by how much of the last reading is kept."""
        if hits > _HITS:
            size = max(self._came * _HITS // hits, _LEAST)
            self.view, self._sparse = self._whole[: min(size, len(self.view))], 0
        elif self._came == len(self.view) < len(self._whole):
            self._sparse += 1
            if self._sparse >= _SPARSE:
                self.view, self._sparse = self._whole[: 2 * len(self.view)], 0
