"""Our systemd units: sound, hardened, and their sockets named as the inputs are."""

import re
import shutil
import sys

import pytest
from deploy.units import FOLDER, read

from deploy import units
from watcher.settings.schema import Settings

SERVICES = sorted(path.name for path in FOLDER.glob("*.service"))
DROP_INS = sorted(FOLDER.glob("*.d/*.conf"))
LIMITS = {"watcher.service": 1.3, "watcher-receiver.service": 0.3, "watcher-worker.service": 1.0}
"""At most this much is exposed, of 10; 1.6 is the goal for any."""


@pytest.fixture
def installed(tmp_path):
    """Return a folder of units as an administrator has it, with our own program."""
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    for path in tmp_path.rglob("*.service"):
        path.write_text(path.read_text().replace("/opt/watcher/bin/watcher", sys.executable))
    return tmp_path


def verified(folder):
    """Return what systemd says against the units of a folder, not against those of this machine."""
    units.need("systemd-analyze")
    files = [*folder.glob("*.service"), *folder.glob("*.socket")]
    told = units.ask("env", f"SYSTEMD_UNIT_PATH={folder}:", units.ANALYZE, "verify", *files).stdout
    lines = told.splitlines(keepends=True)
    return "".join(line for line in lines if not re.match(r"(/usr)?/lib/systemd/", line))


def exposure(service):
    units.need("systemd-analyze")
    told = units.ask(units.ANALYZE, "security", "--offline=true", "--threshold=16", service)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told.stdout)

    assert found, told.stdout
    assert told.returncode == 0, told.stdout
    return float(found[1])


def test_systemd_finds_no_fault(installed):
    assert verified(installed) == ""


@pytest.mark.parametrize("drop_in", DROP_INS, ids=lambda path: path.name)
def test_systemd_reads_each_drop_in(installed, drop_in):
    file = installed / drop_in.relative_to(FOLDER)
    file.write_text(file.read_text() + "\nNoSuchKey=1\n")

    assert drop_in.name in verified(installed)


@pytest.mark.parametrize("service", SERVICES)
def test_little_is_exposed(service):
    assert exposure(FOLDER / service) <= LIMITS[service]


def test_a_unit_with_less_around_it_is_found_out(tmp_path):
    text = (FOLDER / "watcher.service").read_text()
    weak = re.sub(r"(?m)^(Protect|Private|Restrict|SystemCall|Capability).*\n", "", text)
    (tmp_path / "watcher.service").write_text(weak)

    with pytest.raises(AssertionError, match=r"UNSAFE|EXPOSED|MEDIUM"):
        exposure(tmp_path / "watcher.service")


def test_no_unit_needs_a_credential():
    assert [unit.path.name for unit in units.units("*.service") if unit.all("LoadCredential")] == []
    assert read(FOLDER / "watcher.service.d" / "tls.conf").words("LoadCredential")


def test_each_socket_is_for_an_input_or_the_pages():
    named = {unit.one("FileDescriptorName") for unit in units.units("*.socket")}

    # An input's name is that of its kind unless somebody changes it.
    assert named <= {*type(Settings().inputs).model_fields, "web"}
    assert named == {"udp", "tcp", "tls", "smtp", "web"}


@pytest.mark.parametrize("service", SERVICES)
def test_all_rights_are_taken_from_all(service):
    unit = read(FOLDER / service)
    taken = {key for key, value in unit.lines if value in {"yes", "strict", "invisible", "pid"}}

    assert {key for key, _ in unit.lines} >= {"IPAddressDeny", "CapabilityBoundingSet"}
    assert taken >= {"NoNewPrivileges", "DynamicUser", "MemoryDenyWriteExecute", "ProtectSystem"}


def test_the_receiver_has_no_network_and_no_secret():
    receiver = read(FOLDER / "watcher-receiver.service")

    assert receiver.words("RestrictAddressFamilies") == ["AF_UNIX"]
    assert (receiver.one("PrivateNetwork"), receiver.all("IPAddressAllow")) == ("yes", [])
    assert "WATCHER_DATABASE__PASSWORD=null" in receiver.words("Environment")
