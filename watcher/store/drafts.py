"""A ticket's draft as JSON in one column; what it attaches is made anew when it is sent."""

import json
from dataclasses import fields
from datetime import datetime
from typing import Any

from watcher.model.slot import Fit, Outcome
from watcher.model.ticket import Draft
from watcher.store.reading import BadRow, maybe_instant, number, words
from watcher.store.values import text

_TIMES = ("starts", "ends", "due")
_LISTS = ("items", "decides")
_LEFT_OUT = "attachments"
_NUMBER = "version"
_FIT = "fit"
_SESSIONS = "sessions"
_MOMENTS = ("found_at", "starts", "ends", "latest", "deadline", "late", "asked_at")


def draft_to_text(draft: Draft) -> str:
    """Return a draft as JSON, without its attachments."""
    return text(json.dumps(
        {one.name: _plain(getattr(draft, one.name)) for one in fields(Draft)
         if one.name != _LEFT_OUT},
        separators=(",", ":"),
    ))  # fmt: skip


def draft_from_text(value: object) -> Draft:
    """Read a draft; BadRow when it is none of ours."""
    try:
        found = json.loads(words(value))
        given = {one.name: _read(one.name, found[one.name]) for one in fields(Draft)
                 if one.name not in (_LEFT_OUT, _FIT)}  # fmt: skip
        return Draft(**given, fit=_fit(found.get(_FIT)))  # none: of a release before it
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadRow("a draft cannot be read") from None


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Fit):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(Fit)}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _fit(value: Any) -> Fit | None:  # noqa: ANN401 -- whatever the field holds
    if value is None:
        return None
    rest: dict[str, Any] = {name: words(value[name]) for name in ("zone", "why", "relief")}
    moments: dict[str, Any] = {name: _moment(value.get(name)) for name in _MOMENTS}
    sessions = tuple(_session(one) for one in value.get(_SESSIONS, ()))
    return Fit(**rest, **moments, sessions=sessions, outcome=Outcome(value["outcome"]),
               minutes=number(value["minutes"]))  # fmt: skip


def _session(value: Any) -> tuple[datetime, datetime]:  # noqa: ANN401 -- whatever the field holds
    starts, ends = (_moment(words(one)) for one in value)
    return starts, ends


def _moment(value: object) -> Any:  # noqa: ANN401 -- None only where the noun has it
    return maybe_instant(datetime.fromisoformat(words(value)) if value is not None else None)


def _read(name: str, value: object) -> Any:  # noqa: ANN401 -- whatever the field holds
    if name in _TIMES:
        return _moment(value)
    if name in _LISTS:
        if not isinstance(value, list):
            raise BadRow("no list")
        return tuple(words(one) for one in value)
    return number(value) if name == _NUMBER else words(value)
