"""YAML text -> nodes that know their place; every wrong shape is noted, none is fatal.

Values are taken as written: `no`, `010` and `3.2` are not silently turned into something else, as YAML 1.1
would have it, but refused with the advice to quote them. Knows nothing of contracts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from analyzer.errors import ContractError

_TAG = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# What YAML takes a bare word for -> how to say it.
_READ_AS = {
    "bool": "a boolean",
    "int": "a number",
    "float": "a number",
    "null": "nothing",
    "timestamp": "a date",
    "map": "a mapping",
    "seq": "a list",
}


@final
@dataclass(slots=True)
class Problems:
    """Collects mistakes of one file, each as `file:line:column: what; remedy`.

    source: the lines of the file.
    """

    file: str
    source: list[str] = field(default_factory=list)
    found: list[tuple[int, int, str]] = field(default_factory=list)

    def add(self, line: int, column: int, message: str) -> None:
        """line and column from 1."""
        self.found.append((line, column, message))

    def at(self, node: Node, message: str, offset: int = 0) -> None:
        """Note a mistake at a node; offset: characters into a plain one-line scalar."""
        mark = node.start_mark
        inside = offset if isinstance(node, ScalarNode) and not node.style else 0
        self.add(mark.line + 1, mark.column + 1 + inside, message)

    def lines(self) -> list[str]:
        """All problems in file order, without repetitions."""
        ordered = dict.fromkeys(sorted(self.found))
        return [f"{self.file}:{line}:{column}: {message}" for line, column, message in ordered]


def read_text(path: Path, shown: str, contents: bytes | None = None) -> str:
    """The text of a rule file. Raises ContractError when there is none. contents: stand for those on disk."""
    try:
        return (path.read_bytes() if contents is None else contents).decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or str(error)
        raise ContractError([f"{shown}:1:1: cannot be read: {reason}; name a readable rule file"]) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ContractError([f"{shown}:{line}:1: not UTF-8 text; save the file as UTF-8"]) from None


def compose(text: str, shown: str) -> MappingNode:
    """The root mapping of a YAML text. Raises ContractError when it is no YAML or no mapping."""
    try:
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        raise ContractError([_yaml_problem(error, shown)]) from None
    except yaml.YAMLError as error:
        what = str(error).splitlines()[0]
        raise ContractError([f"{shown}:1:1: not YAML: {what}; remove the character"]) from None
    except RecursionError:
        raise ContractError([f"{shown}:1:1: nested too deeply; a rule file has five levels"]) from None
    if not isinstance(root, MappingNode):
        raise ContractError([f"{shown}:1:1: not a mapping; begin with `library:` and `functions:`"])
    return root


def _yaml_problem(error: yaml.MarkedYAMLError, shown: str) -> str:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    what = error.problem or error.context or "not YAML"
    remedy = "correct the YAML"
    if "alias" in what or "anchor" in what:
        remedy = "quote a text that begins with `*` or `&`"
    elif "flow" in str(error):
        remedy = "quote a text that contains `[`, `]`, `{`, `}` or `, `"
    elif "mapping values" in what:
        remedy = "quote a text that contains `: `"
    return f"{shown}:{line}:{column}: not YAML: {what}; {remedy}"


Reader = Callable[[Node], None]


def read_mapping(
    node: Node, known: Mapping[str, Reader], problems: Problems, what: str, required: Iterable[str] = ()
) -> None:
    """Call the reader of each key. Unknown, repeated and missing keys are problems."""
    if not isinstance(node, MappingNode):
        problems.at(node, f"{what} must be a mapping, not {shape(node)}; write `key: value` lines")
        return
    seen: set[str] = set()
    for key_node, value in node.value:
        key = key_node.value if isinstance(key_node, ScalarNode) else "?"
        if key in seen:
            problems.at(key_node, f"key `{key}` stands twice in {what}; remove one")
        elif key not in known:
            problems.at(key_node, f"unknown key `{key}` in {what}; known: {', '.join(known)}")
        else:
            known[key](value)
        seen.add(key)
    for key in required:
        if key not in seen:
            problems.at(node, f"{what} has no `{key}:`; add it")


def read_free_mapping(node: Node, problems: Problems, what: str) -> list[tuple[ScalarNode, Node]]:
    """Entries of a mapping whose keys are names chosen by the author. Repeated keys are problems."""
    if not isinstance(node, MappingNode):
        problems.at(node, f"{what} must be a mapping, not {shape(node)}; write `name: value` lines")
        return []
    entries: list[tuple[ScalarNode, Node]] = []
    seen: set[str] = set()
    for key, value in node.value:
        if read_text_value(key, problems, f"a name in {what}") is None:
            continue
        if key.value in seen:
            problems.at(key, f"`{key.value}` stands twice in {what}; remove one")
            continue
        seen.add(key.value)
        entries.append((key, value))
    return entries


def read_list(node: Node, problems: Problems, what: str, lone: bool = False) -> list[Node]:
    """Items of a list; lone: a single text counts as a list of one."""
    if isinstance(node, SequenceNode):
        return list(node.value)
    if lone and isinstance(node, ScalarNode):
        return [node]
    problems.at(node, f"{what} must be a list, not {shape(node)}; write `[...]`")
    return []


def read_text_value(node: Node, problems: Problems, what: str) -> str | None:
    """A text, as written."""
    if isinstance(node, ScalarNode) and node.tag == f"{_TAG}str":
        return str(node.value)
    if isinstance(node, ScalarNode) and node.value:
        problems.at(node, f'YAML reads `{node.value}` as {shape(node)}, {what} is a text; write "{node.value}"')
    else:
        problems.at(node, f"{what} must be a text, not {shape(node)}; write one")
    return None


def read_integer(node: Node, problems: Problems, what: str) -> int | None:
    """A decimal integer."""
    if isinstance(node, ScalarNode) and node.tag == f"{_TAG}int" and _INTEGER.fullmatch(node.value):
        return int(node.value)
    shown = f"`{node.value}`" if isinstance(node, ScalarNode) else shape(node)
    problems.at(node, f"{what} must be a decimal number, not {shown}; write digits without leading 0")
    return None


def read_flag(node: Node, problems: Problems, what: str) -> bool:
    """`true` or `false`, no other spelling."""
    if isinstance(node, ScalarNode) and node.tag == f"{_TAG}bool" and node.value in ("true", "false"):
        return bool(node.value == "true")
    shown = f"`{node.value}`" if isinstance(node, ScalarNode) else shape(node)
    problems.at(node, f"{what} must be true or false, not {shown}; write one of them")
    return False


def shape(node: Node) -> str:
    """What YAML takes a node for, in words."""
    return _READ_AS.get(node.tag.removeprefix(_TAG), "a text" if node.tag == f"{_TAG}str" else node.tag)
