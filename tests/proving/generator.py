"""Clusters of all kinds with an order of work, the same for the same seed.

A document is what a steps file holds (docs/steps.md). `inventory` and `alarms` say the same cluster
as the program meets it, so that the planner can draw a plan for it; `mutations` spoils an order.
"""

import json
import random
from collections.abc import Iterator

from builders import message
from proving.spelling import spelled

RELEASES = (
    "8.0", "8.6", "9.1", "10.0", "10.5(1)", "10.5(2)", "11.5", "12.0", "12.5", "14", "14SU1",
    "14SU3", "15",
)  # fmt: skip
TOKENLESS_FROM = RELEASES.index("10.0")
TOKENS_UNTIL = RELEASES.index("12.5")
MULTI_SAN_FROM = RELEASES.index("10.5(1)")
RECOVERY_SIGNS_FROM = RELEASES.index("12.0")

ANYWHERE = {
    "plain": {},
    "no-itl": {"sbd": False},
    "no-tvs": {"tvs_reachable": False},
    "services": {"https_services": True},
    "off": {"online": False},
    "lsc-unused": {"lsc": 0},
    "dot1x-lsc": {"dot1x": "LSC", "lsc": 0},
    "dot1x-mic": {"dot1x": "MIC", "mic": True},
    "vpn": {"vpn": True, "lsc": 0},
}
"""Kinds of phone groups that any cluster may have: what they differ in."""

SECURED = {
    "encrypted-lsc": {"mode": "encrypted", "lsc": 0},
    "encrypted-mic": {"mode": "encrypted", "mic": True},
    "encrypted-no-itl": {"mode": "encrypted", "lsc": 0, "sbd": False},
    "encrypted-no-tvs": {"mode": "encrypted", "lsc": 0, "tvs_reachable": False},
    "encrypted-config": {"mode": "encrypted", "lsc": 0, "enc_config": True, "capf_auth": "string"},
    "encrypted-off": {"mode": "encrypted", "lsc": 0, "online": False},
    "encrypted-dot1x": {"mode": "encrypted", "lsc": 0, "dot1x": "LSC", "capf_auth": "existing"},
    "authenticated": {"mode": "authenticated", "lsc": 0},
}
"""Kinds that only clusters in mixed mode have."""

KINDS = (*ANYWHERE, *SECURED)
MODES = (None, "tokenless", "etoken")
FACING = ("CallManager", "TVS", "CAPF", "ITLRecovery")


def rng(*parts):
    """Return a source of chance that depends on these parts alone."""
    return random.Random(":".join(map(str, parts)))  # noqa: S311 -- the same again is the point


def clusters(seed) -> Iterator[dict]:
    """Yield documents without end."""
    number = 0
    while True:
        yield document(f"c{seed}-{number}")
        number += 1


def document(name):
    """Return the document of a name such as `c7-31`: cluster, groups, steps."""
    chance = rng(name)
    place = chance.randrange(len(RELEASES))
    mode = chance.choice([None, None, *_modes(place)])
    nodes = _nodes(chance)
    made = {"id": name, "cluster": _cluster(chance, place, mode, nodes)}
    made["groups"] = [_group(chance, n, nodes, mode) for n in range(chance.randint(1, 12))]
    made["steps"] = order(made, chance)
    return made


def _modes(place):
    found = []
    if place >= TOKENLESS_FROM:
        found.append("tokenless")
    if place <= TOKENS_UNTIL:
        found.append("etoken")
    return found


def _nodes(chance):
    """Return one to eight nodes; someone serves files and someone processes calls."""
    names = ["pub", *(f"sub{n}" for n in range(1, chance.randint(1, 8)))]
    made = []
    for name in names:
        roles = ["PUB", "CAPF"] if name == "pub" else []
        duties = chance.choice([["TFTP", "CCM"], ["TFTP", "CCM"], ["CCM"], ["TFTP"], []])
        made.append({"name": name, "roles": [*roles, *duties, "TVS"]})
    for duty in ("TFTP", "CCM"):
        if not any(duty in node["roles"] for node in made):
            chance.choice(made)["roles"].append(duty)
    return made


def _cluster(chance, place, mode, nodes):
    made = {"release": RELEASES[place], "mixed": mode, "nodes": nodes}
    if mode == "etoken":
        made["etokens_available"] = chance.choice([2, 2, 2, 0])
    if place >= MULTI_SAN_FROM and chance.random() < 0.1:
        made["multi_san"] = ["CallManager"]
    if place >= RELEASES.index("14"):
        made["phone_interaction"] = chance.choice(["auto", "manual"])
    return made


def _group(chance, number, nodes, mode):
    kind = chance.choice(list(ANYWHERE | (SECURED if mode else {})))
    servers = [node["name"] for node in nodes if "TFTP" in node["roles"]]
    callers = [node["name"] for node in nodes if "CCM" in node["roles"]]
    tftp = chance.sample(servers, min(len(servers), chance.choice([1, 2, 2])))
    cm_group = chance.sample(callers, min(len(callers), chance.choice([1, 2, 2, 3])))
    made = {"name": f"g{number}-{kind}", "tftp": tftp, "cm_group": cm_group,
            "count": chance.randint(1, 3000)}  # fmt: skip
    return made | (ANYWHERE | SECURED)[kind]


