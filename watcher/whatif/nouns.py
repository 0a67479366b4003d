"""What a question "what if" is answered with."""

from dataclasses import dataclass
from datetime import datetime

BACK = "comes back"
"""What becomes of phones that a reset does not lose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A sentence of the rules; `only_if` names conditions that the inventory leaves open."""

    text: str
    only_if: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Somebody outside the cluster who must be told, and what to do."""

    party: str
    text: str
    only_if: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PhonesThen:
    """One phone group while a certificate is past its date.

    `if_rejected` and `if_accepted` say how a reset ends under each answer to U10; the numbers are
    the independent ways in which the worst phone can trust the next list that is signed anew.
    """

    group: str
    phones: int | None
    if_rejected: str
    if_accepted: str
    ways_now: int
    ways_if_rejected: int
    lsc: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """When the certificate on a node ends; None where the inventory does not tell."""

    node: str
    not_after: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryAnswer:
    """What breaks when a certificate expires and nobody renews it."""

    store: str
    title: str
    ends: tuple[Ends, ...]
    lasts: str
    breaks: tuple[Told, ...]
    used_by: tuple[Told, ...]
    phones: tuple[PhonesThen, ...]
    hit: int | None
    """Phones that a reset does not bring back, if U10 is rejected; None: a count is missing."""
    backups: str
    tell: tuple[Party, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhonesAfter:
    """One phone group after the steps: how a reset now ends, what is left, in which branches."""

    group: str
    phones: int | None
    reset_now: str
    when: str
    heals: str
    meanwhile: tuple[str, ...]
    anchors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCost:
    """One step as it was asked: its minutes, None where the rules have none, and who notices."""

    number: int
    text: str
    minutes: int | None
    noticed_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsAnswer:
    """What steps do if nothing follows them.

    `broken` are rules that these steps break whatever follows; `follow` is what has to follow.
    """

    safe_alone: bool
    verdict: str
    steps: tuple[StepCost, ...]
    minutes: int | None
    phones: tuple[PhonesAfter, ...]
    hit: int | None
    broken: tuple[str, ...]
    follow: tuple[str, ...]
    tell: tuple[Party, ...]
    unknown: tuple[str, ...]
