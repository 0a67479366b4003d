"""What people write, what nodes show, and what the journal's disk gives back."""

import binascii
import ssl
from contextlib import suppress
from itertools import pairwise

from builders import CATALOGUE

from watcher.errors import InputError
from watcher.inputs.tls import Client, Tls
from watcher.inventory import loader as inventory_loader
from watcher.inventory.schema import Inventory
from watcher.inventory.writer import write
from watcher.journal.format import DAMAGED, KEPT, MAGIC, Bodies, Scan, frame, read_counts
from watcher.rules.document import read_document
from watcher.rules.loader import load_pack
from watcher.rules.site import apply_site
from watcher.settings import loader as settings_loader
from watcher.transcripts.importer import Request, import_pastes
from watcher.transcripts.pem import read_lines
from watcher.transcripts.text import PastedLine

SALT = 0x5EED
BINDING = Tls(
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), (Client(node="pub", san="pub.example.test"),)
)


def _refused(error: InputError) -> None:
    told = str(error)
    assert told.isprintable(), "an error is one line of printable characters"
    assert len(told) < 64 * 1024


def settings(data: bytes) -> None:
    """Load settings; behind the first NUL stands the environment, `NAME=value` in lines."""
    text, _, rest = data.decode("utf-8", "replace").partition("\0")
    named = (line.partition("=") for line in rest.split("\n") if "=" in line)
    environment = {name: value for name, _, value in named if "\0" not in name + value}
    try:
        loaded = settings_loader.read("watcher.yaml", text, environment)
        told = settings_loader.settings_in_force(loaded)
    except InputError as error:
        _refused(error)
        return
    assert len({setting.key for setting in told}) == len(told)


def inventories(data: bytes) -> None:
    """Load an inventory; what is accepted can be written and is then the same."""
    text = data.decode("utf-8", "replace")
    try:
        known = inventory_loader.load("inventory.yaml", text)
    except InputError as error:
        _refused(error)
        return
    again: Inventory = inventory_loader.load("again.yaml", write(known, {}))
    assert again == known


def rule_packs(data: bytes) -> None:
    """Load a rule pack, by itself and as a site's changes to the built-in ones."""
    text = data.decode("utf-8", "replace")
    for use in (
        lambda: load_pack("pack.yaml", text),
        lambda: apply_site(CATALOGUE, read_document("site.yaml", text)),
    ):
        try:
            use()
        except InputError as error:
            _refused(error)


def paste(data: bytes) -> None:
    """Import pasted command output; what comes of it is an inventory."""
    text = data.decode("utf-8", "replace")
    try:
        made = import_pastes([("paste.txt", text)], Request(node="pub"))
    except InputError as error:
        _refused(error)
        return
    inventory_loader.load("imported.yaml", made.text)


def x509(data: bytes) -> None:
    """Read a certificate, in DER, as a node prints it in PEM and as a sender shows it."""
    body = binascii.b2a_base64(data, newline=False).decode()
    rows = [body[at : at + 64] for at in range(0, len(body), 64)]
    rows = ["-----BEGIN CERTIFICATE-----", *rows, "-----END CERTIFICATE-----"]
    facts = read_lines([PastedLine(number, row) for number, row in enumerate(rows, 1)], 1)
    assert facts.unread or facts.subject is not None
    assert BINDING.nodes(data) in ((), ("pub",))


# -- the journal


def journal(data: bytes) -> None:
    """Scan any bytes as a segment: each is told once, and what is written behind is found."""
    behind = frame(KEPT, [b"behind"], SALT, len(data))
    segment = data + behind
    scan = Scan(lambda at, size: segment[at : at + size], SALT, len(segment))
    found = list(scan.entries(0))
    assert (found[0].start, found[-1].end) == (0, len(segment))
    assert all(before.end == after.start for before, after in pairwise(found))
    last = found[-1]
    # A whole head with a broken body covers what its length says.
    swallowed = any(
        each.kind == DAMAGED
        and each.start < len(data) < each.end
        and data[each.start :].startswith(MAGIC)
        for each in found
    )
    assert swallowed or (last.kind, last.start, last.body) == (KEPT, len(data), b"behind")
    bodies = Bodies()
    for body in (data, *(each.body for each in found)):
        bodies.read_message(body)
        read_counts(body)
        with suppress(ValueError):
            _same_again(bodies, body)


def _same_again(bodies: Bodies, body: bytes) -> None:
    read = bodies.read_message(body)
    if read is not None and all(isinstance(name, str) for name in read.origin.bound):
        assert bodies.read_message(bodies.write_message(read)) == read