def kind(group):
    """Return the kind of a group that this module made."""
    return group["name"].split("-", 1)[1]


# Orders ------------------------------------------------------------------------------------------


def order(made, chance):
    """Return an order of work as a site might write it, good or bad."""
    write = chance.choice([_staged, _staged, _by_store, _one_sided, _rolled_back, _careless])
    return write(made, chance)


def _targets(made, chance):
    """Return (store, nodes) for some stores that phones see."""
    names = [node["name"] for node in made["cluster"]["nodes"]]
    found = [("CAPF", ["pub"]), ("CallManager", names), ("TVS", names)]
    if made["cluster"].get("multi_san"):
        found[1] = ("CallManager", ["cluster"])
    if RELEASES.index(made["cluster"]["release"]) >= TOKENLESS_FROM:
        found.append(("ITLRecovery", ["pub"]))
    return chance.sample(found, chance.randint(1, min(3, len(found))))


def _renewal(store, node):
    return f"upload_signed {store} cluster" if node == "cluster" else f"regen {store} {node}"


def _told(made, store):
    """Return what must be told to others after a store has changed."""
    lines = ["tell RADIUS CAPF", "tell VPN CAPF"] if store == "CAPF" else []
    return [*lines, "ctl_update"] if made["cluster"]["mixed"] and store != "TVS" else lines


def _staged(made, chance):
    """One certificate at a time, everything restarted and waited for after each."""
    lines = []
    for store, nodes in _targets(made, chance):
        for node in nodes:
            lines += [_renewal(store, node), *_told(made, store), "bounce"]
    return lines


def _by_store(made, chance):
    """Store by store on all nodes."""
    lines = []
    for store, nodes in _targets(made, chance):
        lines += [_renewal(store, node) for node in nodes]
        lines += [*_told(made, store), "bounce"]
    return lines


def _one_sided(made, chance):
    """Half of the nodes at a time, with their TFTP servers stopped meanwhile."""
    names = [node["name"] for node in made["cluster"]["nodes"]]
    cut = (len(names) + 1) // 2
    lines = []
    for half in (names[:cut], names[cut:]):
        mine = [(s, n) for s, nodes in _targets(made, chance) for n in nodes if n in half]
        lines += [f"stop TFTP {node}" for node in half]
        lines += [_renewal(*one) for one in mine]
        lines += ["restart TVS", "restart CCM", *_told(made, "CallManager"), "RESET+WAIT"]
        lines += [f"start TFTP {node}" for node in half]
    return [*lines, "flush", "RESET+WAIT"]


def _rolled_back(made, chance):
    """Under the rollback parameter, right or wrong for the cluster."""
    inner = [_renewal(store, node) for store, nodes in _targets(made, chance) for node in nodes]
    return ["rollback on", "flush", "RESET+WAIT", *inner, *_told(made, "CAPF"), "bounce",
            "rollback off", "flush", "RESET+WAIT"]  # fmt: skip


def _careless(made, chance):
    """Take steps as they come to mind."""
    names = [node["name"] for node in made["cluster"]["nodes"]]
    some = [_renewal(store, node) for store, nodes in _targets(made, chance) for node in nodes]
    some += [f"{deed} {service} {chance.choice(names)}" for deed in ("restart", "stop", "start")
             for service in ("TFTP", "TVS", "CCM")]  # fmt: skip
    some += ["ctl_update", "ctl_localkey", "itl_localkey", "RESET+WAIT", "RESET+WAIT", "flush",
             f"lsc_reissue {chance.choice(made['groups'])['name']}", "delete_trust CAPF#0",
             "auto_reset", "drs_backup", "drs_restore"]  # fmt: skip
    return [chance.choice(some) for _ in range(chance.randint(3, 12))] + ["bounce"]


def mutations(steps, chance) -> Iterator[list]:
    """Yield spoiled orders: a step removed, two swapped, two parts merged into one.

    Give the steps one by one (`plain_steps`): a `bounce` holds a barrier that only so can go.
    """
    if steps:
        at = chance.randrange(len(steps))
        yield steps[:at] + steps[at + 1 :]
    if len(steps) > 1:
        one, other = sorted(chance.sample(range(len(steps)), 2))
        swapped = list(steps)
        swapped[one], swapped[other] = steps[other], steps[one]
        yield swapped
    barriers = [n for n, line in enumerate(steps[:-1]) if line.startswith("RESET")]
    if barriers:
        at = chance.choice(barriers)
        yield steps[:at] + steps[at + 1 :]


def plain_steps(made):
    """Return the order of a document with its blocks spelled out."""
    return spelled(made["steps"], made)


# As the program meets it -------------------------------------------------------------------------


