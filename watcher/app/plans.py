"""Plans: drawn from files, rendered with the built-in templates, compared with their seal."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from watcher import pipeline, planning, render, seal
from watcher.app import paper
from watcher.app.files import blocks_of, read_bytes
from watcher.app.knowledge import load_catalogue
from watcher.app.site import load_inventory
from watcher.errors import InputError, Location
from watcher.inventory.lookup import Ambiguous, find_node
from watcher.inventory.schema import Inventory
from watcher.model.alarm import Event, Tally
from watcher.model.plan import ChangePlan
from watcher.planner.plan import REFUSED
from watcher.plugins import builtin
from watcher.ports import StoredPlan
from watcher.rules.catalogue import Catalogue

DOCUMENT_LIMIT = 16 << 20
"""Bytes of a plan that `watcher verify` reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOrder:
    """What a person asks of `watcher plan`."""

    inputs: tuple[str, ...]
    inventory: str | None = None
    rules: tuple[str, ...] = ()
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Everything that plans are drawn from."""

    events: tuple[Event, ...]
    inventory: Inventory | None
    catalogue: Catalogue


def hear(order: PlanOrder, tally: Tally) -> Heard:
    """Read the alarms, the inventory and the rules of an order."""
    catalogue = load_catalogue(order.rules)
    inventory = load_inventory(order.inventory, catalogue) if order.inventory else None
    events: list[Event] = []
    for name in order.inputs:
        events += planning.planned(pipeline.read(blocks_of(name), catalogue.alarms, tally))
    return Heard(events=tuple(events), inventory=inventory, catalogue=catalogue)


def draw(heard: Heard, as_of: datetime | None = None) -> tuple[ChangePlan, ...]:
    """Draw the plans for what was heard; one for each cluster."""
    return planning.plan(heard.events, heard.inventory, heard.catalogue, as_of)


def strangers(plans: Sequence[ChangePlan], inventory: Inventory) -> tuple[str, ...]:
    """Say of each plan whom the inventory does not have; empty with a cluster."""
    known = ", ".join(cluster.name for cluster in inventory.clusters)
    return tuple(
        ""
        if plan.cluster
        else f"{'; '.join(_nowhere(plan, inventory))}. Clusters of the inventory: {known}."
        for plan in plans
    )


def _nowhere(plan: ChangePlan, inventory: Inventory) -> list[str]:
    named = (name for one in plan.findings for name in (one.node, *one.reporters) if name)
    return [_place(name, inventory) for name in dict.fromkeys(named)]


def _place(name: str, inventory: Inventory) -> str:
    found = find_node(inventory, name)
    if isinstance(found, Ambiguous):
        places = ", ".join(dict.fromkeys(place.cluster.name for place in found.places))
        return f"{name} fits nodes of several clusters ({places})"
    return f"{name} is in no cluster of the inventory"


def was_refused(plan: ChangePlan) -> bool:
    """Tell whether the independent check took the steps out of a plan."""
    return plan.withheld[: len(REFUSED)] == REFUSED


def render_plans(plans: Sequence[ChangePlan], form: str) -> str:
    """Return plans as a document of the format md, html or json."""
    if form == "json":
        return render.as_json(plans)
    folder = builtin("templates")
    texts = {e.name: e.read_text(encoding="utf-8") for e in folder.iterdir() if e.is_file()}
    return (render.html if form == "html" else render.markdown)(plans, texts)


def document_of(plans: Sequence[ChangePlan], form: str) -> str | bytes:
    """Return plans as a document of any format: text, or the bytes of pdf and docx."""
    match form:
        case "pdf":
            return paper.pdf(render_plans(plans, "html"))
        case "docx":
            return paper.docx(render_plans(plans, "html"), plans)
        case _:
            return render_plans(plans, form)


def verify_document(name: str) -> seal.Verdict:
    """Compare a document with the seal it carries."""
    raw = read_bytes(name, DOCUMENT_LIMIT, "a plan")
    try:
        return seal.verify(raw.decode())
    except UnicodeDecodeError as error:
        wanted = "a plan as Markdown, page or JSON; neither PDF nor Word"
        raise InputError("is not UTF-8", where=Location(name), expected=wanted) from error
    except InputError as error:
        raise InputError(error.problem, where=Location(name), expected=error.expected) from error


def is_sound(plan: StoredPlan) -> bool:
    """Tell whether a stored plan is as it was drawn: its seal holds, and its digest is its own."""
    try:
        verdict = seal.verify(plan.document)
        (value,) = json.loads(plan.document)["plans"]
        value.pop("code")
    except (InputError, ValueError, KeyError, TypeError, AttributeError):
        return False
    return verdict.intact and seal.digest_of(value) == plan.digest
