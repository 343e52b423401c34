"""A rule file -> `Pack`, or every mistake in it at once.

Three steps: read the YAML shape, let the C parser read all declarations in one parse, then read terms,
conditions and effects, which need the parameter names and constants found by the second step.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from yaml.nodes import ScalarNode

from analyzer.contracts import coverage, document
from analyzer.contracts.document import Problems
from analyzer.contracts.meaning import check_atom, check_effect, with_element_offsets, with_offset
from analyzer.contracts.model import (
    NEVER_RELEASED,
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
from analyzer.contracts.shape import Case, Draft, Entry, Shape
from analyzer.contracts.syntax import LanguageError, constant_name, parse_condition, parse_effect
from analyzer.contracts.timing import with_timing
from analyzer.errors import ContractError
from analyzer.libclang.declarations import Declarations, Declared, Problem, parse_declarations

_PROBE = "mustfree_constant_"
_NAME = re.compile(r"[A-Za-z_]\w*")
_FACTOR = re.compile(r"\w+")
_OTHERWISE = "otherwise"
_BORROWS = (Outcome((), ()),)


def load_pack(
    path: Path,
    provenance: Provenance = Provenance.PACK,
    shown: str = "",
    contents: bytes | None = None,
    shared: Mapping[str, ResourceKind] | None = None,
) -> Pack:
    """The pack that a rule file describes. Raises ContractError with every problem in the file.

    shown: what messages call the file, its path by default. contents: stand for those on disk. shared: kinds of other
    packs that the file may name where it has none of that name itself.
    """
    shown = shown or path.as_posix()
    return parse_pack(document.read_text(path, shown, contents), shown, provenance, shared)


def parse_pack(
    text: str,
    shown: str,
    provenance: Provenance = Provenance.PACK,
    shared: Mapping[str, ResourceKind] | None = None,
) -> Pack:
    """The same for a text. `shown` names it in messages and sources."""
    problems = Problems(shown, text.split("\n"))
    draft = Shape(problems).read(document.compose(text, shown))
    declared = _Declared(draft, problems)
    functions = [
        _function(
            entry,
            declared.of(position, entry),
            declared.texts[position],
            declared,
            draft,
            problems,
            provenance,
            {**(shared or {}), **draft.kinds},
        )
        for position, entry in enumerate(draft.entries)
    ]
    described = with_timing([f for f in functions if f is not None], draft.timing, problems)
    if problems.found:
        raise ContractError(problems.lines())
    return Pack(
        library=draft.library,
        version=draft.version,
        path=shown,
        headers=tuple(draft.headers),
        kinds=draft.kinds,
        functions=tuple(described),
        declare=draft.declare,
        provenance=provenance,
        notes=draft.notes,
        ignores_null=tuple(sorted(draft.ignores_null)),
    )


class _Declared:
    """Second step: all C of the file in one parse."""

    def __init__(self, draft: Draft, problems: Problems) -> None:
        self._draft = draft
        self._problems = problems
        self._names = _constant_names(draft)
        lines = draft.declare.split("\n")
        self._first_entry = len(lines) + 1
        self.texts = [_one_line(entry) for entry in draft.entries]
        lines += [f"{text};" for text in self.texts]
        self._first_probe = len(lines) + 1
        lines += [f"enum {{ {_PROBE}{name} = (long long)({name}) }};" for name in self._names]
        nameless = sum(1 for entry in draft.entries if not entry.named)
        parsed = parse_declarations("\n".join(lines) + "\n", self._first_probe - nameless)
        unknown = self._report(parsed)
        self.constants = {
            name: parsed.constants[_PROBE + name]
            for name in self._names
            if name not in unknown and _PROBE + name in parsed.constants
        }
        self._by_line: dict[int, list[Declared]] = {}
        for function in parsed.functions:
            self._by_line.setdefault(function.line, []).append(function)
        self.members = parsed.members
        self.bad_lines = {problem.line for problem in parsed.problems}
        self._seen: dict[str, int] = {}

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
            else:
                self._report_declare(problem)
        return unknown

    def _report_declare(self, problem: Problem) -> None:
        """A mistake in `declare:`; its text is indented in the file when it is a block."""
        at = self._draft.declare_at
        if at is None:
            return
        line, column = at.start_mark.line + problem.line, problem.column
        if isinstance(at, ScalarNode) and at.style in ("|", ">"):
            line += 1
            source = self._problems.source[line - 1] if line <= len(self._problems.source) else ""
            column += len(source) - len(source.lstrip())
        self._problems.add(line, column, f"C: {problem.message}; correct `declare:`")

    def of(self, position: int, entry: Entry) -> Declared | None:
        """The one function that entry number `position` declares."""
        line = self._first_entry + position
        if entry.c is None or line in self.bad_lines:
            return None
        functions = self._by_line.get(line, [])
        if len(functions) != 1:
            self._problems.at(entry.c, "not the declaration of one function; write `type name(type parameter)`")
            return None
        function = functions[0]
        if not function.prototyped:
            self._problems.at(entry.c, f"`{function.name}()` has no prototype; write `(void)` or its parameters")
            return None
        before = self._seen.setdefault(function.name, entry.c.start_mark.line + 1)
        if before != entry.c.start_mark.line + 1:
            self._problems.at(entry.c, f"`{function.name}` is described in line {before} already; remove one")
            return None
        return function


def _one_line(entry: Entry) -> str:
    """The entry's C declaration without line breaks; "" when it has none that is usable."""
    return " ".join(entry.c.value.split()) if entry.c is not None else ""


