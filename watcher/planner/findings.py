"""From alarms to the certificates that need action: repeats folded, owners linked.

A name in a message only selects: it is looked up whole in the inventory. What is not found there
stays the message's word and is shown only when it is a plain name (letters, digits, dot, dash,
underscore), else by pointing to the evidence.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from watcher.inventory.locate import cluster_of, copy_of, owner_of, place_of
from watcher.inventory.lookup import stem
from watcher.inventory.schema import Certificate, Cluster, Inventory, Node
from watcher.model.alarm import CertificateAlarm, StoreKind, UcAlarm
from watcher.model.expiry import Certainty, Expiry, ExpiryState
from watcher.model.moments import reckonable
from watcher.model.plan import Evidence, Finding
from watcher.rules.alarms import About
from watcher.rules.catalogue import Catalogue

PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
_CERTAINTY_RANK = (
    Certainty.EXACT, Certainty.INFERRED, Certainty.AMBIGUOUS, Certainty.BOUNDED, Certainty.UNKNOWN,
)  # fmt: skip
_STATE_RANK = (ExpiryState.EXPIRED, ExpiryState.EXPIRING, ExpiryState.UNKNOWN)


def plain(name: str | None) -> str | None:
    """Return `name` when it is a plain name that cannot be taken for anything else."""
    return name if name is not None and PLAIN_NAME.fullmatch(name) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One alarm with what the inventory makes of its names."""

    alarm: CertificateAlarm
    evidence: str
    cluster: Cluster | None
    node: Node | None
    owner: Node | None
    store: str | None
    file: str | None
    shared: Certificate | None = None
    about: str = ""
    revoked: bool = False

    @property
    def node_name(self) -> str | None:
        """Reporting node: the inventory's name, else the message's word when plain."""
        return self.node.name if self.node else plain(self.alarm.node)

    @property
    def owner_name(self) -> str | None:
        """Owner of a trust copy, likewise."""
        return self.owner.name if self.owner else plain(self.alarm.owner)

    @property
    def key(self) -> tuple[str, ...]:
        """What makes two sightings the same certificate; never severity or free text."""
        cluster = self.cluster.name if self.cluster else ""
        store = self.store or self.alarm.store or ""
        if self.shared is not None:
            return (cluster, self.shared.store)
        if self.alarm.store_kind is StoreKind.TRUST:
            return (cluster, store, (self.alarm.certificate or "").lower())
        if self.about:
            return (cluster, store, self.about, (self.node_name or "").lower())
        return (cluster, store, (self.node_name or self.alarm.node or "").lower())


def gather(
    alarms: Sequence[CertificateAlarm], inventory: Inventory | None, catalogue: Catalogue
) -> tuple[tuple[Sighting, ...], tuple[Evidence, ...]]:
    """Return what each alarm was seen to say, and the evidence; equal records are shown once."""
    evidence: dict[str, Evidence] = {}
    sightings = []
    for alarm in sorted(alarms, key=_age):  # one plan, in whatever order messages came
        proof = evidence.get(alarm.record.raw)
        if proof is None:
            number = len(evidence) + 1
            names = tuple(envelope.value for envelope in alarm.record.envelope)
            proof = Evidence(id=f"E{number}", raw=alarm.record.raw, received_as=names)
            evidence[alarm.record.raw] = proof
        sightings.append(_sight(alarm, proof.id, inventory, catalogue))
    return tuple(sightings), tuple(evidence.values())


def _age(alarm: CertificateAlarm) -> tuple[str, str, tuple[str, ...]]:
    record = alarm.record
    return (record.event_time.isoformat() if record.event_time else "", record.raw, record.envelope)


def _sight(
    alarm: CertificateAlarm, evidence: str, inventory: Inventory | None, catalogue: Catalogue
) -> Sighting:
    place, cluster = place_of(inventory, alarm.node), cluster_of(inventory, alarm)
    owner, listed = owner_of(alarm, inventory, cluster), copy_of(alarm, cluster)
    shared, kind = _shared(alarm, cluster), catalogue.alarms.kind_of(alarm.msgname)
    return Sighting(
        alarm=alarm,
        evidence=evidence,
        cluster=cluster,
        node=place.node if place else None,
        owner=owner.node if owner else None,
        store=catalogue.store_name(shared.store if shared else alarm.store),
        file=named.file if (named := shared or listed) else None,
        shared=shared,
        about=kind.text or kind.meaning if kind and kind.about is not About.EXPIRY else "",
        revoked=kind is not None and kind.about is About.REVOCATION,
    )


