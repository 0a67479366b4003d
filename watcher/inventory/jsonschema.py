"""The JSON Schema of an inventory, for editors: the shape in `schema.py` in the form they read."""

import json

from watcher.inventory.schema import Inventory

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def inventory_schema() -> str:
    """Return the JSON Schema (2020-12) of an inventory, the same text every time."""
    shape = Inventory.model_json_schema()
    schema = {"$schema": DIALECT, **shape, "title": "watcher inventory"}
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
