"""The executed vectors of the trust model, as a table for the independent check.

`clean`: no invariant broken, nobody stranded. `broken`: invariants that must be among the broken,
`unbroken`: that must not. `stranded`: online groups lost in every branch (`all`), in none, or
exactly in the branches that hold the given values. `off`: groups whose phones work, after having
been off for all steps, in every branch, in none, or in those. `still`: groups without a window;
`only_windows`: windows are in these branches alone; `last_window`: the last step with one.
"""

WAY_TWO = [
    "stop TFTP P", "CAPF", "CM P", "TVS P", "restart TVS P,S", "restart CCM P", "restart TFTP S",
    "RESET", "start TFTP P", "CM S", "TVS S", "restart TVS S,P", "restart CCM S",
    "restart TFTP S,P", "RESET",
]  # fmt: skip
EVERYWHERE = ["CM P", "CM S", "TVS P", "TVS S", "bounce"]
HALVES = [
    "CM P", "TVS P", "flush(P)", "{}", "restart CCM P", "RESET",
    "CM S", "TVS S", "flush(P,S)", "restart CCM S", "RESET",
]  # fmt: skip
DETOUR = [
    "CM P", "ctl_localkey", "flush", "RESET", "restart CCM P", "RESET", "ctl_update", "flush",
    "RESET",
]  # fmt: skip
GUIDE = ["CAPF", "flush", "RESET", "CM P", "CM S", "bounce", "TVS P", "TVS S", "bounce"]
RECOVERY = ["ITLR", "itl_localkey", "RESET", "restart TFTP P,S", "RESET"]
LATE = ["CM P,S", "TVS P,S", "flush", "rollback on", "flush", "RESET"]
SECURE = ["rollback on", "flush", "RESET", "CM P", "CM S", "ctl_update", "bounce",
          "rollback off", "flush", "RESET"]  # fmt: skip
AT_ONCE, RESTART = "at-once", "at-restart"


def staged(*names):
    """Return one renewal at a time, each followed by everything and a barrier."""
    return [line for name in names for line in (name, "flush(P,S)", "restart CCM P,S", "RESET")]


def vector(name, release, steps, groups, **expect):
    """Return one row: cluster, mode and order, and what must come out."""
    mixed = expect.pop("mixed", None)
    return {"name": name, "release": release, "steps": steps, "groups": groups, "mixed": mixed,
            "expect": expect}  # fmt: skip


