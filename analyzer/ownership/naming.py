"""How places are called in messages and contracts: in the words of the program, or not at all."""

from __future__ import annotations

import re

UNNAMED = "?"  # a holder that has no name

_OURS = re.compile(r"\$(?:[0-9]|call@)|(?:->|\.)at[0-9]+\b")
_ELEMENT = re.compile(r"[A-Za-z_]\w*(\[[0-9]+\])")
_LAST = re.compile(r"(.*)(->|\.)([^.>]*)", re.DOTALL)
_OF_CALL = re.compile(r"(\w+\(\))(?:->|(?=\[))(.+)")


def in_program(text: str) -> str:
    """The text, "" where it names something that the program does not have.

    A variable of our own, as for ``a ? b : c``, or a member that we know by its offset only.
    """
    return "" if _OURS.search(text) else text


def member_name(text: str) -> str:
    """``ctx->rx.buf`` and ``ctx.rx.buf`` are the member ``rx.buf``, ``v[1]`` is ``[1]``; "" for neither."""
    if "->" in text:
        return text.rsplit("->", 1)[-1]
    element = _ELEMENT.fullmatch(text)
    return element[1] if element is not None else text.partition(".")[2]


def joined(outer: str, inner: str) -> str:
    """The member ``inner`` of the member ``outer``: ``a`` and ``p`` are ``a.p``; an array and ``[1]`` are ``a[1]``."""
    if not outer or not inner:
        return outer or inner
    if not inner.startswith("["):
        return f"{outer}.{inner}"
    array = outer.removesuffix("[0]")
    return "" if array.endswith("]") else array + inner


def overwritten(stored: str, written: str) -> str:
    """What a lost holder is called: ``written``, where it is overwritten; ``stored``, where a union is."""
    was, now = _LAST.fullmatch(stored), _LAST.fullmatch(written)
    same_object = was is not None and now is not None and was[1] == now[1]
    return stored if same_object else written or stored


def of_call(text: str) -> tuple[str, str]:
    """``("mk()", "name")`` for what a call returned and nothing is known to hold, ``mk()->name``; else two times ""."""
    match = _OF_CALL.fullmatch(text)
    return (match[1], match[2]) if match is not None else ("", "")
