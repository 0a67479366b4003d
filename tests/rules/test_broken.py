"""Packs with one fault each are refused with file, line, column and the reason."""

from pathlib import Path

import pytest

from watcher.errors import InputError
from watcher.rules.loader import load

BROKEN = Path(__file__).parent.parent / "broken"
PACKS = sorted(BROKEN.glob("rules/*.yaml"))
SITES = sorted(BROKEN.glob("site/*.yaml"))


def text_of(path):
    # Not read_text: it would turn a lone carriage return into a line feed.
    return path.read_bytes().decode()


def expected_of(path):
    return path.with_suffix(".expected").read_text(encoding="utf-8").rstrip("\n")


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)
def test_a_broken_pack_is_refused_with_its_place(path, base):
    with pytest.raises(InputError) as caught:
        load([base, ("pack.yaml", text_of(path))])

    assert str(caught.value) == f"pack.yaml:{expected_of(path)}"


@pytest.mark.parametrize("path", SITES, ids=lambda path: path.stem)
def test_a_broken_site_pack_is_refused_with_its_place(path, base):
    with pytest.raises(InputError) as caught:
        load([base], [("x.yaml", text_of(path))])

    assert str(caught.value).removeprefix("x.yaml:") == expected_of(path)


def test_every_fault_says_what_was_expected():
    faults = [expected_of(path) for path in (*PACKS, *SITES)]

    assert all("(expected " in fault for fault in faults)


def test_every_expectation_has_its_pack():
    told = {path.with_suffix(".yaml") for path in BROKEN.glob("*/*.expected")}

    assert {path for path in told if path.parent.name in {"rules", "site"}} == {*PACKS, *SITES}


def test_there_are_a_hundred_hostile_and_mistaken_packs():
    assert len(PACKS) + len(SITES) >= 100


def test_a_pack_over_one_mebibyte_is_refused(base):
    comment = "# " + "x" * (1 << 20)

    with pytest.raises(InputError, match=r"^pack\.yaml: larger than 1 MiB"):
        load([base, ("pack.yaml", comment)])


def test_a_mebibyte_is_counted_in_bytes_not_letters(base):
    comment = "# " + "ä" * (1 << 19)

    with pytest.raises(InputError, match="larger than 1 MiB"):
        load([base, ("pack.yaml", comment)])
