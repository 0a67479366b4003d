"""What must hold between the settings; the shape of each alone cannot say it."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from watcher.errors import InputError
from watcher.rules.document import Document, Path
from watcher.rules.faults import fault
from watcher.settings.digest import DigestList, NoticeList, Relay
from watcher.settings.inputs import Listening, UdpInput
from watcher.settings.schema import Settings
from watcher.settings.terms import Fault, MailboxSecurity, duration_text
from watcher.settings.ticket_faults import ticket_faults

_URLS = ("sqlite:///", "postgresql+psycopg://")
_HERE = {"localhost", "127.0.0.1", "::1"}


def check(document: Document, settings: Settings) -> tuple[InputError, ...]:
    """Return every fault between settings, in the order of the file."""
    found = (
        *_names(settings), *_ports(settings), *_connections(settings), *_tls(settings),
        *_smtp(settings), *_imap(settings), *_files(settings), *_database(settings),
        *_rates(settings), *_cases(settings), *_times(settings), *_sent(settings),
        *ticket_faults(settings),
    )  # fmt: skip
    return tuple(sorted((fault(document, *item) for item in found), key=_order))


def _order(error: InputError) -> tuple[int, int]:
    where = error.where
    return (where.line or 0, where.column or 0) if where else (0, 0)


def _listening(settings: Settings) -> Iterator[tuple[Path, str, Listening]]:
    kinds: tuple[tuple[str, tuple[Listening, ...]], ...] = (
        ("udp", settings.inputs.udp),
        ("tcp", settings.inputs.tcp),
        ("tls", settings.tls_inputs()),
        ("smtp", settings.inputs.smtp),
    )
    for kind, inputs in kinds:
        for number, one in enumerate(inputs):
            yield ("inputs", kind, number), kind, one


def _doubles(named: Iterable[tuple[Path, str]], what: str) -> Iterator[Fault]:
    seen: set[str] = set()
    for path, name in named:
        if name in seen:
            yield path, f"{name} already names {what} above", "another name in each"
        seen.add(name)


def _names(settings: Settings) -> Iterator[Fault]:
    inputs = settings.inputs
    named: list[tuple[Path, str]] = [
        ((*path, "name"), one.name) for path, _, one in _listening(settings)
    ]
    named += [(("inputs", "files", n, "name"), one.name) for n, one in enumerate(inputs.files)]
    named += [(("inputs", "imap", n, "name"), one.name) for n, one in enumerate(inputs.imap)]
    yield from _doubles(named, "an input")
    sockets: list[tuple[Path, str]] = [
        ((*path, "socket"), one.socket or one.name) for path, _, one in _listening(settings)
    ]
    if settings.web is not None:
        sockets.append((("web", "socket"), settings.web.socket or "web"))
    if len({name for _, name in named}) == len(named):
        yield from _doubles(sockets, "a socket")


def _ports(settings: Settings) -> Iterator[Fault]:
    taken: dict[tuple[bool, int], list[tuple[str, Path]]] = {}
    places = [((*path, "port"), kind == "udp", one) for path, kind, one in _listening(settings)]
    listeners = [(path, udp, one.address, one.port) for path, udp, one in places]
    if settings.web is not None:
        listeners.append((("web", "port"), False, settings.web.address, settings.web.port))
    for path, udp, address, port in listeners:
        others = taken.setdefault((udp, port), [])
        clash = [at for other, at in others if port and _same(address, other)]
        if clash:
            first = ".".join(str(part) for part in clash[0][:-1])
            yield path, f"{address} port {port} is taken by {first}", "another port or address"
        others.append((address, path))


def _same(one: str, other: str) -> bool:
    return one == other or any(ip_address(each).is_unspecified for each in (one, other))


def _connections(settings: Settings) -> Iterator[Fault]:
    for path, _, one in _listening(settings):
        if not isinstance(one, UdpInput) and one.connections_per_peer > one.connections:
            problem = f"{one.connections_per_peer} for one peer, {one.connections} for all"
            yield (*path, "connections_per_peer"), problem, f"at most {one.connections}"


def _pair(at: str, certificate: object, key: object) -> Iterator[Fault]:
    if certificate and not key:
        yield (at, "certificate"), "a certificate without its key", f"{at}.key as well"
    if key and not certificate:
        yield (at, "key"), "a key without its certificate", f"{at}.certificate as well"


def _tls(settings: Settings) -> Iterator[Fault]:
    tls = settings.tls
    yield from _pair("tls", tls.certificate, tls.key)
    if settings.inputs.tls and not tls.certificate and not tls.key:
        expected = "tls.certificate and tls.key, or inputs.tls: null"
        yield ("inputs", "tls", 0), "there is no certificate to show", expected
    if tls.certificate and tls.require_client and not tls.client_ca:
        expected = "tls.client_ca (CAs, or the nodes' self-signed certificates), or false"
        yield ("tls", "require_client"), "no client could be believed", expected
    bound = (
        (("tls", "clients", n), f"{c.node}, {c.fingerprint or c.san}")
        for n, c in enumerate(tls.clients)
    )
    yield from _doubles(bound, "a client")


def _smtp(settings: Settings) -> Iterator[Fault]:
    smtp, listening = settings.smtp, settings.inputs.smtp
    yield from _pair("smtp", smtp.certificate, smtp.key)
    if listening and not smtp.recipients:
        yield ("smtp", "recipients"), "is empty: no mail could be taken", "an address of our own"
    open_ = [n for n, one in enumerate(listening) if not ip_address(one.address).is_loopback]
    if open_ and "recipients" not in smtp.model_fields_set:
        expected = "smtp.recipients: [watcher@example.com]"
        yield ("inputs", "smtp", open_[0], "address"), "smtp.recipients is missing", expected
    if smtp.require_starttls and not smtp.certificate:
        expected = "smtp.certificate and smtp.key"
        yield ("smtp", "require_starttls"), "there is no certificate to show", expected
    if smtp.users and not smtp.certificate:
        expected = "smtp.certificate and smtp.key: a password is only taken under TLS"
        yield ("smtp", "users"), "there is no certificate to show", expected
    if smtp.refuse_others and not smtp.allowed_networks:
        yield ("smtp", "refuse_others"), "everybody would be refused", "smtp.allowed_networks"


def _imap(settings: Settings) -> Iterator[Fault]:
    for n, one in enumerate(settings.inputs.imap):
        if one.security is MailboxSecurity.NONE and one.host not in _HERE:
            problem = "the password would cross the network in the clear"
            yield ("inputs", "imap", n, "security"), problem, "tls or starttls"
        if one.done_folder == one.folder:
            problem = f"{one.folder} would be read again and again"
            yield ("inputs", "imap", n, "done_folder"), problem, "another folder, or null"


def _files(settings: Settings) -> Iterator[Fault]:
    own = settings.state_dir.rstrip("/")
    for n, one in enumerate(settings.inputs.files):
        folder = (one.folder or "").rstrip("/")
        if folder and (folder == own or folder.startswith((f"{own}/journal", f"{own}/plans"))):
            problem = f"{one.folder} is our own state"
            yield ("inputs", "files", n, "folder"), problem, "a folder of its own"


def _database(settings: Settings) -> Iterator[Fault]:
    url = settings.database.url or _URLS[0]
    if not url.startswith(_URLS):
        # The address is not quoted: it may hold a password all the same.
        expected = f"it to begin with {' or '.join(_URLS)}"
        yield ("database", "url"), "begins with no known kind of database", expected
    elif ":" in url.partition("://")[2].rpartition("@")[0]:
        yield ("database", "url"), "holds a password", "database.password: {file: PATH}"
    if settings.database.password and url.startswith(_URLS[0]):
        yield ("database", "password"), "SQLite has no password", "a url of PostgreSQL"


def _rates(settings: Settings) -> Iterator[Fault]:
    admission = settings.admission
    if admission.source_rate > admission.total_rate:
        problem = f"{admission.source_rate} of one source, {admission.total_rate} of all"
        yield ("admission", "source_rate"), problem, f"at most {admission.total_rate}"
    if admission.source_burst > admission.total_burst:
        problem = f"{admission.source_burst} of one source, {admission.total_burst} of all"
        yield ("admission", "source_burst"), problem, f"at most {admission.total_burst}"
    if settings.journal.segment * 4 > settings.journal.limit:
        yield ("journal", "segment"), "fewer than four fit into journal.limit", "a smaller one"
    storm = settings.cases.storm
    for kind in ("claimed", "named"):
        hour, total = getattr(storm, f"{kind}_per_hour"), getattr(storm, f"{kind}_total")
        if hour > total:
            problem = f"{hour} an hour, {total} in all"
            yield ("cases", "storm", f"{kind}_per_hour"), problem, f"at most {total}"


def _cases(settings: Settings) -> Iterator[Fault]:
    days = settings.cases.thresholds
    for n in range(1, len(days)):
        if days[n] >= days[n - 1]:
            problem = f"{days[n]} after {days[n - 1]}"
            yield ("cases", "thresholds", n), problem, "fewer days than the one before"
    exceptions = enumerate(settings.sources.exceptions)
    named = ((("sources", "exceptions", n, "source"), one.source) for n, one in exceptions)
    yield from _doubles(named, "an exception")


def _times(settings: Settings) -> Iterator[Fault]:
    kept = settings.retention
    if settings.cases.quiet_after <= settings.sources.every:
        problem = f"{duration_text(settings.cases.quiet_after)} is no longer than sources.every"
        expected = f"more than {duration_text(settings.sources.every)}"
        yield ("cases", "quiet_after"), problem, expected
    if kept.repeats > kept.messages:
        problem = f"{duration_text(kept.repeats)} is longer than retention.messages"
        yield ("retention", "repeats"), problem, f"at most {duration_text(kept.messages)}"
    test = settings.selftest
    if test.every is not None and test.within >= test.every:
        problem = f"{duration_text(test.within)} is no shorter than selftest.every"
        yield ("selftest", "within"), problem, f"less than {duration_text(test.every)}"


def _sent(settings: Settings) -> Iterator[Fault]:
    """Find faults of what we send by ourselves."""
    relay, digest, notices = settings.relay, settings.digest.lists, settings.notifications.lists
    if relay is not None and (relay.user is None) != (relay.password is None):
        yield ("relay", "user"), "user and password go together", "both, or neither"
    elif relay is not None and relay.user and _is_open(relay):
        problem = "a password would go out in the clear"
        yield ("relay", "security"), problem, "starttls or tls"
    kinds: tuple[tuple[str, tuple[DigestList | NoticeList, ...]], ...] = (
        ("digest", digest), ("notifications", notices)
    )  # fmt: skip
    for kind, lists in kinds:
        named: list[tuple[Path, str]] = [
            ((kind, "lists", n, "name"), one.name) for n, one in enumerate(lists)
        ]
        yield from _doubles(named, "a list")
        for n, one in enumerate(lists):
            if one.to and relay is None:
                problem = "mail needs a relay"
                yield (kind, "lists", n, "to"), problem, "`relay:` with host and sender"
    yield from _marks(settings)


def _is_open(relay: Relay) -> bool:
    return relay.security is MailboxSecurity.NONE and relay.host not in _HERE


def _marks(settings: Settings) -> Iterator[Fault]:
    for n, one in enumerate(settings.notifications.lists):
        path: Path = ("notifications", "lists", n)
        if not one.to and not one.chat:
            yield path, "nobody is told", "`to` or `chat`"
        for place, days in enumerate(one.days):
            if days not in settings.cases.thresholds:
                words = ", ".join(map(str, settings.cases.thresholds))
                problem = f"{days} is no mark of cases.thresholds"
                yield (*path, "days", place), problem, f"some of {words}"