def _shared(alarm: CertificateAlarm, cluster: Cluster | None) -> Certificate | None:
    """Return the one certificate of the cluster that the alarm of one node speaks of.

    A multi-server certificate is reported by every node, and once more for a store that reuses
    it; all these alarms are about one certificate.
    """
    if cluster is None or alarm.store is None or alarm.store_kind is StoreKind.TRUST:
        return None
    store = alarm.store.lower()
    wide = [c for c in cluster.certificates if c.multi_server and c.owner is None]
    return next((c for c in wide if store in (c.store.lower(), (c.reused_for or "").lower())), None)


def fold(sightings: Iterable[Sighting], as_of: datetime | None) -> tuple[Finding, ...]:
    """Fold sightings into findings: one for each certificate, the most urgent first.

    Folding is monotone: the worst state and the best known date win, whatever the order.
    """
    groups: dict[tuple[str, ...], list[Sighting]] = {}
    for sighting in sightings:
        groups.setdefault(sighting.key, []).append(sighting)
    drafts = [_finding(group, as_of) for group in groups.values()]
    drafts.sort(key=_urgency)
    return tuple(replace(draft, id=f"F{i}") for i, draft in enumerate(drafts, 1))


def _urgency(finding: Finding) -> tuple[object, ...]:
    return (
        0 if finding.revoked else _STATE_RANK.index(finding.state),
        finding.days_left if finding.days_left is not None else 10**6,
        finding.cluster or "",
        finding.store.lower(),
        (finding.node or "").lower(),
        (finding.file or "").lower(),
    )


def _finding(group: list[Sighting], as_of: datetime | None) -> Finding:
    best = min(group, key=_trust_in_date)
    first = group[0]
    alarm = best.alarm
    listed, trust = _inventory_expiry(best), alarm.store_kind is StoreKind.TRUST
    known = None if trust and listed and _apart(alarm.expiry, listed) else listed
    expiry = known or _placed(alarm.expiry, first.cluster)
    heard = min((s.alarm.state for s in group), key=_STATE_RANK.index)
    state = _state_as_of(heard, expiry, as_of)
    return Finding(
        id="",
        cluster=first.cluster.name if first.cluster else None,
        store=first.store or plain(alarm.store) or "unknown",
        store_known=first.store is not None,
        store_cut=alarm.store is not None and alarm.store_kind is None,
        about=first.about if all(s.about for s in group) else "",
        revoked=any(s.revoked for s in group),
        multi_server=first.shared is not None,
        trust=trust,
        file=next((s.file for s in group if s.file), None) or plain(alarm.certificate),
        file_in_inventory=any(s.file for s in group),
        node=first.node_name,
        node_in_inventory=first.node is not None,
        owner=next((s.owner_name for s in group if s.owner_name), None) if trust else None,
        owner_in_inventory=any(s.owner for s in group),
        reporters=_distinct(s.node_name or "a node named in the evidence" for s in group),
        mnemonics=_distinct(plain(s.alarm.msgname) or "unreadable name" for s in group),
        expiry=expiry,
        state=state,
        days_left=_days_left(expiry, as_of, _zone(first.cluster)),
        event_time=max((t for s in group if (t := s.alarm.record.event_time)), default=None),
        evidence=_distinct(s.evidence for s in group),
        notes=_notes(group, listed),
    )


def _trust_in_date(sighting: Sighting) -> tuple[int, float]:
    expiry = sighting.alarm.expiry
    time = sighting.alarm.record.event_time
    newest_first = -time.timestamp() if time else 0.0
    return (_CERTAINTY_RANK.index(expiry.certainty), newest_first)


def _inventory_expiry(sighting: Sighting) -> Expiry | None:
    """Return the date that a person or `show cert` put into the inventory: a fact, not a hint."""
    listed = _listed(sighting)
    ends = [one.not_after for one in listed if one.not_after is not None]
    # Of copies of one file in many nodes' stores, one without a date may be another generation.
    if not ends or len(ends) < len(listed):
        return None
    end = min(ends)
    return Expiry(
        text=sighting.alarm.expiry.text,
        day=reckonable(end).astimezone(_zone(sighting.cluster)).date(),
        certainty=Certainty.EXACT,
        earliest=end,
        latest=end,
        reason="the inventory holds the certificate's own date",
    )


