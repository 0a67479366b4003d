"""Every executed vector of the trust facts, and orders that must be refused, read and proved."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from watcher.orders.reader import read
from watcher.orders.record import record
from watcher.trust.prove import prove
from watcher.trust.verdict import Ruling

HERE = Path(__file__).parent
GOOD_AND_BAD = sorted((HERE / "vectors").glob("*.yaml"))
BAD = sorted((HERE / "bad").glob("*.yaml"))
KNOWN = {
    "verdict", "broken", "not_broken", "stranded", "not_stranded", "offline", "when",
    "offline_when", "windows", "soft", "transient", "degraded", "rescue", "deduced", "note",
}  # fmt: skip


def expected_of(path):
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))["expect"]


def proved(path):
    """Return what `watcher check` prints of a file as data."""
    scenario = read(path.name, path.read_text(encoding="utf-8"))
    return record(scenario, prove(scenario))


def wrong(expect, told):
    """Yield what a verdict says otherwise than a vector expects."""
    yield from verdicts(expect, told)
    yield from fates(expect, told)
    yield from moments(expect, told)


def verdicts(expect, told):
    if told["verdict"] != expect.get("verdict", told["verdict"]):
        yield "verdict", told["verdict"]
    broken = set(told["broken"])
    yield from (("not broken", rule) for rule in expect.get("broken", []) if rule not in broken)
    yield from (("broken", rule) for rule in expect.get("not_broken", []) if rule in broken)


def fates(expect, told):
    for key in ("stranded", "offline"):
        for group, fate in (expect.get(key) or {}).items():
            if told[key].get(group) != fate:
                yield key, group, told[key].get(group)
    for group in expect.get("not_stranded") or []:
        if group in told["stranded"]:
            yield "stranded", group
    heals = {one["group"]: one["rescue"] for one in told["absent"] if one["rescue"]}
    heals |= told["rescue"]  # of phones that were off, where none that was on is lost
    for group, way in (expect.get("rescue") or {}).items():
        if heals.get(group, {}).get("id") != way:
            yield "rescue", group, heals.get(group)


def moments(expect, told):
    yield from branches(expect, told)
    for key in ("transient", "degraded", "soft"):
        for one in set(expect.get(key) or []) - seen(told)[key]:
            yield key, one
    wanted = expect.get("windows")
    groups = {one["group"] for one in told["windows"]}
    if isinstance(wanted, dict):
        for group, has in wanted.items():
            if (group in groups) != (has == "some"):
                yield "windows", group
    elif wanted is not None and bool(groups) != (wanted == "some"):
        yield "windows", groups


def branches(expect, told):
    for group in told["stranded"] if expect.get("when") else ():
        if told["branches"][group] != expect["when"]:
            yield "when", group, told["branches"][group]
    absent = {one["group"]: one["branches"] for one in told["absent"] if not one["ok"]}
    for group, answers in absent.items() if expect.get("offline_when") else ():
        if answers != expect["offline_when"]:
            yield "offline when", group, answers


def seen(told):
    """Return by key of a vector what the verdict shows of it."""
    notes = [*told["notes"], *told["unpaid"]]
    return {
        "transient": {one["group"] for one in told["outages"]},
        "degraded": {note["rule"] for note in notes if note["severity"] == "DEGRADED"},
        "soft": {note["rule"] for note in notes},
    }


@pytest.mark.parametrize("path", [*GOOD_AND_BAD, *BAD], ids=lambda path: path.stem)
def test_a_vector_is_judged_as_the_facts_say(path):
    assert list(wrong(expected_of(path), proved(path))) == []


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_order_is_refused_with_words_for_each_rule(path):
    told = proved(path)

    assert told["verdict"] == Ruling.REFUSED
    assert {bool(told["details"][rule]["text"]) for rule in told["broken"]} == {True}


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_order_names_its_verdict(path):
    assert expected_of(path)["verdict"] == Ruling.REFUSED


def test_there_are_enough_vectors():
    assert len(GOOD_AND_BAD) >= 30
    assert len(BAD) >= 40


def test_every_key_of_an_expectation_is_compared():
    keys = {key for path in [*GOOD_AND_BAD, *BAD] for key in expected_of(path)}

    assert keys - KNOWN == set()


def test_a_wrong_expectation_is_seen():
    told = proved(BAD[0])
    lies = {
        "verdict": "safe", "broken": ["I-28"], "not_broken": told["broken"][:1],
        "stranded": {"nobody": "LOCKED_TOUCH"}, "windows": "none" if told["windows"] else "some",
        "rescue": {"nobody": "R1"}, "soft": ["I-99"],
    }  # fmt: skip

    assert {what for what, *_ in wrong(lies, told)} == {
        "verdict", "not broken", "broken", "stranded", "windows", "rescue", "soft",
    }  # fmt: skip
