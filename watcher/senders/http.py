"""The bounded HTTP client that every ticket system is spoken to with.

Certificates are checked, redirects are not followed, only what the settings name is a proxy, and
an answer is JSON of at most 1 MiB within one deadline. How a call ended is told by the error:
TryLater (surely nothing was done), Unclear (it may have been done), Refused (it never will be) or
ShutOut (nothing is, before a person mends the log-in or a right).
"""

import ipaddress
import json
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from socket import SHUT_RDWR
from typing import Any, Final, NoReturn
from urllib.parse import quote, urlencode, urlsplit

import httpx2

from watcher.errors import InputError, NotLoggedIn, Refused, ShutOut, TryLater, Unclear
from watcher.senders.answers import Answer, Value, parsed, printable

TOLD: Final = 200
"""Characters of a system's own words that we repeat."""
RETRY_AFTER: Final = (1.0, 3600.0)
"""Seconds between which we obey a Retry-After."""
_OK, _REDIRECT, _MISTAKE, _FAULT = 200, 300, 400, 500
_SURELY_NOTHING: Final = (
    httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError,
)  # fmt: skip
_SHUT_OUT: Final[Mapping[int, type[Refused]]] = {
    HTTPStatus.UNAUTHORIZED: NotLoggedIn, HTTPStatus.FORBIDDEN: ShutOut,
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: NotLoggedIn,
}  # fmt: skip
_GZIP: Final = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """Where a system is and how long it may take, in seconds.

    `whole` bounds a call from its start to the last byte of the answer, however slowly it drips.
    """

    url: str
    ca_file: Path | None = None
    proxy: str | None = field(default=None, repr=False)
    connect: float = 5.0
    read: float = 25.0
    write: float = 25.0
    pool: float = 5.0
    whole: float = 30.0
    limit: int = 1 << 20
    """Bytes of an answer, also after unpacking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call; `changes` when the system does something, so that a lost answer is unclear.

    `path` is under the configured URL, made by `path_of`. `accept` are statuses that the caller
    wants to see instead of an error; `bare` allows an answer without a body.
    """

    method: str
    path: str
    changes: bool = False
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    """Sent as JSON unless None."""
    content: bytes | None = None
    file: tuple[str, str, bytes] | None = None
    """Name, media type and data of a file in a multipart form."""
    accept: Collection[int] = ()
    bare: bool = False


