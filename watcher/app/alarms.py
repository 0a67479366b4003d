"""The alarm catalogue alone: what reading needs, without the rest of the rules."""

from watcher.errors import InputError, Location
from watcher.plugins import builtin
from watcher.rules.alarms import Alarms
from watcher.rules.document import read_document

PACK = "rules/alarms.yaml"


def load_alarms() -> Alarms:
    """Read the built-in alarm catalogue; a filter on a pipe must not wait for more."""
    text = (builtin("rules") / "alarms.yaml").read_text(encoding="utf-8")
    data = read_document(PACK, text).data
    if not isinstance(data, dict) or "alarms" not in data:
        raise InputError("holds no alarms", where=Location(PACK))
    return Alarms.model_validate(data["alarms"])
