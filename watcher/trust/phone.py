"""What one phone does: BOOT, VOUCH and REGISTER (trust facts, 2.2 to 2.4).

A phone is judged by what it holds and what it sees; nothing else enters, and so the same question
is answered once however many branches and steps ask it.
"""

from dataclasses import dataclass
from typing import NamedTuple

from watcher.trust.lists import Certificates, Ctl, Itl
from watcher.trust.names import Certificate
from watcher.trust.scenario import Dot1x, Group, Mode


class Held(NamedTuple):
    """What one phone keeps over a reset."""

    itl: Itl | None
    ctl: Ctl | None
    cm_group: tuple[str, ...]
    """CallManager group of the last configuration file: also the TVS servers it asks (S8, S13)."""
    mode: str
    lsc: Certificate | None
    lsc_valid: bool
    vpn_trust: Certificates


class Ccm(NamedTuple):
    """A running CallManager service: the certificate it shows, the LSC issuers it takes."""

    shown: Certificate
    issuers: Certificates


class Verifier(NamedTuple):
    """A running TVS: the certificate it shows, and which signers of what is served it knows."""

    own: Certificate
    knows: Certificates


class View(NamedTuple):
    """What a phone of one group sees of the cluster now."""

    server: bool
    """Some TFTP server of the group answers."""
    key: Certificate | None
    """Key of the configuration files."""
    itl: Itl | None
    ctl: Ctl | None
    tvs: tuple[tuple[str, Verifier], ...]
    callmanager: tuple[tuple[str, Ccm], ...]
    mode: str
    vpn_trust: Certificates
    radius: Certificates | None
    """What RADIUS trusts; None where no phone of the group is asked."""
    headend: Certificate | None
    headend_trusts: Certificates
    tvs_for_ctl: bool
    """U5."""
    itl_for_tls: bool
    """U6."""
    past_date: Certificates
    """Signers and TVS certificates past their date that phones refuse for it (U10)."""


@dataclass(frozen=True, slots=True)
class Boot:
    """How a reset ends: what the phone then holds, and why not if it is refused.

    `asked` are the open questions whose answer mattered; `anchors` the ways in which the phone
    could authenticate the list it was handed.
    """

    held: Held
    accepted: bool
    registered: bool
    why: str = ""
    anchors: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()

    @property
    def ok(self) -> bool:
        """Files accepted, and registered."""
        return self.accepted and self.registered


CTL_UNKNOWN = "nobody it trusts signed the CTL"
ITL_UNKNOWN = "nobody it trusts signed the ITL"
CONFIG_UNKNOWN = "nobody it trusts signed its configuration file"
NO_SERVER = "no TFTP server answers"
NO_NETWORK = "the network does not let it in (802.1X)"
NO_TUNNEL = "the VPN tunnel is not built"
NO_ISSUER = "no CallManager of its group takes its LSC"


Words = frozenset[str]
NOT_ASKED: Words = frozenset()
_ASKED_U5, _ASKED_U6 = frozenset({"U5"}), frozenset({"U6"})
_BY_CTL, _NO_LIST = frozenset({"CTL"}), frozenset({"keeps no list"})


def boot(group: Group, held: Held, view: View) -> Boot:
    """Return what a phone of a group does on a reset."""
    asked = NOT_ASKED
    outside = _kept_out(group, held, view)
    if outside or not view.server:
        return Boot(held, accepted=False, registered=False, why=outside or NO_SERVER)
    anchors = _BY_CTL if view.ctl is not None else _NO_LIST
    if view.ctl is not None:
        taken, asked = _takes_ctl(group, held, view.ctl, view)
        if not taken:
            return _locked(held, view, CTL_UNKNOWN, frozenset(), asked)
        held = held if held.ctl is view.ctl else held._replace(ctl=view.ctl)
    if group.sbd and view.itl is not None:
        anchors = itl_anchors(group, held, view.itl, view)
        if not anchors:
            return _locked(held, view, ITL_UNKNOWN, anchors, asked)
        held = held if held.itl is view.itl else held._replace(itl=view.itl)
    if not _takes_configuration(group, held, view):
        return _locked(held, view, CONFIG_UNKNOWN, anchors, asked)
    told = (group.cm_group, view.mode, view.vpn_trust)
    if told != (held.cm_group, held.mode, held.vpn_trust):
        held = held._replace(cm_group=told[0], mode=told[1], vpn_trust=told[2])
    registered, question = registers(held, view)
    return Boot(
        held, accepted=True, registered=registered, why="" if registered else why_not(held, view),
        anchors=anchors, asked=asked | question if question else asked,
    )  # fmt: skip


def _kept_out(group: Group, held: Held, view: View) -> str:
    """Return why the phone never reaches the cluster (2.6): 802.1X, VPN."""
    if view.radius is not None and group.dot1x is Dot1x.LSC and held.lsc not in view.radius:
        return NO_NETWORK
    if view.headend is not None and (
        view.headend not in held.vpn_trust
        or (held.lsc is not None and held.lsc not in view.headend_trusts)
    ):
        return NO_TUNNEL
    return ""


