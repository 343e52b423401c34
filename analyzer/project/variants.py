"""`[[variants]]`: further configurations of the program, read from a settings file."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from analyzer.libclang.flags import choose_flags
from analyzer.program.variants import Variant, definition_mistake, name_mistake

_KEYS = ("name", "define", "undefine", "flags")
_REMEDY = 'write [[variants]] with name = "..." and define = ["..."]'


def variant_mistakes(value: object) -> Iterator[tuple[int, str, str]]:
    """What is wrong with the value of `variants`: the number of the variant, the key in it ("" for it as a whole), and
    what it is, with the remedy."""
    if not isinstance(value, list):
        yield 0, "", f"takes tables; {_REMEDY}"
        return
    names: list[object] = []
    for number, table in enumerate(value):
        if not isinstance(table, dict):
            yield number, "", f"takes tables; {_REMEDY}"
            continue
        name = table.get("name")
        known = isinstance(name, str) and bool(name.strip())
        if not known:
            yield number, "name", f"each needs a `name`, a text; {_REMEDY}"
        elif name in names:
            yield number, "name", f'the name "{name}" is there twice; findings are told by it: choose another one'
        names.append(name)
        yield from _in_table(number, table, f'variant "{name}": ' if known else "")


def _in_table(number: int, table: dict[str, Any], of: str) -> Iterator[tuple[int, str, str]]:
    for key in table:
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, 1)
            remedy = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(_KEYS)}"
            yield number, key, f"{of}unknown key `{key}`; {remedy}"
    wrong = False
    for key in _KEYS[1:]:
        for text in _key_mistakes(key, table.get(key, [])):
            wrong = True
            yield number, key, f"{of}`{key}` {text}"
    if not wrong and not any(table.get(key) for key in _KEYS[1:]):
        yield number, "", f"{of}changes nothing; it needs `define`, `undefine` or `flags`"
    define, undefine = (table.get(key, []) for key in ("define", "undefine"))
    if not wrong:
        for name in sorted({text.partition("=")[0].partition("(")[0] for text in define} & set(undefine)):
            yield number, "undefine", f"{of}{name} is both in `define` and in `undefine`; leave one out"


def _key_mistakes(key: str, value: object) -> Iterator[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
        yield 'takes a list of texts: ["...", "..."]'
        return
    match key:
        case "define":
            yield from filter(None, map(definition_mistake, value))
        case "undefine":
            yield from filter(None, map(name_mistake, value))
        case _:
            if value and not choose_flags(value, "/")[0]:
                yield "names nothing that changes how a file is read, as -I, -include, -std= or -m32 do; leave it out"


def variants(value: list[dict[str, Any]], lines: list[int], file: Path) -> tuple[Variant, ...]:
    """The configurations that a value without mistakes describes. lines: where each is written."""
    return tuple(
        Variant(
            table["name"],
            tuple(table.get("define", ())),
            tuple(table.get("undefine", ())),
            choose_flags(table.get("flags", ()), str(file.parent))[0],
            str(file),
            line,
        )
        for table, line in zip(value, lines, strict=True)
    )


def variant_value(variant: Variant) -> dict[str, Any]:
    """A configuration as a settings file writes it."""
    lists = {"define": variant.define, "undefine": variant.undefine, "flags": variant.flags}
    return {"name": variant.name, **{key: list(texts) for key, texts in lists.items() if texts}}


def variant_lines(text: str, name: str, count: int) -> list[dict[str, int]]:
    """For each of `count` variants the lines of its parts: "" for its beginning. name: the title of its tables.

    Written as one list, all of them stand in the line of the list.
    """
    found: list[dict[str, int]] = []
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("["):
            inside = stripped.startswith("[[") and stripped.split("]")[0].strip("[ ") == name
            if inside:
                found.append({"": number})
        elif inside and "=" in stripped:
            found[-1].setdefault(stripped.partition("=")[0].strip(" \"'"), number)
    return found if len(found) == count else []
