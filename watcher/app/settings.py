"""From a settings file to all that start builds, without opening a port: one way for
`watcher config check`, for start and for reload.
"""  # noqa: D205 -- one sentence

import hashlib
import os
import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

from watcher.app.files import NO_ROOM, read_text, try_folder
from watcher.app.knowledge import load_catalogue
from watcher.app.secrets import Elsewhere, password_hash, private_path, public_path, secret_value
from watcher.app.site import load_inventory
from watcher.app.texts import read_in_force
from watcher.app.tls import Identity, server_context
from watcher.cases.identity import Directory
from watcher.cases.selftest import NODE as SELF_TEST
from watcher.errors import InputError
from watcher.inputs.secret import PasswordHash, Secret
from watcher.inventory.lookup import Place, find_node
from watcher.inventory.schema import Inventory
from watcher.rules.catalogue import Catalogue
from watcher.rules.document import Path as Key
from watcher.settings.loader import Loaded, printed, read
from watcher.settings.overlay import STATE_DIRECTORY
from watcher.settings.schema import Settings
from watcher.settings.terms import PrivateFile, SecretSource

VARIABLE = "WATCHER_SETTINGS"
USUAL = ("watcher.yaml", "/etc/watcher/watcher.yaml")
"""Where settings are looked for when nobody says where."""
_STATE = {STATE_DIRECTORY, "WATCHER_STATE_DIR"}
_BLOCK = re.compile(r"[A-Za-z_]+ *:")
DEFAULTS = "defaults"
"""What stands for the file's name where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Everything that start needs, checked; nothing in it has opened a port or a database."""

    path: str | None
    """The settings file; None: defaults and environment alone."""
    digest: str
    """SHA-256 of the file's text, to tell whether what runs is still what stands there."""
    loaded: Loaded
    state_dir: Path
    plan_folder: Path
    ticket_folder: Path
    database_url: Secret
    inventory: Inventory | None
    catalogue: Catalogue
    tls: Identity | None
    tls_context: ssl.SSLContext | None
    smtp: Identity | None
    smtp_context: ssl.SSLContext | None
    smtp_users: Mapping[str, PasswordHash]
    imap_secrets: tuple[Secret, ...]
    """Password or token of each mailbox, in the order of `inputs.imap`."""
    imap_ca: tuple[Path | None, ...]
    heartbeat_url: Secret | None
    heartbeat_file: Path | None
    relay_password: Secret | None = None
    relay_ca: Path | None = None
    chats: Mapping[str, tuple[Secret, ...]] = field(default_factory=dict)
    """Apprise addresses of each list of notifications."""

    @property
    def settings(self) -> Settings:
        """Return the settings in force."""
        return self.loaded.settings

    def resolved(self, key: Key, path: str) -> Path:
        """Return a path of the settings, from the file's folder where it is relative."""
        return _resolved(self.loaded, self.path, key, path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """Where the state of a daemon is: all that a command needs that only asks or acts."""

    path: str | None
    digest: str
    """As `Prepared.digest`."""
    loaded: Loaded
    state_dir: Path
    plan_folder: Path
    ticket_folder: Path
    database_url: Secret

    @property
    def settings(self) -> Settings:
        """Return the settings in force."""
        return self.loaded.settings


def find_settings(given: str | None, environment: Mapping[str, str]) -> str | None:
    """Return which settings file holds: the one given, else the variable's, else a usual one."""
    if given or environment.get(VARIABLE):
        return given or environment[VARIABLE]
    return next((name for name in USUAL if Path(name).is_file()), None)


def load_settings(path: str | None, environment: Mapping[str, str]) -> Loaded:
    """Read a settings file (None: there is none) and the environment over it; build nothing."""
    return read(path or DEFAULTS, _text(path), environment)


def locate(path: str | None, environment: Mapping[str, str]) -> Located:
    """Read settings and say where the state is; no key, inventory or rule pack is looked at."""
    text = _text(path)
    return _located(text, read(path or DEFAULTS, text, environment), path, environment)


def locate_anyway(path: str | None, environment: Mapping[str, str]) -> tuple[Located, str]:
    """Do as `locate`, and where settings have a fault go by what is sound in them.

    Returns the fault too. A daemon may run on settings of before, and then more than ever people
    want to see it. Raises InputError when the file cannot be read at all.
    """
    try:
        return locate(path, environment), ""
    except InputError as error:
        text = _text(path)
        ours = {name: value for name, value in environment.items() if name in _STATE}
        for variables in (environment, ours):
            with suppress(InputError):
                loaded = read(path or DEFAULTS, sound_part(text, variables), variables)
                return _located(text, loaded, path, variables), str(error)
        raise


def sound_part(text: str, environment: Mapping[str, str]) -> str:
    """Return those blocks of a settings file that can be read, `state_dir` before all others."""
    lines = text.splitlines(keepends=True)
    heads = [n for n, line in enumerate(lines) if _BLOCK.match(line)]
    blocks = ["".join(lines[a:b]) for a, b in pairwise([*heads, len(lines)])]
    blocks += [lines[n] for n in heads]  # a key on its own, where what follows it is broken
    sound = ""
    for block in sorted(blocks, key=lambda block: not block.startswith("state_dir")):
        with suppress(InputError):
            more = f"{sound}{block.rstrip()}\n"
            read(DEFAULTS, more, environment)
            sound = more
    return sound or "{}"


def _text(path: str | None) -> str:
    return read_text(path) if path else "{}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _located(
    text: str, loaded: Loaded, path: str | None, environment: Mapping[str, str]
) -> Located:
    builder = _Builder(loaded, path, environment)
    state_dir = builder.state_dir()
    return Located(
        path=path,
        digest=_digest(text),
        loaded=loaded,
        state_dir=state_dir,
        plan_folder=builder.plan_folder(state_dir),
        ticket_folder=builder.ticket_folder(state_dir),
        database_url=builder.database_url(state_dir),
    )


