"""Wheel, wheel out of the sdist and editable install: each finds the rules and templates.

Nothing is fetched: the build runs in this environment, and the fresh ones borrow its packages.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PARTS = (
    "watcher", "rules", "templates", "tests", "deploy", "docs", "pyproject.toml", "README.md",
    "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "requirements.lock", ".gitignore",
    ".ci",
)  # fmt: skip
LEFTOVERS = shutil.ignore_patterns("__pycache__", ".hypothesis")


def run(*command, cwd, **environment):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON"))}
    told = subprocess.run(  # noqa: S603 -- the interpreter and what we have just installed
        command, cwd=cwd, env=clean | environment, capture_output=True, text=True, check=False
    )

    assert told.returncode == 0, told.stderr or told.stdout
    return told.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=LEFTOVERS)
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def built(source, tmp_path_factory):
    """Build as a publisher does: the sdist, a wheel from the checkout, a wheel from the sdist."""
    folder = tmp_path_factory.mktemp("built")
    build = [sys.executable, "-m", "build", "--no-isolation"]
    run(*build, "--outdir", folder / "sdist-wheel", source, cwd=folder)
    run(*build, "--wheel", "--outdir", folder / "wheel", source, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def blank(tmp_path_factory):
    """Make an environment that knows our locked packages but not watcher."""
    folder = tmp_path_factory.mktemp("blank") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=ROOT)
    site = next((folder / "lib").glob("python*")) / "site-packages"
    # Only a plain path line is safe: it does not execute the .pth of our own editable install.
    (site / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder


def install(blank, folder, *what):
    """Install into a copy of `blank`, without looking at the network or at dependencies."""
    target = folder / "venv"
    shutil.copytree(blank, target, symlinks=True)
    python = target / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index"]
    run(*pip, "--no-deps", "--no-build-isolation", "--ignore-installed", *what, cwd=folder)
    return python


def only(folder, pattern):
    (found,) = folder.glob(pattern)
    return found


@pytest.fixture(params=["wheel", "sdist-wheel", "editable"])
def installed(request, blank, source, built, tmp_path):
    if request.param == "editable":
        return install(blank, tmp_path, "--editable", source)
    return install(blank, tmp_path, only(built / request.param, "*.whl"))


def test_an_install_plans_outside_the_checkout(installed, tmp_path):
    shutil.copy(ROOT / "deploy" / "examples" / "alarm-technote.txt", tmp_path / "alarm.txt")
    where = run(installed, "-c", "import watcher; print(watcher.__file__)", cwd=tmp_path)
    plan = run(installed, "-m", "watcher", "plan", "alarm.txt", cwd=tmp_path)

    assert not where.startswith(str(ROOT))
    assert plan.startswith("# Change plan")
    assert "CUCM01" in plan


def test_the_wheel_carries_rules_and_templates_but_no_tests(built):
    names = zipfile.ZipFile(only(built / "wheel", "*.whl")).namelist()
    packs = {name for name in names if name.startswith("watcher/_builtin/rules/")}

    assert {Path(name).name for name in packs} >= {p.name for p in (ROOT / "rules").glob("*.yaml")}
    assert any(name.startswith("watcher/_builtin/templates/") for name in names)
    assert {name.split("/")[0] for name in names if "dist-info" not in name} == {"watcher"}
    assert not [name for name in names if Path(name).name.startswith(("test_", "conftest"))]
    assert not [name for name in names if "tests" in Path(name).parts]


def test_the_public_index_refuses_what_is_built(built):
    """`watcher` is another program there; an upload by mistake must fail."""
    wheel = zipfile.ZipFile(only(built / "wheel", "*.whl"))
    (metadata,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))

    assert "\nClassifier: Private :: Do Not Upload\n" in wheel.read(metadata).decode()


def test_both_wheels_hold_the_same_files(built):
    wheels = [zipfile.ZipFile(only(built / kind, "*.whl")) for kind in ("wheel", "sdist-wheel")]

    assert {n.filename: n.CRC for n in wheels[0].filelist} == {
        n.filename: n.CRC for n in wheels[1].filelist
    }


def test_the_lock_names_hashes_and_no_host():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")

    assert "--hash=sha256:" in lock
    assert "://" not in lock
