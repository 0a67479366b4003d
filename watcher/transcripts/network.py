"""`show network cluster`: the nodes of a cluster."""

import re
from dataclasses import dataclass

from watcher.inventory.schema import NodeRole, Product
from watcher.transcripts.block import Block, Unread

_PRODUCTS = {
    "callmanager": Product.CUCM,
    "cups": Product.IM_PRESENCE,
    "connection": Product.UNITY_CONNECTION,
    "ciscoer": Product.EMERGENCY_RESPONDER,
    "ccx": Product.CCX,
    "uccx": Product.CCX,
}
"""The platform's own words for what a node runs."""

_ADDRESS = re.compile(r"[0-9A-Fa-f:.]{3,45}")
_ROLES = {"publisher": NodeRole.PUBLISHER, "subscriber": NodeRole.SUBSCRIBER}
_DB_ROLES = {"dbpub": NodeRole.PUBLISHER, "dbsub": NodeRole.SUBSCRIBER}
_TABLE = re.compile(r"Server Table \(processnode\) Entries", re.IGNORECASE)
_AROUND = re.compile(r"Successful|Dynamic Cluster Configuration|-+$", re.IGNORECASE)
_NODE_WORDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedNode:
    """One node; `local` when it is the one that the command ran on."""

    line: int
    name: str
    fqdn: str | None
    address: str
    role: NodeRole
    product: Product | None
    product_word: str | None
    local: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFacts:
    """One list."""

    nodes: tuple[ListedNode, ...]
    unread: tuple[Unread, ...]

    @property
    def local(self) -> ListedNode | None:
        """Return the node that the command ran on: the only one not reached by TCP."""
        found = [node for node in self.nodes if node.local]
        return found[0] if len(found) == 1 else None


def read(block: Block) -> NetworkFacts:
    """Read one list; a line broken before `authenticated` is joined."""
    nodes: list[ListedNode] = []
    unread: list[Unread] = []
    in_table = False
    for number, text in _joined(block):
        in_table = in_table or bool(_TABLE.match(text))
        if in_table or _AROUND.match(text):
            continue
        node = _node(number, text)
        if node is None:
            unread.append(Unread(number, text, "not a line `address name role ...`"))
        else:
            nodes.append(node)
    return NetworkFacts(nodes=tuple(nodes), unread=tuple(unread))


def _joined(block: Block) -> list[tuple[int, str]]:
    joined: list[tuple[int, str]] = []
    for line in block.lines:
        text = line.text.strip()
        if joined and text.lower().startswith(("authenticated", "not authenticated")):
            number, before = joined[-1]
            joined[-1] = (number, f"{before} {text}"[:400])
        else:
            joined.append((line.number, text))
    return joined


def _node(number: int, text: str) -> ListedNode | None:
    words = text.split()
    place = next((i for i, word in enumerate(words[:_NODE_WORDS]) if word.lower() in _ROLES), None)
    if place not in {2, 3} or not _ADDRESS.fullmatch(words[0]):
        return None
    rest = [word.lower() for word in words[place + 1 :]]
    product = rest[0] if len(rest) > 1 and rest[1] in _DB_ROLES else None
    role = _ROLES[words[place].lower()]
    if product is not None and _PRODUCTS.get(product) is not Product.CUCM:
        # A sibling product's publisher is a subscriber of the cluster but leads its own database.
        role = _DB_ROLES[rest[1]]
    return ListedNode(
        line=number,
        name=words[place - 1].partition(".")[0],
        fqdn=next((word for word in words[1:place] if "." in word), None),
        address=words[0],
        role=role,
        product=Product.CUCM if product is None else _PRODUCTS.get(product),
        product_word=product,
        local=rest[-1:] == ["authenticated"],
    )
