"""What phones see of the cluster at one moment (trust facts, 2.2 to 2.4).

Many groups see the same TVS, CallManager and parties outside: each is looked at once.
"""

from collections.abc import Iterable

from watcher.trust.change import ANYTHING, CTL, Part
from watcher.trust.lists import NOTHING, Certificates
from watcher.trust.names import Certificate, Service
from watcher.trust.phone import Ccm, Verifier, View
from watcher.trust.scenario import Dot1x, Group, PeerKind, secure
from watcher.trust.world import World

Team = tuple[str, ...]
"""A CallManager group: nodes in the phones' order."""


class Sight:
    """What phones see; what a step touched is looked at again (`forget`), the rest is known."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._teams: dict[tuple[Team, str | None], tuple[tuple[str, Verifier], ...]] = {}
        self._verifiers: dict[str, dict[str | None, Verifier | None]] = {}
        """By node, and by the TFTP server whose signers it is asked about."""
        self._callers: dict[tuple[Team, bool], tuple[tuple[str, Ccm], ...]] = {}
        self._trust: dict[PeerKind, Certificates] = {}

    def forget(self, touched: Iterable[Part]) -> frozenset[Part]:
        """Look again at what a step touched, and return what of it phones see differently.

        `touched` is what `change.apply` returned. A TVS learns many certificates that nobody signs
        with: no phone sees a difference.
        """
        self._trust.clear()
        seen = frozenset(
            part for part in touched if part[0] != Service.TVS or self._differs(part[1])
        )
        for service, node in seen:
            if service in _CALLING:
                self._callers.clear()
            if service in _SIGNING or service == Service.TVS:
                self._teams.clear()
            # Whom a TVS must know hangs on who signs what is served.
            if service == Service.TFTP:
                for known in self._verifiers.values():
                    known.pop(node, None)
            elif service in _SIGNING:
                self._verifiers.clear()
            elif service == Service.TVS:
                self._verifiers.pop(node, None)
        return seen

    def _differs(self, node: str) -> bool:
        """Tell whether a TVS is not as it was when it was looked at, or was never looked at."""
        known = self._verifiers.get(node)
        return known is None or any(one != self._look_at(node, s) for s, one in known.items())

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
            self._tvs(group.cm_group, server) if group.sbd else (),
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

    def _tvs(self, team: Team, server: str | None) -> tuple[tuple[str, Verifier], ...]:
        """Return each running TVS: what it shows, and whom it knows of those who sign files."""
        found = self._teams.get((team, server))
        if found is None:
            seen = ((node, self._verifier(node, server)) for node in team)
            found = tuple((node, one) for node, one in seen if one is not None)
            self._teams[(team, server)] = found
        return found

    def _verifier(self, node: str, server: str | None) -> Verifier | None:
        known = self._verifiers.setdefault(node, {})
        if server not in known:
            known[server] = self._look_at(node, server)
        return known[server]

    def _look_at(self, node: str, server: str | None) -> Verifier | None:
        if (Service.TVS, node) not in self.world.up:
            return None
        files = self.world.tftp[server] if server is not None else None
        signers = {files.key, files.itl.signer} if files else set()
        if self.world.ctl is not None:
            signers.add(self.world.ctl.signer)
        tvs = self.world.tvs[node]
        return Verifier(tvs.own, tvs.known.intersection(signers))

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
