"""From settings and secrets to the relay that takes all our mail."""

from pathlib import Path

from watcher.inputs.secret import Secret
from watcher.senders.smtp import RelayOptions
from watcher.settings.digest import Relay


def relay_options(told: Relay, password: Secret | None, ca: Path | None) -> RelayOptions:
    """Return how the relay of the settings is spoken to."""
    step = told.step.total_seconds()
    return RelayOptions(
        host=told.host, port=told.port, tls=told.security.value, sender=told.sender,
        user=told.user or "", password=password.reveal() if password else "", ca_file=ca,
        step=step, whole=4 * step, largest=told.size,
    )  # fmt: skip
