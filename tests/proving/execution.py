"""One order in one branch: step by step, with the hard invariants checked at each.

After every step any phone may reboot: a group's held state is the set of what its phones may
hold by then. Nothing here is shared with the product's prover.
"""

from proving.naive import FACING, World
from proving.phones import boot, completed, first_held, reissued
from proving.spelling import deeds

CHANGES = {
    "regen", "upload_signed", "upload_trust", "delete_trust", "delete", "rollback", "lsc_reissue",
    "ctl_update", "ctl_localkey", "itl_localkey", "itl_remotekey",
}  # fmt: skip
IN_CTL = {"CallManager", "CAPF", "ITLRecovery"}
TOOK = {"ok", "unregistered"}


class Run:
    """One order in one branch."""

    def __init__(self, document, branch):
        self.world = World(document, branch)
        self.groups = {group["name"]: completed(group) for group in document["groups"]}
        self.first = {n: first_held(self.world, g) for n, g in self.groups.items()}
        self.held = {n: {self.first[n]} for n, g in self.groups.items() if g["online"]}
        self.dirty = {name: set() for name in self.held}
        self.under_blank = {name: set() for name in self.held}
        self.steps = [
            (number, deed)
            for number, line in enumerate(document["steps"], 1)
            for deed in deeds(line, document)
        ]
        self.at = 0
        self.face, self.seen = self.world.face(), {}
        self.settled = {}  # groups that no further reboot changes: whether any phone is refused
        self.why, self.failures, self.windows = set(), set(), set()
        self.changed, self.ctl_changed = False, False
        self.ever_rolled_back = self.world.rollback
        if self.world.rollback and self.world.mixed:
            self.breaks("I-8")

    @property
    def number(self):
        """Return the number of the step now executed."""
        return self.steps[self.at][0] if self.at < len(self.steps) else len(self.steps)

    def breaks(self, invariant, group=""):
        """Note a broken invariant."""
        self.why.add((invariant, self.number, group))

    def execute(self):
        """Take all steps."""
        for at, (_, deed) in enumerate(self.steps):
            self.at = at
            self.check_backup(deed)
            getattr(self, f"do_{deed[0]}", self.do_other)(*deed[1:])
            self.forget()
            self.check_lists()
            if deed[0] != "barrier":
                self.reboot(self.held)
            self.note_windows()

    # Phones ----------------------------------------------------------------------------------

    def boots(self, name):
        """Yield each phone of a group, what it would hold after a reboot, and what came of it."""
        for phone in self.held[name]:
            if (name, phone) not in self.seen:
                self.seen[name, phone] = boot(self.world, self.groups[name], phone)
            yield phone, *self.seen[name, phone]

    def forget(self):
        """Boot phones afresh when anything that a phone meets has changed."""
        face = self.world.face()
        if face != self.face:
            self.face, self.seen, self.settled = face, {}, {}

    def reboot(self, names):
        """Let any phone of some groups reboot, or not."""
        for name in names:
            if name not in self.settled:
                results = list(self.boots(name))
                more = {after for _, after, _ in results}
                if more <= self.held[name]:
                    self.settled[name] = any(came == "locked" for *_, came in results)
                self.held[name] |= more

    def note_windows(self):
        """Note who would be refused now."""
        for name in self.held:
            refused = self.settled.get(name)
            if refused is None:
                refused = any(came == "locked" for *_, came in self.boots(name))
            if refused:
                self.windows.add((name, self.number))

    def do_barrier(self, names):
        """Reset phones and wait for them."""
        chosen = [name for name in self.held if names is None or name in names]
        self.check_barrier(chosen)
        for name in chosen:
            results = list(self.boots(name))
            self.held[name] = {after for _, after, _ in results}
            self.settled.pop(name, None)
            if any(came == "locked" for *_, came in results):
                self.failures.add((name, self.number))
                self.breaks("I-1", name)
            if all(came in TOOK for *_, came in results):
                self.dirty[name].clear()
                self.under_blank[name].clear()
        self.reboot([name for name in self.held if name not in chosen])

    # Steps -----------------------------------------------------------------------------------

    def do_regen(self, store, node):
        """Renew a certificate."""
        if store in FACING and self.world.rollback and not self.blank_everywhere():
            self.breaks("I-8")
        changed = self.world.renew(store, node)
        self.ctl_changed |= store in IN_CTL
        self.soil(changed)
        self.check_stores()

    do_upload_signed = do_regen

    def soil(self, changed):
        """Count certificates as changed since the last barrier of each group.

        Exemption (i) of I-2 and I-3 belongs to the change: a phone that held a blank list then
        takes whatever comes, and what comes lists the new certificate. Setting the parameter back
        needs one barrier (I-8), not another one before it (S1).
        """
        new = {(store, node) for store, node in changed if store in FACING}
        for name in self.held:
            self.dirty[name] |= new
            if self.all_blank(name):
                self.under_blank[name] |= new
            else:
                self.under_blank[name] -= new

    def do_rollback(self, on):
        """Set or clear the rollback parameter."""
        if on and not self.world.rollback:
            self.ever_rolled_back = True
            self.world.tvs_since_rollback = set()
            refused = [n for n in self.held if any(c == "locked" for *_, c in self.boots(n))]
            if refused or self.world.mixed:
                self.breaks("I-8")
        self.world.rollback = on

    def do_delete(self, _store, _node):
        """Delete an identity certificate, which nobody may."""
        self.breaks("I-14")

    def do_delete_trust(self, trust, text):
        """Delete a trusted certificate."""
        cert = self.world.named(text)
        if cert in self.world.own.values():
            self.breaks("I-14")
        users = {phone.lsc for phones in self.held.values() for phone in phones}
        users |= {phone.lsc for name, phone in self.first.items() if name not in self.held}
        if trust in {"", "CAPF-trust", "CallManager-trust"} and cert in self.issuers(users):
            self.breaks("I-9")
        self.world.delete_trust(trust, cert)

    def issuers(self, generations):
        """Return the CAPF certificates of some generations."""
        return {("CAPF", self.world.pub, one) for one in generations if one is not None}

    def do_upload_trust(self, trust, text):
        """Upload a certificate to be trusted."""
        self.world.upload_trust(trust, self.world.named(text))

    def do_lsc_reissue(self, name):
        """Give the phones of a group new LSCs."""
        if name not in self.held:
            return
        group, phones = self.groups[name], self.held[name]
        self.check_admission(group, phones)
        self.check_capf(name)
        self.held[name] = {reissued(self.world, group, phone) for phone in phones}
        self.settled.pop(name, None)

    def do_tell(self, peer, text):
        """Let a peer trust a certificate."""
        for kind, peers in self.world.trusted.items():
            for name, trusted in peers.items():
                if peer in {kind, name}:
                    trusted.add(self.world.named(text))

    def do_replace_headend(self, peer):
        """Let a VPN headend show its next certificate."""
        for name in self.world.headend:
            if peer in {"VPN", name}:
                self.world.headend[name] += 1

    def do_drs_restore(self):
        """Go back to the newest backup."""
        self.soil(self.world.restore())

    def do_other(self, *_):
        """Do what the cluster alone is concerned with."""
        world, (_, (word, *rest)) = self.world, self.steps[self.at]
        if word in {"stop", "start", "restart"}:
            world.service(word, *rest)
        elif word in {"ctl_update", "ctl_localkey"}:
            getattr(world, word)()
            self.check_signer()
        elif word == "itl_localkey":
            world.push_itl(world.itl_localkey_signer)
        elif word == "itl_remotekey" and world.p12 is not None:
            world.push_itl(("ITLRecovery", world.pub, world.p12))
        elif word == "export_p12" and world.has_recovery:
            world.p12 = world.own["ITLRecovery", world.pub][2]
        elif word == "drs_backup":
            world.backup()

    # Invariants ------------------------------------------------------------------------------

    def check_backup(self, deed):
        """I-11: a backup of what is there, before the first change."""
        if deed[0] in CHANGES and not self.changed:
            self.changed = True
            if not any(backup[0] == self.world.own for backup in self.world.backups):
                self.breaks("I-11")

    def check_barrier(self, names):
        """I-7 and the end of I-2: what must be served, and known to TVS, when phones reset."""
        world = self.world
        if world.mixed and self.ctl_changed and not world.ctl_is_current():
            self.breaks("I-7")
        for name in names:
            for node in self.changed_signers(name):
                if not any(
                    world.own["CallManager", node] in world.db[n] for n in self.clean_tvs(name)
                ):
                    self.breaks("I-2", name)

    def check_lists(self):
        """I-2 to I-6 after a step: what may be dirty together."""
        for name, group in self.groups.items():
            if name not in self.held:
                continue
            signers = self.changed_signers(name)
            if signers and not self.clean_tvs(name):
                self.breaks("I-2", name)
            if len(signers) > 1:
                self.breaks("I-3", name)
            self.check_recovery(name, group)
            if not group["sbd"] and self.world.mixed and not self.knows_ctl_signer(name):
                self.breaks("I-6", name)

    def check_recovery(self, name, group):
        """I-4 and I-5: ITLRecovery changes alone."""
        world, dirty = self.world, self.dirty[name]
        if ("ITLRecovery", world.pub) not in dirty or not (group["sbd"] or world.mixed):
            return
        callmanagers = {("CallManager", node) for node in {*group["tftp"], world.pub}}
        every_tvs = {("TVS", node) for node in group["cm_group"]}
        if world.recovery_signs and (callmanagers & dirty or every_tvs <= dirty):
            self.breaks("I-4", name)
        if world.mixed == "tokenless" and ("CallManager", world.pub) in dirty:
            self.breaks("I-5", name)

    def knows_ctl_signer(self, name):
        """Tell whether every phone of a group that holds a CTL has its signer in it."""
        signer = self.world.ctl.signer
        return all(p.ctl is None or signer in p.ctl.sast for p in self.held[name])

    def check_signer(self):
        """I-5 below 12.0: the publisher's CallManager signs the CTL of a tokenless cluster."""
        if self.world.mixed != "tokenless" or self.world.recovery_signs:
            return
        for name in self.held:
            group = self.groups[name]
            single = self.world.release < (10, 5, 2) and group["sbd"] and group["tvs_reachable"]
            if not self.knows_ctl_signer(name) and not single:
                self.breaks("I-5", name)

    def changed_signers(self, name):
        """Return the TFTP servers of a group whose CallManager is dirty, unless exempt.

        Below 12.0 only, for phones that keep an ITL.
        """
        group = self.groups[name]
        if self.world.recovery_signs or not group["sbd"]:
            return []
        unknown = self.dirty[name] - self.under_blank[name]
        changed = [t for t in group["tftp"] if ("CallManager", t) in unknown]
        return [] if changed and self.exempt(name) else changed

    def clean_tvs(self, name):
        """Return the nodes of a group that could vouch with an unchanged certificate."""
        group = self.groups[name]
        return [
            n
            for n in group["cm_group"]
            if group["tvs_reachable"]
            and ("TVS", n) not in self.dirty[name]
            and ("TVS", n) in self.world.up
        ]

    def exempt(self, name):
        """Tell whether phones accept anything, or tokens carry their trust."""
        return self.all_blank(name) or self.shielded()

    def all_blank(self, name):
        """Tell whether every phone of a group holds a blank ITL."""
        return all(phone.itl is not None and phone.itl.blank for phone in self.held[name])

    def shielded(self):
        """Tell whether an eToken CTL covers what changed, before the phones reset."""
        world = self.world
        if world.mixed != "etoken" or world.tokens < 1 or world.release >= (14,):
            return False
        if world.ctl_is_current():
            return True
        for _, (word, *_) in self.steps[self.at :]:
            if word in {"barrier", "ctl_update"}:
                return word == "ctl_update"
        return False

    def check_stores(self):
        """I-13 below 12.0: one store that phones see between two barriers."""
        if self.world.recovery_signs:
            return
        for name, dirty in self.dirty.items():
            group = self.groups[name]
            if group["sbd"] and len({store for store, _ in dirty}) > 1 and not self.exempt(name):
                nodes = {node for _, node in dirty}
                other_tftp = set(group["tftp"]) - nodes
                if len(nodes) > 1 or not other_tftp or not self.clean_tvs(name):
                    self.breaks("I-13", name)

    def blank_everywhere(self):
        """I-8: tell whether blank lists are served and held."""
        world = self.world
        served = all(world.blank[node] for service, node in world.up if service == "TFTP")
        restarted = {n for service, n in world.up if service == "TVS"} <= world.tvs_since_rollback
        return served and restarted and all(self.all_blank(n) for n in self.keepers())

    def keepers(self):
        """Return the online groups that keep an ITL."""
        return [name for name in self.held if self.groups[name]["sbd"]]

    def check_admission(self, group, phones):
        """I-10: RADIUS and VPN trust the old and the new issuer."""
        needed = self.issuers({phone.lsc for phone in phones})
        needed.add(self.world.own["CAPF", self.world.pub])
        kinds = [
            k for k, asks in (("RADIUS", group["dot1x"] == "LSC"), ("VPN", group["vpn"])) if asks
        ]
        for kind in kinds:
            if not all(needed <= trusted for trusted in self.world.trusted[kind].values()):
                self.breaks("I-10", group["name"])

    def check_capf(self, name):
        """I-12: phones hold the new CAPF, and CAPF runs with it."""
        world = self.world
        capf = world.own["CAPF", world.pub]
        runs = ("CAPF", world.pub) in world.up and world.capf_loaded == capf
        for phone in self.held[name]:
            known = [held.capf for held in (phone.itl, phone.ctl) if held is not None]
            if not runs or (known and not any(capf in one for one in known)):
                self.breaks("I-12", name)

    # End -------------------------------------------------------------------------------------

    def tell(self, found, names):
        """Judge the end, and add what happened to `found` for the branches of these names."""
        for name in self.held:
            if self.lost(name):
                found.stranded[name].update(names)
        self.check_end()
        found.why |= self.why
        found.broken |= {invariant for invariant, *_ in self.why}
        found.barrier_failures |= self.failures
        for window in self.windows:
            if window[0] not in found.stranded or names[0] not in found.stranded[window[0]]:
                found.windows[window].update(names)
        for name, phone in self.first.items():
            _, came = boot(self.world, self.groups[name], phone)
            found.offline[name].update(dict.fromkeys(names, came == "ok"))

    def lost(self, name):
        """Tell whether a phone of a group does not work at the end, and say why."""
        ends = {came for *_, came in self.boots(name)} - {"ok"}
        for came in ends:
            secure = self.groups[name]["mode"] != "non_secure"
            self.breaks("I-15" if came == "unregistered" and secure else "I-1", name)
        return bool(ends)

    def check_end(self):
        """I-7 and I-8 at the end: the CTL is current, the rollback parameter is forgotten."""
        world = self.world
        if world.mixed and self.ctl_changed and not world.ctl_is_current():
            self.breaks("I-7")
        blank = any(world.blank[node] for service, node in world.up if service == "TFTP")
        held = any(p.itl is not None and p.itl.blank for n in self.keepers() for p in self.held[n])
        if self.ever_rolled_back and (world.rollback or blank or held):
            self.breaks("I-8")
