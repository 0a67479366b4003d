"""What settings name must be in the inventory: a typo must not silence a list of people."""

import pytest

from watcher.app.settings import inventory_of, locate, prepare
from watcher.errors import InputError

INVENTORY = "version: 1\nclusters: [{name: boston, nodes: [{name: PUB}]}, {name: graz}]\n"
MAIL = "relay: {host: mail.example.com, sender: watcher@example.com}\n"
LIST = "lists: [{{name: voice, to: [a@example.com], clusters: [{}]}}]"


@pytest.fixture
def written(tmp_path):
    """Return what writes settings with an inventory beside them."""
    (tmp_path / "inventory.yaml").write_text(INVENTORY)

    def write(text, inventory="inventory: inventory.yaml\n"):
        path = tmp_path / "watcher.yaml"
        path.write_text(f"{MAIL}{inventory}state_dir: state\n{text}")
        return str(path)

    return write


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            f"digest: {{{LIST.format('graz, bostn')}}}",
            "4:70: digest.lists.0.clusters.1: the inventory has no cluster bostn (expected boston)",
        ),
        (
            f"notifications: {{{LIST.format('Boston')}}}",
            "lists.0.clusters.0: the inventory has no cluster Boston (expected boston)",
        ),
        (
            "tls: {clients: [{node: PUBB, san: a}]}",
            "4:18: tls.clients.0.node: the inventory has no node PUBB (expected PUB)",
        ),
        (
            "sources: {exceptions: [{source: 'node:pubb'}]}",
            "sources.exceptions.0.source: the inventory has no node pubb (expected PUB)",
        ),
        (
            "sources: {exceptions: [{source: 'stage:wrker'}]}",
            "sources.exceptions.0.source: there is no stage wrker (expected worker)",
        ),
        (f"digest: {{{LIST.format('a, b, c')}}}", "no cluster a; 2 more faults after this"),
    ],
)
def test_what_the_inventory_does_not_have_is_refused_with_the_nearest(written, text, told):
    with pytest.raises(InputError) as caught:
        prepare(written(text), {})

    assert told in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "text",
    [
        f"digest: {{{LIST.format('boston, graz')}}}",
        f"notifications: {{{LIST.format('graz')}}}",
        "sources: {exceptions: [{source: 'node:Pub', every: 2h}, {source: 'stage:self-test'}]}",
    ],
)
def test_what_the_inventory_has_is_taken(written, text):
    assert prepare(written(text), {}).inventory.clusters[0].name == "boston"


def test_a_node_is_excepted_under_the_name_it_is_heard_by(written):
    text = "sources: {exceptions: [{source: 'node:PUB', every: 2h}]}"
    (told,) = prepare(written(text), {}).settings.sources.exceptions

    assert told.source == "node:pub"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (f"digest: {{{LIST.format('boston')}}}", "digest.lists.0.clusters.0: boston"),
        (f"notifications: {{{LIST.format('boston')}}}", "notifications.lists.0.clusters.0: boston"),
        ("sources: {exceptions: [{source: 'node:PUB'}]}", "sources.exceptions.0.source: pub"),
    ],
)
def test_without_an_inventory_nobody_can_be_named(written, text, key):
    with pytest.raises(InputError, match="there is no inventory to know it from") as caught:
        prepare(written(text, inventory=""), {})

    assert f"{key}: " in str(caught.value)
    assert "(expected inventory: PATH, or no " in str(caught.value)


def test_a_cluster_that_leaves_the_inventory_is_told_to_whoever_reads_it(written, tmp_path):
    path = written(f"digest: {{{LIST.format('boston')}}}")
    prepare(path, {})
    (tmp_path / "inventory.yaml").write_text(INVENTORY.replace("boston", "lynn"))

    for read in (prepare, lambda path, environment: inventory_of(locate(path, environment))):
        with pytest.raises(InputError, match="the inventory has no cluster boston"):
            read(path, {})


def test_a_variable_is_named_where_it_names_the_cluster(written):
    text = "[{name: voice, to: [a@example.com], clusters: [bostn]}]"
    with pytest.raises(InputError) as caught:
        prepare(written(""), {"WATCHER_DIGEST__LISTS": text})

    assert str(caught.value).startswith("WATCHER_DIGEST__LISTS: digest.lists.0.clusters.0: ")


def test_a_store_that_no_rule_knows_ends_the_start_too(written, tmp_path):
    text = "version: 1\nclusters: [{name: a, certificates: [{store: tomct}]}]\n"
    (tmp_path / "inventory.yaml").write_text(text)

    with pytest.raises(InputError, match=r"inventory\.yaml:2:.*the rules have no store tomct"):
        prepare(written(""), {})