def _constant_names(draft: Draft) -> list[str]:
    texts = (
        node.value
        for entry in draft.entries
        for case in entry.cases or ()
        for node in (*entry.returns, *case.when, *case.then)
    )
    return sorted({name for name in map(constant_name, texts) if name})


def _function(
    entry: Entry,
    function: Declared | None,
    text: str,
    declared: _Declared,
    draft: Draft,
    problems: Problems,
    provenance: Provenance,
    kinds: Mapping[str, ResourceKind],
) -> FunctionContract | None:
    """Third step for one function."""
    if function is None or entry.cases is None:
        return None
    signature = Signature(function.result, function.parameters, function.names, function.variadic)
    if entry.borrows:
        return FunctionContract(
            function.name,
            signature,
            NEVER_RELEASED if entry.static else _BORROWS,
            provenance,
            draft.library,
            f"{problems.file}:{entry.at.start_mark.line + 1}",
            declaration=text,
            pure=entry.pure,
        )
    cases = _Cases(signature, kinds, declared, problems)
    returns = cases.condition(entry.returns)
    outcomes = cases.outcomes(entry, returns)
    texts = entry.texts
    _check_bytes(entry, texts.get("bytes", ""), signature, problems)
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
        replaces=tuple(entry.replaces),
        scans=_scans(entry, signature, kinds, problems),
        returns=returns,
        declaration=text,
        noreturn=bool(outcomes)
        and all(any(e.kind is EffectKind.NORETURN for e in outcome.effects) for outcome in outcomes),
    )


def _check_bytes(entry: Entry, text: str, signature: Signature, problems: Problems) -> None:
    """A product of names must be one of parameters; words of their own have a space without a star."""
    factors = text.split(" * ")
    wrong = [one for one in factors if _NAME.fullmatch(one) and one not in signature.names]
    if wrong and all(map(_FACTOR.fullmatch, factors)):
        known = ", ".join(filter(None, signature.names)) or "none"
        message = f"`bytes:` names `{wrong[0]}`, which is no parameter; known here: {known}"
        problems.at(entry.at, f"{message}; or say it in several words")


def _scans(
    entry: Entry, signature: Signature, kinds: Mapping[str, ResourceKind], problems: Problems
) -> tuple[int, str] | None:
    """``scans: format heap``: the parameter with the format, and the kind of what it allocates."""
    if entry.scans is None:
        return None
    name, _, kind = entry.scans.value.partition(" ")
    if name not in signature.names or kind not in kinds or not signature.variadic:
        message = f"`{entry.scans.value}` must name the format's parameter and a kind, for a function with `...`"
        problems.at(entry.scans, f"{message}; write `scans: format heap`")
        return None
    return signature.names.index(name), kind


