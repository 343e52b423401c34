"""How to write the call that releases what a finding says is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, final

from analyzer.contracts import ContractTable
from analyzer.findings.model import Finding
from analyzer.fixes.changes import Line
from analyzer.fixes.syntax import FunctionText, Kind, Statement

_PLACE: Final = re.compile(r"\**[A-Za-z_]\w*(?:(?:->|\.)[A-Za-z_]\w*|\[\w+\])*")
_NAME: Final = re.compile(r"[A-Za-z_]\w*")


@final
@dataclass(frozen=True, slots=True)
class Release:
    """A call that releases a resource.

    place: the lvalue that holds it. calls: statements without semicolon, usually one. function: what they call.
    nothing: how the program says that there is none, "NULL" or "-1". null_is_fine: no test is needed before it.
    const_is_fine: no compiler minds that the place points to what is const: there is a cast, or the function has the
        same call elsewhere.
    """

    place: str
    calls: tuple[str, ...]
    function: str
    nothing: str = "NULL"
    null_is_fine: bool = False
    const_is_fine: bool = False

    @property
    def name(self) -> str:
        """The variable that the place belongs to."""
        match = _NAME.search(self.place)
        return match.group() if match else ""

    @property
    def is_variable(self) -> bool:
        """Whether the place is a variable, and not behind or in one."""
        return self.place == self.name

    @property
    def is_number(self) -> bool:
        """Whether it is a descriptor."""
        return self.nothing != "NULL"

    @property
    def present(self) -> str:
        """The condition that there is something to release."""
        return f"{self.place} >= 0" if self.is_number else self.place

    @property
    def absent(self) -> str:
        """The opposite."""
        return f"{self.place} < 0" if self.is_number else f"!{self.place}"

    def lines(self, guarded: bool = False) -> tuple[Line, ...]:
        """The statements."""
        return tuple(Line(f"{call};", self.present if guarded else "") for call in self.calls)


def releases(finding: Finding, function: FunctionText, table: ContractTable) -> tuple[Release, ...]:
    """The ways to write it, the likeliest first; none where the place cannot be written down."""
    name, place = finding.remedy, finding.resource
    if not name or not _PLACE.fullmatch(place):
        return ()
    fine = table.ignores_null(name)
    nothing = nothing_of(name, table)
    written = _written(function, name, place)
    if written:
        return (Release(place, (written,), name, nothing, fine or f"&{place}" in written, True),)
    if _arity(name, table) != 1:
        return ()
    if _both_ends(finding, function, nothing):
        calls = (f"{name}({place}[0])", f"{name}({place}[1])")
        return (Release(place, calls, name, nothing, fine),)
    cast = "" if _takes_const(name, table) else _cast(function, place)
    plain = Release(place, (f"{name}({cast}{place})",), name, nothing, fine, bool(cast))
    inside = Release(place, (f"{name}(&{place})",), name, nothing, True)
    if finding.slot.startswith("*") and not place.startswith("*") and not plain.is_number:
        return (plain, inside)
    return (plain,)


def _takes_const(name: str, table: ContractTable) -> bool:
    known = table.all_named(name)
    return bool(known) and known[0].signature.parameters[0].pointee_const


def _cast(function: FunctionText, place: str) -> str:
    """``(char *)`` for a variable that is declared as ``const char *``, "" for others."""
    for index, token in enumerate(function.tokens):
        if token.text == place and index > 1 and function.tokens[index - 1].text in ("*", "const"):
            words = _type_before(function, index)
            stars = words.count("*")
            type_ = [word for word in words if word not in ("*", "const", "static", "register")]
            if stars == 1 and "const" in words[: words.index("*")] and all(map(_NAME.fullmatch, type_)) and type_:
                return f"({' '.join(type_)} *)"
    return ""


def _type_before(function: FunctionText, index: int) -> list[str]:
    """The words of a declaration before the name at a token: also before the second one of several."""
    stars: list[str] = []
    while function.tokens[index - 1].text in ("*", "const"):
        index -= 1
        stars.insert(0, function.tokens[index].text)
    ends = (";", "{", "}", "(", ")", *((",",) if index < len(function.signature()) else ()))
    first = index
    while first and function.tokens[first - 1].text not in ends:
        first -= 1
    words = [token.text for token in function.tokens[first:index]]
    type_ = list(takewhile(lambda word: word != "*" and word not in ("=", ",", "["), words))
    if "," in words[len(type_) :] and type_:  # `const char *a, *b`: the name of the first one is no word of the type
        type_ = type_[:-1] if "*" not in words else type_
    return [*type_, *stars]


def _arity(name: str, table: ContractTable) -> int:
    """How many arguments it takes; one for a function of the program, which is proposed only then."""
    known = table.all_named(name)
    return len(known[0].signature.parameters) if known else 1


def _written(function: FunctionText, name: str, place: str) -> str:
    """The call as the function has it elsewhere, with all its arguments."""
    for index in function.calls(0, len(function.tokens) - 1):
        if function.tokens[index].text == name:
            arguments = function.arguments(index)
            if any(_bare(function.text(*argument)) == place for argument in arguments):
                return function.text(index, function.closing(index + 1))
    return ""


def _bare(argument: str) -> str:
    """``&x`` and ``(void *)x`` as ``x``."""
    return re.sub(r"^(?:\([\w\s*]+\)|&|\s)+", "", argument)


def nothing_of(name: str, table: ContractTable) -> str:
    """How one says that there is no such resource: what the function usually releases is a number, or a pointer."""
    usual = [kind for kind in table.kinds.values() if kind.releases[:1] == (name,)]
    return str(usual[0].failure[0]) if usual and all(kind.integer for kind in usual) else "NULL"


def _both_ends(finding: Finding, function: FunctionText, nothing: str) -> bool:
    """Whether the place is an array of two descriptors, as pipe() fills it."""
    if nothing == "NULL" or not _NAME.fullmatch(finding.resource):
        return False
    return any(
        token.text == finding.resource and [t.text for t in function.tokens[i + 1 : i + 4]] == ["[", "2", "]"]
        for i, token in enumerate(function.tokens)
    )


def release_statements(function: FunctionText, release: Release) -> Iterator[Statement]:
    """The statements that do nothing but release the resource."""
    for statement in function.statements():
        if statement.kind is Kind.SIMPLE and function.text(statement.first, statement.last - 1) in release.calls:
            yield statement


def releases_in(function: FunctionText, statements: Sequence[Statement], release: Release) -> bool:
    """Whether one of the statements holds the call."""
    texts = (function.text(one.first, one.last) for one in statements)
    return any(call in text for text in texts for call in release.calls)


def is_tested(function: FunctionText, statement: Statement, place: str, *, number: bool = False) -> bool:
    """Whether a condition around a statement looks whether a place holds anything. number: a descriptor."""
    name = re.escape(place)
    wanted = rf"{name} >= 0|{name} != -1" if number else rf"[(&]\s*{name}\s*(?:[)&]|!= NULL)"
    conditions = (function.text(one.first, one.head) for one in statement.ancestors() if one.kind is Kind.IF)
    return any(re.search(wanted, text) for text in conditions)
