"""Tickets as files in a folder: `KEY/` with the draft, the plan, and one file for each comment.

What a site has before it has a ticket system, and what `make run` shows. A folder appears whole,
under its key, so that a ticket is there or not and never twice. A file `CLOSED` in it closes the
ticket; whoever takes the folder away takes the ticket away.
"""

import glob
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import mkdtemp

from watcher import crash
from watcher.errors import Refused, TryLater, Unclear
from watcher.model.ticket import Draft, TicketRef
from watcher.senders.answers import marked
from watcher.tickets import encode
from watcher.tickets.steps import COMMAND

TICKET, CLOSED = "ticket.json", "CLOSED"
"""The file that makes a folder a ticket, and the one that closes it."""
_KEY = re.compile(r"watcher-[^/\\\x00-\x1f]{1,120}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_COMMENT = "comment-{:03}.md"
_COMMENTS = 999
TITLE = 240
"""Characters of a title."""


@dataclass(frozen=True, slots=True)
class DirectorySystem:
    """The embedded ticket system; safe to use from several processes."""

    folder: Path
    name: str = "directory"
    searches: bool = True
    reopens: bool = True
    left_out: tuple[str, ...] = ()

    def find(self, key: str) -> Sequence[TicketRef]:
        """Return the ticket of that key; a folder that is no ticket of ours is left out."""
        place = self._place(key)
        with _told():
            ours = _read(place).get("key") == key
        return (self._ref(key),) if ours else ()

    def create(self, draft: Draft) -> TicketRef:
        """Make the folder, whole; one that is there already stays as it is."""
        place = self._place(draft.key)
        with _told(unclear=True):
            self.folder.mkdir(parents=True, exist_ok=True)
            made = Path(mkdtemp(prefix=f".new-{draft.key}-", dir=self.folder))
            try:
                _fill(made, draft)
                made.chmod(0o755)
                crash.point("directory-filled")
                _appear(made, place)
            finally:
                # Also what a process left that was killed here.
                for half in self.folder.glob(f".new-{glob.escape(draft.key)}-*"):
                    shutil.rmtree(half, ignore_errors=True)
        return self._ref(draft.key)

    def look(self, ticket: TicketRef, key: str) -> TicketRef | None:
        """Return the ticket in the folder that it was made in; None if that was taken away."""
        if not self.folder.is_dir():
            raise TryLater("the folder of tickets is not there")
        found = self.find(key)
        return next((one for one in found if one.id == ticket.id), None)

    def update(self, ticket: TicketRef, draft: Draft) -> TicketRef:
        """Write the draft's files anew, each whole; comments and what people added stay."""
        place = self._there(ticket)
        with _told(unclear=True):
            _fill(place, draft)
        crash.point("directory-updated")
        return self._ref(ticket.id)

    def has(self, ticket: TicketRef, mark: str) -> bool:
        """Tell whether a comment begins with the mark, or the draft shown is of it."""
        place = self._place(ticket.id)
        with _told():
            if _read(place).get("mark") == mark:
                return True
            return any(one.read_text(encoding="utf-8").startswith(encode.markdown(mark))
                       for one in place.glob("comment-*.md"))  # fmt: skip

    def comment(self, ticket: TicketRef, mark: str, text: str) -> None:
        """Add a numbered file; one that begins with the mark already is enough."""
        place = self._there(ticket)
        if self.has(ticket, mark):
            return
        with _told(unclear=True):
            _number(place, encode.markdown(marked(mark, text)) + "\n")
        crash.point("directory-comment")

    def close(self, ticket: TicketRef, mark: str, text: str) -> TicketRef:
        """Comment, and lay the file that closes."""
        self.comment(ticket, mark, text)
        with _told(unclear=True):
            _write(self._place(ticket.id) / CLOSED, f"{encode.visible(mark)}\n")
        return self._ref(ticket.id)

    def reopen(self, ticket: TicketRef, mark: str, text: str) -> TicketRef:
        """Take the file that closes away, and comment."""
        with _told(unclear=True):
            (self._there(ticket) / CLOSED).unlink(missing_ok=True)
        self.comment(ticket, mark, text)
        return self._ref(ticket.id)

    def _place(self, key: str) -> Path:
        if not _KEY.fullmatch(key) or key.endswith("."):
            raise Refused("the key is no name of a folder")
        return self.folder / key

    def _there(self, ticket: TicketRef) -> Path:
        place = self._place(ticket.id)
        if not (place / TICKET).is_file():
            raise Refused("the folder of the ticket was taken away")
        return place

    def _ref(self, key: str) -> TicketRef:
        place = self._place(key)
        title = str(_read(place).get("title", ""))
        closed = (place / CLOSED).exists()
        return TicketRef(id=key, number=key, url=str(place), closed=closed, title=title)


@contextmanager
def _told(*, unclear: bool = False) -> Iterator[None]:
    """Turn a fault of the disk into an answer of a ticket system."""
    try:
        yield
    except (OSError, UnicodeDecodeError) as error:
        told = f"the folder of tickets: {getattr(error, 'strerror', None) or error}"
        raise (Unclear if unclear else TryLater)(told) from None


def _read(place: Path) -> Mapping[str, object]:
    try:
        found = json.loads((place / TICKET).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _appear(made: Path, place: Path) -> None:
    """Give the folder its name; the name is there already when another was first."""
    try:
        made.rename(place)
    except OSError:
        if not (place / TICKET).is_file():
            raise
    _sync(place.parent)


def _fill(place: Path, draft: Draft) -> None:
    """Write all files of a draft; the one that says which draft it is comes last."""
    attached = [one for one in draft.attachments if _NAME.fullmatch(one.name)]
    for one in attached:
        _write(place / one.name, one.data)
    names = [one.name for one in attached]
    _write(place / "ticket.md", _page(draft, names, _markdown_part, _markdown))
    body = _page(draft, names, _html_part, encode.html)
    _write(place / "ticket.html", _HTML.format(title=encode.html(_title(draft)), body=body))
    _write(place / TICKET, _json(draft, names))
    _sync(place)


_HTML = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>body{{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}
pre{{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f4f4;padding:.75rem}}</style>
</head><body>
{body}</body></html>
"""


def _page(
    draft: Draft, attached: Sequence[str], part: Callable[[str, str], str],
    encoded: Callable[[str], str],
) -> str:  # fmt: skip
    head = part("", encoded(_title(draft)))
    facts = [
        ("Change", f"{draft.key}, version {draft.version}"),
        ("Description", draft.description),
        ("Configuration items", ", ".join(draft.items) or "none"),
        ("Attached", ", ".join(attached) or "nothing"),
        ("Risk", draft.risk),
        ("Impact", draft.impact),
        ("Implementation", draft.implementation),
        ("Back-out", draft.back_out),
        ("Test", draft.test),
    ]
    return head + "".join(part(name, encoded(text)) for name, text in facts)


def _markdown(text: str) -> str:
    """Return Markdown that shows the text; lines that are typed are code, bare of any escape."""
    runs = groupby(text.split("\n"), key=lambda line: line.startswith(COMMAND))
    return "\n".join(
        _code(list(lines)) if typed else encode.markdown("\n".join(lines)) for typed, lines in runs
    )


def _code(lines: Sequence[str]) -> str:
    shown = [encode.visible(line.removeprefix(COMMAND)) for line in lines]
    ticks = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    fence = "`" * max(ticks + 1, 3)
    return "\n".join((fence, *shown, fence))


def _title(draft: Draft) -> str:
    return encode.one_line(draft.title, TITLE)


def _markdown_part(name: str, text: str) -> str:
    return f"## {name}\n\n{text}\n\n" if name else f"# {text}\n\n"


def _html_part(name: str, text: str) -> str:
    plain = text.replace("<br>\n", "\n")
    return f"<h2>{name}</h2>\n<pre>{plain}</pre>\n" if name else f"<h1>{text}</h1>\n"


def _json(draft: Draft, attached: Sequence[str]) -> str:
    value = {
        "key": draft.key, "version": draft.version, "mark": draft.mark,
        "material": draft.material, "cluster": draft.cluster, "title": draft.title,
        "description": draft.description, "risk": draft.risk, "impact": draft.impact,
        "implementation": draft.implementation, "back_out": draft.back_out, "test": draft.test,
        "starts": _iso(draft.starts), "ends": _iso(draft.ends), "due": _iso(draft.due),
        "items": list(draft.items), "attached": list(attached),
    }  # fmt: skip
    return json.dumps(value, indent=2) + "\n"


def _iso(at: object) -> str | None:
    return at.isoformat() if hasattr(at, "isoformat") else None


def _number(place: Path, text: str) -> None:
    """Write a comment under the next free number; a hard link takes a name only once."""
    draft = place / f".comment.{os.getpid()}"
    _write(draft, text)
    try:
        for number in range(1, _COMMENTS + 1):
            try:
                os.link(draft, place / _COMMENT.format(number))
            except FileExistsError:
                continue
            _sync(place)
            return
    finally:
        draft.unlink(missing_ok=True)
    raise Refused(f"the ticket has {_COMMENTS} comments")


def _write(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all."""
    data = content.encode() if isinstance(content, str) else content
    half = path.with_name(f".{path.name}.{os.getpid()}")
    with half.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    half.replace(path)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