def path_of(*parts: str) -> str:
    """Return a path whose parts cannot leave their place, whatever they hold."""
    return "/".join(quote(part, safe="") for part in parts)


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine by its name alone; no name is looked up."""
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


class Http:
    """Speaks to one system; may be called from any thread, one connection for each call."""

    def __init__(
        self,
        options: HttpOptions,
        *,
        secrets: Sequence[str] = (),
        stranger: Callable[[Mapping[str, str]], str] = lambda _: "",
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Begin; `stranger` returns why headers say that our log-in was not taken, or nothing."""
        self.options = options
        self._stranger = stranger
        self._base = _checked(options)
        self._secrets = tuple(sorted((s for s in secrets if s), key=len, reverse=True))
        self._later: tuple[str, ...] = ()
        limit = httpx2.Limits(max_connections=4, max_keepalive_connections=0)
        times = httpx2.Timeout(
            connect=options.connect, read=options.read, write=options.write, pool=options.pool
        )
        # A transport that is handed in (tests) has no certificates to check.
        context = _context(options.ca_file) if transport is None else False
        self._client = httpx2.Client(
            verify=context, trust_env=False, follow_redirects=False,
            proxy=options.proxy, timeout=times, limits=limit, transport=transport,
            headers={"Accept": "application/json", "Accept-Encoding": "identity",
                     "User-Agent": "watcher"},
        )  # fmt: skip

    def __repr__(self) -> str:
        """Show where it speaks to, nothing else."""
        return f"Http({self._base!r})"

    def hide(self, secret: str) -> None:
        """Keep a secret that came later, such as a token, out of what is told too."""
        self._later = (*self._later[-1:], secret)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def send(self, request: Request) -> Answer:
        """Make one call and return a good answer, or one of the statuses that are accepted."""
        watch = _Watch(self.options.whole)
        try:
            with watch, closing(self._ask(request, watch)) as response:
                self._greet(response)
                if self._is_good(response, request):
                    return self._read(response, request, watch)
                self._refuse(response, request, watch)
        except _SURELY_NOTHING as error:
            raise TryLater(f"no connection to {self._host()}: {_reason(error)}") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            _lost(request, f"{self._host()} did not answer to the end: {_reason(error)}")
        finally:
            self._client.cookies.clear()  # nobody else's session is carried on

    def link(self, url: str) -> str:
        """Return a link that may be shown: https to the configured host, else nothing."""
        with suppress(ValueError):
            ours, other = urlsplit(self._base), urlsplit(url)
            same = (other.hostname, other.port) == (ours.hostname, ours.port)
            if other.scheme == "https" and same and "@" not in other.netloc and url.isprintable():
                return url if url.isascii() and " " not in url and len(url) <= 1000 else ""  # noqa: PLR2004 -- what a ticket's row shows
        return ""

    def at(self, path: str) -> str:
        """Return the link to a page of the system, if it may be shown."""
        return self.link(f"{self._base}/{path}")

    def clean(self, text: str) -> str:
        """Return a system's own words: one line, short, without our secrets."""
        for secret in (*self._later, *self._secrets):
            text = text.replace(secret, "***")
        line = printable(text)
        return line if len(line) <= TOLD else f"{line[: TOLD - 1]}…"

    def _host(self) -> str:
        return urlsplit(self._base).netloc

    def _ask(self, request: Request, watch: "_Watch") -> httpx2.Response:
        """Send a request and return when the head of the answer is there."""
        headers = dict(request.headers)
        data, files = request.content, None
        if request.body is not None:
            data = json.dumps(request.body, allow_nan=False).encode()
            headers["Content-Type"] = "application/json"
        elif request.file is not None:
            name, kind, content = request.file
            data, files = None, {"file": (name, content, kind)}
        made = self._client.build_request(
            request.method, _url(self._base, request), headers=headers, content=data, files=files,
            extensions={"trace": watch.trace},
        )  # fmt: skip
        return self._client.send(made, stream=True, follow_redirects=False)

    def _greet(self, response: httpx2.Response) -> None:
        """Raise NotLoggedIn if a system answers as it does to anybody, with whatever status."""
        if why := self._stranger(response.headers):
            raise NotLoggedIn(f"{self._host()} does not take the log-in: {self.clean(why)}")

    def _is_good(self, response: httpx2.Response, request: Request) -> bool:
        status = response.status_code
        return _OK <= status < _REDIRECT or status in request.accept

    def _read(self, response: httpx2.Response, request: Request, watch: "_Watch") -> Answer:
        answered = Answer(status=response.status_code, headers=dict(response.headers))
        wanted = _OK <= response.status_code < _REDIRECT
        data = self._body(response, watch)
        if data is None:
            _lost(request, f"{self._host()}: the answer is larger than we read, or broken")
        if not wanted or (not data and (request.bare or response.status_code == 204)):  # noqa: PLR2004 -- No Content
            return answered
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" and not kind.endswith("+json"):
            _lost(request, f"{self._host()} answers with {self.clean(kind) or 'no type'}, not JSON")
        try:
            return Answer(status=answered.status, headers=answered.headers, value=parsed(data))
        except ValueError as error:
            _lost(
                request, f"{self._host()}: the answer is not sound JSON: {self.clean(str(error))}"
            )

    def _body(self, response: httpx2.Response, watch: "_Watch") -> bytes | None:
        """Read and unpack the body; None if it is larger than allowed, too slow or broken."""
        unpack = None
        if (packing := response.headers.get("content-encoding", "identity")) != "identity":
            if packing != "gzip":
                return None
            unpack = zlib.decompressobj(_GZIP)
        return _gather(response, unpack, self.options.limit, watch)

    def _refuse(self, response: httpx2.Response, request: Request, watch: "_Watch") -> NoReturn:
        status = response.status_code
        text = f"{self._host()} answers {_named(status)}"
        if status == HTTPStatus.TOO_MANY_REQUESTS or (
            status == HTTPStatus.SERVICE_UNAVAILABLE and "retry-after" in response.headers
        ):
            raise TryLater(text, _retry_after(response.headers))
        if status == HTTPStatus.REQUEST_TIMEOUT or not _MISTAKE <= status < _FAULT:
            told = " to another address; check the URL" if status < _MISTAKE else ""
            _lost(request, text + told)
        said = self._said(response, watch)
        error = _SHUT_OUT.get(status, Refused)
        raise error(f"{text}: {said}" if said else text)

    def _said(self, response: httpx2.Response, watch: "_Watch") -> str:
        """Return what a system says is wrong, if it says it in JSON."""
        with suppress(httpx2.HTTPError, OSError, ValueError):
            if data := self._body(response, watch):
                return self.clean(" ".join(_complaints(parsed(data))))
        return ""


