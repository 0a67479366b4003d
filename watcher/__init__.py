"""watcher turns certificate alarms of Cisco UC clusters into change plans."""

__version__ = "0.1.0"
