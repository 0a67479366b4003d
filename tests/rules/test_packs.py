"""The packs that ship: whole, proved by their own examples, and described by a current schema."""

import json
from pathlib import Path

import pytest

from watcher.app.knowledge import builtin_packs, load_catalogue
from watcher.rules.crosscheck import walk
from watcher.rules.examples import check_examples, dead, gaps, mismatches, stated_releases
from watcher.rules.jsonschema import DIALECT, pack_schema
from watcher.rules.loader import load, load_pack
from watcher.rules.terms import Cited, Confidence
from watcher.rules.work import StepTemplate

ROOT = Path(__file__).parent.parent.parent
PACKS = dict(builtin_packs())
STORES = sorted(key for name, text in PACKS.items() for key in load_pack(name, text).pack.stores)


@pytest.fixture(scope="session")
def builtin():
    return load_catalogue()


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_tells_editors_its_schema(name):
    first = PACKS[name].split("\n", 1)[0]

    assert first == "# yaml-language-server: $schema=schema/pack.json"


def test_the_packs_fit_together(builtin):
    assert len(builtin.titles) == len(PACKS)


@pytest.mark.parametrize("store", STORES)
def test_the_examples_of_a_store_hold(store, builtin):
    assert list(mismatches(store, builtin.store(store))) == []


@pytest.mark.parametrize("store", STORES)
def test_every_release_of_a_store_is_covered(store, builtin):
    assert list(gaps(store, builtin.store(store), stated_releases(builtin))) == []


@pytest.mark.parametrize("store", STORES)
def test_every_statement_of_a_store_holds_somewhere(store, builtin):
    assert list(dead(store, builtin.store(store), stated_releases(builtin))) == []


def test_the_schema_in_the_repository_is_current():
    written = (ROOT / "rules" / "schema" / "pack.json").read_text(encoding="utf-8")

    assert written == pack_schema(), "run `make schema`"


def test_the_schema_names_its_dialect_and_no_address_of_its_own():
    schema = json.loads(pack_schema())

    assert (schema["$schema"], "$id" in schema) == (DIALECT, False)
    assert schema["title"] == "watcher rule pack"


def test_own_knowledge_is_not_called_seen(builtin):
    parts = (builtin.stores, builtin.services, builtin.steps, builtin.safety, builtin.alarms)
    cited = [item for part in parts for _, item in walk(part) if isinstance(item, Cited)]

    assert [i for i in cited if i.source == ("OWN",) and i.confidence is Confidence.SEEN] == []


def test_every_step_with_a_command_says_what_to_see(builtin):
    templates: list[tuple[str, StepTemplate]] = list(builtin.steps.items())

    assert [key for key, step in templates if step.command and not step.expect] == []


def test_the_site_pack_in_the_readme_works():
    readme = (ROOT / "rules" / "README.md").read_text(encoding="utf-8")
    shown = readme.split("```yaml\n")[-1].split("```")[0]
    site = load(PACKS.items(), [("README.md", shown)])

    assert site.store("tomcat").tell[-1].party == "Intranet team"
    assert check_examples(site) == ()


def test_the_readme_lists_every_pack():
    readme = (ROOT / "rules" / "README.md").read_text(encoding="utf-8")

    assert [name for name in PACKS if f"`{name.removeprefix('rules/')}`" not in readme] == []
