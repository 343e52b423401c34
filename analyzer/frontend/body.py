"""The state in which one function body is lowered, and the dispatch over kinds of nodes.

The constructs themselves are lowered in expressions, places, calls, conditions, initialisers, statements and loops;
`lower` puts their tables together. The modules call each other through `Body` only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, final

from analyzer.frontend.builder import BlockBuilder, Label
from analyzer.frontend.declarations import Declarations, Declared
from analyzer.frontend.positions import Positions
from analyzer.frontend.tree import Tree
from analyzer.frontend.types import Types, decayed
from analyzer.ir.function import Variable
from analyzer.ir.operands import GlobalBase, LocalBase, Operand, Place, Temp, Unknown
from analyzer.ir.ops import AddressOf, Call, DeclareLocal, EndExpression, Load, Op, ScopeEnd, Store
from analyzer.ir.types import VOID, CType, TypeKind
from analyzer.libclang import kinds
from analyzer.libclang.binding import Cursor, Type


@final
@dataclass(slots=True)
class Scope:
    """A block of the source. node: its node. locals: declared so far, with their nodes."""

    node: int
    locals: list[tuple[int, int]] = field(default_factory=list)


class Exit(NamedTuple):
    """Where a `break` or `continue` goes. depth: number of scopes that stay open."""

    label: Label
    depth: int


@final
@dataclass(frozen=True, slots=True)
class Tables:
    """For each kind of node: how to get its value, its effects only, its place, its branch, its statement."""

    values: Mapping[int, Callable[[Body, int], Operand]]
    effects: Mapping[int, Callable[[Body, int], None]]
    places: Mapping[int, Callable[[Body, int], Place]]
    statements: Mapping[int, Callable[[Body, int], None]]
    branch: Callable[[Body, int, Label, Label, bool], None]
    initialise: Callable[[Body, Place, Type, int], None]


@final
class Body:
    """One function body on its way to the IR.

    held: number of temps whose expressions are still to be finished around a statement expression.
    globals_seen: variables with static storage that the body mentions.
    """

    def __init__(self, tree: Tree, declarations: Declarations, positions: Positions, tables: Tables) -> None:
        self.tree = tree
        self.kinds = tree.kinds
        self.children = tree.children
        self.declarations = declarations
        self.types: Types = declarations.types
        self.unit = declarations.unit
        self.lib = declarations.unit.lib
        self.positions = positions
        self.tables = tables
        self.builder = BlockBuilder()
        self.locals: list[Variable] = []
        self.local_numbers: dict[int | None, int] = {}
        self.scopes: list[Scope] = []
        self.breaks: list[Exit] = []
        self.continues: list[Exit] = []
        self.labels: dict[int, Label] = {}
        self.degraded: dict[str, None] = {}
        self.globals_seen: dict[str, Declared] = {}
        self.function_name = ""
        self.file = ""
        self.result: CType = VOID
        self.held = 0
        self.for_headers: list[tuple[bool, bool, bool]] = []
        self.statement_depth = 0
        self.at = 0
        self._synthetic: list[int] = []
        self._ctypes: dict[int, CType] = {}
        self._declared: dict[int, Declared | None] = {}

    # facts about nodes

    def cursor(self, node: int) -> Cursor:
        """The node's cursor."""
        return self.tree.cursors[node]

    def type(self, node: int) -> CType:
        """The node's type."""
        known = self._ctypes.get(node)
        if known is None:
            declared = self.declared(node) if self.kinds[node] == kinds.DECL_REF_EXPR else None
            known = declared.ctype if declared is not None else self.types.of(self.tree.cursors[node])
            if known.kind is TypeKind.ARRAY and self._is_parameter(node):
                known = decayed(known)
            self._ctypes[node] = known
        return known

    def _is_parameter(self, node: int) -> bool:
        """Whether the node names a parameter: ``int fd[2]`` is shown as an array there, and is a pointer."""
        while self.kinds[node] in (kinds.UNEXPOSED_EXPR, kinds.PAREN_EXPR) and len(self.children[node]) == 1:
            node = self.children[node][0]
        if self.kinds[node] != kinds.DECL_REF_EXPR:
            return False
        declared = self.declared(node)
        return declared is not None and declared.kind == kinds.PARM_DECL

    def position(self, node: int) -> int:
        """The node's offset."""
        return self.positions.of(self.tree.cursors[node])

    def declared(self, node: int) -> Declared | None:
        """What a reference refers to."""
        if node not in self._declared:
            self._declared[node] = self.declarations.referenced(self.tree.cursors[node])
        return self._declared[node]

    def operator(self, node: int) -> str:
        """The operator of a unary, binary or compound assignment node; "" for one unknown."""
        cursor = self.tree.cursors[node]
        if self.kinds[node] == kinds.UNARY_OPERATOR:
            return kinds.UNARY.get(self.lib.getCursorUnaryOperatorKind(cursor), "")
        return kinds.BINARY.get(self.lib.getCursorBinaryOperatorKind(cursor), "")

    def degrade(self, reason: str) -> None:
        """Note that something was not lowered as it is."""
        self.degraded[reason] = None

    # dispatch

    def value(self, node: int) -> Operand:
        """Evaluate an expression; its value. For records, use `place`."""
        lower = self.tables.values.get(self.kinds[node])
        if lower is None:
            self.degrade(f"expression of kind {self.kinds[node]} at offset {self.position(node)}")
            for child in self.children[node]:
                if kinds.UNEXPOSED_EXPR <= self.kinds[child] <= kinds.LAST_EXPR:
                    self.effect(child)
            return Unknown()
        return lower(self, node)

    def effect(self, node: int) -> None:
        """Evaluate an expression whose value nobody uses."""
        lower = self.tables.effects.get(self.kinds[node])
        if lower is not None:
            lower(self, node)
        elif self.type(node).kind is TypeKind.RECORD:
            self.place(node)
        else:
            self.value(node)

    def place(self, node: int) -> Place:
        """Evaluate an lvalue, or an expression of record type; where its contents are."""
        lower = self.tables.places.get(self.kinds[node])
        if lower is not None:
            return lower(self, node)
        self.effect_of_children(node)
        self.degrade(f"memory of kind {self.kinds[node]} at offset {self.position(node)}")
        return Place(LocalBase(self.synthetic(self.type(node), self.position(node))))

    def effect_of_children(self, node: int) -> None:
        """Evaluate the expressions below a node in document order."""
        for child in self.children[node]:
            if kinds.UNEXPOSED_EXPR <= self.kinds[child] <= kinds.LAST_EXPR:
                self.effect(child)

    def branch(self, node: int, yes: Label, no: Label, *, full: bool = False) -> None:
        """Evaluate a condition and jump. full: it is a full expression, which ends before each jump."""
        self.tables.branch(self, node, yes, no, full)

    def statement(self, node: int) -> None:
        """Lower a statement, or an expression as a statement."""
        lower = self.tables.statements.get(self.kinds[node])
        if lower is not None:
            self.at = self.position(node)
            lower(self, node)
        elif kinds.UNEXPOSED_EXPR <= self.kinds[node] <= kinds.LAST_EXPR:
            self.at = at = self.position(node)
            self.effect(node)
            self.end_expression(at)
        elif kinds.UNEXPOSED_STMT <= self.kinds[node] < kinds.TRANSLATION_UNIT:
            self.degrade(f"statement of kind {self.kinds[node]} at offset {self.position(node)}")

    def initialise(self, place: Place, type_: Type, node: int) -> None:
        """Write the initialiser `node` into `place`."""
        self.tables.initialise(self, place, type_, node)

    # operations

    def emit(self, op: Op) -> None:
        """Append an operation."""
        self.builder.ops.append(op)

    def load(self, place: Place, type_: CType, at: int) -> Operand:
        """Read a place: a scalar's value, an array's address."""
        if type_.kind in (TypeKind.VOID, TypeKind.FUNCTION):
            return Unknown()
        result = self.builder.temp()
        if type_.kind in (TypeKind.ARRAY, TypeKind.RECORD):
            self.builder.ops.append(AddressOf(at, result, place))
        else:
            self.builder.ops.append(Load(at, result, place, type_))
        return result

    def store(self, place: Place, value: Operand, type_: CType, at: int, *, initialises: bool = False) -> None:
        """Write a scalar."""
        if type_.kind in (TypeKind.VOID, TypeKind.FUNCTION, TypeKind.ARRAY, TypeKind.RECORD):
            self.degrade(f"assignment of a {type_.kind.value} at offset {at}")
            return
        self.builder.ops.append(Store(at, place, value, type_, initialises))

    def address(self, place: Place, at: int) -> Temp:
        """The address of a place."""
        result = self.builder.temp()
        self.builder.ops.append(AddressOf(at, result, place))
        return result

    def end_expression(self, at: int) -> None:
        """A full expression ends: so do its temporaries and synthetic locals."""
        if self.held:
            return
        ops = self.builder.ops
        if not ops or not isinstance(ops[-1], EndExpression | ScopeEnd | DeclareLocal):
            ops.append(EndExpression(at))
        if self._synthetic and not self.statement_depth:
            ops.append(ScopeEnd(at, tuple(self._synthetic)))
            self._synthetic.clear()

    def end_everything(self, at: int) -> None:
        """A return inside whatever expression: temporaries, synthetic locals and all scopes end."""
        self.emit(EndExpression(at))
        if self._synthetic:
            self.emit(ScopeEnd(at, tuple(self._synthetic)))
            if not self.statement_depth:
                self._synthetic.clear()
        self.end_scopes(0, at)

    # locals and scopes

    def declare(self, variable: Variable, key: int | None) -> int:
        """Enter a local variable; its number."""
        number = len(self.locals)
        self.locals.append(variable)
        if key is not None:
            self.local_numbers[key] = number
        return number

    def synthetic(self, type_: CType, at: int, *, lasting: bool = False) -> int:
        """A new local without a name of its own. lasting: it does not end with the full expression."""
        number = self.declare(Variable(f"${len(self.locals)}", type_, at), None)
        self.emit(DeclareLocal(at, number))
        if not lasting:
            self._synthetic.append(number)
        return number

    def variable(self, declared: Declared) -> LocalBase | GlobalBase:
        """The memory of a variable."""
        number = self.local_numbers.get(declared.key)
        if number is not None:
            return LocalBase(number)
        name = declared.name
        if self.lib.Cursor_getStorageClass(declared.cursor) == kinds.STORAGE_STATIC:
            parent = self.lib.getCursorSemanticParent(declared.cursor)
            inside = f"{self.function_name}:" if parent.kind == kinds.FUNCTION_DECL else ""
            name = f"{self.declarations.file_of(declared.cursor)}:{inside}{name}"
        self.globals_seen[name] = declared
        return GlobalBase(name)

    def enter(self, node: int) -> None:
        """Open a scope."""
        self.scopes.append(Scope(node))

    def leave(self, at: int) -> None:
        """Close the innermost scope at its end."""
        self.end_scopes(len(self.scopes) - 1, at)
        self.scopes.pop()

    def end_scopes(self, depth: int, at: int, after: int = -1) -> None:
        """Emit the ends of the open scopes from number `depth` on, innermost first.

        after: of the scope below them, end the locals that are declared after this node (a jump back).
        """
        for scope in reversed(self.scopes[depth:]):
            self._end_locals([number for number, _ in scope.locals], at)
        if after >= 0 and depth:
            self._end_locals([number for number, node in self.scopes[depth - 1].locals if node > after], at)

    def _end_locals(self, numbers: list[int], at: int) -> None:
        if not numbers:
            return
        for number in reversed(numbers):
            if self.locals[number].cleanup:
                self._clean_up(number, at)
        self.emit(ScopeEnd(at, tuple(numbers)))

    def _clean_up(self, number: int, at: int) -> None:
        """The call that the `cleanup` attribute asks for."""
        variable = self.locals[number]
        pointer = CType(
            TypeKind.POINTER,
            f"{variable.type.spelling} *",
            64,
            pointee=variable.type.spelling,
            pointee_kind=variable.type.kind,
        )
        address = self.address(Place(LocalBase(number)), at)
        self.emit(Call(at, None, variable.cleanup, None, (address,), (pointer,), VOID, implicit=True))
        self.emit(EndExpression(at))
