"""What phones do on a reset: the naive reading of 2.2 to 2.4 and 2.6 of the trust model.

`world` is a `proving.naive.World`; `group` is a phone group as `completed` returns it.
"""

from typing import NamedTuple

from proving.naive import NOTHING, Ctl, Itl

FOREIGN = frozenset({("foreign", "", 0)})


class Phone(NamedTuple):
    """What one phone holds."""

    itl: Itl | None
    ctl: Ctl | None
    cached: tuple
    vpn_trust: frozenset
    lsc: int | None


def admitted(world, group, phone):
    """Tell whether the network lets the phone in: 802.1X, then VPN."""
    lsc = ("CAPF", world.pub, phone.lsc)
    if group["dot1x"] == "LSC":
        radius = world.trusted["RADIUS"].values()
        if phone.lsc is None or not all(lsc in trusted for trusted in radius):
            return False
    if group["vpn"]:
        shown = {(name, "", generation) for name, generation in world.headend.items()}
        if not shown <= phone.vpn_trust:
            return False
        vpn = world.trusted["VPN"].values()
        return phone.lsc is None or all(lsc in trusted for trusted in vpn)
    return True


def vouched(world, group, phone, cert):
    """Tell whether a TVS that the phone can authenticate knows `cert`."""
    if not group["sbd"] or not group["tvs_reachable"] or phone.itl is None or phone.itl.blank:
        return False
    return any(
        ("TVS", n) in world.up and world.tvs_own[n] in phone.itl.tvs and cert in world.db[n]
        for n in phone.cached
    )


def takes_ctl(world, group, phone):
    """Tell whether the phone accepts the CTL that is served."""
    signer = world.ctl.signer
    if phone.ctl is None and phone.itl is None:
        return True
    if phone.ctl is not None and signer in phone.ctl.sast:
        return True
    if phone.ctl is None and (phone.itl.blank or signer in phone.itl.sast):
        return True
    return world.branch["U5"] == "yes" and vouched(world, group, phone, signer)


def takes_itl(world, group, phone, new):
    """Tell whether the phone accepts the ITL of its TFTP server."""
    if phone.ctl is None and (phone.itl is None or phone.itl.blank):
        return True
    if phone.ctl is not None and new.signer in phone.ctl.sast | phone.ctl.ccm:
        return True
    if phone.itl is not None and new.signer in phone.itl.sast:
        return True
    return vouched(world, group, phone, new.signer)


def takes_config(group, phone, key, vouches):
    """Tell whether the phone accepts a configuration file signed by `key`."""
    ccm = phone.ctl.ccm if phone.ctl is not None else NOTHING
    if not group["sbd"]:
        return phone.ctl is None or key in ccm
    return phone.itl.blank or key in phone.itl.cfg | ccm or vouches(phone, key)


def registers(world, group, phone):
    """Tell whether the phone registers with a node of its CallManager group."""
    return any(
        ("CCM", n) in world.up
        and (group["mode"] == "non_secure" or _secured(world, group, phone, n))
        for n in phone.cached
    )


def _secured(world, group, phone, node):
    known = phone.ctl.ccm if phone.ctl is not None else NOTHING
    if world.branch["U6"] == "ctl-or-itl" and phone.itl is not None:
        known |= phone.itl.cfg
    if world.shown[node] not in known:
        return False
    if phone.lsc is None:
        return group["mic"]
    issuer = ("CAPF", world.pub, phone.lsc)
    alive = issuer not in world.expired and not (group["lsc_expired"] and phone.lsc == group["lsc"])
    return alive and issuer in world.ccm_trust[node]


def boot(world, group, phone):
    """Reset one phone: return what it holds then, and what came of it.

    That is `ok`, `unregistered`, `locked` (a trust file was refused), `no network` or `no TFTP`.
    """
    if not admitted(world, group, phone):
        return phone, "no network"
    server = next((t for t in group["tftp"] if ("TFTP", t) in world.up), None)
    if server is None:
        return phone, "no TFTP"
    before = phone
    if world.mixed:
        if not takes_ctl(world, group, phone):
            return before, "locked"
        phone = Phone(phone.itl, world.ctl, phone.cached, phone.vpn_trust, phone.lsc)
    if group["sbd"]:
        if not takes_itl(world, group, phone, world.itl[server]):
            return before, "locked"
        phone = Phone(world.itl[server], phone.ctl, phone.cached, phone.vpn_trust, phone.lsc)
    if not takes_config(
        group, phone, world.key[server], lambda held, key: vouched(world, group, held, key)
    ):
        return before, "locked"
    phone = Phone(phone.itl, phone.ctl, group["cm_group"], world.vpn_store, phone.lsc)
    return phone, "ok" if registers(world, group, phone) else "unregistered"


def reissued(world, group, phone):
    """Return the phone with a new LSC, if it can get one."""
    capf = world.capf_loaded
    accepts = (
        (phone.itl is None and phone.ctl is None)
        or (phone.itl is not None and (phone.itl.blank or capf in phone.itl.capf))
        or (phone.ctl is not None and capf in phone.ctl.capf)
        or vouched(world, group, phone, capf)
    )
    proves = group["capf_auth"] != "existing" or phone.lsc is not None or group["mic"]
    serves = ("CAPF", world.pub) in world.up and admitted(world, group, phone)
    return phone._replace(lsc=capf[2]) if accepts and proves and serves else phone


DEFAULTS = {
    "sbd": True, "mode": "non_secure", "lsc_expired": False, "mic": False, "enc_config": False,
    "vpn": False, "https_services": False, "capf_auth": None, "dot1x": "no",
    "tvs_reachable": True, "online": True,
}  # fmt: skip


def completed(group):
    """Return the group with what the file may leave out."""
    found = DEFAULTS | dict(group)
    found["tftp"], found["cm_group"] = tuple(found["tftp"]), tuple(found["cm_group"])
    found["held"] = found.get("held") or {}
    if "lsc" not in found:
        needed = found["mode"] != "non_secure" and not found["mic"]
        found["lsc"] = 0 if needed else None
    return found


def first_held(world, group):
    """Return what a phone of the group holds before the first step."""
    wanted = group["held"].get("itl")
    itl = world.itl[group["held"].get("itl_from", group["tftp"][0])]
    if wanted == "none" or not group["sbd"]:
        itl = None
    elif wanted == "blank":
        itl = itl._replace(cfg=NOTHING, tvs=NOTHING, capf=NOTHING, blank=True)
    elif wanted == "mismatch":
        itl = Itl(next(iter(FOREIGN)), FOREIGN, FOREIGN, FOREIGN, FOREIGN, blank=False)
    ctl = None if group["held"].get("ctl") == "none" else world.ctl
    return Phone(itl, ctl, group["cm_group"], world.vpn_store, group["lsc"])
