"""`watcher explain`: the whole path of one message, for what was stored and for bytes."""

import json

import builders
import pytest


def explained(run, *words, given=b""):
    status, out, err = run("explain", *words, "--json", given=given)

    assert (status, err) == (0, "")
    return {stage["stage"]: stage["facts"] for stage in json.loads(out)}


def test_a_stored_message_tells_what_happened(run, site):
    (id_,) = site.take_in(builders.message())
    path = explained(run, id_)

    assert path["Bytes"]["message"] == id_
    assert path["Bytes"]["way"] == "udp through input udp, one datagram"
    assert path["Place"]["ended in"] == "case"
    assert path["Record 1: header"]["SEQNUM"] == "864"
    assert path["Record 1: what it says"]["store"] == "tomcat (service)"
    assert path["Record 1: who says so"]["node"] == "pub of cluster graz, by the inventory"
    assert path["Record 1: case"]["owner"] == "pub"
    assert path["Record 1: event and merge"]["it was"] == "new"
    assert path["Record 1: event and merge"]["case"] == "1, alarmed"
    assert path["Record 1: plan"] == {"plan": "none is stored"}


def test_a_copy_is_told_as_one(run, site):
    first, second = site.take_in(builders.message(), builders.message(seq="865"))

    assert explained(run, second)["Place"]["ended in"] == "duplicate"
    assert explained(run, second)["Record 1: event and merge"]["it was"].startswith("known")
    event = explained(run, first)["Record 1: event and merge"]["event"]
    assert explained(run, second)["Record 1: event and merge"]["event"] == event


def test_bytes_are_a_dry_run_and_change_nothing(run, site):
    text = builders.message().encode()
    path = explained(run, "-", given=text)

    assert path["Record 1: event and merge"]["case"] == "would be opened"
    assert "would be told" in path["Record 1: thresholds"].values()
    assert not (site.folder / "state" / "watcher.db").exists()


def test_bytes_are_held_against_the_stored_case(run, site):
    site.take_in(builders.message())
    (site.folder / "alarm.txt").write_text(builders.message(expiry="Tue Nov 24 14:05:"))
    path = explained(run, "alarm.txt")

    assert path["Record 1: event and merge"]["case"] == "1, alarmed"
    assert path["Record 1: event and merge"]["would change"] != "nothing but counts"
    assert site.lines().difference == 0


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"node": "stranger"}, "stranger: no node of the inventory has that name"),
        ({"node": ""}, "cm: no node of the inventory has that name"),
    ],
)
@pytest.mark.usefixtures("site")
def test_an_unknown_node_is_told_with_the_reason(run, fields, words):
    path = explained(run, "-", given=builders.message(**fields).encode())

    assert path["Record 1: who says so"]["node"].startswith(words)
    assert path["Record 1: case"]["standing"].startswith("claimed")


@pytest.mark.usefixtures("site")
def test_noise_is_told_as_such(run):
    path = explained(run, "-", given=b"<13>host app: nothing")

    assert path["Records"] == {"found": "none: no token of an alarm in these bytes"}


@pytest.mark.usefixtures("site")
def test_hostile_bytes_stay_on_their_lines(run):
    hostile = builders.message(certificate="x\x1b[2J\u202e.pem", text="a\nutils system restart")
    _, out, _ = run("explain", "-", given=hostile.encode())

    assert all(line.isprintable() for line in out.splitlines())
    assert [line for line in out.splitlines() if line.lstrip().startswith("utils")] == []


def test_an_unknown_id_is_told_in_one_line(run, site):
    site.take_in(builders.message())
    status, _, err = run("explain", "main-ffff")

    assert (status, err.count("\n")) == (2, 1)
    assert "no message main-ffff is stored" in err


def test_a_file_that_is_called_like_an_id_is_a_file(run, site):
    (site.folder / "main-1").write_text(builders.message())

    assert "message" not in explained(run, "main-1")["Bytes"]
