"""Plans of clusters whose cases changed: drawn a moment later, stored with their digest, written
as files that people open.
"""  # noqa: D205 -- one sentence

import json
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import TypeAdapter

from watcher import pipeline, planning, render, seal
from watcher.app.calendars import Calendars
from watcher.app.files import write_output
from watcher.app.paper import NoPdf, Printer
from watcher.app.plans import render_plans, was_refused
from watcher.cases.states import plan_changed
from watcher.cases.table import OPEN
from watcher.inventory.schema import Inventory
from watcher.model.alarm import Tally
from watcher.model.case import CaseEvent, CaseKey, CaseState, Transition
from watcher.model.message import Grade
from watcher.model.plan import ChangePlan
from watcher.model.slot import Fit
from watcher.model.ticket import Draft
from watcher.ports import CaseQuery, CaseRow, Outbox, Store, StoredPlan, View
from watcher.rules.catalogue import Catalogue
from watcher.slots.fit import fit_of
from watcher.slots.recommend import recommend
from watcher.tickets.draft import draft_of

logger = logging.getLogger(__name__)
_PLAN = TypeAdapter(ChangePlan)

NOTHING_OPEN = "No case of this cluster is open. `watcher cases --all` lists what was resolved."
NO_CLUSTER = "There are open cases (`watcher cases`), but the inventory does not know the cluster."

EXCUSE = ".no-pdf.txt"
"""How the name of the file ends that stands in for a PDF that could not be made."""
NO_PDF = """There is no PDF of this plan: {}.
The log of the daemon says more. The page prints from any browser.

It is tried again when the plan changes, or when this file is taken out of the folder of plans.
"""

CASES = 1000
"""Most urgent cases that one plan takes in."""

AGAIN = timedelta(hours=1)
"""Pause until a plan whose times no drawing renewed is drawn again."""


@dataclass(slots=True)
class Dirty:
    """Clusters whose plans are out of date, and since when."""

    settle_seconds: float
    patience_seconds: float
    _since: dict[str, float] = field(default_factory=dict)

    def note(self, clusters: frozenset[str], at: float) -> None:
        """Note that something material changed."""
        for cluster in clusters:
            self._since[cluster] = min(at, self._since.get(cluster, at))

    def due(self, at: float, *, idle: bool) -> str | None:
        """Return a cluster to draw for: a moment after a change, or when it waited long enough.

        A storm changes cases all the time; its plan is drawn when it pauses, or now and then.
        """
        patience = self.settle_seconds if idle else self.patience_seconds
        for cluster, since in self._since.items():
            if at - since >= patience:
                return cluster
        return None

    def done(self, cluster: str) -> None:
        """Forget a cluster before its plan is drawn, so that a change meanwhile is noted anew."""
        self._since.pop(cluster, None)


