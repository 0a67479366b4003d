"""How far an alarm can be believed, and whom a connection may speak for."""

from typing import Protocol

from watcher.inventory.lookup import Place
from watcher.model.alarm import CertificateAlarm, Envelope, UcAlarm
from watcher.model.message import Grade, Origin

NESTED = frozenset({Envelope.RTMT_ALERT, Envelope.RTMT_MAIL})
"""What quotes other records; its quotations are the word of whoever wrote it."""


class Nodes(Protocol):
    """Knows the nodes of the site."""

    def place(self, name: str | None) -> Place | None:
        """Return the node of that name, alias or address; None when it is unknown or fits two."""


def is_nested(alarm: CertificateAlarm | UcAlarm) -> bool:
    """Tell whether the record was quoted in an RTMT alert."""
    return not NESTED.isdisjoint(alarm.record.envelope)


def grade_of(origin: Origin, alarm: CertificateAlarm | UcAlarm) -> Grade:
    """Return the grade of an alarm: its carrier's, one less where it was quoted, never FACT."""
    if not is_nested(alarm):
        return min(origin.grade, Grade.ATTRIBUTED)
    return Grade(max(Grade.CLAIM, min(origin.grade - 1, Grade.RETURN_PATH)))


def may_speak(origin: Origin, alarm: CertificateAlarm | UcAlarm, nodes: Nodes) -> bool:
    """Tell whether a connection may bring an alarm: a bound one only for the nodes it is bound to.

    An RTMT alert is raised by the publisher for any node of its cluster: then its own NodeID must
    be a bound node (an alert without one is the connection's own word), and the quoted record's
    node must be in the cluster of a bound node.
    """
    if not origin.bound:
        return True
    bound = [place for name in origin.bound if (place := nodes.place(name))]
    reporter = nodes.place(alarm.node)
    if reporter is None:
        return False
    if any(place.node is reporter.node for place in bound):
        return True
    if not is_nested(alarm):
        return False
    carrier = alarm.alert.collector if alarm.alert else None
    carriers = [place for place in bound if carrier is None or _is(nodes.place(carrier), place)]
    return any(place.cluster is reporter.cluster for place in carriers)


def _is(found: Place | None, place: Place) -> bool:
    return found is not None and found.node is place.node
