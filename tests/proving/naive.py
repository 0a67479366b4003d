"""The trust model once more, naively: a cluster in one branch, and its trust lists.

Written from the model's document and `docs/steps.md` alone, and sharing no code with the product:
a fault would have to be made twice to go unseen (`independent.py` judges with it). Certificates
are tuples `(store, owner, generation)`; equality stands for cryptography.
"""

import re
from collections import defaultdict
from typing import NamedTuple

from proving.spelling import certificate, publisher

FACING = ("CallManager", "TVS", "CAPF", "ITLRecovery")
IDENTITIES = ("CallManager", "CallManager-ECDSA", "TVS", "tomcat", "tomcat-ECDSA", "ipsec")
RUNS = ("TFTP", "CCM", "TVS", "CAPF")
TOKENS = frozenset({("token", "", 1), ("token", "", 2)})
NOTHING = frozenset()


class Itl(NamedTuple):
    """A trust list of security by default."""

    signer: tuple
    sast: frozenset
    cfg: frozenset
    tvs: frozenset
    capf: frozenset
    blank: bool


class Ctl(NamedTuple):
    """A trust list of mixed mode."""

    signer: tuple
    sast: frozenset
    ccm: frozenset
    capf: frozenset


def release(text):
    """Return (major, minor, maintenance, SU) of a release, for comparison."""
    found = re.match(r"(\d+)(?:\.(\d+))?(?:\((\d+)\))?(?:SU(\d+))?", text)
    return tuple(int(part or 0) for part in found.groups())


