"""The lines of a steps file -> plain tuples, for the independent check only (docs/steps.md).

`("regen", store, node)`, `("upload_signed", store, node or "cluster")`,
`("upload_trust" | "delete_trust", trust store or "", certificate)`, `("delete", store, node)`,
`("stop" | "start" | "restart", service, node)`, `("barrier", groups or None)`,
`("rollback", bool)`, `("lsc_reissue", group)`, `("tell", peer, certificate)`,
`("replace_headend", peer)`, `("auto_reset",)`, `("ctl_update",)`, `("ctl_localkey",)`,
`("itl_localkey",)`, `("itl_remotekey",)`, `("drs_backup",)`, `("drs_restore",)`,
`("export_p12",)`, and `("note",)` for what changes nothing.
"""

import re

STORES = {
    "CM": "CallManager", "CallManager": "CallManager", "CallManager-ECDSA": "CallManager-ECDSA",
    "TVS": "TVS", "CAPF": "CAPF", "ITLR": "ITLRecovery", "ITLRecovery": "ITLRecovery",
    "tomcat": "tomcat", "tomcat-ECDSA": "tomcat-ECDSA", "ipsec": "ipsec",
}  # fmt: skip
ALONE = {
    "ctl_update", "ctl_localkey", "itl_localkey", "itl_remotekey",
    "drs_backup", "drs_restore", "export_p12", "auto_reset",
}  # fmt: skip
NOTES = {"verify", "phone_interaction"}
_ROLLBACK = re.compile(r"rollback[ (]+(on|off|true|false)\)?")
_BLOCK = re.compile(r"(flush|bounce)(?:\(([^)]*)\))?")
_BARRIER = re.compile(r"RESET(?:\+WAIT)?(?: (.+))?")
_CERTIFICATE = re.compile(r"([A-Za-z-]+)(?:/([^#]+))?(?:#(-?\d+))?")


def deeds(line, document):
    """Return what one line of an order means, in order."""
    line = " ".join(line.split())
    if found := _BARRIER.fullmatch(line):
        return [("barrier", tuple(listed(found[1])) if found[1] else None)]
    if found := _BLOCK.fullmatch(line):
        return _block(found[1], listed(found[2]) or _names(document))
    if found := _ROLLBACK.fullmatch(line):
        return [("rollback", found[1] in {"on", "true"})]
    word, *rest = line.split(" ")
    if word in ALONE:
        return [(word,)]
    if word in NOTES:
        return [("note",)]
    if word in STORES:
        word, rest = "regen", [word, *rest]
    return _worded(word, rest, document)


def spelled(lines, document):
    """Return an order with blocks and short forms written out, one step a line."""
    return [_written(deed) for line in lines for deed in deeds(line, document)]


def _written(deed):
    word, *rest = deed
    if word == "barrier":
        return "RESET " + ",".join(rest[0]) if rest[0] else "RESET+WAIT"
    if word == "rollback":
        return "rollback on" if rest[0] else "rollback off"
    return "verify" if word == "note" else " ".join([word, *filter(None, rest)])


def _worded(word, rest, document):
    if word in {"regen", "upload_signed", "delete"}:
        store = STORES[rest[0]]
        return [(word, store, node) for node in listed(" ".join(rest[1:])) or [publisher(document)]]
    if word in {"stop", "start", "restart"}:
        return [(word, rest[0], node) for node in listed(" ".join(rest[1:])) or _names(document)]
    if word in {"upload_trust", "delete_trust"}:
        return [(word, rest[0] if len(rest) > 1 else "", rest[-1])]
    if word in {"lsc_reissue", "replace_headend"}:
        return [(word, rest[0])]
    if word == "tell":
        return [(word, rest[0], rest[1])]
    raise ValueError(f"no such step: {word} {rest}")


def _block(kind, names):
    found = [("restart", service, name) for name in names for service in ("TVS", "TFTP")]
    if kind == "bounce":
        found += [("restart", "CCM", name) for name in names]
        found.append(("barrier", None))
    return found


def listed(text):
    """Split `P, S`."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def certificate(text):
    """Return (store, node or None, generation or None) of `CallManager/P#0`."""
    store, node, generation = _CERTIFICATE.fullmatch(text).groups()
    return STORES.get(store, store), node, None if generation is None else int(generation)


def publisher(document):
    """Return the name of the publisher."""
    return next(n["name"] for n in document["cluster"]["nodes"] if "PUB" in n["roles"])


def _names(document):
    return [node["name"] for node in document["cluster"]["nodes"]]
