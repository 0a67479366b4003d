"""The JSON Schema of a pack, for editors: the shape in `schema.py` in the form they read."""

import json

from watcher.rules.schema import Pack

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def pack_schema() -> str:
    """Return the JSON Schema (2020-12) of a built-in pack, the same text every time."""
    schema = {"$schema": DIALECT, **Pack.model_json_schema(), "title": "watcher rule pack"}
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
