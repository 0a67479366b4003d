"""What may change between two resets up to 11.5, and every step beyond it is refused (I-13)."""

import pytest
from safety.bodies import (
    LONE_GROUP,
    OLD,
    OLD_MIXED,
    ONE_SERVER,
    SHARED_SIGNER,
    TFTP,
    THREE,
    TOKEN,
    UNTOLD,
    dropped,
    half,
    node_by_node,
    shield,
    staged,
)
from safety.plans import broken, gate, renew, restarts, step, whole

from watcher.inventory.schema import CallManagerGroup

GROUPED = THREE.model_copy(
    update={"callmanager_groups": (CallManagerGroup(name="two", nodes=("pub", "sub2")),)}
)
NOBODY_WAITS = [
    *renew("CallManager", "pub"), *restarts("CallManager", OLD, "pub"),
    *whole(OLD, "TVS", "pub", "sub1"),
]  # fmt: skip
EVERYWHERE = [
    *renew("CallManager", "pub", "sub1"), *renew("TVS", "pub", "sub1"),
    *restarts("CallManager", OLD, "pub", "sub1"), *restarts("TVS", OLD, "pub", "sub1"), *gate(),
]  # fmt: skip
TVS_OF_ALL = half(OLD, "pub", "CallManager", "TVS", others=("sub1",), stop=True)
TVS_OF_GROUP = half(GROUPED, "pub", "CallManager", "TVS", others=("sub2",), stop=True)
TWO_NODES = [*renew("CAPF", "pub"), *restarts("CAPF", OLD, "pub"), *half(OLD, "sub1", "TVS")]
OLD_LIST = [
    *renew("CallManager", "pub"),
    *restarts("CallManager", OLD, "pub", but={(TFTP, "pub")}), *gate(),
    step("restart-service", "pub", "CallManager", TFTP),
]  # fmt: skip

STRANDING = {
    "TV-14 a missing barrier": ({"O2", "O3", "O6"}, NOBODY_WAITS, OLD),
    "TV-15 signer and verifier everywhere": ({"O2", "O3", "O6"}, EVERYWHERE, OLD),
    "TV-15 under a CTL that a server signs": ({"O2", "O3", "O6"}, EVERYWHERE, OLD_MIXED),
    "TV-24 a CallManager group of one node": ({"O3", "O6"}, node_by_node(LONE_GROUP),
                                              LONE_GROUP),
    "every TVS in one half": ({"O3", "O6"}, TVS_OF_ALL, OLD),
    "every TVS of a CallManager group in one half": ({"O3", "O6"}, TVS_OF_GROUP, GROUPED),
    "two stores on two nodes": ({"O6"}, TWO_NODES, OLD),
    "phones that ask one server": ({"O2", "O3", "O6"}, node_by_node(ONE_SERVER), ONE_SERVER),
    "nobody knows what a node does": ({"O2", "O3", "O6"}, node_by_node(UNTOLD), UNTOLD),
    "one key for all servers": ({"O2"}, staged(SHARED_SIGNER), SHARED_SIGNER),
    "the new list is served after the reset": ({"O2"}, OLD_LIST, OLD),
    "no reset between the halves": ({"O2", "O3"}, dropped(node_by_node(), "reset-phones"), OLD),
    "no reset between two servers": ({"O2"}, dropped(staged(), "reset-phones"), OLD),
    "a token, but a CTL after the reset": (
        {"O3", "O6", "O10", "O13"},
        [*dropped(shield(), "ctl-update-etoken"), step("ctl-update-etoken"), *gate()], TOKEN),
    "a token, but no new CTL": ({"O3", "O6"}, dropped(shield(), "ctl-update-etoken"), TOKEN),
}  # fmt: skip


@pytest.mark.parametrize("name", STRANDING)
def test_what_takes_the_last_anchor_is_refused(name):
    rules, body, known = STRANDING[name]

    assert rules <= broken(body, known)


def test_the_same_halves_pass_where_each_group_has_two_nodes():
    assert broken(node_by_node(), OLD) == set()
