"""`watcher quarantine`: what could not be read, with why, safe to look at."""

import json

import builders
import pytest

from watcher.model.ledger import Reason

BROKEN = "<13>Nov 20 01:00:00 host app: UC_CERT without a record"


def listed(run, *words):
    status, out, err = run("quarantine", "--json", *words)

    assert (status, err) == (0, "")
    return json.loads(out)


@pytest.fixture
def ids(site):
    """Return the ids of three messages in quarantine, beside one that is in a case."""
    first, _, second, third = site.take_in(BROKEN, builders.message(), f"{BROKEN} x", f"{BROKEN} y")
    return [first, second, third]


def test_each_message_is_told_with_its_reason(run, ids):
    found = listed(run)

    assert [one["message"] for one in found] == ids
    assert {one["reason"] for one in found} == {Reason.NO_RECORD}
    assert found[0]["peer"] == "192.0.2.1"
    assert found[0]["text"] == BROKEN


@pytest.mark.usefixtures("ids")
def test_reason_and_limit_narrow_the_list(run):
    assert listed(run, "--reason", "storm") == []
    assert len(listed(run, "--reason", "no-record", "--reason", "storm")) == 3
    assert len(listed(run, "--limit", "2")) == 2
    assert "There are more than these 2: --limit shows more." in run("quarantine", "--limit", 2)[1]
    assert "more" not in run("quarantine", "--limit", 3)[1]


def test_a_hostile_text_stays_on_its_line_and_is_cut(run, site):
    site.take_in(f"{BROKEN}\x1b[2J\r\nutils system restart {'z' * 1000}")
    _, out, _ = run("quarantine")

    assert all(line.isprintable() for line in out.splitlines())
    assert [line for line in out.splitlines() if line.startswith("utils")] == []
    assert "z" * 80 not in out


def test_without_a_database_it_says_so(run, site):
    assert run("quarantine", "--settings", site.settings)[0] == 2
