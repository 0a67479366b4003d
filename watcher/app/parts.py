"""The parts that start is built of, each read from where the settings say it stands."""

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from watcher.app.calendars import Calendars, site_calendars
from watcher.app.files import NO_ROOM, try_folder
from watcher.app.knowledge import load_catalogue
from watcher.app.secrets import Elsewhere, private_path, public_path, secret_value
from watcher.app.site import load_inventory
from watcher.app.tls import Identity, server_context
from watcher.cases.selftest import NODE as SELF_TEST
from watcher.cases.stages import STAGES
from watcher.inputs.secret import Secret
from watcher.inventory.lookup import find_node
from watcher.inventory.schema import Inventory
from watcher.rules.catalogue import Catalogue
from watcher.rules.document import Path as Key
from watcher.rules.faults import with_others
from watcher.settings.loader import Loaded, printed
from watcher.settings.names import unknown_names
from watcher.settings.terms import PrivateFile, SecretSource

_SHARED = {
    "/": "bin boot dev etc home lib lib64 media mnt opt proc root run sbin srv sys tmp usr var",
    "/usr/": "bin lib local sbin share",
    "/var/": "cache lib log run spool tmp",
}
_SYSTEM = frozenset({"/"} | {top + one for top, names in _SHARED.items() for one in names.split()})
"""Folders that other programs share, or that belong to one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketKeys:
    """Secrets of the ticket systems by system and setting, and who signed their certificates."""

    secrets: Mapping[tuple[str, str], Secret] = field(default_factory=dict)
    ca: Mapping[str, Path | None] = field(default_factory=dict)
    relay_password: Secret | None = None
    relay_ca: Path | None = None

    def reveal(self, system: str, name: str) -> str:
        """Return a secret; nothing where the settings name none."""
        found = self.secrets.get((system, name))
        return found.reveal() if found else ""


@dataclass(frozen=True, slots=True)
class Parts:
    """What each part is made of; the settings say where."""

    loaded: Loaded
    path: str | None
    environment: Mapping[str, str]

    def state_dir(self) -> Path:
        """Return the folder of journal, database, plans; a folder of the system is none of ours."""
        key: Key = ("state_dir",)
        folder = self.resolved(key, self.loaded.settings.state_dir)
        if not _SYSTEM.isdisjoint((str(folder), os.path.realpath(folder))):
            # The default, `var` where we are, is /var when we are at the root.
            raise self.elsewhere(key).fault(
                f"{folder} is a folder of the system", "one of our own, such as /var/lib/watcher"
            )
        return folder

    def resolved(self, key: Key, path: str) -> Path:
        """Return a path of the settings, from the file's folder where it is relative."""
        return resolved(self.loaded, self.path, key, path)

    def plan_folder(self, state_dir: Path) -> Path:
        """Return where plans are laid."""
        folder = self.loaded.settings.plans.folder
        return self.resolved(("plans", "folder"), folder) if folder else state_dir / "plans"

    def ticket_folder(self, state_dir: Path) -> Path:
        """Return where tickets are laid."""
        folder = self.loaded.settings.tickets.folder
        return self.resolved(("tickets", "folder"), folder) if folder else state_dir / "tickets"

    def inventory(self, catalogue: Catalogue | None = None) -> Inventory | None:
        """Load the inventory, if there is one, and hold what the settings name against it.

        With a catalogue its stores are held against the rules.
        """
        inventory = self._inventory(catalogue)
        faults = unknown_names(self.loaded.settings, inventory, STAGES)
        if faults:
            key, problem, expected = faults[0]
            raise with_others(self.elsewhere(key).fault(problem, expected), len(faults) - 1)
        return inventory

    def _inventory(self, catalogue: Catalogue | None) -> Inventory | None:
        name = self.loaded.settings.inventory
        if not name:
            return None
        inventory = load_inventory(str(self.resolved(("inventory",), name)), catalogue)
        if find_node(inventory, SELF_TEST) is not None:
            raise self.elsewhere(("inventory",)).fault(
                f"a node is called {SELF_TEST}", "another name: this one is our own self-test's"
            )
        return inventory

    def calendars(self, inventory: Inventory | None) -> Calendars:
        """Read the calendars that the inventory names."""
        name = self.loaded.settings.inventory
        if inventory is None or not name:
            return {}
        return site_calendars(str(self.resolved(("inventory",), name)), inventory)

    def catalogue(self) -> Catalogue:
        """Load the rule packs."""
        rules = enumerate(self.loaded.settings.rules)
        return load_catalogue([str(self.resolved(("rules", n), name)) for n, name in rules])

    def check_writable(self, key: Key, folder: Path) -> None:
        """Refuse a folder that cannot be made or written; leave nothing behind."""
        try:
            try_folder(folder)
        except NotADirectoryError as error:
            problem = f"{error.filename} is no folder"
            raise self.elsewhere(key).fault(problem, "a folder") from error
        except OSError as error:
            # A full disk is no fault of the settings, and a worker must start to make room on it.
            if error.errno not in NO_ROOM:
                problem = f"{folder}: {(error.strerror or str(error)).lower()}"
                raise self.elsewhere(key).fault(problem, "a folder that we may write") from error

    def check_folders(self) -> None:
        """Refuse to watch a folder that is not there."""
        for number, one in enumerate(self.loaded.settings.inputs.files):
            key: Key = ("inputs", "files", number, "folder")
            if one.folder and not self.resolved(key, one.folder).is_dir():
                problem = f"{self.resolved(key, one.folder)} is no folder"
                raise self.elsewhere(key).fault(problem, "a folder that exists")

    def elsewhere(self, key: Key, source: SecretSource | PrivateFile | None = None) -> Elsewhere:
        """Return where a secret or file stands, and the setting that says so."""
        file = source.file if source else None
        return Elsewhere(
            key=printed(self.loaded.document, key),
            where=self.loaded.document.where(key),
            file=self.resolved(key, file) if file else None,
            credential=source.credential if source else None,
            variable=source.environment if isinstance(source, SecretSource) else None,
        )

    def secret(self, key: Key, source: SecretSource) -> Secret:
        """Read a secret."""
        return secret_value(self.elsewhere(key, source), self.environment)

    def public(self, key: Key, source: PrivateFile | None) -> Path | None:
        """Return the path of a file that is no secret."""
        if source is None:
            return None
        return public_path(self.elsewhere(key, source), self.environment)

    def identity(self, block: str) -> Identity | None:
        """Return certificate and key of `tls` or `smtp`, if both are given."""
        settings = self.loaded.settings
        told = settings.tls if block == "tls" else settings.smtp
        certificate = self.public((block, "certificate"), told.certificate)
        if certificate is None or told.key is None:
            return None
        key = private_path(self.elsewhere((block, "key"), told.key), self.environment)
        if block == "smtp":
            return Identity(certificate=certificate, key=key)
        return Identity(
            certificate=certificate,
            key=key,
            client_ca=self.public(("tls", "client_ca"), settings.tls.client_ca),
            require_client=settings.tls.require_client,
        )

    def context(self, block: str, identity: Identity | None) -> ssl.SSLContext | None:
        """Return the context of an identity, which reads its files."""
        if identity is None:
            return None
        return server_context(identity, self.elsewhere((block, "certificate")))

    def database_url(self, state_dir: Path) -> Secret:
        """Return the address of the database, with the password in it."""
        database = self.loaded.settings.database
        if database.url is None:
            return Secret(f"sqlite:///{state_dir / 'watcher.db'}")
        if database.password is None:
            return Secret(database.url)
        word = quote(self.secret(("database", "password"), database.password).reveal(), safe="")
        scheme, _, rest = database.url.partition("://")
        user, at, host = rest.rpartition("@")
        if not at:
            raise self.elsewhere(("database", "url")).fault(
                "names no user for the password", "postgresql+psycopg://USER@HOST/NAME"
            )
        return Secret(f"{scheme}://{user}:{word}@{host}")

    def imap_secrets(self) -> tuple[Secret, ...]:
        """Read password or token of each mailbox."""
        found = []
        for number, mailbox in enumerate(self.loaded.settings.inputs.imap):
            way = "password" if mailbox.password else "xoauth2"
            source = mailbox.password or mailbox.xoauth2
            if source is not None:
                found.append(self.secret(("inputs", "imap", number, way), source))
        return tuple(found)

    def imap_ca(self) -> tuple[Path | None, ...]:
        """Return who signed the certificate of each mailbox's server."""
        mailboxes = enumerate(self.loaded.settings.inputs.imap)
        return tuple(self.public(("inputs", "imap", n, "ca"), one.ca) for n, one in mailboxes)

    def relay_password(self) -> Secret | None:
        """Read the password for the relay."""
        relay = self.loaded.settings.relay
        if relay is None or relay.password is None:
            return None
        return self.secret(("relay", "password"), relay.password)

    def relay_ca(self) -> Path | None:
        """Return who signed the relay's certificate."""
        relay = self.loaded.settings.relay
        return self.public(("relay", "ca"), relay.ca) if relay else None

    def ticket_keys(self) -> TicketKeys:
        """Read what the ticket systems are logged in to with."""
        systems = self.loaded.settings.tickets.remote()
        return TicketKeys(
            secrets={
                (system, name): self.secret(("tickets", system, name), source)
                for system, told in systems.items()
                for name, source in told
                if isinstance(source, SecretSource)
            },
            ca={name: self._authority(("tickets", name, "ca"), one.ca)
                for name, one in systems.items()},
            relay_password=self.relay_password(), relay_ca=self.relay_ca(),
        )  # fmt: skip

    def _authority(self, key: Key, source: PrivateFile | None) -> Path | None:
        path = self.public(key, source)
        try:
            ssl.create_default_context(cafile=path)
        except OSError as error:
            problem = f"{path}: no certificates can be read from it"
            raise self.elsewhere(key).fault(problem, "certificates as PEM") from error
        return path

    def chats(self) -> Mapping[str, tuple[Secret, ...]]:
        """Read the addresses of the chats of each list."""
        return {
            one.name: tuple(
                self.secret(("notifications", "lists", n, "chat", place), source)
                for place, source in enumerate(one.chat)
            )
            for n, one in enumerate(self.loaded.settings.notifications.lists)
        }

    def heartbeat_url(self) -> Secret | None:
        """Return where the sign of life goes."""
        heartbeat = self.loaded.settings.heartbeat
        if heartbeat.url_from is None:
            return Secret(heartbeat.url) if heartbeat.url else None
        url = self.secret(("heartbeat", "url_from"), heartbeat.url_from)
        if not url.reveal().startswith(("http://", "https://")):
            raise self.elsewhere(("heartbeat", "url_from")).fault(
                "the secret is not a web address", "http://... or https://..."
            )
        return url


def resolved(loaded: Loaded, file: str | None, key: Key, path: str) -> Path:
    """Return a path; one that the file says is seen from its folder, others from where we are."""
    ours = loaded.document.variable(key) is None and key in loaded.document.places
    base = Path(file).parent if file is not None and ours else Path()
    return Path(os.path.normpath((base / path).absolute()))
