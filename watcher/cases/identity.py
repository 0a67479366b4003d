"""Which certificate an alarm speaks of, and which event it is: the two keys of the daemon.

A key of a case is made of names of the inventory and of stores of the rule packs. What neither
knows stays a claim of the sender: it is cleaned, marked, and never equals a known name.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from fnmatch import translate
from hashlib import sha256
from typing import TypeVar
from zoneinfo import ZoneInfo

from watcher.cases.names import claimed_name, file_stem, first_label
from watcher.cases.provenance import grade_of
from watcher.inventory.lookup import Place, fold, names_of, stem
from watcher.inventory.schema import Certificate, Cluster, Inventory
from watcher.model.alarm import CertificateAlarm, CiscoLogRecord, StoreKind, UcAlarm
from watcher.model.case import CaseEvent, CaseKey
from watcher.model.expiry import Expiry
from watcher.model.message import MessageId, RawMessage
from watcher.model.moments import reckonable
from watcher.rules.alarms import About
from watcher.rules.catalogue import Catalogue
from watcher.rules.store import StoreKind as RuleKind

_FRACTION = re.compile(r"\.\d{1,9}", re.ASCII)
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


class Standing(StrEnum):
    """How many keys of a kind there can be; the storm budget asks."""

    KNOWN = "known"
    """Every part is in the inventory or the rule packs: as many as there are certificates."""
    NAMED = "named"
    """A cluster of the inventory, but a file or store that only messages name."""
    CLAIMED = "claimed"
    """The inventory does not know the node."""


@dataclass(frozen=True, slots=True)
class _Ground:
    """What the inventory lists of one cluster, ready to be looked up."""

    cluster: Cluster
    copies: dict[tuple[str, str], Certificate]
    """(store, file without ending), folded; the first one listed."""
    shared: dict[str, str]
    """Store, folded -> store of the one multi-server certificate that serves it."""
    zone: ZoneInfo | None


def _ground(cluster: Cluster) -> _Ground:
    copies: dict[tuple[str, str], Certificate] = {}
    shared: dict[str, str] = {}
    for one in cluster.certificates:
        if one.file:
            copies.setdefault((one.store.lower(), stem(one.file)), one)
        if one.multi_server and one.owner is None:
            for store in filter(None, (one.store, one.reused_for)):
                shared.setdefault(store.lower(), one.store)
    zone = ZoneInfo(cluster.time_zone) if cluster.time_zone else None
    return _Ground(cluster, copies, shared, zone)


class Directory:
    """Names of one inventory and one catalogue, each looked up in constant time.

    It agrees with `inventory.lookup` and with the planner; build a new one for a new inventory.
    """

    def __init__(self, inventory: Inventory | None, catalogue: Catalogue) -> None:
        self.inventory = inventory
        self.alarms = catalogue.alarms
        clusters = inventory.clusters if inventory else ()
        self._grounds = {cluster.name: _ground(cluster) for cluster in clusters}
        places = [Place(cluster, node) for cluster in clusters for node in cluster.nodes]
        self._names = _unique((name, place) for place in places for name in names_of(place.node))
        self._labels = _unique((name, place) for place in places for name in _labels(place))
        self._cluster_ids = _unique(
            (folded, cluster)
            for cluster in clusters
            for folded in {fold(name) for name in (cluster.name, *cluster.cluster_ids)}
            if folded
        )
        self._stores = {name.lower(): name for name in catalogue.stores}
        self._serves = {
            name: store.trust_of for name, store in catalogue.stores.items() if store.trust_of
        }
        services = [n for n, s in catalogue.stores.items() if s.kind is RuleKind.SERVICE]
        self._services = sorted(services, key=len, reverse=True)
        self._trusts = {n for n, s in catalogue.stores.items() if s.kind is RuleKind.TRUST}
        self._kinds = {name.lower(): kind for name, kind in self.alarms.certificate.items()}
        self._msgnames = {name.lower(): name for name in self.alarms.certificate}
        patterns = (translate(ca.pattern.lower()) for ca in self.alarms.ca_files)
        self._ca_file = re.compile("|".join(patterns) or r"(?!)")
        self._own: dict[CaseKey, list[Certificate]] = {}
        self._copies: dict[CaseKey, list[Certificate]] = {}
        for ground in self._grounds.values():
            for one in ground.cluster.certificates:
                self._list(ground, one)

    def place(self, name: str | None) -> Place | None:
        """Return the node of that name, alias or address; None when it is unknown or fits two."""
        wanted = fold(name) if name else None
        if wanted is None:
            return None
        return self._names[wanted] if wanted in self._names else self._labels.get(wanted)

    def cluster(self, cluster_id: str | None) -> Cluster | None:
        """Return the one cluster with this name, or whose alarms say this ClusterID."""
        wanted = fold(cluster_id) if cluster_id else None
        return self._cluster_ids.get(wanted) if wanted else None

    def cluster_of(self, alarm: CertificateAlarm | UcAlarm) -> Cluster | None:
        """Return the cluster of an alarm: by its node, else by its ClusterID."""
        place = self.place(alarm.node)
        return place.cluster if place else self.cluster(alarm.cluster_id)

    def name_of(self, name: str | None) -> str:
        """Return the inventory's name of a node in lower case, else the claimed name, cleaned."""
        place = self.place(name)
        return place.node.name.lower() if place else claimed_name(name)

    def store_of(self, text: str | None) -> str:
        """Return the store in the rule packs' spelling, else the claimed name, cleaned."""
        if text is None:
            return ""
        return self._stores.get(text.strip().lower()) or claimed_name(text)

    def msgname(self, text: str) -> str:
        """Return an alarm's name as the catalogue spells it, else the claimed name, cleaned."""
        return self._msgnames.get(text.lower()) or claimed_name(text)

    def about(self, msgname: str) -> str:
        """Return what kind of alarm it is, by the catalogue; empty when it is unknown."""
        kind = self._kinds.get(msgname.lower())
        return kind.about.value if kind else ""

    def zone(self, cluster: str) -> ZoneInfo | None:
        """Return the zone of a cluster's nodes, where the inventory has it."""
        ground = self._grounds.get(cluster)
        return ground.zone if ground else None

    def ground(self, cluster: Cluster) -> _Ground:
        """Return what the inventory lists of a cluster."""
        return self._grounds[cluster.name]

    def standing(self, key: CaseKey) -> Standing:
        """Return whether the number of such keys has an end."""
        if key.claimed:
            return Standing.CLAIMED
        ground = self._grounds.get(key.cluster)
        listed = ground is not None and (key.store.lower(), key.identity) in ground.copies
        announced = not key.store and key.identity in self._kinds
        store_known = not key.store or key.store in self._stores.values()
        named = bool(key.identity) and not listed and not announced
        return Standing.KNOWN if store_known and not named else Standing.NAMED

    def listed(self, key: CaseKey) -> tuple[tuple[Certificate, ...], tuple[Certificate, ...]]:
        """Return what the inventory lists of a case: the certificate itself, and copies of it."""
        whole = replace(key, owner="")
        own = [*self._own.get(key, ()), *(self._own.get(whole, ()) if whole != key else ())]
        return tuple(own), tuple(self._copies.get(key, ()))

    def _list(self, ground: _Ground, one: Certificate) -> None:
        store = self.store_of(one.store)
        if store in self._trusts:
            key = self.copy_key(store, file_stem(one.file) or "~", one.owner, ground)
            self._copies.setdefault(key, []).append(one)
        else:
            self._own.setdefault(_at(ground, self.name_of(one.node), store), []).append(one)

    def served_by(self, alarm: CertificateAlarm) -> str:
        """Return the service store that an alarm without a store is about, by its name.

        Names of such alarms begin with their store's; the longest that fits is meant.
        """
        kind = self._kinds.get(alarm.msgname.lower())
        if kind is None or kind.about is About.EXPIRY:
            return ""
        name = alarm.msgname.lower()
        return next((s for s in self._services if name.startswith(s.lower())), "")

    def copy_key(self, store: str, file: str, said: str | None, ground: _Ground) -> CaseKey:
        """Return the key of a copy in a trust store: its owner's, if it is a node's of the cluster.

        `said` is the owner's name by the message or the inventory.
        """
        service = self.service_of(store)
        owner = self._owner_of(store, file, said, ground) if service else ""
        if owner:
            return _at(ground, owner, service)
        return CaseKey(cluster=ground.cluster.name, owner="", store=store, identity=file)

    def _owner_of(self, store: str, file: str, said: str | None, ground: _Ground) -> str:
        """Return the node of the cluster whose certificate a copy is; empty: nobody's.

        A file that is named as CAs are is a node's only when the node is called like that: there
        may be one such file for each generation, and an old one is not the certificate in use.
        """
        named = self.place(file) or self.place(said)
        listed = ground.copies.get((store.lower(), file))
        if listed and listed.owner and (named or not self._ca_file.match(file)):
            named = self.place(listed.owner)
        return named.node.name.lower() if named and named.cluster is ground.cluster else ""

    def service_of(self, trust_store: str) -> str:
        """Return the service store whose copies a trust store holds; empty: none, or unknown."""
        return self._serves.get(trust_store) or ""


