"""What the comments at a ticket say of how a change went on."""

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
    yield f"The plan changed; this is version {after.version}."
    if before is None or before.version == after.version:
        return
    old, new = before.draft.decides, after.draft.decides
    gone = [line for line in dict.fromkeys(old) if line not in set(new)]
    come = [line for line in dict.fromkeys(new) if line not in set(old)]
    if after.round > before.round:
        yield "An alarm came again after this change was done."
    yield from _cut([f"- no more: {line}" for line in gone] + [f"- new: {line}" for line in come])
    if not gone and not come:
        yield "The order of the steps is another."


def _cut(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:COMMENT_LINES]
    if len(lines) > COMMENT_LINES:
        yield f"... and {len(lines) - COMMENT_LINES} more"