def due(made, seed=0):
    """Return which certificates end soon, as (store, node); a document may name them itself."""
    if "due" in made:
        return made["due"]
    chance = rng(made["id"], "due", seed)
    names = [node["name"] for node in made["cluster"]["nodes"]]
    homes = dict.fromkeys(("CallManager", "TVS", "tomcat", "ipsec"), names) | {"CAPF": ["pub"]}
    if RELEASES.index(made["cluster"]["release"]) >= TOKENLESS_FROM:
        homes["ITLRecovery"] = ["pub"]
    found = []
    for store in chance.sample(list(homes), chance.randint(1, 4)):
        nodes = homes[store]
        whole = store in made["cluster"].get("multi_san", ()) or chance.random() < 0.6
        some = nodes if whole else chance.sample(nodes, chance.randint(1, len(nodes)))
        found += [(store, node) for node in some]
    return found


def alarms(made, seed=0) -> str:
    """Return the alarms of the certificates that are due, a line each."""
    return "".join(
        message(store=store, node=_host(made, node), host=f"{_host(made, node)}.example.test")
        + "\n"
        for store, node in due(made, seed)
    )


def inventory(made, seed=0) -> str:
    """Return the inventory file of a cluster; what is due ends in the days after the alarms."""
    fields = _cluster_fields(made)
    fields["nodes"] = [_node_fields(made, node) for node in made["cluster"]["nodes"]]
    cm_groups = {tuple(group["cm_group"]): None for group in made["groups"]}
    names = {nodes: f"CMG-{number}" for number, nodes in enumerate(cm_groups, 1)}
    fields["callmanager_groups"] = [
        {"name": name, "nodes": [_host(made, node) for node in nodes]}
        for nodes, name in names.items()
    ]
    fields["phone_groups"] = [_phones(made, group, names) for group in made["groups"]]
    fields["features"] = _features(made)
    fields["certificates"] = _certificates(made, seed)
    lines = ["version: 1", "clusters:", f"  - name: {made['id']}"]
    for key, value in fields.items():
        if isinstance(value, list):
            lines += [f"    {key}:", *(f"      - {json.dumps(item)}" for item in value)]
        else:
            lines.append(f"    {key}: {json.dumps(value)}")
    return "\n".join(lines) + "\n"


def _host(made, node):
    return f"{made['id']}-{node}"


def _cluster_fields(made):
    cluster = made["cluster"]
    fields = {
        "release": cluster["release"],
        "time_zone": "Europe/Vienna",
        "security_mode": "mixed" if cluster["mixed"] else "non-secure",
        "rollback_pre80": False,
        "export_controlled_license": True,
        "last_backup": "2026-11-19T02:15:00+01:00",
    }
    if cluster["mixed"]:
        fields["ctl_method"] = cluster["mixed"]
    if "etokens_available" in cluster:
        fields["etokens"] = cluster["etokens_available"]
    if "phone_interaction" in cluster:
        automatic = cluster["phone_interaction"] == "auto"
        fields["phone_interaction"] = "automatic" if automatic else "manual"
    return fields


def _node_fields(made, node):
    duties = {"TFTP": "tftp", "CCM": "call-processing"}
    return {
        "name": _host(made, node["name"]),
        "aliases": [f"{_host(made, node['name'])}.example.test"],
        "role": "publisher" if "PUB" in node["roles"] else "subscriber",
        "duties": [duty for role, duty in duties.items() if role in node["roles"]],
    }


def _phones(made, group, names):
    return {
        "name": group["name"],
        "count": group["count"],
        "callmanager_group": names[tuple(group["cm_group"])],
        "tftp": [_host(made, node) for node in group["tftp"]],
        "security": group.get("mode", "non_secure").replace("_", "-"),
        "lsc": group.get("lsc") is not None,
        "dot1x": group.get("dot1x", "no") != "no",
        "vpn": group.get("vpn", False),
        "security_by_default": group.get("sbd", True),
        "tvs_reachable": group.get("tvs_reachable", True),
    }


def _features(made):
    phones = [_phones(made, group, {tuple(group["cm_group"]): ""}) for group in made["groups"]]
    used = {key: any(one[key] for one in phones) for key in ("lsc", "dot1x", "vpn")}
    others = ("sso", "sip_oauth", "expressway", "emcc", "ccx", "unity_connection", "im_presence",
              "emergency_responder", "ipsec_policies", "secure_trunks", "fips")  # fmt: skip
    return used | dict.fromkeys(others, False)


def _certificates(made, seed):
    ending = set(due(made, seed))
    found = []
    for node in made["cluster"]["nodes"]:
        for store in ("CallManager", "TVS", "tomcat", "ipsec", "CAPF", "ITLRecovery"):
            single = store in {"CAPF", "ITLRecovery"}
            shared = store in made["cluster"].get("multi_san", ())
            if (single or shared) and "PUB" not in node["roles"]:
                continue
            end = (
                "2026-11-25T13:05:44Z"
                if (store, node["name"]) in ending
                else "2031-05-02T09:00:00Z"
            )
            one = {"store": store, "file": f"{store}.pem", "not_after": end,
                   "issuer": "ca-signed" if shared else "self-signed"}  # fmt: skip
            one |= {"multi_server": True} if shared else {"node": _host(made, node["name"])}
            found.append(one)
    old = RELEASES.index(made["cluster"]["release"]) < TOKENLESS_FROM
    return [one for one in found if not (old and one["store"] == "ITLRecovery")]
