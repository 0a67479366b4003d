"""`watcher doctor`: each thing that is wrong is found, with what to do; and the advice for CUCM."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import builders
import pytest
import trustme
from commands.conftest import INVENTORY
from ports import free_port

from watcher.app.clock import SystemClock
from watcher.app.status import write_status
from watcher.model.message import Way
from watcher.model.status import InputStatus, ReceiverStatus, SourceStatus, WorkerStatus

FREE = "inputs: {udp: {port: 0}, tcp: {port: 0}, smtp: {port: 0}}\nweb: {port: 0}\n"
BASE = f"version: 1\nstate_dir: state\ninventory: inventory.yaml\n{FREE}"


def examined(run, *words):
    status, out, err = run("doctor", "--json", *words)

    assert err == ""
    return status, {one["what"]: one for one in json.loads(out)}


def running(site, *, age=timedelta(0), receiver=None, worker=None):
    now = SystemClock().now() - age
    common = {"written_at": now, "started_at": now, "pid": 7, "version": "0"}
    write_status(site.folder / "state", ReceiverStatus(**common, **(receiver or {})))
    write_status(site.folder / "state", WorkerStatus(**common, **(worker or {})))


@pytest.fixture
def healthy(site):
    site.write(BASE)
    known = INVENTORY.replace("{name: sub}", "{name: sub, addresses: [127.0.0.2]}")
    (site.folder / "inventory.yaml").write_text(known)
    site.take_in(builders.message())
    return site


@pytest.mark.usefixtures("healthy")
def test_a_healthy_site_fails_nothing(run):
    status, found = examined(run)

    assert status == 0
    assert {one["verdict"] for one in found.values()} <= {"ok", "warn"}
    looked = {"settings", "port of udp", "receive buffer of udp", "state", "disk", "clock"}
    assert looked <= set(found)
    assert "cases: 1" in found["database"]["found"]


def test_with_broken_settings_the_state_is_looked_at_nevertheless(run, healthy):
    running(healthy, worker={"self_test_problem": "udp: not seen"})
    healthy.write("versoin: 1\nstate_dir: state\n")
    status, found = examined(run)

    assert status == 1
    assert "unknown key (expected version)" in found["settings"]["found"]
    assert "pid 7" in found["receiver"]["found"]
    assert "cases: 1" in found["database"]["found"]
    assert found["self-test"]["verdict"] == "fail"
    assert "port of udp" not in found


@pytest.mark.usefixtures("healthy")
def test_that_no_mail_is_sent_is_said(run):
    row = examined(run)[1]["mail relay"]

    assert row["verdict"] == "warn"
    assert "nobody gets a digest or a notice" in row["found"]


def greet(server):
    with server.accept()[0] as connection:
        connection.sendall(b"220 relay")
        connection.recv(4096)  # else what lies there unread resets the connection


@pytest.fixture
def listening():
    """Return a port behind which somebody greets the first who comes."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        server.settimeout(10)
        pool.submit(greet, server)
        yield server.getsockname()[1]


def relayed(port):
    relay = f"relay: {{host: 127.0.0.1, port: {port}, security: none, sender: w@ours.example}}\n"
    return f"{BASE}{relay}digest: {{lists: [{{name: team, to: [a@ours.example]}}]}}\n"


def test_a_relay_that_answers_is_well(run, healthy, listening):
    healthy.write(relayed(listening))
    row = examined(run)[1]["mail relay"]

    assert (row["verdict"], row["found"]) == ("ok", f"127.0.0.1 port {listening} answers")


def test_a_relay_that_does_not_answer_is_found(run, healthy):
    healthy.write(relayed(free_port()))
    status, found = examined(run)

    assert (status, found["mail relay"]["verdict"]) == (1, "fail")


def webhook(url, more=""):
    return f"{BASE}tickets: {{webhook: {{url: '{url}', secret: {{file: word}}{more}}}}}\n"


@pytest.fixture
def secretive(healthy):
    (healthy.folder / "word").write_text("x" * 40)
    (healthy.folder / "word").chmod(0o600)
    return healthy


def test_a_ticket_system_that_answers_is_well(run, secretive, listening):
    secretive.write(webhook(f"http://127.0.0.1:{listening}/hook"))

    assert "ok" == examined(run)[1]["ticket system webhook"]["verdict"]


