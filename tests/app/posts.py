"""A daemon as far as it sends digests and notices, a relay that does as it is told, and kills."""

from digest.town import NOW, cluster, source

from watcher.app.digests import Digests
from watcher.app.posting import Carriers, Desk
from watcher.app.report import Found
from watcher.inventory.schema import Inventory
from watcher.model.digest import Answer
from watcher.settings.schema import Settings

RELAY = {"host": "127.0.0.1", "sender": "watcher@example.com", "security": "none"}
PEOPLE = ("a@example.com", "b@example.com")
SETTINGS = Settings(
    relay=RELAY,
    digest={"time_zone": "Europe/Vienna", "lists": [{"name": "voice", "to": PEOPLE}]},
)
NOTICES = Settings(relay=RELAY, notifications={"lists": [{"name": "duty", "to": PEOPLE}]})


class Relay:
    """Takes letters, or says what a test wants it to."""

    def __init__(self):
        self.letters = []
        self.says = {}

    def deliver(self, letter, to):
        """Keep a letter for each recipient that takes it."""
        answers = {one: self.says.get(one, (Answer.TAKEN, "250")) for one in to}
        taken = (Answer.TAKEN, Answer.UNCLEAR)
        self.letters += [(one, letter) for one in to if answers[one][0] in taken]
        return answers


def daemon(store, clock, relay, settings=SETTINGS, holder="first"):
    """Return what sends digests in a process that starts now and leads."""
    term = store.lease.take("leader", holder, clock.now(), 30)
    desk = Desk(settings=settings, inventory=Inventory(version=1, clusters=(cluster(),)))
    standing = Found(term=term, sources=(source("cm1"),), sources_at=NOW)
    return Digests(
        desk=desk, store=store, clock=clock, standing=standing, carriers=Carriers(relay=relay)
    )


def looks(digests, times=3):
    """Tick some times, each mail carried to its end."""
    for _ in range(times):
        digests.look()
        if digests._away is not None:  # noqa: SLF001 -- to wait for the mail on its way
            digests._away.join()  # noqa: SLF001 -- likewise
    digests.look()


def ids(relay):
    return [letter.partition(b"Message-ID: ")[2].split(b"\r\n")[0] for _, letter in relay.letters]


def keep(store, *cases):
    with store.transaction() as unit:
        unit.save(cases)


class Killed(BaseException):
    """The process ends here."""


class Mortal:
    """Runs of a store that end the process at one of their writes, before or after it."""

    def __init__(self, runs, at, after):
        self.runs, self.left, self.after = runs, at, after
        self.work, self.last = runs.work, runs.last

    def _pass(self, call, arguments):
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Killed
        result = call(*arguments)
        if self.left == 0:
            raise Killed
        return result

    def claim(self, *arguments):
        """Claim."""
        return self._pass(self.runs.claim, arguments)

    def note(self, *arguments):
        """Note."""
        return self._pass(self.runs.note, arguments)

    def finish(self, *arguments):
        """Finish."""
        return self._pass(self.runs.finish, arguments)


class Mortals:
    """A store with such runs."""

    def __init__(self, store, at, after):
        self.view, self.figures, self.lease = store.view, store.figures, store.lease
        self.outbox = store.outbox
        self.runs = Mortal(store.runs, at, after)
