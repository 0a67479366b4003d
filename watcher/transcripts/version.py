"""`show version active`: the release a node runs."""

import re
from dataclasses import dataclass

from watcher.errors import InputError
from watcher.model.release import Release
from watcher.transcripts.block import Block, Unread

_VERSION = re.compile(r"Active Master Version\s*:\s*(?P<text>\S{1,60})")
_AROUND = re.compile(
    r"Active Version Installed Software Options|No Installed Software Options"
    r"|\S{1,200}\.(?:cop|sgn|sha512)\b|cmterm|ciscocm",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFacts:
    """The build, as printed. It does not tell the SU: `12.5.1.13900-152` is a 12.5(1) with SU."""

    build: str | None
    release: Release | None
    unread: tuple[Unread, ...]


def read(block: Block) -> VersionFacts:
    """Read one output."""
    build: str | None = None
    unread: list[Unread] = []
    for line in block.lines:
        text = line.text.strip()
        found = _VERSION.match(text)
        if found is not None and build is None:
            build = found["text"]
        elif not _AROUND.match(text):
            unread.append(Unread(line.number, text, "not a line of this command"))
    release = _release(build)
    if release is None:
        unread.append(Unread(block.first_line, build or "", "no release that can be read"))
    return VersionFacts(build=build, release=release, unread=tuple(unread))


def _release(build: str | None) -> Release | None:
    try:
        return Release.parse(build) if build else None
    except InputError:
        return None
