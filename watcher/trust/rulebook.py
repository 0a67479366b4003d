"""Every invariant, precondition and goal: its words, its weight, and where it comes from.

The rules themselves are in `hard` (refusals), `notes` (before the first step, and what is only
shown), `goals` (the end) and `walk` (I-1: the resets themselves), one function each. Windows
(I-21), outages (I-24, I-25) and phones that are off (I-29) are lists of their own in a verdict.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """What breaking a rule means for phones, worst last (trust facts, 3)."""

    WINDOW = "WINDOW"
    DEGRADED = "DEGRADED"
    OUTAGE_TRANSIENT = "OUTAGE_TRANSIENT"
    LOCKED_SERVER = "LOCKED_SERVER"
    LOCKED_TOUCH = "LOCKED_TOUCH"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `hard` ones refuse a plan."""

    id: str
    title: str
    sources: tuple[str, ...]
    hard: bool = True


ACCEPTABLE = frozenset(("I-3", "P-4"))
"""What somebody may answer for in writing (D1; 3.3); everything else refuses whoever signs."""


def _rules(*rules: Rule) -> Mapping[str, Rule]:
    return {rule.id: rule for rule in rules}


RULES: Mapping[str, Rule] = _rules(
    Rule("I-1", "Every phone takes the files of each reset, and of the end.", ("S1", "S5", "S10")),
    Rule(
        "I-2", "While a TFTP server's key is new to phones, a TVS they know vouches for it.",
        ("S2", "S4", "S5"),
    ),
    Rule("I-3", "One TFTP server of a phone's list changes at a time (up to 11.5).", ("S1",)),
    Rule("I-4", "ITLRecovery changes alone (from 12.0).", ("S4", "S12")),
    Rule("I-5", "One of the two anchors of a tokenless CTL stays.", ("S8", "S11")),
    Rule("I-6", "Phones without ITL always know the CTL's signer.", ("S6", "S8")),
    Rule("I-7", "The CTL is updated before the reset that needs it.", ("S2", "S6", "S12")),
    Rule("I-8", "The rollback parameter: only non-secure, delivered first, off at the end.",
         ("S1", "S9", "S13")),
    Rule("I-9", "The issuer of an LSC in use stays trusted.", ("S1", "S22")),
    Rule("I-10", "RADIUS and VPN trust the new issuer before phones get new LSCs.",
         ("S12", "S22")),
    Rule("I-11", "A backup of the present state is verified before the first change.",
         ("S1", "S2")),
    Rule("I-12", "Phones can check CAPF before they ask it for an LSC.", ("S1", "S12", "S15")),
    Rule("I-13", "Between two stores that phones trust lies a reset of all phones.",
         ("S1", "S2", "S4")),
    Rule("I-14", "No identity certificate, and no trust twin of a live one, is deleted.",
         ("S2", "S4")),
    Rule("I-15", "Encrypted phones are registered at the end.", ("S7",)),
    Rule("I-20", "Two independent ways to authenticate the next list.", ("S13", "S22"), hard=False),
    Rule("I-21", "No moment at which a reset phone would be refused.", ("S2",), hard=False),
    Rule("I-22", "Phones' HTTPS services work.", ("S1", "S5"), hard=False),
    Rule("I-23", "Backups work after every step.", ("S2", "S25"), hard=False),
    Rule("I-24", "Encrypted phones keep a node whose certificate they know.", ("S3", "S7"),
         hard=False),
    Rule("I-25", "Each phone group keeps one CallManager while another restarts.", ("S2",),
         hard=False),
    Rule("I-26", "An ITL holds 39 certificates at most.", ("S3",), hard=False),
    Rule("I-28", "While the rollback parameter is on, phones take a list from anybody.", ("S5",),
         hard=False),
    Rule("I-29", "Phones that are off meanwhile.", ("S2", "S13"), hard=False),
    Rule("I-30", "Parties outside know a certificate before they meet it.", ("S2", "S4", "S12"),
         hard=False),
    Rule("P-1", "Database replication is good on all nodes.", ("S8", "S13", "S30")),
    Rule("P-2", "The rollback parameter is off at the start.", ("S22",)),
    Rule("P-3", "Every CallManager group has two nodes.", ("S22",), hard=False),
    Rule("P-4", "No phone holds another list than its server's at the start.", ("S2", "S3")),
    Rule("P-5", "Two TFTP servers serve each group.", ("S28",), hard=False),
    Rule("P-6", "Phones reach TVS (tcp 2445).", ("S13",), hard=False),
    Rule("P-7", "The CTL can be updated: a token of it, or the licence.", ("S1", "S14")),
    Rule("P-10", "Automatic resets are off where the CTL is updated after a renewal.", ("S4",),
         hard=False),
    Rule("L-1", "No certificate stays past its date.", ("S1", "S2"), hard=False),
    Rule("L-2", "Every phone holds the present lists at the end.", ("S3",)),
    Rule("L-5", "Parameters and services are as before at the end.", ("S1", "S2", "S4")),
    Rule("L-3", "No process holds an old certificate at the end.", ("S1", "S2"), hard=False),
    Rule("L-6", "No phone uses an LSC of an expired issuer.", ("S1", "S15"), hard=False),
    Rule("L-7", "Every party outside knows the new certificates.", ("S2", "S4", "S12"),
         hard=False),
    Rule("L-8", "A new backup holds the end state.", ("S4",), hard=False),
    Rule("L-10", "The recovery key is exported and kept elsewhere (12.0).", ("S3",), hard=False),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One rule broken at one step; `group` is empty when it concerns the cluster."""

    rule: str
    step: int
    group: str
    text: str
