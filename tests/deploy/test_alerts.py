"""Default alert rules: each name is one that we show, each sign of trouble has a rule."""

import re

import pytest
from real import parts
from ruamel.yaml import YAML

from deploy import units
from watcher.metrics import table

FOLDER = units.ROOT / "deploy" / "prometheus"
SHOWN = {metric.name: metric for metric in table()}
SIGNALS = (
    "ledger_difference", "journal_oldest_unread_seconds", "quarantine_messages",
    "kernel_drops_total", "receive_buffer_bytes", "loop_lag_p99_seconds", "lease_held",
    "lease_epoch", "self_test_failed", "self_test_age_seconds", "source_state", "config_differs",
    "clock_steps_total", "certificate_days", "free_bytes", "up", "database_up", "input_open",
    "journal_writable", "worker_restarts_total", "plans_refused_total", "log_drops_total",
    "outbox_errands", "outbox_oldest_seconds", "letters", "letters_oldest_seconds",
    "parts_failing", "damaged_rows",
)  # fmt: skip
"""What an operator must be told of."""


def rules():
    told = YAML(typ="safe").load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))
    return [rule for group in told["groups"] for rule in group["rules"]]


def used(rule):
    return re.findall(r"watcher_\w+", rule["expr"])


def by_name(rule):
    return rule["alert"]


def test_each_sign_has_a_rule():
    watched = {name for rule in rules() for name in used(rule)}

    assert watched >= {f"watcher_{name}" for name in SIGNALS}


@pytest.mark.parametrize("rule", rules(), ids=by_name)
def test_a_rule_is_about_what_we_show(rule):
    shown = [SHOWN[name] for name in used(rule)]
    labels = {label for metric in shown for label in metric.labels}
    shows = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
    counters = {f"watcher_{m.name}" for m in shown if m.counts}

    assert shows <= labels
    assert bool(counters) == ("increase(" in rule["expr"])


@pytest.mark.parametrize("rule", rules(), ids=by_name)
def test_a_rule_says_what_happened_and_what_to_do(rule):
    assert rule["alert"].startswith("Watcher")
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert all(rule["annotations"][key].endswith(".") for key in ("summary", "todo"))


def test_no_two_rules_have_one_name():
    names = [rule["alert"] for rule in rules()]

    assert sorted(set(names)) == sorted(names)


def test_prometheus_finds_no_fault():
    promtool = parts.need(parts.promtool(), "promtool")
    told = promtool.run(["check", "rules", FOLDER / "alerts.yaml"])

    assert f"SUCCESS: {len(rules())} rules found".encode() in told


def test_the_rules_ring_when_they_should():
    promtool = parts.need(parts.promtool(), "promtool")

    assert b"SUCCESS" in promtool.run(["test", "rules", FOLDER / "alerts-test.yaml"])
