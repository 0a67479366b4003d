"""150 ways to break tests/settings/site.yaml, each with the words that must come back.

Half of them are written out: what must hold between settings, and what people get wrong. The
other half is drawn from all settings with a fixed seed; what is expected follows from the kind.
"""

import random
import re
from dataclasses import dataclass
from pathlib import Path

from watcher.rules.document import read_document

SAMPLE = (Path(__file__).parent / "site.yaml").read_text(encoding="utf-8")
SEED = 20261123


@dataclass(frozen=True)
class Mutant:
    """`old` becomes `new`; the error stands in the line of `at`, or where `old` stood."""

    old: str
    new: str
    key: str
    got: str
    expected: str
    at: str | None = None

    @property
    def text(self):
        """Return the broken file."""
        assert SAMPLE.count(self.old) == 1, self.old
        return SAMPLE.replace(self.old, self.new)

    @property
    def line(self):
        """Return the line that the error must name."""
        place = self.text.index(self.at) if self.at else SAMPLE.index(self.old.lstrip("\n"))
        return self.text.count("\n", 0, place) + 1


def written(*rows):
    return [Mutant(*row) for row in rows]


# fmt: off
BETWEEN = written(
    ("{name: udp-a,", "{name: udp-b,", "inputs.udp.1.name", "udp-b already names an input",
     "another name", "- name: udp-b"),
    ("name: relays", "name: udp-a", "inputs.tcp.name", "udp-a already names an input", "another"),
    ("{name: spool,", "{name: logs,", "inputs.files.1.name", "logs already names", "another",
     "- name: logs"),
    ("socket: second", "socket: udp-a", "inputs.udp.1.socket", "udp-a already names a socket",
     "another"),
    ("socket: second", "socket: web", "web.socket", "web already names a socket", "another",
     "web:\n"),
    ("port: 601", "port: 25", "inputs.smtp.port", "192.0.2.1 port 25 is taken by inputs.tcp",
     "another port or address", "port: 25\n    headers"),
    ("port: 6514", "port: 601", "inputs.tls.port", "0.0.0.0 port 601 is taken by inputs.tcp",
     "another port or address"),
    ("port: 9514", "port: 601", "web.port", "192.0.2.1 port 601 is taken", "another port"),
    ('"2001:db8::1"', '"::"', "inputs.udp.1.port", ":: port 514 is taken by inputs.udp", "another",
     "port: 514\n      socket"),
    ("connections_per_peer: 10", "connections_per_peer: 600", "inputs.tcp.connections_per_peer",
     "600 for one peer, 500 for all", "at most 500"),
    ("handshake_within: 5s", "connections_per_peer: 300", "inputs.tls.connections_per_peer",
     "300 for one peer, 200 for all", "at most 200"),
    ("header_lines: 100", "connections_per_peer: 60", "inputs.smtp.connections_per_peer",
     "60 for one peer, 50 for all", "at most 50"),
    ("source_rate: 500", "source_rate: 5001", "admission.source_rate",
     "5001 of one source, 5000 of all", "at most 5000"),
    ("source_burst: 1000", "source_burst: 9001", "admission.source_burst",
     "9001 of one source, 9000 of all", "at most 9000"),
    ("segment: 32MiB", "segment: 1GiB", "journal.segment", "fewer than four fit", "a smaller one"),
    ("claimed_per_hour: 20", "claimed_per_hour: 301", "cases.storm.claimed_per_hour",
     "301 an hour, 300 in all", "at most 300"),
    ("claimed_per_hour: 20", "named_per_hour: 5001", "cases.storm.named_per_hour",
     "5001 an hour, 5000 in all", "at most 5000"),
    ("  key: {credential: tls-key}\n", "", "tls.certificate", "a certificate without its key",
     "tls.key as well", "certificate: tls.pem"),
    ("  certificate: tls.pem\n", "", "tls.key", "a key without its certificate",
     "tls.certificate as well", "key: {credential: tls-key}"),
    ("  certificate: tls.pem\n  key: {credential: tls-key}\n", "", "inputs.tls",
     "there is no certificate to show", "inputs.tls: null", "  tls:\n"),
    ("  client_ca: nodes.pem\n", "", "tls.require_client", "no client could be believed",
     "tls.client_ca", "require_client"),
    ("{node: CUCM02, san: cucm02.example.com}",
     '{node: CUCM01, fingerprint: "' + "0123456789ABCDEF" * 4 + '"}', "tls.clients.1",
     "already names a client", "another"),
    ("certificate: mail.pem\n  key: mail.key\n  require_starttls: true", "require_starttls: true",
     "smtp.require_starttls", "there is no certificate to show; 1 more fault", "smtp.key",
     "require_starttls"),
    ("  certificate: mail.pem\n  key: mail.key\n  require_starttls: true\n", "", "smtp.users",
     "there is no certificate to show", "a password is only taken under TLS", "users:"),
    ("  key: mail.key\n", "", "smtp.certificate", "a certificate without its key", "smtp.key",
     "certificate: mail.pem"),
    ("recipients: [watcher@example.com]", "recipients: []", "smtp.recipients",
     "no mail could be taken", "an address of our own"),
    ("  recipients: [watcher@example.com]\n", "", "inputs.smtp.address",
     "smtp.recipients is missing", "smtp.recipients: [watcher@example.com]",
     "address: 192.0.2.1\n    port: 25"),
    ("allowed_networks: [192.0.2.0/24]", "allowed_networks: []", "smtp.refuse_others",
     "everybody would be refused", "smtp.allowed_networks", "refuse_others"),
    ("security: starttls", "security: none", "inputs.imap.security", "in the clear",
     "tls or starttls"),
    ("done_folder: Read", "done_folder: Alerts", "inputs.imap.done_folder", "again and again",
     "another folder"),
    ("password: {file: imap.secret}", "password: {file: a}\n    xoauth2: {file: b}", "inputs.imap",
     "password and xoauth2", "one of them", "imap:\n"),
    ("    password: {file: imap.secret}\n", "", "inputs.imap", "password and xoauth2",
     "one of them", "imap:\n"),
    ("    host: mail.example.com\n", "", "inputs.imap.host", "is missing", "this key", "imap:\n"),
    ("    user: alerts\n", "", "inputs.imap.user", "is missing", "this key", "imap:\n"),
    ("{name: spool, folder: spool, every: 2s}", "{name: spool, folder: state}",
     "inputs.files.0.folder", "state is our own state", "a folder of its own"),
    ("{name: spool, folder: spool, every: 2s}", "{name: spool, folder: state/plans/}",
     "inputs.files.0.folder", "state/plans/ is our own state", "a folder of its own"),
    ("{name: spool, folder: spool, every: 2s}", "{name: spool, every: 2s}", "inputs.files.0",
     "folder and follow", "one of them"),
    ("follow: [logs/*.log]", "follow: [logs/*.log]\n      folder: more", "inputs.files.1",
     "folder and follow", "one of them", "- name: logs"),
    ("watcher@db.example.com", "watcher:hunter2@db.example.com", "database.url", "holds a password",
     "database.password: {file: PATH}"),
    ("postgresql+psycopg://watcher@db.example.com/watcher", "mysql://db/watcher", "database.url",
     "begins with no known kind", "sqlite:/// or postgresql+psycopg://"),
    ("postgresql+psycopg://watcher@db.example.com/watcher", "postgres://db/watcher", "database.url",
     "begins with no known kind", "postgresql+psycopg://"),
    ("  url: postgresql+psycopg://watcher@db.example.com/watcher\n", "", "database.password",
     "SQLite has no password", "PostgreSQL", "password: {credential"),
    ("[90, 30, 7, 1]", "[90, 30, 30, 1]", "cases.thresholds.2", "30 after 30", "fewer days"),
    ("[90, 30, 7, 1]", "[1, 7, 30]", "cases.thresholds.1", "7 after 1; 1 more fault", "fewer days"),
    ("[90, 30, 7, 1]", "[]", "cases.thresholds", "too few", "at least 1"),
    ("[90, 30, 7, 1]", "[30, -1]", "cases.thresholds.1", "-1 is too small", "at least 0"),
    ("quiet_after: 3d", "quiet_after: 25h", "cases.quiet_after", "no longer than sources.every",
     "more than 25h"),
    ("every: 25h", "every: 4d", "cases.quiet_after", "3d is no longer than sources.every",
     "more than 4d", "quiet_after"),
    ("repeats: 14d", "repeats: 366d", "retention.repeats",
     "366d is longer than retention.messages", "at most 365d"),
    ("every: 3h", "every: 2m", "selftest.within", "2m is no shorter than selftest.every",
     "less than 2m", "within: 2m"),
    ("peer:192.0.2.7", "node:CUCM01", "sources.exceptions.1.source",
     "node:cucm01 already names an exception", "another"),
    ("url_from: {file: heartbeat.url}", "url_from: {file: a}\n  url: https://example.com/x",
     "heartbeat", "url and url_from", "one of them", "heartbeat:"),
)
# fmt: on

