"""First step of reading a rule file: the YAML shape. Texts stay texts; no mistake is fatal."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import final

from yaml.nodes import MappingNode, Node, ScalarNode

from analyzer.contracts import document
from analyzer.contracts.document import Problems
from analyzer.contracts.model import ResourceKind

_KIND_NAME = re.compile(r"[A-Za-z][\w-]*")
_NOUN = re.compile(r"[a-z][a-z -]*")
_CALLED = re.compile(r"([A-Za-z_]\w*)\W*\(")
_C_NAME = re.compile(r"[A-Za-z_]\w*")


@final
@dataclass(slots=True)
class Case:
    """One outcome before its texts are understood."""

    when: list[ScalarNode]
    then: list[ScalarNode]
    at: Node


@final
@dataclass(slots=True)
class Entry:
    """One function before its texts are understood. named: the names of its parameters matter."""

    at: Node
    c: ScalarNode | None = None
    cases: list[Case] | None = None
    returns: list[ScalarNode] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    replaces: list[tuple[str, str]] = field(default_factory=list)
    scans: ScalarNode | None = None
    pure: bool = False
    static: bool = False
    named: bool = True

    @property
    def borrows(self) -> bool:
        """Whether it stands in `borrows:`, `static:` or `pure:`."""
        return self.at is self.c


@final
@dataclass(slots=True)
class Timing:
    """What `waits:`, `calls:` and `compares:` say of functions, before it is known which there are.

    waits: name of a function -> its place, and the noun. calls: name -> its place, and (parameter, noun).
    compares: name -> its place, and parameters.
    """

    waits: dict[str, tuple[ScalarNode, str]] = field(default_factory=dict)
    calls: dict[str, tuple[ScalarNode, list[tuple[ScalarNode, str]]]] = field(default_factory=dict)
    compares: dict[str, tuple[ScalarNode, list[ScalarNode]]] = field(default_factory=dict)


@final
@dataclass(slots=True)
class Draft:
    """A rule file after the first step."""

    library: str = ""
    version: str = ""
    declare: str = ""
    declare_at: Node | None = None
    headers: list[str] = field(default_factory=list)
    ignores_null: list[str] = field(default_factory=list)
    kinds: dict[str, ResourceKind] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    timing: Timing = field(default_factory=Timing)


class Shape:
    """First step: the YAML shape."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.draft = Draft()

    def read(self, root: MappingNode) -> Draft:
        """The file's contents, as far as their shape is right."""
        readers: dict[str, document.Reader] = {
            "library": lambda node: self._text("library", node),
            "version": lambda node: self._text("version", node),
            "headers": self._headers,
            "kinds": self._kinds,
            "declare": self._declare,
            "functions": self._functions,
            "borrows": self._borrows,
            "static": lambda node: self._borrows(node, "static"),
            "pure": lambda node: self._borrows(node, "pure"),
            "ignores-null": self._ignores_null,
            "waits": self._waits,
            "calls": self._calls,
            "compares": self._compares,
            "notes": self._notes,
        }
        document.read_mapping(root, readers, self.problems, "the rule file", required=["library"])
        self._name_parameters()
        self.draft.entries.sort(key=lambda entry: not entry.named)
        return self.draft

    def _name_parameters(self) -> None:
        """Marks the entries whose parameters somebody speaks of."""
        spoken_of = self.draft.timing.calls.keys() | self.draft.timing.compares.keys()
        for entry in self.draft.entries:
            declared = _CALLED.findall(entry.c.value) if spoken_of and entry.borrows and entry.c is not None else ()
            entry.named = not entry.borrows or not spoken_of.isdisjoint(declared)

    def _text(self, name: str, node: Node) -> None:
        value = document.read_text_value(node, self.problems, f"`{name}:`")
        setattr(self.draft, name, value or "")

    def _headers(self, node: Node) -> None:
        for item in document.read_list(node, self.problems, "`headers:`"):
            value = document.read_text_value(item, self.problems, "a header pattern")
            if value:
                self.draft.headers.append(value)

    def _ignores_null(self, node: Node) -> None:
        for item in document.read_list(node, self.problems, "`ignores-null:`"):
            value = document.read_text_value(item, self.problems, "a function's name")
            if value and not value.isidentifier():
                self.problems.at(item, f"`{value}` is no function name; write the name alone")
            elif value:
                self.draft.ignores_null.append(value)

    def _waits(self, node: Node) -> None:
        """``{nl_recv: message}``"""
        for key, value in document.read_free_mapping(node, self.problems, "`waits:`"):
            self.draft.timing.waits[key.value] = (key, self._noun(value, f"what `{key.value}` waits for"))

    def _noun(self, node: Node, what: str) -> str:
        text = document.read_text_value(node, self.problems, what)
        if text is None:
            return ""
        if not _NOUN.fullmatch(text):
            self.problems.at(node, f'`{text}` cannot stand after "for each"; write one thing, as in `message`')
        return text

    def _calls(self, node: Node) -> None:
        """``{qsort: compar, nl_cb_set: {func: message}}``"""
        for key, value in document.read_free_mapping(node, self.problems, "`calls:`"):
            what = f"what `{key.value}` calls"
            if isinstance(value, MappingNode):
                pairs = document.read_free_mapping(value, self.problems, what)
                found = [(name, self._noun(noun, f"for what `{name.value}` is called")) for name, noun in pairs]
            else:
                found = [(name, "") for name in self._texts(value, what)]
            self.draft.timing.calls[key.value] = (key, found)

    def _compares(self, node: Node) -> None:
        """``{g_list_remove: data}``"""
        for key, value in document.read_free_mapping(node, self.problems, "`compares:`"):
            self.draft.timing.compares[key.value] = (key, self._texts(value, f"what `{key.value}` compares"))

    def _declare(self, node: Node) -> None:
        self.draft.declare = document.read_text_value(node, self.problems, "`declare:`") or ""
        self.draft.declare_at = node

    def _notes(self, node: Node) -> None:
        for key, value in document.read_free_mapping(node, self.problems, "`notes:`"):
            self.draft.notes[key.value] = document.read_text_value(value, self.problems, "a note") or ""

    def _kinds(self, node: Node) -> None:
        for key, value in document.read_free_mapping(node, self.problems, "`kinds:`"):
            if not _KIND_NAME.fullmatch(key.value):
                self.problems.at(key, f"`{key.value}` cannot name a kind; use letters, digits, `_` and `-`")
            self.draft.kinds[key.value] = self._kind(key, value)

    def _kind(self, key: ScalarNode, node: Node) -> ResourceKind:
        what = f"kind `{key.value}`"
        problems = self.problems
        texts = {"noun": "resource"}
        flags = {"integer": False, "deep": False}
        lists: dict[str, tuple[str, ...]] = {"release": (), "share": ()}
        failure: list[int] = []
        cwe = [401]

        def read_lists(name: str, value: Node) -> None:
            lists[name] = self._function_names(value, f"`{name}:` of {what}")

        def read_failure(value: Node) -> None:
            items = document.read_list(value, problems, f"`failure:` of {what}")
            numbers = [document.read_integer(item, problems, f"a failure value of {what}") for item in items]
            failure.extend(number for number in numbers if number is not None)

        readers: dict[str, document.Reader] = {
            "release": lambda value: read_lists("release", value),
            "share": lambda value: read_lists("share", value),
            "noun": lambda value: texts.update(
                noun=document.read_text_value(value, problems, f"`noun:` of {what}") or "resource"
            ),
            "cwe": lambda value: cwe.append(document.read_integer(value, problems, f"`cwe:` of {what}") or 0),
            "integer": lambda value: flags.update(integer=document.read_flag(value, problems, "`integer:`")),
            "failure": read_failure,
            "deep": lambda value: flags.update(deep=document.read_flag(value, problems, "`deep:`")),
        }
        document.read_mapping(node, readers, problems, what, required=["release"])
        return ResourceKind(
            name=key.value,
            library=self.draft.library,
            releases=lists["release"],
            share=lists["share"],
            noun=texts["noun"],
            cwe=cwe[-1],
            integer=flags["integer"],
            failure=tuple(failure) or ((-1,) if flags["integer"] else (0,)),
            deep=flags["deep"],
            source=f"{problems.file}:{key.start_mark.line + 1}:{key.start_mark.column + 1}",
        )

    def _function_names(self, node: Node, what: str) -> tuple[str, ...]:
        items = document.read_list(node, self.problems, what)
        if not items and node.tag.endswith(":seq"):
            self.problems.at(node, f"{what} is empty; name at least one function")
        found: list[str] = []
        for item in items:
            name = document.read_text_value(item, self.problems, f"a name in {what}")
            if name is not None and not _C_NAME.fullmatch(name):
                self.problems.at(item, f"`{name}` is no function name; write the name alone, as in `free`")
            elif name is not None:
                found.append(name)
        return tuple(found)

    def _functions(self, node: Node) -> None:
        for item in document.read_list(node, self.problems, "`functions:`"):
            self.draft.entries.append(self._entry(item))

    def _entry(self, node: Node) -> Entry:
        entry = Entry(node)

        def read_text(name: str, value: Node) -> None:
            entry.texts[name] = document.read_text_value(value, self.problems, f"`{name}:`") or ""

        def read_then(value: Node) -> None:
            self._once(entry, value)
            entry.cases = [Case([], self._texts(value, "`then:`"), value)]

        def read_outcomes(value: Node) -> None:
            self._once(entry, value)
            items = document.read_list(value, self.problems, "`outcomes:`")
            entry.cases = [self._case(item) for item in items]

        def read_c(value: Node) -> None:
            entry.c = self._declaration(value)

        def read_returns(value: Node) -> None:
            entry.returns = self._texts(value, "`returns:`")

        def read_scans(value: Node) -> None:
            if document.read_text_value(value, self.problems, "`scans:`") and isinstance(value, ScalarNode):
                entry.scans = value

        readers: dict[str, document.Reader] = {
            "c": read_c,
            "scans": read_scans,
            "returns": read_returns,
            "outcomes": read_outcomes,
            "then": read_then,
            "replaces": lambda value: entry.replaces.extend(self._replaced(value)),
        }
        for name in ("doc", "bytes", "since", "until"):
            readers[name] = lambda value, name=name: read_text(name, value)  # type: ignore[misc]
        document.read_mapping(node, readers, self.problems, "a function", required=["c"])
        if entry.cases is None and isinstance(node, MappingNode):
            self.problems.at(node, "the function has no effects; add `then:` or `outcomes:`, or list it in `borrows:`")
        return entry

    def _replaced(self, node: Node) -> list[tuple[str, str]]:
        """``old`` or ``{old: what it does, ...}``."""
        if isinstance(node, ScalarNode):
            name = document.read_text_value(node, self.problems, "`replaces:`")
            pairs = [(node, name or "", "")]
        else:
            pairs = [
                (key, key.value, document.read_text_value(value, self.problems, f"what `{key.value}` does") or "")
                for key, value in document.read_free_mapping(node, self.problems, "`replaces:`")
            ]
        for at, name, _ in pairs:
            if name and not _C_NAME.fullmatch(name):
                self.problems.at(at, f"`{name}` is no function name; write the name alone, as in `nl_recvmsgs`")
        return [(name, does) for _, name, does in pairs if name]

    def _once(self, entry: Entry, value: Node) -> None:
        if entry.cases is not None:
            self.problems.at(value, "both `then:` and `outcomes:`; write `outcomes:` alone")

    def _case(self, node: Node) -> Case:
        case = Case([], [], node)

        def read_when(value: Node) -> None:
            case.when = self._texts(value, "`when:`")

        def read_then(value: Node) -> None:
            case.then = self._texts(value, "`then:`")

        readers: dict[str, document.Reader] = {"when": read_when, "then": read_then}
        document.read_mapping(node, readers, self.problems, "an outcome", required=["when", "then"])
        return case

    def _texts(self, node: Node, what: str) -> list[ScalarNode]:
        items = document.read_list(node, self.problems, what, lone=True)
        found: list[ScalarNode] = []
        for item in items:
            text = document.read_text_value(item, self.problems, f"an item of {what}")
            if text is not None and isinstance(item, ScalarNode):
                found.append(item)
        return found

    def _borrows(self, node: Node, name: str = "borrows") -> None:
        for item in document.read_list(node, self.problems, f"`{name}:`"):
            entry = Entry(item, self._declaration(item), [Case([], [], item)])
            entry.pure, entry.static = name == "pure", name == "static"
            self.draft.entries.append(entry)

    def _declaration(self, node: Node) -> ScalarNode | None:
        text = document.read_text_value(node, self.problems, "a C declaration")
        if text is None or not isinstance(node, ScalarNode):
            return None
        if any(c in text for c in ";{}#") or text.count("(") != text.count(")"):
            self.problems.at(node, f"`{text}` is not one C declaration; write `type name(type parameter, ...)`")
            return None
        return node
