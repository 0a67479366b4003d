"""What was held back finds its case after a fix of the inventory, beside a running daemon."""

import json

from builders import message
from system.house import until

from watcher.model.ledger import Place

STRANGERS = [message(node=f"n{n}", host=f"n{n}").encode() for n in range(4)]


def books_of(house):
    status, told, errors = house.ask("status", "--json")
    seen = json.loads(told)
    return seen["difference"], seen["quarantine"], sum(seen["cases"].values()), status, errors


def test_what_was_held_back_finds_its_case(house):
    house.changes = {"cases": {"storm": {"claimed_per_hour": 1}}}
    house.write()
    house.start()
    house.udp(*STRANGERS)
    until(lambda: house.total(Place.QUARANTINED) == 3, "the storm", house)
    before = books_of(house)
    more = "".join(f"      - {{name: n{n}}}\n" for n in range(4))
    (house.folder / "inventory.yaml").write_text(house.inventory + more)
    first, again = house.ask("replay"), house.ask("replay")
    taken = house.rethink()
    until((house.state / "plans" / "numbered.md").exists, "the plan", house)
    after = books_of(house)
    status = house.stop()

    assert (0, {"storm": 3}, 1, 0, "") == before
    assert (0, {}, 4, 0, "") == after
    assert [0, 0] == [first[0], again[0]]
    assert taken
    assert (0, []) == (status, house.faults())
