"""What the comments at a ticket say of how a change went on."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from watcher.model.ticket import Change

COMMENT_LINES = 40
"""Of what changed, a comment tells so many lines; the ticket itself has them all."""


def comments(before: Change | None, after: Change) -> Mapping[str, str]:
    """Return what each kind of comment says: on versions, on progress, on a reopening."""
    progress = "\n".join(("The certificates of this change:", *_cut(after.standing)))
    return {"v": "\n".join(_difference(before, after)), "p": progress, "r": progress}


def _difference(before: Change | None, after: Change) -> Iterator[str]:
    """Yield what people must decide anew; an order that changed alone is said as such."""
    if before is None or before.version == after.version:
        yield f"The plan changed; this is version {after.version}."
        return
    old, new = Counter(before.draft.decides), Counter(after.draft.decides)
    told = [f"- no more: {line}" for line in old - new] + [f"- new: {line}" for line in new - old]
    is_same = before.draft.decides == after.draft.decides
    if after.round > before.round:
        yield "An alarm came again after this change was done."
    if is_same:
        yield f"What is to be done is what it was; this is version {after.version}."
        return
    yield f"The plan changed; this is version {after.version}."
    yield from _cut(told)
    if not told:
        yield "The order of the steps is another."


def _cut(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:COMMENT_LINES]
    if len(lines) > COMMENT_LINES:
        yield f"... and {len(lines) - COMMENT_LINES} more"
