"""Write an inventory as YAML for people: in the order of the schema, unknown things named."""

from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from itertools import pairwise

from pydantic import BaseModel
from ruamel.yaml import YAML

from watcher.inventory.merge import Addition, Path
from watcher.inventory.schema import Cluster, Inventory
from watcher.inventory.unknown import Unknown, unknowns

_WIDTH = 100


def write(inventory: Inventory, hints: Mapping[str, str], remarks: Iterable[str] = ()) -> str:
    """Return a new file; `hints` says for a key how one finds it out."""
    header = [
        "# Read from pasted output; add what is missing. What is absent counts as unknown.",
        *(f"# {_comment(remark)}" for remark in remarks),
        *_missing(unknowns(inventory), hints),
    ]
    return "\n".join(header) + "\n" + _dump(plain(inventory))


def complete(text: str, additions: Mapping[int, Sequence[Addition]]) -> str:
    """Return `text` with additions to the clusters at these positions; comments stay.

    `text` is a file that the loader accepted.
    """
    data = _yaml().load(text)
    for number, wanted in additions.items():
        for addition in wanted:
            _put(data["clusters"][number], addition.path, plain(addition.value))
    return _dump(data)


def add_cluster(text: str, cluster: Cluster) -> str:
    """Return `text` with one more cluster at its end."""
    data = _yaml().load(text)
    data["clusters"].append(plain(cluster))
    return _dump(data)


def plain(value: object) -> object:
    """Return maps, lists and text for YAML; what was not set is left out."""
    if isinstance(value, BaseModel):
        dumped = value.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        return {"version": 1, **dumped} if isinstance(value, Inventory) else dumped
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, bool | int):
        return value
    isoformat = getattr(value, "isoformat", None)
    return isoformat() if isoformat else str(value)


def _put(target: object, path: Path, value: object) -> None:
    """Set a value at a path in nested maps and lists, which may still be absent."""
    for step, following in pairwise(path):
        if isinstance(step, str) and isinstance(target, dict):
            target = target.setdefault(step, [] if isinstance(following, int) else {})
        elif isinstance(step, int) and isinstance(target, list):
            target = target[step]
    if isinstance(target, list):
        target.append(value)
    elif isinstance(target, dict):
        target[path[-1]] = value


def _missing(missing: Sequence[Unknown], hints: Mapping[str, str]) -> list[str]:
    if not missing:
        return []
    lines = ["#", "# Not known yet:"]
    for item in missing:
        where = f"{item.cluster}, {item.node}" if item.node else item.cluster
        hint = f": {hints[item.key]}" if item.key in hints else ""
        lines.append(f"#   {where}: {item.key}{_comment(hint)}")
    return lines


def _comment(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = _WIDTH
    yaml.preserve_quotes = True
    return yaml


def _dump(data: object) -> str:
    stream = StringIO()
    _yaml().dump(data, stream)
    return stream.getvalue()
