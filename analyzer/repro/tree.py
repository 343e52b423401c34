"""One walk over nested plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - any plain data
    """The value with `change` applied to every dataclass inside, innermost first, and to itself.

    Goes through dataclasses, tuples, frozen sets and the values of mappings; what does not change stays the same
    object.
    """
    if is_dataclass(value) and not isinstance(value, type):
        parts = {}
        for one in fields(value):
            old = getattr(value, one.name)
            new = mapped(old, change)
            if new is not old:
                parts[one.name] = new
        return change(replace(value, **parts) if parts else value)
    if isinstance(value, tuple):
        items = tuple(mapped(item, change) for item in value)
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    if isinstance(value, frozenset):
        return frozenset(mapped(item, change) for item in value)
    if isinstance(value, Mapping):
        return {key: mapped(item, change) for key, item in value.items()}
    return value