def _takes_ctl(group: Group, held: Held, new: Ctl, view: View) -> tuple[bool, Words]:
    """Tell whether a phone takes the CTL it is handed (S7, S8, S9, S29), and what was asked."""
    if _knows_ctl(held, new, view):
        return True, NOT_ASKED
    if not (group.sbd and vouchers(group, held, new.signer, view)):
        return False, NOT_ASKED
    return view.tvs_for_ctl, _ASKED_U5


def _knows_ctl(held: Held, new: Ctl, view: View) -> bool:
    if held.ctl is not None:
        return new is held.ctl or _signs(new.signer, held.ctl.anchors, view)
    if held.itl is None:
        return True  # The first list of its life is taken on faith.
    return held.itl.blank or _signs(new.signer, held.itl.anchors, view)


def itl_anchors(group: Group, held: Held, new: Itl, view: View) -> frozenset[str]:
    """Return every way in which a phone can authenticate an ITL (S3, S5, S9, S10); none: refused.

    The more ways there are, the more may fail before the phone is lost.
    """
    found = set()
    if held.ctl is None and (held.itl is None or held.itl.blank):
        found.add(FAITH)
    if new is held.itl:
        found.add(SAME)
    listed = held.ctl
    if listed is not None and (
        _signs(new.signer, listed.anchors, view) or _signs(new.signer, listed.callmanager, view)
    ):
        found.add(BY_CTL)
    if held.itl is not None and _signs(new.signer, held.itl.anchors, view):
        found.add(BY_ITL)
    found.update(BY_TVS + node for node in vouchers(group, held, new.signer, view))
    return frozenset(found)


FAITH, SAME, BY_CTL, BY_ITL, BY_TVS = "any signer", "the same list", "CTL", "ITL", "TVS@"
"""Ways to authenticate a list; the last one with the node's name behind it."""
NO_LIST = "keeps no list"
"""What stands in their place for a phone without ITL outside mixed mode: it checks nothing."""


def _takes_configuration(group: Group, held: Held, view: View) -> bool:
    """Tell whether a phone takes its configuration file, signed with the TFTP server's key."""
    key = view.key
    if key is None:
        return False
    listed = held.ctl is not None and key in held.ctl.callmanager
    if not group.sbd:
        return held.ctl is None or listed
    if held.itl is None or held.itl.blank or listed or key in held.itl.config:
        return True
    return bool(vouchers(group, held, key, view))


def vouchers(group: Group, held: Held, signer: Certificate, view: View) -> tuple[str, ...]:
    """Return the nodes whose TVS vouches for a certificate, in the phone's order (2.3).

    TVS itself must be known to the phone, and know the certificate.
    """
    if not group.sbd or not group.tvs_reachable or held.itl is None or held.itl.blank:
        return ()
    known = held.itl.tvs
    return tuple(
        [
            node
            for node, tvs in view.tvs
            if signer in tvs.knows and _signs(tvs.own, known, view) and node in held.cm_group
        ]
    )


def _signs(name: Certificate, trusted: Certificates, view: View) -> bool:
    """Tell whether a certificate is trusted; one past its date may be refused (U10)."""
    return name in trusted and name not in view.past_date


def _locked(held: Held, view: View, why: str, anchors: Words, asked: Words) -> Boot:
    """Return the end of a refused reset: the phone keeps what it holds (S18, S26)."""
    registered, question = registers(held, view)
    return Boot(
        held, accepted=False, registered=registered, why=why, anchors=anchors,
        asked=asked | question if question else asked,
    )  # fmt: skip


def registers(held: Held, view: View) -> tuple[bool, Words]:
    """Tell whether a phone registers with a node of its group (2.4), and what was asked for it."""
    here = [server for node, server in view.callmanager if node in held.cm_group]
    if held.mode == Mode.NON_SECURE:
        return bool(here), NOT_ASKED
    taken = [server for server in here if _phone_is_taken(held, server)]
    if any(_in_ctl(held, server) for server in taken):
        return True, NOT_ASKED
    if not any(_in_itl(held, server) for server in taken):
        return False, NOT_ASKED
    return view.itl_for_tls, _ASKED_U6


def _phone_is_taken(held: Held, server: Ccm) -> bool:
    """Tell whether a node takes the phone's certificate: an LSC of a known issuer, or the MIC."""
    if held.lsc is None:
        return True
    return held.lsc_valid and held.lsc in server.issuers


def _in_ctl(held: Held, server: Ccm) -> bool:
    return held.ctl is not None and server.shown in held.ctl.callmanager


def _in_itl(held: Held, server: Ccm) -> bool:
    return held.itl is not None and server.shown in held.itl.config


def why_not(held: Held, view: View) -> str:
    """Return in words why a phone that took its files does not register."""
    servers = [server for node, server in view.callmanager if node in held.cm_group]
    if not servers:
        return "no CallManager of its group runs"
    if held.mode != Mode.NON_SECURE and not any(_phone_is_taken(held, s) for s in servers):
        return NO_ISSUER
    return "its CTL does not list the certificate that CallManager shows"
