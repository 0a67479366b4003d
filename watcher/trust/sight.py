"""What phones see of the cluster at one moment (trust facts, 2.2 to 2.4).

Many groups see the same TVS, CallManager and parties outside: each is looked at once.
"""

from collections.abc import Iterable

from watcher.trust.change import ANYTHING, CTL, Part
from watcher.trust.lists import NOTHING, Certificates
from watcher.trust.names import Certificate, Service
from watcher.trust.phone import Ccm, Verifier, View
from watcher.trust.scenario import Dot1x, Group, PeerKind, secure
from watcher.trust.world import Tftp, World

Team = tuple[str, ...]
"""A CallManager group: nodes in the phones' order."""


class Sight:
    """What phones see; what a step touched is looked at again (`forget`), the rest is known."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._verifiers: dict[tuple[Team, str | None], tuple[tuple[str, Verifier], ...]] = {}
        self._each: dict[tuple[str, str | None], tuple[str, Verifier] | None] = {}
        self._callers: dict[tuple[Team, bool], tuple[tuple[str, Ccm], ...]] = {}
        self._trust: dict[PeerKind, Certificates] = {}

    def forget(self, touched: Iterable[Part]) -> None:
        """Look again at what a step changed; `touched` is what `change.apply` returned."""
        self._trust.clear()
        for service, node in touched:
            if service in _SIGNING:
                # Whom a TVS must know hangs on who signs what is served.
                self._each.clear()
                self._verifiers.clear()
            if service == Service.TVS:
                self._verifiers.clear()
                self._each = {key: one for key, one in self._each.items() if key[0] != node}
            if service in _CALLING:
                self._callers.clear()

    def view(self, group: Group) -> View:
        """Return what a phone of a group sees."""
        world, scenario = self.world, self.world.scenario
        server, files = None, None
        for node in group.tftp:
            if (Service.TFTP, node) in world.up:
                server, files = node, world.tftp[node]
                break
        mode = world.profiles[group.name]
        return View(
            files is not None,
            files.key if files else None,
            files.itl if files and group.sbd else None,
            world.ctl,
            self._tvs(group.cm_group, server, files) if group.sbd else (),
            self._ccm(group.cm_group, secure(mode) or secure(group.mode)),
            mode,
            world.vpn_trust if group.vpn else NOTHING,
            self._trusted(PeerKind.RADIUS) if group.dot1x is Dot1x.LSC else None,
            world.headend if group.vpn else None,
            self._trusted(PeerKind.VPN) if group.vpn else NOTHING,
            world.branch.tvs_vouches_for_ctl,
            world.branch.itl_suffices_for_tls,
            NOTHING if world.branch.expired_accepted else scenario.expired,
        )

    def _tvs(
        self, team: Team, server: str | None, files: Tftp | None
    ) -> tuple[tuple[str, Verifier], ...]:
        """Return each running TVS: what it shows, and whom it knows of those who sign files."""
        found = self._verifiers.get((team, server))
        if found is None:
            seen = [self._verifier(node, server, files) for node in team]
            found = tuple(one for one in seen if one is not None)
            self._verifiers[(team, server)] = found
        return found

    def _verifier(
        self, node: str, server: str | None, files: Tftp | None
    ) -> tuple[str, Verifier] | None:
        key = (node, server)
        if key not in self._each:
            signers = {files.key, files.itl.signer} if files else set()
            if self.world.ctl is not None:
                signers.add(self.world.ctl.signer)
            tvs = self.world.tvs.get(node) if (Service.TVS, node) in self.world.up else None
            known = Verifier(tvs.own, tvs.known.intersection(signers)) if tvs else None
            self._each[key] = (node, known) if known else None
        return self._each[key]

    def _ccm(self, team: Team, tls: bool) -> tuple[tuple[str, Ccm], ...]:  # noqa: FBT001 -- a key
        """Return each running CallManager; without TLS nobody looks at its certificate."""
        found = self._callers.get((team, tls))
        if found is None:
            shown, issuers = self.world.shown, self.world.issuers
            found = tuple(
                (node, Ccm(shown[node], issuers[node]) if tls else _ANY)
                for node in team
                if (Service.CCM, node) in self.world.up
            )
            self._callers[(team, tls)] = found
        return found

    def _trusted(self, kind: PeerKind) -> Certificates:
        """Return what every party of a kind trusts."""
        found = self._trust.get(kind)
        if found is None:
            peers = [peer for peer in self.world.scenario.peers if peer.kind is kind]
            trusted = [self.world.trusted[peer.name] for peer in peers]
            found = self._trust[kind] = frozenset.intersection(*trusted) if trusted else NOTHING
        return found


_SIGNING = frozenset((Service.TFTP, CTL[0], ANYTHING[0]))
_CALLING = frozenset((Service.CCM, ANYTHING[0]))
_ANY = Ccm(Certificate(""), NOTHING)
