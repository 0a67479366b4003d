"""What was done of a plan, read from a paste or from words of the command line.

A list has lines such as `1-40 done`, `42 skipped: reason`, `43 failed`, `- [x] 41. Restart ...`.
A paste of the plan's own Markdown is known by its headings: a ticked box under the heading of a
step says that it was done, and everything else in it is left alone. A step that is named twice, a
number that the plan does not have, or a line that says something else is bad input.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from watcher.errors import InputError, Location
from watcher.model.progress import Mark, Marked

EXPECTED = '"1-40 done", "42 skipped: reason", "43 failed" or "- [x] 41 ..."'

_NUMBERS = (
    r"(?P<numbers>\d{1,5}(?:\s*[-\u2013]\s*\d{1,5})?(?:\s*,\s*\d{1,5}(?:\s*[-\u2013]\s*\d{1,5})?)*)"
)
_SAID = re.compile(
    rf"(?:steps?\s+)?{_NUMBERS}\s*[:.]?\s+(?P<word>done|ok|skipped|skip|failed)\b"
    r"\s*[:,\u2013-]?\s*(?P<reason>.*)",
    re.IGNORECASE | re.ASCII,
)
_TICK = re.compile(r"[-*+]\s+\[(?P<tick>[ xX])\]\s*(?P<rest>.*)")
_LEADING = re.compile(r"(?:step\s+)?(?P<number>\d{1,5})\b", re.IGNORECASE | re.ASCII)
_HEADING = re.compile(r"#{2,6}\s+(?P<number>\d{1,5})\.\s")
_QUOTED = re.compile(r"^(?:\s*>)+\s?")
_WORDS = {
    "done": Mark.DONE, "ok": Mark.DONE, "skipped": Mark.SKIPPED, "skip": Mark.SKIPPED,
    "failed": Mark.FAILED,
}  # fmt: skip


@dataclass(slots=True)
class Marks:
    """The marks of a plan of `steps` steps while they are gathered; each step gets one."""

    steps: int
    found: dict[int, Marked] = field(default_factory=dict)

    def put(self, numbers: Iterable[int], mark: Mark, reason: str, where: Location) -> None:
        """Mark steps, or refuse what cannot be meant."""
        for number in numbers:
            if not 1 <= number <= self.steps:
                problem = f"the plan has no step {number}"
                raise InputError(problem, where=where, expected=f"1 to {self.steps}")
            if number in self.found:
                raise InputError(
                    f"step {number} is marked twice", where=where, expected="one mark for each step"
                )
            if mark is Mark.SKIPPED and not reason:
                raise InputError(
                    f"step {number} is skipped without a reason", where=where,
                    expected=f'"{number} skipped: reason"',
                )  # fmt: skip
            self.found[number] = Marked(number=number, mark=mark, reason=reason)

    def before(self, number: int, where: Location) -> None:
        """Mark all steps below a number as done that nothing else was said of."""
        if not 1 <= number <= self.steps + 1:
            problem = f"the plan has no step {number}"
            raise InputError(problem, where=where, expected=f"1 to {self.steps}")
        for earlier in range(1, number):
            self.found.setdefault(earlier, Marked(number=earlier, mark=Mark.DONE))


def read_progress(name: str, text: str, marks: Marks) -> Mapping[int, Marked]:
    """Read a paste into `marks` and return them."""
    lines = [_QUOTED.sub("", line).strip() for line in text.splitlines()]
    pasted = any(_HEADING.match(line) for line in lines)
    for place, line in enumerate(lines, 1) if not pasted else _boxes(lines):
        where = Location(name, place)
        if not _one(line, marks, where) and not pasted:
            raise InputError(
                f"{line[:60]!r} says nothing of a step", where=where, expected=EXPECTED
            )
    return marks.found


def _boxes(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Yield the first box below each heading of a step as a line of a list."""
    open_step: str | None = None
    for place, line in enumerate(lines, 1):
        heading = _HEADING.match(line)
        box = _TICK.match(line)
        if heading:
            open_step = heading["number"]
        elif line.startswith("#"):
            open_step = None
        elif box and open_step is not None:
            yield place, f"- [{box['tick']}] {open_step}"
            open_step = None
        elif _SAID.fullmatch(line):
            yield place, line


def _one(line: str, marks: Marks, where: Location) -> bool:
    """Read one line of a list; tell whether it says something, or is empty or a remark."""
    if not line or line.startswith("#"):
        return True
    box = _TICK.match(line)
    said = _SAID.fullmatch(box["rest"] if box else line)
    if said:
        numbers = numbers_of(said["numbers"], where)
        marks.put(numbers, _WORDS[said["word"].lower()], said["reason"].strip(), where)
        return True
    leading = _LEADING.match(box["rest"]) if box else None
    if box is None or leading is None:
        return False
    if box["tick"] != " ":
        marks.put([int(leading["number"])], Mark.DONE, "", where)
    return True


def numbers_of(text: str, where: Location) -> tuple[int, ...]:
    """Return the numbers of `1-40,42`, in order."""
    found: list[int] = []
    for part in re.split(r"\s*,\s*", text.strip()):
        ends = re.fullmatch(r"(\d{1,5})(?:\s*[-\u2013]\s*(\d{1,5}))?", part, re.ASCII)
        if ends is None:
            raise InputError(f"{text!r} are no steps", where=where, expected="such as 1-40,42")
        first, last = int(ends[1]), int(ends[2] or ends[1])
        if last < first:
            raise InputError(
                f"{part!r} ends before it begins", where=where, expected=f"{last}-{first}"
            )
        found += range(first, last + 1)
    return tuple(found)