class _Cases:
    """Reads the outcomes of one function."""

    def __init__(
        self,
        signature: Signature,
        kinds: Mapping[str, ResourceKind],
        declared: _Declared,
        problems: Problems,
    ) -> None:
        self._signature = signature
        self._kinds = kinds
        self._constants = declared.constants
        self._members = declared.members
        self._problems = problems

    def outcomes(self, entry: Entry, returns: coverage.Condition) -> tuple[Outcome, ...]:
        """The outcomes of one function. returns: what every returned value meets."""
        cases = entry.cases or []
        if not cases:
            self._problems.at(entry.at, "`outcomes:` is empty; add an outcome, or list the function in `borrows:`")
            return ()
        if len(cases) == 1 and not cases[0].when:
            return (Outcome((), self._effects(cases[0])),)
        mistakes = len(self._problems.found)
        rows: list[tuple[Case, coverage.Condition, tuple[Effect, ...]]] = []
        last: tuple[Case, tuple[Effect, ...]] | None = None
        for position, case in enumerate(cases):
            effects = self._effects(case)
            if [node.value.strip() for node in case.when] == [_OTHERWISE]:
                if position != len(cases) - 1:
                    self._problems.at(case.at, "`when: otherwise` is not the last outcome; move it to the end")
                last = (case, effects)
            else:
                rows.append((case, self._condition(case), effects))
        if len(self._problems.found) > mistakes:
            return ()
        found = [Outcome(condition, effects) for _, condition, effects in rows]
        return tuple(found + self._complete(entry, rows, last, returns))

    def _complete(
        self,
        entry: Entry,
        rows: Sequence[tuple[Case, coverage.Condition, tuple[Effect, ...]]],
        last: tuple[Case, tuple[Effect, ...]] | None,
        returns: coverage.Condition,
    ) -> list[Outcome]:
        """The outcomes that `otherwise` stands for; notes gaps and overlaps."""
        found = coverage.study([condition for _, condition, _ in rows], returns, self._signature)
        if found.too_many:
            self._problems.at(entry.at, "too many conditions to check; use fewer terms")
        if found.twice is not None:
            where = self._spelled(found.twice[2])
            message = f"this outcome and an earlier one both hold when {where}; make the conditions exclusive"
            self._problems.at(rows[found.twice[1]][0].at, message)
        if last is not None:
            if not found.rest and not found.too_many:
                self._problems.at(last[0].at, "nothing is left for `otherwise`; remove it")
            return [Outcome(condition, last[1]) for condition in found.rest]
        if found.gap is not None:
            message = f"no outcome for {self._spelled(found.gap)}; add it, or `when: otherwise` as the last one"
            self._problems.at(entry.at, message)
        return []

    def _spelled(self, point: coverage.Point) -> str:
        from_term = [Atom(term, "==", value) for term, value in point.items()]
        return ", ".join(coverage.spelled(atom, self._signature) for atom in from_term) or "every call"

    def _condition(self, case: Case) -> coverage.Condition:
        if not case.when:
            self._problems.at(case.at, "`when:` is empty; write a condition, or `otherwise` in the last outcome")
        return self.condition(case.when)

    def condition(self, nodes: Sequence[ScalarNode]) -> coverage.Condition:
        """All conditions of a list."""
        atoms: list[Atom] = []
        for node in nodes:
            try:
                atom = parse_condition(node.value, self._signature.names, self._constants)
                atom = replace(atom, term=with_offset(atom.term, self._signature, self._members))
                check_atom(atom, self._signature)
                atoms.append(atom)
            except LanguageError as problem:
                self._problems.at(node, problem.message, problem.offset)
        return tuple(atoms)

    def _effects(self, case: Case) -> tuple[Effect, ...]:
        found: list[Effect] = []
        for node in case.then:
            try:
                effect = parse_effect(node.value, self._signature.names, tuple(self._kinds), self._constants)
                effect = with_element_offsets(effect, self._signature, self._members)
                check_effect(effect, self._signature, self._kinds)
                found.append(effect)
            except LanguageError as problem:
                self._problems.at(node, problem.message, problem.offset)
        return tuple(found)