# fmt: off
SHAPE = written(
    ("version: 1\n", "version: 2\n", "version", "2 is not one of the words", "1"),
    ("version: 1\n", "version: one\n", "version", "'one' is not one of the words", "1"),
    ("log:\n", "logging:\n", "logging", "unknown key", "log"),
    ("log:\n", "web:\n", "", "key 'web' stands twice, first in line 105", "each key once"),
    ("web:\n  address", "web:\n\taddress", "", "a tab indents this line", "blanks",
     "\taddress"),
    ("plans:\n", "plans: &p\n", "", "anchor &p is not allowed", "the value alone", "&p"),
    ("folder: plans", "folder: *p", "", "alias *p is not allowed", "the value itself"),
    ("folder: plans", "folder: !!str plans", "", "tag", "the value alone"),
    ("folder: plans", "folder: pl\u202eans", "", "character U+202E is not allowed", "visible"),
    ("folder: plans", "folder: [plans", "", "did not find expected", "YAML",
     "  debounce"),
    ("folder: plans", "folder: a: b", "", "mapping values", "YAML 1.2"),
    ("log:\n", "---\nlog:\n", "", "a second document begins", "one document"),
    ("password: {credential: database}", "password: hunter2", "database.password",
     "a secret stands elsewhere", "{file: PATH}"),
    ("password: {credential: database}", "password: {value: hunter2}", "database.password.value",
     "unknown key", "credential, environment, file"),
    ("password: {credential: database}", "password: {credential: a, file: b}", "database.password",
     "a secret stands elsewhere", "{environment: NAME}"),
    ("password: {credential: database}", "password: {}", "database.password",
     "a secret stands elsewhere", "{file: PATH}"),
    ("password: {credential: database}", "password: {credential: ../etc/shadow}",
     "database.password.credential", "has not the right form", "text like"),
    ("relay: {environment: RELAY_HASH}", "relay: scrypt$hunter2", "smtp.users.relay",
     "a secret stands elsewhere", "{environment: NAME}"),
    ("relay: {environment: RELAY_HASH}", "relay: {environment: RELAY HASH}",
     "smtp.users.relay.environment", "has not the right form", "text like"),
    ("key: {credential: tls-key}", "key: {credential: a, file: b}", "tls.key", "a file",
     "{credential: NAME}"),
    ("address: 0.0.0.0", "address: localhost", "inputs.tls.address",
     "'localhost' is not an IP address", "127.0.0.1"),
    ("address: 0.0.0.0", "address: 192.0.2.256", "inputs.tls.address", "is not an IP address",
     "one such as"),
    ("address: 0.0.0.0", "address: 0.0.0.0:6514", "inputs.tls.address", "is not an IP address",
     "one such as"),
    ("192.0.2.0/24", "192.0.2.1/24", "smtp.allowed_networks.0", "is not a network",
     "without bits behind the prefix"),
    ("192.0.2.0/24", "example.com", "smtp.allowed_networks.0", "is not a network", "192.0.2.0/24"),
    ("[watcher@example.com]", "[watcher]", "smtp.recipients.0", "'watcher' is not a mail address",
     "watcher@example.com"),
    ("[watcher@example.com]", "watcher@example.com", "smtp.recipients",
     "'watcher@example.com' is not a list", "[a, b]"),
    ("instance: site-a", "instance: Site A", "instance", "'Site A' has not the right form",
     "text like"),
    ("level: warning", "level: loud", "log.level", "'loud' is not one of the words", "'debug'"),
    ("level: warning", "level: WARNING", "log.level", "'WARNING' is not one of", "'warning'"),
    ("format: json", "format: text", "log.format", "'text' is not one of", "'journald'"),
    ("security: starttls", "security: ssl", "inputs.imap.security", "'ssl' is not one of", "'tls'"),
    ('fingerprint: "0123', 'fingerprint: "123', "tls.clients.0.fingerprint",
     "is not a SHA-256 fingerprint", "64 hexadecimal digits"),
    ("san: cucm02.example.com", "san: '*.example.com'", "tls.clients.1.san",
     "has not the right form", "text like"),
    ("san: cucm02.example.com", "fingerprint: '', san: a", "tls.clients.1.fingerprint",
     "is not a SHA-256 fingerprint", "64 hexadecimal digits", "- {node: CUCM02"),
    ("{node: CUCM02, san: cucm02.example.com}", "{node: CUCM02}", "tls.clients.1",
     "fingerprint and san", "one of them"),
    ("node:CUCM01", "CUCM01", "sources.exceptions.0.source", "has not the right form", "text like"),
    ("url_from: {file: heartbeat.url}", "url: ftp://example.com", "heartbeat.url",
     "has not the right form", "https?"),
    ("tcp:\n    name: relays", "tcp: on\n  x:\n    name: relays", "inputs.tcp",
     "'on' is not a map", "key: value", "tcp: on"),
)
# fmt: on


