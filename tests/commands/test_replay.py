"""`watcher replay`: after a fix messages in quarantine find their cases, once."""

import json

import builders
import pytest

from watcher.model.ledger import Books, Place, Reason
from watcher.model.message import Grade, Origin, Way
from watcher.ports import StoredMessage
from watcher.store.engine import open_existing

BROKEN = "<13>Nov 20 01:00:00 host app: UC_CERT without a record"


def quarantined(site, text, reason=Reason.UNREADABLE, input_="udp"):
    """Put a message into quarantine as if a rule had failed it when it came."""
    (id_,) = site.take_in(BROKEN)
    store = open_existing(site.url)
    with store.transaction() as unit:
        (old,) = store.view.quarantine(None, 1)[-1:]
        origin = Origin(way=Way.UDP, input=input_, peer="192.0.2.1", grade=Grade.CLAIM)
        unit.keep((StoredMessage(
            id=old.id, origin=origin, received_at=old.received_at, data=text.encode(), cut=False,
            place=Place.QUARANTINED, reason=reason, detail="a rule was wrong",
        ),))  # fmt: skip
        books = site_books(old.reason, reason)
        unit.count(books.lines())
    store.close()
    return id_


def site_books(before, after):
    books = Books()
    books.add("udp", Place.QUARANTINED, -1, before)
    books.add("udp", Place.QUARANTINED, 1, after)
    return books


def replayed(run, *words):
    status, out, err = run("replay", "--json", *words)

    assert (status, err) == (0, "")
    return json.loads(out)


def test_what_is_readable_now_finds_its_case(run, site):
    id_ = quarantined(site, builders.message())

    assert replayed(run) == [
        {"message": id_, "was there for": "unreadable", "now": "case", "for": "", "detail": ""}
    ]
    books = site.lines()
    assert (books.total(Place.CASE), books.total(Place.QUARANTINED), books.difference) == (1, 0, 0)
    assert len(json.loads(run("cases", "--json")[1])) == 1


@pytest.mark.parametrize("text", [builders.message(), "<13>host app: nothing", BROKEN])
def test_the_second_time_changes_nothing(run, site, text):
    quarantined(site, text)
    replayed(run)
    before = site.lines().lines()
    replayed(run)

    assert site.lines().lines() == before
    assert site.lines().difference == 0


def test_what_is_noise_now_leaves_quarantine(run, site):
    quarantined(site, "<13>host app: nothing")

    assert [one["now"] for one in replayed(run)] == ["noise"]
    assert replayed(run) == []


def test_what_is_still_broken_stays(run, site):
    site.take_in(BROKEN)
    (one,) = replayed(run)

    assert (one["now"], one["was there for"], one["for"]) == (
        "quarantined",
        "no-record",
        "no-record",
    )


def test_what_the_input_found_broken_is_not_believed_later(run, site):
    quarantined(site, builders.message(), reason=Reason.OCTET_COUNT)

    assert [one["now"] for one in replayed(run)] == ["quarantined"]


def test_a_reason_or_an_id_narrows_it(run, site):
    first = quarantined(site, builders.message())
    site.take_in(BROKEN)

    assert replayed(run, "--reason", "storm") == []
    assert [one["message"] for one in replayed(run, "--id", first)] == [first]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--id", "main-fff"), "there is no message main-fff"),
        (("--id", "nonsense"), "'nonsense' is no id of a message"),
        (("--reason", "bad"), "Invalid value for '--reason'"),
    ],
)
def test_wrong_use_is_told_in_one_line(run, site, words, told):
    site.take_in(builders.message())
    status, out, err = run("replay", *words)

    assert (status, out, err.count("\n")) == (2, "", 1)
    assert told in err


def test_a_message_that_has_a_case_is_not_read_again(run, site):
    (id_,) = site.take_in(builders.message())
    status, _, err = run("replay", "--id", id_)

    assert status == 2
    assert "it is not in quarantine" in err
