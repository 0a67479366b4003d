"""What a good inventory may say, and that every example is one."""

from pathlib import Path

import pytest

from watcher.app.site import load_inventory
from watcher.inventory.jsonschema import inventory_schema
from watcher.inventory.loader import load
from watcher.slots.windows import occurrences

ROOT = Path(__file__).parent.parent.parent
SETTINGS = {"watcher", "demo"}
EXAMPLES = sorted(
    path for path in (ROOT / "deploy" / "examples").glob("*.yaml") if path.stem not in SETTINGS
)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_loads(path):
    inventory = load_inventory(str(path))

    assert inventory.clusters[0].nodes


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_names_its_schema(path):
    first = path.read_text(encoding="utf-8").partition("\n")[0]

    assert first == "# yaml-language-server: $schema=../../rules/schema/inventory.json"


def test_there_is_an_example_of_each_kind():
    assert {path.stem for path in EXAMPLES} >= {
        "two-node-9.1",
        "eight-node-12.5-mixed",
        "single-node-11.5",
        "release-15-multi-san",
        "technote",
    }


def test_the_smallest_inventory_knows_nothing():
    cluster = load("x", "version: 1\nclusters: [{name: lab}]\n").clusters[0]

    assert (cluster.release, cluster.security_mode, cluster.nodes) == (None, None, ())


def test_two_clusters_may_use_the_same_address():
    text = (
        "version: 1\nclusters:\n"
        "  - {name: one, nodes: [{name: a, addresses: [192.0.2.1]}]}\n"
        "  - {name: two, nodes: [{name: b, addresses: [192.0.2.1]}]}\n"
    )

    assert len(load("x", text).clusters) == 2


def test_im_presence_has_a_publisher_of_its_own():
    text = (
        "version: 1\nclusters:\n  - name: one\n    nodes:\n"
        "      - {name: a, role: publisher}\n"
        "      - {name: b, role: publisher, product: im-presence}\n"
    )

    assert len(load("x", text).clusters[0].nodes) == 2


def test_a_window_from_midnight_to_midnight_is_a_whole_day():
    window = '{days: [sat], start: "00:00", end: "00:00"}'
    text = f"version: 1\nclusters: [{{name: one, time_zone: UTC, change_schedule: [{window}]}}]\n"
    (cluster,) = load("x", text).clusters
    saturday = 28_000_000 // (7 * 1440) * 7 * 1440 + 2 * 1440  # minutes since Thursday, 1970-01-01

    assert occurrences(cluster, saturday, saturday + 1440) == ((saturday, saturday + 1440),)


def test_the_committed_json_schema_is_current():
    committed = (ROOT / "rules" / "schema" / "inventory.json").read_text(encoding="utf-8")

    assert committed == inventory_schema()
