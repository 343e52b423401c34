"""The IR as text, for people and for tests; `parse_function(print_function(f)) == f`.

Example::

    function serve "a.c:serve" static
      file "src/a.c" 10..180
      type 'void *' = pointer 64 of 'void' void
      type 'unsigned char *' = pointer 64 of 'unsigned char' int
      result 'int'
      param sk : 'void *' @20
      local buf : 'unsigned char *' @40
      macro 60 NLMSG_DATA
    bb0:
      declare buf @40
      init buf = 0 : 'unsigned char *' @40
      %1 = &buf @60
      %2 = call nl_recv(%0 : 'void *', %1 : 'void *') : 'int' @60
      %3 = %2 > 0 @70
      branch %3 ? bb1 : bb2 @70

Types are named by their spelling and explained once in the head; a second type of the same spelling is
``'spelling'#2``. A local is named by its name, or ``name#index`` where that is not unique. Names that are no
C identifier are quoted like JSON strings. Each line ends with the offset of what it comes from.
`analyzer.ir.reader` reads the text.
"""

from __future__ import annotations

import json
import re
from typing import assert_never

from analyzer.ir.function import Function, FunctionDeclaration, GlobalVariable, TranslationUnit, Variable
from analyzer.ir.operands import (
    Base,
    DerefBase,
    Field,
    FunctionAddress,
    GlobalBase,
    Index,
    Int,
    LocalBase,
    Operand,
    Place,
    Selector,
    Str,
    Temp,
    Unknown,
)
from analyzer.ir.ops import (
    AddressOf,
    Binary,
    Branch,
    Call,
    Clobber,
    Convert,
    CopyRecord,
    DeclareLocal,
    EndExpression,
    Goto,
    Jump,
    Load,
    Op,
    Return,
    ScopeEnd,
    Stop,
    Store,
    Switch,
    Terminator,
    Unary,
    Zero,
)
from analyzer.ir.reader import parse_function
from analyzer.ir.types import INT, UNKNOWN, VOID, CType, TypeKind

__all__ = ["Printer", "parse_function", "print_function", "print_unit"]

IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*\Z")
KNOWN_TYPES = (VOID, INT, UNKNOWN)


def print_function(function: Function) -> str:
    """The text of `function`, ending in a line feed."""
    printer = Printer(function)
    # Printing names the types, so the legend is made last.
    locals_ = [_local(printer, index, item) for index, item in enumerate(function.locals)]
    body: list[str] = []
    for number, block in enumerate(function.blocks):
        body.append(f"bb{number}:")
        body.extend(f"  {printer.op(op)} @{op.at}" for op in block.ops)
        body.append(f"  {printer.terminator(block.end)} @{block.end.at}")
    return "\n".join([*_head(function, printer), *locals_, *_notes(function), *body]) + "\n"


def print_unit(unit: TranslationUnit) -> str:
    """All that a translation unit holds. For people; there is no parser for the parts around functions."""
    lines = [f"unit {_quote(unit.path)}"]
    lines.extend(f"  missing header {name}" for name in unit.missing_headers)
    lines.extend(
        f"  {item.severity} {item.file}:{item.line}:{item.column}: {item.message}" for item in unit.diagnostics
    )
    lines.extend(f"  skipped {item.what} at {item.file}:{item.at}: {item.reason}" for item in unit.skipped)
    lines.extend(_declaration(unit.declarations[name]) for name in sorted(unit.declarations))
    lines.extend(_global(unit.globals[name]) for name in sorted(unit.globals))
    return "\n".join(lines) + "\n" + "".join("\n" + print_function(item) for item in unit.functions)


