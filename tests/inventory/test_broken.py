"""Inventories with one fault each are refused with file, line, column and the fix."""

from pathlib import Path

import pytest

from watcher.errors import InputError
from watcher.inventory.loader import load

BROKEN = sorted((Path(__file__).parent.parent / "broken" / "inventory").glob("*.yaml"))


def expected_of(path):
    return path.with_suffix(".expected").read_text(encoding="utf-8").rstrip("\n")


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_inventory_is_refused_with_its_place(path):
    with pytest.raises(InputError) as caught:
        load("x.yaml", path.read_bytes().decode())

    assert str(caught.value) == f"x.yaml:{expected_of(path)}"


def test_there_are_broken_inventories():
    assert len(BROKEN) > 40
