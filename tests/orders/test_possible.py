"""Modes and commands that a cluster cannot have are bad input; the first one is told."""

import pytest
from orders.desk import file_of

from watcher.errors import InputError
from watcher.orders.reader import read


def refusal(release, mixed, *lines, more=""):
    """Return the line of error of an order, or nothing."""
    text = file_of(*lines, release=release, mixed=mixed).replace("  nodes:", f"{more}  nodes:", 1)
    try:
        read("x", text, possible=True)
    except InputError as error:
        return str(error)
    return ""


MODES = [
    ("9.1", "tokenless", True), ("10.0(1)", "tokenless", False), ("9.1", "etoken", False),
    ("14", "etoken", False), ("14SU2", "etoken", False), ("14SU3", "etoken", True),
    ("15", "etoken", True),
]  # fmt: skip


@pytest.mark.parametrize(("release", "mixed", "refused"), MODES)
def test_a_mode_that_the_release_has_not_is_refused(release, mixed, refused):
    told = refusal(release, mixed, "RESET")

    assert told.startswith("x:3:3: cluster.mixed: release ") if refused else told == ""


COMMANDS = [
    ("ITLR", "9.1", "null", "has no ITLRecovery"),
    ("ITLR", "10.0(1)", "null", ""),
    ("ITLR S", "12.5", "null", "only the publisher has an own ITLRecovery"),
    ("ITLR S", "11.5", "null", ""),
    ("itl_localkey", "9.1", "null", "has no recovery key"),
    ("itl_localkey", "12.5", "null", ""),
    ("itl_remotekey", "12.5", "null", "no exported recovery key"),
    ("CAPF S", "14", "null", "only the publisher has an own CAPF"),
    ("CAPF S", "12.5", "null", ""),
    ("ctl_localkey", "12.5", "null", "not in mixed mode"),
    ("ctl_localkey", "12.5", "etoken", "tokens sign the CTL"),
    ("ctl_localkey", "10.5(1)", "tokenless", "no second signer"),
    ("ctl_localkey", "10.5(2)", "tokenless", ""),
    ("ctl_update", "12.5", "null", "not in mixed mode"),
    ("ctl_update (eToken)", "12.5", "etoken", ""),
    ("ctl_update (eToken)", "12.5", "tokenless", "is tokenless, not etoken"),
    ("ctl_update (tokenless)", "12.5", "etoken", "is etoken, not tokenless"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "release", "mixed", "problem"), COMMANDS)
def test_a_command_that_cannot_be_given_is_refused_at_its_step(line, release, mixed, problem):
    told = refusal(release, mixed, "RESET", line)

    assert told.startswith(f"x:15:5: step 2, '{line}': ") if problem else told == ""
    assert problem in told


def test_an_exported_key_makes_the_remote_key_possible():
    held = "  itlrecovery_p12_exported: 0\n"

    assert refusal("12.5", "null", "export_p12", "itl_remotekey") == ""
    assert refusal("12.5", "null", "itl_remotekey", more=held) == ""


def test_a_certificate_for_all_nodes_is_shared_from_the_start():
    lines = ("upload_signed CallManager cluster", "tell edge CallManager/S#1")
    expired = "  expired: [CallManager/S#0, TVS/S#0]\n"
    text = file_of(*lines, release="11.5").replace("  nodes:", f"{expired}  nodes:", 1)
    made = read("x", text)

    assert made.shared == {"CallManager"}
    assert made.expired == {"CallManager#0", "TVS/S#0"}
    assert [step.certificate for step in made.steps] == [None, "CallManager#1"]
    assert made == read("x", text.replace("  nodes:", "  multi_san: [CallManager]\n  nodes:", 1))


SAME = [
    ("mixed: tokenless", "security_mode: mixed\n  ctl_kind: tokenless"),
    ("mixed: etoken", "ctl_kind: etoken"),
    ("mixed: null", "security_mode: non_secure\n  ctl_kind: none"),
    ("mixed: null", "security_mode: non-secure"),
    ("mixed: null", "backups: [{verified: true}]"),
    ("mixed: null\n  backups: []", "backups: [{verified: false}]"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_cluster_in_other_words(one, other):
    text = file_of("RESET", mixed="null")

    assert read("x", text.replace("mixed: null", one)) == read(
        "x", text.replace("mixed: null", other)
    )


ISSUERS = ["CAPF#0", "capf#0", "CAPF/P#0", "capf/p#0", "CAPF P#0"]


@pytest.mark.parametrize("name", ISSUERS)
def test_the_issuer_of_lscs_is_the_certificate_of_the_publisher(name):
    text = file_of("RESET").replace("mode: encrypted", f"mode: encrypted, lsc: '{name}'")

    assert read("x", text).groups[1].lsc == "CAPF#0"