def test_of_a_ticket_system_behind_a_proxy_the_proxy_is_asked(run, secretive, listening):
    secretive.write(webhook("https://tickets.example/", f", proxy: 'http://127.0.0.1:{listening}'"))
    found = examined(run)[1]["ticket system webhook (the proxy of webhook)"]

    assert found["found"] == f"127.0.0.1 port {listening} answers"


def test_a_ticket_system_without_tls_where_it_should_be_is_found(run, secretive, listening):
    secretive.write(webhook(f"https://127.0.0.1:{listening}/hook"))
    row = examined(run)[1]["ticket system webhook"]

    assert row["verdict"] == "fail"
    assert "tickets.webhook.ca" in row["todo"]


@pytest.mark.parametrize(
    ("kind", "text"),
    [(socket.SOCK_DGRAM, "udp"), (socket.SOCK_STREAM, "tcp"), (socket.SOCK_STREAM, "smtp")],
)
def test_a_port_that_another_has_is_found(run, healthy, kind, text):
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        healthy.write(BASE.replace(f"{text}: {{port: 0}}", f"{text}: {{port: {port}}}"))
        status, found = examined(run)

    assert (status, found[f"port of {text}"]["verdict"]) == (1, "fail")
    assert "ss -lnup" in found[f"port of {text}"]["todo"]


def test_an_address_of_another_machine_is_found(run, healthy):
    healthy.write(BASE.replace("udp: {port: 0}", "udp: {port: 0, address: 192.0.2.1}"))
    status, found = examined(run)

    assert (status, found["port of udp"]["verdict"]) == (1, "fail")


def test_ports_of_the_running_daemon_are_ours(run, healthy):
    udp = InputStatus(name="udp", way=Way.UDP, where="127.0.0.1:5514", open=True,
                      receive_buffer=8 << 20, kernel_drops=0)  # fmt: skip
    running(healthy, receiver={"inputs": (udp,)})
    _, found = examined(run)

    assert found["port of udp"]["found"] == "127.0.0.1:5514, ours (pid 7)"
    assert found["receive buffer of udp"]["found"] == "8MiB of 8MiB granted"
    assert found["port of tcp"]["verdict"] == "warn"


def test_a_small_buffer_names_the_sysctl(run, healthy):
    udp = InputStatus(name="udp", way=Way.UDP, where="", open=True, receive_buffer=208 << 10,
                      kernel_drops=3)  # fmt: skip
    running(healthy, receiver={"inputs": (udp,)})
    _, found = examined(run)

    assert found["receive buffer of udp"]["verdict"] == "warn"
    assert "net.core.rmem_max = 8388608" in found["receive buffer of udp"]["todo"]
    assert "dropped 3 datagrams" in found["drops of udp"]["found"]


def test_a_damaged_database_is_found(run, healthy):
    file = healthy.folder / "state" / "watcher.db"
    file.write_bytes(b"not a database" * 1000)
    status, found = examined(run)

    assert (status, found["database"]["verdict"]) == (1, "fail")


def test_a_state_folder_that_others_read_is_found(run, healthy):
    (healthy.folder / "state").chmod(0o755)
    _, found = examined(run)

    assert found["state"]["todo"] == f"chmod 700 {healthy.folder}/state"


def test_status_files_from_the_future_make_the_clock_a_suspect(run, healthy):
    running(healthy, age=-timedelta(days=2))
    status, found = examined(run)

    assert (status, found["clock"]["verdict"]) == (1, "fail")


@pytest.mark.parametrize(("days", "verdict"), [(90, "ok"), (29, "warn"), (6, "fail"), (-1, "fail")])
def test_the_end_of_our_own_certificate_is_found(run, healthy, days, verdict):
    end = SystemClock().now() + timedelta(days=days, hours=1)
    begin = end - timedelta(days=400)
    made = trustme.CA().issue_cert("watcher", not_before=begin, not_after=end)
    made.cert_chain_pems[0].write_to_path(healthy.folder / "mail.pem")
    made.private_key_pem.write_to_path(healthy.folder / "mail.key")
    (healthy.folder / "mail.key").chmod(0o600)
    healthy.write(f"{BASE}smtp: {{certificate: mail.pem, key: mail.key}}\n")
    status, found = examined(run)

    assert found["certificate of smtp"]["verdict"] == verdict
    assert status == (1 if verdict == "fail" else 0)