def leaves():
    """Return path, line, column and value of every `key: value` of the sample."""
    places = read_document("site", SAMPLE).places
    return [
        (path, place.line, place.column, place.written)
        for path, place in places.items()
        if place.written not in {None, "null"} and isinstance(path[-1], str)
    ]


# What a value of each kind may be replaced with, and the words that must come back.
_WRONG = {
    "number": [
        ("'7'", "'7' is not a whole number", "without quotes"),
        ("seven", "'seven' is not a whole number", "a number such as 5"),
        ("7.5", "7.5 is not a whole number", "a number such as 5"),
        ("99999999999", "99999999999 is too large", "at most"),
        ("-1", "-1 is too small", "at least"),
        ("true", "true is not a whole number", "a number such as 5"),
    ],
    "duration": [
        ("30", "'30' is not a length of time", "a number with its unit"),
        ("soon", "'soon' is not a length of time", "50ms, 30s, 6h"),
        ("5 m", "'5 m' is not a length of time", "a number with its unit"),
        ("3651d", "'3651d' is too large", "at most"),
        ("-5s", "'-5s' is not a length of time", "a number with its unit"),
    ],
    "size": [
        ("16KB", "'16KB' is not a size", "16KiB"),
        ("much", "'much' is not a size", "8MiB"),
        ("2000GiB", "'2000GiB' is too large", "at most"),
        ("1B", "'1B' is too small", "at least"),
    ],
    "truth": [
        ("yes", "'yes' is neither true nor false", "without quotes"),
        ("1", "1 is neither true nor false", "true or false"),
        ("'true'", "'true' is neither true nor false", "without quotes"),
    ],
    "text": [
        ("1234", "1234 is read as a number", 'write it in quotes: "1234"'),
        ("true", "true is read as true or false", 'write it in quotes: "true"'),
        ("{a: b}", "a map is not text", "a text"),
    ],
    "word": [
        ("1234", "1234 is read as a number", 'write it in quotes: "1234"'),
        ("{a: b}", "a map is not one of the words", " or "),
        ("perhaps", "'perhaps' is not one of the words", " or "),
    ],
    "file": [
        ("1234", "'1234' is not a path", "{credential: NAME}"),
        ("true", "'true' is not a path", "{credential: NAME}"),
        ("{}", "a file", "{credential: NAME}"),
        ("[a]", "a list is not a map", "key: value"),
    ],
}


