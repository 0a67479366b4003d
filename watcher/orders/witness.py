"""One phone that an order loses, looked at closely: what it holds, who signs now, who vouches.

The verdict says who is lost, and since when; here one branch is walked again with one group, up to
the step after which its worst phone is refused for good.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from watcher.account import few
from watcher.orders.course import Since
from watcher.trust.lists import Certificates, Ctl, Itl
from watcher.trust.names import Certificate, Service, kind_of
from watcher.trust.phone import (
    CONFIG_UNKNOWN,
    CTL_UNKNOWN,
    ITL_UNKNOWN,
    NO_NETWORK,
    NO_SERVER,
    NO_TUNNEL,
    Held,
    View,
    boot,
)
from watcher.trust.scenario import Group, Mode, Scenario
from watcher.trust.walk import Memory, start
from watcher.trust.world import World

STRANGER = "stranger"
"""Store, in names of the model, of what another cluster signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A lost phone: after which step, what it holds, what it is handed, and why nobody helps."""

    step: int
    holds: str
    handed: str
    reasons: tuple[str, ...]


def witness(scenario: Scenario, name: str, since: Since) -> Witness | None:
    """Return a phone of a group after the step from which on it is lost."""
    group = next(group for group in scenario.groups if group.name == name)
    upto = replace(scenario, steps=tuple(s for s in scenario.steps if s.number <= since.step))
    walk = start(upto, since.branch, Memory(), [group])
    walk.go()
    crowd = walk.crowds[0]
    view = walk.look(crowd)
    ends = [(held, boot(group, held, view)) for held in crowd.held]
    lost = [(held, found) for held, found in ends if not found.ok]
    if not lost:
        return None
    held, found = min(lost, key=lambda pair: (pair[1].accepted, _holds(pair[0])))
    return Witness(
        step=since.step, holds=_holds(held), handed=_handed(view, found.why),
        reasons=tuple(_reasons(group, held, view, found.why, walk.world)),
    )  # fmt: skip


def _holds(held: Held) -> str:
    parts = [_itl(held.itl)] if held.itl is not None else ["no ITL"]
    if held.ctl is not None:
        parts.append(f"a CTL that lists {_few(held.ctl.callmanager | held.ctl.anchors)}")
    if held.lsc is not None:
        parts.append(f"an LSC of {held.lsc}" + ("" if held.lsc_valid else ", past its date"))
    return "; ".join(parts)


def _itl(itl: Itl) -> str:
    if itl.blank:
        return "a blank ITL"
    if all(kind_of(name) == STRANGER for name in itl.anchors):
        return "the list of another cluster"
    return f"an ITL that trusts {_few(itl.anchors)}, and TVS by {_few(itl.tvs)}"


_FEW = 4


def _few(names: Certificates) -> str:
    return few(sorted(names), _FEW) or "nothing"


def _handed(view: View, why: str) -> str:
    if why == CTL_UNKNOWN and view.ctl is not None:
        return f"a CTL signed with {view.ctl.signer}"
    if why == ITL_UNKNOWN and view.itl is not None:
        return f"an ITL signed with {view.itl.signer}"
    if why == CONFIG_UNKNOWN:
        return f"a configuration file signed with {view.key}"
    return "nothing" if why == NO_SERVER else ""


def _reasons(group: Group, held: Held, view: View, why: str, world: World) -> Iterator[str]:
    signer = _signer(view, why)
    if why in _OUTSIDE:
        yield from _OUTSIDE[why](group, held, view)
        return
    if signer is None:
        yield from _not_registered(group, held, view)
        return
    if why == CTL_UNKNOWN:
        yield (
            f"the CTL they hold does not list {signer} as a signer"
            if _has(held.ctl)
            else (f"nothing they hold lists {signer} as a signer")
        )
    elif held.itl is not None and not held.itl.blank:
        yield f"{signer} is in no list they hold"
    yield from _no_voucher(group, held, signer, world)


def _has(ctl: Ctl | None) -> bool:
    return ctl is not None


def _signer(view: View, why: str) -> Certificate | None:
    signers = {
        CTL_UNKNOWN: view.ctl.signer if view.ctl else None,
        ITL_UNKNOWN: view.itl.signer if view.itl else None,
        CONFIG_UNKNOWN: view.key,
    }
    return signers.get(why)


def _no_voucher(group: Group, held: Held, signer: Certificate, world: World) -> Iterator[str]:
    """Yield for each node of the CallManager group why its TVS does not help."""
    if not group.sbd:
        yield "they keep no ITL, so they cannot ask TVS"
    elif not group.tvs_reachable:
        yield "they do not reach TVS (tcp 2445 is closed)"
    elif held.itl is None or held.itl.blank:
        yield "their ITL names no TVS they could ask"
    else:
        yield from (_silent(node, held.itl, signer, world) for node in held.cm_group)


def _silent(node: str, itl: Itl, signer: Certificate, world: World) -> str:
    if (Service.TVS, node) not in world.up:
        return f"TVS on {node} does not run"
    tvs = world.tvs[node]
    if tvs.own not in itl.tvs:
        return f"TVS on {node} shows {tvs.own}, which they do not know either"
    if signer not in tvs.known:
        return f"TVS on {node} has not loaded {signer}: it was not restarted since"
    if tvs.own in world.scenario.expired:
        return f"TVS on {node} shows {tvs.own}, which is past its date"
    return f"TVS on {node} would vouch for {signer}, but phones may not ask it about a CTL"


def _no_network(_group: Group, held: Held, view: View) -> Iterator[str]:
    trusted = _few(view.radius) if view.radius is not None else "nothing"
    yield f"they show an LSC of {held.lsc or 'nobody'}, and RADIUS trusts {trusted}"


def _no_tunnel(_group: Group, held: Held, view: View) -> Iterator[str]:
    if view.headend is not None and view.headend not in held.vpn_trust:
        yield f"the headend shows {view.headend}, and they trust {_few(held.vpn_trust)}"
        yield "what they should trust now comes through the tunnel only"
        return
    yield f"they show an LSC of {held.lsc}, and the headend trusts {_few(view.headend_trusts)}"


def _no_server(group: Group, _held: Held, _view: View) -> Iterator[str]:
    yield from (f"TFTP on {node} does not run" for node in group.tftp)


_OUTSIDE = {NO_NETWORK: _no_network, NO_TUNNEL: _no_tunnel, NO_SERVER: _no_server}


def _not_registered(group: Group, held: Held, view: View) -> Iterator[str]:
    """Yield for each node of the CallManager group why it does not serve the phone."""
    servers = dict(view.callmanager)
    for node in group.cm_group:
        server = servers.get(node)
        if server is None:
            yield f"CallManager on {node} does not run"
        elif held.mode == Mode.NON_SECURE:
            continue
        elif held.lsc is not None and held.lsc not in server.issuers:
            yield f"CallManager on {node} does not trust {held.lsc}, the issuer of their LSCs"
        elif held.ctl is None or server.shown not in held.ctl.callmanager:
            yield f"CallManager on {node} shows {server.shown}, which the CTL they hold lacks"
