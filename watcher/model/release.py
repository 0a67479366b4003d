"""Releases of UC products and ranges of them.

Forms met in Cisco's documents and in `show version active`: `8.6(4)`, `9.1(2)SU2a`, `11.5`,
`12.5(1)SU3`, `14SU2`, `15`, and the build form `12.5.1.13900-152`.
"""

import re
from dataclasses import dataclass
from functools import total_ordering
from typing import Self

from watcher.errors import InputError

_RELEASE = re.compile(
    r"(?P<major>\d{1,2})(?:\.(?P<minor>\d{1,2}))?(?:\((?P<maintenance>\d{1,2})\))?"
    r"(?:\.(?P<build>\d{1,2}(?:\.\d{5}(?:-\d{1,4})?)?))?"
    r"(?:[ -]?SU(?P<su>\d{1,2})(?P<letter>[a-z])?)?",
    re.ASCII | re.IGNORECASE,
)
_TERM = re.compile(r"(?P<operator><=|>=|<|>|=)?(?P<release>[0-9A-Za-z.()-]+)", re.ASCII)
_EXPECTED = 'a release such as "9.1(2)SU2a", "12.5(1)SU3", "14SU2" or "15"'


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Release:
    """One release; a part that was not stated is None and compares as the base release."""

    major: int
    minor: int | None = None
    maintenance: int | None = None
    su: int | None = None
    letter: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a release, or raise InputError."""
        found = _RELEASE.fullmatch(text.strip())
        if found is None:
            raise InputError(f"{text!r} is not a release", expected=_EXPECTED)
        major, minor, maintenance, su = (
            int(part) if (part := found[name]) is not None else None
            for name in ("major", "minor", "maintenance", "su")
        )
        if found["build"] and maintenance is None:
            maintenance = int(found["build"].split(".")[0])
        return cls(int(major or 0), minor, maintenance, su, (found["letter"] or "").lower())

    @property
    def key(self) -> tuple[int, int, int, int, str]:
        """Sort key; unstated parts count as the base release."""
        return (self.major, self.minor or 0, self.maintenance or 0, self.su or 0, self.letter)

    def __eq__(self, other: object) -> bool:
        """Compare by what it is, not by how it was written: 8 is 8.0."""
        return isinstance(other, Release) and self.key == other.key

    def __hash__(self) -> int:
        """Agree with equality."""
        return hash(self.key)

    def __lt__(self, other: "Release") -> bool:
        """Order by age."""
        return self.key < other.key

    def __str__(self) -> str:
        """Print the form Cisco prints."""
        minor = f".{self.minor}" if self.minor is not None else ""
        maintenance = f"({self.maintenance})" if self.maintenance is not None else ""
        su = f"SU{self.su}{self.letter}" if self.su is not None else ""
        return f"{self.major}{minor}{maintenance}{su}"


@dataclass(frozen=True, slots=True)
class _Term:
    operator: str
    bound: Release

    def matches(self, release: Release) -> bool:
        # An upper bound covers everything it does not name: "<=11.5" includes 11.5(1)SU9.
        own, bound = _cut(release, self.bound), _cut(self.bound, self.bound)
        match self.operator:
            case "<=":
                return own <= bound
            case "<":
                return own < bound
            case ">=":
                return own >= bound
            case ">":
                return own > bound
            case _:
                return own == bound


def _cut(release: Release, precision: Release) -> tuple[int | str, ...]:
    """Return the key of `release`, as far as `precision` states its own.

    `14SU1` names no maintenance release, so 14.0(1) without an SU is older than it.
    """
    major, minor, maintenance, su, letter = release.key
    if precision.su is not None:
        middle = (maintenance,) if precision.maintenance is not None else ()
        return (major, minor, *middle, su, letter)
    if precision.maintenance is not None:
        return (major, minor, maintenance)
    return (major, minor) if precision.minor is not None else (major,)


@dataclass(frozen=True, slots=True)
class ReleaseRange:
    """Terms that must all hold, `>=10.0 <=11.5`; no term at all means every release."""

    terms: tuple[_Term, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `all`, one release, or terms with `<=`, `<`, `>=`, `>`, `=`."""
        if text.strip() == "all":
            return cls()
        terms = []
        for part in text.split():
            found = _TERM.fullmatch(part)
            if found is None:
                raise InputError(f"{text!r} is not a release range", expected='">=10.0 <=11.5"')
            terms.append(_Term(found["operator"] or "=", Release.parse(found["release"])))
        if not terms:
            raise InputError("the release range is empty", expected='"all" or ">=12.0"')
        return cls(tuple(terms))

    def matches(self, release: Release) -> bool:
        """Tell whether `release` lies inside."""
        return all(term.matches(release) for term in self.terms)

    def __str__(self) -> str:
        """Print the form that `parse` reads."""
        if not self.terms:
            return "all"
        return " ".join(f"{'' if t.operator == '=' else t.operator}{t.bound}" for t in self.terms)
