from pathlib import Path

import pytest

from watcher.rules.loader import load


@pytest.fixture(scope="session")
def base():
    return "base.yaml", (Path(__file__).parent / "base.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def catalogue(base):
    return load([base])