class Printer:
    """Prints parts of one function; remembers which types it has named."""

    def __init__(self, function: Function) -> None:
        self._locals = _local_names(function.locals)
        self.types: dict[CType, str] = {known: _type_quote(known.spelling) for known in KNOWN_TYPES}

    def local(self, index: int) -> str:
        """The name of a local; ``#index`` for one that does not exist."""
        return self._locals[index] if 0 <= index < len(self._locals) else f"#{index}"

    def type(self, of: CType) -> str:
        """The type's quoted spelling, numbered if another type of this function is spelled the same."""
        name = self.types.get(of)
        if name is None:
            quoted = _type_quote(of.spelling)
            same = sum(1 for known in self.types if known.spelling == of.spelling)
            name = f"{quoted}#{same + 1}" if same else quoted
            self.types[of] = name
        return name

    def operand(self, operand: Operand) -> str:
        """An operand, as its class says."""
        match operand:
            case Temp():
                return f"%{operand.id}"
            case Int():
                return str(operand.value)
            case Str():
                return _quote(operand.text)
            case FunctionAddress():
                return f"&{_name(operand.name)}()"
            case Unknown():
                return "?"
            case _:
                assert_never(operand)

    def place(self, place: Place) -> str:
        """A place: base and selectors."""
        return self._base(place.base) + "".join(map(self._selector, place.selectors))

    def _base(self, base: Base) -> str:
        match base:
            case LocalBase():
                return self.local(base.index)
            case GlobalBase():
                return f"@{_name(base.name)}"
            case DerefBase():
                return f"*({self.operand(base.pointer)})"
            case _:
                assert_never(base)

    def _selector(self, selector: Selector) -> str:
        match selector:
            case Field():
                return f".{_name(selector.name)}@{selector.offset}"
            case Index():
                elements = f" of {selector.elements}" if selector.elements else ""
                return f"[{self.operand(selector.index)} x {selector.element_bits}{elements}]"
            case _:
                assert_never(selector)

    def op(self, op: Op) -> str:
        """An operation without its offset."""
        match op:
            case Load():
                return f"%{op.result.id} = load {self.place(op.place)} : {self.type(op.type)}"
            case Store():
                word = "init" if op.initialises else "store"
                return f"{word} {self.place(op.place)} = {self.operand(op.value)} : {self.type(op.type)}"
            case AddressOf():
                return f"%{op.result.id} = &{self.place(op.place)}"
            case Unary():
                return f"%{op.result.id} = {op.operator} {self.operand(op.operand)}"
            case Binary():
                return self._binary(op)
            case Convert():
                return f"%{op.result.id} = convert {self.operand(op.operand)} : {self.type(op.type)}"
            case Call():
                return self._call(op)
            case _:
                return self._memory(op)

    def _memory(self, op: CopyRecord | Zero | Clobber | DeclareLocal | ScopeEnd | EndExpression) -> str:
        match op:
            case CopyRecord():
                text = f"copy {self.place(op.target)} = {self.place(op.source)} bits {op.bits}"
                return f"{text} part" if op.part else text
            case Zero():
                return f"zero {self.place(op.place)} bits {op.bits}{' part' if op.part else ''}"
            case Clobber():
                return f"clobber {self.place(op.place)}"
            case DeclareLocal():
                return f"declare {self.local(op.local)}"
            case ScopeEnd():
                return " ".join(["scope-end", ", ".join(map(self.local, op.locals))]).rstrip()
            case EndExpression():
                return "end-expression"
            case _:
                assert_never(op)

    def _binary(self, op: Binary) -> str:
        text = f"%{op.result.id} = {self.operand(op.left)} {op.operator} {self.operand(op.right)}"
        if op.pointer:
            text += " pointer"
        return f"{text} scale {op.scale_bits}" if op.scale_bits else text

    def _call(self, op: Call) -> str:
        callee = "" if op.name is None else _name(op.name)
        if op.target is not None:
            callee = f"({self.operand(op.target)})"
        arguments = [self.operand(argument) for argument in op.arguments]
        for position, of in enumerate(op.argument_types):
            arguments[position] += f" : {self.type(of)}"
        result = "" if op.result is None else f"%{op.result.id} = "
        word = "implicit-call" if op.implicit else "call"
        into = "" if op.record_result is None else f" into {self.place(op.record_result)}"
        return f"{result}{word} {callee}({', '.join(arguments)}) : {self.type(op.result_type)}{into}"

    def terminator(self, end: Terminator) -> str:
        """A terminator without its offset."""
        match end:
            case Goto():
                return f"goto bb{end.target}"
            case Branch():
                word = "choose" if end.choice else "branch"
                return f"{word} {self.operand(end.condition)} ? bb{end.if_true} : bb{end.if_false}"
            case Switch():
                cases = [
                    f"{case.low} -> bb{case.target}"
                    if case.low == case.high
                    else f"{case.low}..{case.high} -> bb{case.target}"
                    for case in end.cases
                ]
                return f"switch {self.operand(end.value)} {{{', '.join(cases)}}} else bb{end.default}"
            case Jump():
                return " ".join(["jump", ", ".join(f"bb{target}" for target in end.targets)]).rstrip()
            case Return():
                value = "" if end.value is None else f" {self.operand(end.value)}"
                record = "" if end.record is None else f" record {self.place(end.record)}"
                return f"return{value}{record}"
            case Stop():
                return f"stop {_quote(end.reason)}"
            case _:
                assert_never(end)


