"""What a look at one thing found, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """It works, though not as it should; or it cannot be told."""
    FAIL = "fail"
    """Alarms are lost, or will be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the doctor's table; `todo` is empty where nothing is to be done."""

    what: str
    verdict: Verdict
    found: str
    todo: str = ""


def ok(what: str, found: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(what=what, verdict=Verdict.OK, found=found)


def warn(what: str, found: str, todo: str) -> Finding:
    """Return a finding that something should be better."""
    return Finding(what=what, verdict=Verdict.WARN, found=found, todo=todo)


def fail(what: str, found: str, todo: str) -> Finding:
    """Return a finding that something must be done."""
    return Finding(what=what, verdict=Verdict.FAIL, found=found, todo=todo)
