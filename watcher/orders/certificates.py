"""Names of certificates in the keys of a steps file, made those of the model."""

from collections.abc import Iterable

from watcher.errors import InputError
from watcher.orders.words import PER_NODE, Vocabulary, canonical, read_certificate
from watcher.rules.document import Document, Path
from watcher.rules.faults import fault
from watcher.trust.names import CLUSTER, Certificate
from watcher.trust.scenario import Node


class Names:
    """Names of certificates in a file, made those of the model."""

    def __init__(self, document: Document, nodes: Iterable[Node], shared: frozenset[str]) -> None:
        self.document = document
        self.vocabulary = Vocabulary(tuple(nodes), (), shared)

    def one(self, text: str, path: Path) -> Certificate:
        """Return the certificate that a text names, or raise InputError at its place."""
        found = read_certificate(text.replace(" ", "/"))
        if found is None:
            raise self._fault(path, f"{text!r} is not a certificate")
        kind, owner, generation = found
        node = self.vocabulary.node(owner) if owner else self._lone(kind, text, path)
        if node is None:
            raise self._fault(path, f"{text!r}: {owner!r} is not a node")
        return canonical((kind, node, generation), self.vocabulary)

    def _lone(self, kind: str, text: str, path: Path) -> str:
        """Return the owner of a certificate that is named without one."""
        nodes = self.vocabulary.nodes
        if kind in PER_NODE and kind not in self.vocabulary.shared and len(nodes) > 1:
            raise self._fault(path, f"{text!r}: whose it is, is not said")
        return self.vocabulary.publisher if kind in PER_NODE else CLUSTER

    def _fault(self, path: Path, problem: str) -> InputError:
        return fault(self.document, path, problem, "CallManager/P#0 or CAPF#0")

    def all(self, texts: Iterable[str], path: Path) -> frozenset[Certificate]:
        """Return the certificates of a list."""
        return frozenset(self.one(text, (*path, i)) for i, text in enumerate(texts))
