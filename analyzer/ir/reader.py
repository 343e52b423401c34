"""Reads the text form of a function (see text.py for what it looks like).

Made for tests written by hand too: ``;`` begins a comment, an offset left out is the number of the line, and
the lines ``file`` and ``result`` may be missing (then the file is "test.c", the result 'int').
"""

from __future__ import annotations

import json
import re
from dataclasses import replace

from analyzer.errors import IrError
from analyzer.ir.function import BasicBlock, Function, Variable
from analyzer.ir.operands import (
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
    Case,
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
from analyzer.ir.types import INT, UNKNOWN, VOID, CType, TypeKind

UNARY_OPERATORS = ("-", "~", "!")
BINARY_OPERATORS = ("+", "-", "*", "/", "%", "<<", ">>", "&", "|", "^", "==", "!=", "<", "<=", ">", ">=")

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>"(?:[^"\\]|\\.)*") | (?P<type>'(?:[^'\\]|\\.)*'(?:\#\d+)?)
    | (?P<temp>%\d+) | (?P<block>bb\d+(?![\w$\#])) | (?P<number>-?\d+)
    | (?P<word>(?:scope-end|end-expression|implicit-call)(?![\w$]) | [A-Za-z_$][\w$]*(?:\#\d+)? | \#\d+)
    | (?P<sign>\.\.|->|<<|>>|[=!<>]=|[-+*/%&|^~!<>=()\[\]{}?:,.@]) | (?P<comment>;.*)
    )""",
    re.VERBOSE | re.ASCII,
)


def parse_function(text: str) -> Function:
    """The function that `text` prints.

    Raises IrError, with the line's number, for text that is not exactly one function.
    """
    reader = _Reader()
    for number, line in enumerate(text.splitlines(), 1):
        tokens = _Tokens(line, number)
        if not tokens.at_end():
            reader.line(tokens)
            tokens.finish()
    return reader.function()


class _Tokens:
    """The tokens of one line, read from left to right."""

    def __init__(self, line: str, number: int) -> None:
        self.number = number
        self._tokens: list[tuple[str, str]] = []
        self._next = 0
        position, line = 0, line.rstrip()
        while position < len(line):
            found = _TOKEN.match(line, position)
            if found is None or found.lastgroup is None:
                raise self.error(f"cannot read {line[position:].strip()!r}")
            if found.lastgroup != "comment":
                self._tokens.append((found.lastgroup, found.group(found.lastgroup)))
            position = found.end()

    def error(self, message: str) -> IrError:
        return IrError(f"line {self.number}: {message}")

    def at_end(self) -> bool:
        return self._next >= len(self._tokens)

    def peek(self, ahead: int = 0) -> tuple[str, str]:
        place = self._next + ahead
        return self._tokens[place] if place < len(self._tokens) else ("end", "end of line")

    def take(self, group: str) -> str:
        found, text = self.peek()
        if found != group:
            raise self.error(f"expected a {group}, found {text}")
        self._next += 1
        return text

    def accept(self, text: str) -> bool:
        """Whether the next token is this sign or word; if so, it is read."""
        group, found = self.peek()
        if found != text or group in ("string", "type"):
            return False
        self._next += 1
        return True

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise self.error(f"expected {text}, found {self.peek()[1]}")

    def integer(self) -> int:
        return int(self.take("number"))

    def string(self) -> str:
        text = self.take("string")
        try:
            return str(json.loads(text))
        except ValueError as problem:
            raise self.error(f"bad string {text}") from problem

    def name(self) -> str:
        """A name, quoted or not; ``bb1`` and the like are names too."""
        group, _ = self.peek()
        if group == "string":
            return self.string()
        return self.take("block" if group == "block" else "word")

    def block(self) -> int:
        return int(self.take("block")[2:])

    def offset(self) -> int:
        """``@123`` at the end of a line; the line's number when it is left out."""
        return self.integer() if self.accept("@") else self.number

    def finish(self) -> None:
        if not self.at_end():
            raise self.error(f"unexpected {self.peek()[1]}")


class _Reader:
    """Builds a function from its lines."""

    def __init__(self) -> None:
        self._head: Function | None = None
        self._locals: list[Variable] = []
        self._local_index: dict[str, int] = {}
        self._types = {(known.spelling, ""): known for known in (VOID, INT, UNKNOWN)}
        self._macros: dict[int, str] = {}
        self._degraded: list[str] = []
        self._blocks: list[BasicBlock] = []
        self._ops: list[Op] | None = None
        self._last = 0

    def line(self, tokens: _Tokens) -> None:
        """Take in one line that is not empty."""
        self._last = tokens.number
        group, text = tokens.peek()
        if self._head is None:
            self._title(tokens)
        elif group == "block" and tokens.peek(1)[1] == ":":
            self._label(tokens)
        elif self._ops is not None:
            self._instruction(tokens)
        elif self._blocks:
            raise tokens.error("expected a block's label")
        else:
            self._declaration(tokens, text)

    def function(self) -> Function:
        """The whole function; raises IrError when something is missing."""
        if self._head is None:
            raise IrError(f"line {self._last}: no function")
        if self._ops is not None or not self._blocks:
            raise IrError(f"line {self._last}: the last block has no terminator")
        head = self._head
        return replace(
            head,
            end=self._last if head.end < 0 else head.end,
            parameters=sum(1 for item in self._locals if item.parameter),
            locals=tuple(self._locals),
            blocks=tuple(self._blocks),
            macros=self._macros,
            degraded=tuple(self._degraded),
        )

    def _title(self, tokens: _Tokens) -> None:
        tokens.expect("function")
        name = tokens.name()
        linkage = tokens.string() if tokens.peek()[0] == "string" else name
        static, variadic, noreturn = map(tokens.accept, ("static", "variadic", "noreturn"))
        self._head = Function(
            name,
            linkage,
            "test.c",
            0,
            -1,
            INT,
            0,
            (),
            (),
            static=static,
            variadic=variadic,
            noreturn=noreturn,
        )

    def _declaration(self, tokens: _Tokens, word: str) -> None:
        assert self._head is not None
        tokens.take("word")
        match word:
            case "file":
                file, at = tokens.string(), tokens.integer()
                tokens.expect("..")
                self._head = replace(self._head, file=file, at=at, end=tokens.integer())
            case "result":
                self._head = replace(self._head, result=self._type(tokens))
            case "type":
                self._legend(tokens)
            case "param" | "local":
                self._local(tokens, parameter=word == "param")
            case "macro":
                at = tokens.integer()
                self._macros[at] = tokens.name()
            case "degraded":
                self._degraded.append(tokens.string())
            case _:
                raise tokens.error(f"unknown word {word}")

    def _local(self, tokens: _Tokens, parameter: bool) -> None:
        shown = tokens.name()
        plain, mark, index = shown.rpartition("#")
        name = plain if mark else shown
        if mark and int(index) != len(self._locals):
            raise tokens.error(f"{shown} is local number {len(self._locals)}")
        if tokens.accept("="):
            name = tokens.string()
        tokens.expect(":")
        of = self._type(tokens)
        cleanup = tokens.name() if tokens.accept("cleanup") else ""
        if shown in self._local_index:
            raise tokens.error(f"{shown} is declared twice")
        self._local_index[shown] = len(self._locals)
        self._locals.append(Variable(name, of, tokens.offset(), cleanup, parameter))

    def _legend(self, tokens: _Tokens) -> None:
        key = spelling, _ = _type_key(tokens)
        tokens.expect("=")
        kind = self._kind(tokens)
        bits = tokens.integer()
        signed = tokens.accept("signed")
        pointee, pointee_kind, const = "", TypeKind.UNKNOWN, False
        if tokens.accept("of"):
            pointee, _ = _type_key(tokens)
            pointee_kind = self._kind(tokens)
            const = tokens.accept("const")
        self._types[key] = CType(kind, spelling, bits, signed, pointee, pointee_kind, const)

    def _kind(self, tokens: _Tokens) -> TypeKind:
        word = tokens.take("word")
        try:
            return TypeKind(word)
        except ValueError as problem:
            raise tokens.error(f"unknown kind of type {word}") from problem

    def _type(self, tokens: _Tokens) -> CType:
        key = _type_key(tokens)
        if key not in self._types:
            raise tokens.error(f"type '{key[0]}'{key[1]} has no line that explains it")
        return self._types[key]

    def _label(self, tokens: _Tokens) -> None:
        number = tokens.block()
        tokens.expect(":")
        if self._ops is not None:
            raise tokens.error("the block before has no terminator")
        if number != len(self._blocks):
            raise tokens.error(f"expected bb{len(self._blocks)}")
        self._ops = []

    def _instruction(self, tokens: _Tokens) -> None:
        assert self._ops is not None
        if tokens.peek()[0] == "temp":
            result = Temp(int(tokens.take("temp")[1:]))
            tokens.expect("=")
            self._ops.append(self._value(tokens, result))
            return
        group, word = tokens.peek()
        if group == "word" and word in ("goto", "branch", "choose", "switch", "jump", "return", "stop"):
            tokens.take("word")
            self._blocks.append(BasicBlock(tuple(self._ops), self._terminator(tokens, word)))
            self._ops = None
        else:
            self._ops.append(self._effect(tokens, tokens.take("word")))

    def _value(self, tokens: _Tokens, result: Temp) -> Op:
        """What stands right of ``%n =``."""
        if tokens.accept("load"):
            place = self._place(tokens)
            tokens.expect(":")
            of = self._type(tokens)
            return Load(tokens.offset(), result, place, of)
        if tokens.accept("convert"):
            operand = self._operand(tokens)
            tokens.expect(":")
            of = self._type(tokens)
            return Convert(tokens.offset(), result, operand, of)
        for word in ("call", "implicit-call"):
            if tokens.accept(word):
                return self._call(tokens, result, word != "call")
        if tokens.peek()[1] == "&" and not self._is_function_address(tokens):
            tokens.expect("&")
            place = self._place(tokens)
            return AddressOf(tokens.offset(), result, place)
        for operator in UNARY_OPERATORS:
            if tokens.accept(operator):
                operand = self._operand(tokens)
                return Unary(tokens.offset(), result, operator, operand)
        return self._binary(tokens, result)

    def _is_function_address(self, tokens: _Tokens) -> bool:
        return tokens.peek(1)[0] in ("word", "string", "block") and tokens.peek(2)[1] == "("

    def _binary(self, tokens: _Tokens, result: Temp) -> Binary:
        left = self._operand(tokens)
        operator = tokens.take("sign")
        if operator not in BINARY_OPERATORS:
            raise tokens.error(f"unknown operator {operator}")
        right = self._operand(tokens)
        pointer = tokens.accept("pointer")
        scale = tokens.integer() if tokens.accept("scale") else 0
        return Binary(tokens.offset(), result, operator, left, right, scale, pointer)

    def _call(self, tokens: _Tokens, result: Temp | None, implicit: bool) -> Call:
        name: str | None = None
        target: Operand | None = None
        if tokens.accept("("):
            target = self._operand(tokens)
            tokens.expect(")")
        else:
            name = tokens.name()
        tokens.expect("(")
        arguments: list[Operand] = []
        types: list[CType] = []
        while not tokens.accept(")"):
            if arguments:
                tokens.expect(",")
            arguments.append(self._operand(tokens))
            tokens.expect(":")
            types.append(self._type(tokens))
        tokens.expect(":")
        of = self._type(tokens)
        into = self._place(tokens) if tokens.accept("into") else None
        at = tokens.offset()
        return Call(at, result, name, target, tuple(arguments), tuple(types), of, into, implicit)

    def _effect(self, tokens: _Tokens, word: str) -> Op:
        """An operation without result; `word` has been read."""
        match word:
            case "call" | "implicit-call":
                return self._call(tokens, None, word != "call")
            case "store" | "init":
                place = self._place(tokens)
                tokens.expect("=")
                value = self._operand(tokens)
                tokens.expect(":")
                of = self._type(tokens)
                return Store(tokens.offset(), place, value, of, initialises=word == "init")
            case "copy":
                target = self._place(tokens)
                tokens.expect("=")
                source, bits = self._place(tokens), self._bits(tokens)
                part = tokens.accept("part")
                return CopyRecord(tokens.offset(), target, source, bits, part)
            case "zero":
                place, bits = self._place(tokens), self._bits(tokens)
                part = tokens.accept("part")
                return Zero(tokens.offset(), place, bits, part)
            case "clobber":
                place = self._place(tokens)
                return Clobber(tokens.offset(), place)
            case "declare":
                local = self._local_number(tokens)
                return DeclareLocal(tokens.offset(), local)
            case "scope-end":
                return self._scope_end(tokens)
            case "end-expression":
                return EndExpression(tokens.offset())
            case _:
                raise tokens.error(f"unknown operation {word}")

    def _scope_end(self, tokens: _Tokens) -> ScopeEnd:
        found: list[int] = []
        while not tokens.at_end() and tokens.peek()[1] != "@":
            if found:
                tokens.expect(",")
            found.append(self._local_number(tokens))
        return ScopeEnd(tokens.offset(), tuple(found))

    def _bits(self, tokens: _Tokens) -> int:
        tokens.expect("bits")
        return tokens.integer()

    def _terminator(self, tokens: _Tokens, word: str) -> Terminator:
        match word:
            case "goto":
                target = tokens.block()
                return Goto(tokens.offset(), target)
            case "branch" | "choose":
                condition = self._operand(tokens)
                tokens.expect("?")
                if_true = tokens.block()
                tokens.expect(":")
                if_false = tokens.block()
                return Branch(tokens.offset(), condition, if_true, if_false, choice=word == "choose")
            case "switch":
                return self._switch(tokens)
            case "jump":
                targets: list[int] = []
                while not tokens.at_end() and tokens.peek()[1] != "@":
                    if targets:
                        tokens.expect(",")
                    targets.append(tokens.block())
                return Jump(tokens.offset(), tuple(targets))
            case "return":
                plain = tokens.at_end() or tokens.peek()[1] in ("@", "record")
                value = None if plain else self._operand(tokens)
                record = self._place(tokens) if tokens.accept("record") else None
                return Return(tokens.offset(), value, record)
            case _:
                reason = tokens.string()
                return Stop(tokens.offset(), reason)

    def _switch(self, tokens: _Tokens) -> Switch:
        value = self._operand(tokens)
        tokens.expect("{")
        cases: list[Case] = []
        while not tokens.accept("}"):
            if cases:
                tokens.expect(",")
            low = tokens.integer()
            high = tokens.integer() if tokens.accept("..") else low
            tokens.expect("->")
            cases.append(Case(low, high, tokens.block()))
        tokens.expect("else")
        default = tokens.block()
        return Switch(tokens.offset(), value, tuple(cases), default)

    def _operand(self, tokens: _Tokens) -> Operand:
        group, text = tokens.peek()
        if group == "temp":
            return Temp(int(tokens.take("temp")[1:]))
        if group == "number":
            return Int(tokens.integer())
        if group == "string":
            return Str(tokens.string())
        if tokens.accept("?"):
            return Unknown()
        if tokens.accept("&"):
            name = tokens.name()
            tokens.expect("(")
            tokens.expect(")")
            return FunctionAddress(name)
        raise tokens.error(f"expected an operand, found {text}")

    def _place(self, tokens: _Tokens) -> Place:
        base: LocalBase | GlobalBase | DerefBase
        if tokens.accept("@"):
            base = GlobalBase(tokens.name())
        elif tokens.accept("*"):
            tokens.expect("(")
            base = DerefBase(self._operand(tokens))
            tokens.expect(")")
        else:
            base = LocalBase(self._local_number(tokens))
        selectors: list[Selector] = []
        while True:
            if tokens.accept("."):
                name = tokens.name()
                tokens.expect("@")
                selectors.append(Field(name, tokens.integer()))
            elif tokens.accept("["):
                index = self._operand(tokens)
                tokens.expect("x")
                bits = tokens.integer()
                selectors.append(Index(index, bits, tokens.integer() if tokens.accept("of") else 0))
                tokens.expect("]")
            else:
                return Place(base, tuple(selectors))

    def _local_number(self, tokens: _Tokens) -> int:
        name = tokens.name()
        if name not in self._local_index:
            raise tokens.error(f"unknown local {name}")
        return self._local_index[name]


def _type_key(tokens: _Tokens) -> tuple[str, str]:
    """A type's spelling, and ``#2`` for the second one of that spelling."""
    text = tokens.take("type")
    quoted, _, number = text.rpartition("'")
    try:
        return str(json.loads('"' + quoted[1:].replace('"', '\\"') + '"')), number
    except ValueError as problem:
        raise tokens.error(f"bad type {text}") from problem
