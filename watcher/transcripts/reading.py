"""Each block of a paste with what its reader made of it."""

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
        why = "no command that is read here" if block.command else "belongs to no known command"
        sample = block.command or (block.lines[0].text.strip() if block.lines else "")
        unread = (Unread(block.first_line, sample, why),)
        return Reading(block=block, facts=None, unread=unread)
    if not block.lines:
        empty = (Unread(block.first_line, block.title, "the command printed nothing"),)
        return Reading(block=block, facts=None, unread=empty)
    facts = reader(block)
    return Reading(block=block, facts=facts, unread=facts.unread)