def directory_of(located: Located) -> Directory:
    """Load inventory and rule packs, for a command that reads messages as the daemon does."""
    builder = _Builder(located.loaded, located.path, {})
    return Directory(builder.inventory(), builder.catalogue())


def inventory_of(located: Located) -> Inventory | None:
    """Load the inventory, for a command that needs no rule packs."""
    return _Builder(located.loaded, located.path, {}).inventory()


def prepare(path: str | None, environment: Mapping[str, str]) -> Prepared:
    """Read settings and build all that start builds, or raise InputError; no port is opened."""
    text = read_in_force(path) if path else "{}"
    return _Builder(read(path or DEFAULTS, text, environment), path, environment).build(text)


@dataclass(frozen=True, slots=True)
class _Builder:
    """What each part is made of; the settings say where."""

    loaded: Loaded
    path: str | None
    environment: Mapping[str, str]

    def build(self, text: str) -> Prepared:
        settings = self.loaded.settings
        state_dir = self.state_dir()
        inventory = self.inventory()
        self._check_clients(inventory)
        plan_folder = self.plan_folder(state_dir)
        self._check_folders()
        self._check_writable(("state_dir",), state_dir)
        self._check_writable(("plans", "folder"), plan_folder)
        ticket_folder = self.ticket_folder(state_dir)
        if settings.tickets.directory:
            self._check_writable(("tickets", "folder"), ticket_folder)
        tls, smtp = self._identity("tls"), self._identity("smtp")
        heartbeat = settings.heartbeat
        return Prepared(
            path=self.path,
            digest=_digest(text),
            loaded=self.loaded,
            state_dir=state_dir,
            plan_folder=plan_folder,
            ticket_folder=ticket_folder,
            database_url=self.database_url(state_dir),
            inventory=inventory,
            catalogue=self.catalogue(),
            tls=tls,
            tls_context=self._context("tls", tls),
            smtp=smtp,
            smtp_context=self._context("smtp", smtp),
            smtp_users={
                name: password_hash(
                    self._elsewhere(("smtp", "users", name), source), self.environment
                )
                for name, source in settings.smtp.users.items()
            },
            imap_secrets=self._imap_secrets(),
            imap_ca=self._imap_ca(),
            heartbeat_url=self._heartbeat_url(),
            heartbeat_file=self._resolved(("heartbeat", "file"), heartbeat.file)
            if heartbeat.file
            else None,
            relay_password=self.relay_password(),
            relay_ca=self.relay_ca(),
            chats=self.chats(),
        )

    def state_dir(self) -> Path:
        return self._resolved(("state_dir",), self.loaded.settings.state_dir)

    def _resolved(self, key: Key, path: str) -> Path:
        return _resolved(self.loaded, self.path, key, path)

    def plan_folder(self, state_dir: Path) -> Path:
        folder = self.loaded.settings.plans.folder
        return self._resolved(("plans", "folder"), folder) if folder else state_dir / "plans"

    def ticket_folder(self, state_dir: Path) -> Path:
        folder = self.loaded.settings.tickets.folder
        return self._resolved(("tickets", "folder"), folder) if folder else state_dir / "tickets"

    def inventory(self) -> Inventory | None:
        name = self.loaded.settings.inventory
        if not name:
            return None
        inventory = load_inventory(str(self._resolved(("inventory",), name)))
        if find_node(inventory, SELF_TEST) is not None:
            raise self._elsewhere(("inventory",)).fault(
                f"a node is called {SELF_TEST}", "another name: this one is our own self-test's"
            )
        return inventory

    def catalogue(self) -> Catalogue:
        rules = enumerate(self.loaded.settings.rules)
        return load_catalogue([str(self._resolved(("rules", n), name)) for n, name in rules])

    def _check_clients(self, inventory: Inventory | None) -> None:
        """Refuse a certificate for a node that is not there: its alarms would all be refused."""
        if inventory is None:
            return
        for number, client in enumerate(self.loaded.settings.tls.clients):
            if not isinstance(find_node(inventory, client.node), Place):
                raise self._elsewhere(("tls", "clients", number, "node")).fault(
                    f"the inventory has no node {client.node}", "a node of the inventory"
                )

    def _check_writable(self, key: Key, folder: Path) -> None:
        """Refuse a folder that cannot be made or written; leave nothing behind."""
        try:
            try_folder(folder)
        except NotADirectoryError as error:
            problem = f"{error.filename} is no folder"
            raise self._elsewhere(key).fault(problem, "a folder") from error
        except OSError as error:
            # A full disk is no fault of the settings, and a worker must start to make room on it.
            if error.errno not in NO_ROOM:
                problem = f"{folder}: {(error.strerror or str(error)).lower()}"
                raise self._elsewhere(key).fault(problem, "a folder that we may write") from error

    def _check_folders(self) -> None:
        for number, one in enumerate(self.loaded.settings.inputs.files):
            key: Key = ("inputs", "files", number, "folder")
            if one.folder and not self._resolved(key, one.folder).is_dir():
                problem = f"{self._resolved(key, one.folder)} is no folder"
                raise self._elsewhere(key).fault(problem, "a folder that exists")

    def _elsewhere(self, key: Key, source: SecretSource | PrivateFile | None = None) -> Elsewhere:
        file = source.file if source else None
        return Elsewhere(
            key=printed(self.loaded.document, key),
            where=self.loaded.document.where(key),
            file=self._resolved(key, file) if file else None,
            credential=source.credential if source else None,
            variable=source.environment if isinstance(source, SecretSource) else None,
        )

    def _secret(self, key: Key, source: SecretSource) -> Secret:
        return secret_value(self._elsewhere(key, source), self.environment)

    def _public(self, key: Key, source: PrivateFile | None) -> Path | None:
        if source is None:
            return None
        return public_path(self._elsewhere(key, source), self.environment)

    def _identity(self, block: str) -> Identity | None:
        settings = self.loaded.settings
        told = settings.tls if block == "tls" else settings.smtp
        certificate = self._public((block, "certificate"), told.certificate)
        if certificate is None or told.key is None:
            return None
        key = private_path(self._elsewhere((block, "key"), told.key), self.environment)
        if block == "smtp":
            return Identity(certificate=certificate, key=key)
        return Identity(
            certificate=certificate,
            key=key,
            client_ca=self._public(("tls", "client_ca"), settings.tls.client_ca),
            require_client=settings.tls.require_client,
        )

    def _context(self, block: str, identity: Identity | None) -> ssl.SSLContext | None:
        if identity is None:
            return None
        return server_context(identity, self._elsewhere((block, "certificate")))

    def database_url(self, state_dir: Path) -> Secret:
        database = self.loaded.settings.database
        if database.url is None:
            return Secret(f"sqlite:///{state_dir / 'watcher.db'}")
        if database.password is None:
            return Secret(database.url)
        word = quote(self._secret(("database", "password"), database.password).reveal(), safe="")
        scheme, _, rest = database.url.partition("://")
        user, at, host = rest.rpartition("@")
        if not at:
            raise self._elsewhere(("database", "url")).fault(
                "names no user for the password", "postgresql+psycopg://USER@HOST/NAME"
            )
        return Secret(f"{scheme}://{user}:{word}@{host}")

    def _imap_secrets(self) -> tuple[Secret, ...]:
        found = []
        for number, mailbox in enumerate(self.loaded.settings.inputs.imap):
            way = "password" if mailbox.password else "xoauth2"
            source = mailbox.password or mailbox.xoauth2
            if source is not None:
                found.append(self._secret(("inputs", "imap", number, way), source))
        return tuple(found)

    def _imap_ca(self) -> tuple[Path | None, ...]:
        mailboxes = enumerate(self.loaded.settings.inputs.imap)
        return tuple(self._public(("inputs", "imap", n, "ca"), one.ca) for n, one in mailboxes)

    def relay_password(self) -> Secret | None:
        relay = self.loaded.settings.relay
        if relay is None or relay.password is None:
            return None
        return self._secret(("relay", "password"), relay.password)

    def relay_ca(self) -> Path | None:
        relay = self.loaded.settings.relay
        return self._public(("relay", "ca"), relay.ca) if relay else None

    def chats(self) -> Mapping[str, tuple[Secret, ...]]:
        return {
            one.name: tuple(
                self._secret(("notifications", "lists", n, "chat", place), source)
                for place, source in enumerate(one.chat)
            )
            for n, one in enumerate(self.loaded.settings.notifications.lists)
        }

    def _heartbeat_url(self) -> Secret | None:
        heartbeat = self.loaded.settings.heartbeat
        if heartbeat.url_from is None:
            return Secret(heartbeat.url) if heartbeat.url else None
        url = self._secret(("heartbeat", "url_from"), heartbeat.url_from)
        if not url.reveal().startswith(("http://", "https://")):
            raise self._elsewhere(("heartbeat", "url_from")).fault(
                "the secret is not a web address", "http://... or https://..."
            )
        return url


def _resolved(loaded: Loaded, file: str | None, key: Key, path: str) -> Path:
    """Return a path; one that the file says is seen from its folder, others from where we are."""
    ours = loaded.document.variable(key) is None and key in loaded.document.places
    base = Path(file).parent if file is not None and ours else Path()
    return Path(os.path.normpath((base / path).absolute()))