_Item = TypeVar("_Item", Place, Cluster)


def _unique(pairs: Iterable[tuple[str, _Item]]) -> dict[str, _Item | None]:
    """Return what each name stands for; None for a name that fits two."""
    found: dict[str, _Item | None] = {}
    for name, item in pairs:
        if name in found and found[name] is not item:
            found[name] = None
        else:
            found[name] = item
    return found


def _labels(place: Place) -> frozenset[str]:
    names = (place.node.name, *place.node.aliases)
    return frozenset(name.partition(".")[0].lower() for name in names)


def case_key(alarm: CertificateAlarm, directory: Directory) -> CaseKey:
    """Return the key of the certificate that needs action.

    Copies in the trust stores of a cluster belong to the case of their owner in it; a multi-server
    certificate is one for the cluster. Neither text nor severity of the message plays a part.
    """
    cluster = directory.cluster_of(alarm)
    store = directory.store_of(alarm.store) or directory.served_by(alarm)
    if cluster is None:
        return _claimed(alarm, store, directory)
    ground = directory.ground(cluster)
    file = _foreign_file(alarm, store)
    if file:
        return directory.copy_key(store, file, alarm.owner, ground)
    return _own(alarm, store, ground, directory)


def _foreign_file(alarm: CertificateAlarm, store: str) -> str:
    """Return the file where it is not the reporting node's own certificate; empty: it is.

    Where the store's name may be cut, only the file tells: a node's own is called as its store.
    """
    file = file_stem(alarm.certificate)
    if alarm.store_kind is StoreKind.TRUST:
        return file or "~"
    return file if alarm.store_kind is None and file != store.lower() else ""


