"""ITL and CTL: the two lists a phone keeps, and who may sign the next one (trust facts, 1.4).

In one proof, lists with the same content are the same object (`Lists`), as files with the same hash
are the same file; so a phone that holds the current list is found by comparing references.
"""

from dataclasses import dataclass

from watcher.trust.names import Certificate

Certificates = frozenset[Certificate]
NOTHING: Certificates = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Itl:
    """One ITL file as a TFTP server hands it out (S3, S7).

    `anchors` may sign the next list, `config` sign configuration files, `tvs` are the TVS
    certificates of the cluster. A blank list (rollback parameter) is signed but empty (S5).
    """

    signer: Certificate
    anchors: Certificates
    config: Certificates
    tvs: Certificates
    capf: Certificates
    blank: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Ctl:
    """The CTL file, one for the cluster (S6, S7); `callmanager` are the servers' certificates."""

    signer: Certificate
    anchors: Certificates
    callmanager: Certificates
    capf: Certificates


def blank_itl(signer: Certificate) -> Itl:
    """Return the empty ITL that a server signs while the rollback parameter is on (S5)."""
    return Itl(signer, NOTHING, NOTHING, NOTHING, NOTHING, blank=True)


class Lists:
    """The lists of one proof; they are forgotten with it."""

    def __init__(self) -> None:
        self._itls: dict[tuple[object, ...], Itl] = {}
        self._ctls: dict[tuple[object, ...], Ctl] = {}

    def itl(self, new: Itl) -> Itl:
        """Return the one ITL with this content."""
        content = (new.signer, new.anchors, new.config, new.tvs, new.capf, new.blank)
        return self._itls.setdefault(content, new)

    def ctl(self, new: Ctl) -> Ctl:
        """Return the one CTL with this content."""
        content = (new.signer, new.anchors, new.callmanager, new.capf)
        return self._ctls.setdefault(content, new)