VECTORS = [
    vector("TV-01", "9.1", WAY_TWO, "A", clean=True, still="A", off={"A": "none"}),
    vector("TV-01 on 11.5", "11.5", WAY_TWO, "A", clean=True, still="A", off={"A": "none"}),
    vector("TV-02", "9.1",
           ["rollback on", "flush(P,S)", "RESET", "CM P", "CM S", "TVS P", "TVS S", "bounce(P,S)",
            "rollback off", "flush(P,S)", "RESET"],
           "ABT", clean=True, still="ABT", off={"A": "none", "B": "none", "T": "none"}),
    vector("TV-03", "9.1", staged("CM P", "CM S", "TVS P", "TVS S"), "ABC", clean=True,
           only_windows={"U3": RESTART}, off={"A": "none", "B": "none", "C": "none"}),
    vector("TV-05", "9.1", ["TVS P", "TVS S", "bounce", "CM P", "CM S", "bounce"], "AB",
           broken={"I-3"}, unbroken={"I-1", "I-2"}, stranded={"A": "none", "B": "none"}),
    vector("TV-06", "9.1", ["CM P", "bounce", "TVS P", "bounce"], "K", clean=True,
           only_windows={"U2": AT_ONCE, "U3": RESTART}, off={"K": "none"}),
    vector("TV-06 reverse", "9.1", ["TVS P", "bounce", "CM P", "bounce"], "K", clean=True,
           off={"K": "none"}),
    *(vector(f"TV-07 on {r}", r, GUIDE, "ABT", clean=True, still="ABT",
             off={"A": "all", "B": "all", "T": "all"}) for r in ("12.5", "15")),
    vector("TV-08", "15", RECOVERY, "ABT", clean=True, still="AB", only_windows={"U2": AT_ONCE},
           off={"A": "all", "B": "all", "T": "none"}),
    vector("TV-09", "12.5", ["ITLR", "ctl_localkey", "RESET", "ctl_update", "RESET", "flush",
                             "RESET"], "EJ",
           mixed="tokenless", clean=True, still="E", off={"J": "none", "E": {"U5": "yes"}}),
    vector("TV-10", "15", ["CM P", "CM S", "ctl_update", "bounce"], "EJ", mixed="tokenless",
           clean=True),
    *(vector(f"TV-52 on {r}", r, DETOUR, "EJ", mixed="tokenless", clean=True,
             off={"J": "none", "E": {"U5": "yes"}}) for r in ("10.5(2)", "11.5")),
    *(vector(f"TV-52, subscriber, on {r}", r, ["CM S", "ctl_update", "bounce"], "E",
             mixed="tokenless", clean=True, still="E", off={"E": "all"})
      for r in ("10.5(2)", "11.5")),
    vector("TV-12", "12.5", ["CAPF", "ctl_update", "flush", "RESET", "lsc_reissue E",
                             "delete_trust CAPF#0", "RESET"], "E",
           mixed="tokenless", clean=True, still="E"),
    vector("TV-13", "9.1", ["CM P", "CM S", "TVS P", "TVS S", "ctl_update", "bounce"], ["E", "Eb"],
           mixed="etoken", clean=True, last_window=4, off={"E": "all", "Eb": "all"}),
    vector("TV-14", "9.1", ["CM P", "flush(P,S)", "TVS P", "TVS S", "flush(P,S)", "RESET"], "A",
           broken={"I-1", "I-2", "I-13"}, stranded={"A": "all"}),
    vector("TV-15", "9.1", EVERYWHERE, "AB", broken={"I-1", "I-2", "I-3"},
           stranded={"A": "all", "B": "all"}),
    *(vector(f"TV-17 on {r}", r, EVERYWHERE, "AB", clean=True, off={"A": "all", "B": "all"})
      for r in ("12.5", "15")),
    vector("TV-18", "15", ["CM P,S", "TVS P,S", "ITLR", "bounce"], "AB", broken={"I-1", "I-4"},
           stranded={"A": "all", "B": "all"}),
    vector("TV-19", "9.1", ["CM P", "CM S", "bounce"], "ABT", broken={"I-3"},
           stranded={"A": "none", "B": "none", "T": "all"}),
    vector("TV-21", "12.5", ["CM P", "CM S", "bounce"], "ABT", clean=True,
           off={"A": "all", "B": "all", "T": "all"}),
    vector("TV-23", "9.1", [x.format("restart TFTP S") for x in HALVES], "ABC", broken={"I-1"},
           stranded={"A": {"U3": RESTART}, "C": {"U3": RESTART}, "B": "all"}),
    vector("TV-23, TVS everywhere", "9.1", [x.format("flush(S)") for x in HALVES],
           "ABC", stranded={"A": "none", "C": "none", "B": "all"}),
    vector("TV-24", "9.1", WAY_TWO, "B", broken={"I-1", "I-2"}, stranded={"B": {"U1": "own"}}),
    vector("TV-27", "9.1", LATE, "AB", broken={"I-1", "I-8"}, stranded={"A": "all", "B": "all"}),
    vector("TV-28", "9.1", ["rollback on", *EVERYWHERE], "AB", broken={"I-1", "I-8"},
           stranded={"A": "all", "B": "all"}),
    *(vector(f"TV-29 on {r}", r, SECURE, "E", mixed="tokenless", broken={"I-1", "I-8"},
             stranded={"E": "all"}) for r in ("10.5(1)", "11.5")),
    vector("TV-30", "15", ["CM P", "CM S", "bounce"], ["E", "Eb"], mixed="tokenless",
           broken={"I-7", "I-15"}, unbroken={"I-1"},
           stranded={"E": {"U6": "ctl-only"}, "Eb": {"U6": "ctl-only"}}),
    vector("TV-31", "12.5", ["ITLR", "CM P", "CM S", "ctl_update", "bounce"], "E",
           mixed="tokenless", broken={"I-1", "I-5"}, stranded={"E": {"U5": "no"}}),
    vector("TV-32", "10.5(1)", ["CM P", "ctl_update", "bounce"], "EJ", mixed="tokenless",
           broken={"I-1", "I-6"}, stranded={"J": "all", "E": {"U5": "no"}}),
    vector("TV-32 on 12.5", "12.5", ["CM P", "ctl_update", "bounce"], "EJ", mixed="tokenless",
           clean=True),
    vector("TV-34", "15", ["ITLR", "flush", "RESET"], "AT", broken={"I-1"},
           stranded={"A": "none", "T": "all"}),
    vector("TV-37", "12.5", ["CAPF", "ctl_update", "flush", "RESET", "delete_trust CAPF#0",
                             "RESET"], "E",
           mixed="tokenless", broken={"I-9", "I-15"}, stranded={"E": "all"}),
    vector("TV-39", "9.1", [*EVERYWHERE, "drs_restore", "RESET"], "AB",
           stranded={"A": {"U2": AT_ONCE, "U3": AT_ONCE}, "B": {"U2": AT_ONCE, "U3": AT_ONCE}}),
    vector("TV-40", "10.5", [*EVERYWHERE, "itl_localkey", "RESET", "flush", "RESET"], "ABT",
           stranded={"A": "none", "B": "none", "T": "none"},
           off={"A": "none", "B": "none", "T": "none"}),
    vector("TV-42", "11.5", GUIDE, "ABT", broken={"I-3"},
           stranded={"A": "none", "B": "none", "T": "all"},
           off={"A": "none", "B": "none", "T": "none"}),
]  # fmt: skip

P = {"name": "P", "roles": ["PUB", "TFTP", "CCM", "TVS", "CAPF"]}
S = {"name": "S", "roles": ["TFTP", "CCM", "TVS"]}
GROUPS = {
    "A": {"cm_group": ["S", "P"]},
    "B": {"cm_group": ["P"]},
    "C": {"cm_group": ["S"]},
    "T": {"cm_group": ["S", "P"], "tvs_reachable": False},
    "E": {"cm_group": ["S", "P"], "mode": "encrypted", "lsc": 0},
    "Eb": {"cm_group": ["P"], "mode": "encrypted", "lsc": 0},
    "J": {"cm_group": ["S", "P"], "mode": "encrypted", "lsc": 0, "sbd": False},
    "K": {"cm_group": ["P"], "tftp": ["P"]},
}


def document(row):
    """Return a row as a steps file says it."""
    groups = [{"name": name, "tftp": ["P", "S"], **GROUPS[name]} for name in row["groups"]]
    nodes = [P] if row["groups"] == "K" else [P, S]
    cluster = {"release": row["release"], "mixed": row["mixed"], "nodes": nodes}
    return {"cluster": cluster, "groups": groups, "steps": row["steps"]}