def _own(alarm: CertificateAlarm, store: str, ground: _Ground, directory: Directory) -> CaseKey:
    place = directory.place(alarm.node)
    owner = directory.name_of(alarm.node)
    if store and (place or store.lower() in ground.shared):
        return _at(ground, owner, store)
    identity = "" if store else _announced(alarm, directory)
    return CaseKey(cluster=ground.cluster.name, owner=owner, store=store, identity=identity,
                   claimed=place is None)  # fmt: skip


def _at(ground: _Ground, owner: str, store: str) -> CaseKey:
    """Return the key of a node's own certificate, or of the one that all nodes share."""
    shared = ground.shared.get(store.lower())
    return CaseKey(cluster=ground.cluster.name, owner="" if shared else owner,
                   store=shared or store)  # fmt: skip


def _announced(alarm: CertificateAlarm, directory: Directory) -> str:
    """Return what tells alarms apart that name no certificate: their name, if it is known."""
    return alarm.msgname.lower() if directory.about(alarm.msgname) else ""


def _claimed(alarm: CertificateAlarm, store: str, directory: Directory) -> CaseKey:
    """Return a key of cleaned claims; the cluster stays empty, for a plan's file is named by it."""
    file, owner = _foreign_file(alarm, store), claimed_name(alarm.node)
    if not file:
        identity = "" if store else _announced(alarm, directory)
        return CaseKey(cluster="", owner=owner, store=store, identity=identity, claimed=True)
    service = directory.service_of(store)
    if alarm.owner is None or not service:
        return CaseKey(cluster="", owner="", store=store, identity=file, claimed=True)
    owner = claimed_name(first_label(alarm.owner, alarm.node))
    return CaseKey(cluster="", owner=owner, store=service, claimed=True)


