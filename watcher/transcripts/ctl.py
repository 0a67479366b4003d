"""`show ctl`: whether the cluster has a CTL, and who signed it."""

import re
from dataclasses import dataclass

from watcher.inventory.schema import CtlMethod
from watcher.transcripts.block import Block, Unread
from watcher.transcripts.trustlist import TrustListFacts, TrustRecord, read_trust_list

# The sentence that marks the signer speaks of an etoken in either case, so only the record's
# own names tell a hardware token from a server's certificate (SEED, "If the Cluster is in
# Mixed-Mode", shows both).
_TOKEN_SUBJECT = re.compile(r'cn="?SAST-', re.IGNORECASE)
_TOKEN_ISSUER = re.compile(r"cn=\"?Cisco Manufacturing CA", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CtlFacts:
    """What `show ctl` says; `method` is None when no record can be told to be the signer."""

    trust_list: TrustListFacts
    method: CtlMethod | None
    tokens: int
    why: str
    unread: tuple[Unread, ...]


def read(block: Block) -> CtlFacts:
    """Read one `show ctl`."""
    listed = read_trust_list(block)
    method, why = _method(listed)
    return CtlFacts(
        trust_list=listed,
        method=method,
        tokens=sum(_is_token(record) for record in listed.records),
        why=why,
        unread=listed.unread,
    )


def _method(listed: TrustListFacts) -> tuple[CtlMethod | None, str]:
    if listed.present is False:
        return None, "there is no CTL file"
    signer = listed.signer
    if signer is None:
        return None, "no record, or more than one, says that it signed the file"
    if _is_token(signer):
        return CtlMethod.ETOKEN, f"record {signer.number} is a hardware token"
    if signer.dns_name and signer.subject:
        return CtlMethod.TOKENLESS, f"record {signer.number} is a server's certificate"
    return None, f"record {signer.number} signed, but its names tell neither token nor server"


def _is_token(record: TrustRecord) -> bool:
    return bool(
        _TOKEN_SUBJECT.match(record.subject or "") or _TOKEN_ISSUER.match(record.issuer or "")
    )
