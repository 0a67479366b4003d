"""The environment over the file: what it may say, and how a mistake in it is told."""

import pytest
from settings.mutants import SAMPLE

from watcher.errors import InputError
from watcher.settings.loader import load


def test_a_variable_overrides_the_file():
    settings = load("x", SAMPLE, {"WATCHER_INPUTS__TCP__PORT": "1601"})

    assert settings.inputs.tcp[0].port == 1601


def test_a_variable_opens_a_block_that_the_file_has_not():
    settings = load("x", "", {"WATCHER_CASES__STORM__CLAIMED_TOTAL": "70"})

    assert settings.cases.storm.claimed_total == 70


def test_a_number_picks_a_block_of_a_list():
    settings = load("x", SAMPLE, {"WATCHER_INPUTS__UDP__1__PORT": "515"})

    assert [one.port for one in settings.inputs.udp] == [514, 515]


@pytest.mark.parametrize(
    ("written", "read"),
    [("[1, 0]", (1, 0)), ("[7]", (7,))],
)
def test_a_list_is_written_as_in_the_file(written, read):
    assert load("x", "", {"WATCHER_CASES__THRESHOLDS": written}).cases.thresholds == read


def test_a_text_with_a_comma_or_a_colon_is_one_text():
    environment = {"WATCHER_INVENTORY": "a, b: c.yaml", "WATCHER_INPUTS__UDP__ADDRESS": "::1"}
    settings = load("x", "", environment)

    assert (settings.inventory, settings.inputs.udp[0].address) == ("a, b: c.yaml", "::1")


@pytest.mark.parametrize("written", ["null", "~", ""])
def test_null_turns_off(written):
    assert load("x", "", {"WATCHER_SELFTEST__EVERY": written or "null"}).selftest.every is None


def test_quotes_make_a_text_of_a_number():
    assert load("x", "", {"WATCHER_INVENTORY": '"2026"'}).inventory == "2026"


def test_the_state_directory_of_systemd_is_the_default():
    environment = {"STATE_DIRECTORY": "/var/lib/watcher:/var/lib/other"}

    assert load("x", "", environment).state_dir == "/var/lib/watcher"
    assert load("x", "state_dir: own", environment).state_dir == "own"
    assert load("x", "", {**environment, "WATCHER_STATE_DIR": "mine"}).state_dir == "mine"


def test_reserved_and_foreign_variables_are_left_alone():
    environment = {
        "WATCHER_CRASH_AT": "x", "WATCHER_SEEDED_BUG": "y", "WATCHER_TEST_SPEED": "z",
        "WATCHER_SETTINGS": "w.yaml", "WATCHERS": "1", "HOME": "/",
    }  # fmt: skip

    assert load("x", "", environment) == load("x", "", {})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("INPUTS__UDP__PROT", "1", "means no setting (expected WATCHER_INPUTS__UDP__PORT)"),
        ("INPUT__UDP__PORT", "1", "means no setting (expected WATCHER_INPUTS)"),
        ("PORT", "1", "means no setting (expected WATCHER_"),
        ("INPUTS_UDP_PORT", "1", "means no setting (expected WATCHER_"),
        ("INPUTS__UDP__PORT__X", "1", "leads into a value (expected WATCHER_INPUTS__UDP__PORT)"),
        ("SMTP__USERS__RELAY", "1", "leads into a value (expected WATCHER_SMTP__USERS)"),
        ("INPUTS__UDP__PORT", "x", "inputs.udp.port: 'x' is not a whole number"),
        ("INPUTS__UDP__PORT", "70000", "inputs.udp.port: 70000 is too large (expected at most"),
        ("LOG__LEVEL", "loud", "log.level: 'loud' is not one of the words"),
        ("INSTANCE", "5", "instance: 5 is read as a number (expected text, so write it in quotes"),
        ("DATABASE__PASSWORD", "hunter2", "database.password: a secret stands elsewhere"),
        ("CASES__QUIET_AFTER", "1h", "cases.quiet_after: 1h is no longer than sources.every"),
        ("", "1", "means no setting (expected WATCHER_"),
    ],
)
def test_a_mistake_names_the_variable(name, value, words):
    with pytest.raises(InputError) as caught:
        load("x", "", {f"WATCHER_{name}": value})

    assert str(caught.value).startswith(f"WATCHER_{name}: {words}")
    assert "hunter2" not in str(caught.value)


def test_a_list_in_the_file_wants_a_number():
    with pytest.raises(InputError, match="a list stands there") as caught:
        load("x", SAMPLE, {"WATCHER_INPUTS__UDP__PORT": "1"})

    assert caught.value.expected == "WATCHER_INPUTS__UDP__0__... to WATCHER_INPUTS__UDP__1__..."


def test_a_fault_of_the_file_stays_one():
    with pytest.raises(InputError, match="x:1:1: inputs: 'none' is not a map"):
        load("x", "inputs: none", {"WATCHER_INPUTS__UDP__PORT": "1"})
