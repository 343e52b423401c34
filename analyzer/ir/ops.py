"""The closed set of operations and terminators.

Every operation has `at`: the byte offset in `Function.file` of the construct it comes from (of the macro
call when it comes from a macro: then `Function.macros[at]` names the macro).
Match on the classes with `match` and `assert_never`; they are final and are never subclassed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from analyzer.ir.operands import Operand, Place, Temp
from analyzer.ir.types import CType


@final
@dataclass(frozen=True, slots=True)
class Load:
    """``result = place``: read a scalar."""

    at: int
    result: Temp
    place: Place
    type: CType


@final
@dataclass(frozen=True, slots=True)
class Store:
    """``place = value``: write a scalar.

    initialises: this is the initialiser of a declaration, not an assignment.
    """

    at: int
    place: Place
    value: Operand
    type: CType
    initialises: bool = False


@final
@dataclass(frozen=True, slots=True)
class AddressOf:
    """``result = &place``; also an array that decays to a pointer to its first element."""

    at: int
    result: Temp
    place: Place


@final
@dataclass(frozen=True, slots=True)
class Unary:
    """``result = operator operand`` with operator one of ``- ~ !``."""

    at: int
    result: Temp
    operator: str
    operand: Operand


@final
@dataclass(frozen=True, slots=True)
class Binary:
    """``result = left operator right``, without short circuit.

    operator: ``+ - * / % << >> & | ^ == != < <= > >=``.
    scale_bits: for ``+`` and ``-`` on a pointer (always `left`), the size in bits of what it points to (8 for
        ``void`` and ``char``; 0 unknown); for a difference of two pointers likewise; otherwise 0.
    pointer: the operation is pointer arithmetic (``+``, ``-`` with a pointer on the left).
    """

    at: int
    result: Temp
    operator: str
    left: Operand
    right: Operand
    scale_bits: int = 0
    pointer: bool = False


@final
@dataclass(frozen=True, slots=True)
class Convert:
    """``result = (type) operand`` where the value may change: to bool, to another width or sign.

    Conversions between pointers, and between pointer and integer, keep the value and have no operation.
    """

    at: int
    result: Temp
    operand: Operand
    type: CType


@final
@dataclass(frozen=True, slots=True)
class Call:
    """``result = callee(arguments)``.

    name: the called function's name, None for a call through a pointer.
    target: the pointer called through when name is None.
    result: None when the call's value is void, a record (then `record_result`), or not used at all:
        a discarded result has ``result None`` and ``result_type`` not void.
    arguments: records passed by value appear as the address of a synthetic local that holds the copy, with
        kind RECORD in `argument_types`.
    implicit: a call that no one wrote: the `cleanup` attribute at the end of a scope.
    """

    at: int
    result: Temp | None
    name: str | None
    target: Operand | None
    arguments: tuple[Operand, ...]
    argument_types: tuple[CType, ...]
    result_type: CType
    record_result: Place | None = None
    implicit: bool = False


@final
@dataclass(frozen=True, slots=True)
class CopyRecord:
    """``target = source`` for structs and unions (all memory below). bits: size, 0 when unknown.

    part: the objects there may be larger (``memcpy(p, q, 4)``).
    """

    at: int
    target: Place
    source: Place
    bits: int
    part: bool = False


@final
@dataclass(frozen=True, slots=True)
class Zero:
    """``place = {0}``: all memory below becomes zero (aggregate initialisers, before their Stores; memset).

    part: the object there may be larger.
    """

    at: int
    place: Place
    bits: int
    part: bool = False


@final
@dataclass(frozen=True, slots=True)
class Clobber:
    """All memory below `place` gets unknown contents, and what it held may be held elsewhere (assembler)."""

    at: int
    place: Place


@final
@dataclass(frozen=True, slots=True)
class DeclareLocal:
    """Control reaches the declaration of a local: its memory is uninitialised from here."""

    at: int
    local: int


@final
@dataclass(frozen=True, slots=True)
class ScopeEnd:
    """The locals' lifetime ends here: closing brace, or the jump or return that leaves their block."""

    at: int
    locals: tuple[int, ...]


@final
@dataclass(frozen=True, slots=True)
class EndExpression:
    """A full expression ends: temporaries are dead, except one that the block's terminator uses."""

    at: int


Op = (
    Load
    | Store
    | AddressOf
    | Unary
    | Binary
    | Convert
    | Call
    | CopyRecord
    | Zero
    | Clobber
    | DeclareLocal
    | ScopeEnd
    | EndExpression
)


@final
@dataclass(frozen=True, slots=True)
class Goto:
    """Control continues at `target` (also loop back edges and fall-through)."""

    at: int
    target: int


@final
@dataclass(frozen=True, slots=True)
class Branch:
    """Control goes to `if_true` when condition != 0, else to `if_false`.

    `at` is the condition's place. choice: nobody wrote it: it tells the targets of a call through a pointer apart, and
    `at` is that call. Text: ``choose %3 ? bb1 : bb2``.
    """

    at: int
    condition: Operand
    if_true: int
    if_false: int
    choice: bool = False


@final
@dataclass(frozen=True, slots=True)
class Case:
    """The values low..high, both included, go to `target`."""

    low: int
    high: int
    target: int


@final
@dataclass(frozen=True, slots=True)
class Switch:
    """The first case that fits, else `default` (the block after the switch when there is no default)."""

    at: int
    value: Operand
    cases: tuple[Case, ...]
    default: int


@final
@dataclass(frozen=True, slots=True)
class Jump:
    """Computed goto, `asm goto`: control goes to one of the targets, nobody knows to which."""

    at: int
    targets: tuple[int, ...]


@final
@dataclass(frozen=True, slots=True)
class Return:
    """The function returns. record: the place whose contents are returned by value, for record types."""

    at: int
    value: Operand | None
    record: Place | None = None


@final
@dataclass(frozen=True, slots=True)
class Stop:
    """Control does not go on: after a call that never returns (reason "noreturn f"), unreachable, longjmp."""

    at: int
    reason: str


Terminator = Goto | Branch | Switch | Jump | Return | Stop
