"""What an inventory leaves open is listed under the keys that questions ask for."""

import pytest

from watcher.app.site import inventory_hints
from watcher.inventory.loader import load
from watcher.inventory.unknown import unknowns


def keys(*lines):
    text = "\n".join(["version: 1", "clusters:", "  - name: lab", *(f"    {one}" for one in lines)])
    return {item.key for item in unknowns(load("x", text + "\n"))}


def test_every_open_key_is_asked_by_a_question():
    everything = keys("security_mode: mixed", "ctl_method: etoken") | keys()

    assert everything - inventory_hints().keys() == set()


@pytest.mark.parametrize(
    ("lines", "key", "expected"),
    [
        ((), "release", True),
        (('release: "15"',), "release", False),
        (('release: "15"',), "phone_interaction", True),
        (('release: "12.5(1)SU4"',), "phone_interaction", False),
        (("security_mode: non-secure",), "ctl_method", False),
        (("security_mode: mixed",), "ctl_method", True),
        (("security_mode: mixed", "ctl_method: etoken"), "etokens", True),
        (("nodes: [{name: a, duties: [tftp]}]",), "nodes.tftp_order", True),
        (("nodes: [{name: a, duties: [tftp]}]",), "nodes.duties", False),
        (("nodes: [{name: a, product: im-presence}]",), "nodes.duties", False),
        (("features: {sso: false}",), "features.sso", False),
    ],
)
def test_only_what_matters_is_unknown(lines, key, expected):
    assert (key in keys(*lines)) is expected
