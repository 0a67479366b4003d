"""One life of the sending half as a process of its own: two errands behind a create; killed or not.

Called with the folder that holds the database and the tickets, the seconds since the start, how
many turns each of the two plans is given, and, where tickets are not folders, the number of a kind
of `senders.systems` and the port at which its fake answers.
"""

import sys
from datetime import timedelta
from pathlib import Path

from app.desk import StillClock
from senders.served import Wire
from senders.systems import KINDS
from store import samples
from tickets.desk import FREE, NOW, NoCases, turn

from watcher.app.errands import Desk
from watcher.app.outgoing import Outgoing
from watcher.app.report import Found
from watcher.model.ticket import Attachment, ErrandKind, ErrandState
from watcher.ports import CaseRow, Drawn, TicketSystem
from watcher.senders.directory import DirectorySystem
from watcher.store.engine import open_existing
from watcher.tickets.due import DueRules

PLAN = Attachment(name="plan.html", media_type="text/html", data=b"<p>plan</p>")
WAITING = {ErrandState.NEW, ErrandState.SENDING, ErrandState.UNKNOWN}


class OneCase(NoCases):
    """A view on one open case."""

    def list_cases(self, _):
        """Return it."""
        return (CaseRow(id=1, case=samples.case(samples.key(), opened_at=NOW, state_since=NOW)),)


class Store:
    """An open database, a clock, and what sends."""

    def __init__(
        self, folder: Path, seconds: float = 0.0, holder: str = "life",
        system: TicketSystem | None = None,
    ) -> None:  # fmt: skip
        self.store = open_existing(f"sqlite:///{folder}/watcher.db")
        self.clock = StillClock(NOW + timedelta(seconds=seconds))
        self.holder = holder
        self.term = self.store.lease.take("leader", holder, self.clock.now(), 30)
        system = system or DirectorySystem(folder / "tickets")
        self.sender = Outgoing(Desk(
            outbox=self.store.outbox, view=OneCase(), lease=self.store.lease, clock=self.clock,
            standing=Found(term=self.term),
            systems={system.name: system}, rules=DueRules(systems=(system.name,)),
            open_clusters=lambda: ("graz",), limits=FREE, attach=lambda _: (PLAN,),
        ))  # fmt: skip

    def draw(self, plan: str) -> None:
        """Store a plan whose ticket is of this material."""
        drawn = Drawn(draft=samples.draft(material=plan, decides=(plan,)), drawn_at=NOW)
        with self.store.transaction() as unit:
            unit.add_plan(samples.plan(f"sha256:{plan * 64}"[:71], cluster="graz", drawn_at=NOW,
                                       draft=drawn.draft))  # fmt: skip

    def live(self, turns: int = 2) -> None:
        """Make the ticket, then have the plan change, and send update and comment."""
        found = self.store.outbox.drawn("graz")
        for plan in ("a", "b") if found is None or found.draft.material == "a" else ("b",):
            self.draw(plan)
            for _ in range(turns):
                turn(self.sender)
                self.pass_by(60)

    def pass_by(self, seconds: float) -> None:
        """Let time pass, and prolong the lease."""
        self.clock.pass_by(timedelta(seconds=seconds))
        term = self.store.lease.take("leader", self.holder, self.clock.now(), 30)
        self.sender.desk.standing.term = term

    def states(self) -> set[tuple[ErrandKind, ErrandState]]:
        """Return how far each errand is."""
        filed = self.store.outbox.newest("graz")
        return {(one.kind, one.state) for one in filed.errands} if filed else set()


def remote(kind: str, port: str) -> TicketSystem:
    """Return a ticket system whose fake answers at a port."""
    known = KINDS[int(kind)]
    return known.make(Wire(int(port), known.fake.secret), False)  # noqa: FBT003 -- as all of them take it


if __name__ == "__main__":
    far = remote(*sys.argv[4:]) if sys.argv[4:] else None
    Store(Path(sys.argv[1]), float(sys.argv[2]), system=far).live(turns=int(sys.argv[3]))
