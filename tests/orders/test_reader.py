"""Steps files: each fault at its place, and every way to write the same order."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orders.desk import file_of, parts, steps_of

from watcher.errors import InputError
from watcher.orders.reader import read

BROKEN = sorted((Path(__file__).parent.parent / "broken" / "steps").glob("*.yaml"))


def expected_of(path):
    return path.with_suffix(".expected").read_text(encoding="utf-8").rstrip("\n")


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_steps_file_is_refused_with_its_place(path):
    with pytest.raises(InputError) as caught:
        read("x.yaml", path.read_bytes().decode())

    assert str(caught.value) == f"x.yaml:{expected_of(path)}"


def test_there_are_broken_steps_files():
    assert len(BROKEN) >= 35


HEAD = file_of().removesuffix("steps:\n")
BASE = read("base", file_of("RESET"))
WRITTEN = [
    (HEAD + "steps: [CAPF, 'flush(P,S)', RESET]\n", None),
    (HEAD + "steps: [CAPF, flush(P,S), RESET]\n", None),
    (HEAD + "steps: [CAPF, flush( P , S ), RESET]\n", None),
    (HEAD + "steps: |\n  CAPF\n  flush(P,S)\n  RESET\n", None),
    (HEAD + "steps: CAPF; flush(P,S); RESET\n", None),
    (HEAD + "steps: ['CAPF; flush(P,S)', RESET]\n", None),
    ("steps:\n  - CAPF\n  - flush(P,S)\n  - RESET\n", BASE),
    ("- CAPF\n- flush(P,S)\n- RESET\n", BASE),
    ("[CAPF, flush(P,S), RESET]", BASE),
    ("CAPF\nflush(P,S)\nRESET\n", BASE),
    ("\n# my order\n1. CAPF\n2) flush(P,S)\n\n  3. RESET", BASE),
    ("* CAPF\r\n* flush(P,S)\r\n* RESET\r\n", BASE),
    ("CAPF; flush(P,S); RESET", BASE),
]


@pytest.mark.parametrize(("text", "base"), WRITTEN)
def test_the_same_order_however_it_is_written(text, base):
    steps = read("x", text, base).steps

    assert [(step.number, parts(step)) for step in steps] == [
        (1, "regen CAPF P"),
        (2, "restart P TVS"), (2, "restart P TFTP"), (2, "restart S TVS"), (2, "restart S TFTP"),
        (3, "RESET+WAIT"),
    ]  # fmt: skip


PLACES = [
    ("RESET\nfrobnicate\n", "x:2:1:"),
    ("RESET\n  2. frobnicate\n", "x:2:6:"),
    ("RESET; frobnicate\n", "x:1:8:"),
    ("- RESET\n-   frobnicate\n", "x:2:5:"),
    ("RESET\nfr\x07ob\n", "x:2:3:"),
]


@pytest.mark.parametrize(("text", "place"), PLACES)
def test_a_fault_in_steps_alone_has_its_place(text, place):
    with pytest.raises(InputError) as caught:
        read("x", text, BASE)

    assert str(caught.value).startswith(place)


def test_a_cluster_beside_an_inventory_is_refused():
    with pytest.raises(InputError, match="an inventory was given as well"):
        read("x", file_of("RESET"), BASE)


def test_absent_keys_are_as_the_table_says():
    scenario = read("x", file_of("RESET", release="9.1", mixed="null"))
    first, secure = scenario.groups

    assert not scenario.mixed
    assert (scenario.backed_up, scenario.licensed, scenario.replication_ok) == (True, True, True)
    assert (first.held_itl, first.lsc, first.sbd, first.online) == ("P", None, True, True)
    assert secure.lsc == "CAPF#0"


def test_etokens_are_two_unless_told():
    text = file_of("RESET", mixed="etoken")
    told = text.replace("  mixed:", "  etokens_available: 0\n  mixed:")

    assert (read("x", text).tokens, read("x", told).tokens) == (2, 0)


def test_short_names_of_nodes_are_known():
    text = file_of("restart TVS p1").replace("name: P,", "name: p1.example.test,")
    text = text.replace("[P, S]", "[p1.example.test, S]").replace("[S, P]", "[S, P1.example.test]")

    assert parts(read("x", text).steps[0]) == "restart p1.example.test TVS"


def test_too_many_single_steps_are_refused():
    with pytest.raises(InputError, match="more than 20000 single steps"):
        steps_of(*["bounce"] * 3000)


VERBS = ["regen", "restart", "reset", "upload", "delete", "tell", "set", "rollback", "lsc", "not"]
NAMES = ["CallManager", "CAPF", "TVS", "TFTP", "P", "S", "A", "E", "Q", "CAPF#0", "TVS/Q#1"]
FILL = ["all", "the", "old", "new", "CAPF-trust", "RADIUS", "to", "on", ",", ";", "(", "'", "#"]
WORDS = st.sampled_from(VERBS + NAMES + FILL)


@given(st.lists(WORDS, max_size=9).map(" ".join) | st.text(max_size=30))
def test_any_words_are_steps_or_one_line_of_error(text):
    try:
        steps = read("x", text, BASE).steps
    except InputError as error:
        told = str(error)
    else:
        told = "" if steps else "an order without steps"

    assert told == "" or told.startswith("x:")
    assert told.isprintable()
