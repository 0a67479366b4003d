"""Secrets that do not show themselves, and the hashes that passwords are held against."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

_MASK: Final = "Secret('...')"
_MEMORY: Final = 128 * 1024 * 1024
"""What a scrypt hash may ask for at most, in bytes."""
_COST: Final = 10_000_000


class Secret:
    """A password or token: masked wherever it is printed, taken out only by `reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself; for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        """Mask: a secret stands in no log and no traceback."""
        return _MASK

    def __reduce__(self) -> str:
        """Refuse to be pickled or copied into another process."""
        raise TypeError("a secret is not copied")


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """A salted hash: `scrypt$N$R$P$SALT$HASH` or `pbkdf2_sha256$ROUNDS$SALT$HASH`, in base64."""

    name: str
    costs: tuple[int, ...]
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "PasswordHash":
        """Read the text form; raise ValueError, without the text, if it is none."""
        name, *rest = text.split("$")
        if len(rest) != {"scrypt": 5, "pbkdf2_sha256": 3}.get(name):
            raise ValueError("not a password hash: want scrypt$N$R$P$... or pbkdf2_sha256$N$...")
        try:
            costs = tuple(int(cost) for cost in rest[:-2])
            salt, digest = (base64.b64decode(part, validate=True) for part in rest[-2:])
            made = cls(name, costs, salt, digest)
            if max(costs) <= _COST:
                made.matches("")  # costs that cannot be computed are found now, not at a log-in
                return made
        except (ValueError, OverflowError):
            pass
        raise ValueError("not a password hash: a number or its base64 is broken")

    def matches(self, password: str) -> bool:
        """Tell whether this is the password, in constant time; takes tens of milliseconds."""
        compute: Callable[[bytes], bytes] = self._scrypt if self.name == "scrypt" else self._pbkdf2
        given = compute(password.encode("utf-8", "surrogateescape"))
        return hmac.compare_digest(given, self.digest)

    def _scrypt(self, password: bytes) -> bytes:
        n, r, p = self.costs
        size = len(self.digest)
        return hashlib.scrypt(password, salt=self.salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=size)

    def _pbkdf2(self, password: bytes) -> bytes:
        (rounds,) = self.costs
        return hashlib.pbkdf2_hmac("sha256", password, self.salt, rounds, len(self.digest))
