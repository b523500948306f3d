"""The JSON Schema of ``rats.yml``, for editors and other programs.

It says what each key may hold. What two keys say together (a limit below its request, a
profile that does not exist) only kedro-rats itself can tell.
"""

from __future__ import annotations

import json
from typing import Any, Final

from kedro_rats.placement.schema import RatsYml

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Return the schema.

    Example:
        >>> json_schema()["title"]
        'rats.yml'
    """
    made = _tidied(RatsYml.model_json_schema())
    # What YAML calls an anchor or a template may stand under a key that begins so.
    made["patternProperties"] = {"^_": {}}
    return {"$schema": _DIALECT, "title": "rats.yml", **made}


def text() -> str:
    """Return the schema as the documentation has it."""
    return json.dumps(json_schema(), indent=1, sort_keys=True) + "\n"


_LEFT_OUT: Final = ("title", "default", "propertyNames")
_OF_NAMES: Final = ("$defs", "patternProperties", "properties")


def _tidied(value: Any) -> Any:
    """Leave out what differs between versions of pydantic, and refuse unknown keys."""
    if isinstance(value, list):
        return [_tidied(part) for part in value]
    if not isinstance(value, dict):
        return int(value) if isinstance(value, float) else value
    tidy = {
        key: _part(key, part) for key, part in value.items() if key not in _LEFT_OUT
    }
    if tidy.get("additionalProperties") is True:
        del tidy["additionalProperties"]
    if "patternProperties" in tidy:
        tidy["additionalProperties"] = False
    return tidy


def _part(key: str, value: Any) -> Any:
    # Here keys are names of the file, and no words of JSON Schema.
    if key in _OF_NAMES:
        return {name: _tidied(part) for name, part in value.items()}
    return _tidied(value)
