"""What a release does with trust lists; derived once from its number (trust facts, 1.1)."""

from dataclasses import dataclass

from watcher.model.release import Release, ReleaseRange

_RECOVERY_KEY = ReleaseRange.parse(">=10.0")
_SECOND_ANCHOR = ReleaseRange.parse(">=10.5(2)")
_TOKENS_BESIDE_SERVERS = ReleaseRange.parse(">=11.5")
_RECOVERY_SIGNS = ReleaseRange.parse(">=12.0")
_SERVICES_RELOAD = ReleaseRange.parse(">=12.5")
_NO_CTL_CLIENT = ReleaseRange.parse(">=14")
_ECDSA_BACKUP = ReleaseRange.parse(">=14SU2")
_TFTP_FOLLOWS = ReleaseRange.parse(">=15")
_LIVE_CALLMANAGER = ReleaseRange.parse(">=14SU1")
"""On 14 itself the sources disagree: the stricter one asks for the restart (D3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The switches of one release; S1 to S31 are the sources of `docs/trust.md`."""

    release: Release
    recovery_key: bool
    """ITLRecovery exists and is a second signer that phones know (10.0; S18)."""
    recovery_signs: bool
    """ITLRecovery signs ITL and tokenless CTL (12.0; S2, S7)."""
    second_ctl_anchor: bool
    """A tokenless CTL lists ITLRecovery beside the publisher's CallManager (10.5(2); S6)."""
    tokens_beside_servers: bool
    """An eToken CTL lists ITLRecovery and CallManager too (11.5; S4, S6)."""
    services_reload: bool
    """TVS, CAPF and ITLRecovery renewals reload their service by themselves (12.5; S4, S5)."""
    single_recovery: bool
    """ITLRecovery is generated on the publisher only (12.5; S2)."""
    live_callmanager: bool
    """CallManager presents its new certificate without a restart (14SU1; S4, S17)."""
    tftp_restart: bool
    """TFTP is restarted after a CallManager renewal (until 14; S1, S2; not from 15: S16)."""
    interaction_parameter: bool
    """*Phone Interaction on Certificate Update* exists (14; S4)."""
    backup_by_tomcat: bool
    """DRS uses the tomcat certificate, not ipsec (14; S4, S24)."""
    backup_by_ecdsa: bool
    """DRS uses tomcat-ECDSA as well (14SU2; S4, D7)."""
    ctl_client: bool
    """The CTL client exists, so that an eToken CTL can be updated (until 12.5; S4)."""
    licensed_ctl: bool
    """The CTL update asks for an export-controlled licence (12.5; S14)."""


def profile(release: Release) -> Profile:
    """Return the switches of a release."""
    return Profile(
        release=release,
        recovery_key=_RECOVERY_KEY.matches(release),
        recovery_signs=_RECOVERY_SIGNS.matches(release),
        second_ctl_anchor=_SECOND_ANCHOR.matches(release),
        tokens_beside_servers=_TOKENS_BESIDE_SERVERS.matches(release),
        services_reload=_SERVICES_RELOAD.matches(release),
        single_recovery=_SERVICES_RELOAD.matches(release),
        live_callmanager=_LIVE_CALLMANAGER.matches(release),
        tftp_restart=not _TFTP_FOLLOWS.matches(release),
        interaction_parameter=_NO_CTL_CLIENT.matches(release),
        backup_by_tomcat=_NO_CTL_CLIENT.matches(release),
        backup_by_ecdsa=_ECDSA_BACKUP.matches(release),
        ctl_client=not _NO_CTL_CLIENT.matches(release),
        licensed_ctl=_SERVICES_RELOAD.matches(release),
    )
