"""One phone group of a steps file -> the model's; what contradicts itself is refused."""

from collections.abc import Iterable

from watcher.orders.certificates import Names
from watcher.orders.schema import FileGroup
from watcher.rules.document import Path
from watcher.rules.faults import fault
from watcher.trust.names import CLUSTER, Certificate, Kind, Service, certificate, kind_of, owner_of
from watcher.trust.scenario import CapfAuth, Dot1x, Group, HeldItl, Mode

_SERVES_CALLS = (Service.CCM, Service.TVS)


def read_group(index: int, group: FileGroup, names: Names) -> Group:
    """Return a phone group, or raise InputError at the key that cannot be."""
    at: Path = ("groups", index)
    _refuse_keys(group, names, at)
    tftp = _servers(names, (*at, "tftp"), group.tftp)
    return Group(
        name=group.name, tftp=tftp, cm_group=_cm_group(names, (*at, "cm_group"), group.cm_group),
        sbd=group.sbd, mode=group.mode, held_itl=_held(group, tftp, names, (*at, "held")),
        held_ctl=group.held.ctl is None or group.held.ctl.lower() != "none",
        lsc=_lsc(group, names, (*at, "lsc")), lsc_expired=group.lsc_expired, mic=group.mic,
        capf_auth=group.capf_auth or CapfAuth.NULL, dot1x=group.dot1x, vpn=group.vpn,
        https_services=group.https_services, tvs_reachable=group.tvs_reachable,
        online=group.online, count=group.count,
    )  # fmt: skip


def _refuse_keys(group: FileGroup, names: Names, at: Path) -> None:
    """Refuse keys that the model could only ignore."""
    if group.lsc_not_after is not None:
        raise fault(
            names.document, (*at, "lsc_not_after"),
            "an order has no date, so when an LSC ends says nothing here",
            "lsc_expired: true, where the LSCs are past their date",
        )  # fmt: skip
    if group.enc_config and group.mode is Mode.NON_SECURE:
        raise fault(
            names.document, (*at, "enc_config"),
            "encrypted files are looked at for phones in a secure mode only",
            "mode: authenticated or encrypted, or no enc_config",
        )  # fmt: skip


def _servers(names: Names, path: Path, wanted: Iterable[str]) -> tuple[str, ...]:
    """Return nodes that run TFTP."""
    nodes = names.vocabulary.nodes
    running = [node.name for node in nodes if Service.TFTP in node.services]
    found = _nodes(names, path, wanted)
    silent = next((name for name in found if name not in running), None)
    if silent is not None:
        able = f", or one of {', '.join(running)}" if running else ""
        raise fault(
            names.document, path, f"{silent} does not run TFTP", f"TFTP among its roles{able}"
        )
    return found


def _cm_group(names: Names, path: Path, wanted: Iterable[str]) -> tuple[str, ...]:
    """Return nodes that phones register with, or ask for a certificate."""
    services = {node.name: node.services for node in names.vocabulary.nodes}
    found = _nodes(names, path, wanted)
    idle = next((name for name in found if services[name].isdisjoint(_SERVES_CALLS)), None)
    if idle is not None:
        problem = f"{idle} runs neither CCM nor TVS"
        raise fault(names.document, path, problem, "a node with one of these roles")
    return found


def _nodes(names: Names, path: Path, wanted: Iterable[str]) -> tuple[str, ...]:
    known = {node.name.lower(): node.name for node in names.vocabulary.nodes}
    for name in wanted:
        if name.lower() not in known:
            expected = f"one of {', '.join(known.values())}"
            raise fault(names.document, path, f"{name!r} is not a node", expected)
    return tuple(known[name.lower()] for name in wanted)


def _held(group: FileGroup, tftp: tuple[str, ...], names: Names, path: Path) -> str | HeldItl:
    """Return whose list the phones hold: the first TFTP server's unless told otherwise."""
    held = group.held
    if held.itl_from is not None:
        return _servers(names, (*path, "itl_from"), [held.itl_from])[0]
    if held.itl is None:
        return tftp[0]
    try:
        return HeldItl(held.itl.lower())
    except ValueError:
        expected = f"one of {', '.join(HeldItl)}"
        raise fault(
            names.document, (*path, "itl"), f"{held.itl!r} is not known", expected
        ) from None


def _lsc(group: FileGroup, names: Names, path: Path) -> Certificate | None:
    if isinstance(group.lsc, int):
        return certificate(Kind.CAPF, CLUSTER, group.lsc)
    if isinstance(group.lsc, str):
        return _issuer(group.lsc, names, path)
    secure = group.mode is not Mode.NON_SECURE and not group.mic
    needs = secure or group.dot1x is Dot1x.LSC or (group.vpn and not group.mic)
    if not needs:
        return None
    if "lsc" in group.model_fields_set:
        who = f"mode {group.mode}" if secure else "802.1X with LSC" if not group.vpn else "VPN"
        expected = "lsc: 0" + (", or mic: true" if group.dot1x is not Dot1x.LSC else "")
        raise fault(names.document, path, f"{who} asks for a certificate of the phone", expected)
    return certificate(Kind.CAPF, CLUSTER, 0)


def _issuer(text: str, names: Names, path: Path) -> Certificate:
    """Return the publisher's CAPF certificate that a text names."""
    found = names.one(text, path)
    if kind_of(found) != Kind.CAPF or owner_of(found):
        problem = f"{text!r} issues no LSCs"
        raise fault(names.document, path, problem, f"{Kind.CAPF}#0, the publisher's")
    return found
