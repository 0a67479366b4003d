"""One life of the sending half as a process of its own: two errands behind a create; killed or not.

Called with the folder that holds the database and the tickets, the seconds since the start, and
how many turns each of the two plans is given.
"""

import sys
from datetime import timedelta
from pathlib import Path

from app.desk import StillClock
from store import samples
from tickets.desk import FREE, NOW, NoCases

from watcher.app.errands import Desk
from watcher.app.outgoing import Outgoing
from watcher.app.report import Found
from watcher.model.ticket import ErrandKind, ErrandState
from watcher.ports import CaseRow, Drawn
from watcher.senders.directory import DirectorySystem
from watcher.store.engine import open_existing
from watcher.tickets.due import DueRules

HERE = DueRules(systems=("directory",))
WAITING = {ErrandState.NEW, ErrandState.SENDING, ErrandState.UNKNOWN}


class OneCase(NoCases):
    """A view on one open case."""

    def list_cases(self, _):
        """Return it."""
        return (CaseRow(id=1, case=samples.case(samples.key(), opened_at=NOW, state_since=NOW)),)


class Store:
    """An open database, a clock, and what sends."""

    def __init__(self, folder: Path, seconds: float = 0.0, holder: str = "life") -> None:
        self.store = open_existing(f"sqlite:///{folder}/watcher.db")
        self.clock = StillClock(NOW + timedelta(seconds=seconds))
        self.holder = holder
        self.term = self.store.lease.take("leader", holder, self.clock.now(), 30)
        self.sender = Outgoing(Desk(
            outbox=self.store.outbox, view=OneCase(), lease=self.store.lease, clock=self.clock,
            standing=Found(term=self.term),
            systems={"directory": DirectorySystem(folder / "tickets")},
            rules=HERE, open_clusters=lambda: ("graz",), limits=FREE,
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
                self.sender.turn()
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


if __name__ == "__main__":
    Store(Path(sys.argv[1]), float(sys.argv[2])).live(turns=int(sys.argv[3]))
