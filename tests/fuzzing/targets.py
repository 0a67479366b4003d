"""What is fuzzed: functions that take bytes, call the real code and raise when it breaks a promise.

The error a module documents is no fault. Whatever else it raises is one, and so is an answer that
breaks what its docstring promises: books that do not balance, a result that depends on the cuts,
a name that no inventory holds.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from fuzzing import messages, streams, written


@dataclass(frozen=True)
class Target:
    """One function under test; `family` says what its inputs are made of."""

    name: str
    call: Callable[[bytes], object]
    family: str
    timed: Callable[[bytes], object] | None = None
    """The same without what only looks for faults and takes time of its own."""
    allowed: int = 0
    """Nanoseconds that one input may take whatever its length; 0: what all may take."""

    def call_quietly(self, data: bytes) -> None:
        """Call it to take its time: what it raises was counted when it was met."""
        with suppress(Exception):
            (self.timed or self.call)(data)


TARGETS = {
    target.name: target
    for target in (
        Target("framer", streams.framer, "frames", streams.frames_alone(b"")),
        Target("framer-octets", streams.framer_octets, "frames", streams.frames_alone(b"5 <14>x")),
        Target("framer-lines", streams.framer_lines, "frames", streams.frames_alone(b"<14>x\n")),
        Target("header-3164", messages.header_3164, "records"),
        Target("header-5424", messages.header_5424, "records"),
        Target("tags", messages.tags, "tags"),
        Target("run-on", messages.run_on, "records"),
        Target("alarm-body", messages.alarm_body, "bodies"),
        Target("expiry", messages.expiry, "dates"),
        Target("message", messages.message, "messages"),
        Target("archive", messages.archive, "messages", lambda data: messages.read([data])),
        # Whatever the alarm's length: each way is drawn and proven for every release it may have.
        Target("plan", messages.plan, "alarms", messages.message, allowed=3_000_000_000),
        Target(
            "rtmt-mail",
            messages.rtmt_mail,
            "alerts",
            lambda data: messages.read([messages.ALERT_MAIL + data]),
        ),
        Target("mime", messages.mime, "mails"),
        Target("mail-data", streams.mail_data, "wire-mails", streams.mail_alone),
        Target("settings", written.settings, "settings"),
        Target("inventory", written.inventories, "inventories"),
        Target("rule-pack", written.rule_packs, "packs"),
        Target("paste", written.paste, "pastes"),
        Target("certificate", written.x509, "certificates"),
        Target("journal", written.journal, "segments"),
    )
}