def event_key(
    alarm: CertificateAlarm, key: CaseKey, directory: Directory, received_at: datetime
) -> str:
    """Return the same key for the same event on every way it comes, and for no other event.

    Envelopes carry or lose host, SEQNUM, PRI and the fraction of a second, so none of them counts.
    The end does: a forged date must not take the place of the true one.
    """
    expiry = alarm.expiry
    end = expiry.day.isoformat() if expiry.day else " ".join((expiry.text or "").split())
    parts = (
        "case", key.cluster, key.owner, key.store, key.identity, key.claimed,
        directory.name_of(alarm.node), (alarm.cluster_id or "").strip().lower(),
        alarm.msgname.lower(), (alarm.store or "").strip().lower(), stem(alarm.certificate or ""),
        _moment(alarm.record, received_at), end,
    )  # fmt: skip
    return _digest(parts)


def evidence_key(event: UcAlarm, raw: RawMessage) -> str:
    """Return the same of an alarm that is evidence for a plan."""
    record = event.record
    parts = (
        "evidence", event.topic or "", claimed_name(event.node), record.appname.lower(),
        record.msgname.lower(), (record.tag("AlertName") or "").lower(),
        _moment(record, raw.received_at),
    )  # fmt: skip
    return _digest(parts)


def _digest(parts: tuple[object, ...]) -> str:
    return sha256(repr(parts).encode()).hexdigest()


def _moment(record: CiscoLogRecord, received_at: datetime) -> str:
    """Return when it happened: the second in UTC, else the text, else the day of receipt.

    A record without any time that comes on both sides of midnight counts twice; one that comes
    again on the same day does not.
    """
    if record.event_time is not None:
        return record.event_time.replace(microsecond=0).isoformat()
    if record.event_time_text:
        return " ".join(_FRACTION.sub("", record.event_time_text).split())
    return f"received on {received_at.date().isoformat()}"


def case_event(
    alarm: CertificateAlarm, message: MessageId, raw: RawMessage, directory: Directory
) -> CaseEvent:
    """Return what is kept of a certificate alarm for good."""
    record, key = alarm.record, case_key(alarm, directory)
    expiry = _placed(alarm.expiry, directory, key)
    return CaseEvent(
        key=event_key(alarm, key, directory, raw.received_at),
        case=key,
        message=message,
        msgname=directory.msgname(alarm.msgname),
        severity=record.severity,
        reporter=directory.name_of(alarm.node),
        event_time=record.event_time,
        received_at=raw.received_at,
        grade=grade_of(raw.origin, alarm),
        way=raw.origin.way,
        envelope=record.envelope,
        state=alarm.state,
        end_day=expiry.day,
        end_earliest=expiry.earliest,
        end_latest=expiry.latest,
        certainty=expiry.certainty,
        about=directory.about(alarm.msgname),
        trust=alarm.store_kind is StoreKind.TRUST,
        raw=record.raw,
        spot=spot_of(alarm, directory),
    )


def spot_of(alarm: CertificateAlarm, directory: Directory) -> str:
    """Return which of a case's certificates an alarm speaks of, by its own words, cleaned.

    Copies of one certificate lie in several stores and under several names; each is cleaned up by
    itself, and so no alarm about one may take the place of an alarm about another.
    """
    store = directory.store_of(alarm.store)
    file = _foreign_file(alarm, store)
    return f"{store}/{file}" if file else store


def _placed(expiry: Expiry, directory: Directory, key: CaseKey) -> Expiry:
    """Return the end as an instant where the inventory knows the zone of the cluster's nodes."""
    zone, day = directory.zone(key.cluster), expiry.day
    if zone is None or day is None or reckonable(day) != day:
        return expiry
    found = _CLOCK.match(expiry.time_text or "")
    if found is None:
        return expiry
    clock = time(int(found[1]), int(found[2]), tzinfo=zone)
    start = datetime.combine(day, clock).astimezone(UTC)
    return replace(expiry, earliest=start, latest=start + timedelta(seconds=59))
