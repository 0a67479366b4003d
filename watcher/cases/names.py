"""Names that a message gives, made safe to be part of a key: they never look like a known one."""

import re
from hashlib import sha256

from watcher.inventory.lookup import stem

PLAIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)
FILE = re.compile(r"[a-z0-9][a-z0-9._ ()+@-]{0,119}", re.ASCII)
_HASHED = 16


def claimed_name(name: str | None, form: re.Pattern[str] = PLAIN) -> str:
    """Return a name in ASCII lower case, or `~` and a hash where it is no plain name.

    No inventory can hold a name with `~`, so a look-alike never comes to equal a known one.
    """
    text = (name or "").strip()
    if not text:
        return ""
    if text.isascii() and form.fullmatch(lowered := text.lower()):
        return lowered
    return "~" + sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASHED]


def file_stem(file: str | None) -> str:
    """Return a certificate's file name without its ending, likewise; blanks may be inside."""
    return claimed_name(stem(file), FILE) if file else ""


def first_label(name: str, reporter: str | None) -> str:
    """Return the host part of a full name where the reporter calls itself by host part, too."""
    return name if "." in (reporter or "") else name.partition(".")[0]
