"""Which format an output has: said by an option, by the name of the file, or by neither."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import PurePath
from typing import TypeVar

from watcher.errors import InputError, Location

Form = TypeVar("Form", bound=StrEnum)


def chosen(
    form: Form | None, output: str | None, endings: Mapping[str, Form], what: str
) -> Form | None:
    """Return the format that is asked for; None where neither option nor name says one.

    A name says nothing when it is a pipe, a device, or has no ending. One that says another format
    than the option, or one that is not there, is an error. `what` is written: `a plan`.
    """
    suffix = PurePath(output or "").suffix.lower()
    named = endings.get(suffix)
    if form is None and suffix and named is None:
        raise InputError(
            f"{what} cannot be written as {suffix}",
            where=Location(output or ""),
            expected=f"a name in {', '.join(endings)}, or --format",
        )
    if form is not None and named is not None and form is not named:
        fitting = ", ".join(ending for ending, one in endings.items() if one is form)
        raise InputError(
            f"--format {form} does not fit this name",
            where=Location(output or ""),
            expected=f"--format {named}, or a name in {fitting}",
        )
    return form or named
