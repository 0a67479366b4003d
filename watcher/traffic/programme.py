"""What is to be played."""

from dataclasses import dataclass
from datetime import datetime

from watcher.errors import InputError
from watcher.traffic.message import Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """What is played. Shares are between 0 and 1.

    `noise` is the share of all messages that are no alarm; `again` of messages sent twice.
    `disorder` is by how many places at most a message is overtaken. `window_days` is the
    notification window of the Certificate Monitor, `evidence` how many alarms of other kinds that
    a plan must know of each cluster raises a night. Each event comes in every form of `forms`;
    alert and mail only for severity 2 and worse.
    """

    seed: int
    start: datetime
    nights: int = 1
    forms: tuple[Form, ...] = (Form.REMOTE, Form.ALERT, Form.MAIL)
    noise: float = 0.0
    again: float = 0.0
    disorder: int = 0
    window_days: int = 90
    hourly: bool = True
    evidence: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be played."""
        if not 0 <= self.noise < 1:
            raise InputError(f"a share of noise of {self.noise}", expected="0 or more, less than 1")
        if not 0 <= self.again <= 1:
            raise InputError(f"a share of repeats of {self.again}", expected="0 to 1")
        if self.start.tzinfo is None:
            raise InputError("the start has no time zone", expected="an aware time")