def test_a_mailbox_that_does_not_answer_is_found(run, healthy):
    port = free_port()
    (healthy.folder / "word").write_text("x")
    (healthy.folder / "word").chmod(0o600)
    imap = f"imap: {{host: 127.0.0.1, port: {port}, user: a, password: {{file: word}}}}"
    healthy.write(BASE.replace("inputs: {", f"inputs: {{{imap}, "))
    status, found = examined(run)

    assert (status, found["mailbox of imap"]["verdict"]) == (1, "fail")


def test_gaps_of_the_inventory_are_found(run, site):
    site.write(BASE)
    gaps = INVENTORY.replace("    time_zone: Europe/Vienna\n", "") + "  - {name: linz}\n"
    (site.folder / "inventory.yaml").write_text(gaps)
    _, found = examined(run)

    assert found["addresses"]["found"] == "unknown for sub"
    assert found["nodes"]["found"] == "none in linz"
    assert found["time zone"]["found"] == "unknown for graz, linz"


def test_silent_and_unheard_sources_are_told_apart(run, healthy):
    now = SystemClock().now()
    sources = tuple(
        SourceStatus(source=name, node=name, last=now, state=state)
        for name, state in (("a", "silent"), ("b", "unknown"), ("c", "healthy"))
    )
    running(healthy, worker={"sources": sources})
    status, found = examined(run)

    assert status == 1
    assert (found["silent"]["verdict"], found["silent"]["found"][:2]) == ("fail", "a:")
    assert (found["never heard"]["verdict"], found["never heard"]["found"]) == ("warn", "b")
    assert all("--advice" in found[what]["todo"] for what in ("silent", "never heard"))
    assert found["heard"]["found"] == "sources: 1"


def test_a_backlog_and_a_failed_self_test_are_found(run, healthy):
    old = SystemClock().now() - timedelta(hours=1)
    running(healthy, worker={"oldest_unread_at": old, "self_test_problem": "udp: not seen"})
    status, found = examined(run)

    assert status == 1
    assert (found["backlog"]["verdict"], found["self-test"]["verdict"]) == ("fail", "fail")


def test_changed_settings_want_a_reload(run, healthy):
    running(healthy, receiver={"settings_digest": "another"})

    assert "SIGHUP" in examined(run)[1]["settings in force"]["todo"]


@pytest.mark.usefixtures("healthy")
def test_brief_leaves_out_what_is_well(run):
    _, out, _ = run("doctor", "--brief")

    assert [line for line in out.splitlines() if line.startswith("ok")] == []
    assert "Enterprise Parameters" not in out


@pytest.mark.usefixtures("healthy")
def test_the_advice_is_asked_for_and_stands_alone(run):
    table, text = run("doctor")[1], run("doctor", "--advice")[1]

    assert "Enterprise Parameters" not in table
    assert table.endswith("alarms come: watcher doctor --advice\n")
    assert text.startswith("So that alarms come at all\n")


@pytest.mark.usefixtures("healthy")
@pytest.mark.parametrize("other", ["--json", "--brief"])
def test_the_advice_has_no_other_form(run, other):
    status, out, err = run("doctor", "--advice", other)

    assert (status, out) == (2, "")
    assert "--advice is a text of its own" in err


def test_with_broken_settings_there_is_no_advice(run, healthy):
    healthy.write("versoin: 1\n")

    assert run("doctor", "--advice")[:2] == (2, "")


def test_the_advice_names_pages_fields_and_our_addresses(run, healthy):
    healthy.write(BASE.replace("udp: {port: 0}", "udp: {port: 0, address: 0.0.0.0}").replace(
        "web: {", "smtp: {recipients: [alerts@example.com]}\nweb: {"))  # fmt: skip
    _, out, _ = run("doctor", "--advice")

    for words in (
        "Enterprise Parameters > Cisco Syslog Agent",
        "Syslog Severity For Remote Syslog Messages  Informational",
        "Cisco Unified Serviceability > Alarm > Configuration",
        "Cisco Unified OS Administration > Security > Certificate Monitor",
        "Config Email Server",
        "alerts@example.com",
        "UDP 0.0.0.0 port 0",
        "Remote Syslog Server Name 1 (up to 5)     127.0.0.1",
    ):
        assert words in out


@pytest.mark.usefixtures("healthy")
def test_the_advice_tells_which_levels_stay_on_the_node(run):
    lines = run("doctor", "--advice")[1].splitlines()
    levels = [line.split(maxsplit=1) for line in lines if line.endswith(("Approaching", "7days"))]

    assert [(level, text.split("  ")[0]) for level, text in levels] == [
        ("6", "only with Informational"),
        ("2", "leaves the node by default"),
    ]
