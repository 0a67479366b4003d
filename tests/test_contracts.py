"""The import contracts are kept, and each of them breaks when it should: faults are planted."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINT = Path(sys.executable).with_name("lint-imports")
DIRECTION = "One direction, top to bottom"
PURE = "The core does no I/O and reads no clock"
SHELLS = "Shells carry, the core decides"
FAMILY = "Members of a family do not know each other"


@pytest.fixture
def copy(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "watcher", tmp_path / "watcher", ignore=ignore)
    return tmp_path


def broken_contracts(folder):
    told = subprocess.run(  # noqa: S603 -- our own tool on our own copy
        [LINT, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )
    lines = told.stdout.splitlines()

    assert (told.returncode == 0) == any(line.endswith(" 0 broken.") for line in lines)
    return {line.removesuffix(" BROKEN") for line in lines if line.endswith(" BROKEN")}


def test_all_contracts_are_kept(copy):
    assert broken_contracts(copy) == set()


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("planner/order.py", "import socket", PURE),
        ("wire/grammar.py", "from pathlib import Path", PURE),
        ("safety/planted.py", "from time import time", PURE),
        ("rules/loader.py", "import watcher.pipeline", DIRECTION),
        ("planner/order.py", "import watcher.parsers.alarm", DIRECTION),
        ("utils.py", '"""A module that nobody declared."""', DIRECTION),
        ("parsers/certificate.py", "import watcher.parsers.alarm", FAMILY),
        ("inputs/udp.py", "import watcher.cases.merge", SHELLS),
        ("store/sql.py", "import watcher.planner.plan", SHELLS),
        ("intake.py", "import sqlalchemy", PURE),
        ("settings/schema.py", "import watcher.cases.merge", DIRECTION),
    ],
)
def test_a_planted_fault_breaks_its_contract(copy, module, line, contract):
    with (copy / "watcher" / module).open("a", encoding="utf-8") as text:
        text.write(f"\n{line}\n")

    assert broken_contracts(copy) == {contract}
