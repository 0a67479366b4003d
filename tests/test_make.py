"""`make` on machines that lack something, and `.ci/run` around it."""

import os
import shutil
import subprocess
from pathlib import Path

import parallel
import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")

OLD = """#!/bin/sh
case "$1" in --version) echo "Python 3.9.2";; *) exit 1;; esac
"""
NO_VENV = """#!/bin/sh
case "$2" in *venv*) exit 1;; esac
"""
NO_NETWORK = """#!/bin/sh
case "$1 $2" in "-m venv") mkdir -p .venv/bin; printf '#!/bin/sh\\nexit 1\\n' > .venv/bin/python
chmod +x .venv/bin/python;; esac
"""
CHECKS = """\
dev:
prove:
test:
\t@echo "7 passed, 1 skipped in 0.31s"
check:
\t@{check}
"""


@pytest.fixture
def checkout(tmp_path):
    for name in ("Makefile", "pyproject.toml", "requirements.lock", ".ci/run"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    parts = tmp_path / "tests" / "real" / "fetch_parts.sh"
    parts.parent.mkdir(parents=True)
    parts.write_text("echo parts", encoding="utf-8")  # the real one asks the network
    return tmp_path


def run(folder, *command):
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    return subprocess.run(  # noqa: S603 -- our own scripts in our own copy
        command, cwd=folder, env=clean, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def make_with(folder, script):
    python = folder / "python"
    python.write_text(script, encoding="utf-8")
    python.chmod(0o755)
    return run(folder, "make", f"PYTHON={python}", "run")


@pytest.mark.parametrize(
    ("script", "told"),
    [(OLD, "Python 3.9.2 is too old: "), (NO_VENV, "cannot make virtual environments: ")],
)
def test_what_must_be_installed_is_told(checkout, script, told):
    made = make_with(checkout, script)

    assert made.returncode == 2
    assert told in made.stderr
    assert "sudo apt-get install python3 python3-venv" in made.stderr
    assert not (checkout / ".venv").exists()


def test_a_missing_python_is_told(checkout):
    made = run(checkout, "make", "PYTHON=no-such-python", "run")

    assert "no-such-python is missing: watcher needs Python 3.11" in made.stderr


def test_a_failed_install_is_tried_again(checkout):
    first, second = make_with(checkout, NO_NETWORK), make_with(checkout, NO_NETWORK)

    assert (first.returncode, second.returncode) == (2, 2)
    assert "pip install" in second.stdout
    assert not (checkout / ".venv" / ".installed").exists()


def test_the_runner_ends_with_the_line_of_the_tests(checkout):
    (checkout / "Makefile").write_text(CHECKS.format(check="true"), encoding="utf-8")
    ran = run(checkout, ".ci/run")

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[-1] == "7 passed, 1 skipped in 0.31s"


@pytest.mark.parametrize("target", ["test", "check", "prove"])
def test_the_runner_fails_with_each_of_its_parts(checkout, target):
    text = CHECKS.format(check="true") + f"{target}: broken\nbroken:\n\t@false\n"
    (checkout / "Makefile").write_text(text, encoding="utf-8")

    assert run(checkout, ".ci/run").returncode in {1, 2}


def test_the_longest_tests_are_there_to_begin_with():
    assert [name for name in parallel.LONGEST if not (parallel.TESTS / name).exists()] == []
    assert 2 <= parallel.workers() <= parallel.MOST
