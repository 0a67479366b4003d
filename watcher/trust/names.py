"""Names of certificates, services and branches, as plain text that one can read in a trace.

A certificate is `CallManager/P#0`: store, owner, generation. The generation stands for issuer,
serial number and public key together; any renewal makes the next one (trust facts, 1.2).
"""

from enum import StrEnum
from typing import NewType

Certificate = NewType("Certificate", str)

CLUSTER = ""
"""Owner of a certificate that the cluster has only once."""


class Kind(StrEnum):
    """Stores that hold an identity certificate."""

    CALLMANAGER = "CallManager"
    CALLMANAGER_ECDSA = "CallManager-ECDSA"
    TVS = "TVS"
    CAPF = "CAPF"
    RECOVERY = "ITLRecovery"
    TOMCAT = "tomcat"
    TOMCAT_ECDSA = "tomcat-ECDSA"
    IPSEC = "ipsec"


PHONE_FACING = (Kind.CALLMANAGER, Kind.TVS, Kind.CAPF, Kind.RECOVERY)
"""Stores whose change phones must learn."""
PUBLISHER_ONLY = (Kind.CAPF, Kind.RECOVERY)
"""Stores of which the publisher's certificate is the cluster's."""


class Service(StrEnum):
    """Processes that hold a certificate in memory until they are restarted."""

    TFTP = "TFTP"
    TVS = "TVS"
    CCM = "CCM"
    CAPF = "CAPF"
    TOMCAT = "Tomcat"
    DRF_CENTRAL = "DRFMaster"
    DRF_LOCAL = "DRFLocal"


BACKING_UP = (Service.DRF_CENTRAL, Service.DRF_LOCAL)
"""What makes a DRS backup: one process on the publisher directs, one on each node hands over."""


class CtlKind(StrEnum):
    """Who signs the CTL of a cluster in mixed mode."""

    TOKENLESS = "tokenless"
    ETOKEN = "etoken"


TOKENS = (Certificate("eToken/1#0"), Certificate("eToken/2#0"))
"""The two tokens of an eToken CTL; the first one signs."""


def certificate(kind: str, owner: str, generation: int) -> Certificate:
    """Return the name of one generation of a certificate."""
    place = f"/{owner}" if owner else ""
    return Certificate(f"{kind}{place}#{generation}")


def kind_of(name: Certificate) -> str:
    """Return the store of a certificate."""
    return name.partition("#")[0].partition("/")[0]


def owner_of(name: Certificate) -> str:
    """Return the node of a certificate, or nothing for one of the whole cluster."""
    return name.partition("#")[0].partition("/")[2]
