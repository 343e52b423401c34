"""Dataclasses as JSON and back, by their annotations. Nothing in a text can do more than be wrong.

A dataclass is the list of its fields' values. Handles what our data consists of: texts, numbers, enumerations,
tuples, mappings, options, dataclasses.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, Union, final, get_args, get_origin, get_type_hints

_T = TypeVar("_T")
_Turn = Callable[[Any], Any]


class CodecError(ValueError):
    """The text was not written by `Codec.text` for this type."""


@final
class Codec(Generic[_T]):
    """Turns values of one type into JSON values and back."""

    def __init__(self, of: Any) -> None:  # noqa: ANN401 - a type expression such as tuple[str, ...]
        self._encode, self._decode = _turns(of)

    def value(self, of: _T) -> Any:  # noqa: ANN401 - JSON
        """The JSON value."""
        return self._encode(of)

    def text(self, of: _T) -> str:
        """The same as a text."""
        return dumps(self._encode(of))

    def read(self, value: Any) -> _T:  # noqa: ANN401 - JSON
        """The value that a JSON value stands for. CodecError: it stands for none."""
        try:
            result: _T = self._decode(value)
        except (TypeError, ValueError, KeyError, RecursionError) as error:
            raise CodecError(str(error)) from error
        return result

    def parse(self, text: str) -> _T:
        """The same from a text."""
        return self.read(loads(text))


def dumps(value: Any) -> str:  # noqa: ANN401 - JSON
    """JSON without spaces; ASCII, so that any text survives."""
    return json.dumps(value, separators=(",", ":"), check_circular=False)


def loads(text: str) -> Any:  # noqa: ANN401 - JSON
    """The value of a JSON text. CodecError: it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CodecError(str(error)) from error


@cache
def codec(of: Any) -> Codec[Any]:  # noqa: ANN401 - a type expression
    """The codec of a type."""
    return Codec(of)


def _same(value: Any) -> Any:  # noqa: ANN401
    return value


def _plain(of: type) -> _Turn:
    def decode(value: Any) -> Any:  # noqa: ANN401
        if type(value) is not of:
            raise TypeError(f"{value!r} is no {of.__name__}")
        return value

    return decode


@cache
def _turns(of: Any) -> tuple[_Turn, _Turn]:  # noqa: ANN401
    """How to encode and to decode a value of a type."""
    if of in (str, int, bool):
        return _same, _plain(of)
    if isinstance(of, type) and issubclass(of, Enum):
        members = {member.value: member for member in of}
        return lambda member: member.value, members.__getitem__
    if is_dataclass(of):
        return _record(of)
    origin, arguments = get_origin(of), get_args(of)
    if origin in (Union, UnionType):
        return _option(arguments)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return _row(arguments[0])
    if origin is tuple:
        return _fixed(arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(*arguments)
    raise TypeError(f"no codec for {of}")


def _record(of: Any) -> tuple[_Turn, _Turn]:  # noqa: ANN401
    names = [field.name for field in fields(of)]
    turns: list[tuple[_Turn, _Turn]] = []

    def parts() -> list[tuple[_Turn, _Turn]]:
        if not turns:  # later than the codec is made: a type may contain itself
            hints = get_type_hints(of)
            turns.extend(_turns(hints[name]) for name in names)
        return turns

    def encode(value: Any) -> Any:  # noqa: ANN401
        return [turn[0](getattr(value, name)) for name, turn in zip(names, parts(), strict=True)]

    def decode(value: Any) -> Any:  # noqa: ANN401
        if type(value) is not list:
            raise TypeError("a record is a list")
        return of(*[turn[1](item) for item, turn in zip(value, parts(), strict=True)])

    return encode, decode


def _option(arguments: tuple[Any, ...]) -> tuple[_Turn, _Turn]:
    kinds = [argument for argument in arguments if argument is not NoneType]
    if len(kinds) != 1 or len(arguments) != 2:
        raise TypeError(f"no codec for a choice of {arguments}")
    encode, decode = _turns(kinds[0])
    return (
        lambda value: None if value is None else encode(value),
        lambda value: None if value is None else decode(value),
    )


def _row(of: Any) -> tuple[_Turn, _Turn]:  # noqa: ANN401
    encode, decode = _turns(of)

    def read(value: Any) -> Any:  # noqa: ANN401
        if type(value) is not list:
            raise TypeError("a tuple is a list")
        return tuple([decode(item) for item in value])

    return lambda value: [encode(item) for item in value], read


def _fixed(of: tuple[Any, ...]) -> tuple[_Turn, _Turn]:
    turns = [_turns(one) for one in of]
    return (
        lambda value: [turn[0](item) for turn, item in zip(turns, value, strict=True)],
        lambda value: tuple([turn[1](item) for turn, item in zip(turns, value, strict=True)]),
    )


def _mapping(key: Any, value: Any) -> tuple[_Turn, _Turn]:  # noqa: ANN401
    encode_key, decode_key = _turns(key)
    encode, decode = _turns(value)
    return (
        lambda found: [[encode_key(name), encode(item)] for name, item in found.items()],
        lambda found: {decode_key(name): decode(item) for name, item in found},
    )
