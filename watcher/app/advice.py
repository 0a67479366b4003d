"""What to set on the nodes so that their alarms come at all, with our own addresses in it."""

import socket
from contextlib import closing, suppress
from ipaddress import ip_address

from jinja2 import Environment, StrictUndefined

from watcher.app.settings import Prepared
from watcher.plugins import builtin

TEMPLATE = "doctor.txt.j2"
HERE = "this machine's address"


def advice(prepared: Prepared) -> str:
    """Return the text; no packet is sent for it."""
    text = (builtin("templates") / TEMPLATE).read_text(encoding="utf-8")
    # Plain text for a terminal: nothing to escape, and all of it is ours or the settings'.
    environment = Environment(undefined=StrictUndefined, autoescape=False, trim_blocks=False)  # noqa: S701
    return environment.from_string(text).render(**_facts(prepared)) + "\n"


def _facts(prepared: Prepared) -> dict[str, object]:
    settings = prepared.settings
    inputs = settings.inputs
    syslog = [("UDP", one) for one in inputs.udp] + [("TCP", one) for one in inputs.tcp]
    streams = [*syslog, *(("TLS", one) for one in settings.tls_inputs())]
    mail = next(iter(inputs.smtp), None)
    alarms = prepared.catalogue.alarms.certificate
    return {
        "syslog_hosts": _hosts(prepared, [one.address for _, one in streams]),
        "syslog": [f"{kind} {one.address} port {one.port}" for kind, one in streams],
        "mail_host": _hosts(prepared, [mail.address])[0] if mail else "none: inputs.smtp is off",
        "mail_port": (mail.port or "any") if mail else "-",
        "mail_to": settings.smtp.recipients[0],
        "alarms": sorted(
            ({"name": name, "level": min(kind.severities)} for name, kind in alarms.items()),
            key=lambda alarm: (-int(str(alarm["level"])), str(alarm["name"])),
        ),
    }


def _hosts(prepared: Prepared, addresses: list[str]) -> list[str]:
    """Return the addresses that nodes can use, in order, each once."""
    found: list[str] = []
    for address in addresses:
        shown = _facing(prepared) if ip_address(address).is_unspecified else [_seen(address)]
        found += [one for one in shown if one not in found]
    return found or ["nothing listens for syslog"]


def _seen(address: str) -> str:
    return f"{address} (no node reaches that)" if ip_address(address).is_loopback else address


def _facing(prepared: Prepared) -> list[str]:
    """Return the addresses of this machine on the way to the nodes of the inventory."""
    clusters = prepared.inventory.clusters if prepared.inventory else ()
    nodes = [a for cluster in clusters for node in cluster.nodes for a in node.addresses]
    found: list[str] = []
    for node in nodes[:100]:
        family = socket.AF_INET6 if ":" in node else socket.AF_INET
        with suppress(OSError), closing(socket.socket(family, socket.SOCK_DGRAM)) as sock:
            sock.connect((node, 514))  # chooses the way, and sends nothing
            ours = str(sock.getsockname()[0])
            found += [ours] if ours not in found else []
    return found or [HERE]