def _listed(sighting: Sighting) -> list[Certificate]:
    """Return what the inventory lists of a sighting: all copies of that name, or the one."""
    if sighting.cluster is None:
        return []
    listed = [one for one in sighting.cluster.certificates if one.store == sighting.store]
    if sighting.alarm.store_kind is StoreKind.TRUST:
        name = stem(sighting.alarm.certificate or "")
        return [one for one in listed if one.file and stem(one.file) == name]
    node = (sighting.node_name or "").lower()
    own = (one for one in listed if one.node is None or one.node.lower() == node)
    return [one for one in own if one.not_after][:1]


def _zone(cluster: Cluster | None) -> tzinfo:
    """Return the zone whose days people of a cluster count; UTC where none is known."""
    return ZoneInfo(cluster.time_zone) if cluster and cluster.time_zone else UTC


def _placed(expiry: Expiry, cluster: Cluster | None) -> Expiry:
    """Return an expiry as an instant where the inventory knows the zone of the nodes.

    Only the configured zone counts; the abbreviation in the text is never taken for a place.
    """
    if cluster is None or cluster.time_zone is None or expiry.day is None or not expiry.time_text:
        return expiry
    found = re.match(r"(\d{2}):(\d{2})", expiry.time_text, re.ASCII)
    if reckonable(expiry.day) != expiry.day:
        return expiry
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:  # noqa: PLR2004 -- a clock
        return expiry
    clock = time(int(found[1]), int(found[2]), tzinfo=ZoneInfo(cluster.time_zone))
    start = datetime.combine(expiry.day, clock).astimezone(UTC)
    return replace(expiry, earliest=start, latest=start + timedelta(seconds=59))


def _state_as_of(heard: ExpiryState, expiry: Expiry, as_of: datetime | None) -> ExpiryState:
    """Return the state at the moment the plan speaks of; what has expired stays expired."""
    if as_of is None or heard is ExpiryState.EXPIRED:
        return heard
    if expiry.latest is not None and expiry.latest < as_of:
        return ExpiryState.EXPIRED
    return heard


def _days_left(expiry: Expiry, as_of: datetime | None, zone: tzinfo) -> int | None:
    """Return the days from today to the end, both by the calendar of the cluster."""
    if expiry.day is None or as_of is None:
        return None
    return (expiry.day - as_of.astimezone(zone).date()).days


def _apart(heard: Expiry, read: Expiry) -> bool:
    """Tell whether two dates cannot be one: the zone alone moves a day."""
    if heard.day is None or read.day is None:
        return False
    return abs((read.day - heard.day).days) > 1


def _distinct(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))


def _notes(group: list[Sighting], listed: Expiry | None) -> tuple[str, ...]:
    notes = []
    alarm = group[0].alarm
    trust = alarm.store_kind is StoreKind.TRUST
    if trust and alarm.reported_type == "own-cert":
        notes.append(
            "The alarm says Type:own-cert although the store is a trust store; the store decides."
        )
    shared = group[0].shared
    if shared is not None:
        names = ", ".join(_distinct(s.node_name or "?" for s in group))
        reused = f", reused for {shared.reused_for}" if shared.reused_for else ""
        notes.append(f"One multi-server certificate{reused}; reported by {names}.")
    if not alarm.known:
        notes.append("The alarm's name is not in the catalogue; it is treated as urgent.")
    if any(s.revoked for s in group):
        notes.append("It is revoked: who asks the CA refuses it today, whatever its end.")
    heard = min(group, key=_trust_in_date).alarm.expiry
    if listed and _apart(heard, listed):
        notes.append(
            f"The alarm speaks of {heard.day}, the inventory of {listed.day}: "
            "read the certificate before you act."
        )
    return tuple(notes)


def severe_topics(alarms: Iterable[UcAlarm]) -> tuple[UcAlarm, ...]:
    """Return the other alarms that a plan must mention, the newest of each topic and node."""
    newest: dict[tuple[str, str], UcAlarm] = {}
    for alarm in alarms:
        if alarm.topic is None:
            continue
        key = (alarm.topic, (alarm.node or "").lower())
        held = newest.get(key)
        if held is None or _time(alarm) >= _time(held):
            newest[key] = alarm
    return tuple(sorted(newest.values(), key=lambda a: (a.topic or "", (a.node or "").lower())))


def _time(alarm: UcAlarm) -> float:
    return alarm.record.event_time.timestamp() if alarm.record.event_time else 0.0
