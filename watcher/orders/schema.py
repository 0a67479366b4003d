"""The shape of a steps file; `docs/steps.md` tells it to people."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, StringConstraints

from watcher.rules.terms import Closed, Text
from watcher.trust.scenario import CapfAuth, Dot1x, Mode, PeerKind

Name = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,62})$"),
]  # fmt: skip
CertificateName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z-]+([/ ][A-Za-z0-9._-]+)?#[0-9]{1,4}$")
]
Generation = Annotated[StrictInt, Field(ge=0, le=9999)]


def _folded(*words: str) -> BeforeValidator:
    """Accept a word however its case, hyphens and underscores are written."""
    known = {_plain(word): word for word in words}

    def fold(value: Any) -> Any:  # noqa: ANN401 -- pydantic hands over whatever the file holds
        if value is False:
            value = "no"
        return known.get(_plain(value), value) if isinstance(value, str) else value

    return BeforeValidator(fold)


def _plain(text: str) -> str:
    return text.lower().replace("-", "").replace("_", "").replace(" ", "")


def _release(value: Any) -> Any:  # noqa: ANN401 -- see above
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if number else value


class Role(StrEnum):
    """What a node does."""

    PUBLISHER = "PUB"
    TFTP = "TFTP"
    CCM = "CCM"
    TVS = "TVS"
    CAPF = "CAPF"
    CTL_PROVIDER = "CTLProvider"
    DRF_CENTRAL = "DRFMaster"
    DRF_LOCAL = "DRFLocal"
    TOMCAT = "Tomcat"


RoleText = Annotated[Role, _folded(*Role)]


class FileNode(Closed):
    """One server."""

    name: Name
    roles: tuple[RoleText, ...]


class Mixed(StrEnum):
    """Who signs the CTL."""

    NO = "no"
    TOKENLESS = "tokenless"
    ETOKEN = "etoken"


def _mixed(value: Any) -> Any:  # noqa: ANN401 -- see above
    plain = _plain(value) if isinstance(value, str) else value
    if plain in (None, False, "no", "none", "nonsecure"):
        return Mixed.NO
    return Mixed.TOKENLESS if plain is True else plain


class Security(StrEnum):
    """Cluster security mode, as the other way to write `mixed`."""

    MIXED = "mixed"
    NON_SECURE = "non_secure"


class Interaction(StrEnum):
    """Phone Interaction on Certificate Update."""

    AUTO = "auto"
    MANUAL = "manual"


class FileBackup(Closed):
    """A backup of the state at the start; one that nobody verified is none."""

    verified: StrictBool

    def __bool__(self) -> bool:
        """Tell whether it counts."""
        return self.verified


def _backup(value: Any) -> Any:  # noqa: ANN401 -- see above
    return {"verified": True} if value == "current" else value


class FileCluster(Closed):
    """The cluster; what is absent is as the table in `docs/steps.md` says."""

    release: Annotated[Text, BeforeValidator(_release)]
    mixed: Annotated[Mixed, BeforeValidator(_mixed)] = Mixed.NO
    security_mode: Annotated[Security, _folded(*Security)] | None = None
    ctl_kind: Annotated[Mixed, BeforeValidator(_mixed)] | None = None
    nodes: Annotated[tuple[FileNode, ...], Field(min_length=1, max_length=64)]
    etokens_available: Annotated[StrictInt, Field(ge=0, le=20)] | None = None
    rollback_pre80: StrictBool = False
    phone_interaction: Annotated[Interaction, _folded(*Interaction)] = Interaction.AUTO
    db_replication_ok: StrictBool = True
    export_controlled_license: StrictBool = True
    itlrecovery_p12_exported: Generation | None = None
    backups: tuple[Annotated[FileBackup, BeforeValidator(_backup)], ...] = (
        FileBackup(verified=True),
    )
    saved_certs: tuple[CertificateName, ...] | None = None
    expired: tuple[CertificateName, ...] = ()
    multi_san: tuple[Text, ...] = ()


class FileHeld(Closed):
    """What the phones hold at the start."""

    itl_from: Name | None = None
    itl: Text | None = None
    ctl: Text | None = None


class FileGroup(Closed):
    """Phones that behave alike."""

    name: Name
    tftp: Annotated[tuple[Name, ...], Field(min_length=1, max_length=4)]
    cm_group: Annotated[tuple[Name, ...], Field(min_length=1, max_length=8)]
    sbd: StrictBool = True
    mode: Annotated[Mode, _folded(*Mode)] = Mode.NON_SECURE
    held: FileHeld = FileHeld()
    lsc: Generation | CertificateName | None = None
    lsc_expired: StrictBool = False
    lsc_not_after: Text | None = None
    mic: StrictBool = False
    enc_config: StrictBool = False
    capf_auth: Annotated[CapfAuth, _folded(*CapfAuth)] | None = None
    dot1x: Annotated[Dot1x, _folded(*Dot1x)] = Dot1x.NO
    vpn: StrictBool = False
    https_services: StrictBool = False
    tvs_reachable: StrictBool = True
    online: StrictBool = True
    count: Annotated[StrictInt, Field(ge=0, le=1_000_000)] | None = None


class FilePeer(Closed):
    """A party outside the cluster."""

    name: Name
    kind: Annotated[PeerKind, _folded(*PeerKind)]
    needs: Text | None = None
    trusted: tuple[CertificateName, ...] = ()


class StepsFile(Closed):
    """A whole steps file."""

    id: Text | None = None
    title: Text | None = None
    note: Text | None = None
    why: Text | None = None
    deduced: StrictBool | None = None
    cluster: FileCluster | None = None
    groups: tuple[FileGroup, ...] = ()
    external: tuple[FilePeer, ...] = ()
    assume: dict[Text, Any] = Field(default_factory=dict)
    accept: tuple[Text, ...] = ()
    steps: Any
    """A list, or one text; read line by line, so that each fault has its own place."""
    expect: dict[Text, Any] | None = None
