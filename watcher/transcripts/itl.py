"""`show itl`: what one TFTP server gives to phones."""

from dataclasses import dataclass

from watcher.transcripts.block import Block, Unread
from watcher.transcripts.trustlist import TrustListFacts, read_trust_list

MOST_CERTIFICATES = 39
"""With more, the ITL exceeds 64 KB and phones do not register (P11)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItlFacts:
    """What `show itl` says."""

    trust_list: TrustListFacts
    unread: tuple[Unread, ...]

    @property
    def certificates(self) -> int:
        """Count the different certificates: one may stand in several records."""
        keys = {(r.issuer, r.serial_number) for r in self.trust_list.records if r.serial_number}
        return len(keys)

    @property
    def too_large(self) -> bool:
        """Tell whether there are more certificates than phones accept."""
        return self.certificates > MOST_CERTIFICATES


def read(block: Block) -> ItlFacts:
    """Read one `show itl`."""
    listed = read_trust_list(block)
    return ItlFacts(trust_list=listed, unread=listed.unread)
