"""docs/glossary.md and the names in code, rule packs and inventories agree."""

import ast
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
SAYS_NOTHING = re.compile("[a-z](Manager|Helper|Util|Utils|Processor|Handler)$")
FOREIGN = {"mnemonic"}
"""What our outputs print although a name in the code may not be it (docs/glossary.md)."""


def rows():
    """Return the cells of each row of each table, without the heads."""
    lines = [line for line in GLOSSARY.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in cells if row[0] not in {"Term", "Word", "---"}]


def quoted(cell):
    return re.findall("`([^`]+)`", cell)


def words_of(name):
    """Return the words of a name in snake case, camel case or with hyphens."""
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)]


def holds(name, refused):
    """Say whether the words of `refused` stand side by side in `name`."""
    return f"_{refused}_" in f"_{'_'.join(words_of(name))}_"


def names_in(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for field in ("id", "attr", "arg", "name", "asname"):
            name = getattr(node, field, None)
            if isinstance(name, str):
                yield name


def classes_in(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def properties_in(schema):
    """Yield the keys that a JSON Schema, and so a rule pack or an inventory, knows."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for inner in schema.values():
            yield from properties_in(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from properties_in(inner)


MODULES = sorted((ROOT / "watcher").rglob("*.py"))
SCHEMAS = sorted((ROOT / "rules" / "schema").glob("*.json"))
NAMES = {name for path in MODULES for name in names_in(path)}
KEYS = {key for path in SCHEMAS for key in properties_in(json.loads(path.read_text("utf-8")))}
REFUSED = sorted({word for row in rows() for word in quoted(row[3])})
WRITTEN = sorted({word for row in rows() for word in quoted(row[2])})


def test_the_glossary_is_read_at_all():
    assert len(rows()) >= 50
    assert {"prio", "keystore", "thumbprint", "freeze", "expiry_date", "mnemonic"} <= set(REFUSED)
    assert {"release", "change_schedule", "impact"} <= KEYS
    assert "draw_plans" in NAMES


@pytest.mark.parametrize("refused", REFUSED)
def test_a_refused_word_is_no_name(refused):
    assert [name for name in sorted(NAMES | KEYS) if holds(name, refused)] == []


@pytest.mark.parametrize("word", WRITTEN)
def test_a_word_of_the_glossary_is_used(word):
    assert word in NAMES | KEYS


def test_only_the_exceptions_are_printed():
    printed = {
        node.value
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert printed & set(REFUSED) <= FOREIGN


def test_no_class_says_nothing():
    names = [name for path in MODULES for name in classes_in(path)]

    assert [name for name in names if SAYS_NOTHING.search(name)] == []


@pytest.mark.parametrize(
    ("name", "refused", "found"),
    [
        ("prio", "prio", True),
        ("_PRIO_LIMIT", "prio", True),
        ("msgPrio", "prio", True),
        ("priority", "prio", False),
        ("expiry_date_text", "expiry_date", True),
        ("expiry", "expiry_date", False),
    ],
)
def test_words_are_found_in_names_of_any_shape(name, refused, found):
    assert holds(name, refused) is found
