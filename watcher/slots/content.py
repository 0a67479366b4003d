"""Content lines of RFC 5545 -> components with their properties, each with its line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from icalendar.parser import Contentline

from watcher.errors import InputError, Location

MOST_LINES, DEEPEST = 200_000, 8
"""Lines of a file, components inside each other."""
_TEXT = 120


@dataclass(frozen=True, slots=True)
class Property:
    """One property; `values` are its parameters."""

    name: str
    values: dict[str, str]
    text: str
    line: int


@dataclass(slots=True)
class Component:
    """One component, such as a VEVENT, with those inside it."""

    name: str
    line: int
    properties: list[Property] = field(default_factory=list)
    parts: list["Component"] = field(default_factory=list)

    def all(self, name: str) -> list[Property]:
        """Return the properties of a name."""
        return [one for one in self.properties if one.name == name]

    def get(self, name: str) -> Property | None:
        """Return the first property of a name."""
        return next(iter(self.all(name)), None)


def components(name: str, text: str) -> list[Component]:
    """Return the outermost components; raise InputError for the first fault, with its line."""
    top = Component("", 1)
    open_ = [top]
    for line, content in _unfolded(name, text):
        one = _property(name, line, content)
        if one.name == "BEGIN":
            inner = Component(one.text.upper(), line)
            open_[-1].parts.append(inner)
            open_.append(inner)
        elif one.name == "END":
            if len(open_) == 1 or open_[-1].name != one.text.upper():
                expected = f"END:{open_[-1].name}" if len(open_) > 1 else "BEGIN before it"
                raise InputError(
                    f"END:{one.text} ends nothing", where=Location(name, line), expected=expected
                )
            open_.pop()
        else:
            open_[-1].properties.append(one)
        if len(open_) > DEEPEST:
            raise InputError(
                "components stand too deep inside each other", where=Location(name, line),
                expected=f"at most {DEEPEST}",
            )  # fmt: skip
    if len(open_) > 1:
        raise InputError(
            f"BEGIN:{open_[-1].name} is never ended", where=Location(name, open_[-1].line),
            expected=f"END:{open_[-1].name}",
        )  # fmt: skip
    if top.properties:
        raise InputError(
            "stands outside every component", where=Location(name, top.properties[0].line),
            expected="BEGIN:VCALENDAR (RFC 5545)",
        )  # fmt: skip
    return top.parts


def _unfolded(name: str, text: str) -> Iterator[tuple[int, str]]:
    """Yield the content lines, folded ones as one, with the number of their first line."""
    held: list[str] = []
    begun = 1
    lines = re.split("\r\n|\n|\r", text)
    if len(lines) > MOST_LINES:
        raise InputError(
            f"has {len(lines)} lines", where=Location(name), expected=f"at most {MOST_LINES}"
        )
    for number, line in enumerate(lines, 1):
        if held and line[:1] in (" ", "\t"):
            held.append(line[1:])
            continue
        if held:
            yield begun, "".join(held)
        held, begun = ([line], number) if line.strip() else ([], number)
    if held:
        yield begun, "".join(held)


def _property(name: str, line: int, content: str) -> Property:
    try:
        key, values, text = Contentline(content).parts()  # type: ignore[no-untyped-call]
    except ValueError as error:
        raise InputError(
            f"{content[:_TEXT]!r} is no content line", where=Location(name, line),
            expected="NAME:VALUE or NAME;PARAMETER=VALUE:VALUE",
        ) from error  # fmt: skip
    flat = {str(k).upper(): v if isinstance(v, str) else ",".join(v) for k, v in values.items()}
    return Property(str(key).upper(), flat, str(text).strip(), line)
