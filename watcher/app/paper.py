"""Plans on paper: the page as PDF or as a Word document, by libraries that are extras.

Nothing is loaded from elsewhere, and the same page becomes the same bytes (a PDF: by the same
library with the same fonts). As a program it turns the page on standard input into a PDF on
standard output, so that the daemon can end it when it takes too long, and neither time nor memory
is the daemon's. Both grow with the page: 1 MiB of it takes about half a minute and 0.8 GiB.
"""

import logging
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from watcher.errors import InputError, extra
from watcher.model.plan import ChangePlan

logger = logging.getLogger(__name__)

SECONDS, PATIENCE = 60, 120.0
"""How long a PDF of the daemon may take: of the processor, and by the clock of a busy machine."""
MEMORY = 1 << 30
"""Bytes of address space that drawing one for the daemon may take."""
LARGEST = 1 << 20
"""Bytes of a page that the daemon makes a PDF of; a plan of a hundred steps has a quarter."""
PANGO = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
NEEDS_PDF = f"{extra('pdf')}, and Pango: {PANGO}"
NEEDS_DOCX = extra("docx")
_NO_LIBRARY, _NO_MEMORY = 2, 3
"""Exit status of the program when the library or Pango is missing, and when memory was short."""


class NoPdf(StrEnum):
    """Why there is no PDF of a page, as its reader is told."""

    TOO_LARGE = "its page is too large for one"
    TOO_LONG = "drawing it took too much time or memory"
    NO_LIBRARY = f"this machine lacks Pango, a library of the system ({PANGO})"
    FAILED = "drawing it failed"


Printer = Callable[[str], bytes | NoPdf]
"""Makes a PDF of a page, or tells why it cannot."""

_SHEET = """
@page {
  margin: 14mm 14mm 16mm;
  @bottom-left { content: string(head); font: 8pt "DejaVu Sans", sans-serif; color: #5a6675; }
  @bottom-right {
    content: "Page " counter(page) " of " counter(pages);
    font: 8pt "DejaVu Sans", sans-serif; color: #5a6675;
  }
}
html { font-size: 10pt; }
.step .title, .ruling { font-weight: bold; }
.step > header { display: block; position: relative; padding-right: 2em; }
.step .num { display: inline-block; margin-right: .4em; }
.step .tick { position: absolute; right: 0; top: 0; display: block; }
h1 { string-set: head content(); }
"""
"""What only paper needs, beside the page's own rules for print."""
_PICTURES = """<style>
text { font-family: "DejaVu Sans", sans-serif; fill: #1c2430; }
.label { font-size: 13px; font-weight: bold; } .lane { font-size: 11px; font-weight: bold; }
.num, .inv, .axis, .any { font-size: 11px; text-anchor: middle; } .axis.narrow { font-size: 10px; }
.fig { font-size: 13px; font-weight: bold; text-anchor: middle; fill: #000; }
.inv, .axis.inv { font-weight: bold; fill: #fff; } .any { fill: #000; }
.inverse { fill: #fff; }
</style>"""
"""The page's rules for its pictures once more: the library looks for them inside a picture only."""
_PICTURE = re.compile(r"<svg\b[^<>]*>")


def pdf(page: str) -> bytes:
    """Return a page of `render.html` as PDF; InputError when the library or Pango is missing."""
    library = _weasyprint()
    nothing = library.urls.URLFetcher(allowed_protocols=())
    sheet = library.CSS(string=_SHEET, url_fetcher=nothing)
    styled = _PICTURE.sub(lambda found: found[0] + _PICTURES, page)
    drawn: bytes = library.HTML(string=styled, url_fetcher=nothing).write_pdf(
        stylesheets=[sheet], pdf_identifier=sha256(page.encode()).digest()[:16], pdf_tags=True
    )
    return drawn


def docx(page: str, plans: Sequence[ChangePlan]) -> bytes:
    """Return a page of `render.html` and its plans as a Word document; InputError likewise."""
    try:
        word = import_module("watcher.app.word")
    except ImportError as error:
        problem = "a Word document needs the extra docx, which is not installed"
        raise InputError(problem, expected=NEEDS_DOCX) from error
    written: bytes = word.document(page, plans)
    return written


def can_print() -> bool:
    """Tell whether the extra pdf is installed, without loading it."""
    try:
        return find_spec("weasyprint") is not None
    except ValueError:  # somebody put None in its place
        return False


def printed(page: str, command: Sequence[str] = (), seconds: float = PATIENCE) -> bytes | NoPdf:
    """Return a page as PDF, drawn by a process of its own, or why that failed."""
    data = page.encode()
    if len(data) > LARGEST:
        logger.warning("no PDF was made: the page has %d bytes, over %d", len(data), LARGEST)
        return NoPdf.TOO_LARGE
    # -P: a folder `watcher` where we happen to stand must not run in our place.
    told = command or (sys.executable, "-P", "-m", "watcher.app.paper")
    try:
        done = subprocess.run(  # noqa: S603 -- our own program; the page is its standard input
            told, input=data, capture_output=True, timeout=seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        logger.warning("no PDF was made: %s", type(error).__name__)
        return NoPdf.FAILED if isinstance(error, OSError) else NoPdf.TOO_LONG
    if done.returncode or not done.stdout.startswith(b"%PDF-"):
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        logger.warning("no PDF was made: %s", ascii("".join(last))[:300])
        return _ENDS.get(done.returncode, NoPdf.FAILED)
    return done.stdout


_ENDS = {
    _NO_LIBRARY: NoPdf.NO_LIBRARY, _NO_MEMORY: NoPdf.TOO_LONG, -signal.SIGXCPU: NoPdf.TOO_LONG,
    -signal.SIGKILL: NoPdf.TOO_LONG,
}  # fmt: skip


def printer(seconds: float) -> Printer | None:
    """Return what makes PDFs until so many seconds from now; None without the extra pdf.

    Drawing has an end of its own, and a plan without a PDF is worth more than none.
    """
    end = time.monotonic() + seconds
    if not can_print():
        return None
    return lambda page: printed(page, seconds=max(0.0, min(PATIENCE, end - time.monotonic())))


def _weasyprint() -> Any:  # noqa: ANN401 -- the library has no types
    try:
        return import_module("weasyprint")
    except ImportError as error:
        problem = "a PDF needs the extra pdf, which is not installed"
        raise InputError(problem, expected=NEEDS_PDF) from error
    except OSError as error:
        problem = "a PDF needs Pango, which this machine does not have"
        raise InputError(problem, expected=NEEDS_PDF) from error


def bound(memory: int, seconds: int) -> None:
    """Limit this process; whoever takes more memory gets a MemoryError, more time: a signal."""
    for kind, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds)):
        _, hard = resource.getrlimit(kind)
        soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with suppress(ValueError, OSError):  # a system that does not have this limit
            resource.setrlimit(kind, (soft, hard))


def main() -> int:
    """Turn standard input into a PDF on standard output, within the limits of the daemon."""
    bound(MEMORY, SECONDS)
    try:
        drawn = pdf(sys.stdin.buffer.read().decode())
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return _NO_LIBRARY
    except MemoryError:
        sys.stderr.write(f"more than {MEMORY} bytes of memory\n")
        return _NO_MEMORY
    sys.stdout.buffer.write(drawn)
    return 0


if __name__ == "__main__":
    sys.exit(main())
