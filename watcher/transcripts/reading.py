"""Each block of a paste with what its reader made of it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from watcher.transcripts import (
    cert,
    certlist,
    ctl,
    itl,
    network,
    parameter,
    pem,
    services,
    split,
    version,
)
from watcher.transcripts.block import Block, Kind, Unread
from watcher.transcripts.cert import CertFacts
from watcher.transcripts.certlist import CertListFacts
from watcher.transcripts.ctl import CtlFacts
from watcher.transcripts.itl import ItlFacts
from watcher.transcripts.network import NetworkFacts
from watcher.transcripts.parameter import ParameterFacts
from watcher.transcripts.pem import PemFacts
from watcher.transcripts.services import ServiceFacts
from watcher.transcripts.version import VersionFacts

Facts = (
    CtlFacts
    | ItlFacts
    | CertListFacts
    | CertFacts
    | ServiceFacts
    | NetworkFacts
    | VersionFacts
    | ParameterFacts
    | PemFacts
)

_READERS: Mapping[Kind, Callable[[Block], Facts]] = {
    Kind.CTL: ctl.read,
    Kind.ITL: itl.read,
    Kind.CERT_LIST: certlist.read,
    Kind.CERT: cert.read,
    Kind.SERVICES: services.read,
    Kind.NETWORK: network.read,
    Kind.VERSION: version.read,
    Kind.PARAMETER: parameter.read,
    Kind.PEM: pem.read,
}

_SILENT = re.compile(r"set\s+cli\s+pagination\s+(on|off)|exit|quit", re.ASCII | re.IGNORECASE)
"""Commands of a session that say nothing of a cluster; our own instructions begin with one."""
_BANNER = re.compile(
    r"Command Line Interface is starting up\b|Welcome to the Platform Command Line Interface\b"
    r"|VMware Installation:|\d{1,3} vCPU: |Disk \d{1,2}: |\d{1,7} Mbytes RAM\b"
    r"|Last login: |login as: |\S{1,64}@\S{1,255}'s password:",
    re.ASCII | re.IGNORECASE,
)
"""Lines that greet at login."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One block; `facts` is None when no reader knows its command."""

    block: Block
    facts: Facts | None
    unread: tuple[Unread, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paste:
    """One file of pasted output."""

    name: str
    readings: tuple[Reading, ...]


def read_paste(name: str, text: str) -> Paste:
    """Read everything in one paste; never raises, whatever the text."""
    return Paste(name=name, readings=tuple(_read(block) for block in split.split(text)))


def _read(block: Block) -> Reading:
    reader = _READERS.get(block.kind)
    if reader is None:
        return Reading(block=block, facts=None, unread=_unknown(block))
    if not block.lines:
        empty = (Unread(block.first_line, block.title, "the command printed nothing"),)
        return Reading(block=block, facts=None, unread=empty)
    facts = reader(block)
    return Reading(block=block, facts=facts, unread=facts.unread)


def _unknown(block: Block) -> tuple[Unread, ...]:
    """Name a block that no reader knows; what belongs to every session needs no word."""
    if block.command is not None:
        if _SILENT.fullmatch(block.command):
            return ()
        return (Unread(block.first_line, block.command, "no command that is read here"),)
    texts = ((line.number, line.text.strip()) for line in block.lines)
    strange = next(((n, text) for n, text in texts if not _BANNER.match(text)), None)
    return (Unread(*strange, "belongs to no known command"),) if strange else ()