def _head(function: Function, printer: Printer) -> list[str]:
    title = ["function", _name(function.name)]
    if function.linkage_name != function.name:
        title.append(_quote(function.linkage_name))
    marks = {"static": function.static, "variadic": function.variadic, "noreturn": function.noreturn}
    title.extend(mark for mark, given in marks.items() if given)
    result = printer.type(function.result)
    return [
        " ".join(title),
        f"  file {_quote(function.file)} {function.at}..{function.end}",
        *(_legend(of, name) for of, name in printer.types.items() if of not in KNOWN_TYPES),
        f"  result {result}",
    ]


def _notes(function: Function) -> list[str]:
    return [
        *(f"  macro {at} {_name(function.macros[at])}" for at in sorted(function.macros)),
        *(f"  degraded {_quote(reason)}" for reason in function.degraded),
    ]


def _local(printer: Printer, index: int, item: Variable) -> str:
    word, shown = "param" if item.parameter else "local", printer.local(index)
    plain = shown.rpartition("#")[0] or shown
    real = "" if plain == item.name else f" = {_quote(item.name)}"
    cleanup = f" cleanup {_name(item.cleanup)}" if item.cleanup else ""
    return f"  {word} {shown}{real} : {printer.type(item.type)}{cleanup} @{item.at}"


def _legend(of: CType, name: str) -> str:
    text = f"  type {name} = {of.kind.value} {of.bits}"
    if of.signed:
        text += " signed"
    if of.pointee or of.pointee_kind is not TypeKind.UNKNOWN or of.pointee_const:
        const = " const" if of.pointee_const else ""
        text += f" of {_type_quote(of.pointee)} {of.pointee_kind.value}{const}"
    return text


def _local_names(variables: tuple[Variable, ...]) -> list[str]:
    """A name for each local that no other local of the function has."""
    count: dict[str, int] = {}
    for item in variables:
        count[item.name] = count.get(item.name, 0) + 1
    names = []
    for index, item in enumerate(variables):
        good = IDENTIFIER.match(item.name) is not None
        unique = good and count[item.name] == 1
        names.append(item.name if unique else f"{item.name if good else ''}#{index}")
    return names


def _declaration(item: FunctionDeclaration) -> str:
    """One line; prototype first, then what is known beyond it."""
    shown = []
    for position, of in enumerate(item.parameters):
        name = item.parameter_names[position] if position < len(item.parameter_names) else ""
        shown.append(f"{of.spelling} {name}".rstrip())
    if item.variadic:
        shown.append("...")
    marks = ["implicit", "defined", "static", "noreturn", "system"]
    extra = [mark for mark in marks if getattr(item, mark)] + list(item.attributes)
    if not item.prototyped:
        extra.append("no prototype")
    where = f"  ; {item.file}" if item.file else ""
    return f"  declare {item.name}({', '.join(shown)}) : {item.result.spelling} {' '.join(extra)}".rstrip() + where


def _global(item: GlobalVariable) -> str:
    printer = Printer(Function("", "", "", 0, 0, VOID, 0, (), ()))
    constant = (" constant" if item.constant else "") + (" zeroed" if item.zeroed else "")
    cells = [f"{at}: {printer.operand(item.initial[at])}" for at in sorted(item.initial)]
    initial = f" = {{{', '.join(cells)}}}" if cells else ""
    return f"  global @{_name(item.name)} : {item.type.spelling}{constant}{initial}"


def _name(name: str) -> str:
    return name if IDENTIFIER.match(name) else _quote(name)


def _quote(text: str) -> str:
    """A JSON string in ASCII: any text, undecodable bytes (surrogates) included, in one line."""
    return json.dumps(text)


def _type_quote(spelling: str) -> str:
    inner = json.dumps(spelling)[1:-1].replace('\\"', '"').replace("'", "\\u0027")
    return f"'{inner}'"