class World:
    """The cluster in one branch: what is on disk, what the processes loaded, what is served."""

    def __init__(self, document, branch):
        cluster = document["cluster"]
        self.branch = branch
        self.release = release(str(cluster["release"]))
        self.mixed = cluster.get("mixed")
        self.replicates = cluster.get("db_replication_ok", True)
        self.licensed = cluster.get("export_controlled_license", True)
        self.p12 = cluster.get("itlrecovery_p12_exported")
        self.tokens = cluster.get("etokens_available", 2 if self.mixed == "etoken" else 0)
        self.nodes = {node["name"]: set(node["roles"]) for node in cluster["nodes"]}
        self.pub = publisher(document)
        self.multi_san = set(cluster.get("multi_san") or ())
        self._set_certificates(document)
        self._set_processes(cluster)
        self._set_peers(document)
        whole = cluster.get("backups", ["current"])
        self.backups = [self.snapshot()] if whole else []

    def _set_certificates(self, document):
        cluster = document["cluster"]
        self.generations = defaultdict(int)
        self.own = {}
        for node in self.nodes:
            for store in (*IDENTITIES, "CAPF"):
                owner = "cluster" if store in self.multi_san else node
                self.own[store, node] = (store, owner, 0)
        if self.has_recovery:
            self.own["ITLRecovery", self.pub] = ("ITLRecovery", self.pub, 0)
        self.started_with = set(self.own.values())
        named = cluster.get("saved_certs")
        self.saved = None if named is None else {self.named(text) for text in named}
        self.expired = {self.named(text) for text in cluster.get("expired") or ()}
        used = {
            ("CAPF", self.pub, g["lsc"]) for g in document["groups"] if g.get("lsc") is not None
        }
        capf = used | {self.own["CAPF", self.pub]}
        self.capf_trust = set(capf)
        self.ccm_trust_disk = set(capf)
        self.ccm_trust = {node: set(capf) for node in self.nodes}
        self.uploaded = set()

    def _set_processes(self, cluster):
        self.up = {(s, n) for n, roles in self.nodes.items() for s in RUNS if s in roles}
        self.rollback = bool(cluster.get("rollback_pre80"))
        self.blank = dict.fromkeys(self.nodes, self.rollback)
        self.tvs_since_rollback = set(self.nodes) if self.rollback else set()
        self.key, self.itl, self.shown, self.tvs_own, self.db, self.drf = {}, {}, {}, {}, {}, {}
        self.capf_loaded = None
        self.ctl = self.built_ctl() if self.mixed else None
        self.reload_everything()

    def _set_peers(self, document):
        self.trusted = {"RADIUS": {}, "VPN": {}}
        self.headend = {}
        for peer in document.get("external") or ():
            if peer.get("kind") in self.trusted:
                named = {self.named(text) for text in peer.get("trusted") or ()}
                self.trusted[peer["kind"]][peer.get("name", peer["kind"])] = named
        for kind, peers in self.trusted.items():
            if not peers:
                peers[kind] = set(self.ccm_trust_disk)
        self.headend = dict.fromkeys(self.trusted["VPN"], 0)
        self.vpn_store = frozenset((name, "", 0) for name in self.headend)

    # What the release decides (1.1) --------------------------------------------------------

    @property
    def has_recovery(self):
        """Tell whether there is an ITLRecovery certificate."""
        return self.release >= (10,)

    @property
    def recovery_signs(self):
        """Tell whether ITLRecovery signs (12.0 and later)."""
        return self.release >= (12,)

    @property
    def itl_localkey_signer(self):
        """Return who signs after `itl_localkey`, if anybody."""
        if self.recovery_signs:
            return self.own["CallManager", self.pub]
        return self.own["ITLRecovery", self.pub] if self.has_recovery else None

    @property
    def ctl_localkey_signer(self):
        """Return who signs after `ctl_localkey`, if anybody."""
        return self.itl_localkey_signer if self.release >= (10, 5, 2) else None

    # Files (1.4) -----------------------------------------------------------------------------

    def built_itl(self, node, signer=None):
        """Return the ITL that `node` builds from the certificates on disk."""
        mine = self.own["CallManager", node]
        cfg = {mine}
        if self.branch["U1"] == "all":
            cfg |= {
                self.own["CallManager", n] for n, roles in self.nodes.items() if "TFTP" in roles
            }
        recovery = {self.own["ITLRecovery", self.pub]} if self.has_recovery else set()
        if signer is None:
            signer = self.own["ITLRecovery", self.pub] if self.recovery_signs else mine
        sast = frozenset(cfg | recovery)
        if self.blank[node]:
            return Itl(signer, sast, NOTHING, NOTHING, NOTHING, blank=True)
        tvs = frozenset(self.own["TVS", n] for n in self.nodes)
        capf = frozenset({self.own["CAPF", self.pub]})
        return Itl(signer, sast, frozenset(cfg), tvs, capf, blank=False)

    def built_ctl(self, signer=None):
        """Return the CTL that the certificates on disk give."""
        ours = self.own["CallManager", self.pub]
        recovery = {self.own["ITLRecovery", self.pub]} if self.has_recovery else set()
        if self.mixed == "etoken":
            first = ("token", "", 1)
            sast = TOKENS | (recovery | {ours} if self.release >= (11, 5) else set())
        else:
            first = next(iter(recovery)) if self.recovery_signs else ours
            sast = {ours} | (recovery if self.release >= (10, 5, 2) else set())
        ccm = frozenset(self.own["CallManager", n] for n in self.nodes)
        capf = frozenset({self.own["CAPF", self.pub]})
        return Ctl(signer or first, frozenset(sast), ccm, capf)

    def ctl_is_current(self):
        """Tell whether the records of the CTL are those of the certificates on disk."""
        return self.ctl[1:] == self.built_ctl()[1:]

    # Processes (2.5) -------------------------------------------------------------------------

    def known_to_tvs(self):
        """Return what a TVS that reloads now would vouch for."""
        found = set(self.own.values()) | self.capf_trust | self.ccm_trust_disk | self.uploaded
        if self.ctl:
            found |= {self.ctl.signer} | self.ctl.sast | self.ctl.ccm | self.ctl.capf
        return frozenset(found)

    def load_tvs(self, node):
        """Let a TVS take up its certificate and what it vouches for."""
        self.tvs_own[node] = self.own["TVS", node]
        if self.replicates or node not in self.db:
            self.db[node] = self.known_to_tvs()
        else:
            mine = {c for (_, owner), c in self.own.items() if owner == node}
            self.db[node] = self.db[node] | mine

    def load_tftp(self, node):
        """Let a TFTP server take up its key and build its ITL."""
        self.key[node] = self.own["CallManager", node]
        self.itl[node] = self.built_itl(node)

    def load_ccm(self, node):
        """Let a CallManager take up its certificate and the LSC issuers."""
        self.shown[node] = self.own["CallManager", node]
        self.ccm_trust[node] = set(self.ccm_trust_disk)

    def load_drf(self, service, node):
        """Let a DRF process take up its certificate and the publisher's."""
        store = "tomcat" if self.release >= (14,) else "ipsec"
        self.drf[service, node] = (self.own[store, node], self.own[store, self.pub])

    def reload_everything(self):
        """Start every process anew."""
        for node in self.nodes:
            self.load_tvs(node)
            self.load_tftp(node)
            self.load_ccm(node)
            self.load_drf("DRFLocal", node)
        self.load_drf("DRFMaster", self.pub)
        self.capf_loaded = self.own["CAPF", self.pub]

    def drf_ok(self):
        """Tell whether a backup would succeed."""
        store = "tomcat" if self.release >= (14,) else "ipsec"
        wanted = {("DRFLocal", node): node for node in self.nodes} | {
            ("DRFMaster", self.pub): self.pub
        }
        current = all(
            self.drf[process] == (self.own[store, node], self.own[store, self.pub])
            for process, node in wanted.items()
        )
        return current and not self.expired & {self.own[store, node] for node in self.nodes}

    def service(self, deed, service, node):
        """Stop, start or restart a service; one that the node does not run is left alone."""
        if service.startswith("DRF"):
            if deed != "stop":
                self.load_drf(service, node)
            return
        if service not in self.nodes[node]:
            return
        if deed == "stop":
            self.up.discard((service, node))
            return
        self.up.add((service, node))
        {"TVS": self._tvs_started, "TFTP": self._tftp_started, "CCM": self.load_ccm,
         "CAPF": self._capf_started}[service](node)  # fmt: skip

    def _tvs_started(self, node):
        self.load_tvs(node)
        if self.rollback:
            self.tvs_since_rollback.add(node)

    def _tftp_started(self, node):
        self.blank[node] = self.rollback
        self.load_tftp(node)

    def _capf_started(self, _):
        self.capf_loaded = self.own["CAPF", self.pub]

    # Certificates ----------------------------------------------------------------------------

    def renew(self, store, node):
        """Give a store a new certificate; return what changed as (store, node)."""
        self.generations[store, node] += 1
        generation = self.generations[store, node]
        shared = node == "cluster" or store in self.multi_san
        if shared:
            self.multi_san.add(store)
            self.generations[store, "cluster"] = generation = self.generations[store, "cluster"] + 1
        places = list(self.nodes) if shared else [node]
        for place in places:
            self.own[store, place] = (store, "cluster" if shared else place, generation)
        if store == "CAPF" and self.pub in places:
            self._new_capf()
        self._notice(store, places)
        return {(store, place) for place in places}

    def _new_capf(self):
        new = self.own["CAPF", self.pub]
        self.capf_trust.add(new)
        self.ccm_trust_disk.add(new)
        for trust in self.ccm_trust.values():
            trust.add(new)
        if self.release >= (12, 5):
            self.capf_loaded = new

    def _notice(self, store, places):
        """Let running processes take up a change as far as release and branch say so."""
        running = {node for service, node in self.up if service == "TVS"}
        if self.branch["U3"] == "at-once" or (store == "ITLRecovery" and self.release >= (12, 5)):
            woken = running
        else:
            woken = running & set(places) if store == "TVS" and self.release >= (12, 5) else set()
        for node in woken:
            self.load_tvs(node)
        if store == "CallManager" and self.release >= (14, 0, 0, 1):
            for node in places:
                self.shown[node] = self.own[store, node]
        if self.branch["U2"] == "at-once" and store in FACING:
            for node in [node for service, node in self.up if service == "TFTP"]:
                self.load_tftp(node)

    def named(self, text):
        """Return the certificate that a name of the steps file means."""
        store, node, generation = certificate(text)
        if store in {"CAPF", "ITLRecovery"}:
            node = node or self.pub
        if generation is None:
            return self.own.get((store, node), (store, node or "", 0))
        if store in self.multi_san:
            node = "cluster"
        return (store, node or "", generation)

    def upload_trust(self, trust, cert):
        """Add a certificate to a trust store, if somebody has a copy of it."""
        ours = cert[0] in (*IDENTITIES, "CAPF", "ITLRecovery")
        kept = self.saved is None and cert in self.started_with
        if ours and not (kept or cert in (self.saved or ()) or cert in self.own.values()):
            return  # nobody has a copy
        if trust == "CallManager-trust":
            self.ccm_trust_disk.add(cert)
        if trust == "CAPF-trust":
            self.capf_trust.add(cert)
        if trust == "Phone-VPN-trust":
            self.vpn_store |= {cert}
        self.uploaded.add(cert)
        self._notice(trust, [])

    def delete_trust(self, trust, cert):
        """Remove a certificate from one trust store, or from all."""
        if trust in {"", "CAPF-trust"}:
            self.capf_trust.discard(cert)
        if trust in {"", "CallManager-trust"}:
            self.ccm_trust_disk.discard(cert)
            for held in self.ccm_trust.values():
                held.discard(cert)
        self.uploaded.discard(cert)
        self._notice(trust, [])

    # Lists signed by hand, backup ------------------------------------------------------------

    def ctl_update(self):
        """Build the CTL anew, where that is possible."""
        if self.mixed == "etoken":
            possible = self.tokens > 0 and self.release < (14,)
        else:
            possible = self.licensed or self.release < (12, 5)
        if self.mixed and possible:
            self.ctl = self.built_ctl()

    def ctl_localkey(self):
        """Build the CTL anew, signed with the other key."""
        if self.mixed == "tokenless" and self.ctl_localkey_signer:
            self.ctl = self.built_ctl(self.ctl_localkey_signer)

    def push_itl(self, signer):
        """Serve the publisher's ITL everywhere, signed by another."""
        if signer is not None:
            made = self.built_itl(self.pub, signer)
            self.itl = dict.fromkeys(self.itl, made)

    def face(self):
        """Return all that a phone meets, to see whether it has changed."""
        trusts = {node: frozenset(trust) for node, trust in self.ccm_trust.items()}
        peers = {k: {n: frozenset(t) for n, t in v.items()} for k, v in self.trusted.items()}
        return (frozenset(self.up), self.ctl, dict(self.itl), dict(self.key), dict(self.tvs_own),
                dict(self.db), dict(self.shown), trusts, peers, dict(self.headend),
                self.vpn_store)  # fmt: skip

    def snapshot(self):
        """Return what a backup would hold."""
        return (dict(self.own), set(self.capf_trust), set(self.ccm_trust_disk),
                set(self.uploaded), self.vpn_store, self.ctl)  # fmt: skip

    def backup(self):
        """Take a backup, if it succeeds."""
        if self.drf_ok():
            self.backups.append(self.snapshot())

    def restore(self):
        """Go back to the newest backup; return what changed by it."""
        if not self.backups:
            return set()
        before = dict(self.own)
        own, capf, ccm, uploaded, vpn, self.ctl = self.backups[-1]
        self.own, self.capf_trust, self.ccm_trust_disk = dict(own), set(capf), set(ccm)
        self.uploaded, self.vpn_store = set(uploaded), vpn
        self.reload_everything()
        return {place for place, cert in self.own.items() if before[place] != cert}
