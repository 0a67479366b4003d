"""Containerfile, manifest and installer: they fit each other, and what they install runs alone."""

import os
import re
import shutil
import signal
import subprocess
from dataclasses import replace

import pytest
from deploy.running import PATIENCE, Body, body, place, until
from ruamel.yaml import YAML

from deploy import units
from watcher.app.site import load_inventory
from watcher.settings.loader import load

CONTAINERFILE = units.ROOT / "deploy" / "container" / "Containerfile"
MANIFEST = units.ROOT / "deploy" / "kubernetes" / "watcher.yaml"
PAGES = {"/healthz", "/readyz", "/metrics"}


def steps(word):
    """Return what the steps of a kind say, in their order."""
    text = CONTAINERFILE.read_text().replace("\\\n", " ")
    return [line.split(maxsplit=1)[1] for line in text.splitlines() if line.startswith(f"{word} ")]


def parts(kind):
    return [p for p in YAML(typ="safe").load_all(MANIFEST.read_text()) if p["kind"] == kind]


@pytest.fixture
def pod():
    return parts("StatefulSet")[0]["spec"]["template"]["spec"]


@pytest.fixture
def settings():
    return load("x", parts("ConfigMap")[0]["data"]["watcher.yaml"], {})


def test_what_the_image_copies_is_there():
    copied = [line.split()[:-1] for line in steps("COPY") if not line.startswith("--from")]

    assert [name for names in copied for name in names if not (units.ROOT / name).exists()] == []


def test_all_that_the_wheel_is_made_of_is_copied():
    project = (units.ROOT / "pyproject.toml").read_text()
    forced = re.findall(r'^(\w+) = "watcher/_builtin', project, re.MULTILINE)
    copied = {name for line in steps("COPY") for name in line.split()[:-1]}

    assert copied >= {"watcher", "pyproject.toml", "requirements.lock", "README.md", *forced}


def test_image_and_pod_are_the_same_nobody(pod):
    (user,) = steps("USER")
    security = pod["securityContext"]

    assert user == f"{security['runAsUser']}:{security['runAsGroup']}"
    assert int(user.partition(":")[0]) > 0
    assert security["runAsNonRoot"] is True


def test_only_the_state_can_be_written(pod, settings):
    (container,) = pod["containers"]
    mounted = {one["mountPath"]: one.get("readOnly", False) for one in container["volumeMounts"]}
    security = container["securityContext"]

    assert mounted == {settings.state_dir: False, "/etc/watcher": True, "/tmp": False}  # noqa: S108
    assert steps("VOLUME") == [f'["{settings.state_dir}"]']
    assert security["readOnlyRootFilesystem"] is True
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["allowPrivilegeEscalation"] is False


def test_ports_are_those_of_the_settings(pod, settings):
    (container,) = pod["containers"]
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    (udp,), (tcp,), (smtp,) = settings.inputs.udp, settings.inputs.tcp, settings.inputs.smtp
    told = {"syslog-udp": udp.port, "syslog-tcp": tcp.port, "smtp": smtp.port}
    exposed = {int(word.partition("/")[0]) for word in steps("EXPOSE")[0].split()}

    assert ports == {**told, "web": settings.web.port}
    assert exposed == {*ports.values(), 6514}
    for service in parts("Service"):
        assert {one["targetPort"] for one in service["spec"]["ports"]} <= ports.keys()


def test_probes_ask_for_a_page_that_there_is(pod):
    (container,) = pod["containers"]
    probes = [container[name]["httpGet"] for name in ("livenessProbe", "readinessProbe")]

    assert {probe["path"] for probe in probes} <= PAGES
    assert {probe["port"] for probe in probes} == {"web"}


def test_the_manifest_has_an_inventory_and_no_secret(tmp_path):
    inventory = tmp_path / "inventory.yaml"
    inventory.write_text(parts("ConfigMap")[0]["data"]["inventory.yaml"])

    assert load_inventory(str(inventory)).clusters
    assert parts("Secret") == []
    assert not re.search(r"(?i)\b(password|token):|private key", MANIFEST.read_text())


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Install from a copy of the checkout, as the image and an administrator do."""
    if not (os.environ.get("REAL_PARTS") == "all" or os.environ.get("REQUIRE_REAL")):
        pytest.skip("fetches packages: REAL_PARTS=all")
    source = tmp_path_factory.mktemp("source")
    for name in ("watcher", "rules", "templates", "pyproject.toml", "requirements.lock",
                 "README.md", "LICENSE", "deploy/install.sh"):  # fmt: skip
        target = source / name
        target.parent.mkdir(exist_ok=True)
        copy = shutil.copytree if (units.ROOT / name).is_dir() else shutil.copy
        copy(units.ROOT / name, target)
    with place() as made:
        folder = made.folder / "opt"
        told = subprocess.run(  # noqa: S603 -- our own installer
            ["/bin/sh", str(source / "deploy" / "install.sh"), str(folder)],
            env=os.environ | {"PYTHON": body().python}, capture_output=True, text=True, check=False,
        )  # fmt: skip

        assert told.returncode == 0, told.stderr
        shutil.rmtree(source)
        yield folder


def test_what_is_installed_runs_alone(installed):
    unit = units.read(units.FOLDER / "watcher.service")
    units.need("systemd-analyze", "systemd-socket-activate")
    with place() as site:
        site.who = replace(Body(uid=body().uid), python=str(installed / "bin" / "python"))
        running = site.start(unit)
        site.send(range(8))
        until(lambda: site.hear() and site.worker() and site.worker().plans_drawn, "a plan")
        running.send_signal(signal.SIGTERM)

        assert running.wait(PATIENCE) == 0
        assert "Traceback" not in site.log


def test_what_is_installed_has_no_tools_of_the_tests(installed):
    (packages,) = installed.glob("lib/python*/site-packages")
    found = {path.name.partition("-")[0] for path in packages.glob("*.dist-info")}

    assert {"watcher", "psycopg"} <= found
    assert found.isdisjoint({"pytest", "mypy", "ruff", "hypothesis", "pip", "hatchling"})