WORDS = {"security", "level", "format"}
FILES = {"certificate", "key", "client_ca", "ca"}
FREE = {"fields", "closing", "reopening"}
"""Blocks whose names and values are the ticket system's."""


def kind_of(name, written):
    if name in WORDS | FILES:
        return "word" if name in WORDS else "file"
    if re.fullmatch("[0-9]+", written):
        return "number"
    if re.fullmatch("[0-9]+(ms|s|m|h|d)", written):
        return "duration"
    if re.fullmatch("[0-9]+[KMG]iB", written):
        return "size"
    return "truth" if written in {"true", "false"} else "text"


def replaced(leaf, key=None, value=None):
    """Return the whole sample and the sample with another key or value at one place."""
    _, line, column, written = leaf
    start = sum(len(text) + 1 for text in SAMPLE.splitlines()[: line - 1]) + column - 1
    match = re.compile(r"([a-z_]+): (\"[^\"]*\"|[^,}\n]+)").match(SAMPLE, start)
    assert match, leaf
    assert match[2].strip('"') == written, leaf
    return f"{SAMPLE[:start]}{key or match[1]}: {value or match[2]}{SAMPLE[match.end() :]}"


@dataclass(frozen=True)
class Drawn:
    """A mutant of one key or value, with what must come back."""

    text: str
    line: int
    key: str
    got: str
    expected: str


def drawn(count):
    """Return mutants of settings drawn with the fixed seed."""
    dice = random.Random(SEED)  # noqa: S311 -- the same draw every time is the point
    possible = [mutant for leaf in leaves() for mutant in _of(leaf)]
    return dice.sample(possible, count)


def _of(leaf):
    path, line, _, written = leaf
    if FREE & set(path):
        return
    key, name = ".".join(map(str, path)), path[-1]
    above = key[: -len(name)]
    if path != ("version",):
        for value, got, expected in _WRONG[kind_of(name, written)]:
            yield Drawn(replaced(leaf, value=value), line, key, got, expected)
    if path[:2] != ("smtp", "users"):
        yield Drawn(replaced(leaf, key=f"{name}x"), line, f"{above}{name}x", "unknown key", name)
    again = replaced(leaf, value=f"{_as_written(leaf)}, {name}: x")
    if again.splitlines()[line - 1].lstrip(" -").startswith("{"):
        yield Drawn(again, line, "", f"key {name!r} stands twice", "each key once")


def _as_written(leaf):
    return f'"{leaf[3]}"' if ":" in leaf[3] else leaf[3]


ALL = [*BETWEEN, *SHAPE, *drawn(150 - len(BETWEEN) - len(SHAPE))]
