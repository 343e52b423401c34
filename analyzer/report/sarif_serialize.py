"""sarif_om objects -> JSON, by the schema names that attrs keeps beside each field.

The serialiser that belongs to sarif_om (jschema-to-python) leaves out what equals the SARIF default, so an
explicit `level: warning` gets lost and another consumer's default takes its place.
"""

from __future__ import annotations

import json
from typing import Any

import attr

_FIRST = ("$schema", "version")  # a reader of the stream wants to know what it reads
_ALWAYS = frozenset(("level", "kind", "columnKind", "importance", "nestingLevel", "isComprehensive"))


def to_plain(value: Any) -> Any:  # noqa: ANN401 - a tree of anything
    """Dictionaries, lists and scalars; fields in the order of the class, required ones first."""
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    if not attr.has(type(value)):
        return value
    found = {}
    for field in attr.fields(type(value)):
        item = getattr(value, field.name)
        name = field.metadata["schema_property_name"]
        if item is not None and (item != _default(field) or name in _ALWAYS):
            found[name] = to_plain(item)
    return {name: found[name] for name in (*(n for n in _FIRST if n in found), *found)}


def _default(field: Any) -> Any:  # noqa: ANN401
    """The value of a field that was not given."""
    default = field.default
    return default.factory() if hasattr(default, "factory") else default


def serialise(log: Any) -> str:  # noqa: ANN401 - sarif_om has no types
    """The log as JSON text, ASCII, with a final line feed."""
    return json.dumps(to_plain(log), indent=1, ensure_ascii=True) + "\n"
