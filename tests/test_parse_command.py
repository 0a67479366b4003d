"""`watcher parse` from the outside."""

import gzip
import json
from pathlib import Path

from typer.testing import CliRunner

from watcher.cli.main import build
from watcher.errors import InputError

FOLDER = Path(__file__).parent / "corpus"


def run(*arguments, stdin=None):
    return CliRunner().invoke(build([]), ["parse", *arguments], input=stdin)


def test_a_certificate_alarm_is_one_json_line():
    result = run(str(FOLDER / "alert-plain.eml"))
    first, second = (json.loads(line) for line in result.stdout.splitlines())

    assert result.exit_code == 0
    assert first["kind"] == "certificate-alarm"
    assert first["expiry"]["date"] == "2024-04-02"
    assert second["state"] == "expired"
    assert second["owner"] == "sub1.lab.example"
    assert second["envelope"] == ["mail", "rtmt-mail", "ciscosyslog", "ciscolog"]


def test_counts_add_up_over_all_files():
    result = run(str(FOLDER / "quotations.log"), str(FOLDER / "alerts.mbox"))

    assert result.stderr == (
        "read 7: certificate alarms 2, other UC alarms 2, noise 3, unreadable 0\n"
    )


def test_a_pipe_is_read_and_hostile_text_stays_on_its_line():
    record = "Feb 10 23:21:05 n sshd[1]: \x1b[2J\u202e %UC_CERT-0-CertExpired: x\n"
    result = run("-", stdin=record.encode())
    printed = json.loads(result.stdout)

    assert printed["kind"] == "unreadable"
    assert result.stdout.isascii()
    assert "\\x1b[2J" in printed["raw"]


def test_a_packed_file_is_named_and_refused(tmp_path):
    packed = tmp_path / "syslog.gz"
    packed.write_bytes(gzip.compress(b"x"))
    result = run(str(packed))

    assert isinstance(result.exception, InputError)
    assert str(result.exception) == (f"{packed}: is packed (gzip) (expected text: unpack it first)")


def test_only_certificates_when_asked():
    result = run("--certificates-only", str(FOLDER / "quotations.log"))

    assert result.stdout == ""
    assert result.exit_code == 0
