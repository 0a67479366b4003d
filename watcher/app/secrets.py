"""Secrets and key files: read where the settings say, kept from whoever else could read them."""

import base64
import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from watcher.errors import InputError, Location
from watcher.inputs.secret import PasswordHash, Secret

CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""What systemd sets for LoadCredential=."""
_N, _R, _P = 1 << 14, 8, 1  # RFC 7914 section 2, for interactive log-ins; 16 MiB
LIMIT = 64 << 10
"""Bytes of a secret; a token of OAuth has about 2 KiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Where a secret stands (one of three), and the setting that says so."""

    key: str
    where: Location
    file: Path | None = None
    credential: str | None = None
    variable: str | None = None

    def fault(self, problem: str, expected: str) -> InputError:
        """Return an error about this setting."""
        return InputError(f"{self.key}: {problem}", where=self.where, expected=expected)


def secret_value(source: Elsewhere, environment: Mapping[str, str]) -> Secret:
    """Return a secret: one line of text, without the line break at its end."""
    if source.variable is not None:
        if not environment.get(source.variable):
            problem = f"the variable {source.variable} is not set"
            raise source.fault(problem, "it to be set, or {file: PATH}")
        return Secret(environment[source.variable])
    raw = _read(source, private_path(source, environment))
    try:
        text = raw.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise source.fault("the secret is not UTF-8", "one line of text") from error
    if not text or len(text.splitlines()) != 1:
        raise source.fault("the secret is not one line", "one line of text, not empty")
    return Secret(text)


def hashed(password: str) -> str:
    """Return a fresh salted hash of a password, in the form that `smtp.users` takes."""
    salt = os.urandom(16)
    digest = hashlib.scrypt(password.encode(), salt=salt, n=_N, r=_R, p=_P, dklen=32)
    texts = (base64.b64encode(part).decode() for part in (salt, digest))
    return "$".join(["scrypt", str(_N), str(_R), str(_P), *texts])


def password_hash(source: Elsewhere, environment: Mapping[str, str]) -> PasswordHash:
    """Return the hash that a log-in is held against; its text stands where secrets stand."""
    try:
        return PasswordHash.parse(secret_value(source, environment).reveal())
    except ValueError as error:
        example = "the output of `watcher config password`"
        raise source.fault(str(error), example) from error


def private_path(source: Elsewhere, environment: Mapping[str, str]) -> Path:
    """Return the path of a file that only we may read; raise InputError with the fix if not so."""
    path = _path(source, environment)
    try:
        about = path.stat()
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise source.fault(f"{path}: {reason}", "a readable file") from error
    if not stat.S_ISREG(about.st_mode):
        raise source.fault(f"{path} is no file", "a file")
    open_to = _open_to(about)
    if open_to:
        problem = f"{path} can be read by {open_to} (mode {stat.S_IMODE(about.st_mode):04o})"
        raise source.fault(problem, f"chmod {_fix(about)} {path}")
    return path


def public_path(source: Elsewhere, environment: Mapping[str, str]) -> Path:
    """Return the path of a file that is no secret, such as a certificate."""
    path = _path(source, environment)
    if not path.is_file():
        raise source.fault(f"{path}: no such file", "a readable file")
    return path


def _path(source: Elsewhere, environment: Mapping[str, str]) -> Path:
    if source.credential is None:
        return source.file or Path()
    folder = environment.get(CREDENTIALS)
    if not folder:
        problem = f"there are no credentials ({CREDENTIALS} is not set)"
        line = f"LoadCredential={source.credential}:PATH in the unit, or {{file: PATH}}"
        raise source.fault(problem, line)
    return Path(folder) / source.credential


def _open_to(about: os.stat_result) -> str:
    """Return who else could read or change a file; empty when nobody.

    What another owns, such as root, we can only read as its group; then the group's right to read
    is meant.
    """
    if about.st_mode & stat.S_IRWXO:
        return "everybody"
    group = about.st_mode & stat.S_IRWXG
    if group == stat.S_IRGRP and about.st_uid != os.geteuid():
        return ""
    return "its group" if group else ""


def _fix(about: os.stat_result) -> str:
    return "600" if about.st_uid == os.geteuid() else "640"


def _read(source: Elsewhere, path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            raw = stream.read(LIMIT + 1)
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise source.fault(f"{path}: {reason}", "a readable file") from error
    if len(raw) > LIMIT:
        raise source.fault(f"{path} is larger than 64 KiB", "one line of text")
    return raw