class _Watch:
    """Ends a call at its deadline: a drip would keep each single read in time."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._streams: list[Any] = []
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *error: object) -> None:
        self._timer.cancel()

    def trace(self, name: str, about: Mapping[str, object]) -> None:
        """Note the connection that a call is made on."""
        if name.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._streams.append(about["return_value"])

    def over(self) -> bool:
        """Tell whether the time is up."""
        return time.monotonic() >= self._until

    def _end(self) -> None:
        for stream in reversed(self._streams):
            with suppress(OSError, AttributeError):
                stream.get_extra_info("socket").shutdown(SHUT_RDWR)


def _gather(
    response: httpx2.Response, unpack: "zlib._Decompress | None", limit: int, watch: _Watch
) -> bytes | None:
    whole = bytearray()
    for chunk in response.iter_raw():
        try:
            whole += unpack.decompress(chunk, limit + 1 - len(whole)) if unpack else chunk
        except zlib.error:
            return None
        if len(whole) > limit or watch.over():
            return None
    return None if unpack and not unpack.eof else bytes(whole)


def _lost(request: Request, text: str) -> NoReturn:
    """Raise what a call without a sound answer is, by whether it changes something."""
    raise Unclear(text) if request.changes else TryLater(text)


def _complaints(value: Value) -> Sequence[str]:
    """Return the words under the names that ticket systems use for what is wrong."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list):
        return tuple(word for item in value[:5] for word in _complaints(item))
    if not isinstance(value, dict):
        return ()
    names = ("errorMessages", "errors", "error", "message", "detail")
    found = [word for name in names for word in _complaints(value.get(name))]
    if not any(name in value for name in names):
        found = [f"{k}: {v}" for k, v in list(value.items())[:5] if isinstance(v, str)]
    return found


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that are asked for: a number, or a date beside that of the answer."""
    text = headers.get("retry-after", "").strip()
    seconds = None
    with suppress(ValueError, TypeError, OverflowError, KeyError):
        if text.isascii() and text.isdigit() and len(text) < 10:  # noqa: PLR2004 -- no number of seconds
            seconds = float(text)
        elif text:
            then, now = parsedate_to_datetime(text), parsedate_to_datetime(headers["date"])
            seconds = (then - now).total_seconds()
    return None if seconds is None else min(max(seconds, RETRY_AFTER[0]), RETRY_AFTER[1])


def _named(status: int) -> str:
    with suppress(ValueError):
        return f"{status} {HTTPStatus(status).phrase}"
    return str(status)


def _reason(error: BaseException) -> str:
    """Say in our words what went wrong; the library's may quote what was sent."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate does not hold: {printable(cause.verify_message)}"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, (httpx2.TimeoutException, TimeoutError)):
        return "time is up"
    return type(error).__name__


def _url(base: str, request: Request) -> str:
    whole = f"{base}/{request.path}" if request.path else base
    return f"{whole}?{urlencode(request.query, quote_via=quote)}" if request.query else whole


def _checked(options: HttpOptions) -> str:
    """Return the URL without the slash at its end; raise InputError if we may not speak to it."""
    try:
        parts = urlsplit(options.url)
        known = parts.hostname and parts.port != 0
    except ValueError:
        known = False
    if not known or parts.scheme not in {"https", "http"} or not options.url.isprintable():
        raise InputError("the URL of a ticket system is none", expected="https://HOST/PATH")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InputError(
            "the URL of a ticket system holds a log-in, a query or a fragment",
            expected="https://HOST/PATH, the log-in in settings of its own",
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise InputError(
            f"{parts.netloc} would be spoken to without encryption", expected="https://"
        )
    return options.url.rstrip("/")


def _context(ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that checks certificates: by the system's, or by one file's, roots."""
    try:
        made = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except OSError as error:
        raise InputError(f"{ca_file}: no certificates can be read from it") from error
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made
