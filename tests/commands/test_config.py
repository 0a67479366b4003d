"""`watcher config`: the same checks as start, and what is in force."""

import json
import subprocess
import sys

import pytest

from watcher.app.site import load_inventory
from watcher.inputs.secret import PasswordHash

SENT = ("tickets", "relay", "digest", "notifications")
GOOD = "version: 1\ninputs: {udp: {port: 514}}\nlog: {level: debug}\n"


def test_check_says_what_would_listen(run, site):
    status, out, err = run("config", "check", site.settings)

    assert (status, err) == (0, "")
    assert out.startswith(f"{site.settings}: good.\n")
    assert "udp     udp       127.0.0.1 port 5514" in out
    assert "inventory: 1 cluster, 2 nodes" in out


SENDING = """\
tickets:
  close: true
  rt: {url: 'https://rt.example.com', token: {environment: WORD}, queue: UC Changes,
    custom_field: Key, done: resolved, reopened: open}
  mail: {to: [a@example.com]}
relay: {host: mail.example.com, sender: watcher@example.com}
digest: {day: tue, time_zone: Europe/Vienna, quiet: false,
  lists: [{name: voice, to: [a@example.com, b@example.com], clusters: [CLUSTER]}]}
notifications: {lists: [{name: duty, chat: [{environment: WORD}], days: [7, 0]}]}
"""


def test_check_says_where_all_that_we_send_goes(run, site, monkeypatch):
    monkeypatch.setenv("WORD", "secret")
    cluster = load_inventory(str(site.folder / "inventory.yaml")).clusters[0].name
    text = site.settings.read_text(encoding="utf-8")
    site.write(text + SENDING.replace("CLUSTER", cluster))
    status, out, err = run("config", "check", "watcher.yaml")

    assert (status, err) == (0, "")
    assert "\n".join(line for line in out.splitlines() if line.startswith(SENT)) == (
        f"tickets: folders in {site.folder}/state/tickets; rt https://rt.example.com (queue UC "
        "Changes); mail to 1 recipient; closed once evidence resolved all cases\n"
        "relay: mail.example.com port 25, starttls, from watcher@example.com\n"
        "digest voice: tue 07:00 Europe/Vienna, 2 recipients, "
        f"clusters: {cluster}, not when all is quiet\n"
        "notifications duty: 1 chat, all clusters, days left 7, 0"
    )
    assert "secret" not in out


def test_check_says_what_is_not_sent(run, site):
    site.write("tickets: {directory: false}\n")
    _, out, _ = run("config", "check", "watcher.yaml")

    assert [line for line in out.splitlines() if line.startswith(SENT)] == [
        "tickets: none are made",
        "relay: none, no mail leaves us",
        "digest: sent to nobody, there is no list",
        "notifications: sent to nobody, there is no list",
    ]
    assert "state: " in out


@pytest.mark.usefixtures("site")
def test_check_finds_the_usual_file(run):
    assert run("config", "check")[1].startswith("watcher.yaml: good.\n")


def test_check_without_a_file_takes_the_defaults(run, site):
    site.settings.unlink()

    assert run("config", "check")[1].startswith("Defaults (no settings file): good.\n")


def test_the_variable_names_the_file(run, site, monkeypatch):
    (site.folder / "other.yaml").write_text("instance: Bad", encoding="utf-8")
    monkeypatch.setenv("WATCHER_SETTINGS", "other.yaml")

    assert run("config", "check")[2].startswith("watcher: error: other.yaml:1:1: instance:")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("versoin: 1", "watcher.yaml:1:1: versoin: unknown key (expected version)"),
        ("inventory: none.yaml", "none.yaml: no such file or directory"),
        ("rules: [none.yaml]", "none.yaml: no such file or directory"),
        ("inputs: {files: {folder: gone}}", "inputs.files.folder: "),
        ("state_dir: watcher.yaml", "watcher.yaml is no folder (expected a folder)"),
        ("state_dir: watcher.yaml/deep", "watcher.yaml is no folder (expected a folder)"),
        ("state_dir: /proc/foo", "watcher.yaml:1:1: state_dir: /proc/foo: "),
        ("plans: {folder: /proc/foo/plans}", "plans.folder: /proc/foo/plans: "),
    ],
)
def test_check_tells_one_line_and_ends_with_2(run, site, text, words):
    site.write(text)
    status, out, err = run("config", "check", "watcher.yaml")

    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words in err


@pytest.mark.parametrize("folder", ["state", "new/deep"])
def test_check_leaves_nothing_behind(run, site, folder):
    site.write(f"state_dir: {folder}\nplans: {{folder: elsewhere/plans}}\n")
    before = sorted(site.folder.rglob("*"))
    status = run("config", "check", "watcher.yaml")[0]

    assert status == 0
    assert sorted(site.folder.rglob("*")) == before


def test_check_reads_inventory_and_packs_as_start_does(run, site):
    (site.folder / "inventory.yaml").write_text("version: 3", encoding="utf-8")
    status, _, err = run("config", "check")

    assert status == 2
    assert "inventory.yaml:1:1: version:" in err


def test_check_opens_no_port(site):
    script = "import socket, sys; socket.socket.bind = lambda *_: sys.exit(9); "
    script += "from watcher.cli.main import main; sys.argv = ['watcher', 'config', 'check']; main()"
    done = subprocess.run([sys.executable, "-c", script], cwd=site.folder, check=False)  # noqa: S603

    assert done.returncode == 0


def test_show_says_who_said_so(run, site, monkeypatch):
    site.write(GOOD)
    monkeypatch.setenv("WATCHER_LOG__FORMAT", "json")
    _, out, _ = run("config", "show", "watcher.yaml", "--changed", "--json")
    shown = {one["key"]: (one["value"], one["origin"], one["where"]) for one in json.loads(out)}

    assert shown == {
        "version": ("1", "file", "watcher.yaml:1:1"),
        "inputs.udp.port": ("514", "file", "watcher.yaml:2:16"),
        "log.level": ("debug", "file", "watcher.yaml:3:7"),
        "log.format": ("json", "environment", "WATCHER_LOG__FORMAT"),
    }


def test_show_never_shows_a_secret(run, site, monkeypatch):
    monkeypatch.setenv("CANARY", "hunter2")
    site.write("heartbeat: {url_from: {environment: CANARY}}")
    _, out, _ = run("config", "show")

    assert "{environment: CANARY}" in out
    assert "hunter2" not in out


@pytest.mark.usefixtures("site")
def test_schema_is_the_published_one(run):
    status, out, _ = run("config", "schema")

    assert status == 0
    assert json.loads(out)["title"] == "watcher settings"


@pytest.mark.usefixtures("site")
def test_password_prints_a_hash_that_fits(run):
    _, out, _ = run("config", "password", given=b"hunter2\n")
    made = PasswordHash.parse(out.strip())

    assert (made.matches("hunter2"), made.matches("hunter3")) == (True, False)
    assert run("config", "password", given=b"hunter2\n")[1] != out


@pytest.mark.usefixtures("site")
def test_password_wants_one(run):
    assert run("config", "password", given=b"\n")[0] == 2
