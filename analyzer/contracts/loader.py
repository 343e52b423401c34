"""A rule file -> `Pack`, or every mistake in it at once.

Three steps: read the YAML shape, let the C parser read all declarations in one parse, then read terms,
conditions and effects, which need the parameter names and constants found by the second step.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from yaml.nodes import MappingNode, Node, ScalarNode

from analyzer.contracts import coverage, document
from analyzer.contracts.document import Problems
from analyzer.contracts.meaning import check_atom, check_effect
from analyzer.contracts.model import (
    Atom,
    Effect,
    EffectKind,
    FunctionContract,
    Outcome,
    Pack,
    Provenance,
    ResourceKind,
    Signature,
)
from analyzer.contracts.syntax import LanguageError, constant_name, parse_condition, parse_effect
from analyzer.errors import ContractError
from analyzer.libclang.declarations import Declarations, Declared, parse_declarations

_KIND_NAME = re.compile(r"[A-Za-z][\w-]*")
_C_NAME = re.compile(r"[A-Za-z_]\w*")
_PROBE = "mustfree_constant_"
_OTHERWISE = "otherwise"


@final
@dataclass(slots=True)
class _Case:
    """One outcome before its texts are understood."""

    when: list[ScalarNode]
    then: list[ScalarNode]
    at: Node


@final
@dataclass(slots=True)
class _Entry:
    """One function before its texts are understood."""

    at: Node
    c: ScalarNode | None = None
    cases: list[_Case] | None = None
    texts: dict[str, str] = field(default_factory=dict)


@final
@dataclass(slots=True)
class _Draft:
    """A rule file after the first step."""

    library: str = ""
    version: str = ""
    declare: str = ""
    declare_at: Node | None = None
    headers: list[str] = field(default_factory=list)
    kinds: dict[str, ResourceKind] = field(default_factory=dict)
    entries: list[_Entry] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)


def load_pack(path: Path, provenance: Provenance = Provenance.PACK, shown: str = "") -> Pack:
    """The pack that a rule file describes. Raises ContractError with every problem in the file.

    shown: what messages call the file, its path by default.
    """
    shown = shown or path.as_posix()
    return parse_pack(document.read_text(path, shown), shown, provenance)


def parse_pack(text: str, shown: str, provenance: Provenance = Provenance.PACK) -> Pack:
    """The same for a text. `shown` names it in messages and sources."""
    problems = Problems(shown)
    draft = _Shape(problems).read(document.compose(text, shown))
    declared = _Declared(draft, problems)
    functions = [
        _function(entry, declared.of(position, entry), declared.constants, draft, problems, provenance)
        for position, entry in enumerate(draft.entries)
    ]
    if problems.found:
        raise ContractError(problems.lines())
    return Pack(
        library=draft.library,
        version=draft.version,
        path=shown,
        headers=tuple(draft.headers),
        kinds=draft.kinds,
        functions=tuple(f for f in functions if f is not None),
        declare=draft.declare,
        provenance=provenance,
        notes=draft.notes,
    )


class _Shape:
    """First step: the YAML shape."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.draft = _Draft()

    def read(self, root: MappingNode) -> _Draft:
        readers: dict[str, document.Reader] = {
            "library": lambda node: self._text("library", node),
            "version": lambda node: self._text("version", node),
            "headers": self._headers,
            "kinds": self._kinds,
            "declare": self._declare,
            "functions": self._functions,
            "borrows": self._borrows,
            "notes": self._notes,
        }
        document.read_mapping(root, readers, self.problems, "the rule file", required=["library"])
        return self.draft

    def _text(self, name: str, node: Node) -> None:
        value = document.read_text_value(node, self.problems, f"`{name}:`")
        setattr(self.draft, name, value or "")

    def _headers(self, node: Node) -> None:
        for item in document.read_list(node, self.problems, "`headers:`"):
            value = document.read_text_value(item, self.problems, "a header pattern")
            if value:
                self.draft.headers.append(value)

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

    def _entry(self, node: Node) -> _Entry:
        entry = _Entry(node)

        def read_text(name: str, value: Node) -> None:
            entry.texts[name] = document.read_text_value(value, self.problems, f"`{name}:`") or ""

        def read_then(value: Node) -> None:
            self._once(entry, value)
            entry.cases = [_Case([], self._texts(value, "`then:`"), value)]

        def read_outcomes(value: Node) -> None:
            self._once(entry, value)
            items = document.read_list(value, self.problems, "`outcomes:`")
            entry.cases = [self._case(item) for item in items]

        def read_c(value: Node) -> None:
            entry.c = self._declaration(value)

        readers: dict[str, document.Reader] = {
            "c": read_c,
            "outcomes": read_outcomes,
            "then": read_then,
        }
        for name in ("doc", "bytes", "since", "until", "replaces"):
            readers[name] = lambda value, name=name: read_text(name, value)  # type: ignore[misc]
        document.read_mapping(node, readers, self.problems, "a function", required=["c"])
        if entry.cases is None and isinstance(node, MappingNode):
            self.problems.at(
                node, "the function has no effects; add `then:` or `outcomes:`, or list it in `borrows:`"
            )
        return entry

    def _once(self, entry: _Entry, value: Node) -> None:
        if entry.cases is not None:
            self.problems.at(value, "both `then:` and `outcomes:`; write `outcomes:` alone")

    def _case(self, node: Node) -> _Case:
        case = _Case([], [], node)

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

    def _borrows(self, node: Node) -> None:
        for item in document.read_list(node, self.problems, "`borrows:`"):
            self.draft.entries.append(_Entry(item, self._declaration(item), [_Case([], [], item)]))

    def _declaration(self, node: Node) -> ScalarNode | None:
        text = document.read_text_value(node, self.problems, "a C declaration")
        if text is None or not isinstance(node, ScalarNode):
            return None
        if any(c in text for c in ";{}#") or text.count("(") != text.count(")"):
            self.problems.at(
                node, f"`{text}` is not one C declaration; write `type name(type parameter, ...)`"
            )
            return None
        return node


