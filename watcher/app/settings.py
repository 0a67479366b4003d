"""From a settings file to all that start builds, without opening a port: one way for
`watcher config check`, for start and for reload.
"""  # noqa: D205 -- one sentence

import hashlib
import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from watcher.app.calendars import Calendars
from watcher.app.files import read_text
from watcher.app.parts import Parts, TicketKeys, resolved
from watcher.app.secrets import password_hash
from watcher.app.texts import read_in_force
from watcher.app.tls import Identity
from watcher.cases.identity import Directory
from watcher.errors import InputError
from watcher.inputs.secret import PasswordHash, Secret
from watcher.inventory.schema import Inventory
from watcher.rules.catalogue import Catalogue
from watcher.rules.document import Path as Key
from watcher.settings.loader import Loaded, read
from watcher.settings.overlay import STATE_DIRECTORY
from watcher.settings.schema import Settings

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
    tickets: TicketKeys = field(default_factory=TicketKeys)
    calendars: Calendars = field(default_factory=dict)
    """What the inventory names, by cluster."""

    @property
    def settings(self) -> Settings:
        """Return the settings in force."""
        return self.loaded.settings

    def resolved(self, key: Key, path: str) -> Path:
        """Return a path of the settings, from the file's folder where it is relative."""
        return resolved(self.loaded, self.path, key, path)


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
    builder = Parts(loaded, path, environment)
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
    builder = Parts(located.loaded, located.path, {})
    catalogue = builder.catalogue()
    return Directory(builder.inventory(catalogue), catalogue)


def inventory_of(located: Located) -> Inventory | None:
    """Load the inventory, for a command that needs no rule packs."""
    return Parts(located.loaded, located.path, {}).inventory()


def calendars_of(located: Located, inventory: Inventory | None) -> Calendars:
    """Read the calendars that the inventory names."""
    return Parts(located.loaded, located.path, {}).calendars(inventory)


def ticket_keys_of(located: Located, environment: Mapping[str, str]) -> TicketKeys:
    """Read the secrets of the ticket systems, for a command that speaks to them."""
    return Parts(located.loaded, located.path, environment).ticket_keys()


def prepare(path: str | None, environment: Mapping[str, str]) -> Prepared:
    """Read settings and build all that start builds, or raise InputError; no port is opened."""
    text = read_in_force(path) if path else "{}"
    return _Builder(read(path or DEFAULTS, text, environment), path, environment).build(text)


@dataclass(frozen=True, slots=True)
class _Builder(Parts):
    """Builds all that start needs."""

    def build(self, text: str) -> Prepared:
        settings = self.loaded.settings
        state_dir = self.state_dir()
        catalogue = self.catalogue()
        inventory = self.inventory(catalogue)
        plan_folder = self.plan_folder(state_dir)
        self.check_folders()
        self.check_writable(("state_dir",), state_dir)
        self.check_writable(("plans", "folder"), plan_folder)
        ticket_folder = self.ticket_folder(state_dir)
        if settings.tickets.directory:
            self.check_writable(("tickets", "folder"), ticket_folder)
        tls, smtp = self.identity("tls"), self.identity("smtp")
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
            calendars=self.calendars(inventory),
            catalogue=catalogue,
            tls=tls,
            tls_context=self.context("tls", tls),
            smtp=smtp,
            smtp_context=self.context("smtp", smtp),
            smtp_users={
                name: password_hash(
                    self.elsewhere(("smtp", "users", name), source), self.environment
                )
                for name, source in settings.smtp.users.items()
            },
            imap_secrets=self.imap_secrets(),
            imap_ca=self.imap_ca(),
            heartbeat_url=self.heartbeat_url(),
            heartbeat_file=self.resolved(("heartbeat", "file"), heartbeat.file)
            if heartbeat.file
            else None,
            relay_password=self.relay_password(),
            relay_ca=self.relay_ca(),
            chats=self.chats(),
            tickets=self.ticket_keys(),
        )
