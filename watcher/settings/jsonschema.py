"""The JSON Schema of the settings file, for editors: the shape in the form they read."""

import json
from datetime import timedelta

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import WithDefaultSchema

from watcher.inventory.jsonschema import DIALECT
from watcher.settings.schema import Settings
from watcher.settings.terms import duration_text, size_text


class _AsWritten(GenerateJsonSchema):
    """Prints a default as a person would write it: `6h`, not `PT6H`."""

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        shape = super().default_schema(schema)
        default = schema.get("default")
        if isinstance(default, timedelta):
            return {**shape, "default": duration_text(default)}
        if isinstance(default, int) and shape.get("type") == "string":
            return {**shape, "default": size_text(default)}
        return shape


def settings_schema() -> str:
    """Return the JSON Schema (2020-12) of the settings file, the same text every time."""
    shape = Settings.model_json_schema(schema_generator=_AsWritten)
    schema = {"$schema": DIALECT, **shape, "title": "watcher settings"}
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
