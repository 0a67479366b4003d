"""Certificates of several lists and outputs, one entry for each store, node and file."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from watcher.inventory.lookup import stem
from watcher.inventory.schema import Issuer
from watcher.transcripts.cert import CertFacts
from watcher.transcripts.certlist import CertListFacts, ListedCertificate
from watcher.transcripts.dates import read_time

_COMMON_NAME = re.compile(
    r"(?:^|[,;+/\s])CN\s*=\s*\"?(?P<name>[A-Za-z0-9._-]{1,253})", re.IGNORECASE
)
_MULTI_SERVER = "-ms"
"""What the platform appends to the host name in the CN of a multi-server certificate."""

MOST = 5000
"""Certificates that are taken; a node of a large cluster lists some hundred."""

Entry = dict[str, object]
Key = tuple[str, str, str]
"""Store, node and file, folded; empty where not known."""
Told = tuple[list[str], list[str]]
"""What was taken, and what stays open."""


@dataclass(slots=True)
class Certificates:
    """Entries under (store, node, file), all folded."""

    _found: dict[Key, Entry] = field(default_factory=dict)
    _at: dict[tuple[str, str], list[Key]] = field(default_factory=dict)
    _copies: dict[tuple[str, str], list[Key]] = field(default_factory=dict)
    """Keys by (node, stem of the file), to find a copy by its file alone."""

    def entries(self) -> list[Entry]:
        """Return all entries, in the order they came."""
        return list(self._found.values())

    def take_list(self, facts: CertListFacts, node: str | None, names: dict[str, str]) -> Told:
        """Take a list of one node."""
        if node is None:
            return [], ["which node is this? give --node, or paste `show network cluster` with it"]
        for listed in facts.entries[:MOST]:
            self._listed(listed, node, names)
        ca_signed = sum(entry.issuer is Issuer.CA_SIGNED for entry in facts.entries)
        noun = "certificate" if len(facts.entries) == 1 else "certificates"
        told = f"{node}: {len(facts.entries)} {noun}, {ca_signed} of them CA-signed"
        open_ends = [
            f"line {entry.line}: {entry.file}: the description does not say who signed it"
            for entry in facts.entries
            if entry.issuer is None and not entry.trust
        ]
        if len(facts.entries) > MOST:
            open_ends.append(f"more than {MOST} certificates; the rest is not read")
        return [told], open_ends

    def take_one(
        self, facts: CertFacts, node: str | None, names: dict[str, str], zone: ZoneInfo | None
    ) -> Told:
        """Take one certificate; it needs a store (the command line) and a node."""
        store, file = self._store_and_file(facts, node)
        if store is None:
            return [], ["whose certificate is this? its command line names no store that is known"]
        multi = multi_server(facts, names)
        if node is None and not multi:
            return [], ["which node is this? give --node, or paste `show network cluster` with it"]
        entry = self._entry(store, node, file, multi=bool(multi))
        not_after, why = _not_after(facts, zone)
        entry |= _known(
            issuer=_issuer(facts),
            multi_server=multi,
            not_after=not_after,
            serial_number=facts.serial_number,
            subject=facts.subject,
            issuer_name=facts.issuer,
        )
        place = f"{store} of {node or 'the cluster'}"
        open_ends = [] if not_after else [f"{place}: not_after {facts.not_after_text!r}: {why}"]
        return [f"{place}: {', '.join(sorted(entry.keys() - {'store', 'node'}))}"], open_ends

    def _listed(self, listed: ListedCertificate, node: str, names: dict[str, str]) -> None:
        entry = self._entry(listed.store, node, listed.file, multi=False)
        if listed.trust:
            entry |= _known(owner=names.get(stem(listed.file)))
        else:
            entry |= _known(issuer=listed.issuer)

    def _store_and_file(self, facts: CertFacts, node: str | None) -> tuple[str | None, str | None]:
        name = facts.name or ""
        if "/" in name:
            store, _, file = name.partition("/")
            suffixed = store if not facts.trust or store.endswith("-trust") else f"{store}-trust"
            return suffixed, file or None
        if not facts.trust:
            return (stem(name) and name.removesuffix(".pem")) or None, None
        keys = self._copies.get(((node or "").lower(), stem(name)), [])
        if len(keys) != 1:
            return None, None
        entry = self._found[keys[0]]
        return str(entry["store"]), str(entry["file"])

    def _entry(self, store: str, node: str | None, file: str | None, *, multi: bool) -> Entry:
        """Return the entry to fill; a multi-server certificate is one of the whole cluster."""
        key = self._key(store, node, file)
        if multi and key[1]:
            listed = self._found.pop(key, {})
            self._at.pop(key[:2], None)
            key = (key[0], "", key[2])
            kept = {name: value for name, value in listed.items() if name not in {"store", "node"}}
        else:
            kept = {}
        if key not in self._found:
            self._found[key] = {"store": store, **_known(node=None if multi else node), **kept}
            self._at.setdefault(key[:2], []).append(key)
            self._copies.setdefault((key[1], stem(key[2])), []).append(key)
        entry = self._found[key]
        entry |= _known(file=entry.get("file") or file)
        return entry

    def _key(self, store: str, node: str | None, file: str | None) -> Key:
        """Return the key of the entry that is meant; the file may be known on one side only."""
        place = (store.lower(), (node or "").lower())
        if file is None:
            here = self._at.get(place, [])
            return here[0] if len(here) == 1 else (*place, "")
        nameless = (*place, "")
        return nameless if nameless in self._found else (*place, file.lower())


def multi_server(facts: CertFacts, names: dict[str, str]) -> bool | None:
    """Tell whether a certificate serves several nodes; None when its names do not tell."""
    common = _COMMON_NAME.search(facts.subject or "")
    label = common["name"].partition(".")[0].lower() if common else ""
    if label.endswith(_MULTI_SERVER):
        return True
    nodes = {names[name.lower()] for name in facts.dns_names if name.lower() in names}
    if len(nodes) > 1:
        return True
    return False if facts.dns_names and nodes and len(names) > 1 else None


def _issuer(facts: CertFacts) -> Issuer | None:
    if facts.pem is not None and facts.pem.self_issued is not None:
        return Issuer.SELF_SIGNED if facts.pem.self_issued else Issuer.CA_SIGNED
    if facts.subject is None or facts.issuer is None:
        return None
    return Issuer.SELF_SIGNED if facts.subject == facts.issuer else Issuer.CA_SIGNED


def _not_after(facts: CertFacts, zone: ZoneInfo | None) -> tuple[datetime | None, str]:
    if facts.pem is not None and facts.pem.not_after is not None:
        return facts.pem.not_after, ""
    if facts.not_after_text is None:
        return None, "not printed"
    return read_time(facts.not_after_text, zone)


def _known(**values: object) -> Entry:
    return {key: value for key, value in values.items() if value is not None}
