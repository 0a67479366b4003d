from pathlib import Path

import pytest

from watcher.transcripts.split import split

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture(scope="session")
def sample():
    return lambda name: (SAMPLES / f"{name}.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def block(sample):
    """Return the only block of a sample, or of a text with more than one line."""

    def only(text):
        (found,) = split(text if "\n" in text else sample(text))
        return found

    return only
