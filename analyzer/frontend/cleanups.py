"""Macros for the `cleanup` attribute that a missing header would have supplied.

    _cleanup_free_ char *text = strdup(from);
    struct thing *it __free(kfree) = make();

Taken for something else, such a word costs the declaration, and what the variable holds seems lost. Here it becomes an
attribute that gives the variable's address, at the end of the scope, to a function of which nothing is known but its
name: that of the macro. A contract may describe it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, final

from analyzer.libclang.parse import ParserMessage

# The word stands before a type (`AUTO char *`, `AUTO struct x`, `AUTO thing_t *x`, `AUTO thing_t x =`).
_TYPE_WORD: Final = r"(?:const|volatile|struct|union|enum|unsigned|signed|char|short|int|long|float|double|void|bool)\b"
_BEFORE_TYPE: Final = re.compile(
    rf"(?P<word>[A-Za-z_]\w*)[ \t]+(?:{_TYPE_WORD}|[A-Za-z_]\w*(?:[ \t]*\*|[ \t]+\w+[ \t]*[=;,]))"
)
_LANGUAGE: Final = frozenset(
    {"constexpr", "auto", "thread_local", "register", "static", "extern", "_Alignas", "alignas"}
)
_UNDECLARED: Final = re.compile(r"use of undeclared identifier '(\w+)'")
_NO_FUNCTION: Final = re.compile(r"'cleanup' argument '(\w+)' is not a function")
# Widely used ones that take an argument: what stands behind the attribute.
_WITH_ARGUMENT: Final = {
    "_cleanup_": "",
    "__cleanup": "",
    "__free": "",
    "g_auto": " what",
    "g_autoptr": " what *",
    "g_autolist": " struct mustfree_list *",
    "g_autoslist": " struct mustfree_list *",
}
_IDIOM: Final = re.compile(r"\b(" + "|".join(_WITH_ARGUMENT) + r")[ \t]*\(")


@final
@dataclass(slots=True)
class Cleanups:
    """What is known of such macros so far. functions: that are called at the end of a scope."""

    macros: dict[str, str] = field(default_factory=dict)
    functions: dict[str, None] = field(default_factory=dict)

    def learn(self, errors: Sequence[ParserMessage], contents: Mapping[str, bytes]) -> list[ParserMessage]:
        """Read them off the errors; the errors that they do not explain.

        contents: text by file name. Errors in other files explain nothing.
        """
        left = []
        for error in errors:
            name = self._function(error.text) or self._macro(error, contents.get(error.file, b""))
            if not name:
                left.append(error)
        return left

    def _function(self, message: str) -> str:
        found = _NO_FUNCTION.search(message)
        if found is None or found[1] in self.functions:
            return ""
        self.functions[found[1]] = None
        return found[1]

    def _macro(self, error: ParserMessage, data: bytes) -> str:
        start = data.rfind(b"\n", 0, error.offset) + 1
        end = data.find(b"\n", error.offset)
        line = data[start : end if end >= 0 else len(data)].decode("utf-8", "replace")
        for found in _IDIOM.finditer(line):
            name = found[1]
            if name not in self.macros:
                self.macros[name] = f"{name}(what) __attribute__((cleanup({name}))){_WITH_ARGUMENT[name]}"
                return name
        undeclared = _UNDECLARED.search(error.text)
        here = _BEFORE_TYPE.match(data[error.offset : end].decode("utf-8", "replace")) if undeclared else None
        if undeclared is None or here is None or here["word"] != undeclared[1]:
            return ""
        name = undeclared[1]
        if name in self.macros or name in _LANGUAGE:
            return ""
        self.macros[name] = f"{name} __attribute__((cleanup({name})))"
        return name

    def text(self) -> str:
        """The declarations and macros, "" without any."""
        names = (*self.macros, *(name for name in self.functions if name not in self.macros))
        lines = [f"void {name}(void *);" for name in names]
        lines += [f"#define {macro}" for macro in self.macros.values()]
        return "".join(line + "\n" for line in lines)