class _Declared:
    """Second step: all C of the file in one parse."""

    def __init__(self, draft: _Draft, problems: Problems) -> None:
        self._draft = draft
        self._problems = problems
        self._names = _constant_names(draft)
        lines = draft.declare.split("\n")
        self._first_entry = len(lines) + 1
        lines += [self._one_line(entry) for entry in draft.entries]
        self._first_probe = len(lines) + 1
        lines += [f"enum {{ {_PROBE}{name} = (long long)({name}) }};" for name in self._names]
        parsed = parse_declarations("\n".join(lines) + "\n")
        unknown = self._report(parsed)
        self.constants = {
            name: parsed.constants[_PROBE + name]
            for name in self._names
            if name not in unknown and _PROBE + name in parsed.constants
        }
        self._by_line: dict[int, list[Declared]] = {}
        for function in parsed.functions:
            self._by_line.setdefault(function.line, []).append(function)
        self.bad_lines = {problem.line for problem in parsed.problems}
        self._seen: dict[str, int] = {}

    @staticmethod
    def _one_line(entry: _Entry) -> str:
        return " ".join(entry.c.value.split()) + ";" if entry.c is not None else ""

    def _report(self, parsed: Declarations) -> set[str]:
        """Move the C parser's errors to their places in the file; names of constants it does not know."""
        unknown: set[str] = set()
        for problem in parsed.problems:
            if problem.line >= self._first_probe:
                unknown.add(self._names[min(problem.line - self._first_probe, len(self._names) - 1)])
            elif problem.line >= self._first_entry:
                entry = self._draft.entries[problem.line - self._first_entry]
                if entry.c is not None:
                    remedy = "correct the declaration, or add the type to `declare:`"
                    self._problems.at(entry.c, f"C: {problem.message}; {remedy}", problem.column - 1)
            elif self._draft.declare_at is not None:
                mark = self._draft.declare_at.start_mark
                block = isinstance(self._draft.declare_at, ScalarNode) and self._draft.declare_at.style == "|"
                line = mark.line + problem.line + (1 if block else 0)
                self._problems.add(line, problem.column, f"C: {problem.message}; correct `declare:`")
        return unknown

    def of(self, position: int, entry: _Entry) -> Declared | None:
        """The one function that entry number `position` declares."""
        line = self._first_entry + position
        if entry.c is None or line in self.bad_lines:
            return None
        functions = self._by_line.get(line, [])
        if len(functions) != 1:
            self._problems.at(
                entry.c, "not the declaration of one function; write `type name(type parameter)`"
            )
            return None
        function = functions[0]
        if not function.prototyped:
            self._problems.at(
                entry.c, f"`{function.name}()` has no prototype; write `(void)` or its parameters"
            )
            return None
        before = self._seen.setdefault(function.name, entry.c.start_mark.line + 1)
        if before != entry.c.start_mark.line + 1:
            self._problems.at(entry.c, f"`{function.name}` is described in line {before} already; remove one")
            return None
        return function


def _constant_names(draft: _Draft) -> list[str]:
    texts = (
        node.value
        for entry in draft.entries
        for case in entry.cases or ()
        for node in (*case.when, *case.then)
    )
    return sorted({name for name in map(constant_name, texts) if name})


