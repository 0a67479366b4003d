"""`utils service list`: which services a node runs."""

import re
from dataclasses import dataclass

from watcher.transcripts.block import Block, Unread

_SERVICE = re.compile(
    r"(?P<name>[^\[\]]{2,100}?)\s*\[(?P<state>STARTED|STOPPED|STARTING|STOPPING|NOTRUNNING)\]"
    r"\s*(?P<note>.*)"
)
_PRIMARY = re.compile(r"Primary Node\s*=\s*(true|false)", re.IGNORECASE)
_AROUND = re.compile(
    r"Requesting service status|System SSH|Service Manager is running|Command successful"
    r"|Getting list of all services|>>\s*Return code\s*=\s*0|[-=]+$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedService:
    """One service; a stopped one may be switched off (`activated` is False) or only down."""

    name: str
    started: bool
    activated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFacts:
    """One list; `primary` tells whether the node is the publisher."""

    services: tuple[ListedService, ...]
    primary: bool | None
    unread: tuple[Unread, ...]

    def activated(self, name: str) -> bool | None:
        """Tell whether a service is switched on; None when the list does not name it."""
        wanted = name.lower()
        return next((s.activated for s in self.services if s.name.lower() == wanted), None)


def read(block: Block) -> ServiceFacts:
    """Read one list."""
    services, unread = [], []
    primary: bool | None = None
    for line in block.lines:
        text = line.text.strip()
        found, first = _SERVICE.fullmatch(text), _PRIMARY.match(text)
        if found is not None:
            services.append(_service(found))
        elif first is not None:
            primary = first[1].lower() == "true"
        elif not _AROUND.match(text):
            unread.append(Unread(line.number, text, "not `<service>[STARTED]` or `[STOPPED]`"))
    return ServiceFacts(services=tuple(services), primary=primary, unread=tuple(unread))


def _service(found: re.Match[str]) -> ListedService:
    return ListedService(
        name=found["name"].strip(),
        started=found["state"] == "STARTED",
        activated="not activated" not in found["note"].lower(),
    )
