"""The JSON Schema of the settings file, for editors: the shape in the form they read."""

import json

from watcher.inventory.jsonschema import DIALECT
from watcher.settings.schema import Settings


def settings_schema() -> str:
    """Return the JSON Schema (2020-12) of the settings file, the same text every time."""
    shape = Settings.model_json_schema()
    schema = {"$schema": DIALECT, **shape, "title": "watcher settings"}
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
