"""A receiver of a webhook as docs/ticket-systems.md tells it."""

import hashlib
import hmac

from senders.fakes import Fake


class WebhookFake(Fake):
    """A receiver that takes an event with a key that it has seen for the one it has."""

    url = "https://hooks.example.test/watcher"

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.events = {}
        self.now = None
        """Seconds since 1970 by the receiver's clock; None: it does not look at the time."""

    def key_of(self, ticket):
        """Return our key in a ticket."""
        return ticket["key"]

    def foreign(self, value):
        """Return an answer that speaks of another's ticket."""
        return {**value, "key": "watcher-other-1"}

    def answer(self, asked):
        """Answer a call."""
        if not self.holds(asked):
            return 403, {}, {"message": "the signature does not hold"}
        key, told = asked.headers["idempotency-key"], asked.json()
        if key in self.events:
            return 200, {}, self.events[key]
        if told["event"] == "create":
            number = self.add(told)
        else:
            number = int(told["ticket"]["number"])
            self.comments[number].append(told)
        answer = {"id": str(number), "number": str(number), "url": f"{self.url}/{number}"}
        self.events[key] = answer
        return 201, {}, answer

    def holds(self, asked):
        """Check a signature as docs/ticket-systems.md tells a receiver to."""
        stamp = asked.headers["watcher-timestamp"]
        signed = stamp.encode() + b"." + asked.raw
        made = "v1=" + hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
        fresh = self.now is None or abs(int(stamp) - self.now) <= 300
        return fresh and hmac.compare_digest(made, asked.headers["watcher-signature"])
