"""What a page is made from, out of a store."""

from dataclasses import replace

import pytest
from digest.town import NOW, case, cluster
from store.samples import draft, fit, plan

from watcher.app.posting import Desk, audience_of, state_of
from watcher.inventory.schema import Inventory
from watcher.settings.schema import Settings

INVENTORY = Inventory(version=1, clusters=(cluster(),))


def page(store, now=NOW):
    """Return the page of everything, as the store has it."""
    desk = Desk(settings=Settings(), inventory=INVENTORY)
    return desk.page("all", state_of(store, (), INVENTORY, now), "2026-W48", now)


def test_the_page_says_how_the_stored_plan_fits(store):
    with store.transaction() as unit:
        unit.save([case(days=5)])
        unit.add_plan(replace(plan(), draft=draft(fit=fit(found_at=NOW))))
    (graz,) = page(store).clusters

    assert graz.misfit
    assert "FITS NO WINDOW; it takes 10 h 53 min in one window" == graz.fits[0]
    assert page(store).subject.startswith("1 plan fits no window, ")


@pytest.mark.parametrize(
    ("clusters", "strays"), [([["graz"], ["wien"]], True), ([["graz"], []], False)]
)
def test_unknown_clusters_are_told_of_where_every_list_is_restricted(clusters, strays):
    lists = [
        {"name": f"list-{n}", "to": ["a@example.com"], "clusters": one}
        for n, one in enumerate(clusters)
    ]
    relay = {"host": "127.0.0.1", "sender": "watcher@example.com", "security": "none"}
    settings = Settings(relay=relay, digest={"lists": lists})

    assert strays is audience_of(settings, "list-0").strays
    assert not audience_of(settings, "all").strays