@dataclass(slots=True)
class Overdue:
    """Finds plans that must be drawn anew though no case changed: the time for them went by."""

    outbox: Outbox
    inventory: Inventory | None
    """Of a cluster that it does not know no plan can be drawn."""
    _asked: dict[str, datetime] = field(default_factory=dict)

    def among(self, clusters: Collection[str], now: datetime) -> frozenset[str]:
        """Return those whose slot is over, or whose times are a day old; each once an hour."""
        known = {one.name for one in self.inventory.clusters} if self.inventory else set()
        found = frozenset(one for one in clusters if one in known and self._is_over(one, now))
        self._asked |= dict.fromkeys(found, now)
        return found

    def _is_over(self, cluster: str, now: datetime) -> bool:
        asked = self._asked.get(cluster)
        if asked is not None and now - asked < AGAIN:
            return False
        drawn = self.outbox.drawn(cluster)
        fit = drawn.draft.fit if drawn else None
        return fit is not None and not fit.holds(now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draughtsman:
    """Draws the plan of a cluster out of what the store holds."""

    store: Store
    view: View
    catalogue: Catalogue
    inventory: Inventory | None
    folder: Path
    calendars: Calendars = field(default_factory=dict)
    printer: Printer | None = None
    """Makes a PDF of a page, or None when it cannot; without it there is none."""

    def draw(self, cluster: str, now: datetime) -> StoredPlan | None:
        """Draw, store and write the plan; None when no case is open or nothing changed.

        The pages are compared with what they must say, so that one that could not be written, or
        was changed by hand, is written at the next occasion.
        """
        query = CaseQuery(cluster=cluster, states=OPEN, limit=CASES)
        rows = self.view.list_cases(query)
        keys = [row.case.key for row in rows]
        plan = self._plan(cluster, rows) if rows else None
        if plan is None:
            self._say_there_is_none(cluster, open_cases=len(rows))
            return None
        digest = seal.digest_of(render.plain_value(plan))
        stored = StoredPlan(
            cluster=cluster, digest=digest, drawn_at=now, headline=plan.headline,
            steps=len(plan.steps), refused=was_refused(plan), document=render.as_json((plan,)),
            markdown=render_plans((plan,), "md"), draft=self._draft(plan, now),
        )  # fmt: skip
        # The pages come first: the ticket that the stored plan leads to attaches them.
        self._write(stored, plan)
        tied = {row.case.planned_digest for row in rows if row.case.planned_digest}
        void = {digest for digest in tied if not self._is_same(digest, stored)}
        with self.store.transaction() as unit:
            new = unit.add_plan(stored)
            cases = unit.cases(keys).values() if void else ()
            moves = [plan_changed(case, now) for case in cases if case.planned_digest in void]
            unit.save([move.case for move in moves if move.transitions])
            unit.add_transitions([step for move in moves for step in move.transitions])
        return stored if new else None

    def _is_same(self, digest: str, new: StoredPlan) -> bool:
        """Tell whether people decide on the same in the plan of that digest and in the new one."""
        tied = None if digest == new.digest else self.view.plan(digest)
        if tied is None or new.draft is None:
            return digest == new.digest
        return _material(tied) == new.draft.material

    def page(self, cluster: str) -> Path:
        """Return where the newest plan of a cluster is written, as Markdown."""
        return self.folder / f"{cluster or 'unknown-cluster'}.md"

    def _events(self, rows: Sequence[CaseRow]) -> Sequence[CaseEvent]:
        """Return the newest event of each certificate; of a case that came back, since it did.

        What was heard before a case was resolved is over: a copy that was deleted years ago would
        stand in the plan again.
        """
        events = self.view.events_of([row.case.key for row in rows], 1)
        since = {row.case.key: self._resolved(row.case.key) for row in rows if row.case.round > 1}
        new = [one for one in events if _is_behind(one, since.get(one.case))]
        known = {one.case for one in new}
        return [*new, *(one for one in events if one.case not in known)]

    def _resolved(self, key: CaseKey) -> datetime | None:
        """Return when a case was resolved last."""
        steps = (one for one in self.view.history(key) if isinstance(one, Transition))
        return max((one.at for one in steps if one.after is CaseState.RESOLVED), default=None)

    def _plan(self, cluster: str, rows: Sequence[CaseRow]) -> ChangePlan | None:
        events = self._events(rows)
        since = min(event.received_at for event in events)
        proofs = [row.raw for row in self.view.evidence_of(cluster, since)]
        grades = {event.raw: Grade.CLAIM for event in events}
        for event in events:
            grades[event.raw] = max(grades[event.raw], event.grade)
        alarms = self.catalogue.alarms
        facts = [
            fact
            for raw in (*grades, *proofs)
            for fact in planning.planned(pipeline.read([raw.encode()], alarms, Tally()))
        ]
        plans = planning.plan(facts, self.inventory, self.catalogue)
        drawn = next((plan for plan in plans if (plan.cluster or "") == cluster), None)
        return planning.graded(drawn, grades) if drawn else None

    def _draft(self, plan: ChangePlan, now: datetime) -> Draft:
        """Return the plan's ticket; lead times run on while people have the same to decide."""
        bare = draft_of(plan)
        newest = self.view.newest_plan(plan.cluster or "")
        before = newest.draft if newest else None
        same = before is not None and before.material == bare.material
        known = before.fit if same and before else None
        asked_at = (known.asked_at or known.found_at) if known else now
        # A change that has begun keeps its windows: what is left of them holds no whole one.
        fit = known if known and known.has_begun(now) else self._fit(plan, now, asked_at)
        return draft_of(plan, fit)

    def _fit(self, plan: ChangePlan, now: datetime, asked_at: datetime) -> Fit | None:
        """Return how the plan fits the windows; None without a cluster, or if that fails."""
        clusters = self.inventory.clusters if self.inventory else ()
        site = next((one for one in clusters if one.name == plan.cluster), None)
        if site is None:
            return None
        try:
            known = self.calendars.get(site.name, ())
            found = fit_of(recommend(plan, site, now, known, asked_at))
        except Exception:  # the ticket matters more than its times
            logger.exception("no time was found for the plan of %s", plan.cluster)
            return None
        return replace(found, asked_at=asked_at)

    def _write(self, stored: StoredPlan, plan: ChangePlan) -> None:
        page = self.page(stored.cluster)
        _renew(page, stored.markdown)
        self._write_page(page.with_suffix(".html"), render_plans((plan,), "html"))

    def _write_page(self, page: Path, text: str) -> None:
        """Write the page and its PDF; better no PDF at a ticket than that of another plan."""
        sheets, excuse = page.with_suffix(".pdf"), page.with_suffix(EXCUSE)
        if not _says(page, text):
            sheets.unlink(missing_ok=True)
            excuse.unlink(missing_ok=True)
        _renew(page, text)
        if self.printer is None or sheets.exists() or _is_final(excuse):
            return
        printed = self.printer(text)
        if isinstance(printed, NoPdf):
            write_output(str(excuse), NO_PDF.format(printed))
        else:
            write_output(str(sheets), printed)
            excuse.unlink(missing_ok=True)

    def _say_there_is_none(self, cluster: str, *, open_cases: int) -> None:
        """Take away the pages of a plan that nothing is due for any more."""
        page = self.page(cluster)
        if open_cases:
            logger.error("%d open cases of %s, and no plan: the inventory does not know it",
                         open_cases, cluster)  # fmt: skip
        if page.exists():
            why = NO_CLUSTER if open_cases else NOTHING_OPEN
            _renew(page, f"# No change plan\n\n{why}\n")
            for ending in (".html", ".pdf", EXCUSE):
                page.with_suffix(ending).unlink(missing_ok=True)


def _is_behind(event: CaseEvent, at: datetime | None) -> bool:
    return at is None or event.received_at > at


def _material(plan: StoredPlan) -> str:
    """Return the digest of what people decide on; empty where it cannot be told any more."""
    if plan.draft is not None:
        return plan.draft.material
    try:  # it was drawn by a release before tickets
        (value,) = json.loads(plan.document)["plans"]
        value.pop("code")
        return draft_of(_PLAN.validate_python(value)).material
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def _is_final(excuse: Path) -> bool:
    """Tell whether a PDF is not tried once more; a library may have been installed since."""
    return excuse.exists() and not _says(excuse, NO_PDF.format(NoPdf.NO_LIBRARY))


def _renew(page: Path, text: str) -> None:
    """Write a page unless it says so already."""
    page.parent.mkdir(parents=True, exist_ok=True)
    if not _says(page, text):
        write_output(str(page), text)


def _says(page: Path, text: str) -> bool:
    try:
        return page.read_bytes() == text.encode()
    except OSError:
        return False  # not there, or not readable: writing tells