def _function(
    entry: _Entry,
    function: Declared | None,
    constants: Mapping[str, int],
    draft: _Draft,
    problems: Problems,
    provenance: Provenance,
) -> FunctionContract | None:
    """Third step for one function."""
    if function is None or entry.cases is None:
        return None
    signature = Signature(function.result, function.parameters, function.names, function.variadic)
    cases = _Cases(signature, draft.kinds, constants, problems)
    outcomes = cases.outcomes(entry)
    texts = entry.texts
    return FunctionContract(
        name=function.name,
        signature=signature,
        outcomes=outcomes,
        provenance=provenance,
        library=draft.library,
        source=f"{problems.file}:{entry.at.start_mark.line + 1}",
        doc=texts.get("doc", ""),
        bytes=texts.get("bytes", ""),
        since=texts.get("since", ""),
        until=texts.get("until", ""),
        replaces=texts.get("replaces", ""),
        noreturn=bool(outcomes)
        and all(any(e.kind is EffectKind.NORETURN for e in outcome.effects) for outcome in outcomes),
    )


class _Cases:
    """Reads the outcomes of one function."""

    def __init__(
        self,
        signature: Signature,
        kinds: Mapping[str, ResourceKind],
        constants: Mapping[str, int],
        problems: Problems,
    ) -> None:
        self._signature = signature
        self._kinds = kinds
        self._constants = constants
        self._problems = problems

    def outcomes(self, entry: _Entry) -> tuple[Outcome, ...]:
        cases = entry.cases or []
        if not cases:
            self._problems.at(
                entry.at, "`outcomes:` is empty; add an outcome, or list the function in `borrows:`"
            )
            return ()
        if len(cases) == 1 and not cases[0].when:
            return (Outcome((), self._effects(cases[0])),)
        mistakes = len(self._problems.found)
        rows: list[tuple[_Case, coverage.Condition, tuple[Effect, ...]]] = []
        last: tuple[_Case, tuple[Effect, ...]] | None = None
        for position, case in enumerate(cases):
            effects = self._effects(case)
            if [node.value.strip() for node in case.when] == [_OTHERWISE]:
                if position != len(cases) - 1:
                    self._problems.at(
                        case.at, "`when: otherwise` is not the last outcome; move it to the end"
                    )
                last = (case, effects)
            else:
                rows.append((case, self._condition(case), effects))
        if len(self._problems.found) > mistakes:
            return ()
        found = [Outcome(condition, effects) for _, condition, effects in rows]
        return tuple(found + self._complete(entry, rows, last))

    def _complete(
        self,
        entry: _Entry,
        rows: Sequence[tuple[_Case, coverage.Condition, tuple[Effect, ...]]],
        last: tuple[_Case, tuple[Effect, ...]] | None,
    ) -> list[Outcome]:
        """The outcomes that `otherwise` stands for; notes gaps and overlaps."""
        conditions = [condition for _, condition, _ in rows]
        points = coverage.points(conditions, self._signature)
        if points is None:
            self._problems.at(entry.at, "too many conditions to check; use fewer terms")
            return []
        twice = coverage.doubled(conditions, points)
        if twice is not None:
            where = self._spelled(twice[2])
            message = f"this outcome and an earlier one both hold when {where}; make the conditions exclusive"
            self._problems.at(rows[twice[1]][0].at, message)
        if last is not None:
            rest = coverage.otherwise(conditions, points)
            if not rest:
                self._problems.at(last[0].at, "nothing is left for `otherwise`; remove it")
            return [Outcome(condition, last[1]) for condition in rest]
        gap = coverage.uncovered(conditions, points)
        if gap is not None:
            message = f"no outcome for {self._spelled(gap)}; add it, or `when: otherwise` as the last one"
            self._problems.at(entry.at, message)
        return []

    def _spelled(self, point: coverage.Point) -> str:
        from_term = [Atom(term, "==", value) for term, value in point.items()]
        return ", ".join(coverage.spelled(atom, self._signature) for atom in from_term) or "every call"

    def _condition(self, case: _Case) -> coverage.Condition:
        if not case.when:
            self._problems.at(
                case.at, "`when:` is empty; write a condition, or `otherwise` in the last outcome"
            )
        atoms: list[Atom] = []
        for node in case.when:
            try:
                atom = parse_condition(node.value, self._signature.names, self._constants)
                check_atom(atom, self._signature)
                atoms.append(atom)
            except LanguageError as problem:
                self._problems.at(node, problem.message, problem.offset)
        return tuple(atoms)

    def _effects(self, case: _Case) -> tuple[Effect, ...]:
        found: list[Effect] = []
        for node in case.then:
            try:
                effect = parse_effect(node.value, self._signature.names, tuple(self._kinds), self._constants)
                check_effect(effect, self._signature, self._kinds)
                found.append(effect)
            except LanguageError as problem:
                self._problems.at(node, problem.message, problem.offset)
        return tuple(found)
